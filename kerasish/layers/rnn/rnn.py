"""Run a cell over the time axis."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import older, ops, regularizers
from ...naming import to_snake_case
from ...serialization import builtin, serialize_keras_object
from ...variable import Variable
from ..base import Layer
from ..input_spec import InputSpec
from ..tracking import no_tracking
from .cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells, arguments_of, initial_state_of

__all__ = ["GRU", "LSTM", "RNN", "SimpleRNN"]


@builtin("keras.layers")
class RNN(Layer):
    """Runs a cell over `(batch, time, ...)`.

    Args:
        cell: A cell, or a list of cells to stack.
        return_sequences: Whether to return all outputs or the last.
        return_state: Whether to return the last states too.
        go_backwards: Whether to run from the last step to the first.
        stateful: Whether a batch starts from the states that the last one left.
        unroll: Whether to repeat the operations instead of looping.
        zero_output_for_mask: Whether masked steps give zeros instead of the output before.
    """

    def __init__(
        self, cell: Any, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        zero_output_for_mask: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
            raise ValueError(
                "Argument `cell` should have a `call` method and a `state_size`. Received: "
                f"cell={cell}"
            )
        super().__init__(**kwargs)
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.cell = cell
        self.supports_masking = True
        self.input_spec = None
        self.states: Any = None  # the variables of a stateful layer

    @property
    def state_size(self) -> Any:
        return self.cell.state_size

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        step = (sequences_shape[0], *sequences_shape[2:])
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell._run_build({"sequence_shape": step})
        if self.stateful and self.states is None:
            if sequences_shape[0] is None:
                raise ValueError(
                    "When using `stateful=True` in a RNN, the batch size must be static. Found "
                    f"dynamic batch size: sequence.shape={sequences_shape}"
                )
            states = self.get_initial_state(sequences_shape[0])
            with no_tracking():  # as in Keras they are none of the weights
                self.states = core.tree.map_structure(
                    lambda s: Variable(s, trainable=False, name="rnn_state"), states
                )
        self.built = True

    def get_initial_state(self, batch_size: Any) -> Any:
        """The states before the first step."""
        found = initial_state_of(self.cell, batch_size, self.compute_dtype)
        return found if isinstance(found, list | tuple) else [found]

    def _sizes(self) -> list[Any]:
        """Of each state."""
        sizes = self.state_size
        return list(sizes) if isinstance(sizes, list | tuple) else [sizes]

    def reset_states(self) -> None:
        """Set the states of a stateful layer to zero."""
        self.reset_state()

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zero."""
        for v in core.tree.flatten(self.states) if self.states is not None else ():
            v.assign(ops.zeros_like(v))

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None,
             training: Any = False) -> Any:  # fmt: skip
        states = initial_state
        if isinstance(mask, list):
            mask = mask[0]
        if states is None:
            states = (
                core.tree.map_structure(lambda v: v.value, self.states)
                if self.stateful
                else self.get_initial_state(sequences.shape[0])
            )
        states = list(states) if isinstance(states, list | tuple) else [states]
        wanted = self.cell.state_size
        wanted = len(wanted) if isinstance(wanted, list | tuple) else 1
        if initial_state is not None and len(states) < wanted:
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}) has {wanted} states, but "
                f"`initial_state` has {len(states)}."
            )
        # A cell may have a policy of its own: the states are of its type, the results of ours.
        dtype = getattr(self.cell, "compute_dtype", sequences.dtype)
        states = core.tree.map_structure(
            lambda s: ops.cast(ops.convert_to_tensor(s), dtype), states
        )
        if hasattr(self.cell, "prepare_dropout"):
            self.cell.prepare_dropout(sequences[:, 0], training)
        last, outputs, states = core.tree.map_structure(
            lambda y: ops.cast(y, self.compute_dtype),
            tuple(self.inner_loop(sequences, states, mask, training)),
        )
        if hasattr(self.cell, "prepare_dropout"):
            self.cell.prepare_dropout(None, False)  # the masks were of this call
        if self.stateful:
            for v, s in zip(core.tree.flatten(self.states), core.tree.flatten(states), strict=True):
                v.assign(s)
        y = outputs if self.return_sequences else last
        if self.return_state:
            flat = states
            return (
                (y, *core.tree.flatten(flat))
                if not any(isinstance(s, list | tuple) for s in flat)
                else (y, *flat)
            )
        return y

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: Any = False
    ) -> Any:
        """Run the cell over all steps.

        Args:
            sequences: `(batch, time, ...)`.
            initial_state: List of states (or one).
            mask: `(batch, time)`, or None.
            training: Of the cell.

        Returns:
            The last output, all outputs, and the last states.
        """
        states = initial_state if isinstance(initial_state, list | tuple) else [initial_state]
        whole = getattr(self.cell, "runs_whole", None)
        if whole is not None and whole(self.dtype_policy):
            outputs, last, states = self._run(sequences, list(states), mask)
        else:
            outputs, last, states = self._loop(sequences, list(states), mask, training)
        return last, outputs, states

    def _run(self, x: Any, states: Any, mask: Any) -> Any:
        """All steps in one operation, for a cell that can."""
        mask = None if mask is None else ops.cast(mask, "bool")
        outputs, states = self.cell.run(x, states, mask, self.go_backwards)
        last = _output_state(states)
        if mask is not None and self.zero_output_for_mask:
            outputs = ops.where(ops.expand_dims(mask, -1), outputs, ops.zeros_like(outputs))
            last = outputs[:, 0 if self.go_backwards else -1]
        return (ops.flip(outputs, 1) if self.go_backwards else outputs), last, states

    def _loop(self, x: Any, states: Any, mask: Any, training: Any) -> Any:
        """The cell step by step."""
        accepts = "training" in getattr(self.cell, "_signature", _NO_SIGNATURE).names
        extra = {"training": training} if accepts else {}

        def cell(state: Any, step: Any) -> Any:
            y, after = self.cell(step, state, **extra)
            return core.tree.pack_sequence_as(state, core.tree.flatten(after)), y

        def masked(state: Any, row: Any) -> Any:
            step, keep = row
            after, y = cell(state, step)
            after = core.tree.map_structure(lambda a, b: _select(keep, a, b), after, state)
            before = ops.zeros_like(y) if self.zero_output_for_mask else _output_state(state)
            return after, _select(keep, y, before)

        rows = ops.moveaxis(x, 1, 0)
        if mask is None:
            states, outputs = core.scan(cell, states, rows, reverse=self.go_backwards)
        else:
            keep = ops.expand_dims(ops.transpose(ops.cast(mask, "bool")), -1)
            states, outputs = core.scan(masked, states, (rows, keep), reverse=self.go_backwards)
        outputs = ops.moveaxis(outputs, 0, 1)
        if self.go_backwards:
            # Outputs in the order in which they came.
            outputs = ops.flip(outputs, 1)
        return outputs, outputs[:, -1], states

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shape of the outputs, and of the last states if they are returned."""
        sizes = self._sizes()
        if not all(isinstance(n, int) for n in core.tree.flatten(sizes)):
            return super().compute_output_shape(sequences_shape)
        batch, steps = sequences_shape[:2]
        width = getattr(self.cell, "output_size", None) or core.tree.flatten(sizes)[0]
        shape = (batch, steps, width) if self.return_sequences else (batch, width)
        if not self.return_state:
            return shape
        return (shape, *core.tree.map_structure(lambda n: (batch, n), sizes))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        found = mask if self.return_sequences else None
        if self.return_state:
            return [found, *(None for _ in self._sizes())]
        return found

    def get_config(self) -> dict[str, Any]:
        return {**self._options(), "cell": serialize_keras_object(self.cell)}

    def _options(self) -> dict[str, Any]:
        return {
            **Layer.get_config(self),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
        }


class _NoSignature:
    names: tuple[str, ...] = ()


_NO_SIGNATURE = _NoSignature()


def _output_state(states: Any) -> Any:
    """The state that Keras takes for the output: the first, of stacked cells the last cell's."""
    return core.tree.flatten(states[-1] if isinstance(states[0], list | tuple) else states[0])[0]


def _select(keep: Any, a: Any, b: Any) -> Any:
    shape = tuple(keep.shape[:1]) + (1,) * (len(a.shape) - 1)
    return ops.where(ops.reshape(keep, shape), a, b)


def _of_cell(name: str) -> property:
    """An attribute that the layer's cell has."""
    return property(lambda layer: getattr(layer.cell, name))


class _OfCell(RNN):
    """An RNN whose cell is made of the layer's own arguments."""

    cell_class: Any = None

    def __init__(
        self, units: int, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        use_cudnn: Any = "auto", activity_regularizer: Any = None, trainable: bool = True,
        name: Any = None, dtype: Any = None, zero_output_for_mask: bool = False,
        time_major: bool = False, implementation: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        shapes = {
            k: kwargs.pop(k)
            for k in ("input_shape", "batch_input_shape", "input_dim", "batch_size")
            if k in kwargs
        }
        kwargs.pop("input_length", None)
        cell = self.cell_class(
            units, trainable=trainable, dtype=dtype,
            name=to_snake_case(self.cell_class.__name__), **kwargs,
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            zero_output_for_mask, activity_regularizer=activity_regularizer, trainable=trainable,
            name=name, dtype=dtype, **shapes,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)

    (units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
     kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
     recurrent_constraint, bias_constraint, dropout, recurrent_dropout) = (
        _of_cell(name) for name in (
            "units", "activation", "use_bias", "kernel_initializer", "recurrent_initializer",
            "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
            "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout",
            "recurrent_dropout",
        )
    )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if (
            cell is not None
            and not name.startswith("_")
            and (name in cell.__dict__ or hasattr(type(cell), name))
        ):
            return getattr(cell, name)
        return older.attribute(self, name)

    def get_config(self) -> dict[str, Any]:
        own = self.cell.get_config()
        for key in ("name", "trainable", "dtype"):
            own.pop(key)
        own["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return {**self._options(), **own}


@builtin("keras.layers")
class SimpleRNN(_OfCell):
    """`SimpleRNNCell` over time; arguments of the cell, then those of `RNN`."""

    cell_class = SimpleRNNCell

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0,
        return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**arguments_of(locals()))

    def get_config(self) -> dict[str, Any]:
        # Keras writes the seed of LSTM and GRU, but not this one.
        return {k: v for k, v in super().get_config().items() if k != "seed"}


@builtin("keras.layers")
class LSTM(_OfCell):
    """`LSTMCell` over time; arguments of the cell, then those of `RNN`."""

    cell_class = LSTMCell

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0,
        seed: Any = None, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        use_cudnn: Any = "auto", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**arguments_of(locals()))

    recurrent_activation, unit_forget_bias = (
        _of_cell(name) for name in ("recurrent_activation", "unit_forget_bias")
    )


@builtin("keras.layers")
class GRU(_OfCell):
    """`GRUCell` over time; arguments of the cell, then those of `RNN`."""

    cell_class = GRUCell

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0,
        seed: Any = None, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        reset_after: bool = True, use_cudnn: Any = "auto", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**arguments_of(locals()))

    recurrent_activation, reset_after = (
        _of_cell(name) for name in ("recurrent_activation", "reset_after")
    )
