"""Random tensors as functions of a seed: the same seed and shape give the same values.

A seed is a uint32[2] tensor, the key of Philox4x32-10; the counter is the element's number. So a
result does not depend on how the work is split. Other distributions than the uniform one are
composed, and thereby differentiable by their parameters where that makes sense.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import apply, is_recording
from ..errors import DTypeError, ShapeError
from ..op import Spec, define_op
from ..tensor import Tensor, constant, convert
from ._args import as_float, canonical_axis
from .counts import binomial_counts, poisson_counts
from .creation import zeros
from .elementwise import cast, clip, exp, log, maximum, power, sqrt, stop_gradient, where
from .implicit import implicit_gamma
from .indexing import take
from .logic import left_shift, logical_and, logical_not, logical_or
from .nonlinear import sigmoid
from .philox import philox_words
from .reduce import argmax
from .shape import broadcast_to, expand_dims, shape_tuple
from .sorting import argsort
from .special import erfinv, lgamma

__all__ = [
    "beta", "binomial", "bits", "categorical", "fold_in", "gamma", "normal", "poisson", "randint",
    "shuffle", "truncated_normal", "uniform",
]  # fmt: skip

_UINT32 = np.dtype("uint32")


def _seed(x: Any) -> Tensor:
    seed = convert(x)
    _check_seed("random", seed.spec)
    return seed


def _check_seed(name: str, seed: Spec) -> None:
    if seed.shape != (2,) or seed.dtype != _UINT32:
        raise DTypeError(f"{name}: the seed is {seed}; u32[2] is needed.")


def _many(attrs: dict[str, Any]) -> bool:
    """Whether making a native program for the shape pays."""
    return math.prod(attrs["shape"]) >= 1 << 12


def _bits_spec(seed: Spec, shape: tuple[int, ...], stream: int) -> Spec:
    _check_seed("random bits", seed)
    return Spec(shape, _UINT32)


_BITS = define_op(
    "random_bits", "random", "seed", native=_many, infer=_bits_spec,
    kernel=lambda xp, seed, shape, stream: philox_words(
        xp, seed, math.prod(shape), stream
    ).reshape(shape),
    samples=lambda rng: [([np.array([1, 2], "uint32")], {"shape": (3, 5), "stream": 0})],
)  # fmt: skip


def _uniform_spec(seed: Spec, shape: tuple[int, ...], dtype: Any, stream: int) -> Spec:
    _check_seed("random uniform", seed)
    return Spec(shape, dtype)


def _uniform_kernel(xp: Any, seed: Any, shape: Any, dtype: Any, stream: int) -> Any:
    count = math.prod(shape)
    if dtype == np.float64:
        words = philox_words(xp, seed, 2 * count, stream).astype("uint64")
        whole = (words[0::2] << xp.uint64(21)) ^ (words[1::2] >> xp.uint64(11))
        return ((whole & xp.uint64((1 << 53) - 1)) * 2.0**-53).reshape(shape)
    # As many bits as the significand holds, so that 1 is never reached by rounding.
    digits = {"float16": 11, "bfloat16": 8}.get(dtype.name, 24)
    words = philox_words(xp, seed, count, stream) >> xp.uint32(32 - digits)
    return (words.astype("float32") * np.float32(2.0**-digits)).astype(dtype).reshape(shape)


_UNIFORM = define_op(
    "random_uniform", "random", "seed", native=_many, infer=_uniform_spec,
    kernel=_uniform_kernel,
    samples=lambda rng: [
        ([np.array([1, 2], "uint32")], {"shape": (3, 5), "dtype": np.dtype(d), "stream": 0})
        for d in ("float32", "float64")
    ],
)  # fmt: skip


def _float(dtype: Any) -> Any:
    dtype = dtypes.as_dtype(dtypes.default_float() if dtype is None else dtype)
    if not dtypes.is_float(dtype):
        raise DTypeError(f"A floating dtype is needed for random numbers, got {dtype.name}.")
    return dtype


def _unit(seed: Any, shape: Any, dtype: Any, stream: int = 0) -> Tensor:
    """Uniform in [0, 1)."""
    return apply(  # type: ignore[no-any-return]
        _UNIFORM,
        _seed(seed),
        shape=shape_tuple("random", shape),
        dtype=_float(dtype),
        stream=stream,
    )


def _open_unit(seed: Any, shape: Any, dtype: Any, stream: int = 0) -> Tensor:
    """Uniform in (0, 1): the middle of each step, so that no logarithm meets 0."""
    wide = _float(dtype)
    wide = np.dtype("float32") if wide.itemsize < 4 else wide
    step = 2.0**-54 if wide == np.float64 else 2.0**-25
    u = _unit(seed, shape, wide, stream) + step
    inside: Tensor = clip(u, step, 1 - 2 * step if wide == np.float64 else 1 - 2.0**-24)
    return inside


def bits(seed: Any, shape: Any) -> Tensor:
    """Uniform 32-bit integers."""
    return apply(_BITS, _seed(seed), shape=shape_tuple("random", shape), stream=0)  # type: ignore[no-any-return]


def fold_in(seed: Any, number: int) -> Tensor:
    """Another seed, made of a seed and a number."""
    return apply(_BITS, _seed(seed), shape=(2,), stream=int(number) + (1 << 40))  # type: ignore[no-any-return]


def uniform(seed: Any, shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None) -> Any:
    """Uniform in `[minval, maxval)`; the bounds may be tensors."""
    dtype = _float(dtype)
    u = _unit(seed, shape, dtype)
    if type(minval) in (int, float) and type(maxval) in (int, float):
        if (minval, maxval) == (0, 1):
            return u
        value = None if is_recording() else u.value
        if type(value) is np.ndarray and value.dtype in (np.float32, np.float64):
            # In place, as nobody else has it: fresh memory takes longer than the arithmetic.
            value *= value.dtype.type(maxval - minval)
            value += value.dtype.type(minval)
            return u
        return u * (maxval - minval) + minval
    low, high = cast(convert(minval), dtype), cast(convert(maxval), dtype)
    return u * (high - low) + low


def normal(seed: Any, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None) -> Any:
    """Normal distribution by the inverse of its distribution function."""
    dtype = _float(dtype)
    z = erfinv(_open_unit(seed, shape, dtype) * 2 - 1) * math.sqrt(2)
    return _scaled(cast(z, dtype), mean, stddev)


def _scaled(z: Tensor, mean: Any, stddev: Any) -> Any:
    if type(mean) in (int, float) and type(stddev) in (int, float):
        z = z if stddev == 1 else z * stddev
        return z if mean == 0 else z + mean
    return z * cast(convert(stddev), z.dtype) + cast(convert(mean), z.dtype)


def truncated_normal(
    seed: Any, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None
) -> Any:
    """Normal distribution within two standard deviations of the mean."""
    dtype = _float(dtype)
    bound = math.erf(math.sqrt(2))
    z = erfinv((_open_unit(seed, shape, dtype) * 2 - 1) * bound) * math.sqrt(2)
    return _scaled(clip(cast(z, dtype), -2.0, 2.0), mean, stddev)


def randint(seed: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = "int32") -> Any:
    """Uniform integers in `[minval, maxval)`.

    A 64-bit draw modulo the range, whose bias is below `range / 2**64`.
    """
    dtype = dtypes.as_dtype(dtype)
    if not dtypes.is_integer(dtype):
        raise DTypeError(f"randint: an integer dtype is needed, got {dtype.name}.")
    shape = shape_tuple("random", shape)
    pair = cast(apply(_BITS, _seed(seed), shape=(*shape, 2), stream=0), "uint64")
    whole = left_shift(pair[..., 0], constant(np.array(32, "uint64"))) | pair[..., 1]
    low, high = cast(convert(minval), "int64"), cast(convert(maxval), "int64")
    span = cast(maximum(high - low, 1), "uint64")
    return cast(cast(whole % span, "int64") + low, dtype)


def categorical(seed: Any, logits: Any, num_samples: int, dtype: Any = "int32") -> Any:
    """Classes drawn by their logits `(batch, classes)`: `(batch, num_samples)`, by Gumbel's trick.

    Source: E. J. Gumbel, "Statistical theory of extreme values" (1954).
    """
    logits = as_float(logits)
    if logits.ndim != 2:
        raise ShapeError(f"categorical: logits are {logits.spec}; two axes are needed.")
    batch, classes = logits.shape
    u = _open_unit(seed, (batch, num_samples, classes), logits.dtype)
    noise = -log(-log(u))
    return cast(argmax(expand_dims(logits, 1) + noise, -1), dtype)


def shuffle(seed: Any, x: Any, axis: int = 0) -> Any:
    """The slices along an axis in random order."""
    x = convert(x)
    place = canonical_axis("shuffle", axis, x.ndim)
    return take(x, argsort(bits(seed, (x.shape[place],))), place)


# -- by rejection, with a fixed number of rounds in a stream each

_ROUNDS = 10


def _standard_gamma(
    seed: Any, shape: tuple[int, ...], alpha: Any, dtype: Any
) -> tuple[Any, Any, Any]:
    """Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).

    A round accepts with probability above 0.95, so that all `_ROUNDS` fail once in 10**13.

    Returns:
        A draw of shape `alpha`, or `alpha + 1` where alpha is below 1; the uniform draw u with
        which `u**(1 / alpha)` times it is one of shape `alpha`; and where that is so.
    """
    small = alpha < 1
    d = where(small, alpha + 1, alpha) - 1 / 3
    c = 1 / sqrt(d * 9)
    result, done = d * 1.0, zeros(shape, bool)
    for i in range(_ROUNDS):
        z = erfinv(_open_unit(seed, shape, dtype, 2 * i + 1) * 2 - 1) * math.sqrt(2)
        v = power(maximum(c * z + 1, 0.0), 3)
        u = _open_unit(seed, shape, dtype, 2 * i + 2)
        positive = v > 0
        safe = where(positive, v, 1)
        good = logical_and(positive, log(u) < z * z * 0.5 + d - d * v + d * log(safe))
        result = where(logical_and(logical_not(done), good), d * v, result)
        done = logical_or(done, good)
    return result, _open_unit(seed, shape, dtype, 0), small


def _gamma_shape(shape: Any, alpha: Any, dtype: Any) -> tuple[tuple[int, ...], Any]:
    """Sizes, and `alpha` for each draw in a dtype wide enough to compute with."""
    shape = shape_tuple("random", shape)
    wide = np.dtype("float32") if dtype.itemsize < 4 else dtype
    return shape, broadcast_to(cast(convert(alpha), wide), shape)


def gamma(seed: Any, shape: Any, alpha: Any, dtype: Any = None) -> Any:
    """Gamma distribution of shape `alpha` and scale 1, differentiable by `alpha`."""
    dtype = _float(dtype)
    shape, a = _gamma_shape(shape, alpha, dtype)
    fixed = stop_gradient(a)
    z, u, small = _standard_gamma(seed, shape, fixed, a.dtype)
    z = stop_gradient(z * where(small, power(u, 1 / where(small, fixed, 1)), 1))
    return cast(implicit_gamma(a, z), dtype)


# Below e to this power the gamma distribution function is z**alpha / Gamma(alpha + 1).
_TINY = -60.0


def _log_gamma(seed: Any, shape: Any, alpha: Any, dtype: Any) -> Any:
    """Logarithms of gamma variables, also of those that are too small for the dtype."""
    shape, a = _gamma_shape(shape, alpha, dtype)
    fixed = stop_gradient(a)
    z, u, small = _standard_gamma(seed, shape, fixed, a.dtype)
    least = float(np.finfo(a.dtype).tiny)  # all draws of v failed, or alpha is 0
    found = log(maximum(z, least)) + where(small, log(u) / where(small, fixed, 1), 0)
    found = stop_gradient(found)
    tiny = found < _TINY
    near = log(implicit_gamma(a, exp(where(tiny, 0, found))))
    # The quantile at which a draw stands stays as alpha moves.
    quantile = stop_gradient(fixed * found - lgamma(fixed + 1))
    return where(tiny, (quantile + lgamma(a + 1)) / a, near)


def beta(seed: Any, shape: Any, alpha: Any, beta: Any, dtype: Any = None) -> Any:
    """Beta distribution: `x / (x + y)` of two gamma variables, by their logarithms."""
    dtype = _float(dtype)
    x = _log_gamma(fold_in(seed, 1), shape, alpha, dtype)
    y = _log_gamma(fold_in(seed, 2), shape, beta, dtype)
    return cast(sigmoid(x - y), dtype)


def _count_spec(name: str, seed: Spec, parameters: tuple[Spec, ...], dtype: Any) -> Spec:
    _check_seed(name, seed)
    if any(p != Spec(parameters[0].shape, np.dtype("float64")) for p in parameters):
        shown = ", ".join(map(str, parameters))
        raise DTypeError(f"{name}: the parameters are {shown}; f64 of one shape is needed.")
    return Spec(parameters[0].shape, dtype)


_POISSON = define_op(
    "random_poisson", "random", "seed rate",
    infer=lambda seed, rate, dtype: _count_spec("random poisson", seed, (rate,), dtype),
    kernel=lambda xp, seed, rate, dtype: poisson_counts(xp, seed, rate).astype(dtype),
    samples=lambda rng: [
        ([np.array([1, 2], "uint32"), rng.uniform(0, 30, (3, 4))], {"dtype": np.dtype("float32")})
    ],
)  # fmt: skip
_BINOMIAL = define_op(
    "random_binomial", "random", "seed counts probability",
    infer=lambda seed, counts, probability, dtype: _count_spec(
        "random binomial", seed, (counts, probability), dtype
    ),
    kernel=lambda xp, seed, counts, probability, dtype: binomial_counts(
        xp, seed, counts, probability
    ).astype(dtype),
    samples=lambda rng: [
        ([np.array([1, 2], "uint32"), rng.integers(0, 90, (3, 4)) * 1.0, rng.random((3, 4))],
         {"dtype": np.dtype("float32")})
    ],
)  # fmt: skip


def poisson(seed: Any, shape: Any, lam: Any, dtype: Any = None) -> Any:
    """Poisson distribution of rate `lam`; NaN where the rate is negative."""
    rate = broadcast_to(cast(convert(lam), "float64"), shape_tuple("random", shape))
    return apply(_POISSON, _seed(seed), rate, dtype=_float(dtype))


def binomial(seed: Any, shape: Any, counts: Any, probabilities: Any, dtype: Any = None) -> Any:
    """Number of successes in `counts` trials, each of the given probability.

    NaN where a count is negative or a probability not in [0, 1].
    """
    size = shape_tuple("random", shape)
    n, p = (broadcast_to(cast(convert(v), "float64"), size) for v in (counts, probabilities))
    return apply(_BINOMIAL, _seed(seed), n, p, dtype=_float(dtype))
