"""The generator's published words, the fixed stream, and distributions by statistical tests."""

import mpmath
import numpy as np
import pytest
import scipy.stats

import kerasish_core as core

random = core.ops.random
SEED = np.array([20, 26], "uint32")
N = 20_000


def numpy_of(x):
    return np.asarray(x, "float64")


def test_the_stream_never_changes():
    """Files of results and seeds in users' hands depend on these words (Salmon et al., 2011)."""
    words = random.bits(np.zeros(2, "uint32"), (6,)).numpy()
    assert [hex(w) for w in words[:4].tolist()] == [
        "0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8",
    ]  # fmt: skip


def test_a_longer_draw_begins_like_a_shorter_one():
    short, long = random.bits(SEED, (7,)).numpy(), random.bits(SEED, (90_000,)).numpy()
    np.testing.assert_array_equal(short, long[:7])
    np.testing.assert_array_equal(random.bits(SEED, (300, 300)).numpy().ravel(), long)


def test_seeds_and_folded_seeds_are_independent():
    draws = [
        random.uniform(s, (N,)).numpy()
        for s in (SEED, SEED + np.uint32([0, 1]), SEED + np.uint32([1, 0]), random.fold_in(SEED, 1))
    ]
    correlation = np.corrcoef(draws)[~np.eye(4, dtype=bool)]
    assert np.abs(correlation).max() < 5 / np.sqrt(N)


CONTINUOUS = {
    "uniform": (lambda: random.uniform(SEED, (N,), -1, 3), scipy.stats.uniform(-1, 4)),
    "uniform64": (lambda: random.uniform(SEED, (N,), dtype="float64"), scipy.stats.uniform()),
    "normal": (lambda: random.normal(SEED, (N,), 2, 0.5), scipy.stats.norm(2, 0.5)),
    "normal64": (lambda: random.normal(SEED, (N,), dtype="float64"), scipy.stats.norm()),
    "truncated": (
        lambda: random.truncated_normal(SEED, (N,), 1, 3), scipy.stats.truncnorm(-2, 2, 1, 3),
    ),
    "gamma": (lambda: random.gamma(SEED, (N,), 2.5), scipy.stats.gamma(2.5)),
    "small gamma": (lambda: random.gamma(SEED, (N,), 0.3), scipy.stats.gamma(0.3)),
    "beta": (lambda: random.beta(SEED, (N,), 0.7, 2.0), scipy.stats.beta(0.7, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distributions(name):
    draw, distribution = CONTINUOUS[name]
    found = scipy.stats.kstest(numpy_of(draw()), distribution.cdf)
    assert found.pvalue > 1e-3


def chi_square(values, probabilities):
    counts = np.bincount(values.astype(int), minlength=len(probabilities))
    assert len(counts) == len(probabilities)
    return scipy.stats.chisquare(counts, np.array(probabilities) * len(values)).pvalue


def test_discrete_distributions():
    assert chi_square(numpy_of(random.randint(SEED, (N,), 3, 10)) - 3, [1 / 7] * 7) > 1e-3
    logits = np.log([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]).astype("float32")
    rows = numpy_of(random.categorical(SEED, logits, N))
    assert rows.shape == (2, N)
    assert chi_square(rows[0], [0.1, 0.2, 0.7]) > 1e-3
    assert chi_square(rows[1], [0.5, 0.25, 0.25]) > 1e-3


def chi_square_of_counts(values, distribution):
    """The middle one by one, the tails in one class each."""
    low, high = (int(distribution.ppf(q)) for q in (1e-3, 1 - 1e-3))
    places = np.arange(low, high + 1)
    expected = distribution.pmf(places)
    expected[0], expected[-1] = distribution.cdf(low), distribution.sf(high - 1)
    return chi_square(np.clip(values, low, high) - low, expected)


# On both sides of the bounds between the ways of drawing: mean 10, probability 1/2.
@pytest.mark.parametrize("rate", [0.3, 2.0, 9.99, 10.0, 13.5, 80.0, 3000.0])
def test_poisson(rate):
    found = numpy_of(random.poisson(SEED, (N,), rate, "float64"))
    assert chi_square_of_counts(found, scipy.stats.poisson(rate)) > 1e-3


@pytest.mark.parametrize(
    "n, p", [(1, 0.5), (4, 0.3), (100, 0.0999), (100, 0.1), (25, 0.5), (40, 0.7), (5000, 0.9)]
)
def test_binomial(n, p):
    found = numpy_of(random.binomial(SEED, (N,), n, p, "float64"))
    assert found.min() >= 0 and found.max() <= n
    assert chi_square_of_counts(found, scipy.stats.binom(n, p)) > 1e-3


COUNTS = {
    "poisson": (random.poisson, (np.geomspace(0.1, 5000, 90_000),)),
    "binomial": (random.binomial, (np.arange(90_000) % 120, np.linspace(0, 1, 90_000))),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_functions_of_seed_place_and_parameters(name):
    """Neither the shape, the length nor what the other elements are changes an element's draw."""
    draw, parameters = COUNTS[name]
    whole = draw(SEED, (90_000,), *parameters).numpy()
    np.testing.assert_array_equal(draw(SEED, (90_000,), *parameters), whole)
    np.testing.assert_array_equal(
        draw(SEED, (300, 300), *(p.reshape(300, 300) for p in parameters)).numpy().ravel(), whole
    )
    np.testing.assert_array_equal(draw(SEED, (7,), *(p[:7] for p in parameters)), whole[:7])
    others = [np.where(np.arange(90_000) % 3, p, p[::-1]) for p in parameters]
    np.testing.assert_array_equal(draw(SEED, (90_000,), *others).numpy()[1::3], whole[1::3])
    assert not np.array_equal(draw(SEED + np.uint32([1, 0]), (90_000,), *parameters), whole)


def test_neighbouring_counts_are_uncorrelated():
    for draw in (random.poisson(SEED, (N,), 4.0), random.binomial(SEED, (N,), 100, 0.4)):
        x = numpy_of(draw)
        for lag in (1, 2, 4):
            assert abs(np.corrcoef(x[lag:], x[:-lag])[0, 1]) < 5 / np.sqrt(N)


def test_counts_of_extreme_parameters():
    rates = [0.0, -1.0, np.nan, np.inf, 1e-300, 1e15]
    found = random.poisson(SEED, (6,), rates, "float64").numpy()
    np.testing.assert_array_equal(found[:5], [0, np.nan, np.nan, np.inf, 0])
    assert abs(found[5] - 1e15) < 6e8 / 3
    n, p = [0, 9, 9, -1, 9, 9, 9, 1e12], [0.5, 0.0, 1.0, 0.5, -0.1, 1.1, np.nan, 0.5]
    found = random.binomial(SEED, (8,), n, p, "float64").numpy()
    np.testing.assert_array_equal(found[:7], [0, 0, 9, np.nan, np.nan, np.nan, np.nan])
    assert abs(found[7] - 5e11) < 3e6


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_uniform_never_reaches_its_upper_bound(dtype):
    u = random.uniform(SEED, (N,), dtype=dtype)
    assert u.dtype.name == dtype
    assert numpy_of(u).min() >= 0
    assert numpy_of(u).max() < 1


def test_tails_of_the_normal_distribution():
    z = numpy_of(random.normal(SEED, (1_000_000,)))
    assert np.isfinite(z).all()
    expected = scipy.stats.norm.sf(4) * 2 * z.size
    assert abs(np.sum(np.abs(z) > 4) - expected) < 5 * np.sqrt(expected)


def test_parameters_have_gradients():
    low, high = core.convert(1.0), core.convert(3.0)
    u = random.uniform(SEED, (5,)).numpy()
    by_low, by_high = core.grad(
        lambda a, b: core.ops.sum(random.uniform(SEED, (5,), a, b)), argnums=(0, 1)
    )(low, high)
    np.testing.assert_allclose(by_high, u.sum(), rtol=1e-6)
    np.testing.assert_allclose(by_low, 5 - u.sum(), rtol=1e-6)
    z = random.normal(SEED, (5,)).numpy()
    slope = core.grad(lambda s: core.ops.sum(random.normal(SEED, (5,), 0.0, s)))(core.convert(2.0))
    np.testing.assert_allclose(slope, z.sum(), rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.02, 0.3, 1.0, 2.5, 40.0, 3000.0])
def test_gradient_of_gamma_is_that_of_the_quantile(alpha):
    """A draw moves with alpha as the quantile that it stands at, in first and second order."""
    alphas = core.convert(np.full(200, alpha))
    with core.GradientTape() as outer:
        outer.watch(alphas)
        with core.GradientTape() as inner:
            inner.watch(alphas)
            z = random.gamma(SEED, (200,), alphas, "float64")
        slope = inner.gradient(z, alphas)
    curvature = outer.gradient(slope, alphas).numpy()
    z, slope = z.numpy(), slope.numpy()
    far = z > 1e-100  # below, the quantile function underflows as alpha is moved
    p = scipy.stats.gamma.cdf(z, alpha)
    quantile = lambda t: scipy.stats.gamma.ppf(p, alpha * (1 + t))
    step = 1e-3
    low, mid, high = quantile(-step), quantile(0), quantile(step)
    expected = (8 * (high - low) - quantile(2 * step) + quantile(-2 * step)) / (12 * step * alpha)
    scale = np.abs(expected[far]).max()
    np.testing.assert_allclose(slope[far], expected[far], rtol=2e-6, atol=1e-6 * scale)
    bend = (high - 2 * mid + low) / (step * alpha) ** 2
    bound = 1e-3 * np.abs(bend[far]).max() + 1e-9 * scale / step**2
    np.testing.assert_allclose(curvature[far], bend[far], rtol=1e-3, atol=bound)
    assert np.all(slope >= 0) and np.isfinite(curvature).all()


def test_gradients_reach_beta_and_survive_underflow():
    def mean(a, b):
        return core.ops.mean(random.beta(SEED, (N,), a, b, "float64"))

    by_a, by_b = core.grad(mean, argnums=(0, 1))(core.convert(2.0), core.convert(3.0))
    np.testing.assert_allclose(by_a, 3 / 25, rtol=0.03)  # d/da of a / (a + b)
    np.testing.assert_allclose(by_b, -2 / 25, rtol=0.03)
    tiny = core.grad(lambda a: core.ops.sum(random.gamma(SEED, (50,), a)))(core.convert(1e-4))
    assert np.isfinite(tiny.numpy())


def test_shuffle_permutes_slices():
    x = np.arange(60).reshape(20, 3)
    found = random.shuffle(SEED, x).numpy()
    assert not np.array_equal(found, x)
    np.testing.assert_array_equal(found[np.argsort(found[:, 0])], x)
    columns = random.shuffle(SEED, x, axis=1).numpy()
    np.testing.assert_array_equal(np.sort(columns, 1), x)


def test_places_of_a_shuffle_are_uniform():
    places = [
        int(np.argmax(random.shuffle(np.array([7, i], "uint32"), np.arange(5)).numpy()))
        for i in range(500)
    ]
    assert chi_square(np.array(places), [0.2] * 5) > 1e-3


def test_wrong_arguments():
    with pytest.raises(core.DTypeError, match="u32"):
        random.bits(np.array([1, 2], "int64"), (3,))
    with pytest.raises(core.DTypeError, match="u32"):
        random.uniform(np.array([1], "uint32"), (3,))
    with pytest.raises(core.DTypeError, match="int32"):
        random.normal(SEED, (3,), dtype="int32")
    with pytest.raises(core.DTypeError, match="float32"):
        random.randint(SEED, (3,), 0, 5, "float32")
    with pytest.raises(core.ShapeError, match="two axes"):
        random.categorical(SEED, np.zeros(3, "float32"), 2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("a, b", [(1e-3, 1e-3), (0.01, 0.02), (0.05, 0.2), (3.0, 1e4)])
def test_beta_of_gamma_variables_that_underflow(a, b, dtype):
    x = numpy_of(random.beta(SEED, (N,), a, b, dtype)).astype("float64")
    assert np.isfinite(x).all() and x.min() >= 0 and x.max() <= 1
    spread = scipy.stats.beta.std(a, b)
    assert abs(x.mean() - a / (a + b)) < 5 * spread / np.sqrt(N) + 1e-3 * (dtype != "float64")
    assert abs(x.std() / spread - 1) < 0.1


@pytest.mark.parametrize("alpha", [0.02, 0.3])
def test_slope_of_logarithms_of_gamma_variables(alpha):
    """`-(d log F / d alpha) / (d log F / d log z)` at each draw, by mpmath."""
    alphas = core.convert(np.full(60, alpha))
    with core.GradientTape() as tape:
        tape.watch(alphas)
        logs = random._log_gamma(SEED, (60,), alphas, np.dtype("float64"))
    slopes, logs = tape.gradient(logs, alphas).numpy(), logs.numpy()
    assert logs.min() < random._TINY or alpha > 0.1
    for i in np.argsort(logs)[::12]:
        with mpmath.workdps(40):
            at = mpmath.mpf(float(logs[i]))

            def log_f(a, log_z):
                return mpmath.log(mpmath.gammainc(a, 0, mpmath.exp(log_z), regularized=True))

            by_alpha = mpmath.diff(lambda a, at=at: log_f(a, at), alpha)
            by_log = mpmath.diff(lambda t: log_f(alpha, t), at)
            np.testing.assert_allclose(slopes[i], float(-by_alpha / by_log), rtol=1e-8)
