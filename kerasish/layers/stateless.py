"""Calling a layer as a function of its state."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

__all__ = ["StatelessCall"]


class StatelessCall:
    """`stateless_call` of a layer. `Layer` is the only heir."""

    built: bool
    losses: list[Any]
    _check_super_called: Any

    def stateless_call(
        self, trainable_variables: Any, non_trainable_variables: Any, *args: Any,
        return_losses: bool = False, **kwargs: Any,
    ) -> Any:  # fmt: skip
        """Call with values in place of the variables; nothing is written.

        Args:
            trainable_variables: A value for each of `trainable_variables`.
            non_trainable_variables: A value for each of `non_trainable_variables`.
            *args, **kwargs: Of the call.
            return_losses: Whether to return `losses` too.

        Returns:
            `(outputs, non_trainable_variables)`, and the losses if asked for.

        Raises:
            ValueError: The layer is not built, or the number of values differs.
        """
        self._check_super_called()
        if not self.built:
            raise ValueError(
                f"To call stateless_call, {type(self).__name__} must be built (i.e. its variables "
                "must have been already created). You can build it by calling it on some data."
            )
        given: list[Any] = []
        own: list[Any] = []
        for what, values in (
            ("trainable_variables", list(trainable_variables)),
            ("non_trainable_variables", list(non_trainable_variables)),
        ):
            mine = getattr(self, what)
            if len(values) != len(mine):
                raise ValueError(
                    f"Argument `{what}` must be a list of tensors corresponding 1:1 to "
                    f"{type(self).__name__}().{what}. Received list with length {len(values)}, "
                    f"but expected {len(mine)} variables."
                )
            own, given = own + mine, given + values
        with core.StatelessScope(zip(own, given, strict=True)) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
        start = len(list(trainable_variables))
        after = [
            g if scope.get_current_value(v) is None else scope.get_current_value(v)
            for v, g in list(zip(own, given, strict=True))[start:]
        ]
        return (outputs, after, losses) if return_losses else (outputs, after)
