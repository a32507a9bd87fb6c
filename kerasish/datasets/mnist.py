"""MNIST: 70,000 handwritten digits of 28 x 28 pixels (LeCun et al. 1998)."""

from __future__ import annotations

from typing import Any

from .. import older
from .cache import BASE, cached, read_npz

__all__ = ["load_data"]

_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


@older.arguments
def load_data(path: str = "mnist.npz") -> Any:
    """The data set as `(x_train, y_train), (x_test, y_test)`.

    Args:
        path: Its name in the cache's folder `datasets`.

    Returns:
        Images as uint8 `(n, 28, 28)` and labels as uint8 `(n,)`.
    """
    data = read_npz(cached(path, BASE + "mnist.npz", _SHA256))
    return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
