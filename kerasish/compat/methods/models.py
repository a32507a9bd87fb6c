"""Methods and attributes that models had."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import older
from ...layers import BatchNormalization
from ...models import Model
from ..changes.generators import with_workers

__all__ = [
    "evaluate_generator", "fit_generator", "itself", "make_function", "predict_classes",
    "predict_generator", "predict_proba", "reset_states", "to_yaml", "total_loss",
]  # fmt: skip


@older.arguments
def fit_generator(
    self: Any, generator: Any, steps_per_epoch: Any = None, epochs: int = 1, verbose: int = 1,
    callbacks: Any = None, validation_data: Any = None, validation_steps: Any = None,
    validation_freq: Any = 1, class_weight: Any = None, max_queue_size: int = 10,
    workers: int = 1, use_multiprocessing: bool = False, shuffle: bool = True,
    initial_epoch: int = 0, **kwargs: Any,
) -> Any:  # fmt: skip
    """`fit` on batches of a generator, or of a `Sequence`, whose workers make them ahead."""
    for data in (generator, validation_data):
        with_workers(data, workers, use_multiprocessing, max_queue_size)
    return self.fit(
        generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose,
        callbacks=callbacks, validation_data=validation_data, validation_steps=validation_steps,
        validation_freq=validation_freq, class_weight=class_weight, shuffle=shuffle,
        initial_epoch=initial_epoch, **_known(kwargs, "fit_generator"),
    )  # fmt: skip


@older.arguments
def evaluate_generator(
    self: Any, generator: Any, steps: Any = None, callbacks: Any = None, max_queue_size: int = 10,
    workers: int = 1, use_multiprocessing: bool = False, verbose: int = 0, **kwargs: Any,
) -> Any:  # fmt: skip
    """`evaluate` on batches of a generator or `Sequence`."""
    with_workers(generator, workers, use_multiprocessing, max_queue_size)
    known = _known(kwargs, "evaluate_generator")
    return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose, **known)


@older.arguments
def predict_generator(
    self: Any, generator: Any, steps: Any = None, callbacks: Any = None, max_queue_size: int = 10,
    workers: int = 1, use_multiprocessing: bool = False, verbose: int = 0, **kwargs: Any,
) -> Any:  # fmt: skip
    """`predict` on batches of a generator or `Sequence`."""
    with_workers(generator, workers, use_multiprocessing, max_queue_size)
    known = _known(kwargs, "predict_generator")
    return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose, **known)


def _known(kwargs: dict[str, Any], method: str) -> dict[str, Any]:
    """Refuse arguments of no release.

    Raises:
        TypeError: There is one.
    """
    if kwargs:
        raise TypeError(f"{method}() got an unexpected keyword argument {next(iter(kwargs))!r}")
    return {}


def predict_classes(self: Any, x: Any, batch_size: Any = 32, verbose: int = 0) -> Any:
    """The class of each sample: the greatest of several outputs, or 1 above one half of one."""
    proba = self.predict(x, batch_size=batch_size, verbose=verbose)
    if proba.shape[-1] > 1:
        return proba.argmax(axis=-1)
    return (proba > 0.5).astype("int32")


def predict_proba(self: Any, x: Any, batch_size: Any = 32, verbose: int = 0) -> Any:
    """`predict`: of a model that ends with softmax or sigmoid it gives probabilities."""
    return self.predict(x, batch_size=batch_size, verbose=verbose)


def reset_states(self: Any) -> None:
    """Set the states of all stateful layers to zero."""
    for layer in self._flatten_layers(include_self=False):
        if getattr(type(layer), "reset_states", None) and getattr(layer, "stateful", False):
            layer.reset_states()


def make_function(self: Any) -> None:
    """Nothing to do: steps are compiled when they first run."""


def to_yaml(self: Any, **kwargs: Any) -> str:
    """Not there any more.

    Raises:
        RuntimeError: It says what to do instead.
    """
    raise RuntimeError(
        "Method `model.to_yaml()` has been removed, since reading YAML could run code. Use "
        "`model.to_json()` instead."
    )


@property
def itself(self: Any) -> Any:
    """The model: `Sequential.model` was the functional model inside."""
    return self


@property
def total_loss(self: Any) -> Any:
    """The loss of the compiled model as a symbolic tensor of its inputs and `model.targets`."""
    return symbolic_loss(self)[1]


@property
def targets(self: Any) -> Any:
    """Symbolic targets: what `total_loss` compares the outputs with."""
    return symbolic_loss(self)[0]


@property
def sample_weights(self: Any) -> Any:
    """Symbolic weights of the samples, one tensor for each output: `total_loss` has none."""
    return []


def symbolic_loss(model: Any) -> tuple[list[Any], Any]:
    """Symbolic targets and the loss.

    Raises:
        ValueError: The model is not compiled, or has no symbolic inputs.
    """
    from ... import backend, losses

    known = model.__dict__.get("_symbolic_loss")
    if known is not None and known[0] is model._compile_loss:
        return known[1]
    if model._compile_loss is None or not hasattr(model, "outputs"):
        raise ValueError(
            "total_loss is there once a functional or Sequential model is compiled with a loss."
        )
    flat = list(model.outputs)
    spec = model._compile_loss._spec
    chosen = spec if isinstance(spec, list | tuple) else [spec] * len(flat)
    if isinstance(spec, dict):
        chosen = [spec.get(name) for name in model.output_names]
    found = [backend.placeholder(y.shape) for y in flat]
    parts = [
        backend.mean(losses.get(each)(t, y))
        for each, t, y in zip(chosen, found, flat, strict=True)
        if each is not None
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    object.__setattr__(model, "_symbolic_loss", (model._compile_loss, (found, total)))
    return found, total


@property
def uses_learning_phase(self: Any) -> bool:
    """Whether a layer does something else in training."""
    return any(_trains_otherwise(x) for x in self._flatten_layers() if not isinstance(x, Model))


def _trains_otherwise(layer: Any) -> bool:
    if isinstance(layer, BatchNormalization):
        return True
    if any(layer.__dict__.get(name) for name in ("dropout", "recurrent_dropout", "rate")):
        return True
    ours = type(layer).__module__.startswith("kerasish.")
    return bool(layer._signature.training) and not ours


@property
def nothing(self: Any) -> list[Any]:
    """No updates to run: they happen in the call."""
    return []


def none_for(self: Any, inputs: Any) -> list[Any]:
    """No updates to run: they happen in the call."""
    return []


def losses_for(self: Any, inputs: Any) -> list[Any]:
    """The penalties and what `add_loss` gave."""
    return list(self.losses)


def get_weight_paths(self: Any) -> dict[str, Any]:
    """The weights by their paths, joined by dots."""
    return {str(np.char.replace(v.path, "/", ".")): v for v in self.weights}
