"""The functions of `keras.activations`: of a tensor to a tensor of the same shape.

Source: https://keras.io/api/layers/activations/
"""

from __future__ import annotations

from typing import Any

from .. import ops

__all__ = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def linear(x: Any) -> Any:
    """`x` itself."""
    return x


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """`max(x, 0)`; with options, a bent line.

    `x` where `x > threshold`, and `negative_slope * (x - threshold)` below. With `max_value`, what
    is above the threshold is limited to `[0, max_value]`.

    Args:
        x: Tensor.
        negative_slope: Slope below the threshold.
        max_value: Upper limit, or None.
        threshold: Where the line bends.
    """
    if threshold == 0:
        if negative_slope == 0:
            return _relu_to(x, max_value)
        line = ops.leaky_relu(x, negative_slope=negative_slope)
        return line if max_value is None else ops.minimum(line, max_value)
    below = negative_slope * (x - threshold) if negative_slope else 0
    above = x if max_value is None else ops.clip(x, 0, max_value)
    return ops.where(ops.greater(x, threshold), above, below)


def _relu_to(x: Any, max_value: float | None) -> Any:
    if max_value is None:
        return ops.relu(x)
    return ops.relu6(x) if max_value == 6 else ops.minimum(ops.relu(x), max_value)


def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)`."""
    return ops.relu6(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, else `negative_slope * x`.

    Source: Maas et al., "Rectifier nonlinearities improve neural network acoustic models", 2013.
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)


def softmax(x: Any, axis: Any = -1) -> Any:
    """`exp(x) / sum(exp(x))` along an axis or axes."""
    return ops.softmax(x, axis=axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """`log(softmax(x))`, without the loss of accuracy."""
    return ops.log_softmax(x, axis=axis)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point of the probability simplex: a softmax with exact zeros.

    `max(x - tau, 0)`, with tau such that the sum along the axis is 1.

    Args:
        x: Tensor.
        axis: Of the classes.

    Source: Martins and Astudillo, "From softmax to sparsemax", ICML 2016, algorithm 1.
    """
    return ops.sparsemax(x, axis)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x) - 1)`.

    Source: Clevert et al., "Fast and accurate deep network learning by ELUs", ICLR 2016.
    """
    return ops.elu(x, alpha=alpha)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x / alpha) - 1)`.

    Source: Barron, "Continuously differentiable exponential linear units", 2017.
    """
    return ops.celu(x, alpha=alpha)


def selu(x: Any) -> Any:
    """`1.0507 * x` where positive, else `1.0507 * 1.6733 * (exp(x) - 1)`.

    Source: Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.
    """
    return ops.selu(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """`x * P(X <= x)` for a standard normal X, or its approximation by tanh.

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.
    """
    return ops.gelu(x, approximate=approximate)


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of the axis times the sigmoid of the second.

    Source: Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017.
    """
    return ops.glu(x, axis=axis)


def exponential(x: Any) -> Any:
    """`exp(x)`."""
    return ops.exp(x)


def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))`.

    Source: Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    """
    return x * ops.tanh(ops.softplus(x))


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where above the threshold, else the default value."""
    return ops.threshold(x, threshold, default_value)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by the threshold, and 0 within it."""
    return ops.soft_shrink(x, threshold=threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where its size is above the threshold, else 0."""
    return ops.hard_shrink(x, threshold=threshold)


def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x**2 + b)) / 2`.

    Source: Barron, "Squareplus: a softplus-like algebraic rectifier", 2021.
    """
    return ops.squareplus(x, b=b)


def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`."""
    return ops.softplus(x)


def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    return ops.softsign(x)


def silu(x: Any) -> Any:
    """`x * sigmoid(x)`, also named swish.

    Source: Ramachandran et al., "Searching for activation functions", 2017.
    """
    return ops.silu(x)


def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`."""
    return ops.sigmoid(x)


def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`, without the loss of accuracy."""
    return ops.log_sigmoid(x)


def hard_sigmoid(x: Any) -> Any:
    """`relu6(x + 3) / 6`."""
    return ops.hard_sigmoid(x)


def hard_silu(x: Any) -> Any:
    """`x * relu6(x + 3) / 6`, also named hard swish.

    Source: Howard et al., "Searching for MobileNetV3", 2019.
    """
    return ops.hard_silu(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return ops.tanh(x)


def hard_tanh(x: Any) -> Any:
    """`x` limited to [-1, 1]."""
    return ops.hard_tanh(x)


def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`."""
    return ops.tanh_shrink(x)


def sparse_plus(x: Any) -> Any:
    """0 up to -1, `(x + 1)**2 / 4` up to 1, `x` above."""
    return ops.sparse_plus(x)


def sparse_sigmoid(x: Any) -> Any:
    """0 up to -1, `(x + 1) / 2` up to 1, 1 above."""
    return ops.sparse_sigmoid(x)
