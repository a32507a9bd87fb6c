"""Run the calls of an entry on both packages and say where they differ.

Every function here returns `{label: what differs}`; nothing differs if it is empty.
"""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

import kerasish
import kerasish_core as core

from .entries import Case, Entry

# The judge has no 64-bit types.
NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
LEAST_TOLERANCE = {"float16": 6e-3, "bfloat16": 5e-2}


@dataclass
class Raised:
    error: Exception

    def __str__(self) -> str:
        text = str(self.error).strip().split("\n")[0][:150]
        return f"{type(self.error).__name__}({text})"

    def by_the_judges_kernels(self) -> bool:
        """Whether JAX or NumPy refused, not Keras."""
        step = self.error.__traceback__
        last = ""
        while step is not None:
            last = step.tb_frame.f_code.co_filename
            step = step.tb_next
        return "keras/src" not in last


def attempt(function: Any) -> Any:
    try:
        return function()
    except Exception as error:  # every refusal is an outcome
        return Raised(error)


# -- what a result is made of


def leaves(x: Any) -> list[Any]:
    if isinstance(x, dict):
        return [leaf for k in sorted(x) for leaf in leaves(x[k])]
    if isinstance(x, list | tuple):
        return [leaf for part in x for leaf in leaves(part)]
    return [x]


def dtype_name(x: Any) -> str:
    if not hasattr(x, "dtype"):
        return type(x).__name__
    name = core.dtypes.name_of(x.dtype)
    return NARROW.get(name, name)


def spec_of(x: Any) -> list[Any]:
    if isinstance(x, Raised):
        return ["raised"]
    return [
        (dtype_name(y), tuple(y.shape)) if hasattr(y, "shape") else (type(y).__name__, y)
        for y in leaves(x)
    ]


def structure_of(x: Any) -> Any:
    if isinstance(x, dict):
        return {k: structure_of(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [structure_of(v) for v in x]
    return "."


def difference(found: Any, wanted: Any, tolerance: float, values: bool = True) -> str:
    """What is different about two results, each of which may be `Raised`."""
    if isinstance(found, Raised) or isinstance(wanted, Raised):
        if isinstance(found, Raised) != isinstance(wanted, Raised):
            return f"ours {_brief(found)}, Keras {_brief(wanted)}"
        return ""
    if spec_of(found) != spec_of(wanted):
        return f"ours {spec_of(found)}, Keras {spec_of(wanted)}"
    if structure_of(found) != structure_of(wanted):
        return f"ours {structure_of(found)}, Keras {structure_of(wanted)}"
    if values:
        for one, other in zip(leaves(found), leaves(wanted), strict=True):
            text = _unequal(one, other, tolerance)
            if text:
                return text
    return ""


def _brief(x: Any) -> str:
    return str(x) if isinstance(x, Raised) else str(spec_of(x))


def _unequal(one: Any, other: Any, tolerance: float) -> str:
    if not hasattr(one, "shape"):
        return "" if one == other else f"ours {one}, Keras {other}"
    name = dtype_name(one)
    tolerance = max(tolerance, LEAST_TOLERANCE.get(name, 0))
    a, b = np.asarray(one), np.asarray(other)
    exact = a.dtype.kind in "biu"
    wide = "complex128" if a.dtype.kind == "c" else "int64" if exact else "float64"
    a, b = a.astype(wide), b.astype(wide)
    with np.errstate(all="ignore"):
        close = (a == b) if exact else np.isclose(a, b, tolerance, tolerance, equal_nan=True)
    if close.all():
        return ""
    return f"{name} ours {a[~close].ravel()[:4]}, Keras {b[~close].ravel()[:4]}"


# -- the judge


def their_outcomes(entry: Entry) -> list[Any]:
    """Keras's result of each call. All that only shapes and dtypes are compared of is traced and
    not run; the others are compiled together."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not entry.batch:
            return [attempt(lambda c=c: c.run(keras)) for c in entry.cases]
        specs = [_traced(c) for c in entry.cases]
        joined = [
            i for i, c in enumerate(entry.cases) if c.values and not isinstance(specs[i], Raised)
        ]
        results = _joined([entry.cases[i] for i in joined])
        outcomes = dict(zip(joined, results, strict=True))
        return [
            outcomes[i] if i in outcomes
            else attempt(lambda c=c: c.run(keras)) if isinstance(specs[i], Raised)
            else specs[i]
            for i, c in enumerate(entry.cases)
        ]  # fmt: skip


def _traced(case: Case) -> Any:
    return attempt(lambda: jax.eval_shape(lambda xs: case.run(keras, xs), case.tensors()))


def _joined(cases: list[Case]) -> list[Any]:
    def everything(tensors: Any) -> Any:
        return [case.run(keras, xs) for case, xs in zip(cases, tensors, strict=True)]

    found = attempt(lambda: jax.jit(everything)([c.tensors() for c in cases]))
    if isinstance(found, Raised):
        return [attempt(lambda c=c: c.run(keras)) for c in cases]
    return found


def first_values(entries: list[Entry]) -> list[Any]:
    """Keras's results of the first call of each entry, compiled in one program."""
    return _joined([entry.cases[0] for entry in entries])


def without_values(case: Case) -> Case:
    return replace(case, values=False)


def our_outcome(case: Case) -> Any:
    return attempt(lambda: case.run(kerasish))


# -- comparisons


def compare_eager(entry: Entry, wanted: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for case, theirs in zip(entry.cases, wanted, strict=True):
        ours = our_outcome(case)
        answers = isinstance(theirs, Raised) and not isinstance(ours, Raised)
        if answers and (entry.wider or may_answer(theirs)):
            continue
        answered = not isinstance(ours, Raised) and not isinstance(theirs, Raised)
        if entry.canonical and case.values and answered:
            ours, theirs = entry.canonical(case, ours), entry.canonical(case, theirs)
        text = difference(ours, theirs, entry.tolerance, case.values)
        if text:
            found[case.label] = text
        elif isinstance(ours, Raised) and not _alike(ours, theirs):
            found[case.label] = f"ours {ours}, Keras {theirs}"
    return found


def may_answer(theirs: Raised) -> bool:
    """Whether only the judge's kernels refused, by a dtype that they lack."""
    return theirs.by_the_judges_kernels() and isinstance(
        theirs.error, TypeError | NotImplementedError
    )


def _alike(ours: Raised, theirs: Raised) -> bool:
    """Whether errors are of one type. What the judge's kernels refuse, Keras has no type for;
    then any that a user would catch for a wrong argument will do."""
    kinds = (ValueError, TypeError, IndexError, NotImplementedError)
    if theirs.by_the_judges_kernels():
        return isinstance(ours.error, (*kinds, type(theirs.error)))
    return isinstance(ours.error, type(theirs.error))


def _symbols(make: Any, case: Case, batches: int) -> Any:
    """The operands as symbolic tensors, the first axis of the first `batches` being unknown."""
    return [
        make(
            (None, *x.shape[1:]) if i < batches and x.ndim else x.shape,
            core.dtypes.name_of(x.dtype),
        )
        for i, x in enumerate(case.tensors())
    ]


def compare_symbolic(entry: Entry, wanted: list[Any]) -> dict[str, str]:
    """Shapes and dtypes of symbolic results, with all sizes known and with the first unknown.

    Where Keras infers other than it computes, or infers what its kernels refuse, ours must be what
    ours computes.
    """
    found: dict[str, str] = {}
    if not entry.symbolic:
        return found
    for case, computed in zip(entry.cases, wanted, strict=True):
        if not case.tensors():
            continue
        for unknown in (False, True):
            batches = entry.batches if unknown else 0
            text = _symbolic_difference(case, computed, batches, bool(entry.wider))
            if text:
                found[f"{case.label}:{'unknown' if unknown else 'symbolic'}"] = text
    return found


def _symbolic_difference(case: Case, computed: Any, batches: int, wider: bool) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = attempt(lambda: case.run(keras, _symbols(keras.KerasTensor, case, batches)))
    ours = attempt(lambda: case.run(kerasish, _symbols(kerasish.KerasTensor, case, batches)))
    one, other = spec_of(ours), spec_of(theirs)
    if one == other or (wider and isinstance(theirs, Raised)):
        return ""
    inferred_wrongly = not fits(other, spec_of(computed))
    knows_more = batches > 0 and fits(other, one)
    if (inferred_wrongly or knows_more) and fits(one, spec_of(our_outcome(case))):
        return ""
    return f"ours {_brief(ours)}, Keras {_brief(theirs)}"


def fits(symbolic: list[Any], eager: list[Any]) -> bool:
    """Whether the inferred specs are those of the results, None standing for any size."""
    if len(symbolic) != len(eager):
        return False
    for one, other in zip(symbolic, eager, strict=True):
        if isinstance(one, str) or isinstance(other, str):
            if one != other:
                return False
            continue
        if one[0] != other[0]:
            return False
        if not isinstance(one[1], tuple):
            continue
        if len(one[1]) != len(other[1]) or any(
            n not in (None, m) for n, m in zip(one[1], other[1], strict=True)
        ):
            return False
    return True


def compare_modes(entry: Entry) -> dict[str, str]:
    """Ours compiled and as a functional model against ours eager."""
    found: dict[str, str] = {}
    for case in entry.cases:
        eager = our_outcome(case) if case.values and case.tensors() else None
        if eager is None or isinstance(eager, Raised):
            continue
        text = _compiled_difference(entry, case, eager)
        if text:
            found[f"{case.label}:compiled"] = text
        if entry.symbolic and entry.trace and _takes_symbols(case):
            model = attempt(functools.partial(_as_model, case))
            if entry.canonical and not isinstance(model, Raised):
                model, eager = entry.canonical(case, model), entry.canonical(case, eager)
            text = difference(model, eager, entry.tolerance)
            if text:
                found[f"{case.label}:model"] = text
    return found


def _takes_symbols(case: Case) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = attempt(lambda: case.run(keras, _symbols(keras.KerasTensor, case, 0)))
    return not isinstance(theirs, Raised)


def _compiled_difference(entry: Entry, case: Case, eager: Any) -> str:
    step = kerasish.function(lambda *xs: case.run(kerasish, xs))
    compiled = attempt(lambda: step(*case.tensors()))
    if entry.trace:
        if entry.canonical and not isinstance(compiled, Raised):
            compiled, eager = entry.canonical(case, compiled), entry.canonical(case, eager)
        return difference(compiled, eager, entry.tolerance)
    return "" if isinstance(compiled, Raised) else "compiled, though marked otherwise"


def _as_model(case: Case) -> Any:
    inputs = [
        kerasish.Input(batch_shape=x.shape, dtype=core.dtypes.name_of(x.dtype))
        for x in case.tensors()
    ]
    outputs = case.run(kerasish, inputs)
    if not any(isinstance(y, kerasish.KerasTensor) for y in leaves(outputs)):
        return case.run(kerasish)
    return kerasish.Model(inputs, outputs)(list(case.tensors()))


# -- gradients


def gradient_case(entry: Entry) -> Case | None:
    """The call whose gradient is compared: the first with floating operands and results."""
    if entry.gradient == "":
        return None
    for case in entry.cases:
        if entry.gradient is not None and case.label != entry.gradient:
            continue
        if not case.values or not any(x.dtype == np.float32 for x in case.tensors()):
            continue
        result = our_outcome(case)
        if not isinstance(result, Raised) and _floating(result):
            return case
    return None


def _floating(result: Any) -> list[Any]:
    return [y for y in leaves(result) if getattr(y, "dtype", None) == np.float32]


def _weights(y: Any) -> Any:
    """Numbers without symmetry, so that a gradient which sums to zero is seen."""
    size = int(np.prod(y.shape))
    return np.cos(np.arange(size) + 0.5).reshape(y.shape).astype("float32")


def compare_gradient(entry: Entry, case: Case) -> str:
    tensors = case.tensors()
    floating = [i for i, x in enumerate(tensors) if x.dtype == np.float32]

    def with_floats(xs: Any) -> list[Any]:
        full = list(tensors)
        for i, x in zip(floating, xs, strict=True):
            full[i] = x
        return full

    def total(xs: Any) -> Any:
        found = _floating(case.run(keras, with_floats(xs)))
        return sum((y * _weights(y)).sum() for y in found)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = attempt(lambda: jax.jit(jax.grad(total))([tensors[i] for i in floating]))
        if isinstance(theirs, Raised):
            theirs = attempt(lambda: jax.grad(total)([jnp.asarray(tensors[i]) for i in floating]))
    xs = [core.constant(tensors[i]) for i in floating]

    def ours() -> Any:
        with core.GradientTape() as tape:
            tape.watch(xs)
            found = _floating(case.run(kerasish, with_floats(xs)))
            scalars = [core.ops.sum(y * _weights(y)) for y in found]
            summed = sum(scalars[1:], scalars[0])
        return tape.gradient(summed, xs, unconnected_gradients="zero")

    return difference(attempt(ours), theirs, max(10 * entry.tolerance, 3e-4))
