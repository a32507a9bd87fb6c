"""Learning rates as functions of the step."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...serialization import builtin

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay",
    "LearningRateSchedule", "PiecewiseConstantDecay", "PolynomialDecay",
]  # fmt: skip


@builtin("keras.optimizers.schedules")
class LearningRateSchedule:
    """Base class: a subclass computes the learning rate in `__call__(step)` and its `get_config`.

    Source: https://keras.io/api/optimizers/learning_rate_schedules/
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, an integer scalar tensor."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments that rebuild the schedule."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in "
            "order to be serializable."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A schedule from what `get_config` returned."""
        return cls(**config)


class _Decay(LearningRateSchedule):
    """A schedule whose config is its arguments."""

    _names: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._names}


def _as_float(step: Any, like: Any) -> Any:
    """The step in the dtype that an initial learning rate has."""
    return ops.cast(step, ops.convert_to_tensor(like).dtype)


def _check_positive(name: str, steps: Any) -> None:
    if steps <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={steps}")


@builtin("keras.optimizers.schedules")
class ExponentialDecay(_Decay):
    """`initial_learning_rate * decay_rate**(step / decay_steps)`.

    Args:
        initial_learning_rate: The learning rate at step 0.
        decay_steps: Number of steps in which it falls to `decay_rate` of itself.
        decay_rate: The factor.
        staircase: Whether the exponent is rounded down to an integer.
        name: Name of the schedule.

    Raises:
        ValueError: `decay_steps` is not positive.
    """

    _names = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.decay_rate = decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        step = _as_float(step, self.initial_learning_rate) / self.decay_steps
        if self.staircase:
            step = ops.floor(step)
        rate = ops.cast(self.decay_rate, step.dtype)
        return self.initial_learning_rate * ops.power(rate, step)


@builtin("keras.optimizers.schedules")
class InverseTimeDecay(_Decay):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: The learning rate at step 0.
        decay_steps: Unit of the steps.
        decay_rate: How fast it decays.
        staircase: Whether `step / decay_steps` is rounded down to an integer.
        name: Name of the schedule.

    Raises:
        ValueError: `decay_steps` is not positive.
    """

    _names = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.decay_rate = decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        step = _as_float(step, self.initial_learning_rate) / self.decay_steps
        if self.staircase:
            step = ops.floor(step)
        return self.initial_learning_rate / (1.0 + self.decay_rate * step)


@builtin("keras.optimizers.schedules")
class PiecewiseConstantDecay(_Decay):
    """`values[i]` from the step after `boundaries[i - 1]` up to step `boundaries[i]`.

    Args:
        boundaries: Increasing steps.
        values: One number more than boundaries.
        name: Name of the schedule.

    Raises:
        ValueError: The lengths do not match.
    """

    _names = ("boundaries", "values", "name")

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of "
                f"length {len(values)}."
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Any) -> Any:
        step = ops.convert_to_tensor(step)
        dtype = ops.convert_to_tensor(list(self.values)).dtype
        rate = ops.convert_to_tensor(self.values[0], dtype=dtype)
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            after = ops.greater(step, boundary)
            rate = ops.where(after, ops.convert_to_tensor(value, dtype=dtype), rate)
        return rate


@builtin("keras.optimizers.schedules")
class PolynomialDecay(_Decay):
    """`(initial - end) * (1 - step / decay_steps)**power + end`, then `end`.

    Args:
        initial_learning_rate: The learning rate at step 0.
        decay_steps: Number of steps of the decay.
        end_learning_rate: The learning rate after it.
        power: Of the polynomial.
        cycle: Whether to begin again from a height that fits the next multiple of `decay_steps`.
        name: Name of the schedule.

    Raises:
        ValueError: `decay_steps` is not positive.
    """

    _names = (
        "initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name",
    )  # fmt: skip

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power = end_learning_rate, power
        self.cycle, self.name = cycle, name

    def __call__(self, step: Any) -> Any:
        step = _as_float(step, self.initial_learning_rate)
        steps: Any = float(self.decay_steps)
        if self.cycle:
            # At step 0 the first multiple counts, as 0 divided by 0 would not do.
            steps = steps * ops.maximum(ops.ceil(step / self.decay_steps), 1.0)
        else:
            step = ops.minimum(step, steps)
        left = ops.power(1.0 - step / steps, self.power)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * left + self.end_learning_rate


@builtin("keras.optimizers.schedules")
class CosineDecay(_Decay):
    """Half a cosine from the initial learning rate to `alpha` times it, after a linear warm-up.

    `initial * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)`.

    Args:
        initial_learning_rate: The learning rate at step 0.
        decay_steps: Number of steps of the decay.
        alpha: What is left at the end.
        name: Name of the schedule.
        warmup_target: The learning rate that the warm-up reaches and the decay starts from; no
            warm-up if None.
        warmup_steps: Number of steps of the warm-up.

    Raises:
        ValueError: `decay_steps` is not positive.

    Source: Loshchilov and Hutter (2017), SGDR, arXiv:1608.03983, eq. 5.
    """

    _names = (
        "initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps",
    )  # fmt: skip

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def _decayed(self, step: Any, start: float) -> Any:
        fraction = ops.minimum(step, float(self.decay_steps)) / self.decay_steps
        cosine = 0.5 * (1.0 + ops.cos(math.pi * fraction))
        return start * ((1.0 - self.alpha) * cosine + self.alpha)

    def __call__(self, step: Any) -> Any:
        step = _as_float(step, self.initial_learning_rate)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        since = ops.maximum(step - self.warmup_steps, 0.0)
        decayed = self._decayed(since, self.warmup_target)
        if self.warmup_steps <= 0:
            return decayed
        rise = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        warm = self.initial_learning_rate + rise * step
        return ops.where(ops.less(step, float(self.warmup_steps)), warm, decayed)


@builtin("keras.optimizers.schedules")
class CosineDecayRestarts(_Decay):
    """Cosine decay that starts again, each period `t_mul` times longer and `m_mul` times as high.

    Args:
        initial_learning_rate: The learning rate at step 0.
        first_decay_steps: Number of steps of the first period.
        t_mul: Factor from a period to the next.
        m_mul: Factor from an initial learning rate to the next.
        alpha: What is left at the end of a period.
        name: Name of the schedule.

    Raises:
        ValueError: `first_decay_steps` is not positive.

    Source: Loshchilov and Hutter (2017), SGDR, arXiv:1608.03983.
    """

    _names = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _check_positive("first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul, self.m_mul = t_mul, m_mul
        self.alpha, self.name = alpha, name

    def __call__(self, step: Any) -> Any:
        fraction = _as_float(step, self.initial_learning_rate) / self.first_decay_steps
        if self.t_mul == 1.0:
            period = ops.floor(fraction)
            fraction = fraction - period
        else:
            # Periods before number i took (1 - t**i) / (1 - t) first periods together.
            ratio = 1.0 - fraction * (1.0 - self.t_mul)
            period = ops.floor(ops.log(ratio) / math.log(self.t_mul))
            length = ops.power(ops.cast(self.t_mul, fraction.dtype), period)
            fraction = (fraction - (1.0 - length) / (1.0 - self.t_mul)) / length
        height = ops.power(ops.cast(self.m_mul, fraction.dtype), period)
        cosine = 0.5 * height * (1.0 + ops.cos(math.pi * fraction))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)
