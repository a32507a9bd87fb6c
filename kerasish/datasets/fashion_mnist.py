"""Fashion-MNIST: 70,000 pictures of clothes of 28 x 28 pixels (Xiao et al. 2017)."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np

from .cache import BASE, cached

__all__ = ["load_data"]

_FILES = ("train-labels", "train-images", "t10k-labels", "t10k-images")


def load_data() -> Any:
    """The data set as `(x_train, y_train), (x_test, y_test)`.

    Returns:
        Images as uint8 `(n, 28, 28)` and labels as uint8 `(n,)`.
    """
    arrays = []
    for part in _FILES:
        images = part.endswith("images")
        name = f"{part}-idx{3 if images else 1}-ubyte.gz"
        path = cached(name, BASE + name, subdir="datasets/fashion-mnist")
        with gzip.open(path, "rb") as file:
            # A header of 4 or 2 big-endian numbers comes first.
            values = np.frombuffer(bytearray(file.read()), np.uint8, offset=16 if images else 8)
        arrays.append(values.reshape(-1, 28, 28) if images else values)
    y_train, x_train, y_test, x_test = arrays
    return (x_train, y_train), (x_test, y_test)
