"""Ops that arrange elements: reshape, transpose, broadcast, join, split, pad, repeat."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import STATE, apply
from ..errors import ShapeError
from ..op import Op, Spec, define_op, same_dtype
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor, constant, convert
from ._args import canonical_axes, canonical_axis, number, promote, uniform
from .elementwise import identity

__all__ = [
    "barrier", "broadcast_to", "concatenate", "expand_dims", "flip", "full", "moveaxis",
    "ones_like", "pad", "ravel", "repeat", "reshape", "roll", "split", "squeeze", "stack",
    "sum_to", "swapaxes", "tile", "transpose", "unstack",
]  # fmt: skip


def shape_tuple(name: str, shape: Any) -> tuple[int, ...]:
    """A shape given as number, sequence or tensor as a tuple of ints."""
    if type(shape) is tuple:
        for n in shape:
            if type(n) is not int:
                break
        else:
            return shape
    if isinstance(shape, int | np.integer):
        return (int(shape),)
    if hasattr(shape, "tolist"):
        shape = np.atleast_1d(np.asarray(shape)).tolist()
    try:
        return tuple(operator.index(n) for n in shape)
    except TypeError:
        raise ShapeError(f"{name}: shape must be integers, got {shape!r}.") from None


# -- reshape, transpose


def _reshape_spec(x: Spec, shape: tuple[int, ...]) -> Spec:
    if math.prod(x.shape) != math.prod(shape):
        raise ShapeError(
            f"reshape: x is {x} with {math.prod(x.shape)} elements; the new shape {shape} "
            f"has {math.prod(shape)}. They must be equal; one size may be -1."
        )
    return Spec(shape, x.dtype)


_RESHAPE = define_op(
    "reshape", "view", "x", infer=_reshape_spec,
    kernel=lambda xp, x, shape: x.reshape(shape),
    vjp=lambda g, x_spec: (reshape(g, x_spec.shape),),
    samples=lambda rng: [
        ([rng.normal(size=(2, 3))], {"shape": (3, 2)}), ([rng.normal(size=())], {"shape": (1, 1)}),
    ],
)  # fmt: skip


def reshape(x: Any, newshape: Any) -> Tensor:
    """The elements in another shape, in the same order; one size may be -1.

    Raises:
        ShapeError: The number of elements differs.
    """
    x, shape = convert(x), shape_tuple("reshape", newshape)
    if -1 in shape:
        known = math.prod(n for n in shape if n != -1)
        size = math.prod(x.shape)
        if shape.count(-1) > 1 or (known == 0 and size) or (known and size % known):
            raise ShapeError(f"reshape: x is {x.spec}, which does not fit the new shape {shape}.")
        shape = tuple((size // known if known else 0) if n == -1 else n for n in shape)
    return apply(_RESHAPE, x, shape=shape)  # type: ignore[no-any-return]


def _transpose_spec(x: Spec, axes: tuple[int, ...]) -> Spec:
    if sorted(axes) != list(range(len(x.shape))):
        raise ShapeError(f"transpose: x is {x}; axes={axes} must name each of its axes once.")
    return Spec(tuple(x.shape[a] for a in axes), x.dtype)


_TRANSPOSE = define_op(
    "transpose", "view", "x", infer=_transpose_spec,
    kernel=lambda xp, x, axes: x.transpose(axes),
    vjp=lambda g, axes: (
        transpose(g, tuple(sorted(range(len(axes)), key=axes.__getitem__))),
    ),
    samples=lambda rng: [([rng.normal(size=(2, 3, 4))], {"axes": (2, 0, 1)})],
)  # fmt: skip


def transpose(x: Any, axes: Any = None) -> Tensor:
    """The axes in another order; reversed by default."""
    x = convert(x)
    if axes is None:
        order = tuple(range(x.ndim))[::-1]
    else:
        order = tuple(canonical_axis("transpose", a, x.ndim) for a in axes)
        if sorted(order) != list(range(x.ndim)):
            raise ShapeError(
                f"transpose: x is {x.spec}; axes={tuple(axes)} must name each axis once."
            )
    return apply(_TRANSPOSE, x, axes=order)  # type: ignore[no-any-return]


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    x = convert(x)
    order = list(range(x.ndim))
    i, j = (canonical_axis("swapaxes", a, x.ndim) for a in (axis1, axis2))
    order[i], order[j] = j, i
    return transpose(x, order)


def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """Axes moved to other places, the rest in order."""
    x = convert(x)
    sources, targets = (
        [canonical_axis("moveaxis", a, x.ndim) for a in (v if isinstance(v, list | tuple) else [v])]
        for v in (source, destination)
    )
    if len(sources) != len(targets):
        raise ShapeError("moveaxis: source and destination must have equally many axes.")
    order = [a for a in range(x.ndim) if a not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return transpose(x, order)


def expand_dims(x: Any, axis: Any) -> Tensor:
    """Axes of size 1 inserted at the places they have in the result."""
    x = convert(x)
    if type(axis) is int:
        place = canonical_axis("expand_dims", axis, x.ndim + 1)
        shape = (*x.shape[:place], 1, *x.shape[place:])
        return apply(_RESHAPE, x, shape=shape)  # type: ignore[no-any-return]
    given = axis if isinstance(axis, list | tuple) else (axis,)
    rank = x.ndim + len(given)
    new = canonical_axes("expand_dims", given, rank)
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if i in new else next(sizes) for i in range(rank)))


def squeeze(x: Any, axis: Any = None) -> Tensor:
    """Axes of size 1 removed: all of them, or those named.

    Raises:
        ShapeError: A named axis has another size.
    """
    x = convert(x)
    if axis is None:
        gone: tuple[int, ...] = tuple(i for i, n in enumerate(x.shape) if n == 1)
    else:
        gone = canonical_axes("squeeze", axis, x.ndim)
        for a in gone:
            if x.shape[a] != 1:
                raise ShapeError(f"squeeze: x is {x.spec}; axis {a} has size {x.shape[a]}, not 1.")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in gone))


def ravel(x: Any) -> Tensor:
    """The elements in one axis."""
    return reshape(x, (-1,))


# -- broadcasting and its inverse


def _broadcast_spec(x: Spec, shape: tuple[int, ...]) -> Spec:
    tail = shape[len(shape) - len(x.shape) :]
    if len(x.shape) > len(shape) or any(n not in (1, m) for n, m in zip(x.shape, tail)):
        raise ShapeError(f"broadcast_to: x is {x}, which does not broadcast to {shape}.")
    return Spec(shape, x.dtype)


_BROADCAST_TO = define_op(
    "broadcast_to", "view", "x", infer=_broadcast_spec,
    kernel=lambda xp, x, shape: xp.broadcast_to(x, shape),
    vjp=lambda g, x_spec: (sum_to(g, x_spec.shape),),
    samples=lambda rng: [
        ([rng.normal(size=(3, 1))], {"shape": (2, 3, 4)}), ([rng.normal(size=())], {"shape": (2,)}),
    ],
)  # fmt: skip


def broadcast_to(x: Any, shape: Any) -> Tensor:
    """The tensor repeated to a larger shape by NumPy's rules."""
    t, shape = convert(x), shape_tuple("broadcast_to", shape)
    return t if t.shape == shape else apply(_BROADCAST_TO, t, shape=shape)


def sum_to(x: Any, shape: tuple[int, ...]) -> Tensor:
    """Sum over the axes that broadcasting from `shape` would have added or stretched."""
    x = convert(x)
    if x.shape == shape:
        return x  # type: ignore[no-any-return]
    lead = x.ndim - len(shape)
    if lead < 0:
        return broadcast_to(x, shape)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1
    )
    total = OPERATORS["sum"](x, axes, not lead)
    total = total if total.dtype == x.dtype else total.astype(x.dtype)
    if total.shape != shape:
        total = reshape(
            total, tuple(1 if lead + i in axes else x.shape[lead + i] for i in range(len(shape)))
        )
        total = broadcast_to(total, shape)
    return total  # type: ignore[no-any-return]


# -- joining and splitting


def _concatenate_spec(*xs: Spec, axis: int) -> Spec:
    first = xs[0]
    for i, x in enumerate(xs[1:], 1):
        if len(x.shape) != len(first.shape) or any(
            n != m for a, (n, m) in enumerate(zip(x.shape, first.shape)) if a != axis
        ):
            raise ShapeError(
                f"concatenate: xs[0] is {first}, xs[{i}] is {x}: all axes but axis={axis} must "
                "be equal."
            )
    sizes = list(first.shape)
    sizes[axis] = sum(x.shape[axis] for x in xs)
    return Spec(tuple(sizes), same_dtype("concatenate", xs))


def _concatenate_rule(g: Any, xs_spec: Any, axis: int) -> Any:
    found, start = [], 0
    for spec in xs_spec:
        stop = start + spec.shape[axis]
        found.append(g[(slice(None),) * axis + (slice(start, stop),)])
        start = stop
    return tuple(found)


_CONCATENATE = define_op(
    "concatenate", "opaque", "*xs", infer=_concatenate_spec,
    kernel=lambda xp, *xs, axis: xp.concatenate(xs, axis, dtype=xs[0].dtype, casting="no"),
    vjp=_concatenate_rule,
    samples=lambda rng: [([rng.normal(size=(2, n)) for n in (1, 3, 2)], {"axis": 1})],
)  # fmt: skip


def concatenate(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors joined along an axis that they have."""
    tensors = promote(*xs)
    if tensors[0].ndim == 0:
        raise ShapeError("concatenate: scalars have no axis to join. Use stack.")
    place = canonical_axis("concatenate", axis, tensors[0].ndim)
    return apply(_CONCATENATE, *tensors, axis=place)  # type: ignore[no-any-return]


def stack(x: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis."""
    tensors = promote(*x)
    for i, t in enumerate(tensors):
        if t.shape != tensors[0].shape:
            raise ShapeError(
                f"stack: x[0] is {tensors[0].spec}, x[{i}] is {t.spec}: shapes must be equal."
            )
    place = canonical_axis("stack", axis, tensors[0].ndim + 1)
    return concatenate([expand_dims(t, place) for t in tensors], place)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices along an axis, which disappears."""
    x = convert(x)
    place = canonical_axis("unstack", axis, x.ndim)
    count = x.shape[place] if num is None else num
    if count != x.shape[place]:
        raise ShapeError(f"unstack: x is {x.spec}; num={num} is not the size of axis {axis}.")
    return [x[(slice(None),) * place + (i,)] for i in range(count)]


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Parts along an axis: so many equal ones, or cut at the given indices."""
    x = convert(x)
    place = canonical_axis("split", axis, x.ndim)
    size = x.shape[place]
    if isinstance(indices_or_sections, int | np.integer):
        sections = int(indices_or_sections)
        if sections <= 0 or size % sections:
            raise ShapeError(
                f"split: x is {x.spec}; axis {axis} of size {size} can't be split into "
                f"{sections} equal parts. Give the indices to cut at."
            )
        cuts = [size // sections * i for i in range(1, sections)]
    else:
        cuts = list(shape_tuple("split", indices_or_sections))
    bounds = zip([0, *cuts], [*cuts, size], strict=True)
    return [x[(slice(None),) * place + (slice(a, b),)] for a, b in bounds]


# -- padding and repetition


def _pad_spec(x: Spec, pad_width: Any, mode: str, value: Any = 0) -> Spec:
    return Spec(tuple(n + a + b for n, (a, b) in zip(x.shape, pad_width)), x.dtype)


def _pad_kernel(xp: Any, x: Any, pad_width: Any, mode: str, value: Any = 0) -> Any:
    if mode == "constant":
        result = xp.full([n + a + b for n, (a, b) in zip(x.shape, pad_width)], value, dtype=x.dtype)
        result[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, pad_width))] = x
        return result
    return xp.pad(x, pad_width, mode=mode)


def _pad_rule(g: Any, x_spec: Spec, pad_width: Any, mode: str) -> Any:
    if mode == "constant":
        return (g[tuple(slice(a, a + n) for n, (a, _) in zip(x_spec.shape, pad_width))],)
    for axis, (n, (before, after)) in enumerate(zip(x_spec.shape, pad_width)):
        if not before and not after:
            continue
        # Where each padded element came from, by padding the positions in the same way.
        origin = np.pad(np.arange(n), (before, after), mode=mode)  # type: ignore[call-overload]
        shape = g.shape[:axis] + (n,) + g.shape[axis + 1 :]
        key = (slice(None),) * axis + (origin,)
        g = OPERATORS["index_add"](OPERATORS["zeros"](shape, g.dtype), key, g)
    return (g,)


_PAD = define_op(
    "pad", "opaque", "x", infer=_pad_spec, kernel=_pad_kernel, vjp=_pad_rule,
    samples=lambda rng: [
        ([rng.normal(size=(2, 3))], {"pad_width": ((1, 0), (2, 1)), "mode": m, "value": 0})
        for m in ("constant", "edge", "symmetric")
    ] + [([rng.normal(size=(3, 4))], {"pad_width": ((1, 2), (2, 0)), "mode": "reflect"})],
)  # fmt: skip


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """Elements added before and after each axis.

    Args:
        x: Tensor.
        pad_width: `((before, after), …)` for each axis, one pair for all, or a number.
        mode: "constant", "reflect", "symmetric" or "edge".
        constant_values: For "constant"; 0 by default.
    """
    x = convert(x)
    if mode not in ("constant", "reflect", "symmetric", "edge"):
        raise ValueError(
            f"pad: mode={mode!r}; expected 'constant', 'reflect', 'symmetric' or 'edge'."
        )
    if constant_values is not None and mode != "constant":
        raise ValueError(f"pad: constant_values are for mode='constant', not {mode!r}.")
    try:
        widths = np.broadcast_to(np.asarray(pad_width, dtype=int), (x.ndim, 2)).tolist()
    except (ValueError, TypeError):
        widths = [(-1, -1)]
    if any(n < 0 for pair in widths for n in pair):
        raise ShapeError(
            f"pad: x is {x.spec}, pad_width={pad_width!r}; one pair (before, after) of sizes that "
            "are not negative is needed for each axis, or one pair for all."
        )
    fill = 0 if constant_values is None else constant_values
    fill = fill.item() if hasattr(fill, "item") else fill
    fill = number(fill, x.dtype).item() if type(fill) is int else fill
    return apply(  # type: ignore[no-any-return]
        _PAD, x, pad_width=tuple(map(tuple, widths)), mode=mode, value=fill
    )


_FLIP = define_op(
    "flip", "view", "x", infer=lambda x, axes: x, kernel=lambda xp, x, axes: xp.flip(x, axes),
    vjp=lambda g, axes: (flip(g, axes),),
    samples=lambda rng: [([rng.normal(size=(2, 3))], {"axes": (1,)})],
)  # fmt: skip


def flip(x: Any, axis: Any = None) -> Tensor:
    """The order of elements reversed along axes (all by default)."""
    x = convert(x)
    return apply(_FLIP, x, axes=canonical_axes("flip", axis, x.ndim))  # type: ignore[no-any-return]


_ROLL: Op = define_op(
    "roll", "opaque", "x", infer=lambda x, shift, axis: x,
    kernel=lambda xp, x, shift, axis: xp.roll(x, shift, axis),
    vjp=lambda g, shift, axis: (apply(_ROLL, g, shift=tuple(-s for s in shift), axis=axis),),
    samples=lambda rng: [([rng.normal(size=(2, 3))], {"shift": (1, 2), "axis": (0, 1)})],
)  # fmt: skip


def roll(x: Any, shift: Any, axis: Any = None) -> Tensor:
    """Elements moved along axes, those that fall off entering at the other end."""
    x = convert(x)
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, 0), x.shape)
    axes = tuple(canonical_axis("roll", a, x.ndim) for a in shape_tuple("roll", axis))
    shifts = shape_tuple("roll", shift)
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(shifts) != len(axes):
        raise ShapeError(
            f"roll: {len(shifts)} shifts for {len(axes)} axes; one for each is needed."
        )
    return apply(_ROLL, x, shift=shifts, axis=axes)  # type: ignore[no-any-return]


def tile(x: Any, repeats: Any) -> Tensor:
    """The whole tensor repeated along each axis."""
    x = convert(x)
    counts = shape_tuple("tile", repeats)
    rank = max(len(counts), x.ndim)
    counts = (1,) * (rank - len(counts)) + counts
    sizes = (1,) * (rank - x.ndim) + x.shape
    pairs = [n for pair in zip(counts, sizes, strict=True) for n in pair]
    inner = reshape(x, [n for size in sizes for n in (1, size)])
    return reshape(
        broadcast_to(inner, pairs), tuple(c * n for c, n in zip(counts, sizes, strict=True))
    )


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element repeated along an axis (of the flat tensor by default)."""
    x = convert(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    place = canonical_axis("repeat", axis, x.ndim)
    counts = shape_tuple("repeat", repeats)
    if len(counts) == 1:
        shape = x.shape[: place + 1] + (counts[0],) + x.shape[place + 1 :]
        merged = x.shape[:place] + (x.shape[place] * counts[0],) + x.shape[place + 1 :]
        return reshape(broadcast_to(expand_dims(x, place + 1), shape), merged)
    if len(counts) != x.shape[place]:
        raise ShapeError(
            f"repeat: x is {x.spec}; {len(counts)} repeats for axis {axis} of size "
            f"{x.shape[place]}."
        )
    return OPERATORS["take"](x, np.repeat(np.arange(len(counts)), counts), place)  # type: ignore[no-any-return]


_BARRIER = define_op(
    "barrier", "view", "x", infer=lambda x: x, kernel=lambda xp, x: x.view(),
    vjp=lambda g: (g,), samples=uniform(-2, 2),
)  # fmt: skip


def barrier(x: Any) -> Tensor:
    """The same values, which no pass takes for those of `x`: what follows is computed anew."""
    return apply(_BARRIER, convert(x))  # type: ignore[no-any-return]


# -- the two creators that rules of other files need


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor of one value (or of values that broadcast), `floatx` by default."""
    value = convert(fill_value, dtypes.default_float() if dtype is None else dtype)
    return broadcast_to(value, shape_tuple("full", shape))


def filled(shape: tuple[int, ...], dtype: Any, value: int) -> Tensor:
    """Zeros or ones. A trace keeps one number and the shape instead of a large constant."""
    if STATE.trace is not None and math.prod(shape) > 64:
        return broadcast_to(Tensor(np.asarray(value, dtype)), shape)
    return constant(np.zeros(shape, dtype) if value == 0 else np.ones(shape, dtype))


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Ones in the shape (and dtype) of another tensor."""
    x = convert(x)
    return filled(x.shape, x.dtype if dtype is None else dtypes.as_dtype(dtype), 1)


OPERATORS.update(
    transpose=transpose,
    reshape=reshape,
    stack=stack,
    identity=identity,
    concatenate=concatenate,
    broadcast_to=broadcast_to,
)
NUMPY_FUNCTIONS.update({
    np.reshape: reshape, np.transpose: transpose, np.swapaxes: swapaxes, np.moveaxis: moveaxis,
    np.expand_dims: expand_dims, np.squeeze: squeeze, np.ravel: ravel, np.stack: stack,
    np.broadcast_to: broadcast_to, np.concatenate: concatenate, np.pad: pad, np.flip: flip,
    np.roll: roll, np.tile: tile, np.repeat: repeat, np.split: split, np.ones_like: ones_like,
})  # fmt: skip
