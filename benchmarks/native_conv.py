"""Convolution kernels against the machine's multiply-add peak, pooling against copying.

    python benchmarks/native_conv.py [--set avx2] [--seconds 0.2] [--only 3x3]

One thread. Times are the thread's own processor time, the best of many runs; the peak and the
speed of copying are measured beside them, so that a busy machine lowers both.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasish_core.executors.native import _native as native
from kerasish_core.executors.native.instructions.conv import (
    conv_params,
    kernel_grad_partials,
    packed_bytes,
)
from kerasish_core.executors.native.instructions.pool import pool_params
from kerasish_core.ops.windows import output_size, resolve_padding


class Shape(NamedTuple):
    """A 2D convolution of square images."""

    batch: int
    size: int
    channels: int
    filters: int
    window: int = 3
    stride: int = 1
    padding: str = "same"
    groups: int = 1

    def __str__(self) -> str:
        text = f"N{self.batch} {self.size}x{self.size} C{self.channels} K{self.filters} "
        text += f"{self.window}x{self.window} {self.padding}"
        text += f" stride {self.stride}" if self.stride > 1 else ""
        return text + (f" groups {self.groups}" if self.groups > 1 else "")


CONVOLUTIONS = [
    Shape(32, 32, 64, 64),
    Shape(128, 28, 1, 32, padding="valid"),
    Shape(128, 26, 32, 64, padding="valid"),
    Shape(64, 32, 3, 32),
    Shape(64, 32, 16, 16),
    Shape(64, 32, 32, 32),
    Shape(64, 16, 64, 64),
    Shape(64, 8, 64, 64),
    Shape(64, 4, 128, 128),
    Shape(8, 8, 512, 512),
    Shape(64, 32, 16, 32, stride=2),
    Shape(64, 16, 32, 64, stride=2),
    Shape(64, 16, 64, 64, window=1),
    Shape(64, 32, 32, 64, window=1, stride=2),
    Shape(32, 32, 64, 64, groups=64),
]
POOLS = [(128, 24, 64, 2, 2), (64, 32, 32, 2, 2), (32, 32, 64, 3, 2), (128, 24, 16, 2, 2)]


def best(run: Callable[[], None], seconds: float) -> float:
    """The least processor time of a run, of as many as fit the given time."""
    run()
    least, end = math.inf, time.perf_counter() + seconds
    while time.perf_counter() < end or least == math.inf:
        start = time.thread_time()
        run()
        least = min(least, time.thread_time() - start)
    return least


def peak(seconds: float) -> float:
    """Multiply-adds in registers: GFLOP/s."""
    rounds = 200_000
    result = np.zeros(1, "f4")
    lanes = {"avx512": 16, "avx2": 8, "plain": 4}[native.instruction_set()]
    taken = best(lambda: native.call("peak_f32", [result], [rounds]), seconds)
    return 2e-9 * 12 * lanes * rounds / taken


def geometry(shape: Shape) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Output size and padding."""
    two = (shape.window,) * 2
    pads = resolve_padding(
        "conv", shape.padding, (shape.size,) * 2, two, (shape.stride,) * 2, (1, 1)
    )
    return output_size(shape.size, shape.window, shape.stride, 1, pads[0]), pads


def convolution(shape: Shape, seconds: float) -> tuple[float, ...]:
    """GFLOP/s of the forward pass, the input gradient and the kernel gradient."""
    n, size, c, f, window, stride, _, groups = shape
    out, pads = geometry(shape)
    rng = np.random.default_rng(0)
    x = rng.random((n, size, size, c), "f4")
    kernel = rng.random((window, window, c // groups, f), "f4")
    y = rng.random((n, out, out, f), "f4")
    params = conv_params(x.shape, kernel.shape, y.shape, (stride,) * 2, pads, (1, 1), groups)
    parts = kernel_grad_partials(kernel.shape, y.shape, 4)
    results = [np.empty_like(a) for a in (y, x, kernel)]
    calls = [
        ("conv_f32", (x, kernel), params, packed_bytes(kernel.shape, groups, f // groups, 4)),
        (
            "conv_input_grad_f32", (y, kernel), params,
            packed_bytes(kernel.shape, groups, c // groups, 4),
        ),
        ("conv_kernel_grad_f32", (x, y), [*params, parts], parts * kernel.nbytes),
    ]  # fmt: skip
    flops = 2e-9 * y.size * math.prod(kernel.shape[:-1])
    return tuple(
        flops / best(lambda c=call, r=result: native.call(c[0], [*c[1], r], *c[2:]), seconds)
        for call, result in zip(calls, results, strict=True)
    )


def pooling(
    n: int, size: int, c: int, window: int, stride: int, seconds: float
) -> dict[str, tuple[float, float]]:
    """For each pooling kernel GB/s of its operands, read or written once, and of a copy as long."""
    out = (size - window) // stride + 1
    rng = np.random.default_rng(0)
    x, y = rng.random((n, size, size, c), "f4"), rng.random((n, out, out, c), "f4")
    like_x, like_y = np.empty_like(x), np.empty_like(y)
    params = pool_params(x.shape, y.shape, (window,) * 2, (stride,) * 2, ((0, 0), (0, 0)))
    found = {}
    for name, arrays in {
        "max_pool": [x, like_y],
        "max_pool_grad": [x, y, like_x],
        "window_sum": [x, like_y],
        "window_spread": [y, like_x],
    }.items():
        moved = sum(a.nbytes for a in arrays)
        taken = best(lambda k=name, a=arrays: native.call(f"{k}_f32", a, params), seconds)
        half = np.empty(moved // 8, "f4"), np.empty(moved // 8, "f4")
        copied = best(lambda h=half: np.copyto(*h), seconds)
        found[name] = (moved * 1e-9 / taken, moved * 1e-9 / copied)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", help="instruction set: avx512, avx2 or plain")
    parser.add_argument("--seconds", type=float, default=0.2, help="spent on each figure")
    parser.add_argument("--only", default="", help="only shapes whose text contains this")
    args = parser.parse_args()
    native.set_threads(1)
    if args.set:
        native.set_instruction_set(args.set)
    print(f"{native.instruction_set()}; GFLOP/s and share of the peak measured beside them\n")
    print("| convolution | peak | forward | input gradient | kernel gradient |")
    print("| --- | --- | --- | --- | --- |")
    for shape in CONVOLUTIONS:
        if args.only not in str(shape):
            continue
        top = peak(args.seconds)
        speeds = convolution(shape, args.seconds)
        cells = " | ".join(f"{s:.1f} ({s / top:.0%})" for s in speeds)
        print(f"| {shape} | {top:.1f} | {cells} |", flush=True)
    print("\n| pooling | kernel | GB/s | of a copy |\n| --- | --- | --- | --- |")
    for pool in POOLS:
        text = "N{0} {1}x{1} C{2} {3}x{3} stride {4}".format(*pool)
        if args.only not in text:
            continue
        for name, (speed, copied) in pooling(*pool, args.seconds).items():
            print(f"| {text} | {name} | {speed:.1f} | {speed / copied:.0%} |", flush=True)


if __name__ == "__main__":
    main()
