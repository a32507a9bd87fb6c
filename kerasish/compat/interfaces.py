"""`keras.legacy.interfaces`: decorators by which Keras 2 took the arguments of Keras 1.

All calls take those here, so the decorators change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["generate_legacy_interface", "generate_legacy_method_interface"]


def _unchanged(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def generate_legacy_interface(*args: Any, **kwargs: Any) -> Callable[..., Any]:
    """A decorator that changes nothing."""
    return _unchanged


generate_legacy_method_interface = generate_legacy_interface


def __getattr__(name: str) -> Any:
    if name.startswith("legacy_") and name.endswith("_support"):
        return _unchanged
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
