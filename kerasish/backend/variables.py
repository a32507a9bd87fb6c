"""Keras 2's variables, placeholders and what is known of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from .. import random
from ..layers import Input
from ..layers.core.input_layer import InputLayer
from ..ops import symbolic as graphs
from ..ops.symbolic import KerasTensor, classic, classic_writer
from ..settings import floatx
from ..variable import Variable
from .sparse import to_dense

__all__ = [
    "batch_get_value", "batch_set_value", "cast", "cast_to_floatx", "constant", "count_params",
    "dtype", "eval", "eye", "get_value", "get_variable_shape", "identity", "int_shape",
    "is_placeholder", "is_symbolic", "is_tensor", "is_variable", "moving_average_update", "ndim",
    "ones", "ones_like", "placeholder", "print_tensor", "random_bernoulli", "random_binomial",
    "random_normal", "random_normal_variable", "random_uniform", "random_uniform_variable",
    "set_value", "shape", "size", "stop_gradient", "truncated_normal", "update", "update_add",
    "update_sub", "variable", "zeros", "zeros_like",
]  # fmt: skip

_o = core.ops


# -- making


def variable(value: Any, dtype: Any = None, name: Any = None, constraint: Any = None) -> Variable:
    """A variable with a first value.

    Args:
        value: Anything array-like; sparse matrices become dense.
        dtype: `floatx()` by default.
        name: By default made up.
        constraint: A function of the variable to its value after each update of an optimizer.
    """
    value = to_dense(value)
    found = Variable(np.asarray(value), dtype=dtype or floatx(), name=_name(name))
    found.constraint = constraint
    return found


def _name(name: Any) -> Any:
    return None if name is None else str(name).replace("/", "_")


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    """A tensor of `value`, repeated to `shape` if it is one number; `floatx()` by default."""
    tensor = core.convert(value, dtype or floatx())
    if shape is None:
        return tensor
    return _o.broadcast_to(tensor, shape) if tensor.size == 1 else _o.reshape(tensor, shape)


def _held(value: Any, name: Any) -> Any:
    """A variable; in a trace, where none can be born, the tensor."""
    return value if core.is_tracing() else Variable(value, name=_name(name))


def zeros(shape: Any, dtype: Any = None, name: Any = None) -> Any:
    """A variable of zeros; the tensor inside a compiled step."""
    return _held(_o.zeros(_sizes(shape), dtype or floatx()), name)


def ones(shape: Any, dtype: Any = None, name: Any = None) -> Any:
    """A variable of ones; the tensor inside a compiled step."""
    return _held(_o.ones(_sizes(shape), dtype or floatx()), name)


def eye(size: Any, dtype: Any = None, name: Any = None) -> Any:
    """A variable of the identity matrix, `size` a number or `(rows, columns)`."""
    rows, columns = size if isinstance(size, list | tuple) else (size, size)
    return _held(_o.eye(int(rows), int(columns), dtype=dtype or floatx()), name)


def _sizes(shape: Any) -> tuple[int, ...]:
    shape = shape if isinstance(shape, list | tuple) else np.atleast_1d(np.asarray(shape))
    return tuple(int(n) for n in shape)


@classic
def zeros_like(x: Any, dtype: Any = None, name: Any = None) -> Any:
    """Zeros in the shape of `x`."""
    return _o.zeros_like(x, dtype)


@classic
def ones_like(x: Any, dtype: Any = None, name: Any = None) -> Any:
    """Ones in the shape of `x`."""
    return _o.ones_like(x, dtype)


@classic
def identity(x: Any, name: Any = None) -> Any:
    """A tensor of the same values."""
    return _o.identity(core.convert(x))


def placeholder(
    shape: Any = None, ndim: Any = None, dtype: Any = None, sparse: bool = False, name: Any = None
) -> Any:
    """A symbolic tensor whose values come with each call of a `K.function`.

    Args:
        shape: All sizes, None where any will do.
        ndim: The number of axes, instead of `shape`.
        dtype: `floatx()` by default.
        sparse: Whether sparse values are expected.
        name: Of the tensor.
    """
    if shape is None:
        shape = (None,) * (ndim or 0)
    return Input(batch_shape=tuple(shape), dtype=dtype, sparse=sparse or None, name=_name(name))


def random_uniform_variable(
    shape: Any, low: Any, high: Any, dtype: Any = None, name: Any = None, seed: Any = None
) -> Variable:
    """A variable with uniform draws from `[low, high)`."""
    value = random.uniform(_sizes(shape), low, high, dtype or floatx(), seed)
    return Variable(value, name=_name(name))


def random_normal_variable(
    shape: Any, mean: Any, scale: Any, dtype: Any = None, name: Any = None, seed: Any = None
) -> Variable:
    """A variable with normal draws; `scale` is the standard deviation."""
    value = random.normal(_sizes(shape), mean, scale, dtype or floatx(), seed)
    return Variable(value, name=_name(name))


def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """A tensor of normal draws."""
    return random.normal(_sizes(shape), mean, stddev, dtype or floatx(), seed)


def random_uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """A tensor of uniform draws from `[minval, maxval)`, integers if the dtype is of integers."""
    dtype = core.dtypes.name_of(dtype or floatx())
    if dtype.startswith(("int", "uint")):
        return random.randint(_sizes(shape), int(minval), int(maxval), dtype, seed)
    return random.uniform(_sizes(shape), minval, maxval, dtype, seed)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """A tensor of normal draws, those beyond two standard deviations drawn again."""
    return random.truncated_normal(_sizes(shape), mean, stddev, dtype or floatx(), seed)


def random_bernoulli(shape: Any, p: Any = 0.0, dtype: Any = None, seed: Any = None) -> Any:
    """A tensor that is 1 with probability `p`, else 0."""
    draws = random.uniform(_sizes(shape), 0.0, 1.0, "float32", seed)
    return _o.cast(_o.less(draws, p), dtype or floatx())


def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: Any = None) -> Any:
    """The same as `random_bernoulli`: one trial each."""
    return random_bernoulli(shape, p, dtype, seed)


# -- values


def eval(x: Any) -> Any:
    """The values of a variable or tensor as a NumPy array.

    Raises:
        ValueError: `x` is symbolic: its values depend on inputs. Use `K.function`.
    """
    return get_value(to_dense(x))


def get_value(x: Any) -> Any:
    """The values of a variable or tensor as a NumPy array; anything else as it is."""
    if isinstance(x, KerasTensor):
        raise ValueError(
            f"{x} is symbolic: it has no value before its inputs have. "
            "Use K.function(inputs, [x]) and call it with values."
        )
    return x.numpy() if isinstance(x, core.Tensor | core.Variable) else x


def batch_get_value(tensors: Any) -> list[Any]:
    """The values of several variables as NumPy arrays."""
    return [get_value(x) for x in tensors]


def set_value(x: Any, value: Any) -> None:
    """Give a variable new values, cast to its dtype."""
    x.assign(np.asarray(to_dense(value), x.dtype))


def batch_set_value(tuples: Any) -> None:
    """Give variables new values: pairs of a variable and an array."""
    for x, value in tuples:
        set_value(x, value)


@classic_writer
def update(x: Any, new_x: Any) -> Any:
    """Assign to a variable: at once, or whenever a symbolic `new_x` is computed."""
    return _written(x, new_x)


@classic_writer
def update_add(x: Any, increment: Any) -> Any:
    """Add to a variable."""
    return _written(x, _o.add(x, increment))


@classic_writer
def update_sub(x: Any, decrement: Any) -> Any:
    """Subtract from a variable."""
    return _written(x, _o.subtract(x, decrement))


@classic_writer
def moving_average_update(x: Any, value: Any, momentum: Any) -> Any:
    """`x = momentum * x + (1 - momentum) * value`."""
    return _written(x, _o.add(_o.multiply(x, momentum), _o.multiply(value, 1 - momentum)))


def _written(x: Any, value: Any) -> Any:
    if not isinstance(x, core.Variable):
        raise TypeError(f"Only variables can be updated; got {type(x).__name__}. Use K.variable.")
    x.assign(value)
    # The variable itself where the caller may go on updating it; a value to a trace or graph.
    return x if not core.is_recording() else x.value


# -- what is known of a tensor


def is_variable(x: Any) -> bool:
    """Whether `x` is a variable."""
    return isinstance(x, core.Variable)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor, symbolic or not, or a variable."""
    return isinstance(x, core.Tensor | core.Variable | KerasTensor)


def is_symbolic(x: Any) -> bool:
    """Whether `x` has no values yet."""
    return isinstance(x, KerasTensor)


def is_placeholder(x: Any) -> bool:
    """Whether `x` comes from `placeholder` or `Input`."""
    history = getattr(x, "_keras_history", None)
    return history is not None and isinstance(history[0], InputLayer)


def int_shape(x: Any) -> tuple[Any, ...]:
    """The sizes, None where unknown."""
    return tuple(x.shape)


def get_variable_shape(x: Any) -> tuple[Any, ...]:
    """The sizes, as `int_shape`."""
    return int_shape(x)


def shape(x: Any) -> tuple[Any, ...]:
    """The sizes: plain ints, since shapes are known whenever values are; None in a symbolic
    tensor's shape where any size will do."""
    return tuple(x.shape) if hasattr(x, "shape") else core.convert(x).shape


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(x.shape)


@classic
def size(x: Any, name: Any = None) -> Any:
    """The number of elements, as an integer tensor."""
    return core.convert(np.asarray(core.convert(x).size, "int32"))


def count_params(x: Any) -> int:
    """The number of elements of a variable."""
    return int(np.prod(x.shape))


def dtype(x: Any) -> str:
    """The dtype's name."""
    return core.dtypes.name_of(x.dtype)


@classic
def cast(x: Any, dtype: Any) -> Any:
    """The values in another dtype."""
    return _o.cast(x, dtype)


def cast_to_floatx(x: Any) -> Any:
    """The values in `floatx()`: a tensor of a tensor, else a NumPy array."""
    if is_tensor(x):
        return graphs.PUBLIC["cast"](x, floatx())
    return np.asarray(x, dtype=floatx())


def stop_gradient(variables: Any) -> Any:
    """The same values, without a gradient; of a list, a list."""
    if isinstance(variables, list | tuple):
        return [stop_gradient(v) for v in variables]
    return graphs.PUBLIC["stop_gradient"](variables)


@classic
def print_tensor(x: Any, message: str = "") -> Any:
    """Print the values behind the message and return the tensor.

    In a model that `fit` would compile it makes the model run eagerly, with one warning.
    """
    if not core.is_abstract():
        print(message, np.asarray(x))
    return x
