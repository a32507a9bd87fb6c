"""What tests of programs for Keras 1 share: data, and layers in its configs."""

from __future__ import annotations

import numpy as np

__all__ = ["data", "layer_entry"]


def data(*sizes):
    generator = np.random.RandomState(0)
    return [generator.rand(16, size).astype("float32") for size in sizes]


def layer_entry(name, kind, inbound, **config):
    config = {"name": name, "trainable": True, **config}
    inbound = [[[into, 0, 0] for into in inbound]] if inbound else []
    return {"class_name": kind, "name": name, "config": config, "inbound_nodes": inbound}
