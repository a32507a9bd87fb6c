"""Architectures that Keras 2 had last, and what is compared of them with real Keras 2."""

from __future__ import annotations

import hashlib
import json

import numpy as np

SIZES = ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320")
NAMES = [
    *(f"RegNetX{size}" for size in SIZES),
    *(f"RegNetY{size}" for size in SIZES),
    *(f"ResNetRS{depth}" for depth in (50, 101, 152, 200, 270, 350, 420)),
]
CASES = [
    *((name, {}) for name in NAMES),
    *(
        (name, {"include_top": False, "pooling": "avg"})
        for name in ("RegNetX002", "RegNetX016", "RegNetY002", "RegNetY040", "ResNetRS50")
    ),
    *(
        (name, {"weights": None, "input_shape": (40, 52, 1), "classes": 7, **kwargs})
        for name in ("RegNetX004", "RegNetY004", "ResNetRS50")
        for kwargs in ({}, {"include_preprocessing": False}, {"classifier_activation": None})
    ),
    ("RegNetX002", {"weights": None, "model_name": "mine", "include_top": False}),
    ("ResNetRS152", {"weights": "imagenet-i192", "include_top": False}),
    ("ResNetRS101", {"weights": "imagenet-i160", "input_shape": (160, 160, 3)}),
    ("ResNetRS50", {"weights": None, "include_top": False, "pooling": "max"}),
]
# Compared in values: the smallest of each way of building.
VALUES = ("RegNetX002", "RegNetY002", "ResNetRS50")


def label(name, kwargs):
    """A case as text."""
    return f"{name}({', '.join(f'{k}={v!r}' for k, v in kwargs.items())})"


def describe(model):
    """What can be seen of a model: counts, and a hash of its layers' names and its weights' shapes.

    Inputs are left out: each release numbers them in its own way.
    """
    names = [layer.name for layer in model.layers if type(layer).__name__ != "InputLayer"]
    shapes = [tuple(int(n) for n in w.shape) for w in model.weights]
    text = json.dumps([names, shapes])
    return {
        "name": model.name,
        "layers": len(model.layers),
        "params": int(sum(np.prod(shape, dtype="int64") for shape in shapes)),
        "output": str(tuple(model.output.shape)),
        "hash": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def outputs(model):
    """Of a model with drawn weights, for two drawn images.

    The weights are such that values neither vanish nor grow from layer to layer.
    """
    rng = np.random.default_rng(0)
    shapes = [tuple(int(n) for n in w.shape) for w in model.weights]
    model.set_weights(
        [
            rng.normal(0, (2.0 / np.prod(shape[:-1])) ** 0.5, shape)
            if len(shape) > 1
            else rng.uniform(0.5, 1.0, shape)
            for shape in shapes
        ]
    )
    images = rng.uniform(0, 255, (2, *(int(n) for n in model.input_shape[1:])))
    return np.asarray(model(images.astype("float32"), training=False))


def small(package, name):
    """A network of `VALUES` for small images, without a classifier."""
    build = getattr(package.applications, name)
    return build(weights=None, include_top=False, pooling="avg", input_shape=(32, 40, 3))
