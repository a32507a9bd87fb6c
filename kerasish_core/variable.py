"""Variables: the only state. Reads and writes pass through the dispatch state's store."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from .dispatch import STATE, eager_scope, scope
from .errors import ShapeError
from .op import Spec
from .tensor import OPERATORS, Resident, Tensor, convert, install_operators

__all__ = ["StatelessScope", "Variable"]


class Writers:
    """Programs that write to variables in place. The native executor sets the attributes.

    Attributes:
        active: Not empty while such a program runs.
        read: Gives a variable's tensor when none runs.
        assign: Gives a variable a tensor when none runs.
    """

    active: Any = ()
    read: Any = None
    assign: Any = None


class Variable:
    """A tensor that can be assigned to.

    Reads are seen by gradient tapes, and by traces as inputs; assignments are outputs of a trace.
    What a read handed out never changes: an assignment gives the variable a new buffer.

    Args:
        value: The first value, anything `convert` takes.
        trainable: Whether tapes watch it and optimizers train it by default.
        name: Its name.
        dtype: Its dtype; by default that of the value.
    """

    __array_priority__ = 101

    def __init__(
        self, value: Any, *, trainable: bool = True, name: str = "variable", dtype: Any = None
    ) -> None:
        with eager_scope():
            self._tensor = Tensor(convert(value, dtype).value)
        self.trainable = trainable
        self.name = name

    # -- what it is
    @property
    def path(self) -> str:
        return self.name

    @property
    def shape(self) -> tuple[int, ...]:
        return self._tensor.shape

    @property
    def dtype(self) -> str:
        return self._tensor.dtype.name

    @property
    def spec(self) -> Spec:
        return self._tensor.spec

    @property
    def ndim(self) -> int:
        return len(self._tensor.shape)

    @property
    def size(self) -> int:
        return self._tensor.size

    # -- reading
    def read(self) -> Tensor:
        """The current value as a tensor, seen by tapes and traces."""
        state = STATE
        tensor = self._settled() if state.store is None else state.store.read(self)
        for tape in state.tapes:
            tape.record_read(self, tensor)
        return tensor

    def _settled(self) -> Tensor:
        """The tensor, whatever runs in other threads; tapes and traces do not see it."""
        # Taken first: a program that starts afterwards finds it leased, and leaves it alone.
        tensor = self._tensor
        if type(tensor) is Resident:
            return tensor.settled()
        return Writers.read(self) if Writers.active else tensor

    @property
    def value(self) -> Tensor:
        return self.read()

    def __kerasish_tensor__(self) -> Tensor:
        return self.value

    def numpy(self) -> Any:
        """A writable NumPy copy of the current value."""
        return self.value.__array__()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.value.__array__(dtype)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __index__(self) -> int:
        return self.value.__index__()

    def __format__(self, format_spec: str) -> str:
        return format(self.value, format_spec) if format_spec else str(self)

    def __len__(self) -> int:
        return len(self._tensor)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.value)

    def item(self) -> Any:
        return self.value.item()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [x.value if isinstance(x, Variable) else x for x in inputs]
        return self._tensor.__array_ufunc__(ufunc, method, *plain, **options)

    # -- writing
    def assign(self, value: Any) -> Variable:
        """Replace the value. It is cast to the variable's dtype; the shape must be equal.

        Raises:
            ShapeError: The shape differs.
        """
        tensor = convert(value)
        if tensor.shape != self.shape:
            raise ShapeError(
                f"Variable {self.path!r} has shape {self.shape}; the value assigned has shape "
                f"{tensor.shape}. They must be equal: reshape or broadcast the value."
            )
        if tensor.dtype != self._tensor.dtype:
            tensor = tensor.astype(self._tensor.dtype)
        store = STATE.store
        if store is not None:
            store.assign(self, tensor)
        else:
            self.replace(tensor)
        return self

    def replace(self, tensor: Tensor) -> None:
        """Take the tensor's array as the new value, outside tapes and traces."""
        # A tensor of its own, so that an assignment cuts the chain of gradients.
        fresh = Tensor(tensor.value)
        if Writers.active:
            Writers.assign(self, fresh)
        else:
            self._tensor = fresh

    def assign_add(self, value: Any) -> Variable:
        """Add to the value."""
        return self.assign(OPERATORS["add"](self.value, value))

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the value."""
        return self.assign(OPERATORS["subtract"](self.value, value))

    def __getitem__(self, key: Any) -> Any:
        part = OPERATORS["getitem"](self.value, key)
        part._origin = self, key
        return part

    def assign_part(self, key: Any, value: Any) -> Variable:
        """Replace `v[key]`; the value broadcasts to the part's shape."""
        return self.assign(OPERATORS["setitem"](self.value, key, value))

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError("A Variable is written by v[1:3].assign(values), not by v[1:3] = values.")

    # -- the rest
    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self._settled()), separator=", ", threshold=100)
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={shown}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        twin = copy.copy(self)
        memo[id(self)] = twin
        for key, value in vars(self).items():
            shared = value if key == "_tensor" else copy.deepcopy(value, memo)
            object.__setattr__(twin, key, shared)
        object.__setattr__(twin, "_tensor", Tensor(self._settled().value))
        return twin

    @property
    def T(self) -> Tensor:
        return self.value.T

    def reshape(self, *shape: Any) -> Tensor:
        return self.value.reshape(*shape)

    def astype(self, dtype: Any) -> Tensor:
        return self.value.astype(dtype)


install_operators(Variable)


class StatelessScope:
    """Inside the block, variables read and write values kept here; they themselves stay.

    Args:
        values: Pairs of a variable and the value that it has inside.
    """

    def __init__(self, values: Any = ()) -> None:
        self._values: dict[int, tuple[Variable, Tensor]] = {}
        for variable, value in values:
            tensor = convert(value, variable.dtype)
            if tensor.shape != variable.shape:
                raise ShapeError(
                    f"Variable {variable.path!r} has shape {variable.shape}; the value given for "
                    f"it has shape {tensor.shape}."
                )
            self._values[id(variable)] = variable, tensor

    def read(self, variable: Variable) -> Tensor:
        entry = self._values.get(id(variable))
        if entry is not None:
            return entry[1]
        if self._outer is not None:
            return self._outer.read(variable)
        return variable._settled()

    def assign(self, variable: Variable, value: Tensor) -> None:
        self._values[id(variable)] = variable, value

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """The value that the variable has in this scope, or None if it has none of its own."""
        entry = self._values.get(id(variable))
        return None if entry is None else entry[1]

    def __enter__(self) -> StatelessScope:
        state = STATE
        self._outer = state.store
        self._block = contextlib.ExitStack()
        self._block.enter_context(scope(state.trace, state.tapes, self))
        return self

    def __exit__(self, *error: object) -> None:
        self._block.close()
