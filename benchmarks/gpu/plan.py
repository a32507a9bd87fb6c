"""What a step of each workload launches, and the bytes it moves: counted, without a GPU.

Beside those of `compare.py` there is `cell`: 1000 steps of a recurrent cell of the user's own, a
loop. The seconds are those that the host takes to lower a step and to bind its addresses.

    python benchmarks/gpu/plan.py resnet50

Each operand of a launch counts once: too much for steps of recurrent layers, which read a part of
theirs. `--text` lists the launches. The bytes over the bandwidth of a device are a floor of the
step beside that of the arithmetic (`compare.py`).
"""

from __future__ import annotations

import argparse
import collections
import time
from typing import Any, NamedTuple

import numpy as np
import ours
from sizes import SIZES, Sizes, data_of, sizes

import kerasish as keras
from kerasish import layers, ops
from kerasish_core.executors import native
from kerasish_core.executors.cuda.program import CudaProgram


class _Planned(BaseException):
    """Ends a step whose program is made."""


class _Device:
    """As much of a device as a plan asks for."""

    xp, number, captures, tensor_cores = np, 0, True, True

    def address(self, array: Any) -> int:
        return int(array.ctypes.data)

    def put(self, array: Any, value: Any) -> None:
        array[...] = value

    def compile(self, source: Any) -> None:
        return None

    def library(self, *call: Any) -> Any:
        return lambda: None


class _Cell(layers.Layer):
    """A recurrent cell that no built-in layer is."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = self.state_size = self.output_size = units

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight((shape[-1], self.units), "glorot_uniform")
        self.inner = self.add_weight((self.units, self.units), "orthogonal")

    def call(self, x: Any, states: Any) -> Any:
        (h,) = states
        h = ops.tanh(ops.matmul(x, self.kernel) + ops.matmul(h, self.inner))
        return h, [h]


def cell(s: Sizes) -> Any:
    return keras.Sequential(
        [keras.Input((s.length,), dtype="int32"), layers.Embedding(s.words, s.width),
         layers.RNN(_Cell(s.width)), layers.Dense(s.classes)]
    )  # fmt: skip


_CELL = Sizes(16, width=64, length=1000, words=100, classes=2)


class Planned(NamedTuple):
    """A program, and the seconds that it took to lower it and to bind its addresses."""

    program: CudaProgram
    lowering: float
    binding: float


def planned(name: str, small: bool) -> Planned:
    """The program of a training step, for a GPU of compute capability 8.0 or later."""
    s = _CELL if name == "cell" else sizes(name, small)
    made: list[Planned] = []
    real: Any = native.compiled

    def compiled(graph: Any, *rest: Any) -> Any:
        if graph.name != "train_step":
            return real(graph, *rest)
        device: Any = _Device()
        start = time.perf_counter()
        program = CudaProgram(graph, *rest, device)
        lowered = time.perf_counter()
        # Its variables, which are the last inputs, lie anywhere.
        specs = [program.builder.spec(v) for v in program.graph.inputs[program.inputs :]]
        program._bind_memory([np.empty(*spec) for spec in specs])
        ready = time.perf_counter()
        made.append(Planned(program, lowered - start, ready - lowered))
        raise _Planned

    native.compiled = compiled
    try:
        keras.config.set_dtype_policy("mixed_bfloat16" if s.half else "float32")
        model = cell(s) if name == "cell" else getattr(ours, name)(s)
        optimizer = keras.optimizers.SGD(0.01, momentum=0.9) if name == "resnet50" else "adam"
        model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        x, y = data_of(name, s)
        model.fit(x, y, batch_size=s.batch, verbose=0)
    except _Planned:
        pass
    finally:
        native.compiled = real
    return made[0]


def tally(program: CudaProgram, times: int, count: Any, moved: Any) -> None:
    """Count launches and bytes by kernel; loops count as often as they go round."""
    b = program.builder
    for i, step in enumerate(program.instructions):
        loop = b.loops.get(i)
        if loop is not None:
            copies = sum(part.buffer is not None for part in (*loop.rows, *loop.stacks))
            count["copies of slices"] += times * loop.length * copies
            tally(step.bodies[0], times * loop.length, count, moved)
            continue
        kernel = "outside the graph" if step.node else step.kernel.rsplit("_", 1)[0]
        count[kernel] += times
        # The second step of a sum is given all operands and reads the parts.
        roots = [step.operands[-1][0]] if step.note == "the parts joined" else [
            root for root, _ in step.operands
        ]  # fmt: skip
        moved[kernel] += times * sum(b.spec(root).nbytes for root in roots)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", default=[*SIZES, "cell"])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--text", action="store_true")
    options = parser.parse_args()
    for name in options.workloads:
        program, lowering, binding = planned(name, options.small)
        count: collections.Counter[str] = collections.Counter()
        moved: collections.Counter[str] = collections.Counter()
        tally(program, 1, count, moved)
        print(f"{name}: {count.total()} launches, {moved.total() / 1e9:.3f} GB, "
              f"{program.plan.size / 1e9:.3f} GB of memory beside variables, "
              f"lowered in {lowering:.2f} s, bound in {binding:.2f} s")  # fmt: skip
        for kernel, size in moved.most_common():
            print(f"  {count[kernel]:5d}  {size / 1e9:8.3f} GB  {kernel}")
        if options.text:
            print(program.explain_kernels())


if __name__ == "__main__":
    main()
