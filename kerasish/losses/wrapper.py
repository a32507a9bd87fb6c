"""A loss made of a plain function."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from .loss import Loss, squeeze_or_expand_to_same_rank

__all__ = ["LossFunctionWrapper", "aligned", "brings_to_one_rank"]

_ALIGNED: set[Callable[..., Any]] = set()


def aligned(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function of this package: its targets may be given in the predictions' rank."""
    _ALIGNED.add(function)
    return function


def brings_to_one_rank(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that sees to the ranks of its targets and predictions itself."""
    function.brings_to_one_rank = True
    return function


def _would_spread(y_true: Any, y_pred: Any) -> bool:
    """Whether targets `(n,)` meet predictions `(n, 1)`, which Keras would bring to one rank."""
    true, pred = getattr(y_true, "shape", ()), getattr(y_pred, "shape", ())
    return len(true) == 1 and len(pred) == 2 and pred[1] == 1 and true[0] != 1


@builtin("keras.losses")
class LossFunctionWrapper(Loss):
    """A loss whose values come from a function.

    For the functions of `kerasish.losses` targets and predictions of shapes `(n,)` and `(n, 1)`
    are brought to one rank first. A user's own function gets both as they are, whatever their
    ranks: targets may hold more columns, integers, or be a dict or tuple of arrays. Where targets
    `(n,)` meet predictions `(n, 1)`, which Keras would bring to one rank, a warning says so.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` to one value per sample.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.
        **kwargs: Further arguments of `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: Any = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if self.fn in _ALIGNED and hasattr(y_pred, "as_tensor"):
            y_pred = y_pred.as_tensor()  # a distribution, which only users' functions know
        if self.fn in _ALIGNED and hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        elif _would_spread(y_true, y_pred) and not hasattr(self.fn, "brings_to_one_rank"):
            name = getattr(self.fn, "__name__", repr(self.fn))
            n = y_true.shape[0]
            warnings.warn(
                f"The loss {name!r} gets y_true of shape ({n},) and y_pred of shape ({n}, 1), as "
                f"they are: arithmetic between them gives ({n}, {n}). If they belong together row "
                "by row, give targets of shape (n, 1), or reshape y_true in the loss.",
                stacklevel=2,
            )
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["fn"] = serialize_keras_object(self.fn)
        config.update({k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()})
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        fn = config.get("fn")
        if isinstance(fn, dict):
            ours = {f.__name__: f for f in _ALIGNED}
            config["fn"] = ours.get(fn.get("config")) or deserialize_keras_object(fn)
        return cls(**config)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"
