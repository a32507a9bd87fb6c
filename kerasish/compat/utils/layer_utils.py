"""`keras.utils.layer_utils`: summaries of models, and kernels turned for another backend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...layers import deserialize
from ...utils.structure import get_source_inputs
from .conv_utils import convert_kernel

__all__ = [
    "convert_all_kernels_in_model", "convert_dense_weights_data_format", "count_params",
    "count_total_params", "get_source_inputs", "layer_from_config", "model_summary",
    "print_summary",
]  # fmt: skip

# Layers whose kernels have axes of space.
_CONVOLUTIONS = (
    "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv1D",
    "SeparableConv2D", "DepthwiseConv2D",
)  # fmt: skip


def count_params(weights: Any) -> int:
    """The number of elements of weights, each weight counted once."""
    return sum(math.prod(w.shape) for w in {id(w): w for w in weights}.values())


def count_total_params(layers: Any, layer_set: Any = None) -> tuple[int, int]:
    """The number of elements that are trained, and that are not, of some layers."""
    each = list({id(layer): layer for layer in layers}.values())
    trained = count_params([w for layer in each for w in layer.trainable_weights])
    return trained, count_params([w for layer in each for w in layer.weights]) - trained


def print_summary(
    model: Any, line_length: Any = None, positions: Any = None, print_fn: Any = None, **kwargs: Any
) -> None:
    """Print a model's layers; see `Model.summary`."""
    model.summary(line_length=line_length, positions=positions, print_fn=print_fn, **kwargs)


model_summary = print_summary


def layer_from_config(config: Any, custom_objects: Any = None) -> Any:
    """A layer from `{"class_name": ..., "config": ...}`."""
    return deserialize(config, custom_objects=custom_objects)


def convert_all_kernels_in_model(model: Any) -> None:
    """Turn all kernels over in space, in place: weights that Theano trained, or for it."""
    for layer in getattr(model, "layers", []):
        if type(layer).__name__ in _CONVOLUTIONS:
            layer.set_weights([
                convert_kernel(w) if w.ndim >= 3 else w for w in layer.get_weights()
            ])  # fmt: skip
        elif hasattr(layer, "layers"):
            convert_all_kernels_in_model(layer)


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Any, target_data_format: str = "channels_first"
) -> None:
    """Reorder the kernel of a `Dense` after `Flatten` for the other data format, in place.

    Args:
        dense: The layer.
        previous_feature_map_shape: What is flattened, without samples, in the target's format.
        target_data_format: "channels_first" or "channels_last".

    Raises:
        ValueError: Another format, or a kernel of another size.
    """
    if target_data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            f'target_data_format={target_data_format!r}: expected "channels_first" or '
            '"channels_last".'
        )
    kernel, *rest = dense.get_weights()
    shape = tuple(previous_feature_map_shape)
    if math.prod(shape) != len(kernel):
        raise ValueError(
            f"The kernel of {dense.name} has {len(kernel)} rows; feature maps of shape {shape} "
            f"have {math.prod(shape)} elements."
        )
    if target_data_format == "channels_first":
        rows = np.moveaxis(kernel.reshape(*shape[1:], shape[0], -1), -2, 0)
    else:
        rows = np.moveaxis(kernel.reshape(shape[-1], *shape[:-1], -1), 0, -2)
    dense.set_weights([rows.reshape(kernel.shape), *rest])
