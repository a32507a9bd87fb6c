"""A policy, and the one in force."""

from __future__ import annotations

import threading
from typing import Any

import kerasish_core as core

from ..naming import on_clear
from ..serialization import builtin
from ..settings import floatx

__all__ = ["DTypePolicy", "FloatDTypePolicy", "STATE", "dtype_policy", "parse"]


@builtin("keras")
class DTypePolicy:
    """A pair of dtypes: that of a layer's variables and that of its computation.

    Args:
        name: A dtype (`"float32"`), or `"mixed_float16"` or `"mixed_bfloat16"`: variables in
            float32, computation in the half type. None means the policy in force.

    Raises:
        TypeError: The name is no string.
        ValueError: It names no dtype.

    Source: https://keras.io/api/mixed_precision/policy/
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise TypeError(
                "'name' must be a string, such as 'mixed_float16'. "
                f"Received: name={name} (of type {type(name)})"
            )
        self._compute_dtype, self._variable_dtype = parse(name)
        self._name = name
        self._quantization_mode: str | None = None

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of inputs and results."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of variables."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """`"int8"` and the like, or None."""
        return self._quantization_mode

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """An input as a tensor, floating ones cast to `dtype` if `autocast` is set."""
        if isinstance(x, core.Variable):
            x = x.value
        if isinstance(x, core.Tensor):
            return core.ops.cast(x, dtype) if self._casts(x, autocast, dtype) else x
        if type(x).__name__ == "KerasTensor":
            return x.astype(dtype) if self._casts(x, autocast, dtype) else x
        if hasattr(x, "__array__"):
            x = core.convert(x)
            wanted = dtype if autocast else floatx()
            return core.ops.cast(x, wanted) if self._casts(x, True, wanted) else x
        return x

    def _casts(self, x: Any, autocast: bool, dtype: Any) -> bool:
        own = core.dtypes.as_dtype(x.dtype)
        return autocast and core.dtypes.is_float(own) and own != core.dtypes.as_dtype(dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The policy of a config."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), self._name))

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self._name}">'


FloatDTypePolicy = DTypePolicy


def parse(name: str) -> tuple[str, str]:
    """(compute dtype, variable dtype) of a policy's name."""
    if name in ("mixed_float16", "mixed_bfloat16"):
        return name[len("mixed_") :], "float32"
    if name == "string":
        return name, name
    if name in ("int", "float"):
        name = core.dtypes.name_of(name)
    if not core.dtypes.is_name(name):  # as files have it: none of NumPy's short forms
        raise ValueError(
            f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies include "
            "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as 'float32'."
        )
    return name, name


class _State(threading.local):
    policy: DTypePolicy | None = None


STATE = _State()


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none: that of `floatx()` unless set."""
    return DTypePolicy(floatx()) if STATE.policy is None else STATE.policy


def _forget() -> None:
    STATE.policy = None


on_clear.append(_forget)
