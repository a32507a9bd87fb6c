"""Models as estimators of scikit-learn (the extra `sklearn`)."""

from .. import older as _older
from .estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]

__getattr__ = _older.names(__name__)
