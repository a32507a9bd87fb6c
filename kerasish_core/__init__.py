"""The core: tensors, operations with gradient rules, tapes, tracing, executors.

This is its only door. It knows nothing of layers, models or Keras.
"""

from . import config, dtypes, ops, tree
from .autodiff import (
    GradientTape,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    remat,
    value_and_grad,
    vjp,
)
from .collective import Alone, communicator, connect
from .compile import CompiledStep, compile_step, function
from .control import cond, custom_gradient, fori_loop, map, scan, switch, while_loop
from .device import Unchanging, current_device, device_scope, gpu_count, to_device
from .dispatch import active_tape, eager_scope, is_abstract, is_recording, is_tracing, strict_dtypes
from .errors import (
    DeviceError,
    DTypeError,
    GradientError,
    ShapeError,
    TraceError,
    VerifyError,
)
from .executors.cuda import connect_gpus, forget_copies
from .executors.reference import eager as _eager  # registers the eager runner
from .op import REGISTRY, Spec
from .ops import stop_gradient
from .replicas import Replicas, replicas_on
from .tensor import Tensor, constant, convert, install_operators
from .tracing import eval_spec, quick_key
from .variable import StatelessScope, Variable

__all__ = [
    "REGISTRY",
    "Alone",
    "CompiledStep",
    "DTypeError",
    "DeviceError",
    "GradientError",
    "GradientTape",
    "Replicas",
    "ShapeError",
    "Spec",
    "StatelessScope",
    "Tensor",
    "TraceError",
    "Unchanging",
    "Variable",
    "VerifyError",
    "active_tape",
    "communicator",
    "compile_step",
    "connect",
    "connect_gpus",
    "cond",
    "config",
    "constant",
    "convert",
    "current_device",
    "custom_gradient",
    "device_scope",
    "dtypes",
    "eager_scope",
    "eval_spec",
    "forget_copies",
    "fori_loop",
    "function",
    "gpu_count",
    "grad",
    "hessian",
    "hvp",
    "install_operators",
    "is_abstract",
    "is_recording",
    "is_tracing",
    "quick_key",
    "jacobian",
    "jvp",
    "map",
    "ops",
    "remat",
    "replicas_on",
    "scan",
    "stop_gradient",
    "strict_dtypes",
    "switch",
    "to_device",
    "tree",
    "value_and_grad",
    "vjp",
    "while_loop",
]
