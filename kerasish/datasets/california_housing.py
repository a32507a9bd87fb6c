"""California housing prices of 1990: 20,640 rows of 8 features (Pace and Barry 1997)."""

from __future__ import annotations

from typing import Any

from .cache import BASE, cached, read_npz, split

__all__ = ["load_data"]

_SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2,
    seed: int = 113,
) -> Any:  # fmt: skip
    """The data set as `(x_train, y_train), (x_test, y_test)`.

    Args:
        version: "large", or "small" for 600 districts around San Francisco.
        path: Its name in the cache's folder `datasets`.
        test_split: Share of the rows to test on.
        seed: Of the shuffle before the split.

    Returns:
        Features as float32 `(n, 8)` and prices in dollars as float32 `(n,)`.

    Raises:
        ValueError: Another version.
    """
    if version not in ("large", "small"):
        raise ValueError(
            f"Argument `version` must be one of 'small', 'large'. Received: version={version}"
        )
    data = read_npz(cached(path, BASE + "california_housing.npz", _SHA256))
    x, y = data["x"], data["y"]
    if version == "small":
        x, y = x[:600], y[:600]
    return split(x, y, test_split, seed)
