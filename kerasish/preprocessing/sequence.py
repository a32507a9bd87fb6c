"""`keras.preprocessing.sequence`."""

from .. import older as _older
from ..utils.arrays import pad_sequences

__all__ = ["pad_sequences"]

__getattr__ = _older.names(__name__)
