"""What Keras wrote of `compile` into its older format, as arguments of `compile`."""

from __future__ import annotations

from typing import Any

from ... import losses, metrics
from ...optimizers import schedules
from ...serialization import deserialize_keras_object, get_registered_object
from .config import modern_config

__all__ = ["compile_arguments"]

# Keras 2's names of losses that Keras 3 calls otherwise.
_REDUCTIONS = {"auto": "sum_over_batch_size", "sum_over_batch_size": "sum_over_batch_size"}
_LOSS_NAMES = {"huber_loss": "huber", "logcosh": "log_cosh"}
_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")
# What "accuracy" became when it met the outputs.
_ACCURACIES = {"categorical_accuracy", "binary_accuracy", "sparse_categorical_accuracy"}


def compile_arguments(config: dict[str, Any], outputs: list[str]) -> dict[str, Any]:
    """The arguments of `compile` from a `training_config`.

    Args:
        config: `loss`, `metrics`, `weighted_metrics`, `loss_weights`, `optimizer_config`.
        outputs: Names of the model's outputs: Keras 2 put them before those of metrics.
    """
    found: dict[str, Any] = {"loss": _nested(config.get("loss"), _loss)}
    for key in ("metrics", "weighted_metrics"):
        value = config.get(key)
        if isinstance(value, list) and len(outputs) == 1 and len(value) == 1:
            value = value[0] if isinstance(value[0], list) else value
        found[key] = _nested(value, lambda m: _metric(m, outputs))
    found["loss_weights"] = config.get("loss_weights")
    found["optimizer"] = _optimizer(config["optimizer_config"])
    for key in ("run_eagerly", "steps_per_execution"):
        if config.get(key) is not None:
            found[key] = config[key]
    return found


def _nested(config: Any, read: Any) -> Any:
    if config is None:
        return None
    if isinstance(config, str) or (isinstance(config, dict) and "class_name" in config):
        return read(config)
    if isinstance(config, dict):
        return {k: _nested(v, read) for k, v in config.items()}
    return [_nested(v, read) for v in config]


def _loss(config: Any) -> Any:
    if isinstance(config, str):
        return losses.get(_LOSS_NAMES.get(config, config))
    inner = dict(config["config"])
    if inner.get("reduction") in _REDUCTIONS:
        inner["reduction"] = _REDUCTIONS[inner["reduction"]]
    if config["class_name"] == "LossFunctionWrapper":
        return losses.get(inner["fn"])
    inner.pop("fn", None)
    return _made(config, inner, "keras.losses")


def _metric(config: Any, outputs: list[str]) -> Any:
    if isinstance(config, str):
        return config if config in _BY_SHAPE else metrics.get(config)
    inner = dict(config["config"])
    name = inner.get("name")
    if len(outputs) > 1 and isinstance(name, str):
        for output in outputs:
            name = name.removeprefix(f"{output}_")
        inner["name"] = name
    fn = inner.get("fn")
    if config["class_name"] == "MeanMetricWrapper" and isinstance(fn, str):
        if name in _BY_SHAPE and fn in _ACCURACIES:
            return name
        inner.pop("fn")
        return metrics.MeanMetricWrapper(
            get_registered_object(fn) or getattr(metrics, fn, None) or losses.get(fn), **inner
        )
    inner.pop("fn", None)
    return _made(config, inner, "keras.metrics")


def _optimizer(config: dict[str, Any]) -> Any:
    inner = dict(config["config"])
    name = config["class_name"]
    for key in ("is_legacy_optimizer", "jit_compile"):
        inner.pop(key, None)
    if inner.get("epsilon", 0) is None:
        del inner["epsilon"]
    if "lr" in inner:
        inner["learning_rate"] = inner.pop("lr")
    if isinstance(inner.get("learning_rate"), dict):
        inner["learning_rate"] = modern_config(inner["learning_rate"])
    decay = inner.pop("decay", None)
    if decay:
        # lr / (1 + decay * step)
        inner["learning_rate"] = schedules.InverseTimeDecay(inner["learning_rate"], 1, decay)
    if name in ("Nadam", "Custom>Nadam"):
        inner.pop("schedule_decay", None)
    return _made(config, inner, "keras.optimizers")


def _made(config: dict[str, Any], inner: dict[str, Any], module: str) -> Any:
    name = config["class_name"]
    if get_registered_object(name) is None:
        name = name.removeprefix("Custom>")
    entry = {"module": module, "class_name": name, "config": inner, "registered_name": None}
    if get_registered_object(name) is not None:
        entry |= {"module": None, "registered_name": name}
    return deserialize_keras_object(entry)
