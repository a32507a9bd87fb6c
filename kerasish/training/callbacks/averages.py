"""Moving averages of the weights in the model's place."""

from __future__ import annotations

from typing import Any

from .callback import Callback

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Evaluate and predict with the averages that an optimizer with `use_ema=True` keeps.

    Args:
        swap_on_epoch: Whether the averages are in the model at the end of epochs as well, for
            callbacks such as `ModelCheckpoint` that come after this one.

    Source: https://keras.io/api/callbacks/swap_ema_weights/
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _pairs(self) -> list[tuple[Any, Any]]:
        """Variables and their averages.

        Raises:
            ValueError: The optimizer keeps no averages.
        """
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        several = hasattr(optimizer, "optimizers")
        parts = optimizer.optimizers if several else [optimizer]
        parts = [o for o in parts if hasattr(o, "_model_variables_moving_average")]
        if not parts:
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer"
                f"{' or on one of several' if several else ''}. Received: {optimizer}, which keeps "
                "no averages (or was not built yet)."
            )
        return [
            (variable, average)
            for part in parts
            for variable, average in zip(
                part._trainable_variables, part._model_variables_moving_average, strict=True
            )
            if average is not None
        ]

    def _swap(self, averages_in_model: bool) -> None:
        if self._swapped is averages_in_model:
            return
        for variable, average in self._pairs():
            value = variable.numpy()
            variable.assign(average.numpy())
            average.assign(value)
        self._swapped = averages_in_model

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.swap_on_epoch or self._swapped:
            return
        self._swap(True)
        if epoch == self.params["epochs"] - 1:
            # The end of training writes the averages into the variables: here they are already.
            for variable, average in self._pairs():
                average.assign(variable.numpy())

    def on_test_begin(self, logs: Any = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Any = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Any = None) -> None:
        self._swap(False)
