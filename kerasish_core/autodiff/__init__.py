"""Reverse-mode differentiation: the tape and the functions over it."""

from .functional import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .remat import remat
from .tape import GradientTape

__all__ = [
    "GradientTape",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "remat",
    "value_and_grad",
    "vjp",
]
