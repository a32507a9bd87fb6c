"""What all implementations share: sizes, data, and how a step is timed."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

__all__ = ["SIZES", "Sizes", "data_of", "measure", "operations_of", "sizes"]


class Sizes(NamedTuple):
    """Of a workload; what it does not use is 0."""

    batch: int
    width: int = 0
    classes: int = 10
    length: int = 0
    words: int = 0
    layers: int = 0
    heads: int = 0
    image: int = 0
    half: bool = False


SIZES = {
    "mlp": Sizes(128, width=512),
    "convnet": Sizes(128, image=32),
    "resnet50": Sizes(128, image=224, classes=1000, half=True),
    "lstm": Sizes(64, width=256, length=100, words=20_000, classes=2),
    "transformer": Sizes(32, width=768, length=128, words=20_000, layers=12, heads=12, classes=2),
}
_SMALL = {
    "mlp": Sizes(8, width=16),
    "convnet": Sizes(4, image=16),
    "resnet50": Sizes(2, image=64, classes=10, half=True),
    "lstm": Sizes(4, width=8, length=6, words=50, classes=2),
    "transformer": Sizes(2, width=16, length=6, words=50, layers=2, heads=2, classes=2),
}


def sizes(name: str, small: bool) -> Sizes:
    """The sizes of a workload."""
    return (_SMALL if small else SIZES)[name]


def data_of(name: str, s: Sizes) -> tuple[Any, Any]:
    """One batch and its labels: every step takes the same."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, s.classes, s.batch).astype("int32")
    if name == "mlp":
        return rng.normal(size=(s.batch, 784)).astype("float32"), labels
    if s.image:
        return rng.normal(size=(s.batch, s.image, s.image, 3)).astype("float32"), labels
    return rng.integers(0, s.words, (s.batch, s.length)).astype("int32"), labels


def operations_of(name: str, s: Sizes) -> float:
    """Multiplications and additions of one training step: three times those of the prediction."""
    if name == "mlp":
        weights = 784 * s.width + s.width**2 + s.width * s.classes
        return 3 * 2.0 * s.batch * weights
    if name == "convnet":
        pixels = s.image**2
        per_image = pixels * 9 * (3 * 32 + 32 * 32) + pixels / 4 * 9 * (32 * 64 + 64 * 64)
        return 3 * 2.0 * s.batch * per_image
    if name == "resnet50":
        return 3 * 2.0 * s.batch * 4.09e9 * (s.image / 224) ** 2
    if name == "lstm":
        return 3 * 2.0 * s.batch * s.length * 4 * (128 * s.width + s.width**2)
    tokens = s.batch * s.length
    per_token = 12 * s.width**2 + 2 * s.length * s.width
    return 3 * 2.0 * tokens * s.layers * per_token


def measure(step: Any, wait: Any, seconds: float = 2.0) -> float:
    """Milliseconds of a step: the best of three rounds after a warm-up."""
    for _ in range(4):
        step()
    wait()
    start = time.perf_counter()
    step()
    wait()
    count = max(3, int(seconds / max(time.perf_counter() - start, 1e-6)))
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(min(count, 300)):
            step()
        wait()
        best = min(best, (time.perf_counter() - start) / min(count, 300))
    return best * 1e3
