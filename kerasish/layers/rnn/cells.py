"""Recurrent cells: one step of SimpleRNN, GRU and LSTM."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import activations, constraints, initializers, ops, random, regularizers
from ...serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..base import Layer

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"]


def initial_state_of(cell: Any, batch_size: Any, dtype: Any) -> Any:
    """What a cell starts from: its own `get_initial_state`, or zeros of its `state_size`."""
    make = getattr(cell, "get_initial_state", None)
    if make is not None:
        return make(batch_size=batch_size)
    return _zeros(cell.state_size, batch_size, dtype)


def _zeros(sizes: Any, batch_size: Any, dtype: Any) -> list[Any]:
    sizes = sizes if isinstance(sizes, list | tuple) else [sizes]
    shapes = [tuple(n) if isinstance(n, list | tuple) else (n,) for n in sizes]
    return [ops.zeros((batch_size, *shape), dtype) for shape in shapes]


def _output_size(cell: Any) -> Any:
    """Of a cell that does not say: that of its first state."""
    size = getattr(cell, "output_size", None) or cell.state_size
    return size[0] if isinstance(size, list | tuple) else size


class _Cell(Layer):
    """Weights, dropout and config that the cells share; `gates` times the units wide."""

    gates = 1

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0,
        seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if units <= 0:
            raise ValueError(
                "Received an invalid value for argument `units`, expected a positive integer, got "
                f"{units}."
            )
        super().__init__(**kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self._masks: Any = (None, None)
        self.state_size: Any = units
        self.output_size = units

    def build(self, input_shape: Any) -> None:
        width = self.gates * self.units
        self.kernel = self.add_weight(
            (input_shape[-1], width), self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                self._bias_shape(), self._bias_init(), regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self.built = True

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _bias_init(self) -> Any:
        return self.bias_initializer

    def prepare_dropout(self, x: Any, training: Any) -> None:
        """Draw the masks that all steps of a sequence share; `x` is one step's input."""
        if not training:
            self._masks = (None, None)
            return
        shapes = (tuple(x.shape), (x.shape[0], self.units))
        self._masks = tuple(
            random.dropout(ops.ones(shape, x.dtype), rate, seed=self.seed_generator)
            if rate
            else None
            for shape, rate in zip(shapes, (self.dropout, self.recurrent_dropout), strict=True)
        )

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The mask of the inputs, None without dropout."""
        return self._mask(0, step_input)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The mask of the state, None without dropout."""
        return self._mask(1, step_input)

    def _mask(self, place: int, like: Any) -> Any:
        if self._masks[place] is None:
            rate = (self.dropout, self.recurrent_dropout)[place]
            if not rate:
                return None
            made = random.dropout(ops.ones_like(like), rate, seed=self.seed_generator)
            self._masks = (made, self._masks[1]) if place == 0 else (self._masks[0], made)
        return self._masks[place]

    def reset_dropout_mask(self) -> None:
        """Forget the mask of the inputs: a new one is drawn when it is asked for."""
        self._masks = (None, self._masks[1])

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the mask of the state."""
        self._masks = (self._masks[0], None)

    def _dropped(self, x: Any, h: Any, training: Any) -> Any:
        if not training:
            return x, h
        # Drawn here only if the cell is called by itself.
        of_input, of_state = self.get_dropout_mask(x), self.get_recurrent_dropout_mask(h)
        return (
            x if of_input is None else x * of_input,
            h if of_state is None else h * of_state,
        )

    def runs_whole(self, policy: Any) -> bool:
        """Whether `run` does what calling the cell step by step does, in a layer of that policy."""
        return (
            type(self) in _WHOLE
            and None not in self._names().values()
            and self._masks[1] is None
            and self.activity_regularizer is None
            and self.dtype_policy.name == policy.name
        )

    def _names(self) -> dict[str, Any]:
        """The core's names of the activations, None for one that it lacks."""
        return {"activation": _name_of(self.activation)}

    def run(self, x: Any, states: Any, mask: Any, reverse: bool) -> Any:
        """All steps of `(batch, time, features)`: the states `(batch, time, units)`, the last ones.

        The inputs of all steps are projected in one product.
        """
        if self._masks[0] is not None:
            x = x * ops.expand_dims(self._masks[0], 1)
        z = ops.matmul(x, self.kernel)
        bias = self._input_bias()
        z = z if bias is None else z + bias
        found = self._recur(z, states, mask=mask, reverse=reverse, **self._names())
        return found[0], list(found[1:])

    def _input_bias(self) -> Any:
        return self.bias

    def _recur(self, z: Any, states: Any, **how: Any) -> Any:
        """The recurrence over projected inputs."""
        raise NotImplementedError

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros for a batch."""
        return _zeros(self.state_size, batch_size, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": constraints.serialize(self.recurrent_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


def arguments_of(names: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an `__init__(self, ..., **kwargs)` from its `locals()`."""
    given = {k: v for k, v in names.items() if k not in ("self", "kwargs", "__class__")}
    return {**given, **names["kwargs"]}


def _name_of(activation: Any) -> Any:
    for name in ("tanh", "sigmoid", "hard_sigmoid", "relu", "linear"):
        if activation is getattr(activations, name):
            return name
    return None


@builtin("keras.layers")
class SimpleRNNCell(_Cell):
    """`h' = activation(x W + h U + b)`."""

    def _recur(self, z: Any, states: Any, **how: Any) -> Any:
        return core.ops.simple_rnn(z, self.recurrent_kernel, states[0], **how)

    def call(self, sequence: Any, states: Any, training: Any = False) -> Any:
        state = states[0] if isinstance(states, list | tuple) else states
        x, h = self._dropped(sequence, state, training)
        y = ops.matmul(x, self.kernel) + ops.matmul(h, self.recurrent_kernel)
        if self.bias is not None:
            y = y + self.bias
        y = self.activation(y)
        return y, [y] if isinstance(states, list | tuple) else y


class _GatedCell(_Cell):
    def __init__(self, recurrent_activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)

    def _names(self) -> dict[str, Any]:
        return {**super()._names(), "recurrent_activation": _name_of(self.recurrent_activation)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
        }


@builtin("keras.layers")
class LSTMCell(_GatedCell):
    """Long short-term memory: gates in the order input, forget, candidate, output.

    `c' = f c + i tanh(...)`, `h' = o tanh(c')`.

    Source: S. Hochreiter and J. Schmidhuber, Neural Computation 9 (1997).
    """

    gates = 4

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        given = arguments_of(locals())
        del given["unit_forget_bias"]
        super().__init__(**given)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def _bias_init(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer

        def start(shape: Any, dtype: Any = None) -> Any:
            n = self.units
            return ops.concatenate(
                [self.bias_initializer((n,), dtype=dtype), ops.ones((n,), dtype),
                 self.bias_initializer((2 * n,), dtype=dtype)]
            )  # fmt: skip

        return start

    def _recur(self, z: Any, states: Any, **how: Any) -> Any:
        return core.ops.lstm(z, self.recurrent_kernel, *states, **how)

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        h, c = states
        x, h = self._dropped(inputs, h, training)
        z = ops.matmul(x, self.kernel) + ops.matmul(h, self.recurrent_kernel)
        if self.bias is not None:
            z = z + self.bias
        i, f, candidate, o = ops.split(z, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(candidate)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


@builtin("keras.layers")
class GRUCell(_GatedCell):
    """Gated recurrent unit: gates in the order update, reset, candidate.

    `h' = z h + (1 - z) candidate`; with `reset_after` the reset gate acts after the product.

    Source: K. Cho et al., EMNLP 2014.
    """

    gates = 3

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, reset_after: bool = True, seed: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        given = arguments_of(locals())
        del given["reset_after"]
        super().__init__(**given)
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def runs_whole(self, policy: Any) -> bool:
        return self.reset_after and super().runs_whole(policy)

    def _input_bias(self) -> Any:
        return None if self.bias is None else self.bias[0]

    def _recur(self, z: Any, states: Any, **how: Any) -> Any:
        bias = ops.zeros((3 * self.units,), z.dtype) if self.bias is None else self.bias[1]
        return core.ops.gru(z, self.recurrent_kernel, bias, states[0], **how)

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        state = states[0] if isinstance(states, list | tuple) else states
        x, h = self._dropped(inputs, state, training)
        n = self.units
        for_input = for_state = None
        if self.bias is not None:
            for_input = self.bias[0] if self.reset_after else self.bias
            for_state = self.bias[1] if self.reset_after else None
        a = ops.matmul(x, self.kernel)
        a = a if for_input is None else a + for_input
        gate = self.recurrent_activation
        if self.reset_after:
            b = ops.matmul(h, self.recurrent_kernel)
            b = b if for_state is None else b + for_state
            z = gate(a[:, :n] + b[:, :n])
            r = gate(a[:, n : 2 * n] + b[:, n : 2 * n])
            candidate = self.activation(a[:, 2 * n :] + r * b[:, 2 * n :])
        else:
            u = self.recurrent_kernel
            z = gate(a[:, :n] + ops.matmul(h, u[:, :n]))
            r = gate(a[:, n : 2 * n] + ops.matmul(h, u[:, n : 2 * n]))
            candidate = self.activation(a[:, 2 * n :] + ops.matmul(r * h, u[:, 2 * n :]))
        y = z * state + (1 - z) * candidate
        return y, [y] if isinstance(states, list | tuple) else y

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reset_after": self.reset_after}


_WHOLE = (SimpleRNNCell, LSTMCell, GRUCell)  # not what a subclass may have changed


@builtin("keras.layers")
class StackedRNNCells(Layer):
    """Cells one upon the other, as one cell."""

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        cells = [deserialize_keras_object(c) if isinstance(c, dict) else c for c in cells]
        for cell in cells:
            if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
                raise ValueError(
                    f"All cells must have a `call` method and a `state_size`. Received: {cell}"
                )
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        return [c.state_size for c in self.cells]

    @property
    def output_size(self) -> Any:
        return _output_size(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        return [initial_state_of(c, batch_size, self.compute_dtype) for c in self.cells]

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if not cell.built:
                cell._run_build({"sequence_shape": tuple(input_shape)})
            input_shape = (input_shape[0], _output_size(cell))
        self.built = True

    def runs_whole(self, policy: Any) -> bool:
        """Whether each of the cells can run over all steps before the next one does."""
        return type(self) is StackedRNNCells and len(self.cells) > 1 and all(
            isinstance(c, _Cell) and c.runs_whole(policy) for c in self.cells
        )  # fmt: skip

    def run(self, x: Any, states: Any, mask: Any, reverse: bool) -> Any:
        """All steps of the first cell, of the second one over its outputs, and so on."""
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            given = list(state) if isinstance(state, list | tuple) else [state]
            x, found = cell.run(x, given, mask, reverse)
            after.append(core.tree.pack_sequence_as(state, found))
        return x, after

    def prepare_dropout(self, x: Any, training: Any) -> None:
        for i, cell in enumerate(self.cells):
            if i and training:
                x = ops.zeros((x.shape[0], _output_size(self.cells[i - 1])), x.dtype)
            if hasattr(cell, "prepare_dropout"):
                cell.prepare_dropout(x, training)

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            inputs, state = cell(inputs, state)
            after.append(state)
        # As Keras: of a single cell its own states.
        return inputs, after if len(after) > 1 else after[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cells": [serialize_keras_object(c) for c in self.cells]}
