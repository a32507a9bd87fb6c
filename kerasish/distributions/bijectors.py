"""Invertible functions with the logarithm of their slope, for `TransformedDistribution`."""

from __future__ import annotations

import math
from typing import Any

import kerasish_core as core

from .. import ops
from .base import parameter

__all__ = ["Bijector", "Chain", "Exp", "Scale", "Shift", "Sigmoid", "Softplus", "Tanh"]


class Bijector:
    """An increasing or decreasing function of each element.

    A subclass defines `forward`, `inverse` and `forward_log_det_jacobian`, which is
    `log |d forward(x) / dx|` element by element. Like distributions, bijectors are nodes of
    `kerasish.tree`.
    """

    _tensors: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        core.tree.register_tree_node_class(cls)

    def tree_flatten(self) -> tuple[list[Any], Any]:
        """The parameters."""
        return [getattr(self, name) for name in self._tensors], None

    @classmethod
    def tree_unflatten(cls, metadata: Any, children: Any) -> Any:
        """A bijector of parameters as they are."""
        made = cls.__new__(cls)
        made.__dict__.update(zip(cls._tensors, children, strict=True))
        return made

    def forward(self, x: Any) -> Any:
        """The function."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, x).")

    def inverse(self, y: Any) -> Any:
        """Its inverse."""
        raise NotImplementedError(f"{type(self).__name__} must define inverse(self, y).")

    def forward_log_det_jacobian(self, x: Any) -> Any:
        """`log |d forward(x) / dx|`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define forward_log_det_jacobian(self, x)."
        )

    def increasing(self) -> Any:
        """Whether the function rises, element by element."""
        return True


class Tanh(Bijector):
    """`tanh(x)`, which squashes actions into (-1, 1)."""

    def forward(self, x: Any) -> Any:
        return ops.tanh(x)

    def inverse(self, y: Any) -> Any:
        # At the ends, where floats round to, the inverse is infinite.
        edge = 1 - (1e-7 if ops.dtype(y) != "float64" else 1e-15)
        return ops.arctanh(ops.clip(y, -edge, edge))

    def forward_log_det_jacobian(self, x: Any) -> Any:
        # log(1 - tanh(x)^2) without cancellation.
        return 2 * (math.log(2.0) - x - ops.softplus(-2 * x))


class Sigmoid(Bijector):
    """`1 / (1 + exp(-x))`."""

    def forward(self, x: Any) -> Any:
        return ops.sigmoid(x)

    def inverse(self, y: Any) -> Any:
        return ops.log(y) - ops.log1p(-y)

    def forward_log_det_jacobian(self, x: Any) -> Any:
        return -ops.softplus(-x) - ops.softplus(x)


class Exp(Bijector):
    """`exp(x)`: of a normal distribution it makes the log-normal one."""

    def forward(self, x: Any) -> Any:
        return ops.exp(x)

    def inverse(self, y: Any) -> Any:
        return ops.log(y)

    def forward_log_det_jacobian(self, x: Any) -> Any:
        return x


class Softplus(Bijector):
    """`log(1 + exp(x))`."""

    def forward(self, x: Any) -> Any:
        return ops.softplus(x)

    def inverse(self, y: Any) -> Any:
        return y + ops.log(-ops.expm1(-y))

    def forward_log_det_jacobian(self, x: Any) -> Any:
        return -ops.softplus(-x)


class Shift(Bijector):
    """`x + shift`."""

    _tensors = ("shift",)

    def __init__(self, shift: Any) -> None:
        self.shift = parameter(shift)

    def forward(self, x: Any) -> Any:
        return x + self.shift

    def inverse(self, y: Any) -> Any:
        return y - self.shift

    def forward_log_det_jacobian(self, x: Any) -> Any:
        return ops.zeros_like(x + self.shift)


class Scale(Bijector):
    """`x * scale`, the scale not 0."""

    _tensors = ("scale",)

    def __init__(self, scale: Any) -> None:
        self.scale = parameter(scale)

    def forward(self, x: Any) -> Any:
        return x * self.scale

    def inverse(self, y: Any) -> Any:
        return y / self.scale

    def forward_log_det_jacobian(self, x: Any) -> Any:
        return ops.log(ops.abs(self.scale)) + ops.zeros_like(x)

    def increasing(self) -> Any:
        return self.scale > 0


class Chain(Bijector):
    """Bijectors one after another, the last one first: `Chain([f, g])(x) = f(g(x))`.

    Args:
        bijectors: A list.
    """

    _tensors = ("bijectors",)

    def __init__(self, bijectors: Any) -> None:
        self.bijectors = list(bijectors)

    def forward(self, x: Any) -> Any:
        for each in reversed(self.bijectors):
            x = each.forward(x)
        return x

    def inverse(self, y: Any) -> Any:
        for each in self.bijectors:
            y = each.inverse(y)
        return y

    def forward_log_det_jacobian(self, x: Any) -> Any:
        total = 0.0
        for each in reversed(self.bijectors):
            total = each.forward_log_det_jacobian(x) + total
            x = each.forward(x)
        return total

    def increasing(self) -> Any:
        rising: Any = True
        for each in self.bijectors:
            rising = ops.equal(rising, each.increasing())
        return rising
