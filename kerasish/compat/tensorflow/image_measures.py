"""`tf.image`: how much pictures differ, and how rough they are."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ... import ops
from .image import convert_image_dtype

__all__ = ["psnr", "ssim", "ssim_multiscale", "total_variation"]

_o = core.ops


def total_variation(images: Any) -> Any:
    """The sum of absolute differences between neighbouring pixels of each picture."""
    x = core.convert(images)
    down = _o.absolute(x[..., 1:, :, :] - x[..., :-1, :, :])
    across = _o.absolute(x[..., 1:, :] - x[..., :-1, :])
    return _o.sum(down, (-3, -2, -1)) + _o.sum(across, (-3, -2, -1))


def _scaled(a: Any, b: Any, max_val: Any) -> tuple[Any, Any, float]:
    a, b = core.convert(a), core.convert(b)
    if core.dtypes.is_float(a.dtype):
        return a, b, max_val
    limit = max_val / float(np.iinfo(a.dtype).max)
    return convert_image_dtype(a, "float32"), convert_image_dtype(b, "float32"), limit


def psnr(a: Any, b: Any, max_val: Any) -> Any:
    """`20 log10(max_val) - 10 log10(mean((a - b)**2))` of each picture, in decibels."""
    a, b, limit = _scaled(a, b, max_val)
    error = _o.mean(_o.square(a - b), (-3, -2, -1))
    return 20.0 * float(np.log10(limit)) - 10.0 * _o.log10(error)


def _parts(
    a: Any, b: Any, limit: float, size: int, sigma: float, k1: float, k2: float
) -> tuple[Any, Any]:
    """Likeness of each channel, and that of contrast and structure alone."""
    steps = np.arange(size) - (size - 1) / 2
    line = np.exp(-(steps**2) / (2 * sigma**2))
    kernel = np.outer(line, line) / line.sum() ** 2
    depth = a.shape[-1]
    whole = core.constant(np.tile(kernel[..., None, None], (1, 1, depth, 1)).astype(a.dtype))

    def mean(x: Any) -> Any:
        flat = _o.reshape(x, (-1, *x.shape[-3:]))
        found = ops.depthwise_conv(flat, whole, 1, "valid", "channels_last")
        return _o.reshape(found, (*x.shape[:-3], *found.shape[1:]))

    c1, c2 = (k1 * limit) ** 2, (k2 * limit) ** 2
    mean_a, mean_b = mean(a), mean(b)
    both, squares = 2.0 * mean_a * mean_b, _o.square(mean_a) + _o.square(mean_b)
    contrast = (2.0 * mean(a * b) - both + c2) / (mean(_o.square(a) + _o.square(b)) - squares + c2)
    whole_likeness = (both + c1) / (squares + c1) * contrast
    return _o.mean(whole_likeness, (-3, -2)), _o.mean(contrast, (-3, -2))


def ssim(
    img1: Any, img2: Any, max_val: Any, filter_size: int = 11, filter_sigma: float = 1.5,
    k1: float = 0.01, k2: float = 0.03, return_index_map: bool = False,
) -> Any:  # fmt: skip
    """The structural similarity of pictures; 1 for equal ones.

    Source: Wang et al. (2004), Image Quality Assessment, equation 13.
    """
    if return_index_map:
        raise NotImplementedError("ssim: return_index_map=True is not there.")
    a, b, limit = _scaled(img1, img2, max_val)
    return _o.mean(_parts(a, b, limit, filter_size, filter_sigma, k1, k2)[0], -1)


_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim_multiscale(
    img1: Any, img2: Any, max_val: Any, power_factors: Any = _WEIGHTS, filter_size: int = 11,
    filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03,
) -> Any:  # fmt: skip
    """The structural similarity at several sizes, each half the one before.

    Source: Wang et al. (2003), Multiscale Structural Similarity, equation 7.
    """
    a, b, limit = _scaled(img1, img2, max_val)
    total: Any = 1.0
    for level, power in enumerate(power_factors):
        if level:
            a, b = _halved(a), _halved(b)
        likeness, contrast = _parts(a, b, limit, filter_size, filter_sigma, k1, k2)
        last = level == len(power_factors) - 1
        total = total * _o.relu(likeness if last else contrast) ** power
    return _o.mean(total, -1)


def _halved(x: Any) -> Any:
    odd = [(0, n % 2) for n in x.shape[-3:-1]]
    x = _o.pad(x, [(0, 0)] * (x.ndim - 3) + [*odd, (0, 0)], "symmetric")
    flat = _o.reshape(x, (-1, *x.shape[-3:]))
    half = ops.average_pool(flat, 2, 2, "valid", "channels_last")
    return _o.reshape(half, (*x.shape[:-3], *half.shape[1:]))
