"""Models as estimators of scikit-learn.

scikit-learn is optional: without it the classes are there, and making one names the extra.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..models import Model, clone_model

try:
    import sklearn
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.utils.metadata_routing import MetadataRequest
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:  # the extra is not installed
    sklearn = None

    class BaseEstimator:
        """Stands for scikit-learn's."""

    class ClassifierMixin:
        """Stands for scikit-learn's."""

    class RegressorMixin:
        """Stands for scikit-learn's."""

    class TransformerMixin:
        """Stands for scikit-learn's."""


__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


class _Estimator(BaseEstimator):
    """What all wrappers share.

    Args:
        model: A compiled model, or a function `(X, y, **model_kwargs)` that makes one.
        warm_start: Accepted as in Keras.
        model_kwargs: For the function.
        fit_kwargs: For `model.fit`.

    Attributes:
        model_: The trained model.
        history_: What its `fit` returned.
    """

    def __init__(
        self, model: Any, warm_start: bool = False, model_kwargs: Any = None,
        fit_kwargs: Any = None,
    ) -> None:  # fmt: skip
        if sklearn is None:
            raise ImportError(
                f"{type(self).__name__} requires `scikit-learn` to be installed: "
                "pip install kerasish[sklearn]"
            )
        self.model, self.warm_start = model, warm_start
        self.model_kwargs, self.fit_kwargs = model_kwargs, fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self) -> Any:
        # `fit` trains a copy: estimators may share the model that they are made from.
        return type(self)(self.model, self.warm_start, self.model_kwargs, self.fit_kwargs)

    @property
    def epoch_(self) -> Any:
        """The number of epochs that the last `fit` ran."""
        history = getattr(self, "history_", None)
        return 0 if history is None else len(history.epoch)

    def set_fit_request(self, **kwargs: Any) -> Any:
        """Set which of scikit-learn's metadata `fit` asks for.

        Raises:
            RuntimeError: Its routing is not enabled.
        """
        if not sklearn.get_config().get("enable_metadata_routing", False):
            raise RuntimeError(
                "This method is only available when metadata routing is enabled. You can enable it "
                "using sklearn.set_config(enable_metadata_routing=True)."
            )
        self._metadata_request = MetadataRequest(owner=type(self).__name__)
        for name, alias in kwargs.items():
            self._metadata_request.fit.add_request(param=name, alias=alias)
        return self

    def _make_model(self, X: Any, y: Any) -> Any:
        if isinstance(self.model, Model):
            return clone_compiled(self.model)
        return self.model(X=X, y=y, **(self.model_kwargs or {}))

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Train a new model.

        Args:
            X: Samples.
            y: Targets.
            **kwargs: For `model.fit`, before `fit_kwargs`.

        Raises:
            RuntimeError: The model is not compiled.
        """
        X, y = validate_data(self, X, y, multi_output=not isinstance(self, ClassifierMixin))
        y = self._encode(y)
        model = self._make_model(X, y)
        if not (model.compiled and model.loss and model.optimizer):
            raise RuntimeError(
                "Given model needs to be compiled, and have a loss and an optimizer."
            )
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False), verbose=0)

    def predict(self, X: Any) -> Any:
        """What the trained model predicts, in the form of the targets."""
        return self._decode(self._outputs(X))

    def _encode(self, y: Any) -> Any:
        """Targets for the model: at least two axes."""
        if type_of_target(y) == "unknown":
            raise ValueError(f"Unknown label type for data: {y!r}")
        self._target_ndim = 1 if y.ndim == 2 and y.shape[1] == 1 else y.ndim
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _decode(self, y: Any) -> Any:
        return np.squeeze(y, axis=1) if self._target_ndim == 1 and y.ndim == 2 else y


def clone_compiled(model: Any) -> Any:
    """A copy of a model with new weights, compiled as it is.

    The optimizer is a new one: the given model's has its own state.
    """
    twin = clone_model(model)
    if model.compiled:
        twin.compile_from_config(model.get_compile_config())
    return twin


class SKLearnClassifier(ClassifierMixin, _Estimator):
    """A model of one output per class as a classifier; labels are one-hot for it.

    Args:
        model: A compiled model, or a function `(X, y, **model_kwargs)` that makes one.
        warm_start: Accepted as in Keras.
        model_kwargs: For the function.
        fit_kwargs: For `model.fit`.

    Attributes:
        model_, history_: The trained model and what its `fit` returned.
        classes_: The labels.

    Source: https://keras.io/api/utils/sklearn_wrappers/
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def decision_function(self, X: Any) -> Any:
        """The model's outputs: a column for each class."""
        return self._outputs(X)

    def _encode(self, y: Any) -> Any:
        kind = type_of_target(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"Only binary and multiclass target types are supported. Target type: {kind}"
            )
        y = super()._encode(y)
        self._encoder = OneHotEncoder(sparse_output=False).fit(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        return self._encoder.transform(y)

    def _decode(self, y: Any) -> Any:
        return super()._decode(self._encoder.inverse_transform(y))


class SKLearnRegressor(RegressorMixin, _Estimator):
    """A model as a regressor.

    Args:
        model: A compiled model, or a function `(X, y, **model_kwargs)` that makes one.
        warm_start: Accepted as in Keras.
        model_kwargs: For the function.
        fit_kwargs: For `model.fit`.

    Attributes:
        model_, history_: The trained model and what its `fit` returned.

    Source: https://keras.io/api/utils/sklearn_wrappers/
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, _Estimator):
    """A model as a transformer of data.

    Args:
        model: A compiled model, or a function `(X, y, **model_kwargs)` that makes one.
        warm_start: Accepted as in Keras.
        model_kwargs: For the function.
        fit_kwargs: For `model.fit`.

    Attributes:
        model_, history_: The trained model and what its `fit` returned.

    Source: https://keras.io/api/utils/sklearn_wrappers/
    """

    def transform(self, X: Any) -> Any:
        """The model's outputs."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
