"""Inception v3: parallel branches of convolutions, joined.

Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2015).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import layers
from ..models import Functional
from . import frame
from .imagenet_utils import helpers

__all__ = ["InceptionV3", "decode_predictions", "join", "preprocess_input", "run_branch"]

# A branch is a chain of steps: ("avg",) or ("max",) pool 3 x 3; ("fork", name, a, b) joins two
# convolutions of the same input; (filters, rows, columns) is a convolution, "halve" one of stride 2
# without padding, "valid" one without padding.
_5 = ((48, 1, 1), (64, 5, 5))
_33 = ((64, 1, 1), (96, 3, 3), (96, 3, 3))


def _mixed_35(pool: int) -> Any:
    return ((64, 1, 1),), _5, _33, (("avg",), (pool, 1, 1))


def _mixed_17(width: int) -> Any:
    return (
        ((192, 1, 1),),
        ((width, 1, 1), (width, 1, 7), (192, 7, 1)),
        ((width, 1, 1), (width, 7, 1), (width, 1, 7), (width, 7, 1), (192, 1, 7)),
        (("avg",), (192, 1, 1)),
    )


def _mixed_8(number: int) -> Any:
    return (
        ((320, 1, 1),),
        ((384, 1, 1), ("fork", f"mixed9_{number}", (384, 1, 3), (384, 3, 1))),
        ((448, 1, 1), (384, 3, 3), ("fork", None, (384, 1, 3), (384, 3, 1))),
        (("avg",), (192, 1, 1)),
    )


_STEM = (
    (32, 3, 3, "halve"), (32, 3, 3, "valid"), (64, 3, 3), ("max",), (80, 1, 1, "valid"),
    (192, 3, 3, "valid"), ("max",),
)  # fmt: skip
_BLOCKS: tuple[Any, ...] = (
    _mixed_35(32), _mixed_35(64), _mixed_35(64),
    (((384, 3, 3, "halve"),), (*_33[:2], (96, 3, 3, "halve")), (("max",),)),
    _mixed_17(128), _mixed_17(160), _mixed_17(160), _mixed_17(192),
    (
        ((192, 1, 1), (320, 3, 3, "halve")),
        ((192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, "halve")),
        (("max",),),
    ),
    _mixed_8(0), _mixed_8(1),
)  # fmt: skip
_HASHES = "9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"


def join(branches: list[Any], name: str | None) -> Any:
    """Feature maps side by side."""
    return layers.Concatenate(axis=frame.channel_axis(), name=name)(branches)


def run_branch(x: Any, steps: Any, convolve: Callable[..., Any]) -> Any:
    """A chain of steps.

    Args:
        x: Feature maps.
        steps: As at the top of this file.
        convolve: Called with the maps, filters, kernel, stride and padding.
    """
    for step in steps:
        if step[0] == "avg":
            x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
        elif step[0] == "max":
            x = layers.MaxPooling2D(3, strides=2)(x)
        elif step[0] == "fork":
            x = join([run_branch(x, (part,), convolve) for part in step[2:]], step[1])
        else:
            filters, rows, columns, *kind = step
            stride = 2 if kind == ["halve"] else 1
            x = convolve(x, filters, (rows, columns), stride, "valid" if kind else "same")
    return x


def _convolve(x: Any, filters: int, kernel: tuple[int, int], stride: int, padding: str) -> Any:
    return frame.apply(
        x,
        layers.Conv2D(filters, kernel, strides=stride, padding=padding, use_bias=False),
        layers.BatchNormalization(axis=frame.channel_axis(), scale=False),
        layers.Activation("relu"),
    )


def build(request: frame.Request) -> Functional:
    """The stem, eleven blocks of branches, the classifier."""
    start = frame.standard_image(request, 299, 75)
    x = run_branch(start, _STEM, _convolve)
    for number, branches in enumerate(_BLOCKS):
        x = join([run_branch(x, steps, _convolve) for steps in branches], f"mixed{number}")
    x = frame.classifier(request, x, named=False)
    return frame.finish(request, start, x, frame.kernels("inception_v3", "inception_v3", _HASHES))


InceptionV3 = frame.standard(build, "InceptionV3", "inception_v3")

preprocess_input, decode_predictions = helpers("tf")
