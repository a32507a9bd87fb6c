"""What the parity table is made of: an entry per public name, holding calls of it.

A call is written once and run on the published Keras and on kerasish. Its NumPy arrays are its
tensors: they become traced values, symbolic tensors or model inputs as a test needs them. What
must stay as it is (axes, sizes, an index that decides a shape) is a Python value or a `Fixed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TABLE: dict[str, Entry] = {}


@dataclass(frozen=True)
class Fixed:
    """An array that stays an array."""

    value: np.ndarray


@dataclass(frozen=True)
class Case:
    """A call.

    Args:
        label: What tells it from the other calls of its entry.
        function: `(package, *args, **kwargs)` to the result.
        args, kwargs: Its arguments; arrays among them are the tensors.
        values: Whether values are compared, or shapes and dtypes only.
    """

    label: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    values: bool = True

    def tensors(self) -> list[np.ndarray]:
        found: list[np.ndarray] = []
        _replace((self.args, self.kwargs), lambda x: found.append(x) or x)
        return found

    def run(self, package: Any, tensors: Any = None) -> Any:
        """Call it with the tensors given in place of its arrays."""
        rest = iter(self.tensors() if tensors is None else tensors)
        args, kwargs = _replace((self.args, self.kwargs), lambda _: next(rest))
        return self.function(package, *args, **kwargs)


def _replace(structure: Any, leaf: Callable[[np.ndarray], Any]) -> Any:
    if isinstance(structure, np.ndarray):
        return leaf(structure)
    if isinstance(structure, Fixed):
        return structure.value
    if isinstance(structure, dict):
        return {k: _replace(v, leaf) for k, v in structure.items()}
    if type(structure) in (list, tuple):
        return type(structure)(_replace(v, leaf) for v in structure)
    return structure


@dataclass
class Entry:
    """The calls of a public name and how their results are compared.

    Args:
        name: As in `ops.add`.
        cases: The calls.
        tolerance: Relative and absolute, for float32; other types have at least their own.
        canonical: From a result to what of it is compared (signs of columns left out, ...).
        symbolic: Whether calls are made on symbolic tensors.
        batches: How many operands, from the first, may have a first axis of unknown size.
        trace: Whether it can be compiled; if not, compiling must raise.
        batch: Whether the judge may compile all its calls at once.
        gradient: The label of the call whose gradient is compared; None: of the first call with
            floating operands and results; "": there is no gradient.
        wider: Why ours answers calls that Keras (on JAX) refuses; "" if it doesn't.
        differs: Calls, as `label` or `label:aspect`, that differ from Keras on purpose, and why.
            Such a call must differ.
    """

    name: str
    cases: list[Case] = field(default_factory=list)
    tolerance: float = 3e-5
    canonical: Callable[[Any, Any], Any] | None = None
    symbolic: bool = True
    batches: int = 99
    trace: bool = True
    batch: bool = True
    gradient: str | None = None
    wider: str = ""
    differs: dict[str, str] = field(default_factory=dict)


def lookup(package: Any, path: str) -> Any:
    """`package.ops.add` for "ops.add"."""
    for part in path.split("."):
        package = getattr(package, part)
    return package


def _caller(path: str) -> Callable[..., Any]:
    return lambda package, *args, **kwargs: lookup(package, path)(*args, **kwargs)


def entry(name: str) -> Entry:
    return TABLE.setdefault(name, Entry(name))


def expand(names: str) -> list[str]:
    """ "ops: add relu" to the full names."""
    room, _, rest = names.partition(":")
    return [f"{room}.{name}" for name in rest.split()]


def _text(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"{x.dtype.name}{list(x.shape)}".replace(" ", "")
    if isinstance(x, list | tuple):
        return "[" + ",".join(_text(v) for v in x) + "]"
    if isinstance(x, Fixed):
        return _text(x.value)
    return getattr(x, "__name__", None) or repr(x)


def _label(args: Any, kwargs: Any) -> str:
    parts = [_text(x) for x in args] + [f"{k}={_text(v)}" for k, v in kwargs.items()]
    return ",".join(parts)


def _append(name: str, label: str, function: Any, args: Any, kwargs: Any, values: bool) -> None:
    made = entry(name)
    taken = sum(c.label == label or c.label.startswith(f"{label}#") for c in made.cases)
    label = f"{label}#{taken}" if taken else label
    made.cases.append(Case(label, function, args, kwargs, values))


def call(names: str, *args: Any, **kwargs: Any) -> None:
    """A call of each of the names ("ops: add multiply") with these arguments."""
    for name in expand(names):
        _append(name, _label(args, kwargs), _caller(name), args, kwargs, True)


def spec(names: str, *args: Any, **kwargs: Any) -> None:
    """As `call`, comparing only shape and dtype: no kernel is compiled."""
    for name in expand(names):
        _append(name, _label(args, kwargs), _caller(name), args, kwargs, False)


def use(name: str, label: str, function: Callable[..., Any], *tensors: Any) -> None:
    """A use that one call doesn't make: `function(package, *tensors)`."""
    _append(name, label, function, tensors, {}, True)


def mark(names: str, **options: Any) -> None:
    """How the results of these names are compared: the attributes of `Entry`."""
    for name in expand(names):
        for key, value in options.items():
            setattr(entry(name), key, value)
