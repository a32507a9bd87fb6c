"""The functions of `keras.ops` about tensors themselves, control flow and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ..text_arrays import means_text
from .symbolic import KerasTensor, compute_output_spec, symbolic

__all__ = [
    "associative_scan", "cast", "cond", "convert_to_numpy", "convert_to_tensor", "custom_gradient",
    "dtype", "fori_loop", "is_tensor", "jvp", "map", "saturate_cast", "scan", "scatter",
    "scatter_update", "shape", "slice", "slice_update", "stop_gradient", "switch", "unstack",
    "vectorized_map", "while_loop",
]  # fmt: skip


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """A tensor of anything array-like; a KerasTensor stays (cast if a dtype is given).

    Args:
        x: An array, a tensor, numbers; of SciPy's sparse matrices the dense values. Text, which
            layers that take it want as arrays, becomes one.
        dtype: Of the result.
        sparse: Accepted: all tensors are dense.
        ragged: Must be false: there are no ragged tensors.

    Raises:
        ValueError: A ragged tensor was asked for.
    """
    if ragged:
        raise ValueError("`ragged=True` is not supported: pad the rows to one length.")
    if hasattr(x, "tocoo") and hasattr(x, "toarray"):
        x = x.toarray()
    if isinstance(x, KerasTensor):
        return x if dtype is None or x.dtype == core.dtypes.name_of(dtype) else cast(x, dtype)
    if dtype in (None, "string") and means_text(x):
        return np.array(x, dtype=object)
    return core.convert(x, dtype)


def convert_to_numpy(x: Any) -> Any:
    """A NumPy array of the values."""
    if isinstance(x, KerasTensor):
        x.__array__()
    return np.asarray(x).copy()


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of ours."""
    return isinstance(x, core.Tensor | KerasTensor)


def shape(x: Any) -> tuple[Any, ...]:
    """The shape: a tuple of ints, None where a symbolic tensor's is unknown."""
    found = getattr(x, "shape", None)
    return tuple(found) if found is not None else core.convert(x).shape


def dtype(x: Any) -> str:
    """The dtype's name."""
    return core.dtypes.name_of(x.dtype if hasattr(x, "dtype") else core.convert(x).dtype)


@symbolic
def cast(x: Any, dtype: Any) -> Any:
    """The values in another dtype."""
    return core.ops.cast(x, dtype)


@symbolic
def saturate_cast(x: Any, dtype: Any) -> Any:
    """The values in another dtype, limited to its range."""
    x = core.convert(x)
    to = core.dtypes.as_dtype(dtype)
    if to == np.bool_ or x.dtype == np.bool_:
        return core.ops.cast(x, to)
    limits = core.dtypes.limits(to)
    if core.dtypes.is_integer(to) or x.dtype.itemsize > to.itemsize:
        x = core.ops.clip(x, _inside(limits.min, x.dtype), _inside(limits.max, x.dtype))
    return core.ops.cast(x, to)


def _inside(limit: Any, dtype: Any) -> Any:
    """The limit as the dtype can hold it, not beyond."""
    if core.dtypes.is_float(dtype):
        own = core.dtypes.limits(dtype)
        bound = min(max(float(limit), float(own.min)), float(own.max))
        as_float = np.asarray(bound, dtype if dtype.itemsize > 2 else "float32")
        if abs(float(as_float)) > abs(float(limit)):
            as_float = np.nextafter(as_float, as_float.dtype.type(0))
        return float(as_float)
    own = core.dtypes.limits(dtype)
    return int(max(min(int(limit), int(own.max)), int(own.min)))


@symbolic
def stop_gradient(variable: Any) -> Any:
    """The same values; no gradient flows through."""
    return core.tree.map_structure(
        lambda x: None if x is None else core.stop_gradient(x), variable, none_is_leaf=True
    )


def _unstacked(x: Any, num: int | None = None, axis: int = 0) -> Any:
    if not -len(x.shape) <= axis < len(x.shape) or x.shape[axis] is not None:
        return compute_output_spec(core.ops.unstack, x, None, axis)
    if num is None:
        raise ValueError(f"unstack: the size of axis {axis} is unknown; `num` is needed.")
    place = axis % len(x.shape)
    shape = x.shape[:place] + x.shape[place + 1 :]
    return [KerasTensor(shape, x.dtype) for _ in range(num)]


@symbolic(spec=_unstacked)
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The slices along an axis, as a list; `num` is not needed."""
    x = core.convert(x)
    if not -x.ndim <= axis < x.ndim:
        raise IndexError(f"unstack: axis {axis} is out of range for rank {x.ndim}.")
    return core.ops.unstack(x, None, axis)


@symbolic
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The block of `shape` at `start_indices`."""
    return core.ops.slice_at(inputs, start_indices, shape)


@symbolic
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """`inputs` with the block at `start_indices` replaced."""
    return core.ops.slice_update(inputs, start_indices, updates)


@symbolic
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros of `shape` with `values` added at `indices`."""
    return core.ops.scatter(indices, values, shape)


@symbolic
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    """`inputs` with `updates` in place of what is at `indices`, or joined with it.

    Args:
        inputs: A tensor.
        indices: Integers; their last axis indexes the first axes of `inputs`.
        updates: What goes there.
        reduction: None to replace; "add", "max", "min" or "mul".
    """
    o = core.ops
    if reduction is None:
        return o.scatter_update(inputs, indices, updates)
    if reduction == "add":
        return o.scatter_add(inputs, indices, updates)
    joined = {"max": o.maximum, "min": o.minimum, "mul": o.multiply}.get(reduction)
    if joined is None:
        raise ValueError(
            f"Unsupported reduction: {reduction}. Expected None, 'add', 'max', 'min' or 'mul'."
        )
    # One update after the other, since an index may occur twice.
    x, indices, updates = core.convert(inputs), core.convert(indices), core.convert(updates)
    depth = indices.shape[-1]
    rows = o.reshape(indices, (-1, depth))
    values = o.reshape(updates, (-1, *x.shape[depth:]))
    for i in range(rows.shape[0]):
        at = rows[i : i + 1]
        x = o.scatter_update(x, at, joined(o.gather_nd(x, at), values[i : i + 1]))
    return x


@symbolic
def cond(pred: Any, true_fn: Any, false_fn: Any) -> Any:
    """`true_fn()` if `pred` holds, else `false_fn()`."""
    return core.cond(pred, true_fn, false_fn)


@symbolic
def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """Call the branch of number `index`."""
    return core.switch(index, branches, *operands)


@symbolic
def scan(f: Any, init: Any, xs: Any = None, length: Any = None, reverse: bool = False,
         unroll: Any = 1) -> Any:  # fmt: skip
    """Carry a state along the first axis."""
    return core.scan(f, init, xs, length, reverse, unroll)


@symbolic
def map(f: Any, xs: Any) -> Any:
    """`f` of each slice along the first axis, stacked."""
    return core.map(f, xs)


@symbolic
def vectorized_map(function: Any, elements: Any) -> Any:
    """`function` of each slice along the first axis, stacked."""
    return core.map(function, elements)


@symbolic
def fori_loop(lower: Any, upper: Any, body_fun: Any, init_val: Any) -> Any:
    """`for i in range(lower, upper): val = body_fun(i, val)`."""
    return core.fori_loop(lower, upper, body_fun, init_val)


@symbolic
def while_loop(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    """`while cond(*loop_vars): loop_vars = body(*loop_vars)`."""
    return core.while_loop(cond, body, loop_vars, maximum_iterations)


@symbolic
def associative_scan(f: Any, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All partial results of an associative function along an axis.

    Args:
        f: `(a, b)` to their combination, for structures of slices like `elems`.
        elems: A tensor or structure of tensors, equally long on the axis.
        reverse: Whether to start from the end.
        axis: Along which.
    """
    tree, o = core.tree, core.ops
    length = core.convert(tree.flatten(elems)[0]).shape[axis]

    def moved(x: Any) -> Any:
        x = o.moveaxis(x, axis, 0)
        return o.flip(x, 0) if reverse else x

    parts = tree.map_structure(moved, elems)
    step = 1
    while step < length:  # doubling: after it each holds the last 2 * step
        head = tree.map_structure(lambda x, n=step: x[:n], parts)
        late = tree.map_structure(lambda x, n=step: x[n:], parts)
        early = tree.map_structure(lambda x, n=step: x[:-n], parts)
        joined = f(early, late)
        parts = tree.map_structure(lambda a, b: o.concatenate([a, b], 0), head, joined)
        step *= 2

    def back(x: Any) -> Any:
        return o.moveaxis(o.flip(x, 0) if reverse else x, 0, axis)

    return tree.map_structure(back, parts)


def jvp(fun: Any, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of `fun` and its derivative along tangents.

    Args:
        fun: A function of tensors.
        primals: A list or tuple of its arguments.
        tangents: A direction for each.
        has_aux: Whether it returns `(value, aux)`, aux being passed on.

    Returns:
        `(value, tangent)`, and aux if there is one.
    """
    if not has_aux:
        return core.jvp(fun, primals, tangents)
    aux = fun(*primals)[1]
    value, tangent = core.jvp(lambda *xs: fun(*xs)[0], primals, tangents)
    return value, tangent, aux


def custom_gradient(f: Any) -> Any:
    """Decorate a function that returns `(value, grad)` with its own gradient."""
    return core.custom_gradient(f)
