"""NASNet-A, mobile and large: cells that were found by search.

Source: Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition" (2017),
figure 4.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .. import layers
from .. import older as _older
from ..models import Functional
from ..naming import name_scope
from . import frame
from .imagenet_utils import helpers

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


@dataclasses.dataclass(frozen=True)
class _Variant:
    """Size of a network.

    Args:
        size: Of images.
        stem: Filters of the first convolution.
        filters: Of the first normal cells; each reduction doubles them.
        cells: Normal cells between reductions.
        skip_reduction: Whether the cell after a reduction sees the maps before the cell before.
        file: Name of the weights in the cache and in the URL.
        hashes: Of the weights, with and without the classifier.
    """

    size: int
    stem: int
    filters: int
    cells: int
    skip_reduction: bool
    file: tuple[str, str]
    hashes: tuple[str, str]

    def published(self) -> tuple[frame.Published, frame.Published]:
        base = f"{frame.STORAGE}nasnet/{self.file[1]}"
        return (
            frame.Published(f"{base}.h5", self.hashes[0], f"{self.file[0]}.h5"),
            frame.Published(f"{base}-no-top.h5", self.hashes[1], f"{self.file[0]}_no_top.h5"),
        )


_MOBILE = _Variant(
    224, 32, 44, 4, False, ("nasnet_mobile", "NASNet-mobile"),
    ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
)  # fmt: skip
_LARGE = _Variant(
    331, 96, 168, 6, True, ("nasnet_large", "NASNet-large"),
    ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
)  # fmt: skip


def _norm(name: str) -> Any:
    return layers.BatchNormalization(axis=-1, momentum=0.9997, epsilon=1e-3, name=name)


def _pointwise(filters: int, name: str) -> Any:
    return layers.Conv2D(
        filters, 1, strides=1, padding="same", use_bias=False, kernel_initializer="he_normal",
        name=name,
    )  # fmt: skip


def _average(name: str, x: Any) -> Any:
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _add(name: str | None, *parts: Any) -> Any:
    return layers.Add(name=name)(list(parts))


def _separable(x: Any, filters: int, kernel: int, name: str, stride: int = 1) -> Any:
    """Two separable convolutions, each after an activation; the first one strides."""
    with name_scope(f"separable_conv_block_{name}"):
        x = layers.Activation("relu")(x)
        if stride == 2:
            padding = frame.half_padding(x, kernel)
            x = layers.ZeroPadding2D(padding, name=f"separable_conv_1_pad_{name}")(x)
        x = frame.apply(
            x,
            layers.SeparableConv2D(
                filters, kernel, strides=stride, padding="valid" if stride == 2 else "same",
                use_bias=False, name=f"separable_conv_1_{name}",
            ),
            _norm(f"separable_conv_1_bn_{name}"),
            layers.Activation("relu"),
            layers.SeparableConv2D(
                filters, kernel, padding="same", use_bias=False, name=f"separable_conv_2_{name}"
            ),
            _norm(f"separable_conv_2_bn_{name}"),
        )  # fmt: skip
    return x


def _halved(previous: Any, filters: int, name: str) -> Any:
    """Half of the size, from two grids that lie one pixel apart."""
    x = layers.Activation("relu", name=f"adjust_relu_1_{name}")(previous)
    parts = []
    for i in (1, 2):
        grid = x
        if i == 2:
            grid = layers.ZeroPadding2D(((0, 1), (0, 1)))(grid)
            grid = layers.Cropping2D(((1, 0), (1, 0)))(grid)
        pool = layers.AveragePooling2D(
            1, strides=2, padding="valid", name=f"adjust_avg_pool_{i}_{name}"
        )
        project = layers.Conv2D(
            filters // 2, 1, padding="same", use_bias=False, kernel_initializer="he_normal",
            name=f"adjust_conv_{i}_{name}",
        )  # fmt: skip
        parts.append(project(pool(grid)))
    joined = layers.Concatenate(axis=-1)(parts)
    return _norm(f"adjust_bn_{name}")(joined)


def _adjusted(previous: Any, x: Any, filters: int, name: str) -> Any:
    """The maps before the last ones, with the size and filters of a cell."""
    if previous is None:
        return x
    with name_scope("adjust_block"):
        if previous.shape[-2] != x.shape[-2]:
            with name_scope(f"adjust_reduction_block_{name}"):
                return _halved(previous, filters, name)
        if previous.shape[-1] != filters:
            with name_scope(f"adjust_projection_block_{name}"):
                return frame.apply(
                    previous,
                    layers.Activation("relu"),
                    _pointwise(filters, f"adjust_conv_projection_{name}"),
                    _norm(f"adjust_bn_{name}"),
                )
    return previous


def _squeezed(x: Any, filters: int, kind: str, name: str) -> Any:
    return frame.apply(
        x,
        layers.Activation("relu"),
        _pointwise(filters, f"{kind}_conv_1_{name}"),
        _norm(f"{kind}_bn_1_{name}"),
    )


def _normal_cell(x: Any, previous: Any, filters: int, name: str) -> Any:
    """A cell that keeps the size."""
    with name_scope(f"normal_A_block_{name}"):
        p = _adjusted(previous, x, filters, name)
        h = _squeezed(x, filters, "normal", name)
        with name_scope("block_1"):
            x1 = _add(
                f"normal_add_1_{name}",
                _separable(h, filters, 5, f"normal_left1_{name}"),
                _separable(p, filters, 3, f"normal_right1_{name}"),
            )
        with name_scope("block_2"):
            x2 = _add(
                f"normal_add_2_{name}",
                _separable(p, filters, 5, f"normal_left2_{name}"),
                _separable(p, filters, 3, f"normal_right2_{name}"),
            )
        with name_scope("block_3"):
            x3 = _add(f"normal_add_3_{name}", _average(f"normal_left3_{name}", h), p)
        with name_scope("block_4"):
            x4 = _add(
                f"normal_add_4_{name}",
                _average(f"normal_left4_{name}", p),
                _average(f"normal_right4_{name}", p),
            )
        with name_scope("block_5"):
            x5 = _add(f"normal_add_5_{name}", _separable(h, filters, 3, f"normal_left5_{name}"), h)
        return layers.Concatenate(axis=-1, name=f"normal_concat_{name}")([p, x1, x2, x3, x4, x5])


def _reduction_cell(x: Any, previous: Any, filters: int, name: str) -> Any:
    """A cell that halves the size."""
    with name_scope(f"reduction_A_block_{name}"):
        p = _adjusted(previous, x, filters, name)
        h = _squeezed(x, filters, "reduction", name)
        padded = layers.ZeroPadding2D(frame.half_padding(h, 3), name=f"reduction_pad_1_{name}")(h)
        with name_scope("block_1"):
            x1 = _add(
                f"reduction_add_1_{name}",
                _separable(h, filters, 5, f"reduction_left1_{name}", 2),
                _separable(p, filters, 7, f"reduction_right1_{name}", 2),
            )
        with name_scope("block_2"):
            x2 = _add(
                f"reduction_add_2_{name}",
                layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded),
                _separable(p, filters, 7, f"reduction_right2_{name}", 2),
            )
        with name_scope("block_3"):
            x3 = _add(
                f"reduction_add3_{name}",
                layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded),
                _separable(p, filters, 5, f"reduction_right3_{name}", 2),
            )
        with name_scope("block_4"):
            x4 = _add(None, x2, _average(f"reduction_left4_{name}", x1))
        with name_scope("block_5"):
            x5 = _add(
                f"reduction_add4_{name}",
                _separable(x1, filters, 3, f"reduction_left4_{name}"),
                layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded),
            )
        return layers.Concatenate(axis=-1, name=f"reduction_concat_{name}")([x2, x3, x4, x5])


def _cells(x: Any, variant: _Variant) -> Any:
    filters, cells = variant.filters, variant.cells
    previous = None
    for i, share in enumerate((4, 2), 1):
        x, previous = _reduction_cell(x, previous, filters // share, f"stem_{i}"), x
    for stage in range(3):
        width = filters * 2**stage
        if stage:
            reduced = _reduction_cell(x, previous, width, f"reduce_{stage * cells}")
            x, previous = reduced, previous if variant.skip_reduction else x
        for i in range(cells):
            number = stage * cells + i + (1 if stage else 0)
            x, previous = _normal_cell(x, previous, width, f"{number}"), x
    return x


def _build(request: frame.Request, variant: _Variant) -> Functional:
    shape = request.input_shape
    if request.pretrained and isinstance(shape, tuple) and None in shape:
        raise ValueError(
            "When specifying the input shape of a NASNet and loading `ImageNet` weights, the "
            "input_shape argument must be static (no None entries). Got: "
            f"`input_shape={shape}`."
        )
    start = frame.standard_image(request, variant.size, 32, channels_last_only="NASNet")
    x = frame.apply(
        start,
        layers.Conv2D(
            variant.stem, 3, strides=2, padding="valid", use_bias=False,
            kernel_initializer="he_normal", name="stem_conv1",
        ),
        _norm("stem_bn1"),
    )  # fmt: skip
    x = _cells(x, variant)
    x = layers.Activation("relu")(x)
    x = frame.classifier(request, x, named=False, pool_name=None)
    return frame.finish(request, start, x, variant.published())


@_older.arguments
def NASNetMobile(
    input_shape: Any = None, include_top: bool = True, weights: Any = "imagenet",
    input_tensor: Any = None, pooling: Any = None, classes: int = 1000,
    classifier_activation: Any = "softmax", name: Any = "nasnet_mobile",
) -> Functional:  # fmt: skip
    """NASNet-A (4 @ 1056), for images of 224 x 224.

    Args:
        input_shape: Without the batch axis; height and width must be known.
        include_top, weights, input_tensor, pooling, classes, classifier_activation, name: As in
            `ResNet50`.

    Raises:
        ValueError: Arguments that do not go together.

    Source: https://keras.io/api/applications/nasnet/
    """
    if not include_top and input_shape is None:
        input_shape = (224, 224, 3)
    request = frame.Request(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name,
    )  # fmt: skip
    return _build(request, _MOBILE)


@_older.arguments
def NASNetLarge(
    input_shape: Any = None, include_top: bool = True, weights: Any = "imagenet",
    input_tensor: Any = None, pooling: Any = None, classes: int = 1000,
    classifier_activation: Any = "softmax", name: Any = "nasnet_large",
) -> Functional:  # fmt: skip
    """NASNet-A (6 @ 4032), for images of 331 x 331; arguments as in `NASNetMobile`.

    Source: https://keras.io/api/applications/nasnet/
    """
    request = frame.Request(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name,
    )  # fmt: skip
    return _build(request, _LARGE)


preprocess_input, decode_predictions = helpers("tf")
