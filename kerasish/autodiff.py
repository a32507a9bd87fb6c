"""Gradients of any order: the tape and the functions over it."""

import contextlib

import kerasish_core as core

from .scopes import StatelessScope

GradientTape = core.GradientTape
custom_gradient = core.custom_gradient
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


def device(device_name: str) -> contextlib.AbstractContextManager[None]:
    """A block in which new arrays are made on a device.

    Args:
        device_name: "cpu", "gpu" or "gpu:1".

    Raises:
        ValueError: It is no string.
        DeviceError: There is no such kind of device.
    """
    if not isinstance(device_name, str):
        raise ValueError(
            "Invalid value for argument `device_name`. Expected a string like 'gpu:0'. "
            f"Received: device_name='{device_name}'"
        )
    return core.device_scope(device_name)


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
