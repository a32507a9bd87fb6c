"""For every op of the registry a line that computes its result in another way.

Element functions are computed by mpmath at 40 digits, so that the tolerance can be a few units in
the last place; structural ones by plain loops or by another NumPy function.
"""

import bisect
import functools
import itertools
import math
import operator

import attention_oracles
import matrix_oracles
import mpmath
import norm_oracles
import numpy as np
import rnn_oracles

mpmath.mp.dps = 40

__all__ = ["ORACLES", "STATISTICAL", "ULPS", "philox_block"]


# -- element by element


def python(function, dtype=None):
    """An oracle of Python numbers, applied to each element of the broadcast operands."""

    def oracle(*arrays, **attrs):
        rows = np.broadcast_arrays(*arrays)
        found = [function(*(v.item() for v in vs), **attrs) for vs in zip(*(r.flat for r in rows))]
        kind = dtype or np.result_type(*arrays)
        return np.array(found, dtype=kind).reshape(rows[0].shape)

    return oracle


def mp(function):
    """An oracle of mpmath numbers."""
    if isinstance(function, str):
        function = getattr(mpmath, function)
    return python(lambda *vs, **attrs: float(function(*map(mpmath.mpf, vs), **attrs)))


def erfinv(x):
    return mpmath.erfinv(x)


def elu(x, alpha):
    return x if x > 0 else alpha * mpmath.expm1(x)


def half_even(x):
    return mpmath.nint(x)


def fourier(re, im, axes, sign):
    """By the matrix of the transform."""
    z = re + 1j * im
    for axis in axes:
        n = z.shape[axis]
        turns = np.outer(np.arange(n), np.arange(n)) % n
        matrix = np.exp(sign * 2j * np.pi * turns / n)
        z = np.moveaxis(np.tensordot(matrix, z, (1, axis)), 0, axis)
    return z.real, z.imag


# -- reductions


def over(function):
    """An oracle of a function of a list of floats, applied over axes."""

    def oracle(x, axes, keepdims):
        kept = [i for i in range(x.ndim) if i not in axes]
        rows = x.transpose(kept + list(axes)).reshape([x.shape[i] for i in kept] + [-1])
        found = np.array([function(row.tolist()) for row in rows.reshape(-1, rows.shape[-1])])
        shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
        return found.reshape(shape if keepdims else rows.shape[:-1])

    return oracle


def log_sum(values):
    return float(mpmath.log(mpmath.fsum(mpmath.exp(v) for v in values)))


def soft(log):
    def oracle(x, axes):
        total = over(log_sum)(x, axes, True)
        return x - total if log else np.exp(x - total)

    return oracle


def position(best):
    def oracle(x, axis, keepdims):
        found = np.apply_along_axis(lambda row: list(row).index(best(row)), axis, x)
        return np.expand_dims(found, axis) if keepdims else found

    return oracle


def running(function):
    def oracle(x, axis, reverse):
        def row(values):
            values = values[::-1] if reverse else values
            found = list(itertools.accumulate(values.tolist(), function))
            return np.array(found[::-1] if reverse else found)

        return np.apply_along_axis(row, axis, x)

    return oracle


# -- indexing


def as_key(key, arrays):
    def part(p):
        if not isinstance(p, tuple):
            return p
        if p[0] == "tensor":
            return arrays[p[1]]
        return slice(*p[1:]) if p[0] == "slice" else Ellipsis

    return tuple(map(part, key))


def numbers(shape, key, indices):
    """The flat number of each element named; -1 beyond the end of the first indexed axis."""
    base = np.arange(math.prod(shape)).reshape(shape)
    tensors = [i for i, p in enumerate(key) if isinstance(p, tuple) and p[0] == "tensor"]
    if len(tensors) == 1 and all(isinstance(p, tuple) for p in key[: tensors[0]]):
        axis, index = tensors[0], indices[0]
        rows = base[as_key(key[:axis], ())]
        pick = [
            np.take(rows, int(i), axis) if -shape[axis] <= i < shape[axis]
            else np.full_like(np.take(rows, 0, axis), -1)
            for i in index.flat
        ]  # fmt: skip
        found = np.moveaxis(np.array(pick), 0, axis)
        return found.reshape(found.shape[:axis] + index.shape + found.shape[axis + 1 :])
    return base[as_key(key, indices)]


def gather(x, *indices, key, fill=None):
    flat = [*x.flat, 0.0 if fill == "zero" else np.nan]
    where = numbers(x.shape, key, indices)
    return np.array([flat[i] for i in where.flat]).reshape(where.shape)


def index_add(x, values, *indices, key, drop=False):
    found = x.copy()
    for i, v in zip(numbers(x.shape, key, indices).flat, values.flat):
        if i >= 0:
            found.flat[i] += v
    return found


def index_set(x, values, *indices, key, drop=False, distinct=False):
    found = x.copy()
    for i, v in zip(numbers(x.shape, key, indices).flat, values.flat):
        if i >= 0:
            found.flat[i] = v
    return found


def segment_max(data, ids, num_segments):
    rows = [data[ids == k] for k in range(num_segments)]
    return np.array([functools.reduce(np.maximum, row) for row in rows])


# -- windows


def padded(x, pads, value=0.0):
    shape = (x.shape[0], *(n + a + b for n, (a, b) in zip(x.shape[1:-1], pads)), x.shape[-1])
    found = np.full(shape, value)
    found[(slice(None), *(slice(a, a + n) for n, (a, _) in zip(x.shape[1:-1], pads)))] = x
    return found


def conv(x, kernel, strides, pads, dilation, groups):
    x = padded(x, pads)
    window, (inner, outer) = kernel.shape[:-2], kernel.shape[-2:]
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation)]
    out = [(n - s) // t + 1 for n, s, t in zip(x.shape[1:-1], spans, strides)]
    found = np.zeros((x.shape[0], *out, outer))
    for b, place, o in itertools.product(
        range(x.shape[0]), itertools.product(*map(range, out)), range(outer)
    ):
        first = o // (outer // groups) * inner
        for tap in itertools.product(*map(range, window)):
            at = [p * t + k * d for p, t, k, d in zip(place, strides, tap, dilation)]
            row = x[(b, *at)][first : first + inner]
            found[(b, *place, o)] += math.fsum(row * kernel[(*tap, slice(None), o)])
    return found


def transposed(linear, shape, g):
    """The transpose of a linear function, from its columns."""
    found = np.zeros(shape)
    for place in np.ndindex(*shape):
        basis = np.zeros(shape)
        basis[place] = 1
        found[place] = np.sum(linear(basis) * g)
    return found


def conv_input_grad(g, kernel, shape, **attrs):
    return transposed(lambda x: conv(x, kernel, **attrs), shape, g)


def conv_kernel_grad(x, g, shape, **attrs):
    return transposed(lambda k: conv(x, k, **attrs), shape, g)


def windows(x, function, window, strides, pads, value):
    x = padded(x, pads, value)
    out = [(n - k) // t + 1 for n, k, t in zip(x.shape[1:-1], window, strides)]
    found = np.zeros((x.shape[0], *out, x.shape[-1]))
    for b, place, c in itertools.product(
        range(x.shape[0]), itertools.product(*map(range, out)), range(x.shape[-1])
    ):
        area = tuple(slice(p * t, p * t + k) for p, t, k in zip(place, strides, window))
        found[(b, *place, c)] = function(x[(b, *area, c)])
    return found


def max_pool(x, **attrs):
    return windows(x, np.max, **attrs, value=-np.inf)


def max_pool_select(x, u, pads, **attrs):
    """`u` where `x` is largest: values of `x` name the places, being all different."""
    value = dict(zip(x.flat, u.flat))
    return np.vectorize(value.get)(max_pool(x, pads=pads, **attrs))


def max_pool_grad(x, g, **attrs):
    return transposed(lambda u: max_pool_select(x, u, **attrs), x.shape, g)


def window_sum(x, **attrs):
    return windows(x, math_fsum, **attrs, value=0.0)


def math_fsum(x):
    return math.fsum(np.ravel(x))


def window_spread(g, shape, **attrs):
    return transposed(lambda x: window_sum(x, **attrs), shape, g)


# -- the rest


def matmul(a, b):
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, lead + a.shape[-2:]), np.broadcast_to(b, lead + b.shape[-2:])
    return np.sum(a[..., :, :, None] * b[..., None, :, :], axis=-2)


def einsum(*xs, terms, result):
    """The sum over all values of all letters, by loops."""
    sizes = {}
    for x, term in zip(xs, terms):
        for letter, n in zip(term, x.shape):
            sizes[letter] = max(n, sizes.get(letter, 1))
    found = np.zeros([sizes[letter] for letter in result])
    for values in itertools.product(*map(range, sizes.values())):
        at = dict(zip(sizes, values))
        factors = [
            x[tuple(at[c] if n > 1 else 0 for c, n in zip(term, x.shape))]
            for x, term in zip(xs, terms)
        ]
        found[tuple(at[c] for c in result)] += math.prod(factors)
    return found


def pad(x, pad_width, mode, value=0):
    kept = {} if mode != "constant" else {"constant_values": value}
    return np.pad(x, pad_width, mode=mode, **kept)


def roll(x, shift, axis):
    for s, a in zip(shift, axis):
        x = np.take(x, (np.arange(x.shape[a]) - s) % x.shape[a], a)
    return x


def flip(x, axes):
    return x[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim))]


def in_rows(function):
    return lambda x, axis: np.apply_along_axis(lambda row: function(row.tolist()), axis, x)


def order(row):
    return sorted(range(len(row)), key=row.__getitem__)


def top_k_indices(x, k):
    return in_rows(lambda row: sorted(range(len(row)), key=lambda i: -row[i])[:k])(x, -1)


def searchsorted(x, values, side):
    function = bisect.bisect_left if side == "left" else bisect.bisect_right
    return np.vectorize(lambda v: function(x.tolist(), v))(values)


def philox_block(counter, key):
    """One block of Philox4x32-10 in Python's integers; counter and key as lists of words."""
    c, k, mask = list(counter), list(key), 2**32 - 1
    for _ in range(10):
        left, right = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [right >> 32 ^ c[1] ^ k[0], right & mask, left >> 32 ^ c[3] ^ k[1], left & mask]
        k = [k[0] + 0x9E3779B9 & mask, k[1] + 0xBB67AE85 & mask]
    return c


def gamma_slope(alpha, z):
    """How the quantile moves: -(dF/dalpha) / density, F being the distribution function."""
    below = lambda a: mpmath.gammainc(a, 0, z, regularized=True)
    density = z ** (alpha - 1) * mpmath.exp(-z) / mpmath.gamma(alpha)
    return -mpmath.diff(below, alpha) / density


def random_bits(seed, shape, stream):
    key, count = [int(v) for v in seed], math.prod(shape)
    blocks = [philox_block([i, 0, stream, 0], key) for i in range(-(-count // 4))]
    return np.array(list(itertools.chain(*blocks))[:count], "uint32").reshape(shape)


def random_uniform(seed, shape, dtype, stream):
    """The leading 24 bits of a word, or 53 of two, as a binary fraction."""
    if dtype == np.float32:
        words = random_bits(seed, shape, stream)
        return np.vectorize(lambda w: math.ldexp(int(w) >> 8, -24))(words)
    words = random_bits(seed, (math.prod(shape), 2), stream).tolist()
    bits = [((a << 21) ^ (b >> 11)) % 2**53 for a, b in words]
    return np.array([math.ldexp(v, -53) for v in bits]).reshape(shape)


ORACLES = {
    "absolute": mp(abs),
    "add": mp(operator.add),
    "all": over(lambda row: False not in row),
    "any": over(lambda row: True in row),
    "arccos": mp("acos"),
    "arccosh": mp("acosh"),
    "arcsin": mp("asin"),
    "arcsinh": mp("asinh"),
    "arctan": mp("atan"),
    "arctan2": mp("atan2"),
    "arctanh": mp("atanh"),
    "argmax": position(max),
    "argmin": position(min),
    "argsort": in_rows(order),
    "bitwise_and": python(operator.and_),
    "bitwise_not": python(lambda v: not v if isinstance(v, bool) else -1 - v),
    "bitwise_or": python(operator.or_),
    "bitwise_xor": python(operator.xor),
    "broadcast_to": lambda x, shape: x * np.ones(shape),
    "cast": lambda x, dtype: np.array(x.tolist(), dtype),
    "cbrt": mp("cbrt"),
    "ceil": mp("ceil"),
    "centred_affine": mp(lambda x, m, f, s: (x - m) * f + s),
    "centred_sums": norm_oracles.centred_sums,
    "cholesky": matrix_oracles.cholesky,
    "clip": mp(lambda x, low, high: low if x < low else high if x > high else x),
    "cofactors": matrix_oracles.cofactors,
    "concatenate": lambda *xs, axis: np.moveaxis(
        np.array([r for x in xs for r in np.moveaxis(x, axis, 0)]), 0, axis
    ),
    "conj": python(lambda v: complex(v.real, -v.imag)),
    "conv": conv,
    "conv_input_grad": conv_input_grad,
    "conv_kernel_grad": conv_kernel_grad,
    "cos": mp("cos"),
    "cosh": mp("cosh"),
    "cumprod": running(operator.mul),
    "cumsum": running(operator.add),
    "det": matrix_oracles.det,
    "eig": matrix_oracles.eig,
    "eigh": matrix_oracles.eigh,
    "einsum": einsum,
    "elu": mp(elu),
    "equal": python(operator.eq, bool),
    "erf": mp("erf"),
    "erfc": mp("erfc"),
    "erfinv": mp(erfinv),
    "exp": mp("exp"),
    "exp2": mp(lambda x: mpmath.power(2, x)),
    "expm1": mp("expm1"),
    "flip": flip,
    "floor": mp("floor"),
    "floor_divide": mp(lambda a, b: mpmath.floor(a / b)),
    "fourier": fourier,
    "gamma_slope": mp(gamma_slope),
    "gather": gather,
    "gcd": python(math.gcd),
    "getitem": lambda x, key: gather(x, key=key),
    "greater": python(operator.gt, bool),
    "greater_equal": python(operator.ge, bool),
    "gru": rnn_oracles.gru,
    "gru_grad": rnn_oracles.gru_grad,
    "hypot": mp("hypot"),
    "attention": attention_oracles.attention,
    "attention_grad": attention_oracles.attention_grad,
    "all_reduce": lambda x, order: (x, order + np.uint32(1)),
    "barrier": mp(lambda x: x),
    "identity": mp(lambda x: x),
    "imag": python(lambda v: v.imag, float),
    "implicit_gamma": mp(lambda alpha, z: z),
    "index_add": index_add,
    "index_set": index_set,
    "inv": matrix_oracles.inv,
    "isfinite": python(math.isfinite, bool),
    "isinf": python(math.isinf, bool),
    "isnan": python(math.isnan, bool),
    "layer_norm": norm_oracles.layer_norm,
    "layer_norm_grad": norm_oracles.layer_norm_grad,
    "lcm": python(math.lcm),
    "left_shift": python(lambda a, b: a * 2**b),
    "less": python(operator.lt, bool),
    "less_equal": python(operator.le, bool),
    "lgamma": mp(lambda x: mpmath.log(abs(mpmath.gamma(x)))),
    "log": mp("log"),
    "log10": mp("log10"),
    "log1p": mp("log1p"),
    "log2": mp(lambda x: mpmath.log(x, 2)),
    "log_softmax": soft(log=True),
    "log_softmax_grad": norm_oracles.log_softmax_grad,
    "logaddexp": mp(lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b))),
    "logaddexp2": mp(lambda a, b: mpmath.log(mpmath.power(2, a) + mpmath.power(2, b), 2)),
    "logical_and": python(lambda a, b: bool(a) and bool(b), bool),
    "logical_not": python(operator.not_, bool),
    "logical_or": python(lambda a, b: bool(a) or bool(b), bool),
    "logical_xor": python(lambda a, b: bool(a) != bool(b), bool),
    "logsumexp": over(log_sum),
    "lstm": rnn_oracles.lstm,
    "lstm_grad": rnn_oracles.lstm_grad,
    "lu": matrix_oracles.lu,
    "matmul": matmul,
    "max": over(max),
    "max_pool": max_pool,
    "max_pool_grad": max_pool_grad,
    "max_pool_select": max_pool_select,
    "maximum": mp(max),
    "min": over(min),
    "minimum": mp(min),
    "mod": mp(lambda a, b: a - b * mpmath.floor(a / b)),
    "moments": norm_oracles.moments,
    "multiply": mp(operator.mul),
    "negative": mp(operator.neg),
    "nextafter": python(math.nextafter),
    "normal_cdf": mp(lambda x, half, root: mpmath.ncdf(x)),
    "not_equal": python(operator.ne, bool),
    "pad": pad,
    "pinv": matrix_oracles.pinv,
    "polygamma": lambda x, n: mp(lambda v: mpmath.polygamma(n, v))(x),
    "power": mp("power"),
    "power_static": lambda x, exponent: mp(lambda v: mpmath.power(v, exponent))(x),
    "prod": over(math.prod),
    "qr": matrix_oracles.qr,
    "random_bits": random_bits,
    "random_uniform": random_uniform,
    "reciprocal": mp(lambda x: 1 / x),
    "relu": mp(lambda x: max(x, 0)),
    "relu6": mp(lambda x: min(max(x, 0), 6)),
    "reshape": lambda x, shape: np.ndarray(shape, x.dtype, x.tobytes()),
    "right_shift": python(lambda a, b: a // 2**b),
    "rint": mp(half_even),
    "rms_norm": norm_oracles.rms_norm,
    "rms_norm_grad": norm_oracles.rms_norm_grad,
    "roll": roll,
    "rsqrt": mp(lambda x: 1 / mpmath.sqrt(x)),
    "searchsorted": searchsorted,
    "bitcast": lambda x, dtype: np.frombuffer(x.tobytes(), dtype).reshape(*x.shape[:-1], -1),
    "segment_max": segment_max,
    "share": mp(lambda a, b: 1 if a > b else 0.5 * (a == b)),
    "sigmoid": mp(lambda x: 1 / (1 + mpmath.exp(-x))),
    "sign": mp("sign"),
    "signbit": python(lambda v: math.copysign(1, v) < 0, bool),
    "simple_rnn": rnn_oracles.simple_rnn,
    "simple_rnn_grad": rnn_oracles.simple_rnn_grad,
    "sin": mp("sin"),
    "sinh": mp("sinh"),
    "slogdet": matrix_oracles.slogdet,
    "softmax": soft(log=False),
    "softmax_grad": norm_oracles.softmax_grad,
    "softplus": mp(lambda x: mpmath.log1p(mpmath.exp(x))),
    "solve": matrix_oracles.solve,
    "sort": in_rows(sorted),
    "sqrt": mp("sqrt"),
    "square": mp(lambda x: x * x),
    "stop_gradient": mp(lambda x: x),
    "subtract": mp(operator.sub),
    "sum": over(math.fsum),
    "svd": matrix_oracles.svd,
    "svd_values": matrix_oracles.svd_values,
    "tan": mp("tan"),
    "tanh": mp("tanh"),
    "top_k_indices": top_k_indices,
    "transpose": lambda x, axes: np.einsum(x, axes_of(axes)),
    "true_divide": mp(operator.truediv),
    "trunc": python(lambda v: float(math.trunc(v))),
    "where": python(lambda c, a, b: a if c else b, float),
    "window_spread": window_spread,
    "window_sum": window_sum,
}


def axes_of(axes):
    """The labels for which einsum, ordering its result by label, transposes."""
    return [axes.index(i) for i in range(len(axes))]


# Draws that no other generator repeats: mean and variance of a large sample.
STATISTICAL = {
    "random_binomial": [((12.0, 0.3), 3.6, 2.52), ((90.0, 0.6), 54.0, 21.6)],
    "random_poisson": [((5.0,), 5.0, 5.0), ((40.0,), 40.0, 40.0)],
}

# Allowed error of elementwise ops in units in the last place (2 by default).
ULPS = {
    "erfc": 4,
    "erfinv": 4,
    "gamma_slope": 64,
    "lgamma": 4,
    "logaddexp": 16,  # the operands may cancel to a result near 0
    "logaddexp2": 16,
    "normal_cdf": 8,
    "polygamma": 6,
    "tan": 3,
}
