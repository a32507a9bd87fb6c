"""What a primitive is: one block that holds its rule, kernel, fused form, gradient and samples."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import dtypes
from .errors import DTypeError, ShapeError

__all__ = ["REGISTRY", "Op", "Saved", "Spec", "broadcast_shapes", "define_op", "describe"]

KINDS = ("elementwise", "reduce", "contraction", "view", "random", "control", "opaque")


class Spec(NamedTuple):
    """Shape and dtype of a value; prints as `f32[2,3]`."""

    shape: tuple[int, ...]
    dtype: dtypes.DType

    @property
    def nbytes(self) -> int:
        """Bytes of a dense array."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{dtypes.short_name(self.dtype)}[{','.join(map(str, self.shape))}]"


class Saved(NamedTuple):
    """One thing that a gradient rule asks for: `source` is input, output, spec, attr or needs.

    `needs` tells, input by input, whether its gradient is wanted: a rule may answer None there.
    """

    source: str
    key: Any


class Op:
    """A primitive operation. Made by `define_op`, found in `REGISTRY`.

    Attributes:
        name: Its name, unique in the registry and in printed graphs.
        kind: One of `KINDS`; drives fusion and the undoing of broadcasting.
        inputs: Names of the inputs. A single name that starts with `*` takes any number.
        infer: `(*specs, **attrs)` to a spec, or a tuple of specs.
        kernel: `(xp, *arrays, **attrs)` to an array, or a tuple of arrays; NumPy and CuPy.
        scalar: The expression of one element, for generated kernels.
        vjp: The gradient rule, or None where no gradient exists. Of several outputs it gets a
            tuple of cotangents, None where none flows (kind `control`: zeros).
        saved: What the gradient rule asks for, read off its signature.
        samples: `(rng)` to a list of `(arrays, attrs)`, which the tests run.
        cuda: `(*tensors, **attrs)` in public ops: what programs on a GPU run instead, if given.
        native: Whether eager calls too use the native kernel, for ops whose generic one is slow; or
            a function that tells it by the attributes.
    """

    __slots__ = (
        "cuda", "infer", "inputs", "kernel", "kind", "multiple", "name", "native", "samples",
        "saved", "scalar", "variadic", "vjp",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: str,
        inputs: str,
        *,
        infer: Callable[..., Any],
        kernel: Callable[..., Any],
        scalar: str | None = None,
        vjp: Callable[..., tuple[Any, ...]] | None = None,
        samples: Callable[..., Any] | None = None,
        multiple: bool = False,
        native: bool | Callable[[dict[str, Any]], bool] = False,
        cuda: Any = None,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"op {name}: kind {kind!r} is none of {KINDS}")
        self.name, self.kind = name, kind
        self.inputs = tuple(inputs.split())
        self.variadic = bool(self.inputs) and self.inputs[0].startswith("*")
        self.infer, self.kernel, self.scalar = infer, kernel, scalar
        self.vjp, self.samples, self.multiple = vjp, samples, multiple
        self.native, self.cuda = native, cuda
        self.saved = _read_signature(self) if vjp is not None else ()

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _read_signature(op: Op) -> tuple[Saved, ...]:
    """What the rule `(g, ...)` asks for beyond the cotangent, in order."""
    assert op.vjp is not None
    saved = []
    for name in list(inspect.signature(op.vjp).parameters)[1:]:
        stem = name.removesuffix("_spec")
        if op.variadic and stem == op.inputs[0][1:]:
            saved.append(Saved("specs" if name != stem else "inputs", None))
        elif stem in op.inputs:
            saved.append(Saved("spec" if name != stem else "input", op.inputs.index(stem)))
        elif name == "y":
            saved.append(Saved("output", None))
        elif name == "y_spec":
            saved.append(Saved("output_spec", None))
        elif name == "needs":
            saved.append(Saved("needs", None))
        else:
            saved.append(Saved("attr", name))
    return tuple(saved)


REGISTRY: dict[str, Op] = {}


def define_op(name: str, kind: str, inputs: str, **parts: Any) -> Op:
    """Define a primitive and enter it in `REGISTRY`.

    Args:
        name: Unique name.
        kind: One of `KINDS`.
        inputs: Input names separated by spaces, or one `*names`.
        **parts: `infer`, `kernel` and optionally `scalar`, `vjp`, `samples`, `multiple` (several
            outputs), `native`, `cuda`; see `Op`.

    Returns:
        The op, to be called through `dispatch.apply`.
    """
    if name in REGISTRY:
        raise ValueError(f"op {name!r} is defined twice")
    op = REGISTRY[name] = Op(name, kind, inputs, **parts)
    return op


def describe(op: Op, specs: Sequence[Spec]) -> str:
    """The operands as error texts show them: `x is f32[2,3], y is i32[4]`."""
    if op.variadic:
        names = [f"{op.inputs[0][1:]}[{i}]" for i in range(len(specs))]
    else:
        names = list(op.inputs)
    return ", ".join(f"{n} is {s}" for n, s in zip(names, specs, strict=False))


def broadcast_shapes(name: str, specs: Sequence[Spec]) -> tuple[int, ...]:
    """The common shape of operands under NumPy's broadcasting.

    Raises:
        ShapeError: They do not broadcast.
    """
    rank = max(len(s.shape) for s in specs)
    result = [1] * rank
    for spec in specs:
        offset = rank - len(spec.shape)
        for axis, size in enumerate(spec.shape, offset):
            if size != 1 and result[axis] not in (1, size):
                shown = ", ".join(map(str, specs))
                raise ShapeError(
                    f"{name}: operands {shown} do not broadcast: axis {axis - rank} has sizes "
                    f"{result[axis]} and {size}. Sizes must be equal or 1; reshape or expand_dims."
                )
            if size != 1:
                result[axis] = size
    return tuple(result)


def same_dtype(name: str, specs: Sequence[Spec]) -> dtypes.DType:
    """The one dtype of all operands.

    Raises:
        DTypeError: They differ.
    """
    first = specs[0].dtype
    for spec in specs:
        if spec.dtype != first:
            raise DTypeError(
                f"{name}: operands {', '.join(map(str, specs))} have different dtypes. "
                "Cast one of them, as in cast(x, 'float32')."
            )
    return first
