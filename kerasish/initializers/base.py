"""The base of all initializers."""

from __future__ import annotations

from typing import Any

from ..serialization import builtin

__all__ = ["Initializer"]


@builtin("keras.initializers")
class Initializer:
    """A function of a shape and a dtype to first values, with a config.

    Subclasses define `__call__(self, shape, dtype=None)` and, if they have arguments,
    `get_config()`.

    Source: https://keras.io/api/layers/initializers/
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Values of this shape and dtype (`floatx()` if None)."""
        raise NotImplementedError(
            f"{type(self).__name__} must define __call__(self, shape, dtype=None)."
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The initializer of a config."""
        return cls(**config)

    def clone(self) -> Any:
        """Another one of the same config."""
        return type(self).from_config(self.get_config())
