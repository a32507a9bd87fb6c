"""Differentiation of functions. `jvp` is the vjp of the vjp; there is no forward mode."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import ops, tree
from ..dispatch import register_differentiate
from ..errors import GradientError, ShapeError
from ..tensor import Tensor, convert
from ..variable import Variable
from .tape import GradientTape

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


def _fresh(x: Any) -> Any:
    """Tensors of their own for the arguments, so that equal arguments stay apart."""

    def one(leaf: Any) -> Any:
        return leaf if isinstance(leaf, Variable) else ops.identity(convert(leaf))

    return tree.map_structure(one, x)


def _numbers(argnums: int | Sequence[int]) -> tuple[int, ...]:
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def value_and_grad(
    fn: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns `fn`'s value and its gradient.

    Args:
        fn: Function whose result is a scalar tensor, or `(scalar, aux)` with `has_aux`.
        argnums: Positions of the arguments to differentiate by.
        has_aux: Whether `fn` returns auxiliary results too.

    Returns:
        `(value, gradient)`; the gradient is like the argument, or a tuple for several. Arguments
        that do not matter get zeros.

    Raises:
        ShapeError: The value is no scalar.
    """

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers(argnums)
        full = [_fresh(a) if i in numbers else a for i, a in enumerate(args)]
        with GradientTape() as tape:
            tape.watch([full[i] for i in numbers])
            result = fn(*full, **kwargs)
        value = result[0] if has_aux else result
        if not isinstance(value, Tensor) or value.size != 1:
            shown = value.spec if isinstance(value, Tensor) else type(value).__name__
            raise ShapeError(
                f"grad needs a scalar result, got {shown}. Reduce it (ops.sum, ops.mean) "
                "or use vjp or jacobian."
            )
        grads = tape.gradient(value, [full[i] for i in numbers], unconnected_gradients="zero")
        return result, grads[0] if isinstance(argnums, int) else tuple(grads)

    return wrapper


def grad(
    fn: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the gradient of `fn`; with `has_aux` `(gradient, aux)`.

    >>> import kerasish_core as core
    >>> float(grad(grad(lambda x: x**3))(2.0))
    12.0
    """
    both = value_and_grad(fn, argnums, has_aux)

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(fn: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `fn` and its pull-back: cotangent of the result to cotangents of `primals`."""
    inputs = [_fresh(p) for p in primals]
    with GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        value = fn(*inputs)

    def pull_back(cotangent: Any) -> tuple[Any, ...]:
        return tuple(tape.gradient(value, inputs, cotangent, unconnected_gradients="zero"))

    return value, pull_back


def jvp(fn: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The value of `fn` and its derivative along `tangents`.

    The pull-back is linear in its cotangent u, so that differentiating `sum(pull_back(u) * t)` by
    u gives the tangent of the result.

    Returns:
        `(value, tangent)`, both structured like the result of `fn`.
    """
    if len(primals) != len(tangents):
        raise ValueError(f"jvp: {len(primals)} primals and {len(tangents)} tangents.")
    with GradientTape() as outer:
        value, pull_back = vjp(fn, *primals)
        seeds = tree.map_structure(ops.zeros_like, value)
        outer.watch(seeds)
        pulled = pull_back(seeds)
    directions = [convert(t) for t in tree.flatten(list(tangents))]
    tangent = outer.gradient(
        tree.flatten(list(pulled)), seeds, directions, unconnected_gradients="zero"
    )
    return value, tangent


def jacobian(fn: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that returns `d fn(x)[i...] / d x[j...]`, of shape `y.shape + x.shape`."""

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers(argnums)
        full = [_fresh(a) if i in numbers else a for i, a in enumerate(args)]
        with GradientTape(persistent=True) as tape:
            tape.watch([full[i] for i in numbers])
            value = fn(*full, **kwargs)
        with tape.stop_recording():
            found = tape.jacobian(value, [full[i] for i in numbers], unconnected_gradients="zero")
        return found[0] if isinstance(argnums, int) else tuple(found)

    return wrapper


def hessian(fn: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """A function that returns the matrix of second derivatives, of shape `x.shape + x.shape`."""
    return jacobian(grad(fn, argnums), argnums)


def hvp(fn: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The product of the Hessian of a scalar function with a vector, one per argument.

    By differentiating `sum(grad(fn)(x) * t)`, twice the work of a gradient.

    Raises:
        GradientError: `fn` does not depend on the primals.
    """
    inputs = [_fresh(p) for p in primals]
    directions = [convert(t) for t in tree.flatten(list(tangents))]
    with GradientTape() as outer:
        outer.watch(inputs)
        gradients = grad(fn, tuple(range(len(inputs))))(*inputs)
    if not tree.flatten(list(gradients)):
        raise GradientError("hvp: the function has no arguments.")
    found = outer.gradient(
        tree.flatten(list(gradients)), inputs, directions, unconnected_gradients="zero"
    )
    return tuple(found)


def _differentiate(fn: Callable[..., Any], inputs: tuple[Tensor, ...], cotangents: Any) -> Any:
    with GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        floating = [t for t in inputs if t.dtype.kind not in "biu"]
        own = {id(t): ops.identity(t) for t in floating}
        tape.watch(list(own.values()))
        value = fn(*(own.get(id(t), t) for t in inputs))
    with tape.stop_recording():
        found = tape.gradient(value, list(own.values()), cotangents)
    grads = dict(zip(own, found, strict=True))
    return tuple(grads.get(id(t)) for t in inputs)


register_differentiate(_differentiate)
