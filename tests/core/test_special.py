"""Special functions against mpmath, over their whole range and at their edges."""

import mpmath
import numpy as np
import pytest
import scipy.special

import kerasish_core as core

mpmath.mp.dps = 40
RNG = np.random.default_rng(0)
WIDE = np.concatenate([RNG.uniform(0, 5, 150), 10.0 ** RNG.uniform(-8, 6, 150)])
TAILS = np.concatenate(
    [
        RNG.uniform(-0.999, 0.999, 100),
        1 - 10.0 ** RNG.uniform(-9, -1, 60),
        10.0 ** -np.arange(1, 12),
    ]
)


def softplus(x):
    return mpmath.log1p(mpmath.exp(x))


def polygamma(n):
    return lambda x: core.ops.polygamma(n, x), lambda x: mpmath.polygamma(n, x)


CASES = {
    # function, the true one, points, allowed error in units in the last place of float64
    "erf": (core.ops.erf, mpmath.erf, RNG.uniform(-6, 6, 200), 3),
    "erfc": (core.ops.erfc, mpmath.erfc, RNG.uniform(-3, 26, 200), 6),
    "erfinv": (core.ops.erfinv, mpmath.erfinv, TAILS, 5),
    "lgamma": (core.ops.lgamma, mpmath.loggamma, WIDE, 8),
    "digamma": (core.ops.digamma, mpmath.digamma, WIDE, 24),
    "trigamma": (*polygamma(1), RNG.uniform(0.1, 30, 150), 6),
    "tetragamma": (*polygamma(2), RNG.uniform(0.1, 30, 150), 8),
    "sigmoid": (core.ops.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), RNG.uniform(-80, 80, 200), 4),
    "softplus": (core.ops.softplus, softplus, RNG.uniform(-80, 80, 200), 4),
}  # fmt: skip


def errors(function, true, points, dtype):
    """Errors in units in the last place of the true value."""
    points = points.astype(dtype)
    found = np.asarray(function(core.convert(points)))
    assert found.dtype == dtype
    exact = [true(mpmath.mpf(float(x))) for x in points]
    spacing = np.spacing(np.abs(np.array([float(v) for v in exact], dtype)))
    return [float(abs(mpmath.mpf(float(y)) - v)) / s for y, v, s in zip(found, exact, spacing)]


@pytest.mark.parametrize("name", CASES)
def test_float64(name):
    function, true, points, allowed = CASES[name]
    assert max(errors(function, true, points, np.float64)) <= allowed


@pytest.mark.parametrize("name", CASES)
def test_float32(name):
    function, true, points, _ = CASES[name]
    points = points[np.abs(points) < 9] if name == "erfc" else points
    points = points[np.abs(points.astype("float32")) < 1] if name == "erfinv" else points
    assert max(errors(function, true, points, np.float32)) <= 3


def test_lgamma_of_negative_numbers():
    x = -RNG.uniform(0, 30, 300)
    expected = [float(mpmath.log(abs(mpmath.gamma(v)))) for v in x]
    np.testing.assert_allclose(core.ops.lgamma(x), expected, rtol=1e-13, atol=1e-13)


def test_digamma_of_negative_numbers():
    x = -RNG.uniform(0, 10, 300)
    x = x[np.abs(x - np.round(x)) > 1e-3]
    expected = [float(mpmath.digamma(v)) for v in x]
    np.testing.assert_allclose(core.ops.digamma(x), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "lgamma"])
def test_edges(name):
    x = np.array([-np.inf, -2.0, -1.0, -0.0, 0.0, 1.0, 2.0, np.inf, np.nan])
    x = x if name != "lgamma" else x[1:]
    expected = {"lgamma": scipy.special.gammaln}.get(name) or getattr(scipy.special, name)
    np.testing.assert_allclose(getattr(core.ops, name)(x), expected(x), rtol=1e-15)


def test_nothing_overflows():
    x = np.array([-1e4, 1e4, -np.inf, np.inf])
    np.testing.assert_array_equal(core.ops.sigmoid(x), [0, 1, 0, 1])
    np.testing.assert_array_equal(core.ops.softplus(x), [0, 1e4, 0, np.inf])
    np.testing.assert_array_equal(core.ops.log_sigmoid(x), [-1e4, 0, -np.inf, 0])
    rows = np.array([[1e4, 0.0, -np.inf]])
    np.testing.assert_array_equal(core.ops.softmax(rows), [[1, 0, 0]])
    np.testing.assert_array_equal(core.ops.log_softmax(rows), [[0, -1e4, -np.inf]])
    np.testing.assert_array_equal(core.ops.logsumexp(rows), 1e4)


def test_ops_do_not_warn_and_leave_numpy_as_it_is():
    """Infinities and NaNs are results, as in Keras; the user's own NumPy goes on warning."""
    x = core.convert(np.array([0.0, -1.0, 1e300]))
    for function in (lambda v: v / 0, core.ops.exp, core.ops.log, lambda v: v * v):
        eager = np.asarray(function(x))
        np.testing.assert_array_equal(core.function(function)(x), eager)
        assert not np.isfinite(eager).all()
    with pytest.raises(RuntimeWarning, match="divide by zero"):
        np.ones(1) / 0


def with_derivatives(function, x):
    """The function of elements and its first two derivatives."""

    def first(x):
        return core.grad(lambda x: core.ops.sum(function(x)))(x)

    return function(x), first(x), core.grad(lambda x: core.ops.sum(first(x)))(x)


def sinc(x):
    """sin(pi x) / (pi x) and its first two derivatives, by the series of the sine."""
    terms = [(-1) ** k * mpmath.pi ** (2 * k) / mpmath.factorial(2 * k + 1) for k in range(80)]
    polynomials = [
        [t * mpmath.ff(2 * k, n) * x ** (2 * k - n) for k, t in enumerate(terms) if 2 * k >= n]
        for n in range(3)
    ]
    return [float(mpmath.fsum(p)) for p in polynomials]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("compiled", [False, True])
def test_sinc_and_its_derivatives(dtype, compiled):
    x = np.concatenate([[0], 10.0 ** -np.arange(25), RNG.uniform(0, 5, 60), [0.318, 0.319, 1.0]])
    x = np.concatenate([x, -x]).astype(dtype)
    expected = np.array([sinc(mpmath.mpf(float(v))) for v in x]).T

    def every(x):
        return with_derivatives(core.ops.sinc, x)

    found = (core.function(every) if compiled else every)(core.constant(x))
    for y, z, size in zip(found, expected, (1, np.pi, np.pi**2), strict=True):
        np.testing.assert_allclose(np.asarray(y), z, rtol=0, atol=3 * size * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (core.ops.elu, 1.0), (lambda x: core.ops.elu(x, 0.7), 0.7),
        (core.ops.selu, 1.7580993408473766),
    ],
    ids=["elu", "elu 0.7", "selu"],
)  # fmt: skip
def test_second_derivatives_of_exponential_units_at_0(function, slope):
    # As on JAX: that of the exponential, whose side 0 is on.
    found = with_derivatives(function, core.constant(np.array([0.0, 2.0, -1.0, 900.0])))
    np.testing.assert_allclose(found[1][0], slope, rtol=1e-14)
    np.testing.assert_allclose(found[2], [slope, 0, slope / np.e, 0], rtol=1e-14)


@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_of_sums_of_exponentials_of_infinities(name, compiled):
    inf = np.inf
    a = core.constant(np.array([inf, 1, -inf, 1, inf, 2, 1e30]))
    b = core.constant(np.array([1, inf, 1, -inf, -inf, 2, 1]))
    share = np.array([1, 0, 0, 1, 1, 0.5, 1])

    def slopes(a, b):
        function = getattr(core.ops, name)
        return core.grad(lambda a, b: core.ops.sum(function(a, b)), argnums=(0, 1))(a, b)

    def second(a, b):
        return core.grad(lambda a: core.ops.sum(slopes(a, b)[0]))(a)

    slopes_of, second_of = map(core.function, (slopes, second)) if compiled else (slopes, second)
    of_a, of_b = slopes_of(a, b)
    np.testing.assert_allclose(of_a, share, rtol=1e-15)
    np.testing.assert_allclose(of_b, 1 - share, rtol=1e-15)
    unit = np.log(2) if name == "logaddexp2" else 1
    np.testing.assert_allclose(second_of(a, b), unit * share * (1 - share), rtol=1e-15)


def test_the_gradient_of_hypot_at_the_origin():
    a, b = core.constant(np.array([0.0, 3, 0])), core.constant(np.array([0.0, 4, -2]))
    for decorate in (lambda f: f, core.function):
        slopes = decorate(
            core.grad(lambda a, b: core.ops.sum(core.ops.hypot(a, b)), argnums=(0, 1))
        )
        of_a, of_b = slopes(a, b)
        np.testing.assert_allclose(of_a, [0, 0.6, 0], rtol=1e-15)
        np.testing.assert_allclose(of_b, [0, 0.8, -1], rtol=1e-15)
