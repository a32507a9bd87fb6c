"""Abstract evaluation gives the shape and dtype of running, for every dtype that an op takes."""

import itertools

import numpy as np
import pytest

import kerasish_core as core

NAMES = [
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "bfloat16", "float16", "float32", "float64", "complex64",
]  # fmt: skip
BINARY = [
    "add", "arctan2", "bitwise_and", "bitwise_or", "bitwise_xor", "equal", "floor_divide", "gcd",
    "greater", "greater_equal", "heaviside", "hypot", "lcm", "left_shift", "less", "less_equal",
    "logaddexp", "logaddexp2", "logical_and", "logical_or", "logical_xor", "matmul", "maximum",
    "minimum", "mod", "multiply", "nextafter", "not_equal", "power", "right_shift", "subtract",
    "true_divide",
]  # fmt: skip
UNARY = [
    "absolute", "all", "any", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh",
    "argmax", "argmin", "argsort", "bitwise_not", "cbrt", "ceil", "celu", "conj", "cos", "cosh",
    "count_nonzero", "cumprod", "cumsum", "digamma", "elu", "erf", "erfc", "erfinv", "exp", "exp2",
    "expm1", "floor", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "identity", "imag",
    "isfinite", "isinf", "isnan", "leaky_relu", "lgamma", "log", "log10", "log1p", "log2",
    "log_sigmoid", "log_softmax", "logical_not", "logsumexp", "max", "mean", "min", "nan_to_num",
    "negative", "prod", "real", "reciprocal", "relu", "relu6", "round", "rsqrt", "selu", "sigmoid",
    "sign", "signbit", "silu", "sin", "sinc", "sinh", "soft_shrink", "softmax", "softplus",
    "softsign", "sort", "sparse_plus", "sqrt", "square", "squareplus", "std", "sum", "tan", "tanh",
    "tanh_shrink", "trunc", "var",
]  # fmt: skip
REFUSED = (core.DTypeError, TypeError)


def array(name):
    return np.ones((2, 2), core.dtypes.as_dtype(name))


def check(function, *arrays):
    """Running and abstract evaluation agree; True if the dtypes are taken."""
    tensors = [core.convert(a) for a in arrays]
    try:
        result = function(*tensors)
    except REFUSED:
        return False
    spec = core.eval_spec(function, *(t.spec for t in tensors))
    assert (result.shape, result.dtype) == (tuple(spec.shape), spec.dtype)
    return True


@pytest.mark.parametrize("function", UNARY)
def test_unary(function):
    taken = [name for name in NAMES if check(getattr(core.ops, function), array(name))]
    assert taken, "no dtype at all was taken"
    if function != "bitwise_not":
        assert {"bfloat16", "float16", "float32", "float64", "int32"} <= set(taken)


@pytest.mark.parametrize("function", BINARY)
def test_binary(function):
    names = [n for n in NAMES if n not in ("uint16", "int16", "uint64")]
    taken = [
        pair
        for pair in itertools.product(names, names)
        if check(getattr(core.ops, function), *map(array, pair))
    ]
    assert ("int32", "int32") in taken


def test_a_weak_scalar_does_not_change_the_dtype():
    for function in ("add", "multiply", "power", "maximum", "true_divide"):
        for name in ("bfloat16", "float16", "float32", "float64"):
            y = getattr(core.ops, function)(core.convert(array(name)), 2)
            assert y.dtype.name == name
