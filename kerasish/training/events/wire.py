"""Protocol buffers: fields to bytes. A message is the fields of it, one after another.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct

__all__ = ["data", "double", "integer", "text"]

_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are in two's complement of 64 bits
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def integer(number: int, value: int) -> bytes:
    """An integer, boolean or enum field."""
    return _key(number, _VARINT) + _varint(value)


def double(number: int, value: float) -> bytes:
    """A float64 field."""
    return _key(number, _FIXED64) + struct.pack("<d", value)


def data(number: int, value: bytes) -> bytes:
    """A field of bytes, or of a message."""
    return _key(number, _LENGTH) + _varint(len(value)) + value


def text(number: int, value: str) -> bytes:
    """A string field."""
    return data(number, value.encode())
