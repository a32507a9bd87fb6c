"""MobileNetV2: inverted residual blocks, wide inside and narrow at both ends.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2.
"""

from __future__ import annotations

from typing import Any

from .. import layers
from .. import older as _older
from ..models import Functional
from . import frame
from .imagenet_utils import helpers
from .mobilenet import default_size, published_size

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# Filters, stride of the first block, number of blocks.
_STAGES = (
    (16, 1, 1), (24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1),
)  # fmt: skip
_EXPANSION = 6
_SIZES = (96, 128, 160, 192, 224)
_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)


def _norm(name: str) -> Any:
    return layers.BatchNormalization(
        axis=frame.channel_axis(-1), epsilon=1e-3, momentum=0.999, name=name
    )


def _relu6(name: str) -> Any:
    return layers.ReLU(6.0, name=name)


def _block(inputs: Any, number: int, filters: int, stride: int) -> Any:
    channels = inputs.shape[frame.channel_axis(-1)]
    prefix = f"block_{number}_" if number else "expanded_conv_"
    x = inputs
    if number:
        x = frame.apply(
            x,
            layers.Conv2D(
                _EXPANSION * channels, 1, padding="same", use_bias=False, name=f"{prefix}expand"
            ),
            _norm(f"{prefix}expand_BN"),
            _relu6(f"{prefix}expand_relu"),
        )
    if stride == 2:
        x = layers.ZeroPadding2D(frame.half_padding(x, 3), name=f"{prefix}pad")(x)
    x = frame.apply(
        x,
        layers.DepthwiseConv2D(
            3, strides=stride, use_bias=False, padding="same" if stride == 1 else "valid",
            name=f"{prefix}depthwise",
        ),
        _norm(f"{prefix}depthwise_BN"),
        _relu6(f"{prefix}depthwise_relu"),
        layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project"),
        _norm(f"{prefix}project_BN"),
    )  # fmt: skip
    if channels == filters and stride == 1:
        return layers.Add(name=f"{prefix}add")([inputs, x])
    return x


def _guessed_size(request: frame.Request) -> int:
    """The size of images with a classifier: of the shape or the tensor, if weights fit it."""
    shape = request.input_shape
    if shape is None and request.input_tensor is not None:
        shape = request.input_tensor.shape[1:]
    return default_size(shape, _SIZES)


@_older.arguments
def MobileNetV2(
    input_shape: Any = None, alpha: float = 1.0, include_top: bool = True,
    weights: Any = "imagenet", input_tensor: Any = None, pooling: Any = None, classes: int = 1000,
    classifier_activation: Any = "softmax", name: Any = None,
) -> Functional:  # fmt: skip
    """MobileNetV2 with `alpha` times the filters of the paper.

    Args:
        input_shape: Without the batch axis.
        alpha: Width of all layers; of the last one only if it is above 1.
        include_top, weights, input_tensor, pooling, classes, classifier_activation: As in
            `ResNet50`. Weights are published for the widths 0.35, 0.5, 0.75, 1, 1.3 and 1.4.
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
    frame.check_agreement(request)
    shape = frame.image_shape(request, _guessed_size(request), 32)
    if request.pretrained and alpha not in _ALPHAS:
        raise ValueError(
            "If imagenet weights are being loaded, alpha must be one of `0.35`, `0.50`, `0.75`, "
            f"`1.0`, `1.3` or `1.4` only; Received `alpha={alpha}`"
        )
    size = published_size(request, shape, _SIZES)
    start = frame.image(request, shape)
    x = frame.apply(
        start,
        layers.Conv2D(
            frame.rounded(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1"
        ),
        _norm("bn_Conv1"),
        _relu6("Conv1_relu"),
    )
    number = 0
    for filters, stride, count in _STAGES:
        for i in range(count):
            x = _block(x, number, frame.rounded(int(filters * alpha)), 1 if i else stride)
            number += 1
    last = frame.rounded(1280 * alpha) if alpha > 1.0 else 1280
    x = frame.apply(
        x,
        layers.Conv2D(last, 1, use_bias=False, name="Conv_1"),
        _norm("Conv_1_bn"),
        _relu6("out_relu"),
    )
    x = frame.classifier(request, x, named=False, pool_name=None)
    base = f"{frame.STORAGE}mobilenet_v2/mobilenet_v2{frame.KERNELS}_{float(alpha)}_{size}"
    files = frame.Published(f"{base}.h5"), frame.Published(f"{base}_no_top.h5")
    return frame.finish(request, start, x, files, name or f"mobilenetv2_{alpha:0.2f}_{size}")


preprocess_input, decode_predictions = helpers("tf")
