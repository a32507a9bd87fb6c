"""Initializers: statistics against their formulas, seeds, names and configs."""

import json
import math
import random as python_random

import numpy as np
import pytest
import scipy.signal
import scipy.stats

import kerasish_core as core
from kerasish import initializers
from kerasish.initializers.random import compute_fans
from kerasish.random import SeedGenerator
from kerasish.serialization import custom_object_scope

SHAPE = (3, 5, 40, 60)
FAN_IN, FAN_OUT = 15 * 40, 15 * 60
RANDOM = [
    initializers.GlorotNormal,
    initializers.GlorotUniform,
    initializers.HeNormal,
    initializers.HeUniform,
    initializers.LecunNormal,
    initializers.LecunUniform,
    initializers.Orthogonal,
    initializers.RandomNormal,
    initializers.RandomUniform,
    initializers.TruncatedNormal,
    initializers.VarianceScaling,
]


def truncated(variance):
    """A normal distribution cut at two deviations, with this variance after the cut."""
    deviation = math.sqrt(variance / scipy.stats.truncnorm(-2, 2).var())
    return scipy.stats.truncnorm(-2, 2, scale=deviation)


def uniform(variance):
    limit = math.sqrt(3 * variance)
    return scipy.stats.uniform(-limit, 2 * limit)


@pytest.mark.parametrize(
    "cls, expected",
    [
        (initializers.GlorotNormal, truncated(2 / (FAN_IN + FAN_OUT))),
        (initializers.GlorotUniform, uniform(2 / (FAN_IN + FAN_OUT))),
        (initializers.HeNormal, truncated(2 / FAN_IN)),
        (initializers.HeUniform, uniform(2 / FAN_IN)),
        (initializers.LecunNormal, truncated(1 / FAN_IN)),
        (initializers.LecunUniform, uniform(1 / FAN_IN)),
        (initializers.RandomNormal, scipy.stats.norm(0, 0.05)),
        (initializers.RandomUniform, scipy.stats.uniform(-0.05, 0.1)),
        (initializers.TruncatedNormal, scipy.stats.truncnorm(-2, 2, 0, 0.05)),
    ],
)
def test_distributions(cls, expected):
    values = np.asarray(cls(seed=3)(SHAPE)).ravel()
    assert scipy.stats.kstest(values, expected.cdf).pvalue > 1e-3


@pytest.mark.parametrize("mode, fan", [("fan_in", FAN_IN), ("fan_out", FAN_OUT), ("fan_avg", 750)])
@pytest.mark.parametrize("distribution", ["normal", "untruncated_normal", "uniform"])
def test_variance_scaling(mode, fan, distribution):
    values = initializers.VarianceScaling(3.0, mode, distribution, seed=3)(SHAPE).numpy()
    assert values.var() == pytest.approx(3.0 / fan, rel=0.03)
    assert abs(values.mean()) < 4 * math.sqrt(3.0 / fan / values.size)


@pytest.mark.parametrize(
    "shape, axes, fans",
    [
        ((), (None, None), (1, 1)),
        ((7,), (None, None), (7, 7)),
        ((7, 9), (None, None), (7, 9)),
        ((2, 3, 7, 9), (None, None), (42, 54)),
        ((20, 30, 40), ((0,), (1,)), (20, 30)),
        ((20, 30, 40), ((0, 1), (-1,)), (600, 40)),
        ((20, 30, 40), ((0,), None), (600, 800)),
    ],
)
def test_fans(shape, axes, fans):
    assert compute_fans(shape, *axes) == fans


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 3, 4), (5, 5)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=3)(shape).numpy().reshape(-1, shape[-1]) / 2.0
    small = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(small, np.eye(min(q.shape)), atol=1e-6)


def test_constants():
    assert initializers.Zeros()((2, 2)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert initializers.Ones()((2,), dtype="int32").dtype == "int32"
    assert initializers.Constant(3.0)((2,), "float64").tolist() == [3.0, 3.0]
    assert initializers.Constant([1.0, 2.0])((3, 2)).tolist() == [[1.0, 2.0]] * 3
    assert initializers.Identity(2.0)((3, 2)).tolist() == [[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]]
    assert initializers.Identity()((2, 2), "bfloat16").dtype == "bfloat16"


@pytest.mark.parametrize("window", ["hann", "hamming", "blackman", None])
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize("periodic", [True, False])
def test_stft_is_a_windowed_fourier_transform(window, scaling, periodic):
    n, bins = 16, 9
    real, imag = (
        initializers.STFT(side, window, scaling, periodic)((n, 1, bins), "float64").numpy()[:, 0]
        for side in ("real", "imag")
    )
    w = np.ones(n) if window is None else scipy.signal.get_window(window, n, fftbins=periodic)
    if window is not None and scaling is not None:
        w = w / (np.sqrt(np.sum(w**2)) if scaling == "density" else np.sum(w))
    x = np.random.default_rng(0).normal(size=n)
    np.testing.assert_allclose(x @ real + 1j * (x @ imag), np.fft.rfft(x * w), atol=1e-12)


@pytest.mark.parametrize("cls", RANDOM)
def test_seeds(cls):
    shape = (6, 4)
    one = cls(seed=5)
    assert np.array_equal(one(shape), one(shape))  # the same at each call, as in Keras
    assert np.array_equal(one(shape), cls(seed=5)(shape))
    assert not np.array_equal(one(shape), cls(seed=6)(shape))
    unseeded = cls()
    assert np.array_equal(unseeded(shape), unseeded(shape))
    assert not np.array_equal(unseeded(shape), cls()(shape))
    moving = cls(seed=SeedGenerator(5))
    assert np.array_equal(moving(shape), one(shape))
    assert not np.array_equal(moving(shape), one(shape))
    with pytest.raises(ValueError, match="`seed` argument should be"):
        cls(seed="5")


def test_unseeded_ones_follow_pythons_generator():
    python_random.seed(4)
    a = initializers.get("glorot_uniform")((3, 3))
    python_random.seed(4)
    assert np.array_equal(a, initializers.get("glorot_uniform")((3, 3)))


@pytest.mark.parametrize("cls", RANDOM)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_dtypes(cls, dtype):
    values = cls(seed=1)((4, 4), dtype=dtype)
    assert values.dtype.name == dtype and values.shape == (4, 4)


def test_float32_is_the_default():
    assert initializers.GlorotUniform()((2, 2)).dtype == "float32"


@pytest.mark.parametrize("name", sorted(initializers._BY_NAME))
def test_names_and_configs(name):
    made = initializers.get(name)
    config = json.loads(json.dumps(initializers.serialize(made)))
    again = initializers.deserialize(config)
    assert type(again) is type(made) is initializers._BY_NAME[name]
    assert again.get_config() == made.get_config() == made.clone().get_config()


def test_configs_hold_everything():
    made = initializers.VarianceScaling(2.0, "fan_out", "uniform", 3, (0,), (1,))
    again = initializers.get(json.loads(json.dumps(initializers.serialize(made))))
    assert np.array_equal(made((8, 3)), again((8, 3)))
    made = initializers.Constant(np.array([1.0, 2.0]))
    again = initializers.get(json.loads(json.dumps(initializers.serialize(made))))
    assert again((2,)).tolist() == [1.0, 2.0]
    made = initializers.HeNormal(seed=SeedGenerator(4))
    again = initializers.get(initializers.serialize(made))
    assert np.array_equal(made((3, 3)), again((3, 3)))


def test_get():
    assert initializers.get(None) is None
    made = initializers.Zeros()
    assert initializers.get(made) is made
    assert type(initializers.get(initializers.Zeros)) is initializers.Zeros
    assert initializers.get(np.full((2, 2), 3.0))((2, 2)).tolist() == [[3.0, 3.0]] * 2
    with pytest.raises(ValueError, match="shape"):
        initializers.get(core.convert([1.0, 2.0]))((3,))

    def mine(shape, dtype=None):
        return np.ones(shape)

    assert initializers.get(mine) is mine
    with custom_object_scope({"mine": mine}):
        assert initializers.get("mine") is mine
    for wrong in ("mine", 3):
        with pytest.raises(ValueError, match="Could not interpret initializer identifier"):
            initializers.get(wrong)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: initializers.VarianceScaling(-1.0), "`scale` must be positive"),
        (lambda: initializers.VarianceScaling(mode="fan"), "Invalid `mode`"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "Invalid `distribution`"),
        (lambda: initializers.Orthogonal()((3,)), "at least two-dimensional"),
        (lambda: initializers.Identity()((3, 3, 3)), "2D matrices"),
        (lambda: initializers.STFT("left"), "side should be"),
        (lambda: initializers.STFT(scaling="x"), "Scaling is invalid"),
        (lambda: initializers.STFT(window="x"), "window"),
        (lambda: initializers.RandomNormal()((2,), dtype="int32"), "floating point"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_subclass_of_the_user():
    class Twos(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return core.ops.full(shape, 2.0, dtype)

    config = initializers.serialize(Twos())
    again = initializers.deserialize(config, custom_objects={"Twos": Twos})
    assert again((2,), dtype="float32").tolist() == [2.0, 2.0]
    with pytest.raises(NotImplementedError, match="__call__"):
        initializers.Initializer()((2,))
