"""ConvNeXt: a convolutional network with the habits of transformers.

Source: Liu et al., "A ConvNet for the 2020s" (2022), figure 4 and section 2.
"""

from __future__ import annotations

from typing import Any

from .. import initializers, layers, ops, random
from ..models import Functional, Sequential
from ..serialization import builtin
from . import frame
from .imagenet_utils import helpers

__all__ = [
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge",
    "LayerScale", "StochasticDepth", "decode_predictions", "preprocess_input",
]  # fmt: skip

# Blocks and channels of the four stages.
_DEEP = (3, 3, 27, 3)
_VARIANTS = {
    "Tiny": ((3, 3, 9, 3), (96, 192, 384, 768)),
    "Small": (_DEEP, (96, 192, 384, 768)),
    "Base": (_DEEP, (128, 256, 512, 1024)),
    "Large": (_DEEP, (192, 384, 768, 1536)),
    "XLarge": (_DEEP, (256, 512, 1024, 2048)),
}
_HASHES = {
    "convnext_tiny": (
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    "convnext_small": (
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    "convnext_base": (
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    "convnext_large": (
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    "convnext_xlarge": (
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}
_LAYER_SCALE = 1e-6
# Of red, green and blue, of images of values 0 to 255.
_MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255]
_VARIANCE = [(0.229 * 255) ** 2, (0.224 * 255) ** 2, (0.225 * 255) ** 2]


@builtin("keras.src.applications.convnext")
class StochasticDepth(layers.Layer):
    """While training, `x / keep` with probability `keep = 1 - drop_path_rate`, else zero.

    One draw per sample of the batch.

    Args:
        drop_path_rate: Share of samples whose branch is dropped.
    """

    def __init__(self, drop_path_rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drop_path_rate = drop_path_rate
        self.seed_generator = random.SeedGenerator()

    def call(self, x: Any, training: Any = None) -> Any:
        if not training:
            return x
        keep = 1 - self.drop_path_rate
        shape = (ops.shape(x)[0],) + (1,) * (len(x.shape) - 1)
        kept = ops.floor(keep + random.uniform(shape, 0, 1, seed=self.seed_generator))
        return x / keep * kept

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "drop_path_rate": self.drop_path_rate}


@builtin("keras.src.applications.convnext")
class LayerScale(layers.Layer):
    """`x * gamma` with a trained number for each channel.

    Args:
        init_values: Where gamma starts.
        projection_dim: Number of channels.
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any = None) -> None:
        self.gamma = self.add_weight(
            shape=(self.projection_dim,),
            initializer=initializers.Constant(self.init_values),
            trainable=True,
        )

    def call(self, x: Any) -> Any:
        return x * self.gamma

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "init_values": self.init_values,
            "projection_dim": self.projection_dim,
        }  # fmt: skip


def _norm(name: str | None = None) -> Any:
    return layers.LayerNormalization(epsilon=1e-6, name=name)


def _block(x: Any, channels: int, name: str) -> Any:
    """A large depthwise convolution, then two dense layers of each pixel."""
    return x + frame.apply(
        x,
        layers.Conv2D(channels, 7, padding="same", groups=channels, name=f"{name}_depthwise_conv"),
        _norm(f"{name}_layernorm"),
        layers.Dense(4 * channels, name=f"{name}_pointwise_conv_1"),
        layers.Activation("gelu", name=f"{name}_gelu"),
        layers.Dense(channels, name=f"{name}_pointwise_conv_2"),
        LayerScale(_LAYER_SCALE, channels, name=f"{name}_layer_scale"),
        layers.Activation("linear", name=f"{name}_identity"),
    )


def _downsampling(channels: tuple[int, ...], name: str) -> list[Any]:
    """What stands before each stage: the stem, then halvings."""
    stem = layers.Conv2D(channels[0], 4, strides=4, name=f"{name}_stem_conv")
    found = [Sequential([stem, _norm(f"{name}_stem_layernorm")], name=f"{name}_stem")]
    for i, width in enumerate(channels[1:]):
        halve = layers.Conv2D(width, 2, strides=2, name=f"{name}_downsampling_conv_{i}")
        chain = [_norm(f"{name}_downsampling_layernorm_{i}"), halve]
        found.append(Sequential(chain, name=f"{name}_downsampling_block_{i}"))
    return found


def _top(request: frame.Request, x: Any, name: str) -> Any:
    if not request.include_top:
        return _norm()(frame.pooled(request, x, named=False))
    return frame.apply(
        x,
        layers.GlobalAveragePooling2D(name=f"{name}_head_gap"),
        _norm(f"{name}_head_layernorm"),
        layers.Dense(
            request.classes, activation=request.classifier_activation, name=f"{name}_head_dense"
        ),
    )


def build(request: frame.Request, variant: str, include_preprocessing: bool) -> Functional:
    """The network of one size."""
    depths, channels = _VARIANTS[variant]
    published = f"convnext_{variant.lower()}"
    name = request.name or published
    x = start = frame.standard_image(request, 224, 32, channels_last_only="ConvNeXt")
    if request.pretrained and published not in name:
        raise ValueError(
            f'Model name "{name}" does not match weights variant "{published}". When using '
            f'imagenet weights, model name must contain the weights variant (e.g., "{published}").'
        )
    if include_preprocessing and start.shape[3] == 3:
        x = layers.Normalization(
            mean=_MEAN, variance=_VARIANCE, name=f"{name}_prestem_normalization"
        )(x)
    for stage, downsample in enumerate(_downsampling(channels, name)):
        x = downsample(x)
        for i in range(depths[stage]):
            x = _block(x, channels[stage], f"{name}_stage_{stage}_block_{i}")
    x = _top(request, x, name)
    base = f"{frame.STORAGE}convnext/{published}"
    with_top, without = _HASHES[published]
    files = frame.Published(f"{base}.h5", with_top), frame.Published(f"{base}_notop.h5", without)
    return frame.finish(request, start, x, files, name)


def _variant(variant: str) -> Any:
    """The constructor of a size."""
    label, default_name = f"ConvNeXt{variant}", f"convnext_{variant.lower()}"

    def make(
        include_top: bool = True, include_preprocessing: bool = True, weights: Any = "imagenet",
        input_tensor: Any = None, input_shape: Any = None, pooling: Any = None,
        classes: int = 1000, classifier_activation: Any = "softmax", name: Any = default_name,
    ) -> Functional:  # fmt: skip
        request = frame.Request(
            include_top, weights, input_tensor, input_shape, pooling, classes,
            classifier_activation, name,
        )  # fmt: skip
        return build(request, variant, include_preprocessing)

    return frame.described(make, label, __name__)


ConvNeXtTiny, ConvNeXtSmall, ConvNeXtBase, ConvNeXtLarge, ConvNeXtXLarge = (
    _variant(v) for v in _VARIANTS
)

preprocess_input, decode_predictions = helpers(None)
