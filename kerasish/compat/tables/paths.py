"""Modules of earlier releases, and the rooms in which their names are now.

Paths are below `keras`, rooms below `kerasish`; "" is `kerasish` itself. Names are looked for in
the order of the rooms, after those of `tables/names.py` for the path itself.
"""

from __future__ import annotations

__all__ = ["PATHS"]

_LAYERS = ("layers",)

PATHS: dict[str, tuple[str, ...]] = {
    # layers
    "layers.advanced_activations": _LAYERS,
    "layers.convolutional": _LAYERS,
    "layers.convolutional_recurrent": _LAYERS,
    "layers.core": _LAYERS,
    "layers.cudnn_recurrent": _LAYERS,
    "layers.embeddings": _LAYERS,
    "layers.local": _LAYERS,
    "layers.merge": _LAYERS,
    "layers.noise": _LAYERS,
    "layers.normalization": _LAYERS,
    "layers.pooling": _LAYERS,
    "layers.recurrent": _LAYERS,
    "layers.wrappers": _LAYERS,
    # engine
    "engine": ("layers", "models", "ops"),
    "engine.topology": ("layers", "models", "ops"),
    "engine.training": ("models",),
    # utils
    "utils.np_utils": ("utils",),
    # names of modules
    "initializations": ("initializers",),
    "objectives": ("losses",),
}
