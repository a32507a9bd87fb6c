"""Training in half precision, under Keras's public path: `set_global_policy("mixed_float16")`."""

from __future__ import annotations

from . import older as _older
from .dtype_policies import DTypePolicy
from .dtype_policies.choice import set_dtype_policy
from .dtype_policies.policy import dtype_policy
from .optimizers.loss_scale import LossScaleOptimizer

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]

Policy, global_policy, set_global_policy = DTypePolicy, dtype_policy, set_dtype_policy
# Modules of earlier releases lie below it.
__path__: list[str] = []
__getattr__ = _older.names(__name__)
