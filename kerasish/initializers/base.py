"""The base of all initializers."""

from __future__ import annotations

from typing import Any

from ..serialization import builtin

__all__ = ["Initializer"]


@builtin("keras.initializers")
class Initializer:
    """A function `(shape, dtype=None)` with a config. Subclasses define `__call__`."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype).")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def clone(self) -> Any:
        return type(self).from_config(self.get_config())
