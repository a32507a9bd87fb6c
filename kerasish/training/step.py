"""What one step of training, evaluation and prediction is, and how it is compiled and run."""

from __future__ import annotations

import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

from .. import ops
from ..config import floatx
from ..random.seed_generator import global_seed_state
from ..settings import learning_phase, structure_version
from ..shard import (
    current_shard,
    distribution,
    flush_metrics,
    own_part,
    parallel,
    replicas,
    rows_of,
    shard_of,
    sharded,
    shards_of,
    synchronize,
    whole_results,
)
from ..text_arrays import holds_text
from .compile_utils import tensors_of
from .data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from .functions import StepFunctions
from .prepared import Prepared
from .stateless import StatelessLoss

__all__ = ["Steps"]

tree = core.tree

_STYLE = (
    "This train_step looks written for {style}. In kerasish a step is written as in TensorFlow:\n"
    "    with kerasish.GradientTape() as tape:\n"
    "        y_pred = self(x, training=True)\n"
    "        loss = self.compute_loss(y=y, y_pred=y_pred)\n"
    "    gradients = tape.gradient(loss, self.trainable_variables)\n"
    "    self.optimizer.apply(gradients, self.trainable_variables)"
)
# Progress bars move and Ctrl-C acts between chunks.
_CHUNK_SECONDS = 0.05
# Attributes that only a step for torch asks tensors, losses, optimizers or models for.
_OF_TORCH = ("backward", "zero_grad")


class Steps(StepFunctions, StatelessLoss):
    """The steps of a model."""

    compiled: bool
    _steps: dict[str, Any]
    _prepared: set[str]
    _fingerprint: tuple[int, int]
    _known: dict[Any, int]
    _loss_tracker: Any
    _compile_loss: Any
    _compile_metrics: Any
    _eager: bool = False
    # Whether this process has the values of the others.
    _in_step: bool = False
    _jit: Any = "auto"

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run operation by operation."""
        return self._eager

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._keep(_eager=bool(value))

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled (as far as they can be, if nobody insisted on it)."""
        return bool(self._jit) and not self._eager

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
        self._keep(_jit=value)

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
        for each in self.losses:
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
        if self._signature.training or self._signature.var_keyword:
            return self(x, training=training)
        return self(x)

    def train_step(self, data: Any) -> Any:
        """One step of training: forward, loss, gradients, update. Override it for your own."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with core.GradientTape() as tape:
            y_pred = self._forward(x, True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            self._loss_tracker.update_state(loss, sample_weight=batch_size_of(x))
            scaled = self.optimizer.scale_loss(loss) if self.optimizer is not None else loss
        weights = self.trainable_weights
        if weights:
            self.optimizer.apply(tape.gradient(scaled, weights), weights)
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> Any:
        """One step of evaluation."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._forward(x, False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=batch_size_of(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of prediction."""
        return tensors_of(self._forward(unpack_x_y_sample_weight(data)[0], False))

    # -- running steps
    def _key(self) -> Any:
        """What a trace depends on beyond its arguments, looked up again when something changed."""
        version = structure_version()
        if self._fingerprint[0] != version:
            layers = self._flatten_layers()
            flags = tuple(v.trainable for v in self.variables)
            of_layers = tuple((layer._trainable, layer.dtype_policy.name) for layer in layers)
            # A number in place of the tuples: it is hashed at each call.
            number = self._known.setdefault((flags, of_layers, learning_phase()), len(self._known))
            self._fingerprint = (version, number)
        shard = current_shard()
        return self._fingerprint[1] if shard is None else (self._fingerprint[1], shard)

    def _run_step(self, name: str, data: Any, alone: bool = False) -> Any:
        """Run `train_step`, `test_step` or `predict_step`, compiled where that can be.

        Args:
            name: Of the step.
            data: A batch.
            alone: Whether metrics start anew.

        Raises:
            ValueError: The step is written for another framework.
        """
        if name == "predict_step" or not parallel() or current_shard() is not None:
            return self._run_step_on(name, data, alone)
        shard, data = own_part(data)
        with sharded(shard):
            return self._run_step_on(name, data, alone)

    def _run_step_on(self, name: str, data: Any, alone: bool) -> Any:
        """`_run_step` on what this process has of the batch."""
        self._build_for(name, data)
        self._synchronize(name)
        if not self.jit_compile:
            return self._run_eagerly(name, data, alone)
        data = self._after_front(data)
        if holds_text(data):  # no program takes text
            return self._run_eagerly(name, data, alone)
        step = self._compiled_step(name, alone)
        try:
            return self._call(step, name, data)
        except core.TraceError as error:
            if self._jit is True:
                raise
            self.run_eagerly = True
            warnings.warn(
                f"{type(self).__name__}.{name} can't be compiled and runs eagerly: {error}",
                stacklevel=4,
            )
            return self._run_eagerly(name, data, alone)
        except AttributeError as error:
            raise _in_our_style(error) from error

    def _call(self, step: Any, name: str, data: Any) -> Any:
        """The compiled step on one batch, of which each of several GPUs takes its rows."""
        spread = self._spread_over(name)
        if spread is None:
            return step(data)
        rows = rows_of(data)
        if rows < spread.size:  # one GPU computes what is too short to be cut
            return step(data)
        shards = shards_of(rows, spread.size)
        return step.spread(spread, [s.cut(data) for s in shards], lambda i: sharded(shards[i]))

    def _spread_over(self, name: str) -> Any:
        """The GPUs over which this process spreads a step; None for one device."""
        if name == "predict_step" or current_shard() is not None:
            return None
        return replicas()

    def _synchronize(self, name: str) -> None:
        """Start from the values of the first process, or GPU, where several train together."""
        if self._in_step or name == "predict_step":
            return
        if not parallel() and self._spread_over(name) is None:
            return
        optimizer = [] if self.optimizer is None else self.optimizer.variables
        common = [*self.variables, *optimizer, *self.metrics_variables, global_seed_state()]
        common = list({id(v): v for v in common}.values())
        if parallel():
            synchronize(common)
        else:
            core.forget_copies(common)
        self._keep(_in_step=True)

    def _run_front(self, x: Any) -> Any:
        """The inputs after the layers that no program can hold: see `models/front.py`."""
        return x

    def _front_of_all(self, x: Any, count: int) -> Any:
        """`_run_front` of a whole data set; None where that can't be kept."""
        return None

    def _prepare_once(self, data: Any) -> None:
        """Run the front on arrays in memory before the first epoch instead of in each one."""
        if self._has_front and self.jit_compile and data.dense:
            x, *rest = data.data
            prepared = self._front_of_all(x, data.count)
            if prepared is not None:
                data.data = (prepared, *rest)

    @property
    def _has_front(self) -> bool:
        return False

    def _after_front(self, data: Any) -> Any:
        if not self._has_front:
            return data
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        if isinstance(x, Prepared):
            return data
        return pack_x_y_sample_weight(self._run_front(x), y, sample_weight)

    def _run_rows(
        self, name: str, data: Any, after: Callable[[int, Any], Any], watched: str | None
    ) -> tuple[int, Any, Any]:
        """Run a step on as many whole batches of an epoch as can go in native chunks.

        Args:
            name: Of the step.
            data: `ArrayData`.
            after: Called after each chunk with the number of steps done and the last results; what
                is true ends the epoch.
            watched: The figure at which a chunk ends when it is NaN or infinite.

        Returns:
            How many steps were done, the epoch's row numbers, and the results of the last step.
            0 steps if the step does not run natively.
        """
        if not data.dense:
            return 0, data.rows()[1], None
        if parallel() and current_shard() is None:
            if not distribution().auto_shard_dataset:
                return 0, data.rows()[1], None  # sizes are compared at every step
            return self._run_own_rows(name, data, after, watched)
        return self._run_rows_of(name, data, *data.rows(), data.batch_size, after, watched)

    def _run_own_rows(
        self, name: str, data: Any, after: Any, watched: str | None
    ) -> tuple[int, Any, Any]:
        """`_run_rows` with this process's rows of each batch."""
        size = data.batch_size
        arrays, rows = data.rows()
        shard = shard_of(size)
        whole = rows[: len(rows) // size * size].reshape(-1, size)
        own = np.ascontiguousarray(whole[:, shard.start : shard.start + shard.rows])
        with sharded(shard):
            done, _, found = self._run_rows_of(
                name, data, arrays, own.reshape(-1), shard.rows, after, watched
            )
        return done, rows, found

    def _run_rows_of(
        self, name: str, data: Any, arrays: Any, rows: Any, size: int, after: Any,
        watched: str | None,
    ) -> tuple[int, Any, Any]:  # fmt: skip
        done, results, whole = 0, None, len(rows) // size
        if not self.jit_compile or not whole:
            return 0, rows, None
        example = data.batch(slice(0, size))
        self._build_for(name, example)
        self._synchronize(name)
        if self._after_front(example) is not example or holds_text(example):
            return 0, rows, None
        step, spread = self._compiled_step(name), self._spread_over(name)
        if spread is not None and size < spread.size:
            return 0, rows, None
        try:
            while done < whole:
                part = rows[done * size : whole * size]
                if spread is None:
                    count, found = step.run_rows(
                        (example,), arrays, part, size, _CHUNK_SECONDS, watched
                    )
                else:
                    count, found = _spread_rows(step, spread, example, arrays, part, size, watched)
                if not count:
                    break
                results, done = self._checked(found), done + count
                if after(done, results):
                    break
        except core.TraceError:
            pass  # Running the step by itself says so.
        except AttributeError as error:
            raise _in_our_style(error) from error
        return done, rows, results

    def _compiled_step(self, name: str, alone: bool = False) -> Any:
        key = f"{name} alone" if alone else name
        step = self._steps.get(key)
        if step is None:
            _check_signature(getattr(self, name))
            step = core.compile_step(_method(self, name, alone), name=name, key=self._key)
            self._steps[key] = step
        return step

    def _run_alone(self, name: str, data: Any, make: Callable[[], Any]) -> Any:
        """One step by itself, with metrics from their start.

        Args:
            name: Of the step.
            data: The batch as the user gave it.
            make: Gives the batch as tensors.
        """
        alone = name != "predict_step"
        step = self._steps.get(f"{name} alone" if alone else name)
        together = alone and (parallel() or replicas() is not None)
        if step is not None and not self._eager and not together:
            found = step.call_known(data)
            if found is not None:
                return found
            found = step.call_known(tree.map_structure(_narrow, data))
            if found is not None:
                return found
        return self._run_step(name, make(), alone)

    def _run_eagerly(self, name: str, data: Any, alone: bool) -> Any:
        if alone:
            self.reset_metrics()
        step = getattr(self, name)
        _check_signature(step)
        try:
            found = step(data)
        except AttributeError as error:
            raise _in_our_style(error) from error
        flush_metrics()
        return _of_all_rows(self, name, found)

    def explain(self, step: str = "train", stage: str = "traced") -> str:
        """A compiled step as text.

        Args:
            step: "train", "test" or "predict".
            stage: "traced", "optimized", "fused", "memory" or "kernels".

        Raises:
            ValueError: The step never ran compiled.
        """
        found = self._steps.get(f"{step}_step") or self._steps.get(f"{step}_step alone")
        if found is None:
            raise ValueError(f"No {step} step was compiled yet: run it once.")
        return found.explain(stage)

    def _build_for(self, name: str, data: Any) -> None:
        """Build model, metrics and optimizer by abstract evaluation, before a step is traced."""
        own = getattr(type(self), name) is not getattr(Steps, name)
        if own and name not in self._prepared:
            self._prepared.add(name)
            if not all(layer.built for layer in self._flatten_layers()):
                # Only the step itself knows how its data reaches the layers.
                _check_signature(getattr(self, name))
                try:
                    with sharded(current_shard()):
                        core.eval_spec(getattr(self, name), data)
                except core.TraceError:
                    pass  # Running the step says so.
                except AttributeError as error:
                    raise _in_our_style(error) from error
        elif not own:
            self._build_default(data, name != "predict_step")
        train = name == "train_step" and self.optimizer is not None
        if train and not self.optimizer.built and not own:
            self.optimizer.build(self.trainable_variables)

    def _build_default(self, data: Any, needs_loss: bool) -> None:
        parts = [self._compile_loss, self._compile_metrics] if needs_loss else []
        missing = [part for part in parts if part is not None and not part.built]
        if self.built and not missing:
            return

        def build(x: Any, y: Any) -> None:
            y_pred = self._forward(x, False)
            if y is None:
                return
            for part in missing:
                if not part.built:
                    part.build(y, y_pred)
            if core.is_abstract() and self._compile_metrics in missing:
                # Some make their state in the first update: a step that resets it must know it.
                self._compile_metrics.update_state(y, y_pred)

        x, y, _ = unpack_x_y_sample_weight(data)
        try:
            with sharded(current_shard()):  # updates of this run are none of the step's
                core.eval_spec(build, x, y)
        except core.TraceError:
            build(x, y)

    def _checked(self, logs: Any) -> dict[str, Any]:
        """What a step returned.

        Raises:
            ValueError: It is no dictionary.
        """
        if isinstance(logs, dict):
            return logs
        if isinstance(logs, tuple) and len(logs) == 2:
            raise ValueError(_STYLE.format(style="Keras on JAX (it returns logs and state)"))
        raise ValueError(
            f"train_step must return a dictionary of log names to values, got {type(logs)}."
        )


def _method(model: Any, name: str, alone: bool) -> Callable[[Any], Any]:
    """A method that does not keep its model alive: the model holds the compiled step."""
    held = weakref.ref(model)

    def step(data: Any) -> Any:
        model = held()
        if alone:
            model.reset_metrics()
        found = getattr(model, name)(data)
        flush_metrics()
        return _of_all_rows(model, name, found)

    return step


def _of_all_rows(model: Any, name: str, found: Any) -> Any:
    """What a step of the user's own returns, as `whole_results` has it."""
    own = getattr(type(model), name) is not getattr(Steps, name)
    return whole_results(found) if own and name != "predict_step" else found


def _spread_rows(
    step: Any, spread: Any, example: Any, arrays: Any, rows: Any, size: int, watched: Any
) -> tuple[int, Any]:
    """A chunk of steps of which each GPU takes its rows."""
    shards = shards_of(size, spread.size)
    rows = rows.reshape(-1, size)
    found: tuple[int, Any] = step.spread_rows(
        spread, [s.cut(example) for s in shards], arrays,
        [np.ascontiguousarray(rows[:, s.start : s.start + s.rows]) for s in shards],
        lambda i: sharded(shards[i]), _CHUNK_SECONDS, watched,
    )  # fmt: skip
    return found


def _narrow(x: Any) -> Any:
    """A float64 array as `floatx`, which data sets are cast to."""
    return x.astype(floatx()) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x


def _check_signature(step: Any) -> None:
    parameters = inspect.signature(step).parameters.values()
    required = [
        p for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]  # fmt: skip
    if len(required) > 1:
        raise ValueError(_STYLE.format(style="Keras on JAX (its arguments are state and data)"))


def _in_our_style(error: AttributeError) -> Exception:
    if error.name in _OF_TORCH:
        return ValueError(_STYLE.format(style=f"PyTorch (it calls `{error.name}()`)"))
    return error


def batch_size_of(x: Any) -> int:
    """The first axis of the first array."""
    for leaf in core.tree.flatten(x):
        if hasattr(leaf, "shape") and len(leaf.shape):
            return int(leaf.shape[0])
    return 1
