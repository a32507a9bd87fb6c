"""The workloads in JAX, by hand: one jitted step that donates its state."""

from __future__ import annotations

import argparse
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from sizes import SIZES, Sizes, data_of, measure, sizes

RNG = np.random.default_rng(0)


def weight(*shape: int) -> Any:
    fan = int(np.prod(shape[:-1]))
    return jnp.asarray(RNG.normal(size=shape) / np.sqrt(fan), "float32")


def linear(before: int, after: int) -> Any:
    return {"w": weight(before, after), "b": jnp.zeros(after)}


def apply_linear(p: Any, x: Any) -> Any:
    return x @ p["w"].astype(x.dtype) + p["b"].astype(x.dtype)


def convolve(w: Any, x: Any, stride: int = 1) -> Any:
    return lax.conv_general_dilated(
        x, w.astype(x.dtype), (stride, stride), "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip


def mlp(s: Sizes) -> Any:
    params = [linear(784, s.width), linear(s.width, s.width), linear(s.width, s.classes)]

    def forward(p: Any, x: Any) -> Any:
        for layer in p[:-1]:
            x = jax.nn.relu(apply_linear(layer, x))
        return apply_linear(p[-1], x)

    return params, forward


def convnet(s: Sizes) -> Any:
    sizes_of = ((3, 32), (32, 32), (32, 64), (64, 64))
    params = {
        "convs": [{"w": weight(3, 3, a, b), "b": jnp.zeros(b)} for a, b in sizes_of],
        "head": linear(64 * (s.image // 4) ** 2, s.classes),
    }

    def forward(p: Any, x: Any) -> Any:
        for i, layer in enumerate(p["convs"]):
            x = jax.nn.relu(convolve(layer["w"], x) + layer["b"])
            if i % 2:
                x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return apply_linear(p["head"], x.reshape(len(x), -1))

    return params, forward


def norm(channels: int) -> Any:
    return {"g": jnp.ones(channels), "b": jnp.zeros(channels)}


def batch_norm(p: Any, x: Any) -> Any:
    wide = x.astype("float32")
    mean = wide.mean((0, 1, 2))
    variance = (wide * wide).mean((0, 1, 2)) - mean * mean
    return ((wide - mean) * lax.rsqrt(variance + 1e-5) * p["g"] + p["b"]).astype(x.dtype)


def resnet50(s: Sizes) -> Any:
    blocks, before = [], 64
    strides = []
    for stage, count in enumerate((3, 4, 6, 3)):
        f = 64 << stage
        for i in range(count):
            stride = 2 if stage and i == 0 else 1
            block = {
                "c1": weight(1, 1, before, f), "n1": norm(f), "c2": weight(3, 3, f, f),
                "n2": norm(f), "c3": weight(1, 1, f, 4 * f), "n3": norm(4 * f),
            }  # fmt: skip
            if before != 4 * f or stride > 1:
                block |= {"short": weight(1, 1, before, 4 * f), "ns": norm(4 * f)}
            blocks.append(block)
            strides.append(stride)
            before = 4 * f
    params = {"stem": weight(7, 7, 3, 64), "n": norm(64), "blocks": blocks,
              "head": linear(before, s.classes)}  # fmt: skip

    def forward(p: Any, x: Any) -> Any:
        x = jax.nn.relu(batch_norm(p["n"], convolve(p["stem"], x.astype("bfloat16"), 2)))
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")
        for b, stride in zip(p["blocks"], strides):
            y = jax.nn.relu(batch_norm(b["n1"], convolve(b["c1"], x, stride)))
            y = jax.nn.relu(batch_norm(b["n2"], convolve(b["c2"], y)))
            y = batch_norm(b["n3"], convolve(b["c3"], y))
            short = batch_norm(b["ns"], convolve(b["short"], x, stride)) if "short" in b else x
            x = jax.nn.relu(y + short)
        return apply_linear(p["head"], x.astype("float32").mean((1, 2)))

    return params, forward


def lstm(s: Sizes) -> Any:
    params = {"words": weight(s.words, 128), "w": weight(128, 4 * s.width),
              "u": weight(s.width, 4 * s.width), "b": jnp.zeros(4 * s.width),
              "head": linear(s.width, s.classes)}  # fmt: skip

    def forward(p: Any, x: Any) -> Any:
        z = p["words"][x] @ p["w"] + p["b"]

        def cell(state: Any, row: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(row + h @ p["u"], 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), None

        start = jnp.zeros((len(x), s.width))
        (h, _), _ = lax.scan(cell, (start, start), z.swapaxes(0, 1))
        return apply_linear(p["head"], h)

    return params, forward


def layer_norm(p: Any, x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred * lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * p["g"] + p["b"]


def transformer(s: Sizes) -> Any:
    d = s.width
    params = {
        "words": weight(s.words, d), "n": norm(d), "head": linear(d, s.classes),
        "blocks": [
            {"n1": norm(d), "n2": norm(d), "qkv": linear(d, 3 * d), "out": linear(d, d),
             "up": linear(d, 4 * d), "down": linear(4 * d, d)}
            for _ in range(s.layers)
        ],
    }  # fmt: skip

    def forward(p: Any, x: Any) -> Any:
        x = p["words"][x]
        n, t, _ = x.shape
        for b in p["blocks"]:
            parts = apply_linear(b["qkv"], layer_norm(b["n1"], x))
            q, k, v = jnp.moveaxis(parts.reshape(n, t, 3, s.heads, d // s.heads), 2, 0)
            y = jax.nn.dot_product_attention(q, k, v).reshape(n, t, d)
            x = x + apply_linear(b["out"], y)
            y = jax.nn.gelu(apply_linear(b["up"], layer_norm(b["n2"], x)), approximate=False)
            x = x + apply_linear(b["down"], y)
        return apply_linear(p["head"], layer_norm(p["n"], x).mean(1))

    return params, forward


def adam(p: Any, g: Any, m: Any, v: Any, t: Any) -> Any:
    m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
    v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
    scale = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    p = jax.tree.map(lambda a, b, c: a - scale * b / (jnp.sqrt(c) + 1e-7), p, m, v)
    return p, m, v


def momentum(p: Any, g: Any, m: Any, v: Any, t: Any) -> Any:
    m = jax.tree.map(lambda a, b: 0.9 * a - 0.01 * b, m, g)
    return jax.tree.map(lambda a, b: a + b, p, m), m, v


def run(name: str, small: bool) -> dict[str, float]:
    s = sizes(name, small)
    x, y = (jnp.asarray(a) for a in data_of(name, s))
    params, forward = globals()[name](s)
    update = momentum if name == "resnet50" else adam

    def loss(p: Any) -> Any:
        logits = jax.nn.log_softmax(forward(p, x).astype("float32"))
        return -jnp.take_along_axis(logits, y[:, None], 1).mean()

    def step(p: Any, m: Any, v: Any, t: Any) -> Any:
        value, g = jax.value_and_grad(loss)(p)
        return (*update(p, g, m, v, t), t + 1, value)

    jitted = jax.jit(step, donate_argnums=(0, 1, 2))
    zeros = [jax.tree.map(jnp.zeros_like, params) for _ in range(2)]
    state = [params, *zeros, jnp.float32(1), jnp.float32(0)]

    def again() -> None:
        state[:] = jitted(*state[:4])

    return {"step_ms": measure(again, lambda: state[-1].block_until_ready(), 0.2 if small else 2)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(SIZES))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--tf32", action="store_true")
    options = parser.parse_args()
    precision = "tensorfloat32" if options.tf32 else "highest"
    jax.config.update("jax_default_matmul_precision", precision)
    for workload in options.only.split(","):
        print(json.dumps({workload: run(workload, options.small)}), flush=True)
