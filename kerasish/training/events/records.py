"""Records: length, masked CRC-32C of the length, data, masked CRC-32C of the data.

Source: https://www.tensorflow.org/tutorials/load_data/tfrecord (the format); RFC 3720,
appendix B.4 (CRC-32C).
"""

from __future__ import annotations

import struct

__all__ = ["crc32c", "framed"]

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed


def _table() -> list[int]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        found.append(value)
    return found


_TABLE = _table()


def crc32c(content: bytes) -> int:
    """The checksum of some bytes."""
    table, found = _TABLE, 0xFFFFFFFF
    for byte in content:
        found = found >> 8 ^ table[(found ^ byte) & 0xFF]
    return found ^ 0xFFFFFFFF


def _masked(content: bytes) -> bytes:
    found = crc32c(content)
    rotated = found >> 15 | found << 17
    return struct.pack("<I", rotated + 0xA282EAD8 & 0xFFFFFFFF)


def framed(content: bytes) -> bytes:
    """A record with these contents."""
    length = struct.pack("<Q", len(content))
    return length + _masked(length) + content + _masked(content)
