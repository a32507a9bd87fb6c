"""Names that can be imported and say, when they are used, why they do nothing here."""

from __future__ import annotations

from typing import Any

__all__ = ["WHY"]

_COLUMNS = (
    "it reads TensorFlow's feature columns. keras.utils.FeatureSpace describes and encodes columns"
)
_DTENSOR = "it spreads a model over TensorFlow's devices"
WHY = {
    "DatasetCreator": "it serves TensorFlow's parameter servers. Pass the data set itself to fit",
    "DenseFeatures": _COLUMNS,
    "DynamicEmbedding": "its vocabulary grows by TensorFlow's tables. Use StringLookup, Embedding",
    "DynamicLookup": "its vocabulary grows by TensorFlow's tables. Use StringLookup",
    "Graph": "Keras 1.0 took it out. keras.Model(inputs, outputs) joins layers in any way",
    "LayoutMap": _DTENSOR,
    "PyMetric": "a metric as a plain function of y_true and y_pred does the same",
    "SequenceFeatures": _COLUMNS,
    "SidecarEvaluator": "it watches the checkpoints of another TensorFlow process",
    "SidecarEvaluatorModelExport": "it watches the checkpoints of another TensorFlow process",
    "SharpnessAwareMinimization": "write its two steps as the train_step of a model",
    "TFOptimizer": "it wraps an optimizer of TensorFlow 1. Pass one of keras.optimizers",
    "UpdateEmbeddingCallback": "it belongs to DynamicEmbedding",
    "model_from_yaml": "reading YAML could run code, so Keras took it out. Use model_from_json",
    "model_to_estimator": "TensorFlow took its estimators out. Call fit, evaluate and predict",
}


def _gone(name: str, why: str) -> type:
    def refuse(cls: type, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"keras has no {name} any more, nor has kerasish: {why}.")

    return type(name, (), {"__new__": refuse, "__doc__": f"Not there: {why}."})


def __getattr__(name: str) -> Any:
    why = WHY.get(name)
    if why is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = _gone(name, why)
    return found
