"""Learning rate schedules: by hand, traced, serialized."""

import math

import numpy as np
import pytest

import kerasish_core as core
from kerasish.optimizers import schedules

CASES = [
    (schedules.ExponentialDecay(0.1, 10, 0.5), lambda t: 0.1 * 0.5 ** (t / 10)),
    (schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True), lambda t: 0.1 * 0.5 ** (t // 10)),
    (schedules.InverseTimeDecay(0.1, 4, 0.5), lambda t: 0.1 / (1 + 0.5 * t / 4)),
    (
        schedules.PiecewiseConstantDecay([5, 20], [0.3, 0.2, 0.1]),
        lambda t: 0.3 if t <= 5 else 0.2 if t <= 20 else 0.1,
    ),
    (
        schedules.PolynomialDecay(0.1, 20, 0.01, power=2.0),
        lambda t: 0.09 * (1 - min(t, 20) / 20) ** 2 + 0.01,
    ),
    (
        schedules.PolynomialDecay(0.1, 20, 0.01, cycle=True),
        lambda t: 0.09 * (1 - t / (20 * max(1, math.ceil(t / 20)))) + 0.01,
    ),
    (
        schedules.CosineDecay(0.1, 20, alpha=0.1),
        lambda t: 0.1 * (0.9 * (1 + math.cos(math.pi * min(t, 20) / 20)) / 2 + 0.1),
    ),
    (
        schedules.CosineDecay(0.0, 20, warmup_target=0.2, warmup_steps=10),
        lambda t: 0.02 * t if t < 10 else 0.1 * (1 + math.cos(math.pi * min(t - 10, 20) / 20)),
    ),
    (
        schedules.CosineDecayRestarts(0.1, 10, t_mul=1.0, m_mul=0.5),
        lambda t: 0.1 * 0.5 ** (t // 10) * (1 + math.cos(math.pi * (t % 10) / 10)) / 2,
    ),
]


@pytest.mark.parametrize("schedule, formula", CASES)
def test_formulas(schedule, formula):
    step = core.compile_step(lambda t: schedule(t))
    for t in [0, 1, 3, 5, 6, 9, 11, 19, 21, 37]:
        assert float(schedule(t)) == pytest.approx(formula(t), rel=1e-4, abs=1e-8)
        assert float(step(np.int32(t))) == pytest.approx(formula(t), rel=1e-4, abs=1e-8)


def test_restarts_get_longer():
    schedule = schedules.CosineDecayRestarts(1.0, 10, t_mul=2.0)
    for start in (0, 10, 30, 70):
        assert float(schedule(start)) == pytest.approx(1.0, abs=1e-3)
    assert float(schedule(29)) < 0.02 and float(schedule(20)) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("schedule, formula", CASES)
def test_serialization(schedule, formula):
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule) and again.get_config() == schedule.get_config()


def test_config_without_a_module():
    config = {"class_name": "InverseTimeDecay", "config": CASES[2][0].get_config()}
    assert float(schedules.deserialize(config)(4)) == pytest.approx(0.1 / 1.5)
    with pytest.raises(ValueError, match="Unknown schedule"):
        schedules.deserialize({"class_name": "Foo", "config": {}})


def test_errors():
    with pytest.raises(ValueError, match="must be > 0"):
        schedules.CosineDecay(0.1, 0)
    with pytest.raises(ValueError, match="length of boundaries"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1])
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(0)
    with pytest.raises(NotImplementedError, match="get_config"):
        schedules.LearningRateSchedule().get_config()
