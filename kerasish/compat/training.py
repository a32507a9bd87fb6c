"""Compiling and training as in Keras 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

from ..layers.call_context import state
from ..models import Model
from ..ops.symbolic import KerasTensor
from ..training.callbacks import LambdaCallback
from ..training.data import train_validation_split
from . import freezing
from .changes.names_of_logs import Logs
from .symbolic import attach_loss, opened

__all__ = [
    "add_loss", "batch_hook", "compile", "fit", "metrics_names", "on_train_begin", "set_params",
    "train_on_batch",
]  # fmt: skip

tree = core.tree


def compile(before: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
    """Compile; losses and metrics may close over tensors of the model, and `trainable` counts."""
    kwargs = {k: opened(model, v) if k in _OPENED else v for k, v in kwargs.items()}
    args = (*args[:1], *(opened(model, v) for v in args[1:3]), *args[3:])
    model._keep(loss=None, _compile_loss=None, _compile_metrics=None)  # all is said anew
    result = before(model, *args, **kwargs)
    freezing.note(model)
    return result


_OPENED = ("loss", "metrics", "weighted_metrics")


def fit(before: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
    """Train what was trainable at `compile`; callbacks know the validation data."""
    _show_validation_data(model, args, kwargs)
    with freezing.as_compiled(model):
        return before(model, *args, **kwargs)


def train_on_batch(before: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
    """Train what was trainable at `compile`."""
    with freezing.as_compiled(model):
        return before(model, *args, **kwargs)


def _show_validation_data(model: Any, args: Any, kwargs: dict[str, Any]) -> None:
    """Give callbacks `validation_data`: inputs, targets and weights in one list."""
    callbacks = kwargs.get("callbacks") or (args[5] if len(args) > 5 else None) or ()
    data, split = kwargs.get("validation_data"), kwargs.get("validation_split")
    if split and data is None:
        x, y = kwargs.get("x", args[0] if args else None), kwargs.get("y", (*args, None, None)[1])
        data = train_validation_split((x, y, None), split)[1]
    if isinstance(data, tuple | list) and len(data) in (2, 3):
        x, y = tree.flatten(data[0]), tree.flatten(data[1])
        given = data[2] if len(data) == 3 else None
        weights = _ones_for(y) if given is None else tree.flatten(given)
        shown: Any = [*x, *y, *weights]
    else:
        shown = data
    model._keep(_run=_facts(args, kwargs, shown is not None))
    for each in callbacks if isinstance(callbacks, list | tuple) else ():
        if not hasattr(each, "validation_data"):
            each.validation_data = shown


def _facts(args: Any, kwargs: dict[str, Any], validates: bool) -> dict[str, Any]:
    """What callbacks knew of a run besides its epochs and steps."""
    x = kwargs.get("x", args[0] if args else None)
    rows = [len(part) for part in tree.flatten(x)[:1] if hasattr(part, "shape")]
    samples = rows[0] if rows else None
    if samples is not None and kwargs.get("validation_split"):
        samples = int(samples * (1.0 - kwargs["validation_split"]))
    size = kwargs.get("batch_size") or (*args, 0, 0, 0)[2] or 32
    return {"batch_size": size, "do_validation": validates, "samples": samples}


def _ones_for(targets: list[Any]) -> list[Any]:
    return [np.ones(len(t)) for t in targets if t is not None]


def add_loss(before: Callable[..., Any], self: Any, loss: Any, *args: Any, **kwargs: Any) -> Any:
    """Add to the loss: in a call, or of a model a symbolic tensor of its graph."""
    symbolic = any(isinstance(x, KerasTensor) for x in tree.flatten(loss))
    if symbolic and state.context is None and isinstance(self, Model):
        attach_loss(self, loss)
        return None
    return before(self, loss, *args, **kwargs)


def on_train_begin(before: Callable[..., Any], history: Any, logs: Any = None) -> None:
    """Start a history that answers to the older names of metrics."""
    before(history, logs)
    history.history = Logs()


def set_params(before: Callable[..., Any], hooks: Any, params: Any) -> None:
    """Tell callbacks what they were told."""
    model = hooks._model
    known = {} if model is None else model.__dict__.get("_run") or {}
    found = dict(params)
    if known and "epochs" in found:
        names = model.metrics_names or ["loss"]
        validated = [f"val_{name}" for name in names] if known["do_validation"] else []
        found |= {**known, "nb_epoch": found["epochs"], "nb_sample": known["samples"]}
        found["metrics"] = [*names, *validated]
    before(hooks, found)


def batch_hook(before: Callable[..., Any], hooks: Any, batch: int, logs: Any = None) -> None:
    """Call a hook of batches; callbacks of the program see the batch's number and size in logs."""
    name, logs = before.__name__, dict(logs or {})
    facts = {"batch": batch, "size": _rows_of(hooks, batch)}
    for each in hooks._hooks[name]:
        if type(each).__module__.startswith("kerasish") and not isinstance(each, LambdaCallback):
            getattr(each, name)(batch, logs)
            continue
        shown = {**facts, **logs}
        getattr(each, name)(batch, shown)
        logs |= {k: v for k, v in shown.items() if k not in facts}


def _rows_of(hooks: Any, batch: int) -> int | None:
    """How many rows a batch has, None where it is not known: then of what a generator gives."""
    run = getattr(hooks._model, "_run", None) or {}
    size, samples = run.get("batch_size"), run.get("samples")
    return size if samples is None or size is None else min(size, samples - batch * size)


def metrics_names(before: property) -> property:
    """The names of what `evaluate` returns, in its order."""

    def names(model: Any) -> list[str]:
        if not model.compiled:
            return []
        known = model._names_in_order(model.get_metrics_result())
        config = model._compile_config or {}
        given = config.get("metrics")
        if len(known) <= 1 and isinstance(given, list | tuple):  # not known before a batch
            known = [*known, *(_name(m) for m in tree.flatten(given) if m is not None)]
        return known

    return property(names)


def _name(metric: Any) -> str:
    if isinstance(metric, str):
        return metric
    return metric.name if hasattr(metric, "name") else metric.__name__
