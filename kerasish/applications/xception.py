"""Xception: residual blocks of depthwise separable convolutions.

Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions" (2017), figure 5.
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Functional
from . import frame
from .imagenet_utils import helpers

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

# Blocks that halve the size: number, filters of both convolutions. Blocks 5 to 12 keep it.
_ENTRY = ((2, (128, 128)), (3, (256, 256)), (4, (728, 728)))
_EXIT = ((13, (728, 1024)),)
_HASHES = "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"


def _norm(name: str | None = None) -> Any:
    return layers.BatchNormalization(axis=frame.channel_axis(-1), name=name)


def _relu(name: str) -> Any:
    return layers.Activation("relu", name=name)


def _separable(x: Any, filters: int, name: str) -> Any:
    convolution = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)
    return frame.apply(x, convolution, _norm(f"{name}_bn"))


def _stem(x: Any) -> Any:
    for i, (filters, stride) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{i}"
        x = frame.apply(
            x,
            layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=name),
            _norm(f"{name}_bn"),
            _relu(f"{name}_act"),
        )
    return x


def _halving(x: Any, block: int, filters: tuple[int, int]) -> Any:
    shortcut = frame.apply(
        x,
        layers.Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False),
        _norm(),
    )
    for i, width in enumerate(filters, 1):
        if block > 2 or i > 1:  # block 2 follows an activation
            x = _relu(f"block{block}_sepconv{i}_act")(x)
        x = _separable(x, width, f"block{block}_sepconv{i}")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return layers.Add()([x, shortcut])


def _middle(x: Any, block: int) -> Any:
    shortcut = x
    for i in range(1, 4):
        name = f"block{block}_sepconv{i}"
        x = _separable(_relu(f"{name}_act")(x), 728, name)
    return layers.Add()([x, shortcut])


def build(request: frame.Request) -> Functional:
    """Entry, middle and exit flow."""
    start = frame.standard_image(request, 299, 71)
    x = _stem(start)
    for block, filters in _ENTRY:
        x = _halving(x, block, filters)
    for block in range(5, 13):
        x = _middle(x, block)
    for block, filters in _EXIT:
        x = _halving(x, block, filters)
    for i, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{i}"
        x = _relu(f"{name}_act")(_separable(x, filters, name))
    x = frame.classifier(request, x, named=False)
    return frame.finish(request, start, x, frame.kernels("xception", "xception", _HASHES))


Xception = frame.standard(build, "Xception", "xception")

preprocess_input, decode_predictions = helpers("tf")
