"""Layers that join several inputs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ... import ops
from ...serialization import builtin
from ..base import Layer

__all__ = ["Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract",
           "add", "average", "concatenate", "dot", "maximum", "minimum", "multiply",
           "subtract"]  # fmt: skip


class _Merge(Layer):
    """Elementwise over a list of inputs that broadcast."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, list | tuple) or not isinstance(
            input_shape[0], list | tuple
        ):
            raise ValueError(
                f"A merge layer should be called on a list of inputs. Received: "
                f"input_shape={input_shape} (not a list of shapes)"
            )
        if len(input_shape) < 1:
            raise ValueError("A merge layer should be called on a list of at least 1 input.")
        self.built = True

    def _merge(self, inputs: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        rank = max(len(x.shape) for x in inputs)
        aligned = []
        for x in inputs:  # missing axes come after the batch's
            if len(x.shape) < rank:
                x = ops.reshape(x, (x.shape[0], *(1,) * (rank - len(x.shape)), *x.shape[1:]))
            aligned.append(x)
        return self._merge(aligned)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or any(m is None for m in mask):
            return None
        return functools.reduce(ops.logical_or, mask)


def _fold(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, inputs: functools.reduce(function, inputs)


@builtin("keras.layers")
class Add(_Merge):
    """Sum of the inputs."""

    _merge = _fold(lambda a, b: ops.add(a, b))


def _spread_mask(x: Any) -> Any:
    """The mask of a tensor over its features too, or None."""
    mask = getattr(x, "mask", None)
    return None if mask is None else ops.broadcast_to(ops.expand_dims(mask, -1), x.shape)


@builtin("keras.layers")
class Multiply(_Merge):
    """Product of the inputs; what is masked counts as 1, and where all are as 0."""

    def _merge(self, inputs: Any) -> Any:
        masks = [_spread_mask(x) for x in inputs]
        pairs = zip(inputs, masks, strict=True)
        product = functools.reduce(
            ops.multiply, (x if m is None else ops.where(m, x, ops.ones_like(x)) for x, m in pairs)
        )
        if any(m is None for m in masks):
            return product
        kept = functools.reduce(ops.logical_or, masks)
        return ops.where(kept, product, ops.zeros_like(product))


class _Extreme(_Merge):
    """Elementwise without a neutral element: what is masked in one input gives way to the other."""

    def _pick(self, a: Any, b: Any) -> Any:
        raise NotImplementedError

    def _merge(self, inputs: Any) -> Any:
        found, mask = inputs[0], _spread_mask(inputs[0])
        for x in inputs[1:]:
            other = _spread_mask(x)
            x = x if other is None else ops.where(other, x, found)
            found = found if mask is None else ops.where(mask, found, x)
            both = mask is not None and other is not None
            mask = ops.logical_or(mask, other) if both else None
            found = self._pick(found, x)
        return found


@builtin("keras.layers")
class Maximum(_Extreme):
    """Largest of the inputs, of those that are not masked."""

    def _pick(self, a: Any, b: Any) -> Any:
        return ops.maximum(a, b)


@builtin("keras.layers")
class Minimum(_Extreme):
    """Smallest of the inputs, of those that are not masked."""

    def _pick(self, a: Any, b: Any) -> Any:
        return ops.minimum(a, b)


@builtin("keras.layers")
class Average(_Merge):
    """Mean of the inputs."""

    def _merge(self, inputs: Any) -> Any:
        return functools.reduce(ops.add, inputs) / len(inputs)


@builtin("keras.layers")
class Subtract(_Merge):
    """First input minus the second."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(
                "A `Subtract` layer should be called on exactly 2 inputs. Received: "
                f"input_shape={input_shape}"
            )

    def _merge(self, inputs: Any) -> Any:
        return ops.subtract(inputs[0], inputs[1])


@builtin("keras.layers")
class Concatenate(_Merge):
    """Inputs joined along an axis."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        first = input_shape[0]
        place = self.axis % len(first)
        for shape in input_shape[1:]:
            if len(shape) != len(first) or any(
                a is not None and b is not None and a != b and i != place
                for i, (a, b) in enumerate(zip(first, shape, strict=True))
            ):
                raise ValueError(
                    "A `Concatenate` layer requires inputs with matching shapes except for the "
                    f"concatenation axis. Received: input_shape={input_shape}"
                )

    def call(self, inputs: Any) -> Any:
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(m is None for m in mask):
            return None
        parts = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                m = ops.ones_like(x, dtype="bool")
            elif len(m.shape) < len(x.shape):
                m = ops.logical_or(ops.expand_dims(m, -1), ops.zeros_like(x, dtype="bool"))
            parts.append(m)
        return ops.any(ops.concatenate(parts, axis=self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@builtin("keras.layers")
class Dot(_Merge):
    """Products of two inputs summed over an axis of each."""

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int) and (not isinstance(axes, list | tuple) or len(axes) != 2):
            raise ValueError(
                "Invalid format for argument `axes`: an integer or 2 integers. "
                f"Received: axes={axes}"
            )
        self.axes, self.normalize = axes, normalize

    def call(self, inputs: Any) -> Any:
        x, y = inputs
        axes = [self.axes] * 2 if isinstance(self.axes, int) else list(self.axes)
        i, j = axes[0] % len(x.shape), axes[1] % len(y.shape)
        if self.normalize:
            x, y = ops.normalize(x, axis=i), ops.normalize(y, axis=j)
        left = "".join(chr(98 + k) for k in range(len(x.shape) - 1))
        right = "".join(chr(110 + k) for k in range(len(y.shape) - 1))
        a, b = list("a" + left), list("a" + right)
        b[j] = a[i]
        rest = [c for c in a if c != a[i]] + [c for c in b[1:] if c != b[j]]
        y = ops.einsum(f"{''.join(a)},{''.join(b)}->{''.join(rest)}", x, y)
        return ops.expand_dims(y, -1) if len(y.shape) == 1 else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply(**kwargs)(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`."""
    return Dot(axes=axes, **kwargs)(inputs)
