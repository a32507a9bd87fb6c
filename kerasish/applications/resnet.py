"""ResNet-50, -101 and -152, and the residual blocks of both versions.

Source: He et al., "Deep Residual Learning for Image Recognition" (2015), table 1; version 2: He et
al., "Identity Mappings in Deep Residual Networks" (2016), figure 4 e.
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Functional
from . import frame
from .imagenet_utils import helpers

__all__ = [
    "ResNet50", "ResNet101", "ResNet152", "build", "decode_predictions", "preprocess_input",
]  # fmt: skip

# Bottlenecks in the stages conv2 to conv5, and their filters.
DEPTHS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}
_FILTERS = (64, 128, 256, 512)
_HASHES = {
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}


def _norm(name: str) -> Any:
    return layers.BatchNormalization(axis=frame.channel_axis(), epsilon=1.001e-5, name=name)


def _relu(name: str) -> Any:
    return layers.Activation("relu", name=name)


def _pad(size: int, name: str) -> Any:
    return layers.ZeroPadding2D(((size, size), (size, size)), name=name)


def bottleneck(x: Any, name: str, filters: int, stride: int, first: bool, last: bool) -> Any:
    """Version 1: normalisation after each convolution; the first block of a stage strides."""
    stride = stride if first else 1
    shortcut = x
    if first:
        shortcut = frame.apply(
            x,
            layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv"),
            _norm(f"{name}_0_bn"),
        )
    x = frame.apply(
        x,
        layers.Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv"),
        _norm(f"{name}_1_bn"),
        _relu(f"{name}_1_relu"),
        layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv"),
        _norm(f"{name}_2_bn"),
        _relu(f"{name}_2_relu"),
        layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv"),
        _norm(f"{name}_3_bn"),
    )
    return _relu(f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, x]))


def preactivated(x: Any, name: str, filters: int, stride: int, first: bool, last: bool) -> Any:
    """Version 2: normalisation before each convolution; the last block of a stage strides."""
    stride = stride if last else 1
    active = frame.apply(x, _norm(f"{name}_preact_bn"), _relu(f"{name}_preact_relu"))
    shortcut = x
    if first:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(active)
    elif stride > 1:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x)
    x = frame.apply(
        active,
        layers.Conv2D(filters, 1, strides=1, use_bias=False, name=f"{name}_1_conv"),
        _norm(f"{name}_1_bn"),
        _relu(f"{name}_1_relu"),
        _pad(1, f"{name}_2_pad"),
        layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv"),
        _norm(f"{name}_2_bn"),
        _relu(f"{name}_2_relu"),
        layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv"),
    )
    return layers.Add(name=f"{name}_out")([shortcut, x])


def build(
    request: frame.Request, variant: str, version: int, depths: tuple[int, ...]
) -> Functional:
    """A network of one version with so many blocks in each of its four stages."""
    x = start = frame.standard_image(request, 224, 32)
    x = frame.apply(x, _pad(3, "conv1_pad"), layers.Conv2D(64, 7, strides=2, name="conv1_conv"))
    if version == 1:
        x = frame.apply(x, _norm("conv1_bn"), _relu("conv1_relu"))
    x = frame.apply(x, _pad(1, "pool1_pad"), layers.MaxPooling2D(3, strides=2, name="pool1_pool"))
    block = bottleneck if version == 1 else preactivated
    unstrided = 0 if version == 1 else 3
    for stage, (filters, depth) in enumerate(zip(_FILTERS, depths, strict=True)):
        stride = 1 if stage == unstrided else 2
        for i in range(1, depth + 1):
            x = block(x, f"conv{stage + 2}_block{i}", filters, stride, i == 1, i == depth)
    if version == 2:
        x = frame.apply(x, _norm("post_bn"), _relu("post_relu"))
    x = frame.classifier(request, x)
    return frame.finish(request, start, x, frame.kernels("resnet", variant, _HASHES[variant]))


def variant(depth: str, version: int) -> Any:
    """The constructor of a depth: "50", "101" or "152"."""
    suffix = "V2" if version == 2 else ""
    name = f"resnet{depth}{suffix.lower()}"
    return frame.standard(
        build, f"ResNet{depth}{suffix}", name, variant=name, version=version, depths=DEPTHS[depth]
    )


ResNet50, ResNet101, ResNet152 = (variant(depth, 1) for depth in DEPTHS)

preprocess_input, decode_predictions = helpers("caffe")
