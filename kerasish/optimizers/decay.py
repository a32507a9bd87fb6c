"""Decoupled weight decay of all optimizers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["WeightDecay"]


class WeightDecay:
    """Variables shrink before their update. `Optimizer` is the only heir.

    Source: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    weight_decay: float | None
    _rate: Any
    _current_rate: Any

    def exclude_from_weight_decay(
        self, var_list: Any = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Name variables that weight decay leaves alone; to be called before `build`.

        Args:
            var_list: Variables.
            var_names: Regular expressions to be found in the names.

        Raises:
            ValueError: The optimizer is built.
        """
        if self.__dict__.get("built"):
            raise ValueError(
                "`exclude_from_weight_decay()` can only be configured before the optimizer is "
                "built."
            )
        self._excluded = {id(v) for v in var_list or ()}
        self._excluded_patterns = [re.compile(p) for p in var_names or ()]

    def _use_weight_decay(self, variable: Any) -> bool:
        if id(variable) in getattr(self, "_excluded", ()):
            return False
        patterns = getattr(self, "_excluded_patterns", ())
        return not any(p.search(variable.name) for p in patterns)

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self._use_weight_decay(variable):
                value = variable.value
                rate = self._rate(self._current_rate(), value.dtype)
                variable.assign(value - value * (rate * self.weight_decay))
