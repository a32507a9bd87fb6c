"""More of NumPy's names in `keras.ops`: joining, splitting, selecting, integers and bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kerasish_core as core

from .basics import isclose, sections
from .symbolic import KerasTensor, compute_output_spec, symbolic

__all__ = [
    "allclose", "angle", "append", "argpartition", "array_split", "bitwise_invert",
    "bitwise_left_shift", "bitwise_right_shift", "copy", "cross", "deg2rad", "diag", "diagflat",
    "diff", "dsplit", "dstack", "empty_like", "erfc", "fabs", "fliplr", "flipud", "fmax", "fmin",
    "fmod", "gcd", "geomspace", "hsplit", "isin", "isneginf", "isposinf", "isreal", "kron", "lcm",
    "ldexp", "logspace", "nextafter", "nonzero", "polar", "rad2deg", "rot90", "select", "unique",
    "unravel_index", "vander", "view", "view_as_complex", "view_as_real", "vsplit",
]  # fmt: skip

_o = core.ops


def _float(x: Any) -> Any:
    """Integers as `floatx`."""
    return _o.multiply(x, 1.0)


def _together(*xs: Any) -> list[Any]:
    """Tensors of the common dtype, Python numbers being weak."""
    weak = (bool, int, float)
    tensors = [x if type(x) in weak else core.convert(x) for x in xs]
    common = core.dtypes.result_type(*(type(x) if type(x) in weak else x.dtype for x in tensors))
    return [_o.cast(core.convert(x), common) for x in tensors]


# -- element by element


@symbolic
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether `|x1 - x2| <= atol + rtol * |x2|` everywhere."""
    return _o.all(isclose(x1, x2, rtol, atol, equal_nan))


@symbolic
def angle(x: Any) -> Any:
    """The angle of complex numbers; 0 or pi for real ones."""
    x = core.convert(x)
    if x.dtype.kind == "c":
        return _o.arctan2(_o.imag(x), _o.real(x))
    x = _float(x)
    return _o.arctan2(_o.zeros_like(x), x)


@symbolic
def bitwise_invert(x: Any) -> Any:
    """Every bit turned."""
    return _o.bitwise_not(x)


@symbolic
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """`x << y`."""
    return _o.left_shift(x, y)


@symbolic
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """`x >> y`."""
    return _o.right_shift(x, y)


@symbolic
def copy(x: Any) -> Any:
    """The same values."""
    return core.convert(x)


@symbolic
def deg2rad(x: Any) -> Any:
    """`x * pi / 180`."""
    return _o.multiply(x, math.pi / 180.0)


@symbolic
def rad2deg(x: Any) -> Any:
    """`x * 180 / pi`."""
    return _o.multiply(x, 180.0 / math.pi)


@symbolic
def erfc(x: Any) -> Any:
    """`1 - erf(x)`, without its loss of digits."""
    return _o.erfc(x)


@symbolic
def fabs(x: Any) -> Any:
    """Absolute value as a float."""
    return _o.absolute(_float(x))


@symbolic
def fmax(x1: Any, x2: Any) -> Any:
    """The larger of two; a number rather than NaN."""
    x1, x2 = _together(x1, x2)
    if not core.dtypes.is_float(x1.dtype):
        return _o.maximum(x1, x2)
    return _o.where(_o.isnan(x1), x2, _o.where(_o.isnan(x2), x1, _o.maximum(x1, x2)))


@symbolic
def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of two; a number rather than NaN."""
    x1, x2 = _together(x1, x2)
    if not core.dtypes.is_float(x1.dtype):
        return _o.minimum(x1, x2)
    return _o.where(_o.isnan(x1), x2, _o.where(_o.isnan(x2), x1, _o.minimum(x1, x2)))


@symbolic
def fmod(x1: Any, x2: Any) -> Any:
    """The remainder with the sign of `x1`."""
    x1, x2 = _together(x1, x2)
    size = _o.mod(_o.absolute(x1), _o.absolute(x2))
    return _o.where(_o.less(x1, 0), _o.negative(size), size)


@symbolic
def gcd(x1: Any, x2: Any) -> Any:
    """Greatest common divisor."""
    return _o.gcd(x1, x2)


@symbolic
def lcm(x1: Any, x2: Any) -> Any:
    """Least common multiple."""
    return _o.lcm(x1, x2)


@symbolic
def nextafter(x1: Any, x2: Any) -> Any:
    """The next number after `x1` towards `x2`."""
    return _o.nextafter(x1, x2)


@symbolic
def ldexp(x1: Any, x2: Any) -> Any:
    """`x1 * 2**x2`.

    Raises:
        TypeError: `x2` is not of an integer type.
    """
    x1, x2 = _float(x1), core.convert(x2)
    if not core.dtypes.is_integer(x2.dtype):
        raise TypeError(f"ldexp exponent must be an integer type. Received: x2 dtype={x2.dtype}")
    if x1.dtype.itemsize < 4:
        return _o.cast(_scaled(_o.cast(x1, "float32"), x2), x1.dtype)
    return _scaled(x1, x2)


def _scaled(x: Any, exponent: Any) -> Any:
    """`x * 2**exponent` of float32 or float64, by three powers that the dtype holds.

    The power nearest to 1 comes first, so that only the last product is rounded.
    """
    limits = core.dtypes.limits(x.dtype)
    integer = "int64" if x.dtype.itemsize == 8 else "int32"
    least = int(limits.minexp)
    exponent = _o.clip(_o.cast(exponent, "int64"), 3 * least, -3 * least)
    exponent, powers = _o.cast(exponent, integer), []
    for _ in range(3):
        part = _o.clip(exponent, least, -least)
        exponent = _o.subtract(exponent, part)
        bits = _o.left_shift(_o.add(part, 1 - least), int(limits.nmant))
        powers.append(_o.bitcast(bits, x.dtype))
    for power in reversed(powers):
        x = _o.multiply(x, power)
    return x


@symbolic
def isposinf(x: Any) -> Any:
    """Where elements are positive infinity."""
    return _o.equal(_float(x), math.inf)


@symbolic
def isneginf(x: Any) -> Any:
    """Where elements are negative infinity."""
    return _o.equal(_float(x), -math.inf)


@symbolic
def isreal(x: Any) -> Any:
    """Where the imaginary part is 0."""
    x = core.convert(x)
    if x.dtype.kind == "c":
        return _o.equal(_o.imag(x), 0)
    return _o.ones(x.shape, "bool")


@symbolic
def polar(abs_: Any, angle: Any) -> Any:
    """Complex numbers of size and angle."""
    size, turn = _float(abs_), _float(angle)
    return _complex(size * _o.cos(turn), size * _o.sin(turn))


def _complex(re: Any, im: Any) -> Any:
    wide = "complex128" if re.dtype.itemsize == 8 else "complex64"
    return _o.cast(re, wide) + _o.cast(im, wide) * core.convert(np.array(1j, wide))


@symbolic
def view_as_complex(x: Any) -> Any:
    """Complex numbers of pairs in the last axis."""
    x = core.convert(x)
    if not x.ndim or x.shape[-1] != 2:
        raise core.ShapeError(
            f"Last dimension of input must be size 2 (real and imaginary). Received: {x.shape}"
        )
    return _complex(x[..., 0], x[..., 1])


@symbolic
def view_as_real(x: Any) -> Any:
    """Pairs of real and imaginary parts in a new last axis."""
    return _o.stack([_o.real(x), _o.imag(x)], -1)


@symbolic
def view(x: Any, dtype: Any = None) -> Any:
    """The bytes read as another dtype; the last axis grows or shrinks by the ratio of sizes."""
    x = core.convert(x)
    return x if dtype is None else _o.bitcast(x, dtype)


# -- joining and splitting


@symbolic
def append(x1: Any, x2: Any, axis: Any = None) -> Any:
    """`x2` behind `x1` along an axis; both flattened without one."""
    if axis is None:
        return _o.concatenate([_o.ravel(x1), _o.ravel(x2)], 0)
    return _o.concatenate([x1, x2], axis)


@symbolic
def dstack(xs: Any) -> Any:
    """Joined along the third axis."""
    parts = [core.convert(x) for x in xs]
    parts = [_o.reshape(x, (1, -1, 1)) if x.ndim < 2 else x for x in parts]
    return _o.concatenate([_o.expand_dims(x, 2) if x.ndim == 2 else x for x in parts], 2)


@symbolic
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Parts along an axis, whose sizes differ by at most one."""
    if not isinstance(indices_or_sections, int):
        raise TypeError(
            "Argument `indices_or_sections` must be of type `int`. Received: "
            f"indices_or_sections={indices_or_sections}"
        )
    x = core.convert(x)
    sections(indices_or_sections)
    if not -x.ndim <= axis < x.ndim:
        raise core.ShapeError(f"array_split: axis {axis} is out of range for rank {x.ndim}.")
    size, parts = x.shape[axis], indices_or_sections
    sizes = [size // parts + (i < size % parts) for i in range(parts)]
    return _o.split(x, np.cumsum(sizes)[:-1].tolist(), axis)


@symbolic
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """Parts along the second axis (the first of vectors)."""
    x = core.convert(x)
    return _o.split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@symbolic
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """Parts along the first axis."""
    return _o.split(x, indices_or_sections, 0)


@symbolic
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """Parts along the third axis."""
    return _o.split(x, indices_or_sections, 2)


@symbolic
def flipud(x: Any) -> Any:
    """The first axis reversed."""
    return _o.flip(x, 0)


@symbolic
def fliplr(x: Any) -> Any:
    """The second axis reversed."""
    return _o.flip(x, 1)


@symbolic
def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Turned by 90 degrees `k` times in the plane of two axes."""
    x = core.convert(array)
    if x.ndim < 2:
        raise ValueError(
            f"Input array must have at least 2 dimensions. Received: array.ndim={x.ndim}"
        )
    first, second = axes
    if len(axes) != 2 or first % x.ndim == second % x.ndim:
        raise ValueError(f"Invalid axes: {axes}. Axes must be a tuple of two different dimensions.")
    for _ in range(k % 4):
        x = _o.flip(_o.swapaxes(x, first, second), first)
    return x


@symbolic
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Any:
    """Cross product of vectors of 3 (or 2) elements."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _o.moveaxis(x1, axisa, -1), _o.moveaxis(x2, axisb, -1)
    flat = a.shape[-1] == 2 and b.shape[-1] == 2
    y = _o.cross(a, b)
    return y if flat else _o.moveaxis(y, -1, axisc)


@symbolic
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker product."""
    return _o.kron(x1, x2)


def _diagonal_of_unknown(function: Any, x: Any, k: int = 0) -> Any:
    found = compute_output_spec(function, x, k)
    return KerasTensor((None,), x.dtype) if len(x.shape) == 2 and None in x.shape else found


@symbolic(spec=lambda x, k=0: _diagonal_of_unknown(_o.diag, x, k))
def diag(x: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    return _o.diag(x, k)


@symbolic
def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix whose diagonal is the flattened tensor."""
    return _o.diag(_o.ravel(x), k)


@symbolic
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours, `n` times.

    Raises:
        ValueError: `n` is negative.
    """
    if n < 0:
        raise ValueError(f"diff: the order n must not be negative. Received: n={n}")
    x = core.convert(a)
    for _ in range(n):
        size = x.shape[axis]
        rest = _o.split(x, [1], axis)[1]
        start = _o.split(x, [size - 1], axis)[0]
        x = _o.not_equal(rest, start) if x.dtype == np.bool_ else rest - start
    return x


# -- making and choosing


@symbolic
def empty_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of `x`."""
    return _o.zeros_like(x, dtype)


@symbolic
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    """`base ** linspace(start, stop)`."""
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    y = _o.power(base, _o.linspace(_float(start), _float(stop), num, endpoint, False, None, axis))
    return y if dtype is None else _o.cast(y, dtype)


@symbolic
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Numbers with equal ratios from `start` to `stop`."""
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    start, stop = _float(start), _float(stop)
    start, stop = start + _o.zeros_like(stop), stop + _o.zeros_like(start)
    part = _o.linspace(0.0, 1.0, num, endpoint, False, start.dtype)
    part = _o.reshape(part, (-1, *([1] * start.ndim)))
    y = _o.moveaxis(start * _o.power(stop / start, part), 0, axis)
    return y if dtype is None else _o.cast(y, dtype)


@symbolic
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The first choice whose condition holds, element by element."""
    if not isinstance(condlist, list | tuple) or not isinstance(choicelist, list | tuple):
        raise ValueError(
            "condlist and choicelist must be lists. Received: type(condlist) = "
            f"{type(condlist)}, type(choicelist) = {type(choicelist)}"
        )
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(
            "condlist and choicelist must not be empty and must be equally long. Received: "
            f"{len(condlist)} conditions and {len(choicelist)} choices."
        )
    *choices, y = _together(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        y = _o.where(condition, choice, y)
    return y


@symbolic
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Where elements of `x1` are among those of `x2`."""
    found = _o.any(_o.equal(_o.expand_dims(x1, -1), _o.ravel(x2)), -1)
    return _o.logical_not(found) if invert else found


@symbolic
def argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """An order that puts the element of rank `kth` in its place: that which sorts."""
    x = core.convert(x)
    x, axis = (_o.ravel(x), 0) if axis is None else (x, axis)
    if -x.ndim <= axis < x.ndim and not -x.shape[axis] <= kth < x.shape[axis]:
        raise ValueError(f"argpartition: kth={kth} is out of range for size {x.shape[axis]}.")
    return _o.argsort(x, axis)


def _unknown_places(x: Any) -> Any:
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@symbolic(spec=_unknown_places)
def nonzero(x: Any) -> Any:
    """The indices of elements that are not zero. Needs the values: not in compiled steps."""
    return _o.nonzero(x)


def _unknown_unique(
    x: Any, sorted: bool = True, return_index: bool = False, return_inverse: bool = False,
    return_counts: bool = False, axis: Any = None, size: Any = None, fill_value: Any = None,
) -> Any:  # fmt: skip
    shape: tuple[Any, ...] = (size,)
    if axis is not None:
        rank = len(x.shape)
        if not -rank <= axis < rank:
            raise ValueError(f"unique: axis {axis} is out of range for rank {rank}.")
        axis %= rank
        shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
    places = x.shape if axis is None else (x.shape[axis],)
    parts = [KerasTensor(shape, core.dtypes.name_of(x.dtype))]
    for wanted, rest in (
        (return_index, (size,)),
        (return_inverse, places),
        (return_counts, (size,)),
    ):
        if wanted:
            parts.append(KerasTensor(rest, "int32"))
    return tuple(parts) if len(parts) > 1 else parts[0]


@symbolic(spec=_unknown_unique)
def unique(
    x: Any, sorted: bool = True, return_index: bool = False, return_inverse: bool = False,
    return_counts: bool = False, axis: Any = None, size: Any = None, fill_value: Any = None,
) -> Any:  # fmt: skip
    """The different elements, or slices along an axis, in ascending order.

    Args:
        x: Any shape.
        sorted: They are so in any case.
        return_index: Whether to tell where each is found first.
        return_inverse: Whether to tell which of them each element (or slice) is.
        return_counts: Whether to tell how often each is there.
        axis: None for the elements of the flattened array.
        size: How many are returned, the first of them if there are more. What is missing is
            `fill_value`, found where the first is, 0 times.
        fill_value: None for the first.

    Compiled steps need a `size`, and no `axis` unless `x` is a vector: else the number depends on
    values. NaN equals nothing.
    """
    x = core.convert(x)
    wanted = (return_index, return_inverse, return_counts)
    if size is not None and core.is_tracing() and (axis is None or x.ndim == 1) and x.size:
        values, rest = _unique_of_size(x, size, fill_value)
    else:
        values, *rest = np.unique(
            np.asarray(x), return_index=True, return_inverse=True, return_counts=True, axis=axis,
            equal_nan=False,
        )  # fmt: skip
        if size is not None:
            values, rest = _to_size(values, rest, size, fill_value, axis or 0)
    parts = [_o.cast(core.convert(r), "int32") for r, w in zip(rest, wanted, strict=True) if w]
    return (core.convert(values), *parts) if parts else core.convert(values)


def _unique_of_size(x: Any, size: int, fill: Any) -> Any:
    """By sorting: the k-th begins where the number of changes before reaches k."""
    flat = _o.ravel(x)
    order = _o.argsort(flat)
    ascending = _o.take(flat, order)
    change = _o.not_equal(ascending[1:], ascending[:-1])
    rank = _o.concatenate([_o.zeros((1,), "int32"), _o.cumsum(_o.cast(change, "int32"))])
    begin, end = (_o.searchsorted(rank, _o.arange(size), side) for side in ("left", "right"))
    there = _o.less(begin, flat.size)
    begin = _o.where(there, begin, 0)
    values = _o.take(ascending, begin)
    if fill is not None:
        values = _o.where(there, values, core.convert(fill, x.dtype))
    counts = _o.where(there, end - begin, 0)
    inverse = _o.take(rank, _o.argsort(order))
    return values, [_o.take(order, begin), _o.reshape(inverse, x.shape), counts]


def _to_size(values: Any, rest: Any, size: int, fill: Any, axis: int) -> Any:
    """Cut or fill up to a fixed number of values."""
    count = values.shape[axis]
    index, inverse, counts = rest
    if count >= size:
        return np.take(values, range(size), axis), [index[:size], inverse, counts[:size]]
    more = size - count
    if count == 0 or fill is not None:
        shape = [more if i == axis % values.ndim else n for i, n in enumerate(values.shape)]
        filling = np.full(shape, 0 if fill is None else fill, values.dtype)
    else:
        filling = np.repeat(np.take(values, [0], axis), more, axis)
    first = index[0] if count else 0
    return np.concatenate([values, filling], axis), [
        np.pad(index, (0, more), constant_values=first), inverse, np.pad(counts, (0, more))
    ]  # fmt: skip


@symbolic
def unravel_index(indices: Any, shape: Any) -> Any:
    """The indices into a shape for indices into the flattened array.

    Negative ones count from the end; those out of range are taken to the nearest place.
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    total = math.prod(shape)
    index = core.convert(indices)
    kind = index.dtype.kind
    if kind == "f" or (kind == "i" and total <= np.iinfo(index.dtype).max):
        index = _o.clip(_o.where(index < 0, index + total, index), 0, total - 1)
    found = []
    for size in reversed(shape):
        found.append(_o.mod(index, size))
        index = _o.floor_divide(index, size)
    return tuple(reversed(found))


@symbolic
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """Powers of a vector as columns.

    Raises:
        TypeError: `N` is no int.
        ValueError: `N` is negative, or `x` is no vector.
    """
    if N is not None and not isinstance(N, int):
        raise TypeError(f"Argument `N` must be of type `int`. Received: N={N} of type {type(N)}")
    if N is not None and N < 0:
        raise ValueError(f"Argument 'N' must be nonnegative. Received: N={N}")
    x = core.convert(x)
    if x.ndim != 1:
        raise ValueError(f"Input tensor must be 1-dimensional. Received: input.shape={x.shape}")
    count = x.shape[0] if N is None else N
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    return _o.power(_o.expand_dims(x, 1), core.convert(powers.astype(x.dtype)))
