"""`keras.wrappers.scikit_learn` of Keras 1 and 2: a function that builds a model as an estimator.

Not `kerasish.wrappers`, which takes a model and whose `fit` returns the estimator: here `fit`
returns the history. scikit-learn is needed only by who uses these with it.
"""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np

from ..models import Sequential
from ..utils.arrays import to_categorical

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]


class BaseWrapper:
    """What both wrappers share.

    Args:
        build_fn: A function (or an object that can be called) that returns a compiled model; None
            if a subclass defines `__call__`.
        **sk_params: For `build_fn`, `fit`, `predict` and `evaluate`: each gets those that it
            names.

    Attributes:
        model: The trained model.

    Raises:
        ValueError: None of them takes a parameter of that name.
    """

    _estimator_type = ""

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self) -> Any:
        """The function that builds, whose parameters can be asked for."""
        if self.build_fn is None:
            return self.__call__
        if isinstance(self.build_fn, types.FunctionType | types.MethodType | type):
            return self.build_fn
        return self.build_fn.__call__ if not _is_partial(self.build_fn) else self.build_fn

    def check_params(self, params: Any) -> None:
        """Check that somebody takes each of these parameters.

        Raises:
            ValueError: Nobody does.
        """
        takers = (self._builder(), Sequential.fit, Sequential.predict, Sequential.evaluate)
        for name in params:
            if name not in _RENAMED and not any(_takes(taker, name) for taker in takers):
                raise ValueError(
                    f"{name} is not a legal parameter: neither the function that builds the model "
                    "nor fit, predict or evaluate takes it."
                )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All parameters, `build_fn` too; the values themselves, which `clone` compares."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Any:
        """Set parameters.

        Raises:
            ValueError: Nobody takes a parameter of that name.
        """
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn: Any, override: Any = None) -> dict[str, Any]:
        """Those parameters that a function takes.

        Args:
            fn: The function.
            override: Parameters that go before.
        """
        params = {_RENAMED.get(name, name): value for name, value in self.sk_params.items()}
        return {k: v for k, v in params.items() if _takes(fn, k)} | dict(override or {})

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Build a model and train it.

        Args:
            x: Samples.
            y: Targets; classes become one-hot rows for `categorical_crossentropy`.
            **kwargs: For the model's `fit`.

        Returns:
            The history.
        """
        builder = self._builder()
        self.model = builder(**self.filter_sk_params(builder))
        y = to_categorical(y) if self._wants_rows(y) else y
        kwargs = {_RENAMED.get(name, name): value for name, value in kwargs.items()}
        return self.model.fit(x, y, **self.filter_sk_params(Sequential.fit, kwargs))

    def _wants_rows(self, y: Any) -> bool:
        """Whether the loss takes one-hot rows, and these are numbers of classes."""
        loss = self.model.loss
        loss = getattr(loss, "__name__", None) or getattr(loss, "name", loss)
        return loss == "categorical_crossentropy" and np.ndim(y) != 2

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks about estimators."""
        from sklearn import utils

        kind = self._estimator_type
        return utils.Tags(
            estimator_type=kind or None,
            target_tags=utils.TargetTags(required=True),
            classifier_tags=utils.ClassifierTags() if kind == "classifier" else None,
            regressor_tags=utils.RegressorTags() if kind == "regressor" else None,
            non_deterministic=True,
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.sk_params.items())
        return f"{type(self).__name__}({shown})"


# Keras 1's names of what `fit` takes.
_RENAMED = {"nb_epoch": "epochs"}


def _is_partial(function: Any) -> bool:
    return hasattr(function, "func") and hasattr(function, "keywords")


def _takes(function: Any, name: str) -> bool:
    """Whether a function has a parameter of this name."""
    parameter = inspect.signature(function).parameters.get(name)
    return parameter is not None and parameter.kind in (
        inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY,
    )  # fmt: skip


class KerasClassifier(BaseWrapper):
    """A classifier for scikit-learn. See `BaseWrapper`.

    Attributes:
        classes_: The labels.
        n_classes_: How many there are.

    Source: Keras 2.15, `keras.wrappers.scikit_learn.KerasClassifier`.
    """

    _estimator_type = "classifier"

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Build a model and train it.

        Args:
            x: Samples.
            y: Labels `(samples,)`, or one-hot rows.
            sample_weight: A weight for each sample.
            **kwargs: For the model's `fit`.

        Returns:
            The history.

        Raises:
            ValueError: Another shape of labels.
        """
        y = np.array(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_: Any = np.arange(y.shape[1])
        elif y.ndim in (1, 2):
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(
                f"Invalid shape for y: {y.shape}; expected (samples,) or (samples, classes)."
            )
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> Any:
        """The likeliest label of each sample; from one output, whether it is above 0.5."""
        found = self._outputs(x, kwargs)
        if found.shape[-1] > 1:
            return self.classes_[found.argmax(axis=-1)]
        return self.classes_[(found > 0.5).astype("int32")].reshape(len(found))

    def predict_proba(self, x: Any, **kwargs: Any) -> Any:
        """Probabilities `(samples, classes)`; one output p gives `(1 - p, p)`."""
        found = self._outputs(x, kwargs)
        return np.hstack([1 - found, found]) if found.shape[1] == 1 else found

    def _outputs(self, x: Any, kwargs: Any) -> Any:
        return self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs))

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy.

        Raises:
            ValueError: The model was compiled without it.
        """
        y = np.asarray(y)
        if not (y.ndim == 2 and y.shape[1] > 1):
            y = np.searchsorted(self.classes_, y)
        if self._wants_rows(y):
            y = to_categorical(y, self.n_classes_)  # the part may lack a class
        kwargs = self.filter_sk_params(Sequential.evaluate, {**kwargs, "return_dict": True})
        logs = self.model.evaluate(x, y, **kwargs)
        for name in ("accuracy", "acc"):
            if name in logs:
                return float(logs[name])
        raise ValueError(
            "The model is not configured to compute accuracy. You should pass "
            f'`metrics=["accuracy"]` to the `model.compile()` method. It computes {sorted(logs)}.'
        )


class KerasRegressor(BaseWrapper):
    """A regressor for scikit-learn. See `BaseWrapper`.

    Source: Keras 2.15, `keras.wrappers.scikit_learn.KerasRegressor`.
    """

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> Any:
        """The model's outputs, axes of size 1 dropped except the first."""
        kwargs = self.filter_sk_params(Sequential.predict, kwargs)
        found = self.model.predict(x, **kwargs)
        return found.reshape([n for i, n in enumerate(found.shape) if n != 1 or i == 0])

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The loss with its sign turned: higher is better."""
        kwargs = self.filter_sk_params(Sequential.evaluate, kwargs)
        loss = self.model.evaluate(x, y, **kwargs)
        return -float(loss[0] if isinstance(loss, list) else loss)
