"""The workloads in kerasish: `train_on_batch` without waiting for the result is not asked of a
user, so that steps run through `fit` on a data set of the same batch again and again."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from sizes import SIZES, Sizes, data_of, sizes

import kerasish as keras
import kerasish_core as core
from kerasish import layers


def mlp(s: Sizes) -> Any:
    return keras.Sequential(
        [keras.Input((784,)), layers.Dense(s.width, "relu"), layers.Dense(s.width, "relu"),
         layers.Dense(s.classes)]
    )  # fmt: skip


def convnet(s: Sizes) -> Any:
    return keras.Sequential(
        [keras.Input((s.image, s.image, 3)),
         layers.Conv2D(32, 3, padding="same", activation="relu"),
         layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
         layers.Conv2D(64, 3, padding="same", activation="relu"),
         layers.Conv2D(64, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
         layers.Flatten(), layers.Dense(s.classes)]
    )  # fmt: skip


def resnet50(s: Sizes) -> Any:
    return keras.applications.ResNet50(
        weights=None, input_shape=(s.image, s.image, 3), classes=s.classes,
        classifier_activation=None,
    )  # fmt: skip


def lstm(s: Sizes) -> Any:
    return keras.Sequential(
        [keras.Input((s.length,), dtype="int32"), layers.Embedding(s.words, 128),
         layers.LSTM(s.width), layers.Dense(s.classes)]
    )  # fmt: skip


def transformer(s: Sizes) -> Any:
    inputs = keras.Input((s.length,), dtype="int32")
    x = layers.Embedding(s.words, s.width)(inputs)
    for _ in range(s.layers):
        y = layers.LayerNormalization(epsilon=1e-5)(x)
        x = x + layers.MultiHeadAttention(s.heads, s.width // s.heads)(y, y)
        y = layers.LayerNormalization(epsilon=1e-5)(x)
        x = x + layers.Dense(s.width)(layers.Dense(4 * s.width, "gelu")(y))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-5)(x))
    return keras.Model(inputs, layers.Dense(s.classes)(x))


_ON_DEVICE = 400 << 20


def rate(half: bool, size: int) -> float:
    """Operations a second of one large matrix product by cuBLAS, or NumPy's on the CPU."""
    import cupy

    dtype = "float16" if half else "float32"
    a = cupy.ones((size, size), dtype)
    for _ in range(3):
        a @ a
    cupy.cuda.Device().synchronize()
    start = time.perf_counter()
    for _ in range(20):
        a @ a
    cupy.cuda.Device().synchronize()
    return 20 * 2.0 * size**3 / (time.perf_counter() - start)


def run(name: str, small: bool, steps: int, tf32: bool) -> dict[str, float]:
    s = sizes(name, small)
    keras.config.enable_tensor_float_32_execution(tf32)
    keras.config.set_dtype_policy("mixed_bfloat16" if s.half else "float32")
    model = globals()[name](s)
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9) if name == "resnet50" else "adam"
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    x, y = data_of(name, s)
    # As many as stay on the device for a whole `fit`, as the one batch of the others does.
    count = 2 if small else min(steps, max(4, _ON_DEVICE // (x.nbytes + y.nbytes)))
    xs, ys = np.concatenate([x] * count), np.concatenate([y] * count)
    model.fit(xs, ys, batch_size=s.batch, epochs=1, verbose=0, shuffle=False)
    best = float("inf")
    for _ in range(1 if small else 4):
        start = time.perf_counter()
        model.fit(xs, ys, batch_size=s.batch, epochs=1, verbose=0, shuffle=False)
        best = min(
            best, (time.perf_counter() - start) / count
        )  # the logs of an epoch are waited for
    found = {"step_ms": best * 1e3}
    if core.current_device().startswith("gpu"):
        found["rate"] = rate(s.half, 8192)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(SIZES))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--tf32", action="store_true")
    parser.add_argument("--steps", type=int, default=300, help="of an epoch, at most")
    options = parser.parse_args()
    for workload in options.only.split(","):
        figures = run(workload, options.small, options.steps, options.tf32)
        print(json.dumps({workload: figures}), flush=True)
