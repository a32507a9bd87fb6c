"""ResNet-RS, as Keras 2 built it: ResNet-D with squeezing and excitation, scaled for speed.

Source: Bello et al., "Revisiting ResNets: Improved Training and Scaling Strategies" (2021),
tables 7 and 8.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ... import initializers, layers, naming
from ...applications import frame
from ...applications.imagenet_utils import helpers
from ...models import Functional

__all__ = [
    "ResNetRS50", "ResNetRS101", "ResNetRS152", "ResNetRS200", "ResNetRS270", "ResNetRS350",
    "ResNetRS420", "decode_predictions", "preprocess_input",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Variant:
    """What one depth has.

    Args:
        repeats: Blocks of the four groups.
        dropout: Below the classifier.
        connect: Rate from which that of a group's Dropout is scaled.
        hashes: Side of the images that published weights were trained with, to the hashes of
            their files with and without the classifier.
    """

    repeats: tuple[int, ...]
    dropout: float
    connect: float
    hashes: dict[int, tuple[str, str]]


_VARIANTS = {
    50: _Variant(
        (3, 4, 6, 3), 0.25, 0.0,
        {160: ("69d9d925319f00a8bdd4af23c04e4102", "90daa68cd26c95aa6c5d25451e095529")},
    ),
    101: _Variant(
        (3, 4, 23, 3), 0.25, 0.0,
        {
            160: ("544b3434d00efc199d66e9058c7f3379", "82d5b90c5ce9d710da639d6216d0f979"),
            192: ("eb285be29ab42cf4835ff20a5e3b5d23", "f9a0f6b85faa9c3db2b6e233c4eebb5b"),
        },
    ),
    152: _Variant(
        (3, 8, 36, 3), 0.25, 0.0,
        {
            192: ("8d72a301ed8a6f11a47c4ced4396e338", "5fbf7ac2155cb4d5a6180ee9e3aa8704"),
            224: ("31a46a92ab21b84193d0d71dd8c3d03b", "dc8b2cba2005552eafa3167f00dc2133"),
            256: ("ba6271b99bdeb4e7a9b15c05964ef4ad", "fa79794252dbe47c89130f65349d654a"),
        },
    ),
    200: _Variant(
        (3, 24, 36, 3), 0.25, 0.1,
        {256: ("a76930b741884e09ce90fa7450747d5f", "bbdb3994718dfc0d1cd45d7eff3f3d9c")},
    ),
    270: _Variant(
        (4, 29, 53, 4), 0.25, 0.1,
        {256: ("20d575825ba26176b03cb51012a367a8", "2c42ecb22e35f3e23d2f70babce0a2aa")},
    ),
    350: _Variant(
        (4, 36, 72, 4), 0.4, 0.1,
        {
            256: ("f4a039dc3c421321b7fc240494574a68", "6e44b55025bbdff8f51692a023143d66"),
            320: ("7ccb858cc738305e8ceb3c0140bee393", "ab0c1f9079d2f85a9facbd2c88aa6079"),
        },
    ),
    420: _Variant(
        (4, 44, 87, 4), 0.4, 0.1,
        {320: ("ae0eb9bed39e64fc8d7e0db4018dc7e8", "fe6217c32be8305b1889657172b98884")},
    ),
}  # fmt: skip
_FILTERS = (64, 128, 256, 512)
_SQUEEZE = 0.25
# Of red, green and blue, of images in [0, 1].
_MEAN = [0.485, 0.456, 0.406]
_VARIANCE = [0.229**2, 0.224**2, 0.225**2]


def _conv(filters: int, kernel: int, name: str, **kwargs: Any) -> Any:
    return layers.Conv2D(
        filters, kernel, name=name,
        kernel_initializer=initializers.VarianceScaling(2.0, "fan_out", "truncated_normal"),
        **{"use_bias": False, "padding": "same", **kwargs},
    )  # fmt: skip


def _strided(x: Any, filters: int, stride: int, name: str) -> Any:
    """A convolution of 3x3; one that strides is padded by one on all sides."""
    if stride == 1:
        return _conv(filters, 3, name)(x)
    return frame.apply(
        x,
        layers.ZeroPadding2D(padding=((1, 1), (1, 1))),
        _conv(filters, 3, name, strides=stride, padding="valid"),
    )


def _norm(name: str) -> Any:
    # Momentum 0: the moving statistics are those of the last batch.
    return layers.BatchNormalization(
        axis=frame.channel_axis(), momentum=0.0, epsilon=1e-5, name=name
    )


def _relu(name: str) -> Any:
    return layers.Activation("relu", name=name)


def _stem(x: Any) -> Any:
    """Three convolutions of 3x3, and one that strides in place of pooling."""
    name = f"stem_{naming.get_uid('stem_')}_stem"
    for number, (filters, stride) in enumerate(((32, 2), (32, 1), (64, 1), (64, 2)), 1):
        x = _strided(x, filters, stride, f"{name}_conv_{number}")
        x = frame.apply(x, _norm(f"{name}_batch_norm_{number}"), _relu(f"{name}_act_{number}"))
    return x


def _squeeze_excite(x: Any, filters: int, name: str) -> Any:
    """Scale each channel by a number between 0 and 1 that depends on the whole image."""
    shape = (4 * filters, 1, 1) if frame.channels_first() else (1, 1, 4 * filters)
    squeezed = max(1, int(filters * 4 * _SQUEEZE))
    gate = frame.apply(
        x,
        layers.GlobalAveragePooling2D(name=f"{name}_se_squeeze"),
        layers.Reshape(shape, name=f"{name}_se_reshape"),
        _conv(squeezed, 1, f"{name}_se_reduce", use_bias=True, activation="relu"),
        _conv(4 * filters, 1, f"{name}_se_expand", use_bias=True, activation="sigmoid"),
    )
    return layers.Multiply(name=f"{name}_se_excite")([x, gate])


def _shortcut(x: Any, filters: int, stride: int, name: str) -> Any:
    """As many channels as the block gives; where it strides, means of 2x2 pixels."""
    if stride == 2:
        x = layers.AveragePooling2D(2, 2, padding="same", name=f"{name}_projection_pooling")(x)
    return frame.apply(
        x,
        _conv(4 * filters, 1, f"{name}_projection_conv"),
        _norm(f"{name}_projection_batch_norm"),
    )


def _block(inputs: Any, filters: int, stride: int, first: bool, drop: float, name: str) -> Any:
    """A bottleneck beside a shortcut; some samples of a batch lose theirs while training."""
    shortcut = _shortcut(inputs, filters, stride, name) if first else inputs
    x = frame.apply(
        inputs,
        _conv(filters, 1, f"{name}_conv_1"),
        _norm(f"{name}batch_norm_1"),
        _relu(f"{name}_act_1"),
    )
    x = _strided(x, filters, stride, f"{name}_conv_2")
    x = frame.apply(
        x,
        _norm(f"{name}_batch_norm_2"),
        _relu(f"{name}_act_2"),
        _conv(4 * filters, 1, f"{name}_conv_3"),
        _norm(f"{name}_batch_norm_3"),
    )
    x = _squeeze_excite(x, filters, f"{name}_se")
    if drop:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
    return _relu(f"{name}_output_act")(layers.Add()([x, shortcut]))


def _scaled_images(x: Any) -> Any:
    axis = frame.channel_axis()
    x = layers.Rescaling(scale=1.0 / 255)(x)
    if x.shape[axis] == 3:
        x = layers.Normalization(mean=_MEAN, variance=_VARIANCE, axis=axis)(x)
    return x


def _top(request: frame.Request, x: Any, dropout: float) -> Any:
    if not request.include_top:
        return frame.pooled(request, x, named=True)
    return frame.apply(
        x,
        layers.GlobalAveragePooling2D(name="avg_pool"),
        layers.Dropout(dropout, name="top_dropout"),
        layers.Dense(request.classes, activation=request.classifier_activation, name="predictions"),
    )


def _side(weights: Any, sides: dict[int, Any]) -> int | None:
    """Of the images that published weights were trained with; None if others are asked for.

    Raises:
        ValueError: No weights were published for that side.
    """
    if not (isinstance(weights, str) and weights.startswith("imagenet")):
        return None
    named = {"imagenet": max(sides)} | {f"imagenet-i{side}": side for side in sides}
    if weights not in named:
        raise ValueError(
            f"Received: weights={weights!r}, but weights of this depth are published as "
            f"{', '.join(repr(n) for n in named)} (the first means the last). Ask for one of these."
        )
    return named[weights]


def build(request: frame.Request, depth: int, include_preprocessing: bool) -> Functional:
    """The network of one depth."""
    variant = _VARIANTS[depth]
    side = _side(request.weights, variant.hashes)
    if side is not None:
        request = dataclasses.replace(request, weights="imagenet")
    request.check()
    # Any size of image goes with the published weights.
    shape = frame.image_shape(dataclasses.replace(request, weights=None), 224, 32)
    x = start = frame.image(request, shape)
    if include_preprocessing:
        x = _scaled_images(x)
    x = _stem(x)
    for group, (filters, repeats) in enumerate(zip(_FILTERS, variant.repeats, strict=True), 2):
        drop = variant.connect * group / (len(_FILTERS) + 1)
        for i in range(repeats):
            stride = 2 if i == 0 and group > 2 else 1
            x = _block(x, filters, stride, i == 0, drop, f"BlockGroup{group}__block_{i}_")
    x = _top(request, x, variant.dropout)
    side = side or max(variant.hashes)
    base = f"{frame.STORAGE}resnet_rs/{request.name}-i{side}"
    with_top, without = variant.hashes[side]
    files = frame.Published(f"{base}.h5", with_top), frame.Published(f"{base}_notop.h5", without)
    return frame.finish(request, start, x, files)


def _variant(depth: int) -> Any:
    """The constructor of a depth."""

    def make(
        include_top: bool = True, weights: Any = "imagenet", classes: int = 1000,
        input_shape: Any = None, input_tensor: Any = None, pooling: Any = None,
        classifier_activation: Any = "softmax", include_preprocessing: bool = True,
    ) -> Functional:  # fmt: skip
        request = frame.Request(
            include_top, weights, input_tensor, input_shape, pooling, classes,
            classifier_activation, f"resnet-rs-{depth}",
        )  # fmt: skip
        return build(request, depth, include_preprocessing)

    return frame.described(make, f"ResNetRS{depth}", __name__)


(
    ResNetRS50, ResNetRS101, ResNetRS152, ResNetRS200, ResNetRS270, ResNetRS350, ResNetRS420,
) = (_variant(depth) for depth in _VARIANTS)  # fmt: skip

preprocess_input, decode_predictions = helpers(None)
