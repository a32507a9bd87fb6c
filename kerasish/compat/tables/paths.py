"""Modules of earlier releases, and the rooms in which their names are now.

Paths are below `keras`, rooms below `kerasish`; "" is `kerasish` itself. Names are looked for in
the order of the rooms, after those of `tables/names.py` for the path itself. The first room that
is not of `compat` is said to be today's.
"""

from __future__ import annotations

from .libraries import LIBRARY_PATHS

__all__ = ["PATHS"]

_LAYERS = ("layers",)
_ENGINE = ("layers", "models", "ops", "utils", "compat.utils.generic_utils")
_BATCHES = ("compat.utils.generic_utils", "compat.utils.data_utils")
_PREPROCESSING = ("layers",)

PATHS: dict[str, tuple[str, ...]] = {
    **LIBRARY_PATHS,
    # layers, one module for each kind
    "layers.advanced_activations": _LAYERS,
    "layers.convolutional": _LAYERS,
    "layers.convolutional_recurrent": _LAYERS,
    "layers.core": _LAYERS,
    "layers.cudnn_recurrent": _LAYERS,
    "layers.dense_attention": _LAYERS,
    "layers.embeddings": _LAYERS,
    "layers.local": _LAYERS,
    "layers.merge": _LAYERS,
    "layers.noise": _LAYERS,
    "layers.normalization": _LAYERS,
    "layers.pooling": _LAYERS,
    "layers.recurrent": _LAYERS,
    "layers.serialization": _LAYERS,
    "layers.wrappers": _LAYERS,
    # what was on trial
    "experimental": ("compat.experimental", "optimizers.schedules"),
    "backend.experimental": ("compat.experimental",),
    "callbacks.experimental": ("compat.experimental", "callbacks"),
    "layers.experimental": ("compat.experimental", "layers"),
    "layers.experimental.preprocessing": _PREPROCESSING,
    "metrics.experimental": ("compat.experimental",),
    "mixed_precision.experimental": ("mixed_precision",),
    "models.experimental": ("compat.experimental",),
    "optimizers.experimental": ("optimizers",),
    "utils.experimental": ("compat.experimental",),
    "dtensor": ("compat.experimental",),
    "dtensor.experimental": ("compat.experimental",),
    "dtensor.experimental.optimizers": ("optimizers",),
    "estimator": ("compat.experimental",),
    # the engine and its parts
    "engine": _ENGINE,
    "engine.base_layer": ("layers", "ops"),
    "engine.data_adapter": ("utils",),
    "engine.functional": ("models",),
    "engine.input_layer": _LAYERS,
    "engine.input_spec": _LAYERS,
    "engine.keras_tensor": ("ops", ""),
    "engine.network": ("models", "layers", "utils"),
    "engine.saving": ("models", "saving"),
    "engine.sequential": ("models",),
    "engine.topology": _ENGINE,
    "engine.training": ("models", *_BATCHES),
    "engine.training_arrays": ("models",),
    "engine.training_generator": ("models",),
    "engine.training_utils": ("models", *_BATCHES),
    "legacy.interfaces": ("compat.interfaces",),
    "legacy.layers": _LAYERS,
    # callbacks
    "callbacks.callbacks": ("callbacks",),
    "callbacks.tensorboard_v1": ("callbacks",),
    "callbacks.tensorboard_v2": ("callbacks",),
    # networks
    "applications.regnet": ("compat.applications.regnet",),
    "applications.resnet_rs": ("compat.applications.resnet_rs",),
    # backends
    "backend.common": ("backend",),
    "backend.tensorflow_backend": ("backend",),
    # saving
    "saving.hdf5_format": ("saving", "models"),
    "saving.save": ("models", "saving"),
    # utils
    "utils.losses_utils": ("losses",),
    "utils.metrics_utils": ("losses", "metrics"),
    "utils.multi_gpu_utils": ("compat.devices",),
    "utils.training_utils": ("compat.devices",),
    # names of modules
    "initializers.initializers_v1": ("initializers",),
    "initializers.initializers_v2": ("initializers",),
    "objectives": ("losses",),
    "optimizer_v1": ("optimizers",),
    "optimizer_v2": ("optimizers",),
    "optimizers.optimizer_v1": ("optimizers",),
    "optimizers.optimizer_v2": ("optimizers",),
    "optimizers.learning_rate_schedule": ("optimizers.schedules",),
    "optimizers.schedules.learning_rate_schedule": ("optimizers.schedules",),
}
