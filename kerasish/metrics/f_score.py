"""F-scores: weighted harmonic means of precision and recall."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..serialization import builtin
from .metric import Metric

__all__ = ["F1Score", "FBetaScore"]

AVERAGES = (None, "micro", "macro", "weighted")


@builtin("keras.metrics")
class FBetaScore(Metric):
    """`(1 + b**2) P R / (b**2 P + R)`, P and R precision and recall of each class.

    Args:
        average: None (one score per class), `"micro"` (all classes counted together), `"macro"`
            (mean over classes) or `"weighted"` (mean weighted by the number of true samples).
        beta: Weight b of recall, a float above 0.
        threshold: Predictions above it count as 1; if None the largest of each sample.
        name: Name of the metric.
        dtype: Dtype of the result.

    Raises:
        ValueError: An argument is out of range.

    Source: van Rijsbergen (1979), Information Retrieval, chapter 7.
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        _check(average, beta, threshold)
        self.average, self.beta, self.threshold = average, beta, threshold
        self._built = False

    def _build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input "
                f"shapes: y_pred.shape={tuple(y_pred_shape)} and "
                f"y_true.shape={tuple(y_true_shape)}."
            )
        if y_pred_shape[-1] is None or y_true_shape[-1] is None:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim), with output_dim "
                f"fully defined (not None). Received input shapes: y_pred.shape={y_pred_shape} "
                f"and y_true.shape={y_true_shape}."
            )
        shape = () if self.average == "micro" else (y_pred_shape[-1],)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, "zeros", name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch: one-hot or multi-hot labels and scores, `(n, classes)` each."""
        y_true = ops.convert_to_tensor(y_true, dtype=self._state_dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self._state_dtype)
        if not self._built:
            self._build(y_true.shape, y_pred.shape)
        if self.threshold is None:
            best = ops.max(y_pred, axis=-1, keepdims=True)
            # A row of zeros predicts no class at all.
            guess = ops.logical_and(
                ops.greater_equal(y_pred, best), ops.greater(ops.abs(y_pred), 1e-9)
            )
        else:
            guess = ops.greater(y_pred, self.threshold)
        guess = ops.cast(guess, self._state_dtype)
        axis = None if self.average == "micro" else 0
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight, dtype=self._state_dtype)
            if len(sample_weight.shape) == 1:
                sample_weight = ops.expand_dims(sample_weight, 1)

        def total(x: Any) -> Any:
            return ops.sum(x if sample_weight is None else x * sample_weight, axis=axis)

        hits, true = total(guess * y_true), total(y_true)
        self.true_positives.assign(self.true_positives + hits)
        self.false_positives.assign(self.false_positives + total(guess * (1.0 - y_true)))
        self.false_negatives.assign(self.false_negatives + total((1.0 - guess) * y_true))
        self.intermediate_weights.assign(self.intermediate_weights + true)

    def result(self) -> Any:
        hits = self.true_positives.value
        precision = ops.divide_no_nan(hits, hits + self.false_positives)
        recall = ops.divide_no_nan(hits, hits + self.false_negatives)
        square = self.beta**2
        score = ops.divide_no_nan(precision * recall, square * precision + recall) * (square + 1.0)
        if self.average == "weighted":
            weights = self.intermediate_weights.value
            return ops.sum(score * ops.divide_no_nan(weights, ops.sum(weights)))
        return ops.mean(score) if self.average is not None else score

    def reset_state(self) -> None:
        if self._built:
            super().reset_state()

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


@builtin("keras.metrics")
class F1Score(FBetaScore):
    """Harmonic mean of precision and recall, `2 P R / (P + R)`.

    Args:
        average: See `FBetaScore`.
        threshold: See `FBetaScore`.
        name: Name of the metric.
        dtype: Dtype of the result.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config


def _check(average: Any, beta: Any, threshold: Any) -> None:
    if average not in AVERAGES:
        raise ValueError(
            f"Invalid `average` argument value. Expected one of: {AVERAGES}. "
            f"Received: average={average}"
        )
    if not isinstance(beta, float):
        raise ValueError(
            "Invalid `beta` argument value. It should be a Python float. "
            f"Received: beta={beta} of type '{type(beta)}'"
        )
    if beta <= 0.0:
        raise ValueError(f"Invalid `beta` argument value. It should be > 0. Received: beta={beta}")
    if threshold is None:
        return
    if not isinstance(threshold, float):
        raise ValueError(
            "Invalid `threshold` argument value. It should be a Python float. "
            f"Received: threshold={threshold} of type '{type(threshold)}'"
        )
    if not 0.0 < threshold <= 1.0:
        raise ValueError(
            "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. "
            f"Received: threshold={threshold}"
        )
