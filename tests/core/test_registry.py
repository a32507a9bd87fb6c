"""Every op of the registry: its rule, kernel and gradients. A new op is tested by being there."""

import numpy as np
import pytest
from gradcheck import WrongGradientError, check_gradients
from oracles import ORACLES, STATISTICAL, ULPS, philox_block

import kerasish_core as core
from kerasish_core.dispatch import apply
from kerasish_core.op import Op

OPS = {name: op for name, op in core.REGISTRY.items() if op.kind != "control"}
ELEMENTWISE = [name for name, op in OPS.items() if op.kind == "elementwise"]
HALVES = {"float16": 2.0**-10, "bfloat16": 2.0**-7}

# Float results without a gradient rule whose differences do not vanish, and why.
NO_GRADIENT = {
    "stop_gradient": "it is what the op is for",
    "nextafter": "as in JAX, which has no derivative of it",
    "random_binomial": "draws of integers",
    "random_poisson": "draws of integers",
}
# A random draw moves at a fixed quantile, which no kernel shows; test_random_ops has these.
IMPLICIT = {"implicit_gamma"}


def samples(name):
    return core.REGISTRY[name].samples(np.random.default_rng(hash_of(name)))


def hash_of(name):
    return sum(i * ord(c) for i, c in enumerate(name, 1))


def run(name, arrays, attrs):
    """The results as arrays."""
    found = apply(core.REGISTRY[name], *map(core.convert, arrays), **attrs)
    return [np.asarray(y) for y in (found if isinstance(found, tuple) else (found,))]


def specs(name, arrays, attrs):
    tensors = [core.convert(a) for a in arrays]
    found = core.REGISTRY[name].infer(*(t.spec for t in tensors), **attrs)
    return [found] if isinstance(found, core.Spec) else list(found)


def check_infer(name, arrays, attrs):
    results = run(name, arrays, attrs)
    inferred = specs(name, arrays, attrs)
    assert [(y.shape, y.dtype) for y in results] == [(tuple(s.shape), s.dtype) for s in inferred]
    return results


def test_every_op_has_samples_and_an_oracle():
    assert [n for n, op in OPS.items() if op.samples is None] == []
    assert [n for n in OPS if n not in ORACLES and n not in STATISTICAL] == []


def test_no_oracle_is_left_over():
    assert [n for n in (*ORACLES, *STATISTICAL) if n not in OPS] == []


def test_every_control_op_has_a_case():
    controls = {n for n, op in core.REGISTRY.items() if op.kind == "control"}
    assert controls == set(CONTROL)


def test_elementwise_ops_of_real_numbers_have_a_scalar_expression():
    without = {n for n in ELEMENTWISE if OPS[n].scalar is None}
    assert without <= {"conj", "gamma_slope", "gcd", "imag", "lcm", "polygamma"}


@pytest.mark.parametrize("name", OPS)
def test_infer(name):
    for arrays, attrs in samples(name):
        check_infer(name, arrays, attrs)


def reshaped(a):
    """The array with an axis less or more, or with another size."""
    yield a[None]
    for axis in range(a.ndim):
        key = (slice(None),) * axis
        yield a[(*key, 0)]
        yield np.concatenate([a, a[(*key, slice(0, 1))]], axis)
        yield a[(*key, slice(0, -1))]


def retyped(a):
    for dtype in ("bool", "int32", "float32", "float64", "complex64"):
        if a.dtype != dtype:
            yield (a.real if dtype[0] in "if" else a).astype(dtype)


def misfits(name, change):
    """Samples of which one input was changed, whether or not it still fits."""
    for arrays, attrs in samples(name):
        arrays = [np.asarray(a) for a in arrays]
        for i, array in enumerate(arrays):
            for changed in change(array) if array.size else ():
                yield [*arrays[:i], changed, *arrays[i + 1 :]], attrs


def check_misfit(name, arrays, attrs):
    """Eager running asks the rule only when the kernel fails: what the rule refuses must fail.

    What a public function has checked or made canonical before, a rule need not refuse.
    """
    given = f"{name} of {[str(core.convert(a).spec) for a in arrays]}, {attrs}"
    try:
        specs(name, arrays, attrs)
    except (core.ShapeError, core.DTypeError) as error:
        with pytest.raises(type(error)):
            found = run(name, arrays, attrs)
            pytest.fail(f"{given}: the rule says {error}; the kernel gave {found}")


@pytest.mark.parametrize("name", OPS)
def test_a_misfit_of_shapes_is_refused(name):
    for arrays, attrs in misfits(name, reshaped):
        check_misfit(name, arrays, attrs)


@pytest.mark.parametrize("name", [n for n in OPS if n not in ELEMENTWISE])
def test_a_misfit_of_dtypes_is_refused(name):
    for arrays, attrs in misfits(name, retyped):
        check_misfit(name, arrays, attrs)


FUNCTIONS = [
    n for n in ELEMENTWISE if hasattr(core.ops, n) and not any(attrs for _, attrs in samples(n))
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_elementwise_functions_promote(name):
    """Elementwise kernels take what NumPy takes; their functions make the dtypes fit before."""
    function = getattr(core.ops, name)
    for arrays, _ in misfits(name, retyped):
        outcomes = []
        for run_one in (function, core.function(function)):
            try:
                outcomes.append(run_one(*map(core.convert, arrays)).spec)
            except core.DTypeError as error:
                outcomes.append(type(error))
        assert outcomes[0] == outcomes[1], (name, [a.dtype for a in arrays])


def test_a_kernel_that_tolerates_a_misfit_fails_the_check(monkeypatch):
    tolerant = Op(
        "tolerant", "opaque", "a b", kernel=lambda xp, a, b: a + b.reshape(-1)[0],
        infer=core.REGISTRY["matmul"].infer,
    )  # fmt: skip
    monkeypatch.setitem(core.REGISTRY, "tolerant", tolerant)
    with pytest.raises(pytest.fail.Exception, match="the rule says"):
        check_misfit("tolerant", [np.ones(3), np.ones((2, 2))], {})


@pytest.mark.parametrize("name", [n for n in OPS if n in ORACLES])
def test_values(name):
    for arrays, attrs in samples(name):
        results = run(name, arrays, attrs)
        found = ORACLES[name](*map(np.asarray, arrays), **attrs)
        for got, expected in zip(results, found if OPS[name].multiple else (found,), strict=True):
            compare(name, got, np.asarray(expected))


def compare(name, got, expected):
    assert got.shape == expected.shape
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, expected)
    elif name in ELEMENTWISE:
        # Errors are counted in units of the result, or of an operand that it cancels.
        np.testing.assert_array_max_ulp(got, expected.astype(got.dtype), ULPS.get(name, 2))
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", STATISTICAL)
def test_statistics(name):
    seed, n = np.array([3, 4], "uint32"), 20_000
    for parameters, mean, variance in STATISTICAL[name]:
        arrays = [seed, *(np.full(n, p) for p in parameters)]
        (found,) = run(name, arrays, {"dtype": np.dtype("float64")})
        assert abs(found.mean() - mean) < 5 * np.sqrt(variance / n)
        assert abs(found.var() / variance - 1) < 0.1
        assert np.array_equal(found, np.round(found)) and found.min() >= 0


def test_the_oracle_of_random_bits_gives_the_published_words():
    # Random123's known answers for philox4x32-10
    assert philox_block([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.mark.parametrize("name", [n for n in OPS if OPS[n].kind != "random"])
def test_half_types_round_the_wide_result(name):
    """What float16 and bfloat16 give is the float64 result of the same inputs, rounded."""
    for dtype, eps in HALVES.items():
        kind = core.dtypes.as_dtype(dtype)
        for arrays, attrs in samples(name):
            if not any(np.asarray(a).dtype == np.float64 for a in arrays) or "dtype" in attrs:
                continue
            half = [a.astype(kind) if a.dtype == np.float64 else a for a in map(np.asarray, arrays)]
            wide = [a.astype("float64") if a.dtype == kind else a for a in half]
            got, expected = check_infer(name, half, attrs), run(name, wide, attrs)
            for y, z in zip(got, expected):
                if y.dtype.kind == "c" or y.dtype == np.float32:  # statistics stay wide
                    np.testing.assert_allclose(y, z, rtol=1e-6)
                elif y.dtype != kind:
                    np.testing.assert_array_equal(y, z)
                if y.dtype != kind:
                    continue
                bound = 4 * eps * max(1.0, float(np.max(np.abs(z), initial=0)))
                np.testing.assert_allclose(y.astype("float64"), z, rtol=4 * eps, atol=bound)


@pytest.mark.parametrize("name", [n for n in OPS if OPS[n].kind != "random"])
def test_layout_and_mutation(name):
    """Strided inputs give the same result, and no input is written to."""
    for arrays, attrs in samples(name):
        arrays = [np.asarray(a) for a in arrays]
        expected = run(name, arrays, attrs)
        op = core.REGISTRY[name]
        for layout in (strided, reversed_strides, column_major):
            views = [core.Tensor(layout(a)) for a in arrays]
            for v in views:
                v.value.flags.writeable = False
            watched = [v for v in views if v.dtype == np.float64]
            with core.GradientTape() as tape:
                tape.watch(watched)
                found = apply(op, *views, **attrs)
            found = found if isinstance(found, tuple) else (found,)
            if watched:
                tape.gradient(list(found), watched)
            for y, z in zip(found, expected):
                np.testing.assert_allclose(np.asarray(y), z, rtol=1e-13, atol=1e-14)
            for view, array in zip(views, arrays):
                np.testing.assert_array_equal(view.value, array)


def strided(a):
    """Equal elements, every other one of a larger array."""
    if a.ndim == 0:
        return a.copy()
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def reversed_strides(a):
    """Equal elements in memory of opposite order."""
    key = (..., *(slice(None, None, -1) for _ in a.shape))
    return a[key].copy()[key]


def column_major(a):
    return np.array(a, order="F")


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_empty_elementwise(name):
    for arrays, attrs in samples(name):
        rank = max(np.ndim(a) for a in arrays)
        if rank:
            empty = [a[:0] if np.ndim(a) == rank else a for a in arrays]
            if any(np.ndim(a) == rank and np.shape(a)[0] == 1 for a in arrays):
                empty = [np.zeros(np.shape(a)[:-1] + (0,), np.asarray(a).dtype) for a in arrays]
            (y,) = check_infer(name, empty, attrs)
            assert y.size == 0


E = np.zeros
EMPTY = [
    ("sum", [E((0, 3))], {"axes": (0,), "keepdims": False}),
    ("sum", [E((0, 3))], {"axes": (1,), "keepdims": True}),
    ("prod", [E((0, 3))], {"axes": (0,), "keepdims": False}),
    ("max", [E((0, 3))], {"axes": (1,), "keepdims": False}),
    ("min", [E((0, 3))], {"axes": (1,), "keepdims": True}),
    ("any", [E((0, 3), bool)], {"axes": (0,), "keepdims": False}),
    ("all", [E((0, 3), bool)], {"axes": (0,), "keepdims": False}),
    ("argmax", [E((0, 3))], {"axis": 1, "keepdims": False}),
    ("argmin", [E((0, 3))], {"axis": 1, "keepdims": False}),
    ("logsumexp", [E((0, 3))], {"axes": (0,), "keepdims": False}),
    ("logsumexp", [E((0, 3))], {"axes": (1,), "keepdims": False}),
    ("softmax", [E((0, 3))], {"axes": (1,)}),
    ("softmax", [E((2, 0))], {"axes": (1,)}),
    ("log_softmax", [E((0, 3))], {"axes": (1,)}),
    ("softmax_grad", [E((0, 3)), E((0, 3))], {"axes": (1,)}),
    ("log_softmax_grad", [E((2, 0)), E((2, 0))], {"axes": (1,)}),
    ("cumsum", [E((0, 3))], {"axis": 0, "reverse": False}),
    ("cumprod", [E((2, 0))], {"axis": 1, "reverse": True}),
    ("reshape", [E((0, 3))], {"shape": (3, 0, 2)}),
    ("transpose", [E((0, 3))], {"axes": (1, 0)}),
    ("broadcast_to", [E((1, 3))], {"shape": (0, 3)}),
    ("concatenate", [E((0, 3)), E((0, 3))], {"axis": 0}),
    ("concatenate", [E((0, 3)), np.ones((2, 3))], {"axis": 0}),
    ("pad", [E((0, 3))], {"pad_width": ((1, 0), (0, 1)), "mode": "constant", "value": 0}),
    ("flip", [E((0, 3))], {"axes": (0,)}),
    ("roll", [E((0, 3))], {"shift": (1,), "axis": (0,)}),
    ("getitem", [E((0, 3))], {"key": (("slice", None, None, 2),)}),
    ("getitem", [np.ones((4, 3))], {"key": (("slice", 3, 1, None),)}),
    ("gather", [np.ones((4, 3)), E((0,), int)], {"key": (("tensor", 0),)}),
    ("index_add", [np.ones((4, 3)), E((0, 3)), E((0,), int)], {"key": (("tensor", 0),)}),
    ("index_set", [np.ones((4, 3)), E((0, 3)), E((0,), int)], {"key": (("tensor", 0),)}),
    ("segment_max", [E((0, 3)), E((0,), int)], {"num_segments": 2}),
    ("argsort", [E((0, 3))], {"axis": 1}),
    ("sort", [E((2, 0))], {"axis": 1}),
    ("top_k_indices", [E((0, 3))], {"k": 2}),
    ("searchsorted", [E((0,)), np.ones((2, 2))], {"side": "left"}),
    ("searchsorted", [np.ones(3), E((0,))], {"side": "right"}),
    ("random_bits", [np.array([1, 2], "uint32")], {"shape": (0, 3), "stream": 0}),
    (
        "random_uniform",
        [np.array([1, 2], "uint32")],
        {"shape": (3, 0), "dtype": np.dtype("float32"), "stream": 0},
    ),
    (
        "random_binomial",
        [np.array([1, 2], "uint32"), E((0, 2)), E((0, 2))],
        {"dtype": np.dtype("float32")},
    ),
    (
        "random_poisson",
        [np.array([1, 2], "uint32"), E((0,))],
        {"dtype": np.dtype("float32")},
    ),
    ("matmul", [E((0, 3)), np.ones((3, 2))], {}),
    ("matmul", [E((2, 0)), E((0, 3))], {}),
    ("matmul", [E((0, 2, 3)), np.ones((3, 2))], {}),
    ("einsum", [E((0, 3)), np.ones((3, 2))], {"terms": ("ij", "jk"), "result": "ik"}),
    ("einsum", [E((2, 0)), E((0, 3))], {"terms": ("ij", "jk"), "result": "ik"}),
]
_CONV = {"strides": (1,), "pads": ((1, 0),), "dilation": (1,), "groups": 1}
_POOL = {"window": (2,), "strides": (2,), "pads": ((0, 0),)}
EMPTY += [
    ("conv", [E((0, 6, 2)), np.ones((2, 2, 3))], _CONV),
    ("conv_input_grad", [E((0, 6, 3)), np.ones((2, 2, 3))], {**_CONV, "shape": (0, 6, 2)}),
    ("conv_kernel_grad", [E((0, 6, 2)), E((0, 6, 3))], {**_CONV, "shape": (2, 2, 3)}),
    ("max_pool", [E((0, 6, 2))], _POOL),
    ("max_pool_grad", [E((0, 6, 2)), E((0, 3, 2))], _POOL),
    ("max_pool_select", [E((0, 6, 2)), E((0, 6, 2))], _POOL),
    ("window_sum", [E((0, 6, 2))], _POOL),
    ("window_spread", [E((0, 3, 2))], {**_POOL, "shape": (0, 6, 2)}),
]
_ROW = E((0, 1))
EMPTY += [
    ("moments", [E((2, 0))], {"axes": (0,), "keepdims": False}),
    ("centred_sums", [E((0, 3)), E((0, 3)), np.ones(3)], {}),
    ("layer_norm", [E((0, 3)), np.ones(3), np.ones(3)], {"epsilon": 0.1}),
    ("layer_norm_grad", [E((0, 3)), E((0, 3)), np.ones(3), _ROW, _ROW], {}),
    ("rms_norm", [E((0, 3)), np.ones(3)], {"epsilon": 0.1}),
    ("rms_norm_grad", [E((0, 3)), E((0, 3)), np.ones(3), _ROW], {}),
]
_SQUARES = E((0, 3, 3))
EMPTY += [
    (name, [_SQUARES], attrs)
    for name, attrs in {
        "cholesky": {}, "det": {}, "eig": {}, "eigh": {}, "inv": {}, "lu": {},
        "pinv": {"rcond": 0.1}, "qr": {"complete": False}, "slogdet": {}, "svd": {"full": False},
        "svd_values": {},
    }.items()
]  # fmt: skip
EMPTY += [("cofactors", [_SQUARES, E((0,))], {})]
EMPTY += [("fourier", [E((0, 3)), E((0, 3))], {"axes": (1,), "sign": -1})]
EMPTY += [("bitcast", [E((0, 3))], {"dtype": "int32"}), ("barrier", [E((0, 3))], {})]
EMPTY += [("all_reduce", [E((0, 3)), np.array(4, "uint32")], {})]
_HEADS = {"scale": 1.0, "causal": False}
_QUERIES, _KEYS, _OF_QUERIES = E((0, 3, 2, 4)), E((0, 5, 2, 4)), E((0, 2, 3))
EMPTY += [
    ("attention", [_QUERIES, _KEYS, _KEYS], _HEADS),
    (
        "attention_grad",
        [_QUERIES, _KEYS, _KEYS, _QUERIES, _OF_QUERIES, _OF_QUERIES, _QUERIES],
        _HEADS,
    ),
]
EMPTY += [("solve", [_SQUARES, E((0, 3, 1))], {})]
_RNN = {"activation": "tanh", "reverse": False, "masked": False}
_GATED = {**_RNN, "recurrent_activation": "sigmoid"}
_STATE, _STATES = E((0, 2)), E((0, 3, 2))
EMPTY += [
    ("simple_rnn", [_STATES, np.ones((2, 2)), _STATE], _RNN),
    ("simple_rnn_grad", [np.ones((2, 2)), _STATES, _STATE], {**_RNN, "given": (False, True)}),
    ("lstm", [E((0, 3, 8)), np.ones((2, 8)), _STATE, _STATE], _GATED),
    (
        "lstm_grad",
        [np.ones((2, 8)), _STATE, _STATES, E((0, 3, 8)), _STATES],
        {**_GATED, "given": (True, False, False)},
    ),
    ("gru", [E((0, 3, 6)), np.ones((2, 6)), np.ones(6), _STATE], _GATED),
    (
        "gru_grad",
        [np.ones((2, 6)), _STATE, _STATES, E((0, 3, 8)), _STATE],
        {**_GATED, "given": (False, True)},
    ),
]


@pytest.mark.parametrize("case", EMPTY, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(EMPTY)])
def test_empty(case):
    """Without elements an op gives what its rule says, and so does its gradient."""
    name, arrays, attrs = case
    check_infer(name, arrays, attrs)
    tensors = [core.convert(a) for a in arrays]
    watched = [t for t in tensors if t.dtype == np.float64]
    if core.REGISTRY[name].vjp is not None and watched:
        with core.GradientTape() as tape:
            tape.watch(watched)
            y = apply(core.REGISTRY[name], *tensors, **attrs)
        for g, x in zip(tape.gradient(y, watched), watched):
            assert g is None or g.shape == x.shape


def test_every_other_op_has_an_empty_case():
    assert {n for n in OPS if n not in ELEMENTWISE} == {name for name, *_ in EMPTY}


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if len(OPS[n].inputs) > 1])
def test_broadcast(name):
    """Operands of different shapes act as if repeated, and their gradients are summed."""
    arrays, attrs = samples(name)[0]
    arrays = [np.resize(a, (2, 3)) for a in arrays]
    mixed = [arrays[0][:, :1], *(a[0] for a in arrays[1:])]
    full = [np.broadcast_to(a, (2, 3)) for a in mixed]
    (got,), (expected,) = check_infer(name, mixed, attrs), run(name, full, attrs)
    np.testing.assert_array_equal(got, expected)
    if OPS[name].vjp is not None and name not in IMPLICIT:
        check_gradients(lambda *xs: apply(OPS[name], *xs, **attrs), mixed, order=1)


@pytest.mark.parametrize("name", [n for n in OPS if n not in IMPLICIT])
def test_gradients(name):
    """Orders 1 and 2; an op without a rule must not depend on its inputs."""
    if name in NO_GRADIENT:
        assert OPS[name].vjp is None
        return
    for arrays, attrs in samples(name):
        check_gradients(lambda *xs, a=attrs: apply(OPS[name], *xs, **a), arrays)


def eager_and_traced(op, arrays, attrs, native):
    """Value and gradient, eagerly by generic kernels and in a compiled function."""
    watched = [i for i, a in enumerate(arrays) if np.asarray(a).dtype.kind == "f"]

    def both(*xs):
        sources = [xs[i] for i in watched]
        with core.GradientTape() as tape:
            tape.watch(sources)
            y = apply(op, *xs, **attrs)
        return y, tape.gradient(y, sources, unconnected_gradients="zero")

    tensors = [core.convert(a) for a in arrays]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERASISH_NATIVE", "0")
        eager = both(*tensors)
        if native:
            patch.setenv("KERASISH_NATIVE", "1")
        traced = core.function(both)(*tensors)
    return zip(core.tree.flatten(eager), core.tree.flatten(traced), strict=True)


@pytest.mark.parametrize("name", OPS)
def test_traced_equals_eager(name):
    """The op in a compiled function: its value, and its gradient built of traced tensors."""
    for arrays, attrs in samples(name):
        for a, b in eager_and_traced(OPS[name], arrays, attrs, native=False):
            assert a.spec == b.spec
            np.testing.assert_array_equal(a, b)


# In units of the last place of the largest number among a result and the sample's operands: sums
# are made in another order, some of numbers that cancel, and vector math has errors of its own.
NATIVE_ULPS = 64


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", OPS)
def test_native_agrees_with_the_reference(name, dtype, native):
    """Values and gradients of native programs; integers and booleans are equal."""
    for arrays, attrs in samples(name):
        if "dtype" in attrs and dtype == "float32":
            continue  # its own dtype is part of the sample
        cast = [a.astype(dtype) if a.dtype == np.float64 else a for a in map(np.asarray, arrays)]
        for a, b in eager_and_traced(OPS[name], cast, attrs, native=True):
            assert a.spec == b.spec
            a, b = a.numpy(), b.numpy()
            if a.dtype.kind not in "fc" or not a.size:
                np.testing.assert_array_equal(a, b)
                continue
            finite = [np.abs(x[np.isfinite(x)]) for x in (a, *cast) if x.dtype.kind in "fc"]
            largest = max(x.max(initial=0) for x in finite)
            atol = NATIVE_ULPS * np.finfo(a.dtype).eps * largest
            np.testing.assert_allclose(b, a, rtol=0, atol=atol)


# -- control flow holds functions, so that its cases are functions too


def looped(x, w):
    return core.scan(lambda c, r: (core.ops.tanh(c * w + r), c), x[0], x)[1]


def branched(x, w):
    middle = core.ops.sum(x) * 0 > 1
    return core.cond(middle, lambda: x, lambda: core.ops.sin(x) * w)


def repeated(x, w):
    def step(i, v):
        return i + 1, core.ops.sin(v) * w

    start = (core.convert(np.int32(0)), x)
    return core.while_loop(lambda i, v: i < 3, step, start, maximum_iterations=5)[1]


@core.custom_gradient
def product(a, b):
    return a * b, lambda g: (g * b, g * a)


def ruled(x, w):
    return core.map(lambda row: product(row, w), x)


CONTROL = {
    "ruled": (ruled, lambda x, w: x * w),
    "scan": (looped, lambda x, w: _loop(x, w)),
    "switch": (branched, lambda x, w: np.sin(x) * w),
    "while": (repeated, lambda x, w: np.sin(np.sin(np.sin(x) * w) * w) * w),
}


def _loop(x, w):
    rows, carry = [], x[0]
    for row in x:
        rows.append(carry)
        carry = np.tanh(carry * w + row)
    return np.stack(rows)


@pytest.mark.parametrize("name", CONTROL)
def test_control(name):
    function, oracle = CONTROL[name]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(4, 3)), rng.normal(size=3)]
    expected = oracle(*arrays)
    traced = core.function(function)
    np.testing.assert_allclose(function(*map(core.convert, arrays)), expected, rtol=1e-13)
    np.testing.assert_allclose(traced(*arrays), expected, rtol=1e-13)
    check_gradients(function, arrays)


@pytest.mark.parametrize("name", CONTROL)
def test_control_traced_gradients(name):
    function, _ = CONTROL[name]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(4, 3)), rng.normal(size=3)]

    def gradients(x, w):
        with core.GradientTape() as tape:
            tape.watch([x, w])
            y = core.ops.sum(core.ops.square(function(x, w)))
        return tape.gradient(y, [x, w])

    eager = gradients(*map(core.convert, arrays))
    for a, b in zip(core.function(gradients)(*arrays), eager):
        np.testing.assert_allclose(a, b, rtol=1e-12)


# -- the checker itself


def planted(**parts):
    spec = {"infer": lambda x: x, "kernel": lambda xp, x: x * x * x, **parts}
    return Op("planted", "elementwise", "x", **spec)


X = np.array([[0.5, -1.5, 2.0]])


def test_a_right_rule_passes():
    check_gradients(lambda x: apply(planted(vjp=lambda g, x: (g * x * x * 3,)), x), [X])


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, x: (g * x * x * 3.001,),
        lambda g, x: (g * x * 3,),
        lambda g, x: (None,),
        lambda g, x: (core.ops.flip(g * x * x * 3),),
        lambda g, x: (g * g * x * x * 3,),
    ],
)
def test_a_wrong_rule_fails(rule):
    with pytest.raises(WrongGradientError, match="input 0"):
        check_gradients(lambda x: apply(planted(vjp=rule), x), [X])


def test_a_missing_rule_fails():
    with pytest.raises(WrongGradientError):
        check_gradients(lambda x: apply(planted(), x), [X])


def test_a_rule_that_cannot_be_differentiated_fails():
    rule = lambda g, x: (g * core.stop_gradient(x * x * 3),)
    check_gradients(lambda x: apply(planted(vjp=rule), x), [X], order=1)
    with pytest.raises(WrongGradientError, match="second-order"):
        check_gradients(lambda x: apply(planted(vjp=rule), x), [X])
