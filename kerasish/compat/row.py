"""The row of a call in the tables of arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Row", "one_of"]


@dataclass(frozen=True)
class Row:
    """What a call took in earlier releases.

    Attributes:
        first: Keywords of Keras 1: to today's keyword, to `(keyword, function of the value)`, or
            to None for what has no effect today.
        second: Those of Keras 2, likewise.
        order: By generation, the names of positional arguments then, in their order and in the
            spelling of then, separated by spaces; where it is today's there is none, and where
            Keras 1 has none that of Keras 2 holds for it. Or a function of these arguments, where
            their kinds tell whose order it is.
        change: For what is no renaming: gets the keyword arguments by today's names (and, in a
            generation with an order, the positional ones among them) and changes them in
            place. May return a function that gets the object made (or of a function its result).
        instead: Gets the arguments as they are; returns what does the whole call in another way,
            or None where it is to be done as ever.
    """

    first: Mapping[str, Any] = field(default_factory=dict)
    second: Mapping[str, Any] = field(default_factory=dict)
    order: Mapping[int, str | Callable[[tuple[Any, ...]], str]] = field(default_factory=dict)
    change: Callable[[dict[str, Any]], Callable[[Any], None] | None] | None = None
    instead: Callable[..., Callable[[], Any] | None] | None = None

    def joined(self, other: Row) -> Row:
        """This row with what another one adds for the same call."""
        changes = [change for change in (self.change, other.change) if change is not None]
        return Row(
            first={**self.first, **other.first}, second={**self.second, **other.second},
            order={**self.order, **other.order},
            change=_both(changes) if len(changes) == 2 else (changes or [None])[0],
            instead=self.instead or other.instead,
        )  # fmt: skip


def _both(changes: list[Any]) -> Any:
    def change(arguments: dict[str, Any]) -> Any:
        finishes = [f for f in [each(arguments) for each in changes] if f is not None]
        return (lambda made: [finish(made) for finish in finishes]) if finishes else None

    return change


def one_of(values: Mapping[Any, Any]) -> Callable[[Any], Any]:
    """A function that replaces these values and keeps others."""
    return lambda value: values.get(value, value) if isinstance(value, str) else value
