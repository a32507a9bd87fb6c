"""A look at an HDF5 file before the HDF5 library sees it.

The library walks the heaps in which texts of attributes are kept without checking every length: a
damaged one can make it loop for ever, and nothing in Python can interrupt it.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import Any

__all__ = ["check_heaps"]

# Signature, version and reserved bytes of a collection of the global heap; its size comes next.
_COLLECTION = b"GCOL\x01\x00\x00\x00"
_OBJECT = struct.Struct("<HHIQ")


def check_heaps(source: Any) -> None:
    """Follow every collection of the global heap as the library would.

    Args:
        source: A file opened for reading, binary.

    Raises:
        ValueError: One does not end where it says.

    Source: HDF5 File Format Specification 3.0, III.E, Global Heap.
    """
    if os.fstat(source.fileno()).st_size < len(_COLLECTION):
        return
    with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_COLLECTION)
        while at >= 0:
            _check_collection(data, at)
            at = data.find(_COLLECTION, at + 1)


def _check_collection(data: mmap.mmap, start: int) -> None:
    at = start + 16
    if at > len(data):
        raise ValueError(f"the heap at byte {start} is cut off")
    (size,) = struct.unpack_from("<Q", data, start + 8)
    end = start + size
    if end > len(data):
        raise ValueError(f"the heap at byte {start} claims {size} bytes, more than there are")
    while at + _OBJECT.size <= end:
        index, _, _, length = _OBJECT.unpack_from(data, at)
        # Free space (index 0) counts its own head.
        step = _OBJECT.size + (length + 7) // 8 * 8 if index else length
        at += step
        if at > end or step < _OBJECT.size:
            raise ValueError(f"an object of the heap at byte {start} claims {length} bytes")
