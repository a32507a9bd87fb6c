"""Losses: classes, functions, and `get`/`serialize`/`deserialize`."""

from __future__ import annotations

import inspect
from typing import Any

from .. import older as _older
from ..serialization import deserialize_keras_object, serialize_keras_object, visible_objects
from .classes import (
    CTC,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)
from .crossentropy import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    ctc,
    sparse_categorical_crossentropy,
)
from .hinge import categorical_hinge, hinge, squared_hinge
from .loss import Loss
from .overlap import circle, dice, tversky
from .regression import (
    cosine_similarity,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)
from .wrapper import LossFunctionWrapper

_CLASSES = (
    BinaryCrossentropy, BinaryFocalCrossentropy, CTC, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle,
    CosineSimilarity, Dice, Hinge, Huber, KLDivergence, LogCosh, Loss, LossFunctionWrapper,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
    MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy, SquaredHinge, Tversky,
)  # fmt: skip

_FUNCTIONS = (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy,
    categorical_focal_crossentropy, categorical_generalized_cross_entropy, categorical_hinge,
    circle, cosine_similarity, ctc, dice, hinge, huber, kl_divergence, log_cosh,
    mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
    mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge,
    tversky,
)  # fmt: skip

# Keras 2's short names, as attributes of the module too.
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
cosine_proximity = cosine_similarity

__all__ = [
    *(c.__name__ for c in _CLASSES), *(f.__name__ for f in _FUNCTIONS),
    "BCE", "KLD", "MAE", "MAPE", "MSE", "MSLE", "bce", "cosine_proximity", "kld",
    "kullback_leibler_divergence", "logcosh", "mae", "mape", "mse", "msle",
    "deserialize", "get", "serialize",
]  # fmt: skip

_OBJECTS: dict[str, Any] = {
    **{name: globals()[name] for name in __all__[: __all__.index("deserialize")]},
    "huber_loss": huber,  # Keras 2
}


def serialize(loss: Any) -> Any:
    """The config of a loss object, or the entry of a function."""
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """A loss from a name or from what `serialize` returned.

    Args:
        name: A name such as `"mse"` or `"MeanSquaredError"`, or a config dict.
        custom_objects: Names to classes or functions.

    Raises:
        ValueError: The name is unknown.
    """
    if isinstance(name, dict):
        class_name, config = name.get("class_name"), name.get("config")
        if class_name == "function" and isinstance(config, str) and config in _OBJECTS:
            return _OBJECTS[config]
        if "module" in name:
            return deserialize_keras_object(name, custom_objects=custom_objects)
        found = _look_up(class_name, custom_objects)
        if not inspect.isclass(found):
            return found
        return found.from_config(config or {})
    found = _look_up(name, custom_objects)
    return found() if inspect.isclass(found) else found


def _look_up(name: Any, custom_objects: dict[str, Any] | None) -> Any:
    for objects in (custom_objects or {}, visible_objects(), _OBJECTS):
        if name in objects:
            return objects[name]
    raise ValueError(
        f"Could not interpret loss identifier: {name}. Expected a Loss, a function, a config, or "
        f"one of {sorted(_OBJECTS)}."
    )


def get(identifier: Any) -> Any:
    """A loss from a name, a config, a class, an object or a function.

    Args:
        identifier: `"mse"`, `"MeanSquaredError"`, a config dict, a loss, a callable or None.

    Returns:
        A function for a function's name, an object for a class name; callables as they are.

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
    raise ValueError(f"Could not interpret loss identifier: {identifier}")


__getattr__ = _older.names(__name__)
