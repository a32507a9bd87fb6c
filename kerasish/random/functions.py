"""The functions of `keras.random`, on the core's stateless generator.

In all of them, `seed` is an int (the same values each time), a `SeedGenerator` (fresh values each
time), or None: the global generator, which `keras.utils.set_random_seed` seeds. A result depends
on the seed and the shape only, not on the number of threads, nor on eager or compiled running.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

from ..settings import floatx
from ..shard import current_shard
from .seed_generator import draw_seed

__all__ = [
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

_random = core.ops.random


def _float_dtype(name: str, dtype: Any) -> Any:
    dtype = core.dtypes.as_dtype(floatx() if dtype is None else dtype)
    if not core.dtypes.is_float(dtype):
        raise ValueError(
            f"`keras.random.{name}` requires a floating point `dtype`. Received: dtype={dtype.name}"
            + (". Use `keras.random.randint` for integers." if name == "uniform" else "")
        )
    return dtype


def _drawn(draw: Callable[..., Any], shape: Any, parameters: tuple[Any, ...] = ()) -> Any:
    """`draw(shape)`. Where this process has some rows of a batch, a tensor of as many rows is
    taken from what the whole batch would get."""
    shard = current_shard()
    sizes = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    plain = all(isinstance(p, int | float) for p in parameters)
    if shard is None or not plain or not sizes or sizes[0] != shard.rows:
        return draw(shape)
    return shard.cut(draw((shard.total, *sizes[1:])))


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> core.Tensor:
    """Draws from the normal distribution.

    Args:
        shape: Of the result.
        mean: Number or tensor.
        stddev: Number or tensor.
        dtype: A floating dtype; `floatx()` if None.
        seed: See the module.

    Returns:
        A tensor of the shape.

    Raises:
        ValueError: The dtype is no floating one.

    Source: https://keras.io/api/random/random_ops/
    """
    dtype = _float_dtype("normal", dtype)
    key = draw_seed(seed)
    return _drawn(
        lambda size: _random.normal(key, size, mean, stddev, dtype), shape, (mean, stddev)
    )


def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> core.Tensor:
    """Draws from the uniform distribution over `[minval, maxval)`.

    Args:
        shape: Of the result.
        minval: Lower bound, included.
        maxval: Upper bound, not included.
        dtype: A floating dtype; `floatx()` if None.
        seed: See the module.

    Returns:
        A tensor of the shape.

    Raises:
        ValueError: The dtype is no floating one: `randint` draws integers.
    """
    dtype = _float_dtype("uniform", dtype)
    key = draw_seed(seed)
    return _drawn(
        lambda size: _random.uniform(key, size, minval, maxval, dtype), shape, (minval, maxval)
    )


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> core.Tensor:
    """Draws from the normal distribution within two `stddev` of the mean.

    Args:
        shape: Of the result.
        mean: Of the distribution before truncation.
        stddev: Of the distribution before truncation.
        dtype: A floating dtype; `floatx()` if None.
        seed: See the module.

    Returns:
        A tensor of the shape.
    """
    dtype = _float_dtype("truncated_normal", dtype)
    key = draw_seed(seed)
    return _drawn(
        lambda size: _random.truncated_normal(key, size, mean, stddev, dtype), shape, (mean, stddev)
    )


def randint(
    shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None
) -> core.Tensor:
    """Draws integers uniformly from `[minval, maxval)`.

    Args:
        shape: Of the result.
        minval: Least integer.
        maxval: One above the greatest integer.
        dtype: An integer dtype.
        seed: See the module.

    Returns:
        A tensor of the shape.

    Raises:
        ValueError: The dtype is no integer one.
    """
    dtype = core.dtypes.as_dtype("int32" if dtype is None else dtype)
    if not core.dtypes.is_integer(dtype):
        raise ValueError(
            f"`keras.random.randint` requires an integer `dtype`. Received: dtype={dtype.name}"
        )
    key = draw_seed(seed)
    return _drawn(
        lambda size: _random.randint(key, size, minval, maxval, dtype), shape, (minval, maxval)
    )


def categorical(
    logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None
) -> core.Tensor:
    """Draws classes with probabilities `softmax(logits)`.

    Args:
        logits: `(batch, classes)`.
        num_samples: How many to draw per row.
        dtype: Of the result.
        seed: See the module.

    Returns:
        `(batch, num_samples)`.

    Raises:
        ValueError: The logits are no matrix.
    """
    logits = core.convert(logits)
    if logits.ndim != 2:
        raise ValueError(
            "`logits` should be a 2-D tensor with shape [batch_size, num_classes]. "
            f"Received: logits of shape {logits.shape}"
        )
    drawn = _random.categorical(draw_seed(seed), logits, num_samples, "int32")
    return core.ops.cast(drawn, dtype)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> core.Tensor:
    """Draws from the gamma distribution with shape parameter `alpha` and scale 1.

    Args:
        shape: Of the result.
        alpha: Positive number or tensor; gradients flow to it.
        dtype: A floating dtype; `floatx()` if None.
        seed: See the module.

    Returns:
        A tensor of the shape.
    """
    dtype = _float_dtype("gamma", dtype)
    return _random.gamma(draw_seed(seed), shape, alpha, dtype)


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> core.Tensor:
    """Draws from the beta distribution over (0, 1).

    Args:
        shape: Of the result.
        alpha: Positive number or tensor.
        beta: Positive number or tensor.
        dtype: A floating dtype; `floatx()` if None.
        seed: See the module.

    Returns:
        A tensor of the shape.
    """
    dtype = _float_dtype("beta", dtype)
    return _random.beta(draw_seed(seed), shape, alpha, beta, dtype)


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> core.Tensor:
    """Draws the number of successes in `counts` trials.

    Args:
        shape: Of the result.
        counts: Number of trials: number or tensor.
        probabilities: Of success, in [0, 1]: number or tensor.
        dtype: A floating dtype; `floatx()` if None.
        seed: See the module.

    Returns:
        A tensor of the shape.
    """
    dtype = _float_dtype("binomial", dtype)
    return _random.binomial(draw_seed(seed), shape, counts, probabilities, dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> core.Tensor:
    """The slices along an axis in random order.

    Args:
        x: Tensor.
        axis: Along which whole slices move.
        seed: See the module.

    Returns:
        A tensor like `x`.
    """
    return _random.shuffle(draw_seed(seed), x, axis)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> core.Tensor:
    """Elements set to 0 with probability `rate`, the others scaled by `1 / (1 - rate)`.

    Args:
        inputs: Tensor.
        rate: In [0, 1].
        noise_shape: Shape of the mask, which broadcasts to that of `inputs`; None in it means
            the size there.
        seed: See the module.

    Returns:
        A tensor like `inputs`.

    Source: N. Srivastava et al., "Dropout: A simple way to prevent neural networks from
    overfitting", JMLR 15 (2014).
    """
    ops = core.ops
    rate = float(rate)
    if not rate > 0.0:
        # As it is, so that a symbolic tensor may pass.
        return core.convert(inputs) if isinstance(inputs, np.ndarray | list | float) else inputs
    x = core.convert(inputs)
    mask_shape = x.shape
    if noise_shape is not None:
        if len(noise_shape) != len(x.shape):
            raise ValueError(
                "Argument `noise_shape` must have as many axes as the inputs. "
                f"Received: noise_shape={noise_shape}, inputs.shape={x.shape}"
            )
        mask_shape = tuple(n if s is None else int(s) for n, s in zip(x.shape, noise_shape))
    seed = draw_seed(seed)
    if rate >= 1.0:
        return ops.zeros_like(x)
    keep = 1.0 - rate
    chances = _drawn(lambda size: _random.uniform(seed, size, dtype="float32"), mask_shape)
    mask = ops.less(chances, np.float32(keep))
    return ops.where(mask, ops.true_divide(x, keep), 0)
