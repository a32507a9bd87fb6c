"""What networks written for `keras_applications` took their parts from."""

from __future__ import annotations

from typing import Any

from ..lookup import module_of

__all__ = ["get_submodules_from_kwargs"]


def get_submodules_from_kwargs(kwargs: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """The modules `backend`, `layers`, `models` and `utils`: those given, or ours.

    Raises:
        TypeError: Another keyword is among them.
    """
    names = ("backend", "layers", "models", "utils")
    unknown = sorted(set(kwargs) - set(names))
    if unknown:
        raise TypeError(f"Invalid keyword argument: {', '.join(unknown)}.")
    return tuple(kwargs.get(name) or module_of(name) for name in names)  # type: ignore[return-value]
