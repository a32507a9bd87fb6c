"""Discrete Fourier transforms, real and imaginary parts being tensors of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import apply
from ..errors import ShapeError
from ..op import Spec, define_op
from ..tensor import OPERATORS, Tensor
from ._args import canonical_axes, promote

__all__ = ["fourier"]


def _spec(re: Spec, im: Spec, axes: tuple[int, ...], sign: int) -> tuple[Spec, Spec]:
    if re.shape != im.shape or any(a >= len(re.shape) for a in axes):
        raise ShapeError(
            f"fourier: re is {re}, im is {im}; equal shapes with the axes {axes} are needed."
        )
    if any(re.shape[a] == 0 for a in axes):
        raise ShapeError(f"fourier: re is {re}; the transformed axes {axes} must not be empty.")
    return re, im


def _kernel(xp: Any, re: Any, im: Any, axes: tuple[int, ...], sign: int) -> Any:
    if re.shape != im.shape:
        raise ValueError("equal shapes are needed")
    dtype = re.dtype
    wide = np.dtype("complex128" if dtype == np.float64 else "complex64")
    z = xp.empty(re.shape, wide)
    z.real, z.imag = re, im
    norm = "backward" if sign < 0 else "forward"  # neither divides
    y = (xp.fft.fftn if sign < 0 else xp.fft.ifftn)(z, axes=axes, norm=norm)
    return y.real.astype(dtype), y.imag.astype(dtype)


def _rule(g: Any, y_spec: Any, axes: tuple[int, ...], sign: int) -> Any:
    # The adjoint of a transform is the one with the other sign.
    re, im = (
        OPERATORS["zeros"](s.shape, s.dtype) if u is None else u
        for u, s in zip(g, y_spec, strict=True)
    )
    return apply(_FOURIER, re, im, axes=axes, sign=-sign)


_FOURIER = define_op(
    "fourier", "opaque", "re im", infer=_spec, kernel=_kernel, vjp=_rule, multiple=True,
    samples=lambda rng: [
        ([rng.normal(size=(2, 5)), rng.normal(size=(2, 5))], {"axes": (1,), "sign": -1}),
        ([rng.normal(size=(3, 4)), rng.normal(size=(3, 4))], {"axes": (0, 1), "sign": 1}),
    ],
)  # fmt: skip


def fourier(re: Any, im: Any, axes: Any = -1, inverse: bool = False) -> tuple[Tensor, Tensor]:
    """`y[k] = sum(x[t] exp(-2 pi i k t / n))` along axes; with `inverse` the transform back.

    Args:
        re, im: Real and imaginary part, of equal shape.
        axes: One or several.
        inverse: Whether to take the other sign and divide by the number of elements.

    Returns:
        Real and imaginary part.

    Raises:
        ShapeError: The shapes differ, or an axis is empty.
    """
    re, im = promote(re, im, at_least=float)
    found = canonical_axes("fourier", axes, re.ndim)
    y = apply(_FOURIER, re, im, axes=found, sign=1 if inverse else -1)
    if not inverse:
        return y  # type: ignore[no-any-return]
    count = float(np.prod([re.shape[a] for a in found]))
    return y[0] / count, y[1] / count
