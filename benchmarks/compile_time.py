"""Seconds from a compiled model to the end of its first training step: tracing, passes, program.

    python benchmarks/compile_time.py

An MLP, ResNet-20 and ResNet-50 (He et al. 2015, table 1) with their backward passes, batch 1 at a
small image size, so that arithmetic does not count. The second step, which compiles nothing, is
shown beside.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import kerasish as keras

layers = keras.layers


def mlp() -> Any:
    return keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512, "relu"),
            layers.Dense(512, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )


def _conv(x: Any, filters: int, size: int, stride: int = 1, relu: bool = True) -> Any:
    x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation("relu")(x) if relu else x


def resnet50() -> Any:
    inputs = keras.Input((32, 32, 3))
    x = _conv(inputs, 64, 7, 2)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for stage, (filters, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            y = _conv(x, filters, 1, stride)
            y = _conv(y, filters, 3)
            y = _conv(y, 4 * filters, 1, relu=False)
            if not block:
                x = _conv(x, 4 * filters, 1, stride, relu=False)
            x = layers.Activation("relu")(layers.add([x, y]))
    outputs = layers.Dense(10, "softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, outputs)


def measure(name: str, make: Any) -> None:
    """Print the first and the second step of a model."""
    model = make()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    x = np.zeros((2, *model.input_shape[1:]), "float32")
    y = np.zeros((2,), "int32")
    seconds = []
    for _ in range(2):
        start, cpu = time.perf_counter(), time.process_time()
        model.train_on_batch(x, y)
        seconds.append((time.perf_counter() - start, time.process_time() - cpu))
    print(
        f"{name:10} first step {seconds[0][0]:.3f} s ({seconds[0][1]:.3f} s of CPU), "
        f"second {seconds[1][0]:.4f} s"
    )


if __name__ == "__main__":
    measure("warm-up", mlp)
    measure("mlp", mlp)
    measure("resnet50", resnet50)
