"""For which Keras a program is written: 1, 2 or 3 (the present one)."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from .. import older

__all__ = ["Guess", "guess", "guess_with_reasons", "seen", "set_generation"]


def set_generation(number: int) -> None:
    """Read the program as one for this generation of Keras.

    Raises:
        ValueError: It is not 1, 2 or 3.
    """
    if number not in (1, 2, 3):
        raise ValueError(f"The generation of Keras is 1, 2 or 3. Received: {number!r}")
    older.state.generation = number


def seen(number: int) -> None:
    """A call of the program was of this generation: it is no later one."""
    older.state.generation = min(number, older.state.generation or older.MODERN)


@dataclass
class Guess:
    """What the text of a program says.

    Attributes:
        generation: 1, 2 or 3.
        reasons: Line and spelling of what it is guessed from.
    """

    generation: int = older.MODERN
    reasons: list[str] = field(default_factory=list)


def guess(source: bytes | str) -> int:
    """The generation that a program's text shows."""
    return guess_with_reasons(source).generation


def guess_with_reasons(source: bytes | str) -> Guess:
    """The generation of a program and what shows it."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return Guess()
    return Guess()
