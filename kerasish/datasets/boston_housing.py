"""Boston housing prices: 506 rows of 13 features (Harrison and Rubinfeld 1978)."""

from __future__ import annotations

from typing import Any

from .cache import BASE, cached, read_npz, split

__all__ = ["load_data"]

_SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Any:
    """The data set as `(x_train, y_train), (x_test, y_test)`.

    One feature (B) encodes a discriminatory assumption: use the data for teaching only.

    Args:
        path: Its name in the cache's folder `datasets`.
        test_split: Share of the rows to test on.
        seed: Of the shuffle before the split.

    Returns:
        Features as float64 `(n, 13)` and prices in thousands of dollars as float64 `(n,)`.
    """
    data = read_npz(cached(path, BASE + "boston_housing.npz", _SHA256))
    return split(data["x"], data["y"], test_split, seed)
