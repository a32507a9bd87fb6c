"""Dense, Embedding and other basic layers."""

from ... import older as _older

__getattr__ = _older.names(__name__)
