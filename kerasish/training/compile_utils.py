"""What `compile` was given, matched with a model's outputs: losses and metrics by output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kerasish_core as core

from .. import metrics as metrics_module
from .. import ops
from ..losses import Loss
from ..metrics.choice import loss_for, metric_for, object_name
from ..naming import name_scope
from .nested import aligned, flat_paths, is_deep, keys_in_order

__all__ = ["CompileLoss", "CompileMetrics", "tensors_of"]

tree = core.tree
_OURS = "kerasish.losses"


def tensors_of(outputs: Any) -> Any:
    """Outputs as tensors: what a distribution (`kerasish.distributions`) says stands for it."""
    if isinstance(outputs, dict):
        return type(outputs)((k, tensors_of(v)) for k, v in outputs.items())
    if isinstance(outputs, list | tuple):
        items = [tensors_of(v) for v in outputs]
        return type(outputs)(*items) if hasattr(outputs, "_fields") else type(outputs)(items)
    return outputs.as_tensor() if hasattr(outputs, "as_tensor") else outputs


def flat_outputs(y_pred: Any, names: list[str] | None) -> tuple[list[Any], list[str | None]]:
    """The outputs and their names: keys of a dictionary, else the names of the model's outputs."""
    if is_deep(y_pred):
        return flat_paths(y_pred, names)
    if isinstance(y_pred, dict):
        keys = keys_in_order(y_pred)
        return [y_pred[key] for key in keys], list(keys)
    if isinstance(y_pred, list | tuple):
        flat = list(y_pred)
        given = list(names) if names and len(names) == len(flat) else [None] * len(flat)
        return flat, given
    return [y_pred], [None]


def unwrapped(given: Any, y_pred: Any, names: list[str] | None) -> Any:
    """What a dictionary or a list of one holds for the model's only output."""
    if isinstance(y_pred, dict | list | tuple):
        return given
    if isinstance(given, list | tuple) and len(given) == 1:
        return given[0]
    named = isinstance(given, dict) and names is not None and list(given) == list(names)
    return given[names[0]] if named else given


def by_output(spec: Any, names: list[str | None], y_pred: Any, what: str) -> list[Any]:
    """One entry for each output from what compile was given: a list, a dictionary, or one for all.

    Raises:
        ValueError: A name that no output has, or a wrong number.
    """
    if is_deep(y_pred):
        try:
            return aligned(spec, y_pred)
        except ValueError as error:
            raise ValueError(f"compile({what}={spec}): {error}") from None
    if isinstance(spec, dict):
        unknown = set(spec) - {n for n in names if n is not None}
        if unknown:
            raise ValueError(
                f"In the dict argument `{what}`, key '{sorted(unknown)[0]}' does not correspond to "
                f"any model output. Received: {what}={spec}. Outputs: {names}."
            )
        return [spec.get(n) for n in names]
    if isinstance(spec, list | tuple):
        if len(spec) != len(names):
            raise ValueError(
                f"For a model with multiple outputs, when providing the `{what}` argument as a "
                f"list, it should have as many entries as the model has outputs. Received: "
                f"{what}={spec} of length {len(spec)}; expected {len(names)}."
            )
        return list(spec)
    return [spec] * len(names)


def targets_of(
    y_true: Any, y_pred: Any, names: list[str | None], wanted: list[bool] | None = None
) -> list[Any]:
    """The targets in the order of the outputs.

    Args:
        y_true: Those that the user gave.
        y_pred: The outputs.
        names: Of the outputs.
        wanted: Which outputs need targets. A list of just these will do too.

    Raises:
        ValueError: Their number differs.
    """
    if len(names) == 1 and not isinstance(y_pred, dict | list | tuple):
        return [y_true]
    if is_deep(y_pred):
        return aligned(y_true, y_pred)
    if isinstance(y_true, dict):
        if all(n in y_true for n in names):
            return [y_true[n] for n in names]
        if all(n is None for n in names) and len(y_true) == len(names):
            return list(y_true.values())
        return [y_true.get(n) for n in names]
    if isinstance(y_true, list | tuple):
        if wanted is not None and len(y_true) == sum(wanted) < len(names):
            given = iter(y_true)
            return [next(given) if each else None for each in wanted]
        if len(y_true) != len(names):
            raise ValueError(
                f"The model has {len(names)} outputs; y has {len(y_true)} parts. Give one each."
            )
        return list(y_true)
    if len(names) == 1:
        return [y_true]
    if wanted is not None and sum(wanted) == 1:
        return [y_true if each else None for each in wanted]
    raise ValueError(
        f"The model has {len(names)} outputs, but y is a single array. Pass a list or a "
        "dictionary with one for each output."
    )


class CompileLoss:
    """The losses of all outputs and their weighted sum.

    Attributes:
        metrics: Means of each output's loss, for models with several outputs; in the order of the
            dictionary of losses, if they were given as one, else in that of the outputs.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: Any = None) -> None:
        named = [w for w in tree.flatten(loss_weights) if isinstance(w, str)]
        if named:
            raise ValueError(
                f"`loss_weights` are numbers; received {named}. The third argument of compile() is "
                f"loss_weights: if these are metrics, write metrics={named}."
            )
        self._spec, self._weights, self.output_names = loss, loss_weights, output_names
        self.built = False
        self.metrics: list[Any] = []
        self._trackers: dict[int, Any] = {}
        self._losses: list[Any] = []
        self._factors: list[Any] = []

    @property
    def is_built_in(self) -> bool:
        """Whether all losses are known ones, given by name or as our objects."""
        given = [loss for loss in tree.flatten(self._spec) if loss is not None]
        return all(isinstance(x, str) or type(x).__module__.startswith(_OURS) for x in given)

    def build(self, y_true: Any, y_pred: Any) -> None:
        y_true = unwrapped(y_true, y_pred, self.output_names)
        flat, names = flat_outputs(y_pred, self.output_names)
        single = len(flat) == 1 and not isinstance(y_pred, dict | list | tuple)
        spec = self._spec
        if single and isinstance(spec, list | tuple) and len(spec) == 1:
            spec = spec[0]
        if single and isinstance(spec, dict):
            names = list(spec)
        chosen = (
            [spec]
            if single and not isinstance(spec, dict)
            else by_output(spec, names, y_pred, "loss")
        )
        factors = (
            [1.0] * len(flat)
            if self._weights is None
            else [self._weights]
            if isinstance(self._weights, int | float)
            else by_output(self._weights, names, y_pred, "loss_weights")
        )
        self._wanted = [each is not None for each in chosen]
        targets = targets_of(y_true, y_pred, names, self._wanted)
        self._losses = [
            None if c is None else loss_for(c, t, p)
            for c, t, p in zip(chosen, targets, flat, strict=True)
        ]
        self._factors = [1.0 if f is None else f for f in factors]
        self._names = names
        if sum(loss is not None for loss in self._losses) > 1:
            with name_scope("compile_loss"):
                for i, (name, loss) in enumerate(zip(names, self._losses, strict=True)):
                    if loss is not None:
                        label = name or object_name(loss) or f"output_{i}"
                        self._trackers[i] = metrics_module.Mean(name=f"{label}_loss")
            order = list(self._trackers)
            if isinstance(spec, dict) and isinstance(y_pred, dict) and not is_deep(y_pred):
                order = [names.index(key) for key in spec if names.index(key) in self._trackers]
            self.metrics += [self._trackers[i] for i in order]
        self.built = True

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if not self.built:
            self.build(y_true, y_pred)
        y_true = unwrapped(y_true, y_pred, self.output_names)
        sample_weight = unwrapped(sample_weight, y_pred, self.output_names)
        flat, _ = flat_outputs(y_pred, self.output_names)
        targets = targets_of(y_true, y_pred, self._names, self._wanted)
        weights = _weights(sample_weight, self._names, y_pred)
        total = None
        for i, (loss, factor, t, p, w) in enumerate(
            zip(self._losses, self._factors, targets, flat, weights, strict=True)
        ):
            if loss is None:
                continue
            if t is None:
                raise ValueError(self._without_target(i, y_true))
            value = loss(t, p, w) if isinstance(loss, Loss) else loss(t, p, sample_weight=w)
            value = (
                ops.cast(value, "float32") if ops.dtype(value) in ("float16", "bfloat16") else value
            )
            tracker = self._trackers.get(i)
            if tracker is not None:
                tracker.update_state(value, sample_weight=_batch_size(t))
            value = value if factor == 1.0 else value * factor
            total = value if total is None else total + value
        return total

    def _without_target(self, i: int, y_true: Any) -> str:
        name = self._names[i]
        which = f"output {name!r}" if name is not None else "the model's output"
        found = f"y has {sorted(y_true)}" if isinstance(y_true, dict) else "y is None there"
        return (
            f"The loss {object_name(self._losses[i])!r} of {which} needs targets, but {found}. "
            "Pass y to the same method (or let the data set give (x, y)); compile an output "
            "without targets with the loss None."
        )


def _batch_size(y: Any) -> int:
    leaves = [x for x in tree.flatten(y) if hasattr(x, "shape")]
    return int(leaves[0].shape[0]) if leaves and len(leaves[0].shape) else 1


def _weights(sample_weight: Any, names: list[str | None], y_pred: Any) -> list[Any]:
    if is_deep(y_pred):
        return aligned(sample_weight, y_pred)
    if isinstance(sample_weight, dict):
        return [sample_weight.get(n) for n in names]
    if isinstance(sample_weight, list | tuple):
        return list(sample_weight)
    return [sample_weight] * len(names)


class CompileMetrics:
    """The metrics of all outputs: plain ones, and ones weighted by `sample_weight`."""

    name = "compile_metrics"

    def __init__(self, metrics: Any, weighted: Any, output_names: Any = None) -> None:
        self._specs = (metrics, weighted)
        self.output_names = output_names
        self.built = False
        # (metric, index of its output, name of its output, weighted)
        self._entries: list[tuple[Any, int, str | None, bool]] = []

    @property
    def metrics(self) -> list[Any]:
        return [entry[0] for entry in self._entries]

    @property
    def variables(self) -> list[Any]:
        return [v for m in self.metrics for v in m.variables]

    def build(self, y_true: Any, y_pred: Any) -> None:
        if not any(self._specs):  # `weighted_metrics=[]`: targets of any form will do
            self.built = True
            return
        y_pred = tensors_of(y_pred)
        y_true = unwrapped(y_true, y_pred, self.output_names)
        flat, names = flat_outputs(y_pred, self.output_names)
        if is_deep(y_pred):  # metrics go by the outputs' own names
            known = self.output_names or []
            names = list(known) if len(known) == len(flat) else [None] * len(flat)
        targets = targets_of(y_true, y_pred, names, _first_ones(y_true, names))
        for spec, weighted in zip(self._specs, (False, True), strict=True):
            if spec is None:
                continue
            for i, each in enumerate(self._of_outputs(spec, names, y_pred)):
                if targets[i] is None and _is_single(y_true):
                    continue  # the one array is the first output's target
                for identifier in each:
                    metric = metric_for(identifier, targets[i], flat[i])
                    if metric is not None:
                        self._entries.append((metric, i, names[i], weighted))
        self._several = len(flat) > 1
        self._names = names
        self.built = True

    def _of_outputs(self, spec: Any, names: Any, y_pred: Any) -> list[list[Any]]:
        def listed(x: Any) -> list[Any]:
            return [] if x is None else list(x) if isinstance(x, list | tuple) else [x]

        count = len(names)
        if isinstance(spec, dict):
            if count == 1 and names == [None]:
                return [listed(next(iter(spec.values()), None))]
            return [listed(v) for v in by_output(spec, names, y_pred, "metrics")]
        if not isinstance(spec, list | tuple):
            return [listed(spec)] * count
        if count == 1:
            inner = list(spec)
            return [inner[0] if len(inner) == 1 and isinstance(inner[0], list | tuple) else inner]
        return [listed(v) for v in by_output(spec, names, y_pred, "metrics")]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not self.built:
            self.build(y_true, y_pred)
        if not self._entries:
            return
        y_pred = tensors_of(y_pred)
        y_true = unwrapped(y_true, y_pred, self.output_names)
        sample_weight = unwrapped(sample_weight, y_pred, self.output_names)
        flat, _ = flat_outputs(y_pred, self.output_names)
        targets = targets_of(y_true, y_pred, self._names, _first_ones(y_true, self._names))
        weights = _weights(sample_weight, self._names, y_pred)
        for metric, i, _name, weighted in self._entries:
            if targets[i] is None:
                continue
            w = weights[i] if weighted else None
            mask = getattr(flat[i], "mask", None)
            if mask is not None:
                w = _apply_mask(w, mask)
            metric.update_state(targets[i], flat[i], sample_weight=w)

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Log names and values; none before the first batch, when the names are unknown."""
        return dict(self._results())

    def _results(self) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for metric, _, name, weighted in self._entries:
            key = metric.name
            label = f"{name}_{key}" if self._several and name else key
            if label in seen:
                label = self._another(label, key, name, weighted, seen)
            seen[label] = seen.get(label, 0) + 1
            # A dictionary stays one: logs hold its entries by their own keys.
            yield label, metric.result()

    def _another(
        self, label: str, key: str, name: str | None, weighted: bool, seen: dict[str, int]
    ) -> str:
        """The log name of a figure whose own is taken."""
        if not weighted:
            return f"{label}_{seen[label]}"
        label = f"{name}_weighted_{key}" if self._several and name else f"weighted_{key}"
        return f"{label}_{seen[label]}" if label in seen else label


def _is_single(y_true: Any) -> bool:
    """Whether the targets are those of one output."""
    return y_true is not None and not isinstance(y_true, dict | list | tuple)


def _first_ones(y_true: Any, names: list[str | None]) -> list[bool]:
    """Targets in a shorter list are those of the first outputs, to metrics."""
    count = 1 if _is_single(y_true) else len(y_true) if isinstance(y_true, list | tuple) else 0
    return [i < count for i in range(len(names))]


def _apply_mask(weight: Any, mask: Any) -> Any:
    mask = ops.cast(mask, "float32")
    if weight is None:
        return mask
    weight = ops.cast(weight, "float32")
    while len(weight.shape) < len(mask.shape):
        weight = ops.expand_dims(weight, -1)
    while len(mask.shape) < len(weight.shape):
        mask = ops.expand_dims(mask, -1)
    return weight * mask
