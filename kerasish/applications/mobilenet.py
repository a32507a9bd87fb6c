"""MobileNet: depthwise convolutions, each followed by a pointwise one.

Source: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications" (2017), table 1.
"""

from __future__ import annotations

import warnings
from typing import Any

from .. import layers
from .. import older as _older
from ..models import Functional
from . import frame
from .imagenet_utils import helpers

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# Filters and stride of each block.
_BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
    (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
_SIZES = (128, 160, 192, 224)
_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}


def _norm_relu6(x: Any, name: str) -> Any:
    return frame.apply(
        x,
        layers.BatchNormalization(axis=frame.channel_axis(-1), name=f"{name}_bn"),
        layers.ReLU(6.0, name=f"{name}_relu"),
    )


def _block(x: Any, number: int, filters: int, stride: int, multiplier: int) -> Any:
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    depthwise = layers.DepthwiseConv2D(
        3, padding="same" if stride == 1 else "valid", depth_multiplier=multiplier,
        strides=stride, use_bias=False, name=f"conv_dw_{number}",
    )  # fmt: skip
    x = _norm_relu6(depthwise(x), f"conv_dw_{number}")
    pointwise = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")
    return _norm_relu6(pointwise(x), f"conv_pw_{number}")


def _check_weights(request: frame.Request, alpha: float, multiplier: int) -> None:
    if request.pretrained and multiplier != 1:
        raise ValueError(
            "If imagenet weights are being loaded, depth multiplier must be 1. "
            f"Received depth_multiplier={multiplier}"
        )
    if request.pretrained and alpha not in _ALPHAS:
        raise ValueError(
            "If imagenet weights are being loaded, alpha can be one of `0.25`, `0.50`, `0.75` or "
            f"`1.0` only. Received alpha={alpha}"
        )


def published_size(request: frame.Request, shape: Any, sizes: tuple[int, ...]) -> Any:
    """The height that names the model; with published weights, that of their images."""
    rows, columns = frame.rows_and_columns(shape)
    if request.pretrained and (rows != columns or rows not in sizes):
        warnings.warn(
            f"`input_shape` is undefined or non-square, or `rows` is not in {list(sizes)}. "
            "Weights for input shape (224, 224) will be loaded as the default.",
            stacklevel=3,
        )
        return 224
    return rows


def default_size(shape: Any, sizes: tuple[int, ...]) -> int:
    """The size of a square shape if weights were published for it, else 224."""
    if shape is None:
        return 224
    rows, columns = frame.rows_and_columns(shape)
    return rows if rows == columns and rows in sizes else 224


def _top(request: frame.Request, x: Any, dropout: float) -> Any:
    return frame.apply(
        x,
        layers.GlobalAveragePooling2D(keepdims=True),
        layers.Dropout(dropout, name="dropout"),
        layers.Conv2D(request.classes, 1, padding="same", name="conv_preds"),
        layers.Reshape((request.classes,), name="reshape_2"),
        layers.Activation(request.classifier_activation, name="predictions"),
    )


@_older.arguments
def MobileNet(
    input_shape: Any = None, alpha: float = 1.0, depth_multiplier: int = 1, dropout: float = 0.001,
    include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
    pooling: Any = None, classes: int = 1000, classifier_activation: Any = "softmax",
    name: Any = None,
) -> Functional:  # fmt: skip
    """MobileNet with `alpha` times the filters of the paper.

    Args:
        input_shape: Without the batch axis.
        alpha: Width of all layers.
        depth_multiplier: Of the depthwise convolutions.
        dropout: Rate below the classifier.
        include_top, weights, input_tensor, pooling, classes, classifier_activation: As in
            `ResNet50`. Weights are published for the widths 0.25, 0.5, 0.75 and 1.
        name: Of the model.

    Raises:
        ValueError: Arguments that do not go together.

    Source: https://keras.io/api/applications/mobilenet/
    """
    request = frame.Request(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name,
    )  # fmt: skip
    request.check()
    shape = frame.image_shape(request, default_size(input_shape, _SIZES), 32)
    _check_weights(request, alpha, depth_multiplier)
    size = published_size(request, shape, _SIZES)
    x = start = frame.image(request, shape)
    x = layers.Conv2D(int(32 * alpha), 3, padding="same", use_bias=False, strides=2, name="conv1")(
        x
    )
    x = _norm_relu6(x, "conv1")
    for number, (filters, stride) in enumerate(_BLOCKS, 1):
        x = _block(x, number, int(filters * alpha), stride, depth_multiplier)
    x = _top(request, x, dropout) if include_top else frame.pooled(request, x, named=False)
    base = f"{frame.STORAGE}mobilenet/mobilenet_{_ALPHAS.get(alpha)}_{size}_tf"
    files = frame.Published(f"{base}.h5"), frame.Published(f"{base}_no_top.h5")
    return frame.finish(request, start, x, files, name or f"mobilenet_{alpha:0.2f}_{size}")


preprocess_input, decode_predictions = helpers("tf")

__getattr__ = _older.names(__name__)
