"""Strengths of augmentations and ranges of pixel values, as their arguments may be given."""

from __future__ import annotations

from typing import Any

from .... import ops

__all__ = ["between", "one_of", "pair", "signed", "to_range", "value_range_of"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _refuse(name: str, value: Any, low: float, high: float) -> None:
    raise ValueError(
        f"The `{name}` argument should be a number (or a list of two numbers) in the range "
        f"[{low}, {high}]. Received: {name}={value}"
    )


def between(value: Any, bounds: tuple[float, float], name: str = "factor") -> tuple[Any, Any]:
    """The bounds to draw from: of two numbers those, of one -value (at least the lower bound)
    and value.

    Raises:
        ValueError: Neither, or a number outside of the bounds.
    """
    low, high = bounds
    if isinstance(value, list | tuple):
        if len(value) != 2 or value[0] > high or value[1] < low:
            _refuse(name, value, low, high)
        first, last = sorted(value)
        return first, last
    if not _is_number(value) or not low <= value <= high:
        _refuse(name, value, low, high)
    return max(-abs(value), low), abs(value)


def pair(
    value: Any, bounds: tuple[float, float], name: str, lowest: Any = None, open_below: bool = False
) -> tuple[Any, Any]:
    """The bounds to draw from: of two numbers those, of one `lowest` (-value if None) and value;
    each number must be within `bounds`.

    Raises:
        ValueError: Neither, or a number outside of the bounds.
    """
    low, high = bounds
    numbers = value if isinstance(value, list | tuple) else (value,)
    fine = len(numbers) <= 2 and len(numbers) == (2 if numbers is value else 1)
    for number in numbers:
        fine = fine and _is_number(number) and low <= number <= high
        fine = fine and not (open_below and number == low)
    if not fine:
        _refuse(name, value, low, high)
    if numbers is value:
        first, last = sorted(numbers)
        return first, last
    return (-abs(value) if lowest is None else lowest), abs(value)


def signed(value: Any) -> Any:
    """One number again, if the pair is that number and its opposite."""
    if isinstance(value, list | tuple) and len(value) == 2 and value[0] == -value[1]:
        return abs(value[1])
    return value


def value_range_of(value: Any) -> list[Any]:
    """Least and greatest pixel value.

    Raises:
        ValueError: Not two numbers.
    """
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(
            "The `value_range` argument should be a list of two numbers. "
            f"Received: value_range={value}"
        )
    return sorted(value)


def one_of(value: Any, choices: tuple[str, ...], name: str) -> Any:
    """The value, if it is one of these.

    Raises:
        NotImplementedError: It is not.
    """
    if value not in choices:
        raise NotImplementedError(f"Unknown `{name}` {value}. Expected of one {choices}.")
    return value


def to_range(images: Any, source: Any, target: Any, dtype: Any) -> Any:
    """Pixel values from one range of numbers to another."""
    images = ops.cast(images, dtype)
    if tuple(source) == tuple(target):
        return images
    images = (images - source[0]) / (source[1] - source[0])
    return images * (target[1] - target[0]) + target[0]
