"""CIFAR-10: 60,000 colour pictures of 32 x 32 pixels in 10 classes (Krizhevsky 2009)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .cifar import find_folder, load_batch, oriented

__all__ = ["load_data"]

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_data() -> Any:
    """The data set as `(x_train, y_train), (x_test, y_test)`.

    Returns:
        Pictures as uint8 `(n, 32, 32, 3)` and labels as uint8 `(n, 1)`.
    """
    folder = find_folder("cifar-10-batches-py", _ORIGIN, _SHA256)
    batches = [load_batch(folder / f"data_batch_{i}") for i in range(1, 6)]
    x_train = np.concatenate([x for x, _ in batches]).astype("uint8")
    y_train = np.concatenate([y for _, y in batches]).astype("uint8").reshape(-1, 1)
    x_test, y_test = load_batch(folder / "test_batch")
    y_test = np.asarray(y_test, dtype="uint8").reshape(-1, 1)
    return (oriented(x_train), y_train), (oriented(x_test.astype("uint8")), y_test)
