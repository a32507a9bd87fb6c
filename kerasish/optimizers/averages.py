"""Moving averages of the variables, which `use_ema` keeps."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

__all__ = ["MovingAverages", "check_ema"]

ops = core.ops


def check_ema(momentum: float, frequency: Any) -> None:
    """Refuse settings of `use_ema` that make no sense.

    Raises:
        ValueError: The momentum is not in [0, 1], or the frequency no number of steps.
    """
    if not 0 <= momentum <= 1:
        raise ValueError(
            f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={momentum}"
        )
    if frequency and (not isinstance(frequency, int) or frequency < 1):
        raise ValueError(
            "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: "
            f"ema_overwrite_frequency={frequency}"
        )


class MovingAverages:
    """`average = m average + (1 - m) variable` after each step. `Optimizer` is the only heir."""

    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    iterations: Any
    _trainable_variables: list[Any]
    _model_variables_moving_average: list[Any]

    def _update_averages(self) -> None:
        iterations = core.convert(self.iterations)
        # The first average is the variable itself.
        momentum = self.ema_momentum * ops.cast(ops.not_equal(iterations, 0), "float32")
        frequency = self.ema_overwrite_frequency
        due = None
        if frequency:
            due = ops.equal(ops.mod(iterations + 1, frequency), 0)
        pairs = zip(self._trainable_variables, self._model_variables_moving_average, strict=True)
        for variable, average in pairs:
            if average is None:
                continue
            value, before = variable.value, average.value
            after = value + (before - value) * ops.cast(momentum, value.dtype)
            average.assign(after)
            if due is not None:
                variable.assign(ops.where(due, after, value))

    def finalize_variable_values(self, var_list: Any) -> None:
        """Write the averages into the variables, if `use_ema` is set.

        Raises:
            ValueError: A number of variables other than that of `build` is given.
        """
        if not self.use_ema:
            return
        variables = list(var_list)
        if len(variables) != len(self._model_variables_moving_average):
            raise ValueError(
                f"The number of model variables ({len(variables)}) does not match the number of "
                f"moving averages ({len(self._model_variables_moving_average)})."
            )
        for variable, average in zip(variables, self._model_variables_moving_average, strict=True):
            if average is not None:
                variable.assign(average.value)
