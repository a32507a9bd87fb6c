"""What all architectures share: arguments, the input, the classifier on top, published weights."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable
from typing import Any

from .. import activations, layers, older
from ..config import image_data_format
from ..models import Functional
from ..ops.symbolic import KerasTensor
from ..utils.files import get_file
from ..utils.structure import get_source_inputs, is_keras_tensor

__all__ = [
    "KERNELS", "STORAGE", "Published", "Request", "apply", "channel_axis", "channels_first",
    "check_agreement", "classifier", "described", "finish", "half_padding", "image", "image_shape",
    "kernels", "pooled", "rounded", "rows_and_columns", "standard", "standard_image",
]  # fmt: skip

STORAGE = "https://storage.googleapis.com/tensorflow/keras-applications/"
# How most families call their files.
KERNELS = "_weights_tf_dim_ordering_tf_kernels"

_ARGS = """
    Args:
        include_top: Whether the classifier is on top.
        weights: "imagenet" for the published ones, None for random ones, or the path of a file.
        input_tensor: A KerasTensor to start from.
        input_shape: Without the batch axis; without `include_top`, height and width may be
            anything that is not too small.
        pooling: Without `include_top`: None for the last feature maps, "avg" or "max" for a vector.
        classes: Number of classes of the classifier.
        classifier_activation: Of the classifier; None for logits.
        name: Of the model.
{extra}
    Returns:
        A functional model; outputs (batch, classes) with `include_top`.

    Raises:
        ValueError: Arguments that do not go together; the message names them.
"""


@dataclasses.dataclass(frozen=True)
class Request:
    """The arguments that every constructor has."""

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: Any
    classes: int
    classifier_activation: Any
    name: str | None

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            ValueError: Weights that do not exist, or do not fit the classifier.
        """
        published = isinstance(self.weights, str) and self.weights == "imagenet"
        if not (published or self.weights is None or os.path.exists(self.weights)):
            raise ValueError(
                "The `weights` argument should be either `None` (random initialization), "
                "'imagenet' (pre-training on ImageNet), or the path to the weights file to be "
                f"loaded. Received: weights={self.weights}"
            )
        if published and self.include_top and self.classes != 1000:
            raise ValueError(
                "If using `weights='imagenet'` with `include_top=True`, `classes` should be 1000. "
                f"Received classes={self.classes}"
            )
        if self.weights is not None and self.include_top:
            activation = activations.get(self.classifier_activation)
            if activation not in (activations.get("softmax"), activations.get(None)):
                raise ValueError(
                    "Only `None` and `softmax` activations are allowed for the "
                    "`classifier_activation` argument when using pretrained weights, with "
                    "`include_top=True`; Received: "
                    f"classifier_activation={self.classifier_activation}"
                )

    @property
    def pretrained(self) -> bool:
        """Whether the published weights are asked for."""
        return isinstance(self.weights, str) and self.weights == "imagenet"


@dataclasses.dataclass(frozen=True)
class Published:
    """A file of weights.

    Args:
        url: Where it is published.
        hash: Of its bytes, if it is known.
        name: In the cache; the last part of the URL by default.
    """

    url: str
    hash: str | None = None
    name: str | None = None

    def fetch(self) -> str:
        """Its path in `~/.keras/models`, downloaded if it is not there."""
        name = self.name or self.url.rpartition("/")[2]
        return get_file(name, self.url, cache_subdir="models", file_hash=self.hash)


def kernels(folder: str, name: str, hashes: tuple[str, str]) -> tuple[Published, Published]:
    """The two files of a model, with and without its classifier, under their usual names."""
    base = f"{STORAGE}{folder}/{name}{KERNELS}"
    return Published(f"{base}.h5", hashes[0]), Published(f"{base}_notop.h5", hashes[1])


# -- data format
def channels_first() -> bool:
    """Whether images are (channels, height, width)."""
    return image_data_format() == "channels_first"


def channel_axis(last: int = 3) -> int:
    """The axis of channels in a batch; `last` is how a family writes the last one in configs."""
    return 1 if channels_first() else last


def rows_and_columns(shape: Any) -> tuple[Any, Any]:
    """Height and width of an image's shape, without batch axis."""
    return (shape[1], shape[2]) if channels_first() else (shape[0], shape[1])


def half_padding(x: KerasTensor, kernel: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding before a "valid" convolution of stride 2, such that windows lie as PyTorch's do.

    An even size is padded by one less at its start.
    """
    half = kernel // 2
    # An unknown size counts as even.
    before_rows, before_columns = (half - 1 + (n or 0) % 2 for n in rows_and_columns(x.shape[1:]))
    return (before_rows, half), (before_columns, half)


# -- the input
def image_shape(request: Request, default_size: int, min_size: int) -> tuple[Any, ...]:
    """The shape of an image, without batch axis.

    Raises:
        ValueError: Not three numbers, too small, or not what the weights were made for.
    """
    shape, first = request.input_shape, channels_first()
    place = 0 if first else 2
    channels = 3
    if not request.pretrained and shape and len(shape) == 3:
        channels = shape[place]
        if channels not in (1, 3):
            warnings.warn(
                "This model usually expects 1 or 3 input channels. However, it was passed an "
                f"input_shape with {channels} input channels.",
                stacklevel=5,
            )
    size = default_size, default_size
    default = (channels, *size) if first else (*size, channels)
    if request.pretrained and request.include_top:
        if shape is not None and tuple(shape) != default:
            raise ValueError(
                "When setting `include_top=True` and loading `imagenet` weights, `input_shape` "
                f"should be {default}. Received: input_shape={shape}"
            )
        return default
    if not shape:
        if request.include_top:
            return default
        return (3, None, None) if first else (None, None, 3)
    _check_shape(shape, place, min_size, request)
    return tuple(shape)


def _check_shape(shape: Any, place: int, min_size: int, request: Request) -> None:
    if len(shape) != 3:
        raise ValueError(
            f"`input_shape` must be a tuple of three integers. Received: input_shape={shape}"
        )
    if request.pretrained and shape[place] != 3:
        raise ValueError(f"The input must have 3 channels; Received `input_shape={shape}`")
    if any(n is not None and n < min_size for n in rows_and_columns(shape)):
        raise ValueError(
            f"Input size must be at least {min_size}x{min_size}; Received: input_shape={shape}"
        )
    if request.include_top and None in shape:
        raise ValueError(
            "If `include_top` is True, you should specify a static `input_shape`. "
            f"Received: input_shape={shape}"
        )


def check_agreement(request: Request) -> None:
    """Refuse an `input_tensor` that is not as wide as `input_shape` says.

    Raises:
        ValueError: It is no KerasTensor, or the sizes differ.
    """
    tensor, shape = request.input_tensor, request.input_shape
    if tensor is None:
        return
    if not is_keras_tensor(tensor):
        raise ValueError(f"input_tensor is not a Keras tensor; Received `input_tensor={tensor}`")
    axis = 1 if channels_first() else 2
    if shape is not None and tensor.shape[axis] != shape[1]:
        raise ValueError(
            f"input_tensor.shape[{axis}] must equal input_shape[1]; Received "
            f"`input_tensor.shape={tensor.shape}`, `input_shape={shape}`"
        )


def image(request: Request, shape: Any) -> KerasTensor:
    """The symbolic image to start from.

    Raises:
        ValueError: `input_tensor` is no KerasTensor.
    """
    if request.input_tensor is None:
        return layers.Input(shape=shape)
    if not is_keras_tensor(request.input_tensor):
        raise ValueError(
            "Argument `input_tensor` must be a KerasTensor. Received invalid type: "
            f"input_tensor={request.input_tensor} (of type {type(request.input_tensor)})"
        )
    return request.input_tensor


def standard_image(
    request: Request, default_size: int, min_size: int, channels_last_only: str | None = None
) -> KerasTensor:
    """Check the arguments and start from an image; what most families begin with.

    Args:
        request: The arguments.
        default_size: Height and width with a classifier, if nothing else is asked for.
        min_size: The least height and width.
        channels_last_only: The family's name, if it refuses channels first.

    Raises:
        ValueError: Arguments that do not go together.
    """
    if channels_last_only and channels_first():
        raise ValueError(
            f"{channels_last_only} does not support the `channels_first` image data format. "
            "Switch to `channels_last` by editing your local config file at ~/.keras/keras.json, "
            "or by `keras.config.set_image_data_format`."
        )
    request.check()
    return image(request, image_shape(request, default_size, min_size))


# -- the output
def apply(x: Any, *chain: Any) -> Any:
    """One layer after another."""
    for layer in chain:
        x = layer(x)
    return x


def pooled(request: Request, x: KerasTensor, named: bool) -> KerasTensor:
    """Features without a classifier: as they are, or pooled as `pooling` says."""
    if request.pooling == "avg":
        return layers.GlobalAveragePooling2D(name="avg_pool" if named else None)(x)
    if request.pooling == "max":
        return layers.GlobalMaxPooling2D(name="max_pool" if named else None)(x)
    return x


def classifier(
    request: Request, x: KerasTensor, named: bool = True, pool_name: str | None = "avg_pool"
) -> KerasTensor:
    """Average over the image and a dense layer; or, without `include_top`, pooled features.

    Args:
        request: The arguments.
        x: Features (batch, height, width, channels).
        named: Whether pooling layers without a classifier are named `avg_pool`, `max_pool`.
        pool_name: Of the pooling layer below the classifier.
    """
    if not request.include_top:
        return pooled(request, x, named)
    return apply(
        x,
        layers.GlobalAveragePooling2D(name=pool_name),
        layers.Dense(request.classes, activation=request.classifier_activation, name="predictions"),
    )


def finish(
    request: Request, start: KerasTensor, x: KerasTensor,
    published: tuple[Published, Published], name: str | None = None,
) -> Functional:  # fmt: skip
    """The model from image to output, with its weights.

    Args:
        request: The arguments.
        start: What `image` gave.
        x: The output.
        published: Files with and without the classifier.
        name: Of the model, if not the one asked for.
    """
    inputs = start if request.input_tensor is None else get_source_inputs(request.input_tensor)
    model = Functional(inputs, x, name=name or request.name)
    if request.pretrained:
        model.load_weights(published[0 if request.include_top else 1].fetch())
    elif request.weights is not None:
        model.load_weights(request.weights)
    return model


def rounded(number: float, divisor: int = 8) -> int:
    """The nearest multiple of `divisor`, but not less than nine tenths of the number."""
    found = max(divisor, int(number + divisor / 2) // divisor * divisor)
    return found + divisor if found < 0.9 * number else found


# -- constructors
def standard(build: Callable[..., Functional], label: str, name: str, **fixed: Any) -> Any:
    """A constructor with the arguments that most families have.

    Args:
        build: Called with a `Request` and `fixed`.
        label: Its name.
        name: Default of the model's.
        **fixed: What makes this variant of the family.
    """
    default_name = name

    def make(
        include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
        input_shape: Any = None, pooling: Any = None, classes: int = 1000,
        classifier_activation: Any = "softmax", name: Any = default_name,
    ) -> Functional:  # fmt: skip
        request = Request(
            include_top, weights, input_tensor, input_shape, pooling, classes,
            classifier_activation, name,
        )  # fmt: skip
        return build(request, **fixed)

    return described(make, label, build.__module__)


def described(make: Any, label: str, module: str) -> Any:
    """A constructor under its public name, with its documentation."""
    make.__name__ = make.__qualname__ = label
    make.__module__ = module
    extra = ""
    if "include_preprocessing" in make.__code__.co_varnames:
        extra = "        include_preprocessing: Whether the model scales its images itself.\n"
    make.__doc__ = (
        f"{label}, as Keras builds it; see this module for the paper and the blocks.\n"
        f"{_ARGS.format(extra=extra)}\n    Source: https://keras.io/api/applications/\n    "
    )
    return older.arguments(make)
