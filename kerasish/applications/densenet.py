"""DenseNet-121, -169 and -201: every layer sees the feature maps of all before it.

Source: Huang et al., "Densely Connected Convolutional Networks" (2016), table 1; growth rate 32.
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Functional
from . import frame
from .imagenet_utils import helpers

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

_GROWTH = 32
_DEPTHS = {"121": (6, 12, 24, 16), "169": (6, 12, 32, 32), "201": (6, 12, 48, 32)}
_HASHES = {
    "121": ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "169": ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "201": ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}


def _norm_relu(x: Any, norm_name: str, relu_name: str) -> Any:
    return frame.apply(
        x,
        layers.BatchNormalization(axis=3, epsilon=1.001e-5, name=norm_name),
        layers.Activation("relu", name=relu_name),
    )


def _dense_layer(x: Any, name: str) -> Any:
    """Normalise, 1 x 1, normalise, 3 x 3; the new maps go beside the old ones."""
    new = _norm_relu(x, f"{name}_0_bn", f"{name}_0_relu")
    new = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = _norm_relu(new, f"{name}_1_bn", f"{name}_1_relu")
    new = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return layers.Concatenate(axis=3, name=f"{name}_concat")([x, new])


def _transition(x: Any, name: str) -> Any:
    """Half of the channels, half of the size."""
    x = _norm_relu(x, f"{name}_bn", f"{name}_relu")
    return frame.apply(
        x,
        layers.Conv2D(x.shape[3] // 2, 1, use_bias=False, name=f"{name}_conv"),
        layers.AveragePooling2D(2, strides=2, name=f"{name}_pool"),
    )


def build(request: frame.Request, depth: str) -> Functional:
    """A network with so many layers in each of its four blocks."""
    x = start = frame.standard_image(request, 224, 32, channels_last_only="DenseNet")
    x = frame.apply(
        x,
        layers.ZeroPadding2D(((3, 3), (3, 3))),
        layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv"),
    )
    x = _norm_relu(x, "conv1_bn", "conv1_relu")
    x = frame.apply(
        x, layers.ZeroPadding2D(((1, 1), (1, 1))), layers.MaxPooling2D(3, strides=2, name="pool1")
    )
    for stage, number in enumerate(_DEPTHS[depth], 2):
        if stage > 2:
            x = _transition(x, f"pool{stage - 1}")
        for i in range(1, number + 1):
            x = _dense_layer(x, f"conv{stage}_block{i}")
    x = frame.classifier(request, _norm_relu(x, "bn", "relu"))
    files = frame.kernels("densenet", f"densenet{depth}", _HASHES[depth])
    return frame.finish(request, start, x, files)


DenseNet121, DenseNet169, DenseNet201 = (
    frame.standard(build, f"DenseNet{depth}", f"densenet{depth}", depth=depth) for depth in _DEPTHS
)

preprocess_input, decode_predictions = helpers("torch")
