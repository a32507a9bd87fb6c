"""Gradients of any order: the tape and the functions over it."""


import kerasish_core as core

GradientTape = core.GradientTape
StatelessScope = core.StatelessScope
custom_gradient = core.custom_gradient
device = core.device_scope
function = core.function
grad = core.grad
hessian = core.hessian
hvp = core.hvp
jacobian = core.jacobian
jvp = core.jvp
stop_gradient = core.stop_gradient
strict_dtypes = core.strict_dtypes
value_and_grad = core.value_and_grad
vjp = core.vjp

__all__ = [
    "GradientTape",
    "StatelessScope",
    "custom_gradient",
    "device",
    "function",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "stop_gradient",
    "strict_dtypes",
    "value_and_grad",
    "vjp",
]
