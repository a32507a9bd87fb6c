"""Blocks in which variables keep their values, or nothing has values."""

from __future__ import annotations

import threading
from typing import Any

import kerasish_core as core

__all__ = ["StatelessScope", "SymbolicScope", "current_stateless_scope", "in_symbolic_scope"]


class _Open(threading.local):
    stateless: StatelessScope | None = None
    symbolic: SymbolicScope | None = None


_open = _Open()


class StatelessScope(core.StatelessScope):
    """Inside the block, variables read and write values kept here; they themselves stay.

    Args:
        state_mapping: Pairs of a variable and the value that it has inside.
        collect_losses: Whether `losses` gets what layers add in the block. Otherwise those losses
            are lost.
        initialize_variables: Accepted as in Keras; a variable made in the block has its first
            value at once in either case.

    Attributes:
        losses: What was added, in order.

    Raises:
        ValueError: A key is no variable, or a value has another shape than its variable.

    Source: https://keras.io/api/

    >>> import kerasish
    >>> v = kerasish.Variable(1.0)
    >>> with kerasish.StatelessScope([(v, 2.0)]) as scope:
    ...     _ = v.assign(v + 1)
    >>> float(v), float(scope.get_current_value(v))
    (1.0, 3.0)
    """

    def __init__(
        self, state_mapping: Any = None, collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:  # fmt: skip
        pairs = list(state_mapping or ())
        for variable, _ in pairs:
            if not isinstance(variable, core.Variable):
                raise ValueError(
                    "Invalid reference variable in StatelessScope: all keys in argument `mapping` "
                    f"must be Variable instances. Received instead: {variable}"
                )
        try:
            super().__init__(pairs)
        except core.ShapeError as error:
            raise ValueError(
                "Invalid variable value in StatelessScope: all values in argument `mapping` must "
                "be tensors with a shape that matches the corresponding variable shape. "
                f"{error}"
            ) from None
        self.collect_losses, self.initialize_variables = collect_losses, initialize_variables
        self.losses: list[Any] = []
        self._owners: dict[int, Any] = {}

    def add_loss(self, loss: Any, owner: Any = None) -> None:
        """Append to `losses`.

        Args:
            loss: A tensor.
            owner: The layer that added it.
        """
        self.losses.append(loss)
        self._owners[id(loss)] = owner

    def losses_of(self, owner: Any) -> list[Any]:
        """Those that a layer added."""
        return [x for x in self.losses if self._owners.get(id(x)) is owner]

    def clear_losses(self, owner: Any) -> None:
        """Forget those that a layer added."""
        self.losses[:] = [x for x in self.losses if self._owners.get(id(x)) is not owner]

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Set the value that a variable has in the block: `(variable, value)`."""
        variable, value = update
        self.assign(variable, core.convert(value))

    def __enter__(self) -> StatelessScope:
        self._before = _open.stateless
        super().__enter__()
        _open.stateless = self
        return self

    def __exit__(self, *error: object) -> None:
        _open.stateless = self._before
        super().__exit__(*error)


class SymbolicScope:
    """Says that what runs in the block is run for shapes only.

    Layers whose `call` asks `in_symbolic_scope()` can leave out what needs values.
    """

    def __enter__(self) -> SymbolicScope:
        self._before, _open.symbolic = _open.symbolic, self
        return self

    def __exit__(self, *error: object) -> None:
        _open.symbolic = self._before


def current_stateless_scope() -> StatelessScope | None:
    """The innermost open `StatelessScope`, or None."""
    return _open.stateless


def in_symbolic_scope() -> bool:
    """Whether shapes alone are being computed: in a `SymbolicScope`, or by abstract evaluation."""
    return _open.symbolic is not None or core.is_abstract()
