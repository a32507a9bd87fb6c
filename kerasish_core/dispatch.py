"""Where every operation passes: run it, or record it in a trace, and tell the tapes.

One thread-local state holds the active trace (None: eager) and the active tapes. A trace hides
the tapes outside it. Everything that changes the state restores it in a `finally`.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .errors import DTypeError, ShapeError
from .op import Op, Spec, describe

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["STATE", "Store", "Tape", "Trace", "apply", "differentiate", "eager_scope", "scope"]


class Tape(Protocol):
    """Told of everything that happens while it is active."""

    def record(self, op: Op, inputs: Any, outputs: Any, attrs: dict[str, Any]) -> None: ...

    def record_read(self, variable: Any, tensor: Tensor) -> None: ...


class Store(Protocol):
    """Stands between variables and their users: a trace, or a stateless scope."""

    def read(self, variable: Any) -> Tensor: ...

    def assign(self, variable: Any, value: Tensor) -> None: ...


class Trace(Store, Protocol):
    """Records operations instead of running them."""

    abstract: bool
    parent: Any

    def emit(self, op: Op, inputs: Any, attrs: dict[str, Any]) -> Any: ...


class State(threading.local):
    """The interpreter state of one thread."""

    trace: Trace | None = None
    store: Store | None = None
    tapes: tuple[Tape, ...] = ()
    strict: bool = False


STATE = State()

# Runs one op on arrays; an executor registers itself here (see executors/reference/eager.py).
run_eager: Callable[[Op, Any, dict[str, Any]], Any]


def register_eager(runner: Callable[[Op, Any, dict[str, Any]], Any]) -> None:
    """Make `runner(op, tensors, attrs)` the one that runs eager ops."""
    global run_eager
    run_eager = runner


# The vjp of a composed function; the room `autodiff` registers itself here. Gradient rules of
# primitives whose second order is cumbersome use it with a composed twin.
_differentiate: Callable[..., tuple[Any, ...]]


def register_differentiate(function: Callable[..., tuple[Any, ...]]) -> None:
    """Make `function(fn, inputs, cotangents)` the one behind `differentiate`."""
    global _differentiate
    _differentiate = function


def differentiate(
    fn: Callable[..., Any], inputs: tuple[Tensor, ...], cotangents: Any
) -> tuple[Any, ...]:
    """The vector-Jacobian product of `fn` at `inputs`: one cotangent (or None) per input."""
    return _differentiate(fn, inputs, cotangents)


def apply(op: Op, *inputs: Tensor, **attrs: Any) -> Any:
    """Run or record one op. Inputs are Tensors already; attributes are static Python values.

    Returns:
        A Tensor, or a tuple of Tensors if the op has several outputs.
    """
    state = STATE
    trace = state.trace
    if trace is None or (inputs and all(map(_is_size, inputs)) and _gives_sizes(op, inputs, attrs)):
        outputs = run_eager(op, inputs, attrs)
    else:
        outputs = trace.emit(op, inputs, attrs)
    if state.tapes:
        recorded = outputs if op.multiple else (outputs,)
        for tape in state.tapes:
            tape.record(op, inputs, recorded, attrs)
    return outputs


# As many whole numbers as shapes have.
_FEW = 16


def _is_size(x: Any) -> bool:
    return x.known and x.dtype.kind in "iu" and x.size <= _FEW


def _gives_sizes(op: Op, inputs: Any, attrs: dict[str, Any]) -> bool:
    """Whether a trace computes it at once, so that sizes stay numbers, of which shapes can be."""
    if op.kind == "control":
        return False  # a loop may be a long one
    found = op.infer(*(x.spec for x in inputs), **attrs)
    return all(
        spec.dtype.kind in "iub" and math.prod(spec.shape) <= _FEW
        for spec in (found if op.multiple else (found,))
    )


def explain_failure(op: Op, inputs: Any, attrs: dict[str, Any], error: Exception) -> Exception:
    """The error to raise for a kernel that failed: the rule's own message where it has one."""
    specs = [Spec(t.shape, t.dtype) for t in inputs]
    try:
        op.infer(*specs, **attrs)
    except (ShapeError, DTypeError) as explained:
        return explained
    kind: type[Exception] = DTypeError
    if isinstance(error, ValueError | IndexError):
        of_values = isinstance(error, np.linalg.LinAlgError)
        kind = np.linalg.LinAlgError if of_values else ShapeError
    shown = ", ".join(f"{k}={v!r}" for k, v in attrs.items())
    return kind(f"{op.name}: {describe(op, specs)}{'; ' + shown if shown else ''}: {error}")


@contextlib.contextmanager
def scope(
    trace: Trace | None, tapes: tuple[Tape, ...] = (), store: Store | None = None
) -> Iterator[None]:
    """Replace the state inside the block. A trace is also the store of variables."""
    state = STATE
    before = state.trace, state.store, state.tapes
    state.trace, state.store, state.tapes = trace, trace if store is None else store, tapes
    try:
        yield
    finally:
        state.trace, state.store, state.tapes = before


def eager_scope() -> contextlib.AbstractContextManager[None]:
    """Run at once inside the block, whatever is being traced or taped outside."""
    return scope(None)


def is_abstract() -> bool:
    """Whether operations are being recorded for the specs of their results only."""
    return STATE.trace is not None and STATE.trace.abstract


def is_tracing() -> bool:
    """Whether operations are being recorded instead of run."""
    return STATE.trace is not None


def active_tape() -> Any:
    """The innermost tape in whose block this is, or None."""
    return STATE.tapes[-1] if STATE.tapes else None


def is_recording() -> bool:
    """Whether a trace, a tape or a store of variables sees what runs."""
    state = STATE
    return state.trace is not None or state.store is not None or bool(state.tapes)


@contextlib.contextmanager
def strict_dtypes() -> Iterator[None]:
    """Inside the block, operands of different dtypes are an error instead of being promoted.

    Python numbers still adapt. TensorFlow's programs rely on it.
    """
    state = STATE
    before, state.strict = state.strict, True
    try:
        yield
    finally:
        state.strict = before
