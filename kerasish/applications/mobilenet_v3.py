"""MobileNetV3: inverted residual blocks with squeeze-and-excitation and hard swish.

Source: Howard et al., "Searching for MobileNetV3" (2019), tables 1 and 2.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

from .. import layers
from .. import older as _older
from ..models import Functional
from . import frame
from .imagenet_utils import helpers

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

# Expansion, filters, kernel (None: 5, or 3 if minimalistic), stride, squeeze, hard swish.
_SMALL = (
    (1, 16, 3, 2, True, False),
    (72 / 16, 24, 3, 2, False, False),
    (88 / 24, 24, 3, 1, False, False),
    (4, 40, None, 2, True, True),
    (6, 40, None, 1, True, True),
    (6, 40, None, 1, True, True),
    (3, 48, None, 1, True, True),
    (3, 48, None, 1, True, True),
    (6, 96, None, 2, True, True),
    (6, 96, None, 1, True, True),
    (6, 96, None, 1, True, True),
)
_LARGE = (
    (1, 16, 3, 1, False, False),
    (4, 24, 3, 2, False, False),
    (3, 24, 3, 1, False, False),
    (3, 40, None, 2, True, False),
    (3, 40, None, 1, True, False),
    (3, 40, None, 1, True, False),
    (6, 80, 3, 2, False, True),
    (2.5, 80, 3, 1, False, True),
    (2.3, 80, 3, 1, False, True),
    (2.3, 80, 3, 1, False, True),
    (6, 112, 3, 1, True, True),
    (6, 112, 3, 1, True, True),
    (6, 160, None, 2, True, True),
    (6, 160, None, 1, True, True),
    (6, 160, None, 1, True, True),
)
# The blocks and the width of the last layer below the classifier.
_VARIANTS: dict[str, Any] = {"small": (_SMALL, 1024), "large": (_LARGE, 1280)}
_HASHES = {
    "large_224_0.75": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0": (
        "675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973",
    ),
    "small_224_0.75": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0": (
        "99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4",
    ),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Options:
    """What a variant of this family has besides a `Request`."""

    alpha: float
    minimalistic: bool
    dropout_rate: float
    include_preprocessing: bool


def _norm(name: str) -> Any:
    return layers.BatchNormalization(
        axis=frame.channel_axis(-1), epsilon=1e-3, momentum=0.999, name=name
    )


def _relu() -> Any:
    return layers.ReLU()


def _hard_swish() -> Any:
    return layers.Activation("hard_swish")


def _squeeze_excite(inputs: Any, filters: int, prefix: str) -> Any:
    """Scale each channel by a number between 0 and 1 that depends on the whole image."""
    name = f"{prefix}squeeze_excite"
    x = frame.apply(
        inputs,
        layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool"),
        layers.Conv2D(frame.rounded(filters * 0.25), 1, padding="same", name=f"{name}_conv"),
        layers.ReLU(name=f"{name}_relu"),
        layers.Conv2D(filters, 1, padding="same", name=f"{name}_conv_1"),
    )
    gate = layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{name}_mul")([inputs, gate])


def _block(
    inputs: Any, number: int, expansion: float, filters: int, kernel: int, stride: int,
    squeeze: bool, activation: Callable[[], Any],
) -> Any:  # fmt: skip
    channels = inputs.shape[frame.channel_axis(-1)]
    wide = frame.rounded(channels * expansion)
    prefix = f"expanded_conv_{number}_" if number else "expanded_conv_"
    x = inputs
    if number:
        x = frame.apply(
            x,
            layers.Conv2D(wide, 1, padding="same", use_bias=False, name=f"{prefix}expand"),
            _norm(f"{prefix}expand_bn"),
            activation(),
        )
    if stride == 2:
        padding = frame.half_padding(x, kernel)
        x = layers.ZeroPadding2D(padding, name=f"{prefix}depthwise_pad")(x)
    x = frame.apply(
        x,
        layers.DepthwiseConv2D(
            kernel, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False,
            name=f"{prefix}depthwise",
        ),
        _norm(f"{prefix}depthwise_bn"),
        activation(),
    )  # fmt: skip
    if squeeze:
        x = _squeeze_excite(x, wide, prefix)
    x = frame.apply(
        x,
        layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project"),
        _norm(f"{prefix}project_bn"),
    )
    if stride == 1 and channels == filters:
        return layers.Add(name=f"{prefix}add")([inputs, x])
    return x


def _shape(request: frame.Request) -> Any:
    """The shape of images, without batch axis: of the argument or the tensor; any if neither."""
    shape = request.input_shape
    if shape is None and request.input_tensor is not None:
        shape = request.input_tensor.shape[1:]
    if shape is None:
        return (3, None, None) if frame.channels_first() else (None, None, 3)
    rows, columns = frame.rows_and_columns(shape)
    if rows and columns and (rows < 32 or columns < 32):
        raise ValueError(f"Input size must be at least 32x32; Received `input_shape={shape}`")
    return tuple(shape)


def _check_weights(request: frame.Request, options: _Options, shape: Any) -> None:
    if not request.pretrained:
        return
    if options.alpha not in ((1.0,) if options.minimalistic else (0.75, 1.0)):
        raise ValueError(
            "If imagenet weights are being loaded, alpha can be one of `0.75`, `1.0` for non "
            f"minimalistic or `1.0` for minimalistic only. Received: alpha={options.alpha}"
        )
    if tuple(frame.rows_and_columns(shape)) != (224, 224):
        warnings.warn(
            "`input_shape` is undefined or non-square, or `rows` is not 224. Weights for input "
            "shape (224, 224) will be loaded as the default.",
            stacklevel=4,
        )


def _top(request: frame.Request, x: Any, width: int, activation: Any, rate: float) -> Any:
    x = frame.apply(
        x,
        layers.GlobalAveragePooling2D(keepdims=True),
        layers.Conv2D(width, 1, padding="same", name="conv_2"),
        activation(),
    )
    if rate > 0:
        x = layers.Dropout(rate)(x)
    return frame.apply(
        x,
        layers.Conv2D(request.classes, 1, padding="same", name="logits"),
        layers.Flatten(),
        layers.Activation(request.classifier_activation, name="predictions"),
    )


def _files(variant: str, options: _Options) -> tuple[frame.Published, frame.Published]:
    middle = "_minimalistic" if options.minimalistic else ""
    name = f"{variant}{middle}_224_{options.alpha}"
    with_top, without = _HASHES.get(name, (None, None))
    base = f"{frame.STORAGE}mobilenet_v3/weights_mobilenet_v3_{name}_float"
    return (
        frame.Published(f"{base}.h5", with_top),
        frame.Published(f"{base}_no_top_v2.h5", without),
    )


def _build(request: frame.Request, variant: str, options: _Options) -> Functional:
    request.check()
    frame.check_agreement(request)
    shape = _shape(request)
    _check_weights(request, options, shape)
    blocks, width = _VARIANTS[variant]
    small_kernels, alpha = options.minimalistic, options.alpha
    activation = _relu if options.minimalistic else _hard_swish
    x = start = frame.image(request, shape)
    if options.include_preprocessing:
        x = layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(x)
    x = frame.apply(
        x,
        layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv"),
        _norm("conv_bn"),
        activation(),
    )
    for number, (expansion, filters, kernel, stride, squeeze, swish) in enumerate(blocks):
        x = _block(
            x, number, expansion, frame.rounded(filters * alpha),
            kernel or (3 if small_kernels else 5), stride,
            squeeze and not options.minimalistic, activation if swish else _relu,
        )  # fmt: skip
    last = frame.rounded(x.shape[frame.channel_axis(-1)] * 6)
    x = frame.apply(
        x,
        layers.Conv2D(last, 1, padding="same", use_bias=False, name="conv_1"),
        _norm("conv_1_bn"),
        activation(),
    )
    if request.include_top:
        wide = frame.rounded(width * alpha) if alpha > 1.0 else width
        x = _top(request, x, wide, activation, options.dropout_rate)
    else:
        x = frame.pooled(request, x, named=True)
    return frame.finish(request, start, x, _files(variant, options))


@_older.arguments
def MobileNetV3Small(
    input_shape: Any = None, alpha: float = 1.0, minimalistic: bool = False,
    include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
    classes: int = 1000, pooling: Any = None, dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax", include_preprocessing: bool = True,
    name: Any = "MobileNetV3Small",
) -> Functional:  # fmt: skip
    """MobileNetV3-Small with `alpha` times the filters of the paper.

    Args:
        input_shape: Without the batch axis; height and width may be None.
        alpha: Width of all layers.
        minimalistic: Whether to do without squeeze-and-excitation, hard swish and 5 x 5 kernels.
        include_top, weights, input_tensor, classes, pooling, classifier_activation: As in
            `ResNet50`. Weights are published for the widths 0.75 and 1.
        dropout_rate: Below the classifier.
        include_preprocessing: Whether the model scales images of values 0 to 255 itself.
        name: Of the model.

    Raises:
        ValueError: Arguments that do not go together.

    Source: https://keras.io/api/applications/mobilenet/
    """
    request = frame.Request(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name,
    )  # fmt: skip
    options = _Options(alpha, minimalistic, dropout_rate, include_preprocessing)
    return _build(request, "small", options)


@_older.arguments
def MobileNetV3Large(
    input_shape: Any = None, alpha: float = 1.0, minimalistic: bool = False,
    include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
    classes: int = 1000, pooling: Any = None, dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax", include_preprocessing: bool = True,
    name: Any = "MobileNetV3Large",
) -> Functional:  # fmt: skip
    """MobileNetV3-Large; arguments as in `MobileNetV3Small`.

    Source: https://keras.io/api/applications/mobilenet/
    """
    request = frame.Request(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name,
    )  # fmt: skip
    options = _Options(alpha, minimalistic, dropout_rate, include_preprocessing)
    return _build(request, "large", options)


preprocess_input, decode_predictions = helpers(None)
