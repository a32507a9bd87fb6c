"""The state of a layer: its variables and those of its sublayers."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from .. import constraints, initializers, older, regularizers
from ..variable import Variable
from .tracking import Tracker, bump_structure_version

__all__ = ["Stateful"]


def _unique(items: list[Any]) -> list[Any]:
    return list({id(x): x for x in items}.values())


@older.classes
class Stateful:
    """What a layer knows of its variables. `Layer` is the only heir."""

    _tracker: Tracker
    _trainable: bool
    name: str

    # -- what is held
    @property
    def _layers(self) -> list[Any]:
        return self._tracker.layers

    @property
    def _metrics(self) -> list[Any]:
        return self._tracker.metrics

    @property
    def _seed_generators(self) -> list[Any]:
        return self._tracker.seeds

    @property
    def _trainable_variables(self) -> list[Variable]:
        return self._tracker.trainable

    @property
    def _non_trainable_variables(self) -> list[Variable]:
        return self._tracker.non_trainable

    def _own_variables(self) -> list[Variable]:
        return self._tracker.trainable + self._tracker.non_trainable

    def _tracked(self, kind: type) -> list[Any]:
        """The parts of a kind held by the layer itself."""
        t = self._tracker
        held = (*t.trainable, *t.non_trainable, *t.layers, *t.metrics, *t.seeds)
        return [x for x in held if isinstance(x, kind)]

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """The layer and its sublayers, outer ones first."""
        if not recursive:
            return _unique(([self] if include_self else []) + list(self._layers))
        found: list[Any] = []
        seen: set[int] = set()
        todo: list[Any] = [self]
        while todo:
            layer = todo.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                found.append(layer)
                todo.extend(reversed(layer._layers))
        return found if include_self else found[1:]

    # -- lists of variables
    @property
    def variables(self) -> list[Variable]:
        """The weights and the states of seed generators, here and in sublayers."""
        found = self._own_variables() + [g.state for g in self._tracker.seeds]
        for layer in self._layers:
            found += layer.variables
        return _unique(found)

    @property
    def weights(self) -> list[Variable]:
        """Own trainable weights, own other weights, then those of each sublayer."""
        found = self._own_variables()
        for layer in self._layers:
            found += layer.weights
        return _unique(found)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes: none if `trainable` is False."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other weights."""
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes: none if `trainable` is False."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The other variables, seed states among them."""
        if not self.trainable:
            return self.variables
        return [v for v in self.variables if not v.trainable]

    @property
    def metrics(self) -> list[Any]:
        """The metrics held as attributes, here and in sublayers."""
        found = list(self._metrics)
        for layer in self._layers:
            found += layer.metrics
        return _unique(found)

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of `metrics`."""
        return [v for m in self.metrics for v in m.variables]

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; setting it sets that of all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: Any) -> None:
        value = bool(value)
        self._trainable = value
        for v in self._tracker.trainable:
            v.trainable = value
        for layer in self._layers:
            layer.trainable = value
        bump_structure_version()

    # -- values
    def get_weights(self) -> list[Any]:
        """The values of `weights` as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set the values of `weights`.

        Args:
            weights: An array for each of `weights`, in that order.

        Raises:
            ValueError: Their number or a shape differs; then nothing has changed.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of "
                f"length {len(weights)}, but the layer was expecting {len(own)} weights."
            )
        for v, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != v.shape:
                raise ValueError(
                    f"Layer {self.name} weight shape {v.shape} is not compatible with provided "
                    f"weight shape {tuple(np.shape(value))}."
                )
        for v, value in zip(own, weights, strict=True):
            v.assign(value)

    def count_params(self) -> int:
        """The number of elements of all weights.

        Raises:
            ValueError: The layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't "
                f"built. You can build it manually via: `layer.build(input_shape)`."
            )
        return int(sum(np.prod(v.shape, dtype=np.int64) for v in self.weights))

    # -- making weights
    def add_weight(
        self, *args: Any, shape: Any = None, initializer: Any = None, dtype: Any = None,
        trainable: bool = True, autocast: bool = True, regularizer: Any = None,
        constraint: Any = None, aggregation: str | None = "none",
        overwrite_with_gradient: bool = False, name: str | None = None,
    ) -> Variable:  # fmt: skip
        """Make a variable that belongs to the layer.

        Args:
            *args: `shape` and `initializer` may stand here; or, as in Keras 2, the name first.
            shape: Of the variable; () by default.
            initializer: "glorot_uniform" for floats, zeros for others by default.
            dtype: The layer's variable dtype by default.
            trainable: Whether training changes it.
            autocast: Whether it is cast to the compute dtype when read in `call`.
            regularizer, constraint: See their modules.
            aggregation: As in Keras.
            overwrite_with_gradient: Whether the optimizer writes the gradient into it.
            name: Of the variable.

        Raises:
            ValueError: The shape has an unknown size, or the layer is built already.
        """
        rest = list(args)
        if rest and isinstance(rest[0], str):  # Keras 2: add_weight(name, shape, ...)
            name = rest.pop(0)
        if rest and shape is None:
            shape = rest.pop(0)
        if rest and initializer is None:
            initializer = rest.pop(0)
        if rest:
            raise TypeError(f"add_weight() takes shape and initializer, got {args} besides them.")
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        if any(n is None for n in shape):
            raise ValueError(
                "Shapes used to initialize variables must be fully-defined (no `None` "
                f"dimensions). Received: shape={shape} for variable '{name}' of layer "
                f"{self.name!r}. Give the input a fixed size on that axis."
            )
        dtype = core.dtypes.name_of(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        with core.eager_scope(), self._scope():
            variable = Variable(
                initializers.get(initializer), shape, dtype, trainable, autocast, aggregation,
                name=name,
            )  # fmt: skip
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._track_variable(variable)
        return variable

    def add_variable(
        self, shape: Any, initializer: Any, dtype: Any = None, trainable: bool = True,
        autocast: bool = True, regularizer: Any = None, constraint: Any = None,
        name: str | None = None,
    ) -> Variable:  # fmt: skip
        """`add_weight` under its older name."""
        return self.add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=trainable,
            autocast=autocast, regularizer=regularizer, constraint=constraint, name=name,
        )  # fmt: skip

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Not there, as in Keras 3: hold metrics as attributes or pass them to `compile`."""
        raise NotImplementedError(
            "Layer `add_metric()` method is deprecated. Add your metric in "
            "`Model.compile(metrics=[...])`, or create metric trackers in `__init__()` or "
            "`build()` and update them in `call()`."
        )

    def _track_variable(self, variable: Variable) -> None:
        self._tracker.track(variable)
        if variable.trainable and not self._trainable:
            # It stays among those that `layer.trainable = True` wakes.
            variable.trainable = False

    def _untrack_variable(self, variable: Variable) -> None:
        self._tracker.untrack(variable)

    # -- files
    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own variables into a mapping of names to arrays."""
        for i, v in enumerate(self._own_variables()):
            store[f"{i}"] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read them back.

        Raises:
            ValueError: Their number or a shape differs; then nothing has changed.
        """
        self._load_into(self._own_variables(), store)

    def _load_into(self, own: list[Variable], store: Any) -> None:
        if len(store.keys()) != len(own):
            if not own and not self.built:
                raise ValueError(
                    f"Layer '{self.name}' was never built and thus it doesn't have any variables. "
                    f"However the weights file lists {len(store.keys())} variables for this "
                    "layer. Build the model (call it on data) before loading, or give a `build()` "
                    "that makes all state."
                )
            raise ValueError(
                f"Layer '{self.name}' expected {len(own)} variables, but received "
                f"{len(store.keys())} variables during loading. Expected: "
                f"{[v.name for v in own]}"
            )
        values = [store[f"{i}"] for i in range(len(own))]  # read once their shapes are checked
        for v, value in zip(own, values, strict=True):
            if tuple(value.shape) != v.shape:
                raise ValueError(
                    f"Layer '{self.name}': variable '{v.path}' has shape {v.shape}; the file has "
                    f"shape {tuple(value.shape)}. They must be equal."
                )
        for v, value in zip(own, values, strict=True):
            v.assign(np.asarray(value))
