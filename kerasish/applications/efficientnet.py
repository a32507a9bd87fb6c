"""EfficientNet B0 to B7: one network scaled in width, depth and image size at once.

Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
(2019), table 1.
"""

from __future__ import annotations

import math
from typing import Any

from .. import initializers, layers
from ..models import Functional
from . import frame
from .imagenet_utils import helpers

__all__ = [
    *(f"EfficientNetB{i}" for i in range(8)),
    "conv", "conv_norm_swish", "decode_predictions", "dense_initializer", "norm",
    "preprocess_input", "residual", "squeeze_excite",
]  # fmt: skip

# Kernel, blocks, filters, expansion, stride; before scaling.
_STAGES = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
_STEM = 32
_SQUEEZE = 0.25
_DROP_CONNECT = 0.2
# Width, depth, image size, dropout.
_VARIANTS = {
    "b0": (1.0, 1.0, 224, 0.2),
    "b1": (1.0, 1.1, 240, 0.2),
    "b2": (1.1, 1.2, 260, 0.3),
    "b3": (1.2, 1.4, 300, 0.3),
    "b4": (1.4, 1.8, 380, 0.4),
    "b5": (1.6, 2.2, 456, 0.4),
    "b6": (1.8, 2.6, 528, 0.5),
    "b7": (2.0, 3.1, 600, 0.5),
}
_BASE = "https://storage.googleapis.com/keras-applications/"
_HASHES = {
    "b0": ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "b1": ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "b2": ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "b3": ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "b4": ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "b5": ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "b6": ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "b7": ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}
# Of red, green and blue. The published weights were made with images scaled by the root of these.
_STD = (0.229, 0.224, 0.225)


def _kernel_initializer() -> Any:
    return initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


def dense_initializer() -> Any:
    """Of the classifier's kernel."""
    return initializers.VarianceScaling(1.0 / 3.0, "fan_out", "uniform")


def conv(filters: int, kernel: int, name: str, **kwargs: Any) -> Any:
    """A convolution as these families have it: padded, without bias."""
    settings = {"padding": "same", "use_bias": False, **kwargs}
    return layers.Conv2D(
        filters, kernel, kernel_initializer=_kernel_initializer(), name=name, **settings
    )


def depthwise(kernel: int, stride: int, padding: str, name: str) -> Any:
    """A depthwise convolution without bias."""
    return layers.DepthwiseConv2D(
        kernel, strides=stride, padding=padding, use_bias=False, name=name,
        depthwise_initializer=_kernel_initializer(),
    )  # fmt: skip


def norm(name: str, **kwargs: Any) -> Any:
    """Batch normalisation over all but the channels."""
    return layers.BatchNormalization(axis=frame.channel_axis(), name=name, **kwargs)


def swish(name: str) -> Any:
    """`x * sigmoid(x)`."""
    return layers.Activation("swish", name=name)


def conv_norm_swish(
    x: Any, filters: int, kernel: int, prefix: str, momentum: float = 0.99, **kwargs: Any
) -> Any:
    """Convolution, normalisation, activation, under names of one prefix."""
    return frame.apply(
        x,
        conv(filters, kernel, f"{prefix}conv", **kwargs),
        norm(f"{prefix}bn", momentum=momentum),
        swish(f"{prefix}activation"),
    )


def squeeze_excite(x: Any, filters: int, squeezed: int, name: str) -> Any:
    """Scale each channel by a number between 0 and 1 that depends on the whole image."""
    shape = (filters, 1, 1) if frame.channels_first() else (1, 1, filters)
    gate = frame.apply(
        x,
        layers.GlobalAveragePooling2D(name=f"{name}se_squeeze"),
        layers.Reshape(shape, name=f"{name}se_reshape"),
        conv(squeezed, 1, f"{name}se_reduce", activation="swish", use_bias=True),
        conv(filters, 1, f"{name}se_expand", activation="sigmoid", use_bias=True),
    )
    return layers.Multiply(name=f"{name}se_excite")([x, gate])


def residual(inputs: Any, x: Any, drop_rate: float, name: str) -> Any:
    """Add the input; while training, whole branches are dropped."""
    if drop_rate:
        x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, inputs])


def classifier(request: frame.Request, x: Any, rate: float, **kwargs: Any) -> Any:
    """Average over the image, dropout, a dense layer; or pooled features."""
    if not request.include_top:
        return frame.pooled(request, x, named=True)
    return frame.apply(
        x,
        layers.GlobalAveragePooling2D(name="avg_pool"),
        layers.Dropout(rate, name="top_dropout"),
        layers.Dense(
            request.classes, activation=request.classifier_activation,
            kernel_initializer=dense_initializer(), name="predictions", **kwargs,
        ),
    )  # fmt: skip


def _block(
    inputs: Any, name: str, filters: int, kernel: int, stride: int, expansion: int, drop_rate: float
) -> Any:
    channels = inputs.shape[frame.channel_axis()]
    wide = channels * expansion
    x = inputs
    if expansion != 1:
        x = conv_norm_swish(x, wide, 1, f"{name}expand_")
    if stride == 2:
        x = layers.ZeroPadding2D(frame.half_padding(x, kernel), name=f"{name}dwconv_pad")(x)
    x = frame.apply(
        x,
        depthwise(kernel, stride, "valid" if stride == 2 else "same", f"{name}dwconv"),
        norm(f"{name}bn"),
        swish(f"{name}activation"),
    )
    x = squeeze_excite(x, wide, max(1, int(channels * _SQUEEZE)), name)
    x = frame.apply(x, conv(filters, 1, f"{name}project_conv"), norm(f"{name}project_bn"))
    if stride == 1 and channels == filters:
        return residual(inputs, x, drop_rate, name)
    return x


def _scaled_images(request: frame.Request, x: Any) -> Any:
    x = layers.Rescaling(1.0 / 255.0)(x)
    x = layers.Normalization(axis=frame.channel_axis())(x)
    if request.pretrained:
        x = layers.Rescaling([1.0 / math.sqrt(std) for std in _STD])(x)
    return x


def build(request: frame.Request, variant: str) -> Functional:
    """The network of one size."""
    width, depth, size, dropout = _VARIANTS[variant]
    start = frame.standard_image(request, size, 32)
    x = _scaled_images(request, start)
    x = layers.ZeroPadding2D(frame.half_padding(x, 3), name="stem_conv_pad")(x)
    stem = frame.rounded(_STEM * width)
    x = conv_norm_swish(x, stem, 3, "stem_", strides=2, padding="valid")
    counts = [math.ceil(depth * stage[1]) for stage in _STAGES]
    done = 0
    for stage, (kernel, _, filters, expansion, stride) in enumerate(_STAGES):
        for i in range(counts[stage]):
            x = _block(
                x, f"block{stage + 1}{chr(ord('a') + i)}_", frame.rounded(filters * width), kernel,
                1 if i else stride, expansion, _DROP_CONNECT * done / float(sum(counts)),
            )  # fmt: skip
            done += 1
    x = conv_norm_swish(x, frame.rounded(1280 * width), 1, "top_")
    x = classifier(request, x, dropout)
    base = f"{_BASE}efficientnet{variant}"
    with_top, without = _HASHES[variant]
    files = frame.Published(f"{base}.h5", with_top), frame.Published(f"{base}_notop.h5", without)
    return frame.finish(request, start, x, files)


(
    EfficientNetB0, EfficientNetB1, EfficientNetB2, EfficientNetB3, EfficientNetB4,
    EfficientNetB5, EfficientNetB6, EfficientNetB7,
) = (
    frame.standard(build, f"EfficientNet{v.upper()}", f"efficientnet{v}", variant=v)
    for v in _VARIANTS
)  # fmt: skip

preprocess_input, decode_predictions = helpers(None)
