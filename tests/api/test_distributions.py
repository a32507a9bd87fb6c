"""Distributions against SciPy, by numerical integration, and by the moments of their draws."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats as st

import kerasish_core as core
from kerasish import distributions as kd
from kerasish import ops, random
from kerasish.distributions import bijectors, special

RNG = np.random.default_rng(0)
A, B = RNG.uniform(0.3, 4, (2, 3)), RNG.uniform(0.5, 3, (3,))
LOGITS = RNG.normal(size=(2, 4))
PROBS = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)


def mixture():
    cat = kd.Categorical(probs=np.array([0.2, 0.5, 0.3]))
    return kd.MixtureSameFamily(cat, kd.Normal(np.array([-2.0, 0.5, 3.0]), np.array([0.5, 1, 2.0])))


class _Mixture:
    """The judge of `mixture()`."""

    parts = tuple((w, st.norm(m, s)) for w, m, s in [(0.2, -2, 0.5), (0.5, 0.5, 1), (0.3, 3, 2.0)])

    def pdf(self, x):
        return sum(w * d.pdf(x) for w, d in self.parts)

    def cdf(self, x):
        return sum(w * d.cdf(x) for w, d in self.parts)

    def mean(self):
        return sum(w * d.mean() for w, d in self.parts)

    def var(self):
        return sum(w * (d.var() + d.mean() ** 2) for w, d in self.parts) - self.mean() ** 2


# name -> (ours, SciPy's, values)
CONTINUOUS = {
    "normal": (kd.Normal(A, B), st.norm(A, B), RNG.normal(size=(5, 2, 3))),
    "logistic": (kd.Logistic(A, B), st.logistic(A, B), RNG.normal(size=(5, 2, 3))),
    "uniform": (kd.Uniform(-A, B), st.uniform(-A, A + B), RNG.uniform(-0.2, 0.4, (5, 2, 3))),
    "gamma": (kd.Gamma(A, B), st.gamma(A, scale=1 / B), RNG.uniform(0.1, 5, (5, 2, 3))),
    "beta": (kd.Beta(A, B), st.beta(A, B), RNG.uniform(0.05, 0.95, (5, 2, 3))),
    "lognormal": (
        kd.TransformedDistribution(kd.Normal(A, B), bijectors.Exp()),
        st.lognorm(s=B, scale=np.exp(A)), RNG.uniform(0.1, 5, (5, 2, 3)),
    ),
    "shifted": (
        kd.TransformedDistribution(
            kd.Logistic(A, B), bijectors.Chain([bijectors.Shift(np.float64(1.0)),
                                                bijectors.Scale(np.float64(-2.0))])
        ),
        st.logistic(1 - 2 * A, 2 * B), RNG.normal(size=(5, 2, 3)),
    ),
    "mixture": (mixture(), _Mixture(), RNG.normal(size=(5,)) * 2),
}  # fmt: skip
DISCRETE = {
    "bernoulli": (kd.Bernoulli(probs=PROBS), st.bernoulli(PROBS), np.array([0.0, 1.0])),
    "bernoulli logits": (
        kd.Bernoulli(logits=LOGITS), st.bernoulli(scipy.special.expit(LOGITS)), np.array([0.0, 1.0])
    ),
    "poisson": (kd.Poisson(A), st.poisson(A), np.arange(6.0)),
    "poisson log": (kd.Poisson(log_rate=np.log(A)), st.poisson(A), np.arange(6.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTINUOUS)
def test_densities(name):
    ours, judge, x = CONTINUOUS[name]
    np.testing.assert_allclose(ours.prob(x), judge.pdf(x), rtol=1e-9)
    np.testing.assert_allclose(ours.log_prob(x), np.log(judge.pdf(x)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.cdf(x), judge.cdf(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.survival_function(x), 1 - judge.cdf(x), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["normal", "logistic", "uniform", "gamma", "beta", "mixture"])
def test_moments(name):
    ours, judge, _ = CONTINUOUS[name]
    np.testing.assert_allclose(ours.mean(), judge.mean(), rtol=1e-12)
    np.testing.assert_allclose(ours.variance(), judge.var(), rtol=1e-12)
    np.testing.assert_allclose(ours.stddev(), np.sqrt(judge.var()), rtol=1e-12)
    if name != "mixture":
        np.testing.assert_allclose(ours.entropy(), judge.entropy(), rtol=1e-9)


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name):
    ours, judge, values = DISCRETE[name]
    for v in values:
        np.testing.assert_allclose(ours.prob(v), judge.pmf(v), rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(ours.cdf(v), judge.cdf(v), rtol=1e-9)
    assert float(ops.max(ours.cdf(-1.0))) == 0.0
    np.testing.assert_allclose(ours.mean(), judge.mean(), rtol=1e-12)
    np.testing.assert_allclose(ours.variance(), judge.var(), rtol=1e-12)
    if name.startswith("bernoulli"):
        np.testing.assert_allclose(ours.entropy(), judge.entropy(), rtol=1e-9)


@pytest.mark.parametrize("kind", [kd.Categorical, kd.OneHotCategorical])
@pytest.mark.parametrize("given", [{"logits": LOGITS}, {"probs": PROBS}])
def test_categorical(kind, given):
    d = kind(**given)
    np.testing.assert_allclose(d.probs, PROBS, rtol=1e-12)
    np.testing.assert_allclose(d.entropy(), [st.entropy(p) for p in PROBS], rtol=1e-12)
    values = np.array([3, 1])
    expected = np.log(PROBS[[0, 1], values])
    given_values = np.eye(4)[values] if kind is kd.OneHotCategorical else values
    np.testing.assert_allclose(d.log_prob(given_values), expected, rtol=1e-12)
    mode = d.mode().numpy()
    places = mode.argmax(-1) if kind is kd.OneHotCategorical else mode
    np.testing.assert_array_equal(places, PROBS.argmax(-1))
    draws = d.sample(20000, seed=1).numpy()
    if kind is kd.Categorical:
        np.testing.assert_allclose(
            d.cdf(np.array([1, 2])), [PROBS[0, :2].sum(), PROBS[1, :3].sum()]
        )
        np.testing.assert_allclose(d.mean(), (PROBS * np.arange(4)).sum(-1), rtol=1e-12)
        # Several values for each distribution of the batch.
        np.testing.assert_allclose(
            d.log_prob(np.array([[0, 0], [3, 2], [1, 1]])),
            np.log(PROBS[[0, 1], [[0, 0], [3, 2], [1, 1]]]),
        )
        draws = np.eye(4)[draws]
    np.testing.assert_allclose(draws.mean(0), PROBS, atol=0.015)


def test_a_category_without_probability():
    d = kd.Categorical(probs=np.array([0.5, 0.5, 0.0]))
    assert d.log_prob(2).numpy() == -np.inf
    np.testing.assert_allclose(d.entropy(), np.log(2))
    np.testing.assert_allclose(
        kd.kl_divergence(d, kd.Categorical(probs=np.ones(3) / 3)), np.log(1.5)
    )
    assert set(d.sample(500, seed=0).numpy()) == {0, 1}


ALL = {**{k: v[0] for k, v in CONTINUOUS.items()}, **{k: v[0] for k, v in DISCRETE.items()}}


@pytest.mark.parametrize("name", [n for n in ALL if n not in ("lognormal", "shifted")])
def test_draws_have_the_moments(name):
    d = ALL[name]
    n = 4000 if name in ("gamma", "beta") else 40000  # slow to draw
    draws = d.sample(n, seed=3)
    assert draws.shape == (n, *d.batch_shape) and draws.dtype == "float64"
    x, error = draws.numpy(), np.sqrt(d.variance().numpy() / n)
    assert np.all(np.abs(x.mean(0) - d.mean().numpy()) < 4.5 * error)
    np.testing.assert_allclose(x.var(0), d.variance(), rtol=0.08 if n > 4000 else 0.2)


def test_draws_follow_the_distribution():
    for name in ("normal", "gamma", "beta", "logistic", "lognormal", "shifted"):
        ours, judge, _ = CONTINUOUS[name]
        x = ours.sample(1000, seed=5).numpy()
        u = judge.cdf(x)
        for i in np.ndindex(u.shape[1:]):
            assert st.kstest(u[(slice(None), *i)], "uniform").pvalue > 1e-4, name


def test_seeds():
    d = kd.Normal(np.zeros(3), 1.0)
    np.testing.assert_array_equal(d.sample(4, seed=1), d.sample(4, seed=1))
    generator = random.SeedGenerator(1)
    assert np.any(d.sample(4, generator).numpy() != d.sample(4, generator).numpy())
    random.set_random_seed(5)
    first = d.sample((2, 2)).numpy()
    random.set_random_seed(5)
    np.testing.assert_array_equal(first, d.sample((2, 2)))
    assert first.shape == (2, 2, 3)


def test_quantiles_invert_the_distribution_function():
    u = RNG.uniform(0.05, 0.95, (2, 3))
    for d in (kd.Normal(A, B), kd.Logistic(A, B)):
        np.testing.assert_allclose(d.cdf(d.quantile(u)), u, rtol=1e-9)


# -- divergences
PAIRS = {
    "normal": (kd.Normal(0.3, 0.7), kd.Normal(-0.5, 1.2), (-6, 6)),
    "gamma": (kd.Gamma(2.5, 1.5), kd.Gamma(1.5, 0.7), (1e-9, 40)),
    "beta": (kd.Beta(2.5, 1.5), kd.Beta(1.2, 3.0), (1e-9, 1 - 1e-9)),
    "uniform": (kd.Uniform(0.0, 1.0), kd.Uniform(-1.0, 2.0), (0, 1 - 1e-9)),
}


def nodes(low, high):
    """Places and weights of an integral: Gauss-Legendre, dense at ends where powers begin."""
    u, weights = np.polynomial.legendre.leggauss(400)
    u = (u + 1) / 2
    at, slope = u**3 * (10 - 15 * u + 6 * u**2), 30 * u**2 * (1 - u) ** 2
    return low + (high - low) * at, (high - low) * slope * weights / 2


@pytest.mark.parametrize("name", PAIRS)
def test_divergence_is_the_integral(name):
    a, b, ends = PAIRS[name]
    a, b = (core.tree.map_structure(lambda t: ops.cast(t, "float64"), d) for d in (a, b))

    x, weights = nodes(*ends)
    logs = a.log_prob(x).numpy(), b.log_prob(x).numpy()
    expected = (weights * np.exp(logs[0]) * (logs[0] - logs[1])).sum()
    np.testing.assert_allclose(a.kl_divergence(b), expected, rtol=1e-6)
    np.testing.assert_allclose(a.kl_divergence(a), 0, atol=1e-12)


def test_divergences_of_discrete():
    p, q = PROBS[0], PROBS[1]
    expected = (p * np.log(p / q)).sum()
    for kind in (kd.Categorical, kd.OneHotCategorical):
        np.testing.assert_allclose(kind(probs=p).kl_divergence(kind(logits=LOGITS[1])), expected)
    bernoulli = kd.Bernoulli(probs=p).kl_divergence(kd.Bernoulli(probs=q))
    np.testing.assert_allclose(
        bernoulli, p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)), rtol=1e-10
    )
    a, b, k = kd.Poisson(np.float64(2.0)), kd.Poisson(np.float64(3.5)), np.arange(60.0)
    sums = (a.prob(k) * (a.log_prob(k) - b.log_prob(k))).numpy().sum()
    np.testing.assert_allclose(a.kl_divergence(b), sums, rtol=1e-9)


def test_divergences_of_compounds():
    a, b = kd.Normal(A, B), kd.Normal(B, A)
    apart = a.kl_divergence(b).numpy()
    rows = kd.Independent(a, 1).kl_divergence(kd.Independent(b, 1))
    np.testing.assert_allclose(rows, apart.sum(-1))
    diagonal = kd.MultivariateNormalDiag(A, B).kl_divergence(kd.MultivariateNormalDiag(B, A))
    np.testing.assert_allclose(diagonal, apart.sum(-1))
    tanh = bijectors.Tanh()
    squashed = [kd.TransformedDistribution(d, tanh) for d in (a, b)]
    np.testing.assert_allclose(squashed[0].kl_divergence(squashed[1]), apart)
    with pytest.raises(NotImplementedError, match="different bijectors"):
        squashed[0].kl_divergence(kd.TransformedDistribution(b, bijectors.Exp()))
    with pytest.raises(NotImplementedError, match="Normal to Gamma"):
        a.kl_divergence(kd.Gamma(A, B))
    with pytest.raises(ValueError, match="equally many"):
        kd.Independent(a, 1).kl_divergence(kd.Independent(b, 2))


# -- compounds
def test_vectors_and_independent_events():
    d = kd.MultivariateNormalDiag(A, B)
    assert d.batch_shape == (2,) and d.event_shape == (3,)
    x = RNG.normal(size=(5, 2, 3))
    expected = np.stack(
        [st.multivariate_normal(A[i], np.diag(B**2)).logpdf(x[:, i]) for i in range(2)], -1
    )
    np.testing.assert_allclose(d.log_prob(x), expected, rtol=1e-10)
    same = kd.Independent(kd.Normal(A, B), 1)
    assert same.event_shape == (3,) and same.batch_shape == (2,)
    np.testing.assert_allclose(same.log_prob(x), expected, rtol=1e-10)
    np.testing.assert_allclose(same.entropy(), d.entropy())
    assert same.sample(7).shape == (7, 2, 3)
    with pytest.raises(ValueError, match="at most 2"):
        kd.Independent(kd.Normal(A, B), 3)


def test_mixture_of_different_kinds():
    cat = kd.Categorical(probs=np.array([[0.3, 0.7], [0.9, 0.1]]))
    parts = [kd.Normal(np.array([0.0, 1.0]), 1.0), kd.Logistic(np.array([2.0, -1.0]), 0.5)]
    d = kd.Mixture(cat, parts)
    x = RNG.normal(size=(6, 2))
    expected = 0.0
    for k, part in enumerate(parts):
        expected = expected + cat.probs.numpy()[:, k] * part.prob(x).numpy()
    np.testing.assert_allclose(d.prob(x), expected, rtol=1e-9)
    draws = d.sample(40000, seed=2).numpy()
    np.testing.assert_allclose(draws.mean(0), d.mean(), atol=0.04)
    np.testing.assert_allclose(draws.var(0), d.variance(), rtol=0.05)
    with pytest.raises(ValueError, match="must be equal"):
        kd.Mixture(cat, parts[:1])


def test_mixture_of_vectors():
    cat = kd.Categorical(logits=np.zeros(3))
    d = kd.MixtureSameFamily(cat, kd.MultivariateNormalDiag(RNG.normal(size=(3, 2)), np.ones(2)))
    assert d.batch_shape == () and d.event_shape == (2,)
    draws = d.sample(20000, seed=1)
    assert draws.shape == (20000, 2) and d.log_prob(draws).shape == (20000,)
    np.testing.assert_allclose(draws.numpy().mean(0), d.mean(), atol=0.04)
    np.testing.assert_allclose(draws.numpy().var(0), d.variance(), rtol=0.05)


def test_squashed_actions():
    base = kd.Normal(A, B)
    d = kd.TransformedDistribution(base, bijectors.Tanh())
    y, logs = d.sample_and_log_prob(100, seed=3)
    assert np.all(np.abs(y.numpy()) <= 1)
    inner = np.abs(y.numpy()) < 0.999
    np.testing.assert_allclose(logs.numpy()[inner], d.log_prob(y).numpy()[inner], rtol=1e-6)
    x, weights = nodes(-1 + 1e-6, 1 - 1e-6)
    one = kd.TransformedDistribution(kd.Normal(np.float64(0.2), 0.8), bijectors.Tanh())
    total = (weights * one.prob(x).numpy()).sum()
    np.testing.assert_allclose(total, 1, rtol=1e-4)


@pytest.mark.parametrize(
    "b",
    [bijectors.Tanh(), bijectors.Sigmoid(), bijectors.Exp(), bijectors.Softplus(),
     bijectors.Shift(np.float64(2.0)), bijectors.Scale(np.float64(-1.5)),
     bijectors.Chain([bijectors.Sigmoid(), bijectors.Scale(np.float64(2.0))])],
)  # fmt: skip
def test_bijectors(b):
    x = core.convert(RNG.normal(size=(7,)))
    y = b.forward(x)
    np.testing.assert_allclose(b.inverse(y), x, rtol=1e-7)
    with core.GradientTape() as tape:
        tape.watch(x)
        total = ops.sum(b.forward(x))
    slope = tape.gradient(total, x).numpy()
    np.testing.assert_allclose(b.forward_log_det_jacobian(x), np.log(np.abs(slope)), rtol=1e-9)
    rising = b.increasing()
    assert bool(rising) == bool(np.all(slope > 0))


# -- gradients
def test_gradient_of_log_density_by_hand():
    mu, sigma, a = (core.convert(RNG.uniform(0.5, 2, (4,))) for _ in range(3))
    with core.GradientTape() as tape:
        tape.watch([mu, sigma])
        total = ops.sum(kd.Normal(mu, sigma).log_prob(a))
    d_mu, d_sigma = tape.gradient(total, [mu, sigma])
    m, s, v = mu.numpy(), sigma.numpy(), a.numpy()
    np.testing.assert_allclose(d_mu, (v - m) / s**2, rtol=1e-12)
    np.testing.assert_allclose(d_sigma, ((v - m) ** 2 - s**2) / s**3, rtol=1e-12)


@pytest.mark.parametrize("name", ["normal", "logistic", "gamma", "beta", "uniform", "lognormal"])
def test_draws_carry_gradients(name):
    """The gradient of the mean of many draws is that of the mean."""
    kinds = {
        "normal": kd.Normal, "logistic": kd.Logistic, "gamma": kd.Gamma, "beta": kd.Beta,
        "uniform": lambda a, b: kd.Uniform(a, a + b),
        "lognormal": lambda a, b: kd.TransformedDistribution(kd.Normal(a, b / 4), bijectors.Exp()),
    }  # fmt: skip
    a, b = core.convert(np.float64(1.7)), core.convert(np.float64(1.3))
    with core.GradientTape(persistent=True) as tape:
        tape.watch([a, b])
        d = kinds[name](a, b)
        drawn = ops.mean(d.sample(20000, seed=4))
        if name == "lognormal":
            mean = ops.exp(a + ops.square(b / 4) / 2)
        else:
            mean = d.mean()
    for x in (a, b):
        expected = tape.gradient(mean, x, unconnected_gradients="zero")
        np.testing.assert_allclose(tape.gradient(drawn, x), expected, rtol=0.08, atol=0.02)


def test_draws_without_gradients():
    logits = core.convert(LOGITS)
    with core.GradientTape() as tape:
        tape.watch(logits)
        total = ops.sum(kd.OneHotCategorical(logits).sample(3, seed=1))
    assert tape.gradient(total, logits) is None


def test_incomplete_functions():
    a, x = 10 ** RNG.uniform(-2, 4, 2000), 10 ** RNG.uniform(-3, 4.5, 2000)
    near = np.maximum(a + RNG.normal(size=a.size) * np.sqrt(a), 1e-9)
    for at in (x, near):
        np.testing.assert_allclose(
            special.gammainc(a, at), scipy.special.gammainc(a, at), atol=2e-11
        )
    b, u = 10 ** RNG.uniform(-2, 4, 2000), RNG.uniform(0, 1, 2000)
    np.testing.assert_allclose(special.betainc(a, b, u), scipy.special.betainc(a, b, u), atol=1e-10)
    np.testing.assert_array_equal(special.gammainc(2.0, np.array([-1.0, 0.0])), [0, 0])
    np.testing.assert_array_equal(
        special.betainc(2.0, 3.0, np.array([-1.0, 0.0, 1.0, 2.0])), [0, 0, 1, 1]
    )


@pytest.mark.parametrize(
    ("fn", "judge", "args"),
    [(special.gammainc, scipy.special.gammainc, ([0.3, 2.0, 7.0], [0.5, 1.5, 9.0])),
     (special.betainc, scipy.special.betainc,
      ([0.3, 2.0, 7.0], [2.0, 0.5, 3.0], [0.2, 0.7, 0.6]))],
)  # fmt: skip
def test_gradients_of_incomplete_functions(fn, judge, args):
    tensors = [core.convert(np.array(x)) for x in args]
    with core.GradientTape() as tape:
        tape.watch(tensors)
        total = ops.sum(fn(*tensors))
    for k, found in enumerate(tape.gradient(total, tensors)):
        step = 1e-5 * np.array(args[k])
        up, down = ([*map(np.array, args)] for _ in range(2))
        up[k], down[k] = up[k] + step, down[k] - step
        np.testing.assert_allclose(found, (judge(*up) - judge(*down)) / (2 * step), rtol=1e-6)


# -- shapes, structure, errors
def test_a_distribution_is_a_node_of_structures():
    d = kd.Independent(kd.Normal(A, B), 1)
    leaves = core.tree.flatten({"a": d})
    assert len(leaves) == 2
    doubled = core.tree.map_structure(lambda t: t * 2, d)
    assert isinstance(doubled, kd.Independent) and doubled.reinterpreted_batch_ndims == 1
    np.testing.assert_allclose(doubled.mean(), 2 * A + 0 * B)

    @core.function
    def run(d, x):
        return kd.TransformedDistribution(d, bijectors.Exp()), d.log_prob(x)

    made, logs = run(kd.Normal(A, B), core.convert(A))
    assert isinstance(made, kd.TransformedDistribution)
    np.testing.assert_allclose(made.distribution.loc, A)
    np.testing.assert_allclose(logs, st.norm(A, B).logpdf(A), rtol=1e-9)


def test_what_stands_for_a_distribution():
    d = kd.Normal(A, B)
    assert d.as_tensor().shape == (2, 3)
    d.convert_to_tensor_fn = "mean"
    np.testing.assert_allclose(d.as_tensor(), A + 0 * B)
    d.convert_to_tensor_fn = lambda d: d.loc * 2
    found = kd.as_tensor({"x": [d, 3]})
    np.testing.assert_allclose(found["x"][0], 2 * A)
    assert found["x"][1] == 3


def test_dtypes_and_python_numbers():
    assert kd.Normal(0, 1).dtype == "float32"
    assert kd.Normal(np.zeros(2), 1).dtype == "float64"
    assert kd.Normal(0.0, 1.0).log_prob(1).dtype == "float32"
    assert kd.Categorical(logits=[1.0, 2.0]).sample(seed=0).dtype == "int32"
    assert kd.OneHotCategorical(logits=[1.0, 2.0]).sample(seed=0).dtype == "float32"


def test_errors():
    with pytest.raises(ValueError, match="do not broadcast"):
        _ = kd.Normal(np.zeros(2), np.ones(3)).batch_shape
    for kind in (kd.Bernoulli, kd.Categorical, kd.OneHotCategorical):
        with pytest.raises(ValueError, match="either logits or probs"):
            kind()
    with pytest.raises(ValueError, match="either rate or log_rate"):
        kd.Poisson()
    with pytest.raises(NotImplementedError, match="no entropy"):
        mixture().entropy()
    with pytest.raises(ValueError, match="last axis"):
        kd.MixtureSameFamily(kd.Categorical(logits=np.zeros(2)), kd.Normal(np.zeros(3), 1.0))
