"""The functions of `keras.activations`."""

from __future__ import annotations

from typing import Any

from .. import ops

__all__: list[str] = []


def linear(x: Any) -> Any:
    """`x` itself."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Any:
    """`max(x, 0)`; with options: a slope below the threshold and a limit above."""
    if negative_slope == 0.0 and max_value is None and threshold == 0:
        return ops.relu(x)
    if negative_slope == 0.0 and max_value == 6 and threshold == 0:
        return ops.relu6(x)
    kept = ops.where(ops.greater_equal(x, threshold), x, negative_slope * (x - threshold))
    return kept if max_value is None else ops.minimum(kept, max_value)


def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)`."""
    return ops.relu6(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, else `negative_slope * x`."""
    return ops.leaky_relu(x, negative_slope=negative_slope)


def softmax(x: Any, axis: Any = -1) -> Any:
    """`exp(x) / sum(exp(x))` along the axis."""
    return ops.softmax(x, axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """`log(softmax(x))`."""
    return ops.log_softmax(x, axis=axis)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x) - 1)` (Clevert et al. 2016)."""
    return ops.elu(x, alpha=alpha)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """Continuously differentiable ELU (Barron 2017)."""
    return ops.celu(x, alpha=alpha)


def selu(x: Any) -> Any:
    """Scaled ELU (Klambauer et al. 2017)."""
    return ops.selu(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """`x * Phi(x)` (Hendrycks and Gimpel 2016)."""
    return ops.gelu(x, approximate=approximate)


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of the axis times the sigmoid of the second."""
    return ops.glu(x, axis=axis)


def exponential(x: Any) -> Any:
    """`e**x`."""
    return ops.exp(x)


def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))` (Misra 2019)."""
    return x * ops.tanh(ops.softplus(x))


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where above the threshold, else the default value."""
    return ops.threshold(x, threshold, default_value)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by the threshold."""
    return ops.soft_shrink(x, threshold=threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where its size is above the threshold, else 0."""
    return ops.hard_shrink(x, threshold=threshold)


def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x**2 + b)) / 2` (Barron 2021)."""
    return ops.squareplus(x, b=b)


def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`."""
    return ops.softplus(x)


def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    return ops.softsign(x)


def silu(x: Any) -> Any:
    """`x * sigmoid(x)` (swish; Ramachandran et al. 2017)."""
    return ops.silu(x)


def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`."""
    return ops.sigmoid(x)


def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`."""
    return ops.log_sigmoid(x)


def hard_sigmoid(x: Any) -> Any:
    """`relu6(x + 3) / 6`."""
    return ops.hard_sigmoid(x)


def hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)` (Howard et al. 2019)."""
    return ops.hard_silu(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return ops.tanh(x)


def hard_tanh(x: Any) -> Any:
    """`x` limited to `[-1, 1]`."""
    return ops.hard_tanh(x)


def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`."""
    return ops.tanh_shrink(x)


def sparse_plus(x: Any) -> Any:
    """A piecewise quadratic form of softplus."""
    return ops.sparse_plus(x)


def sparse_sigmoid(x: Any) -> Any:
    """`(x + 1) / 2` limited to `[0, 1]`."""
    return ops.sparse_sigmoid(x)
