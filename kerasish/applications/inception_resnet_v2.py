"""Inception-ResNet v2: inception branches whose result is added, scaled down, to their input.

Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning" (2016), figures 15 to 19.
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Functional
from ..serialization import builtin
from . import frame
from .imagenet_utils import helpers
from .inception_v3 import join, run_branch

__all__ = ["CustomScaleLayer", "InceptionResNetV2", "decode_predictions", "preprocess_input"]

# Steps are written as in `inception_v3`.
_STEM = (
    (32, 3, 3, "halve"), (32, 3, 3, "valid"), (64, 3, 3), ("max",), (80, 1, 1, "valid"),
    (192, 3, 3, "valid"), ("max",),
)  # fmt: skip
_MIXED: dict[str, Any] = {
    "mixed_5b": (
        ((96, 1, 1),),
        ((48, 1, 1), (64, 5, 5)),
        ((64, 1, 1), (96, 3, 3), (96, 3, 3)),
        (("avg",), (64, 1, 1)),
    ),
    "mixed_6a": (
        ((384, 3, 3, "halve"),),
        ((256, 1, 1), (256, 3, 3), (384, 3, 3, "halve")),
        (("max",),),
    ),
    "mixed_7a": (
        ((256, 1, 1), (384, 3, 3, "halve")),
        ((256, 1, 1), (288, 3, 3, "halve")),
        ((256, 1, 1), (288, 3, 3), (320, 3, 3, "halve")),
        (("max",),),
    ),
}
_RESIDUAL: dict[str, Any] = {
    "block35": (
        ((32, 1, 1),),
        ((32, 1, 1), (32, 3, 3)),
        ((32, 1, 1), (48, 3, 3), (64, 3, 3)),
    ),
    "block17": (((192, 1, 1),), ((128, 1, 1), (160, 1, 7), (192, 7, 1))),
    "block8": (((192, 1, 1),), ((192, 1, 1), (224, 1, 3), (256, 3, 1))),
}
# The mixed block, then how many residual ones of which kind and scale follow.
_STAGES = (
    ("mixed_5b", "block35", 10, 0.17),
    ("mixed_6a", "block17", 20, 0.1),
    ("mixed_7a", "block8", 9, 0.2),
)
_HASHES = "e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4"


@builtin("keras.src.applications.inception_resnet_v2")
class CustomScaleLayer(layers.Layer):
    """`a + scale * b` of two tensors.

    Args:
        scale: Of the second one.
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        return inputs[0] + inputs[1] * self.scale

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


def _convolve(
    x: Any, filters: int, kernel: Any, stride: int, padding: str, name: str | None = None
) -> Any:
    convolution = layers.Conv2D(
        filters, kernel, strides=stride, padding=padding, use_bias=False, name=name
    )
    return frame.apply(
        x,
        convolution,
        layers.BatchNormalization(
            axis=frame.channel_axis(), scale=False, name=name and f"{name}_bn"
        ),
        layers.Activation("relu", name=name and f"{name}_ac"),
    )


def _mixed(x: Any, name: str, branches: Any) -> Any:
    return join([run_branch(x, steps, _convolve) for steps in branches], name)


def _residual(x: Any, kind: str, number: int, scale: float, activate: bool) -> Any:
    name = f"{kind}_{number}"
    joined = _mixed(x, f"{name}_mixed", _RESIDUAL[kind])
    channels = x.shape[frame.channel_axis()]
    new = layers.Conv2D(channels, 1, padding="same", name=f"{name}_conv")(joined)
    x = CustomScaleLayer(scale)([x, new])
    return layers.Activation("relu", name=f"{name}_ac")(x) if activate else x


def build(request: frame.Request) -> Functional:
    """The stem, three stages, the classifier."""
    start = frame.standard_image(request, 299, 75)
    x = run_branch(start, _STEM, _convolve)
    for mixed, kind, count, scale in _STAGES:
        x = _mixed(x, mixed, _MIXED[mixed])
        for number in range(1, count + 1):
            x = _residual(x, kind, number, scale, activate=True)
    x = _residual(x, "block8", 10, 1.0, activate=False)
    x = _convolve(x, 1536, 1, 1, "same", name="conv_7b")
    x = frame.classifier(request, x, named=False)
    files = frame.kernels("inception_resnet_v2", "inception_resnet_v2", _HASHES)
    return frame.finish(request, start, x, files)


InceptionResNetV2 = frame.standard(build, "InceptionResNetV2", "inception_resnet_v2")

preprocess_input, decode_predictions = helpers("tf")
