"""Returns and advantages against their sums written out, noise, replay, packing."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish
from kerasish import layers, ops, rl

RNG = np.random.default_rng(0)
REWARDS = RNG.normal(size=(12, 3))
DONES = RNG.uniform(size=(12, 3)) < 0.2
VALUES, NEXT = RNG.normal(size=(2, 12, 3))


def long_return(t, actor, gamma, steps, bootstrap):
    """The return from step t on, by the definition."""
    total, factor = 0.0, 1.0
    for k in range(steps):
        if t + k == len(REWARDS):
            return total + factor * bootstrap(t + k - 1)
        total += factor * REWARDS[t + k, actor]
        factor *= gamma
        if DONES[t + k, actor]:
            return total
    return total + factor * bootstrap(t + steps - 1)


def test_discounted_returns():
    found = rl.discounted_returns(REWARDS, 0.9, DONES, bootstrap=[1.0, 2.0, 3.0])
    assert found.dtype == "float32"
    for t in range(12):
        for a in range(3):
            expected = long_return(t, a, 0.9, 99, lambda _, a=a: a + 1.0)
            assert found[t, a] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(rl.discounted_returns([1, 1, 1], 0.5), [1.75, 1.5, 1])


@pytest.mark.parametrize("steps", [1, 2, 5, 12, 40])
def test_n_step_returns(steps):
    found = rl.n_step_returns(REWARDS, NEXT, 0.9, steps, DONES)
    for t in range(12):
        for a in range(3):
            expected = long_return(t, a, 0.9, steps, lambda last, a=a: NEXT[last, a])
            assert found[t, a] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_generalized_advantages():
    truncated = RNG.uniform(size=(12, 3)) < 0.2
    found, returns = rl.generalized_advantages(REWARDS, VALUES, NEXT, 0.9, 0.8, DONES, truncated)
    delta = REWARDS + 0.9 * NEXT * (1 - DONES) - VALUES
    for a in range(3):
        for t in range(12):
            expected, factor = 0.0, 1.0
            for k in range(t, 12):
                expected += factor * delta[k, a]
                factor *= 0.72
                if DONES[k, a] or truncated[k, a]:
                    break
            assert found[t, a] == pytest.approx(expected, rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(returns, found + VALUES, rtol=1e-5)
    # With lam = 1 the sum telescopes to the return without the value.
    whole, _ = rl.generalized_advantages(REWARDS, VALUES, np.roll(VALUES, -1, 0), 0.9, 1.0, DONES)
    ends = VALUES[0]
    expected = rl.discounted_returns(REWARDS, 0.9, DONES, bootstrap=ends) - VALUES
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-5)


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r"next_values has shape \(3,\)"):
        rl.n_step_returns(REWARDS, np.zeros(3), 0.9, 2)
    with pytest.raises(ValueError, match="at least 1"):
        rl.n_step_returns(REWARDS, NEXT, 0.9, 0)


def test_noise_has_the_stationary_moments():
    noise = rl.OrnsteinUhlenbeck((1000, 2), mean=0.5, theta=0.6, sigma=0.3, dt=0.05, seed=1)
    for _ in range(400):
        noise()
    drawn = np.stack([noise() for _ in range(400)])
    assert drawn.dtype == "float32" and drawn.shape == (400, 1000, 2)
    assert drawn.mean() == pytest.approx(0.5, rel=0.02)
    assert drawn.var() == pytest.approx(0.3**2 / 1.2, rel=0.05)


def test_noise_resets_and_repeats():
    a, b = (rl.OrnsteinUhlenbeck(3, sigma=1.0, seed=2) for _ in range(2))
    np.testing.assert_array_equal(a(), b())
    a.reset(np.array([True, False, True]))
    assert a.value[0] == 0 and a.value[1] != 0
    a.reset()
    np.testing.assert_array_equal(a.value, 0)


def test_replay_keeps_the_latest():
    memory = rl.ReplayBuffer(5, seed=0)
    with pytest.raises(ValueError, match="nothing to sample"):
        memory.sample(1)
    for i in range(3):
        memory.add(state=[i, i + 0.5], action=i, done=False)
    assert len(memory) == 3
    batch = memory.sample(50)
    assert batch["state"].dtype == "float32" and batch["action"].dtype.kind == "i"
    np.testing.assert_array_equal(batch["state"][:, 0], batch["action"])
    assert set(batch["action"]) == {0, 1, 2}
    memory.add_batch(state=np.zeros((7, 2)), action=np.arange(3, 10), done=np.ones(7, bool))
    assert len(memory) == 5 and set(memory.sample(200)["action"]) == {5, 6, 7, 8, 9}
    with pytest.raises(ValueError, match="expected"):
        memory.add(state=[0, 0], action=1)
    with pytest.raises(ValueError, match="'state' has shape"):
        memory.add(state=[0, 0, 0], action=1, done=False)
    with pytest.raises(ValueError, match="capacity"):
        rl.ReplayBuffer(0)


def test_packing():
    actions, advantages, soft = np.arange(4), RNG.normal(size=4), RNG.normal(size=(4, 2))
    packed = rl.pack(actions, advantages, soft)
    assert packed.shape == (4, 4) and packed.dtype == "float32"
    for value in (packed, ops.convert_to_tensor(packed)):
        a, b, c = rl.unpack(value, None, 1, 2)
        assert a.shape == (4,) and b.shape == (4, 1) and c.shape == (4, 2)
        np.testing.assert_array_equal(a, actions)
        np.testing.assert_allclose(c, soft, rtol=1e-6)
    with pytest.raises(ValueError, match="float32 is exact"):
        rl.pack(np.array([1 << 25]))
    with pytest.raises(ValueError, match="array 1"):
        rl.pack(actions, advantages[:3])
    with pytest.raises(ValueError, match="4 columns"):
        rl.unpack(packed, 1, 2)


def test_packed_targets_in_fit():
    """A policy's loss by packed advantages equals the one by sample_weight."""
    x = RNG.normal(size=(16, 4)).astype("float32")
    actions, advantages = RNG.integers(0, 2, 16), RNG.normal(size=16).astype("float32")

    def packed_loss(y_true, y_pred):
        action, advantage = rl.unpack(y_true, None, None)
        crossentropy = kerasish.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="none"
        )
        return crossentropy(action, y_pred) * advantage

    def train(loss, y, **kwargs):
        kerasish.utils.set_random_seed(1)
        model = kerasish.Sequential([layers.Input((4,)), layers.Dense(2)])
        model.compile("sgd", loss=loss)
        model.train_on_batch(x, y, **kwargs)
        return model.get_weights()

    a = train(packed_loss, rl.pack(actions, advantages))
    judge = kerasish.losses.SparseCategoricalCrossentropy(from_logits=True)
    b = train(judge, actions, sample_weight=advantages)
    for p, q in zip(a, b, strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-5, atol=1e-6)
