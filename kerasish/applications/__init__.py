"""Image classifiers whose weights are published, in Keras's layers and names.

One file per family: a table of blocks and the function that builds them. `frame.py` has what all
share: arguments, the input, the classifier on top, published weights.
"""

from __future__ import annotations

import importlib
from typing import Any

from .. import older as _older

# File to its networks, all of which `kerasish.applications` shows.
NETWORKS = {
    "convnext": (
        "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge",
    ),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "efficientnet": tuple(f"EfficientNetB{i}" for i in range(8)),
    "efficientnet_v2": tuple(f"EfficientNetV2{v}" for v in ("B0", "B1", "B2", "B3", "L", "M", "S")),
    "imagenet_utils": (),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Large", "MobileNetV3Small"),
    "nasnet": ("NASNetLarge", "NASNetMobile"),
    "resnet": ("ResNet50", "ResNet101", "ResNet152"),
    "resnet50": (),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "xception": ("Xception",),
}  # fmt: skip
# Layers of these families, which configs name: found here, but not shown.
_LAYERS = {
    "CustomScaleLayer": "inception_resnet_v2",
    "LayerScale": "convnext",
    "StochasticDepth": "convnext",
}
_HOME = {name: module for module, names in NETWORKS.items() for name in names} | _LAYERS

__all__ = [*NETWORKS, *(name for names in NETWORKS.values() for name in names)]


def __getattr__(name: str) -> Any:
    if name in NETWORKS:
        return importlib.import_module(f".{name}", __name__)
    if name in _HOME:
        value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = value
        return value
    return _older.names(__name__)(name)


def __dir__() -> list[str]:
    return sorted(__all__)
