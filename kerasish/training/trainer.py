"""compile, fit, evaluate, predict, as a mixin of Model."""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import Any

import numpy as np

import kerasish_core as core

from .. import losses, older, optimizers
from .. import metrics as metrics_module
from ..optimizers.loss_scale import LossScaleOptimizer
from ..serialization import deserialize_keras_object, serialize_keras_object
from ..settings import max_steps_per_epoch, structure_version
from ..shard import check_alike
from .callbacks.callback_list import CallbackList
from .compile_utils import CompileLoss, CompileMetrics
from .data import (
    ArrayData,
    Replayed,
    check_finite_targets,
    make_data,
    pack_x_y_sample_weight,
    train_validation_split,
    unpack_x_y_sample_weight,
)  # fmt: skip
from .functions import Joining, joined
from .loop import (
    Epochs,
    check_frequency,
    due,
    limited_epochs,
    limited_steps,
    python_logs,
    run_epoch,
    to_numpy,
    whole_executions,
)
from .progress import Progress, choose_verbose
from .pydataset import PyDataset
from .step import Steps

__all__ = ["Trainer"]

tree = core.tree


@older.classes
class Trainer(Steps):
    """The training half of a model."""

    def _start_trainer(self) -> None:
        self._keep(
            compiled=False, optimizer=None, loss=None, stop_training=False,
            stop_evaluating=False, stop_predicting=False, _eager=False,
            _jit="auto", steps_per_execution=1, history=None, _loss_tracker=None,
            _compile_loss=None, _compile_metrics=None, _compile_config=None, _steps={},
            _prepared=set(), _fingerprint=(-1, -1), _known={},
        )  # fmt: skip

    def _keep(self, **attributes: Any) -> None:
        """Set attributes that are no parts of the layer: it does not track what they hold."""
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

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
            auto_scale_loss: With the policy "mixed_float16", wrap the optimizer in a
                `LossScaleOptimizer`.
        """
        optimizer = given = optimizers.get(optimizer)
        half = self.dtype_policy.name == "mixed_float16"
        plain = optimizer is not None and not isinstance(optimizer, LossScaleOptimizer)
        if auto_scale_loss and half and plain:
            optimizer = LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
        _check_names(loss, metrics, weighted_metrics)
        if jit_compile is True and run_eagerly:
            warnings.warn(
                "If `run_eagerly` is True, then `jit_compile` cannot also be True. Disabling "
                "`jit_compile`.",
                stacklevel=2,
            )
            jit_compile = False
        names = getattr(self, "output_names", None)
        # As in Keras, what is not given again stays as an earlier call said.
        if loss is not None:
            self._keep(loss=loss, _compile_loss=CompileLoss(loss, loss_weights, names))
        if metrics is not None or weighted_metrics is not None:
            self._keep(_compile_metrics=CompileMetrics(metrics, weighted_metrics, names))
        self._keep(
            optimizer=optimizer,
            _eager=bool(run_eagerly),
            _jit=jit_compile,
            steps_per_execution=steps_per_execution,
            train_function=None,
            test_function=None,
            predict_function=None,
            _in_step=False,
            stop_training=False,
            stop_evaluating=False,
            stop_predicting=False,
            compiled=True,
            _loss_tracker=metrics_module.Mean(name="loss"),
            _steps={},
            _prepared=set(),
            _compile_config={
                "optimizer": given, "loss": loss, "loss_weights": loss_weights,
                "metrics": metrics, "weighted_metrics": weighted_metrics,
                "run_eagerly": run_eagerly, "steps_per_execution": steps_per_execution,
                "jit_compile": jit_compile,
            },
        )  # fmt: skip

    def get_compile_config(self) -> Any:
        """The arguments of `compile` as a config, empty if it was not called."""
        if not self.compiled or self._compile_config is None:
            return {}
        return {k: serialize_keras_object(v) for k, v in self._compile_config.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as the saved model was."""
        self.compile(**deserialize_keras_object(dict(config)))
        if self.optimizer is not None and getattr(self, "built", False):
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[Any]:
        """The loss's mean, the model's own metrics, then those given to `compile`."""
        found = [self._loss_tracker] if self._loss_tracker is not None else []
        found += self._metrics
        # A model used as a layer may be compiled itself: its figures are not this model's.
        for layer in self._layers:
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
        check_frequency(validation_freq)
        steps_per_epoch, validation_steps = steps_per_epoch or None, validation_steps or None
        verbose = choose_verbose(verbose)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = train_validation_split(
                (x, y, sample_weight), validation_split
            )
        data = make_data(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
        if isinstance(data, ArrayData) and self._must_be_finite():
            check_finite_targets(data.data[1])
        validation = self._validation_data(
            validation_data, validation_batch_size or batch_size, validation_steps
        )
        if validation is not None:
            validation_steps = limited_steps(validation_steps, validation)
        for each in (data, validation):
            if isinstance(each, ArrayData):
                self._prepare_once(each)
        epochs, steps_per_epoch = limited_epochs(epochs), limited_steps(steps_per_epoch, data)
        steps = steps_per_epoch or data.num_batches
        check_alike("batches", steps)
        self._keep(_in_step=False)
        hooks = CallbackList.of(callbacks, self, True, epochs=epochs, steps=steps, verbose=verbose)
        for each in (data, validation):
            if isinstance(each, ArrayData):
                each.unchanging = hooks.built_in
        verbose = 0 if hooks.shows_progress() else verbose
        self.stop_training = False
        hooks.on_train_begin()
        logs: dict[str, Any] = {}
        with closing(Epochs(data, steps_per_epoch, self.steps_per_execution)) as source:
            for epoch in range(hooks.initial_epoch(initial_epoch), epochs):
                hooks.on_epoch_begin(epoch)
                with Progress(f"Epoch {epoch + 1}/{epochs}", steps, verbose) as line:
                    logs = self._fit_epoch(source, hooks, line)
                    if validation is not None and due(epoch, validation_freq):
                        logs |= self._validate(validation, validation_steps, hooks)
                        logs = dict(sorted(logs.items()))
                    line.close(logs)
                hooks.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
        if self.optimizer is not None and epochs > 0:
            # What training ends with where averages are kept.
            self.optimizer.finalize_variable_values(self.trainable_weights)
        hooks.on_train_end(logs)
        return self.history

    def _in_chunks(
        self, name: str, source: Epochs, wanted: bool, after: Any, watched: str | None = None
    ) -> Any:
        """Run what can go in native chunks: steps done, the batches left, the last results."""
        if not (wanted and source.whole):
            return 0, source.epoch(), None
        data = source.data
        done, rows, results = self._run_rows(name, data, after, watched)
        return done, data.batches(rows, done * data.batch_size), results

    def _must_be_finite(self) -> bool:
        """Whether NaN in the targets is an error: a user's own loss may leave them out."""
        loss = self._compile_loss
        return loss is not None and loss.is_built_in and type(self).train_step is Steps.train_step

    def _validation_data(self, validation_data: Any, batch_size: Any, steps: Any) -> Any:
        if validation_data is None:
            return None
        if hasattr(validation_data, "__next__") and not isinstance(validation_data, PyDataset):
            # A generator can't start again, but each epoch is judged by the same samples.
            steps = whole_executions(steps, self.steps_per_execution)
            validation_data = Replayed(validation_data, steps)
        if isinstance(validation_data, tuple | list) and validation_data:
            x, y, weight = unpack_x_y_sample_weight(validation_data)
            return make_data(x, y, weight, batch_size, False, None, steps)
        return make_data(validation_data, None, None, batch_size, False, None, steps)

    def _fit_epoch(self, source: Epochs, hooks: Any, line: Progress) -> dict[str, Any]:
        self.reset_metrics()

        own = self._own_function("train")

        def step(batch: Any) -> Any:
            return self._checked(own(batch) if own else self._run_step("train_step", batch))

        def end(index: int, done: int, results: list[Any]) -> bool:
            if hooks.wants("on_train_batch_end"):
                hooks.on_train_batch_end(index, python_logs(results[-1]))
            line.update(done, results[-1])
            return self.stop_training

        watched = hooks.watched
        ends = hooks.wants("on_train_batch_end") and watched is None
        chunks = not (hooks.wants("on_train_batch_begin") or ends) and own is None

        def after(done: int, results: Any) -> bool:
            line.update(done, results)
            if watched is not None and not np.isfinite(results[watched]):
                hooks.on_train_batch_end(done - 1, python_logs(results))
            return self.stop_training

        early, batches, found = self._in_chunks("train_step", source, chunks, after, watched)
        if early and self.stop_training:
            return python_logs(found)
        done, last = run_epoch(
            batches, step, self.steps_per_execution, hooks.on_train_batch_begin, end, early
        )
        found = last or found
        if done == 0:
            raise ValueError(
                "The data gave no batch for this epoch. A generator that is used up can't start "
                "again: pass steps_per_epoch, or a PyDataset."
            )
        return python_logs(found)

    def _validate(self, data: Any, steps: Any, hooks: Any) -> dict[str, Any]:
        stop = self.stop_training
        logs = self._evaluate(data, steps, hooks, None)
        self.stop_training = stop or self.stop_training
        return {f"val_{k}": v for k, v in logs.items()}

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
        steps = limited_steps(steps, data)
        steps_shown = steps or data.num_batches
        check_alike("batches", steps_shown)
        self._keep(_in_step=False)
        hooks = CallbackList.of(
            callbacks, self, False, epochs=1, steps=steps_shown, verbose=verbose
        )
        shown = 0 if hooks.shows_progress() else verbose
        with Progress(None, steps_shown, shown) as line:
            logs = self._evaluate(data, steps, hooks, line)
        return logs if return_dict else self._in_order(logs)

    def _evaluate(self, data: Any, steps: Any, hooks: Any, line: Any) -> dict[str, Any]:
        self.stop_evaluating = False
        hooks.on_test_begin()
        self.reset_metrics()

        own = self._own_function("test")

        def step(batch: Any) -> Any:
            return self._checked(own(batch) if own else self._run_step("test_step", batch))

        def end(index: int, done: int, results: list[Any]) -> bool:
            if hooks.wants("on_test_batch_end"):
                hooks.on_test_batch_end(index, python_logs(results[-1]))
            if line is not None:
                line.update(done, results[-1])
            return self.stop_evaluating

        chunks = not (hooks.wants("on_test_batch_begin") or hooks.wants("on_test_batch_end"))
        chunks = chunks and own is None

        def after(done: int, results: Any) -> bool:
            if line is not None:
                line.update(done, results)
            return False

        with closing(Epochs(data, steps, self.steps_per_execution)) as source:
            early, batches, found = self._in_chunks("test_step", source, chunks, after)
            done, last = run_epoch(
                batches, step, self.steps_per_execution, hooks.on_test_batch_begin, end, early
            )
        found = last or found
        if done == 0:
            raise ValueError("evaluate: the data gave no batch. Is the generator used up?")
        logs = python_logs(found)
        if line is not None:
            line.close(logs)
        hooks.on_test_end(logs)
        return logs

    def _in_order(self, logs: dict[str, Any]) -> Any:
        """Logs as a list in Keras's order, a single one bare.

        First by the metrics' own names, then the log names that no metric has by itself. Two
        metrics of one name give the first one's figure twice, as in Keras.
        """
        known = self._steps.get("order")
        key = (structure_version(), tuple(logs))
        if known is None or known[0] != key:
            known = self._steps["order"] = key, self._names_in_order(logs)
        values = [logs[n] for n in known[1]]
        return values[0] if len(values) == 1 else values

    def _names_in_order(self, logs: dict[str, Any]) -> list[str]:
        names: list[str] = []
        for metric in self.metrics:
            if isinstance(metric, CompileMetrics):
                names += [inner.name for inner in metric.metrics]
            else:
                names.append(metric.name)
        return [n for n in names if n in logs] + [k for k in logs if k not in names]

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto",
        steps: int | None = None, callbacks: Any = None,
    ) -> Any:  # fmt: skip
        """The model's outputs for a data set, as writable NumPy arrays."""
        verbose = choose_verbose(verbose)
        plain = callbacks is None and steps is None and max_steps_per_epoch() is None
        if not verbose and plain and type(x) is np.ndarray:
            known = self._predict_known(x, batch_size or 32)
            if known is not None:
                return known
        data = make_data(x, None, None, batch_size, False, None, steps)
        steps = limited_steps(steps, data)
        steps_shown = steps or data.num_batches
        hooks = CallbackList.of(
            callbacks, self, False, epochs=1, steps=steps_shown, verbose=verbose
        )
        self.stop_predicting = False
        hooks.on_predict_begin()
        whole = Joining(data.count if isinstance(data, ArrayData) and steps is None else None)
        own = self._own_function("predict")

        def step(batch: Any) -> Any:
            batch = pack_x_y_sample_weight(unpack_x_y_sample_weight(batch)[0])
            return own(batch) if own else self._run_step("predict_step", batch)

        def end(index: int, done: int, results: list[Any]) -> bool:
            for outputs in results:
                whole.add(outputs)
            if hooks.wants("on_predict_batch_end"):
                hooks.on_predict_batch_end(index, {"outputs": to_numpy(joined(results))})
            line.update(done, {})
            return self.stop_predicting

        shown = 0 if hooks.shows_progress() else verbose
        begin = hooks.on_predict_batch_begin
        size = self.steps_per_execution
        with (
            Progress(None, steps_shown, shown) as line,
            closing(Epochs(data, steps, size)) as source,
        ):
            run_epoch(source.epoch(), step, size, begin, end)
            line.close({})
        hooks.on_predict_end()
        found = whole.result()
        if found is None:
            raise ValueError("predict: the data gave no batch.")
        return found

    def _predict_known(self, x: Any, batch_size: int) -> Any:
        """The outputs for an array, if a program for each of its batches is known; else None."""
        step = self._steps.get("predict_step")
        if step is None or self._eager or not len(x) or batch_size < 1:
            return None
        if len(x) <= batch_size:
            outputs = step.call_known(x)
            return None if outputs is None else joined([outputs])
        whole = Joining(len(x))
        for start in range(0, len(x), batch_size):
            outputs = step.call_known(x[start : start + batch_size])
            if outputs is None:
                return None
            whole.add(outputs)
        return whole.result()

    # -- single batches
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """One update on one batch; its loss and metrics as in `evaluate`."""
        self._assert_compiled("train_on_batch")
        return self._on_batch("train_step", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The metrics of one batch."""
        self._assert_compiled("test_on_batch")
        return self._on_batch("test_step", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs of one batch as NumPy arrays."""
        return to_numpy(
            self._run_alone(
                "predict_step", pack_x_y_sample_weight(x), lambda: _one_batch(x, None, None, None)
            )
        )

    def _on_batch(
        self, name: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool
    ) -> Any:
        data = None
        if class_weight is None:
            data = pack_x_y_sample_weight(x, y, sample_weight)
        found = self._run_alone(name, data, lambda: _one_batch(x, y, sample_weight, class_weight))
        logs = python_logs(self._checked(found))
        return logs if return_dict else self._in_order(logs)


def _one_batch(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
    data = ArrayData(x, y, sample_weight, batch_size=1 << 62, class_weight=class_weight)
    return next(iter(data))


def _check_names(loss: Any, metrics: Any, weighted: Any) -> None:
    """Unknown names are errors at once, not at the first batch."""
    for each in tree.flatten(loss):
        if isinstance(each, str):
            losses.get(each)
    for each in [*tree.flatten(metrics), *tree.flatten(weighted)]:
        if isinstance(each, str) and each not in ("accuracy", "acc", "crossentropy", "ce"):
            metrics_module.get(each)
