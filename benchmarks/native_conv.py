"""Convolution kernels against the machine's multiply-add peak, pooling against copying.

    python benchmarks/native_conv.py [--set avx2] [--seconds 1] [--only "C64 K64"]

One thread; the kernels that programs choose, of which those marked W do fewer operations than are
counted (Winograd's filtering). Times are the thread's own processor time, the best of many rounds;
the peak and the speed of copying the larger operand are measured in the same rounds. Operations
count as if nothing were padding. Where reading and writing the operands at the speed of copying
takes longer than the operations at the peak, that is the floor, and its share is given too.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kerasish_core.executors.native import _native as native
from kerasish_core.executors.native.instructions.conv import choose, conv_params
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
    Shape(128, 13, 32, 64, padding="valid"),
    Shape(64, 32, 3, 32),
    Shape(64, 32, 16, 16),
    Shape(64, 32, 32, 32),
    Shape(64, 16, 32, 32),
    Shape(64, 16, 64, 64),
    Shape(64, 8, 64, 64),
    Shape(64, 4, 128, 128),
    Shape(8, 8, 512, 512),
    Shape(64, 32, 16, 32, stride=2),
    Shape(64, 16, 32, 64, stride=2),
    Shape(128, 28, 32, 1),
    Shape(64, 32, 64, 3),
    Shape(32, 64, 64, 3, window=5),
    Shape(64, 16, 64, 64, window=1),
    Shape(64, 32, 32, 64, window=1, stride=2),
    Shape(32, 32, 64, 64, groups=64),
]
PEAKS = 8  # times that the peak is measured in a round: the first ones come after other work
POOL_KERNELS = ("max_pool", "max_pool_grad", "window_sum", "window_spread")
POOLS = [(128, 24, 64, 2, 2), (64, 32, 32, 2, 2), (32, 32, 64, 3, 2), (128, 24, 16, 2, 2)]


def best(runs: Sequence[Callable[[], None]], seconds: float) -> list[float]:
    """The least processor time of each run, of as many rounds over all of them as fit the time.

    What disturbs the machine for a while thus disturbs all of them.
    """
    least, end = [math.inf] * len(runs), time.perf_counter() + seconds
    for run in runs:
        run()
    while time.perf_counter() < end or math.inf in least:
        for i, run in enumerate(runs):
            start = time.thread_time()
            run()
            least[i] = min(least[i], time.thread_time() - start)
    return least


def multiply_adds() -> tuple[Callable[[], None], float]:
    """Multiply-adds in registers, and how many GFLOP they are."""
    rounds = 100_000
    result = np.zeros(1, "f4")
    lanes = {"avx512": 16, "avx2": 8, "plain": 4}[native.instruction_set()]
    return lambda: native.call("peak_f32", [result], [rounds]), 2e-9 * 12 * lanes * rounds


def array(*shape: int) -> np.ndarray:
    """Random numbers that begin a cache line, as values of a program do."""
    memory = np.random.default_rng(0).random(math.prod(shape) + 16, "f4")
    start = -memory.ctypes.data // 4 % 16
    return memory[start : start + math.prod(shape)].reshape(shape)


def geometry(shape: Shape) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Output size and padding."""
    two = (shape.window,) * 2
    pads = resolve_padding(
        "conv", shape.padding, (shape.size,) * 2, two, (shape.stride,) * 2, (1, 1)
    )
    return output_size(shape.size, shape.window, shape.stride, 1, pads[0]), pads


def convolution(shape: Shape, seconds: float) -> list[str]:
    """GFLOP/s of multiply-adds alone, GB/s of copying, and what the three kernels reach."""
    n, size, c, f, window, stride, _, groups = shape
    out, pads = geometry(shape)
    x, kernel = array(n, size, size, c), array(window, window, c // groups, f)
    y = array(n, out, out, f)
    params = conv_params(x.shape, kernel.shape, y.shape, (stride,) * 2, pads, (1, 1), groups)
    results = [array(*a.shape) for a in (y, x, kernel)]
    operands = {
        "conv": [x, kernel, results[0]],
        "conv_input_grad": [y, kernel, results[1]],
        "conv_kernel_grad": [x, y, results[2]],
    }
    top, top_flops = multiply_adds()
    larger = max(x, y, key=lambda a: a.size)
    like_larger = array(*larger.shape)
    shapes = x.shape, kernel.shape, y.shape
    chosen = [choose(op, x.dtype, *shapes, (stride,) * 2, (1, 1), groups) for op in operands]
    times = best(
        [
            *[top] * PEAKS,
            lambda: np.copyto(like_larger, larger),
            *(
                lambda kind=kind, arrays=arrays: native.call(
                    kind.name, arrays, [*params, *kind.more], kind.scratch
                )
                for kind, arrays in zip(chosen, operands.values(), strict=True)
            ),
        ],
        seconds,
    )
    flops = 2e-9 * y.size * math.prod(kernel.shape[:-1])
    peak = top_flops / min(times[:PEAKS])
    copied = 2e-9 * larger.nbytes / times[PEAKS]
    cells = [f"{peak:.1f}", f"{copied:.1f}"]
    floor = 1e-9 * (x.nbytes + kernel.nbytes + y.nbytes) / copied  # by bytes
    for kind, taken in zip(chosen, times[PEAKS + 1 :], strict=True):
        speed = flops / taken
        notes = [f"{speed / peak:.0%}", *["W"] * ("winograd" in kind.name)]
        if floor > flops / peak:
            notes.append(f"bytes {floor / taken:.0%}")
        cells.append(f"{speed:.1f} ({', '.join(notes)})")
    return cells


def pooling(
    n: int, size: int, c: int, window: int, stride: int, seconds: float
) -> dict[str, float]:
    """GB/s of the operands of each kernel, read or written once, and of copying the image."""
    out = (size - window) // stride + 1
    x, y = array(n, size, size, c), array(n, out, out, c)
    like_x, like_y = array(*x.shape), array(*y.shape)
    params = pool_params(x.shape, y.shape, (window,) * 2, (stride,) * 2, ((0, 0), (0, 0)))
    operands = dict(
        zip(
            POOL_KERNELS,
            [[x, like_y], [x, y, like_x], [x, like_y], [y, like_x]],
            strict=True,
        )
    )
    runs: list[Callable[[], None]] = [lambda: np.copyto(like_x, x)]
    for name, arrays in operands.items():
        runs.append(lambda k=f"{name}_f32", a=arrays: native.call(k, a, params))
    times = best(runs, seconds)
    moved = [2 * x.nbytes, *(sum(a.nbytes for a in arrays) for arrays in operands.values())]
    return {
        name: 1e-9 * size / taken
        for name, size, taken in zip(["copy", *operands], moved, times, strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", help="instruction set: avx512, avx2 or plain")
    parser.add_argument("--seconds", type=float, default=1.0, help="spent on each row")
    parser.add_argument("--only", default="", help="only shapes whose text contains this")
    args = parser.parse_args()
    native.set_threads(1)
    if args.set:
        native.set_instruction_set(args.set)
    print(f"{native.instruction_set()}, one thread: GFLOP/s and share of the peak\n")
    print("| convolution | peak | copy, GB/s | forward | input gradient | kernel gradient |")
    print("| --- | --- | --- | --- | --- | --- |")
    for shape in CONVOLUTIONS:
        if args.only not in str(shape):
            continue
        print(f"| {shape} | {' | '.join(convolution(shape, args.seconds))} |", flush=True)
    print("\nGB/s and share of copying the image\n")
    print("| pooling | copy | " + " | ".join(POOL_KERNELS) + " |")
    print("|" + " --- |" * (len(POOL_KERNELS) + 2))
    for pool in POOLS:
        text = "N{0} {1}x{1} C{2} {3}x{3} stride {4}".format(*pool)
        if args.only not in text:
            continue
        copied, *speeds = pooling(*pool, args.seconds).values()
        cells = " | ".join(f"{s:.1f} ({s / copied:.0%})" for s in speeds)
        print(f"| {text} | {copied:.1f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
