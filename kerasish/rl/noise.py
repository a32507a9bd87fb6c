"""Noise for exploration."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["OrnsteinUhlenbeck"]


class OrnsteinUhlenbeck:
    """Noise that reverts to its mean, `x += theta (mean - x) dt + sigma sqrt(dt) N(0, 1)`.

    In the long run it has the given mean and, for small `theta dt`, variance
    `sigma^2 / (2 theta)`.

    Args:
        shape: Of the noise, `(actors, actions)` say.
        mean, theta, sigma: Numbers, or arrays that broadcast to the shape.
        dt: Time of a step.
        start: Where `reset` sets it, the mean if None.
        seed: Of the draws.

    Source: G. Uhlenbeck, L. Ornstein, "On the Theory of the Brownian Motion", 1930.
    """

    def __init__(
        self, shape: Any = (), mean: Any = 0.0, theta: Any = 0.15, sigma: Any = 0.2,
        dt: float = 1e-2, start: Any = None, seed: Any = None,
    ) -> None:  # fmt: skip
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.mean, self.theta, self.sigma, self.dt = mean, theta, sigma, float(dt)
        self._start = mean if start is None else start
        self._random = np.random.default_rng(seed)
        self.reset()

    def reset(self, actors: Any = None) -> None:
        """Set the noise back to its start.

        Args:
            actors: Which rows of the first axis, as an index or mask; all if None.
        """
        start = np.broadcast_to(np.asarray(self._start, "float64"), self.shape)
        if actors is None:
            self.value = start.copy()
        else:
            self.value[actors] = start[actors]

    def __call__(self) -> np.ndarray:
        """The next noise, float32 of the shape."""
        drift = self.theta * (self.mean - self.value) * self.dt
        spread = self.sigma * np.sqrt(self.dt) * self._random.standard_normal(self.shape)
        self.value = self.value + drift + spread
        return np.asarray(self.value, "float32")
