"""Metrics that are the mean of a loss function: errors, crossentropies, hinges, cosine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import losses, ops
from ..losses.regression import as_pair
from ..serialization import builtin
from .mean import Mean, MeanMetricWrapper

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity",
    "Hinge", "KLDivergence", "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "RootMeanSquaredError",
    "SparseCategoricalCrossentropy", "SquaredHinge",
]  # fmt: skip


def _mean_of(name: str, fn: Callable[..., Any], log_name: str) -> type[MeanMetricWrapper]:
    """A metric class without arguments of its own."""

    def __init__(self, name: str = log_name, dtype: Any = None) -> None:
        MeanMetricWrapper.__init__(self, fn, name=name, dtype=dtype)

    doc = (
        f"The mean of `losses.{fn.__name__}` over samples.\n\n    Args:\n"
        "        name: Name of the metric.\n        dtype: Dtype of the result.\n"
    )
    body = {"__init__": __init__, "__doc__": doc, "__module__": __name__, "__qualname__": name}
    return builtin("keras.metrics")(type(name, (MeanMetricWrapper,), body))


MeanSquaredError = _mean_of("MeanSquaredError", losses.mean_squared_error, "mean_squared_error")
MeanAbsoluteError = _mean_of("MeanAbsoluteError", losses.mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = _mean_of(
    "MeanAbsolutePercentageError",
    losses.mean_absolute_percentage_error,
    "mean_absolute_percentage_error",
)
MeanSquaredLogarithmicError = _mean_of(
    "MeanSquaredLogarithmicError",
    losses.mean_squared_logarithmic_error,
    "mean_squared_logarithmic_error",
)
LogCoshError = _mean_of("LogCoshError", losses.log_cosh, "logcosh")
KLDivergence = _mean_of("KLDivergence", losses.kl_divergence, "kl_divergence")
Poisson = _mean_of("Poisson", losses.poisson, "poisson")
Hinge = _mean_of("Hinge", losses.hinge, "hinge")
SquaredHinge = _mean_of("SquaredHinge", losses.squared_hinge, "squared_hinge")
CategoricalHinge = _mean_of("CategoricalHinge", losses.categorical_hinge, "categorical_hinge")


@builtin("keras.metrics")
class RootMeanSquaredError(Mean):
    """`sqrt(mean((y_true - y_pred)**2))`, the mean over all entries of all samples.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch; as in Keras the mask of `y_pred` does not count here."""
        y_true, y_pred = as_pair(y_true, ops.convert_to_tensor(y_pred, dtype=self.dtype))
        super().update_state(ops.square(y_pred - y_true), sample_weight=sample_weight)

    def result(self) -> Any:
        return ops.sqrt(super().result())


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle: minus the loss of that name."""
    return -losses.cosine_similarity(y_true, y_pred, axis=axis)


@builtin("keras.metrics")
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        axis: The axis of the vectors.
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        # Keras leaves `axis` out; it is written where leaving it out would change the metric.
        config = {"name": self.name, "dtype": self.dtype}
        return config if self.axis == -1 else config | {"axis": self.axis}


@builtin("keras.metrics")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `losses.binary_crossentropy`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        from_logits: Whether predictions are logits.
        label_smoothing: In [0, 1].
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype=dtype,
            from_logits=from_logits, label_smoothing=label_smoothing,
        )  # fmt: skip
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


@builtin("keras.metrics")
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.categorical_crossentropy`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        from_logits: Whether predictions are logits.
        label_smoothing: In [0, 1].
        axis: The axis of the classes.
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy, name, dtype=dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


@builtin("keras.metrics")
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.sparse_categorical_crossentropy`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        from_logits: Whether predictions are logits.
        ignore_class: A label that counts 0.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy, name, dtype=dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis
