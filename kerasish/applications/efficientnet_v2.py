"""EfficientNetV2: fused convolutions in the first stages; B0 to B3, S, M and L.

Source: Tan and Le, "EfficientNetV2: Smaller Models and Faster Training" (2021), table 4.
"""

from __future__ import annotations

import math
from typing import Any

from .. import initializers, layers
from ..models import Functional
from . import frame
from .efficientnet import (
    classifier,
    conv,
    conv_norm_swish,
    depthwise,
    norm,
    residual,
    squeeze_excite,
    swish,
)
from .imagenet_utils import helpers

__all__ = [
    *(f"EfficientNetV2{v}" for v in ("B0", "B1", "B2", "B3", "L", "M", "S")),
    "decode_predictions", "preprocess_input",
]  # fmt: skip

# Blocks, filters, expansion, stride, share of squeezed filters (0: a fused block without).
_B = (
    (1, 16, 1, 1, 0), (2, 32, 4, 2, 0), (2, 48, 4, 2, 0),
    (3, 96, 4, 2, 0.25), (5, 112, 6, 1, 0.25), (8, 192, 6, 2, 0.25),
)  # fmt: skip
_S = (
    (2, 24, 1, 1, 0), (4, 48, 4, 2, 0), (4, 64, 4, 2, 0),
    (6, 128, 4, 2, 0.25), (9, 160, 6, 1, 0.25), (15, 256, 6, 2, 0.25),
)  # fmt: skip
_M = (
    (3, 24, 1, 1, 0), (5, 48, 4, 2, 0), (5, 80, 4, 2, 0),
    (7, 160, 4, 2, 0.25), (14, 176, 6, 1, 0.25), (18, 304, 6, 2, 0.25), (5, 512, 6, 1, 0.25),
)  # fmt: skip
_L = (
    (4, 32, 1, 1, 0), (7, 64, 4, 2, 0), (7, 96, 4, 2, 0),
    (10, 192, 4, 2, 0.25), (19, 224, 6, 1, 0.25), (25, 384, 6, 2, 0.25), (7, 640, 6, 1, 0.25),
)  # fmt: skip
# Stages, filters of the stem, width, depth, image size.
_VARIANTS: dict[str, Any] = {
    "b0": (_B, 32, 1.0, 1.0, 224),
    "b1": (_B, 32, 1.0, 1.1, 240),
    "b2": (_B, 32, 1.1, 1.2, 260),
    "b3": (_B, 32, 1.2, 1.4, 300),
    "s": (_S, 24, 1.0, 1.0, 384),
    "m": (_M, 24, 1.0, 1.0, 480),
    "l": (_L, 32, 1.0, 1.0, 480),
}
_HASHES = {
    "b0": ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    "b1": ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    "b2": ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "b3": ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    "s": ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    "m": ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    "l": ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
}
_MOMENTUM = 0.9
_DROP_CONNECT = 0.2
_DROPOUT = 0.2
# Of red, green and blue, of images in [0, 1].
_MEAN = [0.485, 0.456, 0.406]
_VARIANCE = [0.229**2, 0.224**2, 0.225**2]


def _rounded(number: float) -> int:
    return max(8, int(number + 4) // 8 * 8)


def _scaled_images(x: Any, variant: str) -> Any:
    axis = frame.channel_axis()
    if variant.startswith("b") and x.shape[axis] == 3:
        x = layers.Rescaling(scale=1.0 / 255)(x)
        return layers.Normalization(mean=_MEAN, variance=_VARIANCE, axis=axis)(x)
    return layers.Rescaling(scale=1.0 / 128.0, offset=-1)(x)


def _inside(x: Any, name: str, filters: int, stride: int, expansion: int, squeeze: float) -> Any:
    """An expanding, a depthwise and a projecting convolution."""
    channels = x.shape[frame.channel_axis()]
    wide = channels * expansion
    x = conv_norm_swish(x, wide, 1, f"{name}expand_", _MOMENTUM)
    x = frame.apply(
        x,
        depthwise(3, stride, "same", f"{name}dwconv2"),
        norm(f"{name}bn", momentum=_MOMENTUM),
        swish(f"{name}activation"),
    )
    x = squeeze_excite(x, wide, max(1, int(channels * squeeze)), name)
    return frame.apply(
        x,
        conv(filters, 1, f"{name}project_conv"),
        norm(f"{name}project_bn", momentum=_MOMENTUM),
    )


def _fused_inside(x: Any, name: str, filters: int, stride: int, expansion: int) -> Any:
    """The same with one whole convolution in place of the expanding and depthwise ones."""
    if expansion == 1:
        return conv_norm_swish(x, filters, 3, f"{name}project_", _MOMENTUM, strides=stride)
    wide = x.shape[frame.channel_axis()] * expansion
    x = conv_norm_swish(x, wide, 3, f"{name}expand_", _MOMENTUM, strides=stride)
    return frame.apply(
        x,
        conv(filters, 1, f"{name}project_conv"),
        norm(f"{name}project_bn", momentum=_MOMENTUM),
    )


def build(request: frame.Request, variant: str, include_preprocessing: bool) -> Functional:
    """The network of one size."""
    stages, stem, width, depth, size = _VARIANTS[variant]
    x = start = frame.standard_image(request, size, 32)
    if include_preprocessing:
        x = _scaled_images(x, variant)
    x = conv_norm_swish(x, _rounded(stem * width), 3, "stem_", _MOMENTUM, strides=2)
    # The drop rate counts the blocks before scaling: with depth it passes its nominal end.
    total = float(sum(stage[0] for stage in stages))
    done = 0
    for number, (count, filters, expansion, first_stride, squeeze) in enumerate(stages, 1):
        filters = _rounded(filters * width)
        for i in range(math.ceil(depth * count)):
            name = f"block{number}{chr(ord('a') + i)}_"
            stride, inputs = 1 if i else first_stride, x
            if squeeze:
                x = _inside(x, name, filters, stride, expansion, squeeze)
            else:
                x = _fused_inside(x, name, filters, stride, expansion)
            if stride == 1 and x.shape == inputs.shape:
                x = residual(inputs, x, _DROP_CONNECT * done / total, name)
            done += 1
    x = conv_norm_swish(x, _rounded(1280 * width), 1, "top_", _MOMENTUM)
    x = classifier(request, x, _DROPOUT, bias_initializer=initializers.Constant(0.0))
    base = f"{frame.STORAGE}efficientnet_v2/efficientnetv2-{variant}"
    with_top, without = _HASHES[variant]
    files = frame.Published(f"{base}.h5", with_top), frame.Published(f"{base}_notop.h5", without)
    return frame.finish(request, start, x, files)


def _variant(variant: str) -> Any:
    """The constructor of a size."""
    label, default_name = f"EfficientNetV2{variant.upper()}", f"efficientnetv2-{variant}"

    def make(
        include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
        input_shape: Any = None, pooling: Any = None, classes: int = 1000,
        classifier_activation: Any = "softmax", include_preprocessing: bool = True,
        name: Any = default_name,
    ) -> Functional:  # fmt: skip
        request = frame.Request(
            include_top, weights, input_tensor, input_shape, pooling, classes,
            classifier_activation, name,
        )  # fmt: skip
        return build(request, variant, include_preprocessing)

    return frame.described(make, label, __name__)


(
    EfficientNetV2B0, EfficientNetV2B1, EfficientNetV2B2, EfficientNetV2B3, EfficientNetV2S,
    EfficientNetV2M, EfficientNetV2L,
) = (_variant(v) for v in _VARIANTS)  # fmt: skip

preprocess_input, decode_predictions = helpers(None)
