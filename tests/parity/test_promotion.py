"""Every pair of dtypes, weak Python scalars among them, against the published Keras."""

import itertools

import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish_core import dtypes

pytestmark = pytest.mark.parity

NAMES = [
    "bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "int64",
    "bfloat16", "float16", "float32", "float64",
]  # fmt: skip
PYTHON = [bool, int, float]


# Keras reads the 64-bit results of its table as 32 bits; the core keeps them.
NARROW = {"int64": "int32", "float64": "float32", "uint64": "uint32"}


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


def narrow(dtype):
    return NARROW.get(dtype.name, dtype.name)


@pytest.mark.parametrize("first", [*NAMES, *PYTHON], ids=str)
def test_pairs(keras, first):
    for second in [*NAMES, *PYTHON]:
        expected = keras.backend.result_type(first, second)
        assert narrow(dtypes.result_type(first, second)) == expected, (first, second)


def outcome(function, *args):
    try:
        return function(*args)
    except ValueError:
        return "ValueError"


def test_the_public_result_type_narrows(keras):
    ours, theirs = kerasish.backend.result_type, keras.backend.result_type
    members = [*NAMES, "uint64", "float8_e4m3fn", *PYTHON, None]
    assert ours() == theirs()
    for one in members:
        assert outcome(ours, one) == outcome(theirs, one), one
    for pair in itertools.product(members, members):
        assert outcome(ours, *pair) == outcome(theirs, *pair), pair


def test_single(keras):
    for member in [*NAMES, *PYTHON]:
        assert narrow(dtypes.result_type(member)) == keras.backend.result_type(member), member


def test_triples(keras):
    for members in itertools.combinations([*NAMES, *PYTHON], 3):
        assert narrow(dtypes.result_type(*members)) == keras.backend.result_type(*members), members


BINARY = [
    "add", "subtract", "multiply", "true_divide", "floor_divide", "mod", "power", "maximum",
    "minimum", "arctan2", "logaddexp", "equal", "less", "logical_and", "matmul", "where",
]  # fmt: skip
# What JAX's kernels do not take.
REFUSED = {("subtract", "bool", "bool")}


def their_spec(keras, function, *operands):
    """Dtype and shape of Keras's result, found by abstract evaluation without compiling."""
    import jax

    found = jax.eval_shape(getattr(keras.ops, function), *operands)
    return keras.backend.standardize_dtype(found.dtype), tuple(found.shape)


def array(name):
    return np.ones((2, 2), dtypes.as_dtype(name))


@pytest.mark.parametrize("function", BINARY)
def test_results_of_binary_ops(keras, function):
    lead = (np.ones((2, 2), bool),) if function == "where" else ()
    for first, second in itertools.product(NAMES, NAMES):
        if (function, first, second) in REFUSED:
            continue
        operands = (*lead, array(first), array(second))
        got = getattr(core.ops, function)(*operands)
        wanted = their_spec(keras, function, *operands)
        assert (narrow(got.dtype), got.shape) == wanted, (first, second)


@pytest.mark.parametrize("function", ["add", "multiply", "true_divide", "power", "maximum", "mod"])
def test_python_scalars_are_weak(keras, function):
    import jax

    for name, scalar in itertools.product(NAMES, (2, 2.5)):
        spec = jax.eval_shape(lambda x, s=scalar: getattr(keras.ops, function)(x, s), array(name))
        got = getattr(core.ops, function)(core.convert(array(name)), scalar)
        assert narrow(got.dtype) == keras.backend.standardize_dtype(spec.dtype), (name, scalar)


UNARY = [
    "absolute", "arccos", "arcsinh", "arctan", "cbrt", "ceil", "cos", "erf", "exp", "expm1",
    "floor", "isnan", "log", "log1p", "negative", "reciprocal", "relu", "relu6", "round", "rsqrt",
    "sigmoid", "sign", "sin", "softplus", "sqrt", "square", "tanh", "trunc", "logical_not",
]  # fmt: skip
REDUCE = [
    "all", "any", "argmax", "argmin", "count_nonzero", "cumprod", "cumsum", "logsumexp", "max",
    "mean", "min", "prod", "softmax", "std", "sum", "var",
]  # fmt: skip


@pytest.mark.parametrize("function", UNARY + REDUCE)
def test_results_of_unary_ops(keras, function):
    for name in NAMES:
        try:
            wanted = their_spec(keras, function, array(name))
        except (TypeError, ValueError, RuntimeWarning):
            continue  # Keras refuses the dtype or warns; what is allowed beyond it is free
        got = getattr(core.ops, function)(core.convert(array(name)))
        assert (narrow(got.dtype), got.shape) == wanted, name


def _in_lists(k, first, second):
    """Dtypes of lists of two: numbers, arrays and lists, and of a tensor and another."""

    def number(kind, value):
        return kind(value) if isinstance(kind, type) else np.array(value, dtypes.as_dtype(kind))[()]

    a, b = number(first, 1), number(second, 2)
    row = np.array([1, 1], dtypes.as_dtype(first)) if isinstance(first, str) else [a, a]
    lists = [[a, b], [b, a], ([a], (b,)), [[a, 1], [b, a]], [row, [b, b]], [row, row], [a]]
    if isinstance(first, str):
        lists.append([k.ops.convert_to_tensor(a), b])
    return [k.backend.standardize_dtype(k.ops.convert_to_tensor(x).dtype) for x in lists]


@pytest.mark.parametrize("first", [*NAMES, *PYTHON], ids=str)
def test_python_numbers_are_weak_in_lists(keras, first):
    for second in [*NAMES, *PYTHON]:
        found = _in_lists(kerasish, first, second)
        expected = _in_lists(keras, first, second)
        assert [NARROW.get(d, d) for d in found] == expected, (first, second)


@pytest.mark.parametrize("x", [[np.int8(1), 300], [np.uint8(1), -1]], ids=str)
def test_numbers_beyond_the_dtype_of_their_list(keras, x):
    for k in (kerasish, keras):
        with pytest.raises(OverflowError):
            k.ops.convert_to_tensor(x)
