"""What the table of layers is made of: cases, each a way to make a layer and what it is called on.

A case is written once and made with both packages. Its NumPy arrays are the inputs; they become
traced values, symbolic tensors or masked tensors as a test needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TABLE: dict[str, list[Case]] = {}
SEEDED = "seed_generator_state"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A layer and its inputs.

    Args:
        name: Public name of the class.
        label: What tells it from the other cases of its name.
        make: `(package, **more)` to a new layer; `more` holds `dtype`, if anything.
        nested: Whether layers are made within, which take their policy from the global one.
        inputs: Positional arguments of the call: arrays, or structures of them.
        call: Its keyword arguments, arrays or not.
        tolerance: Relative and absolute, of outputs; ten times that of gradients.
        random: Whether results in training are drawn: then they are judged by statistics.
        fixed: Whether, once compiled by the judge, it draws the same for ever.
        symbolic: Whether it can be called on symbolic tensors.
        masks: Whether it is called on masked inputs.
        gradients: Whether there are any.
        half: Tolerance in half precision, of the largest output; None: dtypes only are compared.
        most_unknown: How many axes, from the first, may be of unknown size.
        differs: What differs from Keras on purpose, as "judgement: label", and why. It must differ.
    """

    name: str
    label: str
    make: Callable[..., Any]
    nested: bool = False
    inputs: tuple[Any, ...]
    call: dict[str, Any] = field(default_factory=dict)
    tolerance: float = 2e-5
    random: bool = False
    fixed: bool = False
    symbolic: bool = True
    masks: bool = True
    gradients: bool = True
    half: float | None = 2e-2
    most_unknown: int = 99
    differs: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.name}-{self.label}"

    def tensors(self) -> list[np.ndarray]:
        found: list[np.ndarray] = []
        replace((self.inputs, self.call), lambda x: found.append(x) or x)
        return found

    def arguments(self, tensors: Any = None) -> tuple[Any, dict[str, Any]]:
        """Arguments of the call, with these tensors in place of the arrays."""
        rest = iter(self.tensors() if tensors is None else tensors)
        return replace((self.inputs, self.call), lambda _: next(rest))

    def moving_values(self) -> list[np.ndarray]:
        """The floating arrays."""
        return [x for x in self.tensors() if x.dtype.kind == "f"]

    def arguments_moving(self, values: Any) -> tuple[Any, dict[str, Any]]:
        """Arguments of the call, with these values in place of the floating arrays."""
        rest = iter(values)
        return self.arguments([next(rest) if x.dtype.kind == "f" else x for x in self.tensors()])


def replace(structure: Any, leaf: Callable[[np.ndarray], Any]) -> Any:
    """The structure with each array replaced."""
    if isinstance(structure, np.ndarray):
        return leaf(structure)
    if isinstance(structure, dict):
        return {k: replace(v, leaf) for k, v in structure.items()}
    if type(structure) in (list, tuple):
        return type(structure)(replace(v, leaf) for v in structure)
    return structure


def numbers(*shape: int) -> np.ndarray:
    """The same each time, without symmetry."""
    return np.random.default_rng([5, *shape]).normal(size=shape).astype("float32")


def ids(*shape: int, limit: int) -> np.ndarray:
    return np.random.default_rng([6, *shape]).integers(0, limit, shape).astype("int32")


SERIES, ROWS = numbers(2, 5, 6), numbers(2, 4)
IMAGE, VOLUME = numbers(2, 6, 7, 4), numbers(2, 4, 5, 3, 2)
FIRST = {"data_format": "channels_first"}


def _text(value: Any) -> str:
    return getattr(value, "__name__", None) or str(value).replace(" ", "")


def _label(name: str, args: Any, kwargs: Any, call: Any) -> str:
    parts = [_text(a) for a in args]
    parts += [f"{k}={_text(v)}" for k, v in {**kwargs, **call}.items() if not _arrays(v)]
    label = ",".join(parts)[:60] or "default"
    taken = [c.label for c in TABLE.get(name, [])]
    return label if label not in taken else f"{label}#{len(taken)}"


def _arrays(value: Any) -> bool:
    found: list[Any] = []
    replace(value, found.append)
    return bool(found)


def layer(
    name: str, /, *args: Any, on: Any = SERIES, call: Any = None, how: Any = None, **kwargs: Any
) -> None:
    """A case of the class `name`, made with these arguments.

    `on`: its input, or a tuple of several; `call`: keyword arguments of the call; `how`: further
    attributes of the case.
    """

    def make(k: Any, **more: Any) -> Any:
        return getattr(k.layers, name)(*args, **kwargs, **more)

    _add(name, _label(name, args, kwargs, call or {}), make, on, call, how)


def built(
    name: str, label: str, make: Any, on: Any = SERIES, call: Any = None, how: Any = None
) -> None:
    """A case whose layer `make(package, **more)` makes, of layers of that package."""
    _add(name, label, make, on, call, {"nested": True, **(how or {})})


def _add(name: str, label: str, make: Any, on: Any, call: Any, how: Any) -> None:
    inputs = on if isinstance(on, tuple) else (on,)
    TABLE.setdefault(name, []).append(
        Case(name=name, label=label, make=make, inputs=inputs, call=call or {}, **(how or {}))
    )


def unmeant(case: Case, judgement: str, found: dict[str, str]) -> list[str]:
    """Differences that aren't meant, and meant ones that are no more."""
    keys = {label: [judgement, f"{judgement}: {label}"] for label in found}
    texts = [
        f"{label}: {text}"
        for label, text in found.items()
        if not any(k in case.differs for k in keys[label])
    ]
    seen = {k for pair in keys.values() for k in pair}
    mine = (k for k in case.differs if k.partition(":")[0] == judgement)
    return texts + [f"{k} differs no more" for k in mine if k not in seen]
