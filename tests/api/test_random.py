"""`kerasish.random`: seeds, and the statistics of what is drawn."""

import random as python_random

import numpy as np
import pytest
import scipy.stats

import kerasish_core as core
from kerasish import naming, random
from kerasish.random import SeedGenerator
from kerasish.serialization import deserialize_keras_object, serialize_keras_object

N = 20_000


@pytest.fixture(autouse=True)
def fresh():
    naming.clear_session()
    random.set_random_seed(1)
    yield
    naming.clear_session()


DRAWS = {
    "normal": (lambda s: random.normal((N,), 1.0, 2.0, seed=s), scipy.stats.norm(1, 2)),
    "uniform": (lambda s: random.uniform((N,), -1.0, 3.0, seed=s), scipy.stats.uniform(-1, 4)),
    "truncated_normal": (
        lambda s: random.truncated_normal((N,), 1.0, 2.0, seed=s),
        scipy.stats.truncnorm(-2, 2, 1, 2),
    ),
    "gamma": (lambda s: random.gamma((N,), 2.5, seed=s), scipy.stats.gamma(2.5)),
    "small gamma": (lambda s: random.gamma((N,), 0.3, seed=s), scipy.stats.gamma(0.3)),
    "beta": (lambda s: random.beta((N,), 2.0, 0.5, seed=s), scipy.stats.beta(2.0, 0.5)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_distributions(name):
    draw, expected = DRAWS[name]
    values = np.asarray(draw(SeedGenerator(7)))
    assert values.dtype == "float32"
    assert scipy.stats.kstest(values, expected.cdf).pvalue > 1e-3


def test_binomial():
    values = np.asarray(random.binomial((N,), 10, 0.3, seed=7))
    assert values.dtype == "float32"
    expected = scipy.stats.binom(10, 0.3)
    observed = np.bincount(values.astype(int), minlength=11)
    often = expected.pmf(np.arange(11)) * N > 20
    share = expected.pmf(np.arange(11))[often]
    chi = scipy.stats.chisquare(observed[often], share / share.sum() * observed[often].sum())
    assert chi.pvalue > 1e-3


def test_randint():
    values = np.asarray(random.randint((N,), -2, 4, seed=7))
    assert values.dtype == "int32"
    assert set(values) == {-2, -1, 0, 1, 2, 3}
    assert scipy.stats.chisquare(np.bincount(values + 2)).pvalue > 1e-3
    assert random.randint((3,), 0, 5, dtype="uint8", seed=1).dtype == "uint8"


def test_categorical():
    share = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]], "float32")
    with np.errstate(divide="ignore"):
        logits = np.log(share)
    drawn = np.asarray(random.categorical(logits, N, seed=7))
    assert drawn.shape == (2, N) and drawn.dtype == "int32"
    assert scipy.stats.chisquare(np.bincount(drawn[0]), share[0] * N / share[0].sum()).pvalue > 1e-3
    assert set(drawn[1]) == {0, 1}
    assert random.categorical(logits, 2, dtype="int64", seed=7).dtype == "int64"
    with pytest.raises(ValueError, match="2-D"):
        random.categorical(np.zeros(3, "float32"), 2)


def test_shuffle():
    x = np.arange(12).reshape(6, 2)
    shuffled = np.asarray(random.shuffle(x, seed=3))
    assert not np.array_equal(shuffled, x)
    assert np.array_equal(shuffled[np.argsort(shuffled[:, 0])], x)
    across = np.asarray(random.shuffle(np.arange(20).reshape(2, 10), axis=1, seed=3))
    assert np.array_equal(across[1], across[0] + 10)


def test_dropout():
    x = np.ones((100, 200), "float32")
    y = np.asarray(random.dropout(x, 0.25, seed=3))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.02
    rows = np.asarray(random.dropout(x, 0.5, noise_shape=(None, 1), seed=3))
    assert (rows == rows[:, :1]).all() and 0 < (rows == 0).mean() < 1
    assert np.array_equal(random.dropout(x, 0.0, seed=3), x)
    assert not np.asarray(random.dropout(x, 1.0, seed=3)).any()
    assert random.dropout(x.astype("float16"), 0.5, seed=3).dtype == "float16"
    with pytest.raises(ValueError, match="noise_shape"):
        random.dropout(x, 0.5, noise_shape=(1,))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_dtypes(dtype):
    for draw in (random.normal, random.uniform, random.truncated_normal):
        values = draw((1000,), dtype=dtype, seed=3)
        assert values.dtype.name == dtype
        assert np.isfinite(values.numpy().astype("float64")).all()


@pytest.mark.parametrize("draw", [random.normal, random.uniform, random.truncated_normal])
def test_floats_are_floats(draw):
    with pytest.raises(ValueError, match="requires a floating point"):
        draw((2,), dtype="int32")
    with pytest.raises(ValueError, match="requires an integer"):
        random.randint((2,), 0, 3, dtype="float32")


def test_seeds():
    a, b = random.normal((4,), seed=5), random.normal((4,), seed=5)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, random.normal((4,), seed=6))
    generator = SeedGenerator(5)
    first, second = random.normal((4,), seed=generator), random.normal((4,), seed=generator)
    assert np.array_equal(first, a) and not np.array_equal(second, a)
    assert generator.state.numpy().tolist() == [5, 2]
    with pytest.raises(ValueError, match="either an integer or an instance"):
        random.normal((2,), seed="5")
    with pytest.raises(OverflowError, match="out of bounds"):
        random.normal((2,), seed=-1)
    with pytest.raises(OverflowError, match="out of bounds"):
        SeedGenerator(2**32)
    with pytest.raises(ValueError, match="must be an integer"):
        SeedGenerator(2.0)
    with pytest.raises(ValueError, match="Unrecognized"):
        SeedGenerator(1, name="a", color="red")


def test_the_prefix_of_a_longer_draw_is_the_shorter_one():
    assert np.array_equal(random.uniform((5,), seed=5), random.uniform((9,), seed=5)[:5])


def test_set_random_seed():
    def everything():
        random.set_random_seed(11)
        return python_random.random(), np.random.rand(), *random.uniform((3,)).tolist()

    assert everything() == everything()
    assert random.uniform((1,)).item() != random.uniform((1,)).item()
    with pytest.raises(ValueError, match="Expected `seed` argument to be an integer"):
        random.set_random_seed("11")


def test_clear_session_forgets_the_global_seed():
    random.set_random_seed(11)
    before = random.global_seed_generator()
    naming.clear_session()
    assert random.global_seed_generator() is not before


def test_generators_have_configs_and_paths():
    generator = SeedGenerator(7)
    assert generator.get_config() == {"seed": 7, "name": generator.name}
    assert generator.state.path == f"{generator.name}/seed_generator_state"
    assert not generator.state.trainable and generator.state.dtype == "uint32"
    config = serialize_keras_object(generator)
    assert (config["module"], config["class_name"]) == ("keras.random", "SeedGenerator")
    again = deserialize_keras_object(config)
    assert np.array_equal(random.normal((3,), seed=again), random.normal((3,), seed=7))
    assert SeedGenerator(name="a").get_config() == {"seed": None, "name": "a"}


def test_compiled_draws_are_the_eager_ones_and_go_on():
    def draw(generator):
        return random.uniform((3,), seed=generator)

    eager = SeedGenerator(5)
    expected = [np.asarray(draw(eager)) for _ in range(3)]
    compiled = SeedGenerator(5)
    step = core.function(lambda x: x + draw(compiled))
    zero = np.zeros(3, "float32")
    for values in expected:
        assert np.array_equal(step(zero), values)
    assert compiled.state.numpy().tolist() == [5, 3]


def test_the_global_generator_in_a_trace():
    naming.clear_session()
    step = core.function(lambda x: x + random.uniform((3,)))
    zero = np.zeros(3, "float32")
    random.set_random_seed(3)
    expected = [np.asarray(random.uniform((3,))) for _ in range(2)]
    random.global_seed_generator().state.assign([3, 0])
    for values in expected:
        assert np.array_equal(step(zero), values)


def test_gradients_reach_the_parameters():
    mean = core.convert(np.float32(1.0))
    with core.GradientTape() as tape:
        tape.watch(mean)
        y = core.ops.sum(random.normal((5,), mean, 2.0, seed=1))
    assert tape.gradient(y, mean).item() == 5.0
