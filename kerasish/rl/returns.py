"""Returns and advantages from what was met on the way. Time is the first axis, actors follow."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["discounted_returns", "generalized_advantages", "n_step_returns"]


def discounted_returns(
    rewards: Any, gamma: float, dones: Any = None, bootstrap: Any = 0.0
) -> np.ndarray:
    """`R_t = r_t + gamma R_(t+1)`, beginning anew after the end of an episode.

    Args:
        rewards: Shape `(steps,)` or `(steps, actors)`.
        gamma: Discount.
        dones: Whether the episode ended with the step, same shape; never if None.
        bootstrap: The value of what follows the last step, `()` or `(actors,)`.

    Returns:
        float32 of the shape of the rewards.
    """
    rewards, dones = _aligned(rewards, dones)
    found = np.empty_like(rewards)
    running = np.broadcast_to(np.asarray(bootstrap, "float64"), rewards.shape[1:])
    for t in range(len(rewards) - 1, -1, -1):
        running = rewards[t] + gamma * running * ~dones[t]
        found[t] = running
    return found.astype("float32")


def n_step_returns(
    rewards: Any, next_values: Any, gamma: float, steps: int, dones: Any = None
) -> np.ndarray:
    """`r_t + gamma r_(t+1) + ... + gamma^n V(s_(t+n))`, shorter where an episode or the data ends.

    Args:
        rewards: Shape `(steps,)` or `(steps, actors)`.
        next_values: The value of the state after each step, same shape.
        gamma: Discount.
        steps: n, at least 1.
        dones: Whether the episode ended with the step, so that nothing follows; never if None.

    Returns:
        float32 of the shape of the rewards.

    Raises:
        ValueError: `steps` is less than 1, or shapes differ.
    """
    if steps < 1:
        raise ValueError(f"n_step_returns: steps={steps}; at least 1 is needed.")
    rewards, dones = _aligned(rewards, dones)
    values = _same(next_values, rewards, "next_values")
    count = len(rewards)
    total, alive = np.zeros_like(rewards), np.ones(rewards.shape, bool)
    for k in range(min(steps, count)):
        now = slice(0, count - k)
        later = slice(k, count)
        total[now] += gamma**k * rewards[later] * alive[now]
        alive[now] &= ~dones[later]
        # Rows whose n steps end here, and the last row that still has k + 1 steps.
        ends = now if k == steps - 1 else slice(count - k - 1, count - k)
        shifted = slice(ends.start + k, ends.stop + k)
        total[ends] += gamma ** (k + 1) * values[shifted] * alive[ends]
    return total.astype("float32")


def generalized_advantages(
    rewards: Any, values: Any, next_values: Any, gamma: float, lam: float, terminated: Any,
    truncated: Any = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Advantages `A_t = sum over k of (gamma lam)^k delta_(t+k)`, and returns `A_t + V(s_t)`.

    `delta_t = r_t + gamma V(s_(t+1)) - V(s_t)`, in which nothing follows a terminated step. A
    truncated step ends the sum too, but the state that follows keeps its value.

    Args:
        rewards: Shape `(steps,)` or `(steps, actors)`.
        values: Of the state before each step, same shape.
        next_values: Of the state after each step: of the episode's own last state where it ended.
        gamma: Discount.
        lam: 0 gives one-step advantages, 1 those of whole returns.
        terminated: Whether the episode ended with the step.
        truncated: Whether it was cut off, by a time limit say; never if None.

    Returns:
        Two float32 arrays of the shape of the rewards.

    Source: J. Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage
    Estimation", ICLR 2016.
    """
    rewards, terminated = _aligned(rewards, terminated)
    _, truncated = _aligned(rewards, truncated)
    values = _same(values, rewards, "values")
    delta = rewards + gamma * _same(next_values, rewards, "next_values") * ~terminated - values
    goes_on = gamma * lam * ~(terminated | truncated)
    found, running = np.empty_like(rewards), np.zeros(rewards.shape[1:])
    for t in range(len(rewards) - 1, -1, -1):
        running = delta[t] + goes_on[t] * running
        found[t] = running
    return found.astype("float32"), (found + values).astype("float32")


def _aligned(rewards: Any, dones: Any) -> tuple[np.ndarray, np.ndarray]:
    rewards = np.asarray(rewards, "float64")
    if dones is None:
        return rewards, np.zeros(rewards.shape, bool)
    return rewards, _same(dones, rewards, "dones").astype(bool)


def _same(x: Any, rewards: np.ndarray, name: str) -> np.ndarray:
    x = np.asarray(x)
    if x.shape != rewards.shape:
        raise ValueError(
            f"{name} has shape {x.shape}, but rewards have {rewards.shape}; they must be equal."
        )
    return x if x.dtype == bool else x.astype("float64")
