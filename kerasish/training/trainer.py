"""compile, fit, evaluate, predict and their steps, as a mixin of Model."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import kerasish_core as core

from .. import losses, ops, optimizers
from .. import metrics as metrics_module
from ..config import floatx
from ..optimizers.loss_scale import LossScaleOptimizer
from ..serialization import deserialize_keras_object, serialize_keras_object
from ..settings import structure_version
from .callbacks.callback_list import CallbackList
from .compile_utils import CompileLoss, CompileMetrics
from .data import (
    ArrayData,
    check_finite_targets,
    make_data,
    train_validation_split,
    unpack_x_y_sample_weight,
)  # fmt: skip
from .progress import Progress, choose_verbose

__all__ = ["Trainer"]

tree = core.tree
_STYLES = (
    "This train_step looks written for {style}. In kerasish a step is written as in TensorFlow:\n"
    "    with kerasish.GradientTape() as tape:\n"
    "        y_pred = self(x, training=True)\n"
    "        loss = self.compute_loss(y=y, y_pred=y_pred)\n"
    "    gradients = tape.gradient(loss, self.trainable_variables)\n"
    "    self.optimizer.apply(gradients, self.trainable_variables)\n"
)


class Trainer:
    """The training half of a model."""

    def _start_trainer(self) -> None:
        self.compiled = False
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.run_eagerly = False
        self.jit_compile: Any = "auto"
        self.steps_per_execution = 1
        self._loss_tracker: Any = None
        self._compile_loss: Any = None
        self._compile_metrics: Any = None
        self._compile_config: Any = None
        self._steps: dict[str, Any] = {}
        self._fingerprint: Any = (-1, None)
        self.history: Any = None

    # -- compile
    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None,
        metrics: Any = None, weighted_metrics: Any = None, run_eagerly: bool = False,
        steps_per_execution: int = 1, jit_compile: Any = "auto", auto_scale_loss: bool = True,
    ) -> None:  # fmt: skip
        """Set how the model is trained.

        Args:
            optimizer: Name, config or object.
            loss: Name, function or object; a list or dictionary of them by output.
            loss_weights: Weight of each output's loss, likewise.
            metrics, weighted_metrics: Lists of metrics, or by output; the latter use
                `sample_weight`.
            run_eagerly: Run steps operation by operation, so that a debugger can follow.
            steps_per_execution: Accepted as in Keras: hooks for batches run after so many steps.
            jit_compile: "auto" compiles and falls back to eager steps where a step can't be
                traced; True compiles or raises; False runs eagerly.
            auto_scale_loss: With a float16 policy, scale the loss.
        """
        optimizer = optimizers.get(optimizer)
        policy = getattr(self, "dtype_policy", None)
        if (
            auto_scale_loss
            and policy is not None
            and policy.compute_dtype == "float16"
            and (not isinstance(optimizer, LossScaleOptimizer))
        ):
            optimizer = LossScaleOptimizer(optimizer)
        self.optimizer = optimizer
        self.loss = loss
        _check_names(loss, metrics, weighted_metrics)
        names = getattr(self, "output_names", None)
        self._compile_loss = CompileLoss(loss, loss_weights, names) if loss is not None else None
        self._compile_metrics = (
            CompileMetrics(metrics, weighted_metrics, names)
            if metrics is not None or weighted_metrics is not None
            else None
        )
        self.run_eagerly, self.jit_compile = run_eagerly, jit_compile
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self.compiled = True
        self._loss_tracker = metrics_module.Mean(name="loss")
        self._steps = {}
        self._compile_config = {
            "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights,
            "metrics": metrics, "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip

    def get_compile_config(self) -> Any:
        """The arguments of `compile` as a config, None if it was not called."""
        if not self.compiled or self._compile_config is None:
            return None
        return {k: serialize_keras_object(v) for k, v in self._compile_config.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as the saved model was."""
        self.compile(**deserialize_keras_object(dict(config)))
        if self.optimizer is not None and getattr(self, "built", False):
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    @property
    def metrics(self) -> list[Any]:
        """The loss's mean, the model's own metrics, then those given to `compile`."""
        found = [self._loss_tracker] if self._loss_tracker is not None else []
        found += self._metrics  # type: ignore[attr-defined]
        # A model used as a layer may be compiled itself: its figures are not this model's.
        for layer in self._layers:  # type: ignore[attr-defined]
            found += [] if isinstance(layer, Trainer) else layer.metrics
        if self._compile_metrics is not None:
            found.append(self._compile_metrics)
        if self._compile_loss is not None:
            found += self._compile_loss.metrics
        return list({id(m): m for m in found}.values())

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Set all metrics to their start."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Log names and values of all metrics."""
        found: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            found.update(value if isinstance(value, dict) else {metric.name: value})
        return found

    # -- steps, to be overridden
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
        training: bool = True,
    ) -> Any:  # fmt: skip
        """The loss given to `compile` plus what `add_loss` and regularizers gave."""
        parts = []
        if self._compile_loss is not None:
            value = self._compile_loss(y, y_pred, sample_weight)
            if value is not None:
                parts.append(value)
        for each in self.losses:  # type: ignore[attr-defined]
            parts.append(ops.sum(ops.cast(each, floatx())))
        if not parts:
            raise ValueError(
                "No loss to compute. Provide a `loss` argument in `compile()`, or call "
                "`add_loss` in a layer."
            )
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update the metrics given to `compile`; the results of all."""
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _forward(self, x: Any, training: bool) -> Any:
        if self._signature.training or self._signature.var_keyword:  # type: ignore[attr-defined]
            return self(x, training=training)  # type: ignore[operator]
        return self(x)  # type: ignore[operator]

    def train_step(self, data: Any) -> Any:
        """One step of training: forward, loss, gradients, update. Override it for your own."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with core.GradientTape() as tape:
            y_pred = self._forward(x, True)
            loss = self.compute_loss(
                x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True
            )
            self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
            scaled = self.optimizer.scale_loss(loss) if self.optimizer is not None else loss
        weights = self.trainable_weights  # type: ignore[attr-defined]
        if weights:
            self.optimizer.apply(tape.gradient(scaled, weights), weights)
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> Any:
        """One step of evaluation."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._forward(x, False)
        loss = self.compute_loss(
            x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False
        )
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of prediction."""
        return self._forward(unpack_x_y_sample_weight(data)[0], False)

    # -- running steps
    def _key(self) -> Any:
        """What a trace depends on beyond its arguments, looked up again when something changed."""
        version = structure_version()
        if self._fingerprint[0] != version:
            flags = tuple(v.trainable for v in self.variables)  # type: ignore[attr-defined]
            layers = tuple(layer._trainable for layer in self._flatten_layers())  # type: ignore[attr-defined]
            policies = tuple(l.dtype_policy.name for l in self._flatten_layers())  # type: ignore[attr-defined]
            self._fingerprint = (version, (flags, layers, policies))
        return self._fingerprint[1]

    def _run_step(self, name: str, data: Any) -> Any:
        """Run `train_step`, `test_step` or `predict_step`, compiled where that can be."""
        if self.run_eagerly or self.jit_compile is False:
            return getattr(self, name)(data)
        step = self._steps.get(name)
        if step is None:
            own = getattr(self, name)
            step = self._steps[name] = core.compile_step(own, name=name, key=self._key)
        try:
            return step(data)
        except core.TraceError as error:
            if self.jit_compile is True:
                raise
            self.run_eagerly = True
            warnings.warn(
                f"{type(self).__name__}.{name} can't be compiled and runs eagerly: {error}",
                stacklevel=4,
            )
            return getattr(self, name)(data)

    def explain(self, step: str = "train", stage: str = "traced") -> str:
        """A compiled step as text.

        Args:
            step: "train", "test" or "predict".
            stage: "traced" or "optimized".

        Raises:
            ValueError: The step never ran compiled.
        """
        found = self._steps.get(f"{step}_step")
        if found is None:
            raise ValueError(f"No {step} step was compiled yet: run it once.")
        return found.explain(stage)

    def _build_for(self, data: Any, train: bool, needs_loss: bool = True) -> None:
        """Build model, metrics and optimizer before a step is traced."""
        metrics_ready = not needs_loss or (
            (self._compile_metrics is None or self._compile_metrics.built)
            and (self._compile_loss is None or self._compile_loss.built)
        )
        if not (self.built and metrics_ready):  # type: ignore[attr-defined]

            def build(x: Any, y: Any) -> None:
                y_pred = self._forward(x, False)
                if needs_loss and y is not None:
                    for each in (self._compile_loss, self._compile_metrics):
                        if each is not None and not each.built:
                            each.build(y, y_pred)

            x, y, _ = unpack_x_y_sample_weight(data)
            try:
                core.eval_spec(build, x, y)
            except core.TraceError:
                build(x, y)
        if train and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    def _assert_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(f"You must call `compile()` before calling `{method}()`.")

    # -- fit
    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
        verbose: Any = "auto", callbacks: Any = None, validation_split: float = 0.0,
        validation_data: Any = None, shuffle: Any = True, class_weight: Any = None,
        sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
        validation_steps: int | None = None, validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:  # fmt: skip
        """Train for a number of epochs.

        Args:
            x: Arrays (or lists or dictionaries of them), a generator, a `PyDataset`, or an
                iterable of batches.
            y: Targets, if `x` holds none.
            batch_size: 32 by default.
            epochs: Number of the last epoch.
            verbose: 0 nothing, 1 a progress bar, 2 a line for each epoch, "auto" is 1.
            callbacks: List of callbacks.
            validation_split: Share of the arrays' end to validate on.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or another data set.
            shuffle: Whether arrays are shuffled before each epoch; "batch" shuffles batches.
            class_weight: Class to weight.
            sample_weight: Weight of each sample.
            initial_epoch: Number of the first epoch, from 0.
            steps_per_epoch, validation_steps: Batches of an epoch; all by default.
            validation_batch_size: `batch_size` by default.
            validation_freq: Validate every so many epochs, or in the epochs listed.

        Returns:
            `History`: `history.history` maps log names to lists of floats.
        """
        self._assert_compiled("fit")
        verbose = choose_verbose(verbose)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = train_validation_split(
                (x, y, sample_weight), validation_split
            )
        data = make_data(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
        if isinstance(data, ArrayData):
            check_finite_targets(data.data[1])
        validation = self._validation_data(
            validation_data, validation_batch_size or batch_size, validation_steps
        )
        steps = steps_per_epoch or data.num_batches
        hooks = CallbackList(callbacks, self, epochs=epochs, steps=steps, verbose=verbose)
        self.stop_training = False
        hooks.on_train_begin()
        logs: dict[str, Any] = {}
        epoch = hooks.initial_epoch(initial_epoch)
        source = _Epochs(data, steps_per_epoch)
        while epoch < epochs:
            logs = self._fit_epoch(epoch, epochs, source, steps, hooks, verbose, validation,
                                   validation_steps, validation_freq)  # fmt: skip
            epoch += 1
            if self.stop_training or source.exhausted:
                break
        hooks.on_train_end(logs)
        return self.history

    def _validation_data(self, validation_data: Any, batch_size: Any, steps: Any) -> Any:
        if validation_data is None:
            return None
        if isinstance(validation_data, tuple | list) and len(validation_data) in (2, 3):
            x, y, weight = unpack_x_y_sample_weight(validation_data)
            return make_data(x, y, weight, batch_size, False, None, steps)
        return make_data(validation_data, None, None, batch_size, False, None, steps)

    def _fit_epoch(
        self, epoch: int, epochs: int, source: Any, steps: Any, hooks: Any, verbose: int,
        validation: Any, validation_steps: Any, validation_freq: Any,
    ) -> dict[str, Any]:  # fmt: skip
        hooks.on_epoch_begin(epoch)
        self.reset_metrics()
        line = Progress(f"Epoch {epoch + 1}/{epochs}", steps, verbose)
        found: Any = {}
        done = 0
        for done, batch in enumerate(source.epoch(), 1):
            if done == 1:
                self._build_for(batch, True)
            hooks.on_train_batch_begin(done - 1)
            found = self._checked(self._run_step("train_step", batch))
            if hooks.wants_train_batches:
                hooks.on_train_batch_end(done - 1, _python_logs(found))
            line.update(done, lambda found=found: _python_logs(found))
            if self.stop_training:
                break
        if done == 0:
            raise ValueError(
                "The data gave no batch for this epoch. A generator that is used up can't start "
                "again: pass steps_per_epoch, or a PyDataset."
            )
        logs = _python_logs(found)
        if validation is not None and _due(epoch, validation_freq):
            held = self.stop_training
            of_validation = self._evaluate(validation, validation_steps, hooks, None)
            self.stop_training = held or self.stop_training
            logs.update({f"val_{k}": v for k, v in of_validation.items()})
            logs = dict(sorted(logs.items()))
        line.close(logs)
        hooks.on_epoch_end(epoch, logs)
        return logs

    def _checked(self, logs: Any) -> Any:
        if not isinstance(logs, dict):
            if isinstance(logs, tuple) and len(logs) == 2:
                raise ValueError(_STYLES.format(style="Keras on JAX (it returns logs and state)"))
            raise ValueError(
                f"train_step must return a dictionary of log names to values, got {type(logs)}."
            )
        return logs

    # -- evaluate and predict
    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto",
        sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
        return_dict: bool = False, **kwargs: Any,
    ) -> Any:  # fmt: skip
        """The loss and metrics over a data set; arguments as in `fit`.

        Returns:
            The loss, or a list of the loss and the metrics; with `return_dict` a dictionary.
        """
        self._assert_compiled("evaluate")
        if kwargs:
            raise ValueError(f"Arguments not recognized: {kwargs}")
        verbose = choose_verbose(verbose)
        data = make_data(x, y, sample_weight, batch_size, False, None, steps)
        hooks = CallbackList(callbacks, self, steps=data.num_batches, verbose=0, history=False)
        logs = self._evaluate(
            data, steps, hooks, Progress(None, steps or data.num_batches, verbose)
        )
        return logs if return_dict else self._in_order(logs)

    def _evaluate(self, data: Any, steps: Any, hooks: Any, line: Any) -> dict[str, Any]:
        hooks.on_test_begin()
        self.reset_metrics()
        found: Any = {}
        for done, batch in enumerate(_Epochs(data, steps).epoch(), 1):
            if done == 1:
                self._build_for(batch, False)
            hooks.on_test_batch_begin(done - 1)
            found = self._run_step("test_step", batch)
            if hooks.wants_test_batches:
                hooks.on_test_batch_end(done - 1, _python_logs(found))
            if line is not None:
                line.update(done, lambda found=found: _python_logs(found))
        logs = _python_logs(found)
        if line is not None:
            line.close(logs)
        hooks.on_test_end(logs)
        return logs

    def _in_order(self, logs: dict[str, Any]) -> Any:
        """Logs as a list in Keras's order, a single one bare.

        First by the metrics' own names, then the log names that no metric has by itself. Two
        metrics of one name give the first one's figure twice, as in Keras.
        """
        names: list[str] = []
        for metric in self.metrics:
            if isinstance(metric, CompileMetrics):
                names += [inner.name for inner in metric.metrics]
            else:
                names.append(metric.name)
        values = [logs[n] for n in names if n in logs]
        values += [v for k, v in logs.items() if k not in names]
        return values[0] if len(values) == 1 else values

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto",
        steps: int | None = None, callbacks: Any = None,
    ) -> Any:  # fmt: skip
        """The model's outputs for a data set, as writable NumPy arrays."""
        verbose = choose_verbose(verbose)
        data = make_data(x, None, None, batch_size, False, None, steps)
        hooks = CallbackList(callbacks, self, steps=data.num_batches, verbose=0, history=False)
        hooks.on_predict_begin()
        line = Progress(None, steps or data.num_batches, verbose)
        parts: list[Any] = []
        for done, batch in enumerate(_Epochs(data, steps).epoch(), 1):
            if done == 1:
                self._build_for(batch, False, needs_loss=False)
            hooks.on_predict_batch_begin(done - 1)
            outputs = self._run_step("predict_step", (batch[0],))
            parts.append(outputs)
            if hooks.wants_predict_batches:
                hooks.on_predict_batch_end(done - 1, {"outputs": _to_numpy(outputs)})
            line.update(done, {})
        line.close({})
        hooks.on_predict_end()
        if not parts:
            raise ValueError("predict: the data gave no batch.")
        if len(parts) == 1:
            return _to_numpy(parts[0])
        return tree.map_structure(
            lambda *leaves: np.concatenate([np.asarray(v) for v in leaves]), *parts
        )

    # -- single batches
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """One update on one batch; the metrics (which keep adding up) as in `evaluate`."""
        self._assert_compiled("train_on_batch")
        batch = _one_batch(x, y, sample_weight, class_weight)
        self._build_for(batch, True)
        logs = _python_logs(self._checked(self._run_step("train_step", batch)))
        return logs if return_dict else self._in_order(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The metrics of one batch."""
        self._assert_compiled("test_on_batch")
        batch = _one_batch(x, y, sample_weight, None)
        self._build_for(batch, False)
        logs = _python_logs(self._run_step("test_step", batch))
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs of one batch as NumPy arrays."""
        batch = _one_batch(x, None, None, None)
        if not self.built:  # type: ignore[attr-defined]
            self._build_for(batch, False, needs_loss=False)
        return _to_numpy(self._run_step("predict_step", (batch[0],)))


class _Epochs:
    """Batches epoch by epoch; with a number of steps an iterator continues where it stopped."""

    def __init__(self, data: Any, steps: int | None) -> None:
        self._data, self._steps = data, steps
        self._running: Any = None
        self.exhausted = False

    def epoch(self) -> Any:
        data = self._data
        data.on_epoch_begin()
        if self._steps is None:
            yield from data
        else:
            for _ in range(self._steps):
                batch = self._next()
                if batch is None:
                    self.exhausted = True
                    warnings.warn(
                        "Your input ran out of data; interrupting training. Make sure that your "
                        "dataset or generator can generate at least `steps_per_epoch * epochs` "
                        "batches.",
                        stacklevel=3,
                    )
                    break
                yield batch
        data.on_epoch_end()

    def _next(self) -> Any:
        if self._running is None:
            self._running = iter(self._data)
        batch = next(self._running, None)
        if batch is None and not self._data.infinite and self._data.num_batches:
            self._running = iter(self._data)
            batch = next(self._running, None)
        return batch


def _one_batch(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
    data = ArrayData(x, y, sample_weight, batch_size=1 << 62, class_weight=class_weight)
    return next(iter(data))


def _batch_size(x: Any) -> int:
    for leaf in tree.flatten(x):
        if hasattr(leaf, "shape") and len(leaf.shape):
            return int(leaf.shape[0])
    return 1


def _python_logs(logs: Any) -> dict[str, Any]:
    """Values as Python numbers, in Keras's order (sorted)."""
    found = {}
    for key in sorted(logs):
        value = logs[key]
        if isinstance(value, dict):
            found.update(_python_logs(value))
            continue
        try:
            array = np.asarray(value)
            found[key] = array.item() if array.size == 1 else array
        except (TypeError, ValueError):
            found[key] = value
    return found


def _to_numpy(outputs: Any) -> Any:
    return tree.map_structure(lambda t: t.numpy() if isinstance(t, core.Tensor) else t, outputs)


def _due(epoch: int, freq: Any) -> bool:
    if isinstance(freq, list | tuple | set):
        return epoch + 1 in freq
    return (epoch + 1) % int(freq) == 0


def _check_names(loss: Any, metrics: Any, weighted: Any) -> None:
    """Unknown names are errors at once, not at the first batch."""
    for each in tree.flatten(loss):
        if isinstance(each, str):
            losses.get(each)
    for each in [*tree.flatten(metrics), *tree.flatten(weighted)]:
        if isinstance(each, str) and each not in ("accuracy", "acc", "crossentropy", "ce"):
            metrics_module.get(each)
