"""The Keras API on its own autodiff core.

Rooms load when first used, so that `import kerasish` costs little.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import older as _older

__version__ = "3.15.0"  # the level of the Keras API that this follows
__kerasish_version__ = "0.1.0"

# Name to the module that holds it; None: the module of that name itself.
_ROOMS = (
    "activations", "applications", "autodiff", "backend", "callbacks", "config", "constraints",
    "datasets", "distillation", "distribution", "distributions", "dtype_policies", "export",
    "initializers", "layers", "legacy", "losses", "metrics", "mixed_precision", "models",
    "ops", "optimizers", "preprocessing", "quantizers", "random", "regularizers", "rl", "saving",
    "serialization", "summary", "training", "tree", "utils", "visualization", "wrappers",
)  # fmt: skip
_NAMES = {
    "Model": "models", "Sequential": "models", "Functional": "models",
    "Layer": "layers", "Input": "layers", "InputSpec": "layers",
    "Loss": "losses", "Metric": "metrics", "Optimizer": "optimizers",
    "Initializer": "initializers", "Regularizer": "regularizers", "Quantizer": "quantizers",
    "Variable": "variable", "KerasTensor": "ops", "Operation": "ops",
    "SeedGenerator": "random", "name_scope": "naming",
    "DTypePolicy": "dtype_policies", "FloatDTypePolicy": "dtype_policies",
    "StatelessScope": "autodiff", "GradientTape": "autodiff", "custom_gradient": "autodiff",
    "function": "autodiff", "device": "autodiff",
    "SymbolicScope": "scopes", "RematScope": "remat_scope", "remat": "layers.rematerializing",
    "Function": "models.function",
    "load_ipython_extension": "compat",
}  # fmt: skip
# What `from keras import *` gives, which is what Keras has.
__all__ = sorted(
    {*_ROOMS, *_NAMES, "version"}
    - {
        "Functional", "GradientTape", "SeedGenerator", "autodiff", "custom_gradient",
        "distributions", "function", "load_ipython_extension", "rl", "serialization", "summary",
        "training",
    }
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name in _NAMES:
        value = getattr(importlib.import_module(f".{_NAMES[name]}", __name__), name)
        globals()[name] = value
        return value
    return _older.names(__name__)(name)


def __dir__() -> list[str]:
    return sorted({*_ROOMS, *_NAMES, "__version__"})


def version() -> str:
    """The level of the Keras API."""
    return __version__


_older.install_paths()
