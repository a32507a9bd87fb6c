"""What stays for files of earlier releases."""

from .. import older as _older
from . import saving

__all__ = ["saving"]

__getattr__ = _older.names(__name__)
