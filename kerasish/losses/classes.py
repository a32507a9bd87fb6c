"""The losses as classes: one for each function, with its arguments in the config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..serialization import builtin
from . import crossentropy as c
from . import hinge as h
from . import overlap as o
from . import regression as r
from .loss import Loss
from .wrapper import LossFunctionWrapper

__all__ = [
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CTC", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy", "CategoricalHinge",
    "Circle", "CosineSimilarity", "Dice", "Hinge", "Huber", "KLDivergence", "LogCosh",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge",
    "Tversky",
]  # fmt: skip

MEAN = "sum_over_batch_size"


class _Named(LossFunctionWrapper):
    """A loss of one fixed function, whose config holds the function's arguments.

    `_unsaved` are arguments that Keras leaves out of the config. They are left out here too
    while they have their default, so that configs are equal, and kept otherwise, so that a
    saved loss does not change.
    """

    _unsaved: dict[str, Any] = {}  # noqa: RUF012  (never written to)

    def __init__(
        self, fn: Callable[..., Any], name: Any, reduction: Any, dtype: Any, **kwargs: Any
    ) -> None:
        super().__init__(fn, name=name, reduction=reduction, dtype=dtype, **kwargs)

    def __getattr__(self, name: str) -> Any:
        # `loss.from_logits`, `loss.axis`, ... as attributes
        kwargs = self.__dict__.get("_fn_kwargs", {})
        if name in kwargs:
            return kwargs[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def get_config(self) -> dict[str, Any]:
        config = Loss.get_config(self)
        for key, value in self._fn_kwargs.items():
            if key not in self._unsaved or value != self._unsaved[key]:
                config[key] = value
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _simple(name: str, fn: Callable[..., Any], log_name: str, doc: str) -> type[_Named]:
    """A loss class without arguments of its own."""

    def __init__(self, reduction: Any = MEAN, name: str = log_name, dtype: Any = None) -> None:
        _Named.__init__(self, fn, name, reduction, dtype)

    doc += (
        f" See `{fn.__name__}`.\n\n    Args:\n        reduction: See `Loss`.\n"
        "        name: Name of the loss.\n        dtype: See `Loss`.\n"
    )
    body = {"__init__": __init__, "__doc__": doc, "__module__": __name__, "__qualname__": name}
    return builtin("keras.losses")(type(name, (_Named,), body))


MeanSquaredError = _simple(
    "MeanSquaredError", r.mean_squared_error, "mean_squared_error",
    "Mean of squares `(y_true - y_pred)**2`.",
)  # fmt: skip
MeanAbsoluteError = _simple(
    "MeanAbsoluteError", r.mean_absolute_error, "mean_absolute_error",
    "Mean of `|y_true - y_pred|`.",
)  # fmt: skip
MeanAbsolutePercentageError = _simple(
    "MeanAbsolutePercentageError", r.mean_absolute_percentage_error,
    "mean_absolute_percentage_error", "Mean of `100 |y_true - y_pred| / |y_true|`.",
)  # fmt: skip
MeanSquaredLogarithmicError = _simple(
    "MeanSquaredLogarithmicError", r.mean_squared_logarithmic_error,
    "mean_squared_logarithmic_error", "Mean of `(log(y_true + 1) - log(y_pred + 1))**2`.",
)  # fmt: skip
LogCosh = _simple("LogCosh", r.log_cosh, "log_cosh", "Mean of `log(cosh(y_pred - y_true))`.")
KLDivergence = _simple(
    "KLDivergence", r.kl_divergence, "kl_divergence", "Sum of `y_true log(y_true / y_pred)`."
)
Poisson = _simple("Poisson", r.poisson, "poisson", "Mean of `y_pred - y_true log(y_pred)`.")
Hinge = _simple("Hinge", h.hinge, "hinge", "Mean of `max(0, 1 - y_true y_pred)`.")
SquaredHinge = _simple(
    "SquaredHinge", h.squared_hinge, "squared_hinge", "Mean of `max(0, 1 - y_true y_pred)**2`."
)
CategoricalHinge = _simple(
    "CategoricalHinge", h.categorical_hinge, "categorical_hinge",
    "`max(0, 1 + best wrong score - score of the true class)`.",
)  # fmt: skip
CTC = _simple("CTC", c.ctc, "ctc", "Connectionist temporal classification.")


@builtin("keras.losses")
class Huber(_Named):
    """Quadratic for errors up to `delta`, linear beyond. See `huber`.

    Args:
        delta: Where the linear part begins.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.
    """

    _unsaved = {"delta": 1.0}  # noqa: RUF012

    def __init__(
        self,
        delta: float = 1.0,
        reduction: Any = MEAN,
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(r.huber, name, reduction, dtype, delta=delta)


@builtin("keras.losses")
class CosineSimilarity(_Named):
    """Minus the cosine of the angle between targets and predictions. See `cosine_similarity`.

    Args:
        axis: The axis of the vectors.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.
    """

    _unsaved = {"axis": -1}  # noqa: RUF012

    def __init__(
        self,
        axis: int = -1,
        reduction: Any = MEAN,
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(r.cosine_similarity, name, reduction, dtype, axis=axis)


@builtin("keras.losses")
class BinaryCrossentropy(_Named):
    """Crossentropy of labels 0 and 1. See `binary_crossentropy`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: In [0, 1]: how far labels move towards 1/2.
        axis: The axis over which to average.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = MEAN,
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            c.binary_crossentropy, name, reduction, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@builtin("keras.losses")
class BinaryFocalCrossentropy(_Named):
    """Binary crossentropy that favours hard examples. See `binary_focal_crossentropy`.

    Args:
        apply_class_balancing: Whether to weight class 1 by `alpha` and class 0 by `1 - alpha`.
        alpha: The weight of class 1.
        gamma: Focusing exponent.
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: In [0, 1]: how far labels move towards 1/2.
        axis: The axis over which to average.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = MEAN,
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            c.binary_focal_crossentropy, name, reduction, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
            apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma,
        )  # fmt: skip


@builtin("keras.losses")
class CategoricalCrossentropy(_Named):
    """Crossentropy of one-hot labels. See `categorical_crossentropy`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: In [0, 1]: how far labels move towards the uniform distribution.
        axis: The axis of the classes.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = MEAN,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            c.categorical_crossentropy, name, reduction, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@builtin("keras.losses")
class CategoricalFocalCrossentropy(_Named):
    """Crossentropy that favours hard examples. See `categorical_focal_crossentropy`.

    Args:
        alpha: Weight of all classes, or a list with one weight per class.
        gamma: Focusing exponent.
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: In [0, 1]: how far labels move towards the uniform distribution.
        axis: The axis of the classes.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = MEAN,
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            c.categorical_focal_crossentropy, name, reduction, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
            alpha=alpha, gamma=gamma,
        )  # fmt: skip


@builtin("keras.losses")
class SparseCategoricalCrossentropy(_Named):
    """Crossentropy of integer labels. See `sparse_categorical_crossentropy`.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        ignore_class: A label that counts for nothing.
        reduction: See `Loss`.
        axis: The axis of the classes.
        name: Name of the loss.
        dtype: See `Loss`.
    """

    _unsaved = {"axis": -1}  # noqa: RUF012

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: Any = MEAN,
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            c.sparse_categorical_crossentropy, name, reduction, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip


@builtin("keras.losses")
class CategoricalGeneralizedCrossEntropy(_Named):
    """Noise-robust crossentropy. See `categorical_generalized_cross_entropy`.

    Args:
        q: In (0, 1): near 0 the crossentropy, near 1 the mean absolute error.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.

    Raises:
        ValueError: `q` is outside (0, 1).
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: Any = MEAN,
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q}")
        super().__init__(c.categorical_generalized_cross_entropy, name, reduction, dtype, q=q)


@builtin("keras.losses")
class Dice(_Named):
    """One minus twice the overlap over the sizes of two masks. See `dice`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        axis: Axes to sum over; all if None.
        dtype: See `Loss`.
    """

    def __init__(
        self, reduction: Any = MEAN, name: str = "dice", axis: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(o.dice, name, reduction, dtype, axis=axis)


@builtin("keras.losses")
class Tversky(_Named):
    """Dice loss with a weight for each kind of error. See `tversky`.

    Args:
        alpha: Weight of what predictions miss.
        beta: Weight of what predictions add.
        reduction: See `Loss`.
        name: Name of the loss.
        axis: Axes to sum over; all if None.
        dtype: See `Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: Any = MEAN,
        name: str = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(o.tversky, name, reduction, dtype, alpha=alpha, beta=beta, axis=axis)


@builtin("keras.losses")
class Circle(_Named):
    """Pairs of embeddings: similar within a class, dissimilar between. See `circle`.

    Args:
        gamma: Scale.
        margin: Relaxation.
        remove_diagonal: Whether not to compare an embedding with itself.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: See `Loss`.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: Any = MEAN,
        name: str = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            o.circle, name, reduction, dtype,
            gamma=gamma, margin=margin, remove_diagonal=remove_diagonal,
        )  # fmt: skip
