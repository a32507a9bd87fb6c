"""The generator's published words, the fixed stream, and distributions by statistical tests."""

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
    binomial = scipy.stats.binom(4, 0.3).pmf(range(5))
    assert chi_square(numpy_of(random.binomial(SEED, (N,), 4, 0.3)), binomial) > 1e-3
    poisson = np.minimum(numpy_of(random.poisson(SEED, (N,), 2.0)), 8)
    below = scipy.stats.poisson(2).pmf(range(8))
    assert chi_square(poisson, [*below, 1 - below.sum()]) > 1e-3


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
