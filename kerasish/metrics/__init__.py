"""Metrics: classes, functions, and `get`/`serialize`/`deserialize`."""

from __future__ import annotations

import inspect
from typing import Any

from .. import losses as _losses
from .. import older as _older
from ..naming import to_snake_case
from ..serialization import deserialize_keras_object, serialize_keras_object, visible_objects
from .accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .at_threshold import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from .auc import AUC
from .confusion_metrics import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from .correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    R2Score,
    concordance_correlation,
    pearson_correlation,
)
from .f_score import F1Score, FBetaScore
from .from_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from .iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from .mean import Mean, MeanMetricWrapper, Sum
from .metric import Metric

_CLASSES = (
    AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy,
    CategoricalCrossentropy, CategoricalHinge, ConcordanceCorrelation, CosineSimilarity, F1Score,
    FBetaScore, FalseNegatives, FalsePositives, Hinge, IoU, KLDivergence, LogCoshError, Mean,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanIoU, MeanMetricWrapper, MeanSquaredError,
    MeanSquaredLogarithmicError, Metric, OneHotIoU, OneHotMeanIoU, PearsonCorrelation, Poisson,
    Precision, PrecisionAtRecall, R2Score, Recall, RecallAtPrecision, RootMeanSquaredError,
    SensitivityAtSpecificity, SparseCategoricalAccuracy, SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy, SpecificityAtSensitivity, SquaredHinge, Sum,
    TopKCategoricalAccuracy, TrueNegatives, TruePositives,
)  # fmt: skip

_FUNCTIONS = (
    binary_accuracy, categorical_accuracy, concordance_correlation, pearson_correlation,
    sparse_categorical_accuracy, sparse_top_k_categorical_accuracy, top_k_categorical_accuracy,
)  # fmt: skip

# Loss functions that Keras offers here too, and Keras 2's short names.
_SHARED = (
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_hinge", "hinge", "huber", "kl_divergence",
    "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy",
    "squared_hinge", "BCE", "KLD", "MAE", "MAPE", "MSE", "MSLE", "bce", "kld",
    "kullback_leibler_divergence", "logcosh", "mae", "mape", "mse", "msle",
)  # fmt: skip
globals().update({name: getattr(_losses, name) for name in _SHARED})

__all__ = [
    *(c.__name__ for c in _CLASSES), *(f.__name__ for f in _FUNCTIONS), *_SHARED,
    "deserialize", "get", "serialize",
]  # fmt: skip


_BY_NAME: dict[str, Any] = {
    **{to_snake_case(c.__name__): c for c in _CLASSES},
    **{c.__name__: c for c in _CLASSES},
    "mse": MeanSquaredError, "MSE": MeanSquaredError,
    "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError, "MAPE": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError, "MSLE": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy, "BCE": BinaryCrossentropy,
    "kld": KLDivergence, "KLD": KLDivergence,
    "f1_score": F1Score, "fbeta_score": FBetaScore, "r2_score": R2Score,
    "logcosh": LogCoshError, "cosine_proximity": CosineSimilarity,
}  # fmt: skip
_FUNCTIONS_BY_NAME: dict[str, Any] = {
    **{name: getattr(_losses, name) for name in _SHARED},
    **{f.__name__: f for f in _FUNCTIONS},
}


def serialize(metric: Any) -> Any:
    """The config of a metric object, or the entry of a function."""
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """A metric from a name or from what `serialize` returned.

    Args:
        config: A name such as `"mse"` or `"MeanSquaredError"`, or a config dict.
        custom_objects: Names to classes or functions.

    Raises:
        ValueError: The name is unknown.
    """
    if isinstance(config, dict):
        class_name, arguments = config.get("class_name"), config.get("config")
        if class_name == "function" and arguments in _FUNCTIONS_BY_NAME:
            return _FUNCTIONS_BY_NAME[arguments]
        if "module" in config:
            return deserialize_keras_object(config, custom_objects=custom_objects)
        found = _look_up(class_name, custom_objects)
        return found.from_config(arguments or {}) if inspect.isclass(found) else found
    found = _look_up(config, custom_objects)
    return found() if inspect.isclass(found) else found


def _look_up(name: Any, custom_objects: dict[str, Any] | None) -> Any:
    for objects in (custom_objects or {}, visible_objects(), _BY_NAME):
        if name in objects:
            return objects[name]
    raise ValueError(
        f"Could not interpret metric identifier: {name}. Expected a Metric, a function, a config, "
        f"or one of {sorted(_BY_NAME)}."
    )


def get(identifier: Any) -> Any:
    """A metric from a name, a config, a class, an object or a function.

    Args:
        identifier: `"mse"`, `"AUC"`, a config dict, a metric, a callable or None.

    Raises:
        ValueError: It is none of these.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str | dict):
        return deserialize(identifier)
    if inspect.isclass(identifier):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret metric identifier: {identifier}")


__getattr__ = _older.names(__name__)
