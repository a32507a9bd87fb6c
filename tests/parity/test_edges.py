"""Values and gradients where functions bend, jump or overflow, against Keras on JAX."""

import numpy as np
import pytest

import kerasish_core as core

pytestmark = pytest.mark.parity

INF, NAN = np.inf, np.nan
POINTS = np.array([-INF, -200, -6, -3, -1, -0.5, -0.0, 0.0, 0.5, 1, 3, 6, 200, INF, NAN], "float32")
FINITE = POINTS[np.isfinite(POINTS)]
UNARY = {
    "absolute": POINTS, "arccos": FINITE, "arccosh": FINITE[FINITE > 0], "arcsin": FINITE,
    "arctan": POINTS, "arctanh": FINITE, "celu": POINTS, "cosh": POINTS, "elu": POINTS,
    "erf": POINTS, "exp": POINTS,
    "expm1": POINTS, "floor": POINTS, "gelu": FINITE, "hard_sigmoid": POINTS, "hard_shrink": POINTS,
    "hard_silu": FINITE, "hard_tanh": POINTS, "leaky_relu": POINTS, "log": POINTS, "log10": POINTS,
    "log1p": POINTS, "log2": POINTS, "log_sigmoid": POINTS, "reciprocal": FINITE, "relu": POINTS,
    "relu6": POINTS, "round": FINITE, "rsqrt": FINITE, "selu": POINTS, "sigmoid": POINTS,
    "sign": POINTS, "silu": FINITE, "sinh": FINITE, "soft_shrink": POINTS, "softplus": POINTS,
    "softsign": FINITE, "sparse_plus": FINITE, "sparse_sigmoid": POINTS, "sqrt": POINTS,
    "square": POINTS, "squareplus": FINITE, "tanh": POINTS, "tanh_shrink": FINITE,
}  # fmt: skip


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


def both(keras, name, *arrays, **attrs):
    """`(ours, theirs)`: the values, then the gradients of their sum by each floating operand."""
    import jax

    function = getattr(keras.ops, name)
    value, pull = jax.vjp(lambda *xs: function(*xs, **attrs), *arrays)
    theirs = [value, *pull(np.ones(value.shape, value.dtype))]
    xs = [core.convert(a) for a in arrays]
    watched = [x for x in xs if x.dtype.kind == "f"]
    with core.GradientTape() as tape:
        tape.watch(watched)
        y = getattr(core.ops, name)(*xs, **attrs)
        grads = tape.gradient(y, watched, unconnected_gradients="zero")
    kept = [t for t, a in zip(theirs[1:], arrays) if a.dtype.kind == "f"]
    return [y, *grads], [value, *kept]


def check(keras, name, *arrays, rtol=2e-6, **attrs):
    for what, (ours, theirs) in enumerate(zip(*both(keras, name, *arrays, **attrs), strict=True)):
        np.testing.assert_allclose(
            np.asarray(ours), np.asarray(theirs), rtol=rtol, atol=1e-6, err_msg=f"{name} {what}"
        )


@pytest.mark.parametrize("name", UNARY)
def test_unary(keras, name):
    check(keras, name, UNARY[name])


PAIRS = np.array([-2, -1, -0.0, 0.0, 0.5, 1, 2], "float32")
LEFT, RIGHT = (g.ravel().copy() for g in np.meshgrid(PAIRS, PAIRS, indexing="ij"))


@pytest.mark.parametrize(
    "name", ["add", "arctan2", "logaddexp", "maximum", "minimum", "multiply", "subtract"]
)
def test_binary(keras, name):
    check(keras, name, LEFT, RIGHT)


@pytest.mark.parametrize("name", ["true_divide", "mod", "power"])
def test_binary_away_from_zero(keras, name):
    kept = (RIGHT != 0) if name != "power" else (LEFT > 0)
    check(keras, name, LEFT[kept], RIGHT[kept])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 0.5, -1, 2.5])
def test_power_of_a_python_number(keras, exponent):
    base = np.array([0.0, 0.5, 2.0, -1.5], "float32")
    base = base[:3] if exponent != int(exponent) else base
    base = base[1:] if exponent < 1 else base
    import jax

    value, pull = jax.vjp(lambda x: keras.ops.power(x, exponent), base)
    x = core.convert(base)
    with core.GradientTape() as tape:
        tape.watch(x)
        y = core.ops.power(x, exponent)
    np.testing.assert_allclose(y, value, rtol=2e-6)
    gradient = tape.gradient(y, x, unconnected_gradients="zero")
    np.testing.assert_allclose(gradient, pull(np.ones_like(value))[0], rtol=2e-6)


def test_integer_division_has_pythons_signs(keras):
    a, b = np.meshgrid(np.arange(-7, 8, dtype="int32"), np.array([-3, -2, 2, 3], "int32"))
    for name in ("floor_divide", "mod"):
        np.testing.assert_array_equal(getattr(core.ops, name)(a, b), getattr(keras.ops, name)(a, b))


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("name", ["max", "min", "sum", "mean", "prod", "var", "logsumexp"])
def test_reductions_with_ties_and_zeros(keras, name, axis):
    check(keras, name, np.array([[1, 0, 3, 3], [3, 0, 0, 3]], "float32"), axis=axis)


def test_std_of_equal_elements(keras):
    check(keras, "std", np.array([[1, 1], [1, 3]], "float32"), axis=1)


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_infinities(keras, name):
    rows = np.array([[-INF, 0, 1], [-INF, -INF, -2], [1e30, 0, 1e30], [-1e4, 1e4, 3]], "float32")
    check(keras, name, rows, axis=1)


def test_logsumexp_of_nothing_finite(keras):
    for rows in ([[-INF, -INF]], [[INF, 0]], [[NAN, 0]]):
        value = core.ops.logsumexp(np.array(rows, "float32"), axis=1)
        np.testing.assert_array_equal(value, keras.ops.logsumexp(np.array(rows, "float32"), axis=1))


@pytest.mark.parametrize("zeros", [0, 1, 2])
@pytest.mark.parametrize("name", ["cumprod", "cumsum", "prod"])
def test_products_with_zeros(keras, name, zeros):
    x = np.array([2.0, -1.0, 3.0, 0.5], "float32")
    x[1 : 1 + zeros] = 0
    check(keras, name, x, axis=0)


def test_clip_at_its_ends(keras):
    import jax

    x = np.array([-2, -1, 0, 1, 2], "float32")
    value, pull = jax.vjp(lambda v: keras.ops.clip(v, -1.0, 1.0), x)
    t = core.convert(x)
    with core.GradientTape() as tape:
        tape.watch(t)
        y = core.ops.clip(t, -1.0, 1.0)
    np.testing.assert_array_equal(y, value)
    np.testing.assert_array_equal(tape.gradient(y, t), pull(np.ones_like(value))[0])


def test_where_hides_what_is_not_chosen(keras):
    """The gradient of the branch not taken is zero, as long as it is finite."""
    condition = np.array([True, False, True])
    check(keras, "where", condition, np.array([1, INF, 3], "float32"), np.ones(3, "float32"))


def test_nan_to_num(keras):
    np.testing.assert_array_equal(core.ops.nan_to_num(POINTS), keras.ops.nan_to_num(POINTS))


def test_argmax_and_argmin_with_nan_and_ties(keras):
    x = np.array([[1, 3, 3], [2, NAN, NAN], [-0.0, 0.0, -1]], "float32")
    for name in ("argmax", "argmin"):
        for axis in (None, 0, 1):
            ours, theirs = getattr(core.ops, name), getattr(keras.ops, name)
            np.testing.assert_array_equal(ours(x, axis), theirs(x, axis))
