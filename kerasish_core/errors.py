"""Errors of the core. Each says what happened, what was expected and how to mend it."""

from __future__ import annotations

__all__ = ["DTypeError", "DeviceError", "GradientError", "ShapeError", "TraceError", "VerifyError"]


class ShapeError(ValueError):
    """Shapes that do not fit the operation."""


class DTypeError(TypeError, ValueError):
    """Data types that do not fit the operation, or that have no common type."""


class DeviceError(RuntimeError):
    """A device that is missing, or operands that live on different devices."""


class GradientError(LookupError, RuntimeError):
    """A gradient that is not defined, or was asked for of something not recorded."""


class TraceError(TypeError):
    """Something a traced function may not do, such as branching on a traced value.

    Args:
        message: What happened and how to mend it.
        location: The user's line, as ``file:line``, or an empty string.
    """

    def __init__(self, message: str, location: str = "") -> None:
        super().__init__(f"{message}\n  at {location}" if location else message)
        self.location = location


class VerifyError(RuntimeError):
    """A graph that breaks an invariant of the IR: a defect in a pass, not in user code."""
