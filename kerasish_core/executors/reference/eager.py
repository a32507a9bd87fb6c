"""Run one op at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import device
from ...dispatch import explain_failure, register_eager
from ...op import Op
from ...tensor import Tensor
from .gpu import run_kernel
from .quiet import QUIET, is_quiet

__all__ = ["run"]

# Runs an op that has a native kernel, `(op, arrays, attrs)` to arrays, or answers None. The room
# `native` sets it.
accelerate: Callable[[Op, Any, dict[str, Any]], Any] | None = None

_ndarray = np.ndarray
_modules = sys.modules


def run(op: Op, inputs: Any, attrs: dict[str, Any]) -> Any:
    """Run the generic kernel on the tensors' arrays.

    Raises:
        ShapeError, DTypeError: The operands do not fit; the op's own rule says why.
        DeviceError: They live on different devices.
    """
    try:
        values = (inputs[0]._value,) if len(inputs) == 1 else [t._value for t in inputs]
    except AttributeError:  # a tensor of a trace: its property says so
        values = [t.value for t in inputs]
    if "cupy" in _modules and device.array_module(*values) is not np:
        return _run_on_gpu(op, inputs, values, attrs)
    native = op.native
    if native and accelerate is not None and (native is True or native(attrs)):
        arrays = accelerate(op, values, attrs)
        if arrays is not None:
            return tuple(map(Tensor, arrays)) if op.multiple else Tensor(arrays[0])
    try:
        if is_quiet():
            result = op.kernel(np, *values, **attrs)
        elif attrs:
            result = QUIET.run(op.kernel, np, *values, **attrs)
        else:
            result = QUIET.run(op.kernel, np, *values)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise explain_failure(op, inputs, attrs, error) from error
    if op.multiple:
        return tuple([_tensor(r) for r in result])
    if type(result) is _ndarray:
        return Tensor(result)
    return _tensor(result)


def _tensor(value: Any) -> Tensor:
    return Tensor(value if isinstance(value, _ndarray) else np.asarray(value))


def _run_on_gpu(op: Op, inputs: Any, values: Any, attrs: dict[str, Any]) -> Any:
    try:
        result = run_kernel(op, values, attrs)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise explain_failure(op, inputs, attrs, error) from error
    return tuple(map(Tensor, result)) if op.multiple else Tensor(result)


register_eager(run)
