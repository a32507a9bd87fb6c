"""CIFAR-100: 60,000 colour pictures of 32 x 32 pixels in 100 classes (Krizhevsky 2009)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .cifar import find_folder, load_batch, oriented

__all__ = ["load_data"]

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> Any:
    """The data set as `(x_train, y_train), (x_test, y_test)`.

    Args:
        label_mode: "fine" for 100 classes, "coarse" for 20 groups of them.

    Returns:
        Pictures as uint8 `(n, 32, 32, 3)` and labels as int64 `(n, 1)`.

    Raises:
        ValueError: Another label mode.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.'
        )
    folder = find_folder("cifar-100-python", _ORIGIN, _SHA256)
    parts = []
    for name in ("train", "test"):
        x, y = load_batch(folder / name, f"{label_mode}_labels")
        parts.append((oriented(x), np.reshape(y, (-1, 1))))
    return parts[0], parts[1]
