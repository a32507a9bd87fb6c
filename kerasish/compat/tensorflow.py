"""`import tensorflow as tf`, for programs that use it for `tf.keras` and a little arithmetic."""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from .. import autodiff, ops
from .. import random as draws
from ..optimizers import clipping
from ..variable import Variable as OurVariable
from .lookup import target
from .tables.tensorflow import TENSORFLOW

__all__ = ["AUTOTUNE", "Tensor", "Variable", "constant", "find", "function"]

Tensor = core.Tensor
AUTOTUNE = -1


def find(path: str, name: str) -> Any:
    """A name of `tensorflow` or of a namespace in it.

    Raises:
        AttributeError: It has no counterpart.
    """
    if not path and name == "keras":
        return importlib.import_module("tensorflow.keras")
    if name in TENSORFLOW[path]:
        row = TENSORFLOW[path][name]
        return target(row) if row is not None and ":" in row else row
    inner = f"{path}.{name}" if path else name
    if inner in TENSORFLOW:
        return namespace(inner)
    raise AttributeError(
        f"tensorflow.{inner} is not there: this script runs on kerasish, which has "
        "tensorflow.keras, tensorflow.data.Dataset and simple operations only. The others are in "
        "keras.ops, random numbers in keras.random."
    )


def namespace(path: str) -> types.ModuleType:
    """`tensorflow`, or a namespace in it."""
    module = types.ModuleType(f"tensorflow.{path}" if path else "tensorflow", __doc__)
    module.__path__ = []  # a package, so that `import tensorflow.keras` looks inside
    if not path:
        module.__version__ = TENSORFLOW[""]["__version__"]
    module.__getattr__ = lambda name: find(path, name)
    return module


# -- what takes other arguments than its counterpart


def Variable(
    initial_value: Any, trainable: bool = True, name: Any = None, dtype: Any = None, **kwargs: Any
) -> Any:
    """A variable with a first value, or one that a function of no arguments gives."""
    value = initial_value() if callable(initial_value) else initial_value
    dtype = dtype or core.convert(value).dtype.name
    label = None if name is None else str(name).replace("/", "_")
    return OurVariable(value, dtype=dtype, trainable=trainable, name=label)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    """A tensor of values."""
    tensor = ops.convert_to_tensor(value, dtype)
    if shape is None:
        return tensor
    return ops.broadcast_to(tensor, shape) if tensor.size == 1 else ops.reshape(tensor, shape)


def function(func: Any = None, **kwargs: Any) -> Any:
    """Compile a function, as decorator with options or without."""
    if func is None:
        return function
    return autodiff.function(func)


class TensorSpec(NamedTuple):
    """Shape and dtype of an element of a data set."""

    shape: Any
    dtype: Any = "float32"
    name: Any = None


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: Any = None
) -> Any:
    """A tensor of values; of text an array."""
    return ops.convert_to_tensor(value, dtype)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: Any = None) -> Any:
    """`t` scaled down to a norm of at most `clip_norm`."""
    return clipping.clip_by_norm(core.convert(t), clip_norm, axes)


def ones(shape: Any, dtype: Any = "float32", name: Any = None) -> Any:
    """Ones."""
    return ops.ones(shape, dtype)


def zeros(shape: Any, dtype: Any = "float32", name: Any = None) -> Any:
    """Zeros."""
    return ops.zeros(shape, dtype)


def transpose(a: Any, perm: Any = None) -> Any:
    """Axes in another order."""
    return ops.transpose(a, perm)


def gather(params: Any, indices: Any, axis: int = 0) -> Any:
    """Elements along an axis."""
    return ops.take(params, indices, axis=axis)


def identity(input: Any, name: Any = None) -> Any:
    """The same values."""
    return core.ops.identity(core.convert(input))


def one_hot(indices: Any, depth: int, axis: int = -1, dtype: Any = "float32") -> Any:
    """1 at each index, else 0."""
    return ops.one_hot(indices, depth, axis=axis, dtype=dtype)


def _first_axis(find_place: Callable[..., Any]) -> Callable[..., Any]:
    def along(input: Any, axis: Any = None, output_type: Any = "int64") -> Any:
        return ops.cast(find_place(input, axis=0 if axis is None else axis), output_type)

    return along


argmax, argmin = _first_axis(ops.argmax), _first_axis(ops.argmin)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """`x` over its norm."""
    return x * ops.rsqrt(ops.maximum(ops.sum(x * x, axis=axis, keepdims=True), epsilon))


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None
) -> Any:
    """Normal draws."""
    return draws.normal(tuple(np.asarray(shape)), mean, stddev, dtype, seed)


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = 1, dtype: Any = "float32", seed: Any = None
) -> Any:
    """Uniform draws, integers if the dtype is of integers."""
    sizes = tuple(np.asarray(shape))
    if str(dtype).startswith(("int", "uint")):
        return draws.randint(sizes, minval, maxval, dtype, seed)
    return draws.uniform(sizes, minval, maxval, dtype, seed)


def no_devices(device_type: Any = None) -> list[Any]:
    """None of TensorFlow's devices."""
    return []
