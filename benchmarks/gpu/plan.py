"""What a step of each workload launches, and the bytes it moves: counted, without a GPU.

    python benchmarks/gpu/plan.py resnet50

Each operand of a launch counts once: too much for steps of recurrent layers, which read a part of
theirs. `--text` lists the launches. The bytes over the bandwidth of a device are a floor of the
step beside that of the arithmetic (`compare.py`).
"""

from __future__ import annotations

import argparse
import collections
from typing import Any

import numpy as np
import ours
from sizes import SIZES, data_of, sizes

import kerasish as keras
from kerasish_core.executors import native
from kerasish_core.executors.cuda.program import CudaProgram
from kerasish_core.executors.native.arrangement import bytes_of


class _Planned(BaseException):
    """Ends a step whose program is made."""


class _Device:
    """As much of a device as a plan asks for."""

    xp, number, captures, tensor_cores = np, 0, True, True


def program_of(name: str, small: bool) -> CudaProgram:
    """The program of a training step, for a GPU of compute capability 8.0 or later."""
    s, made = sizes(name, small), []
    real: Any = native.compiled

    def compiled(graph: Any, *rest: Any) -> Any:
        if graph.name != "train_step":
            return real(graph, *rest)
        made.append(CudaProgram(graph, *rest, _Device()))  # type: ignore[arg-type]
        raise _Planned

    native.compiled = compiled
    try:
        keras.config.set_dtype_policy("mixed_bfloat16" if s.half else "float32")
        model = getattr(ours, name)(s)
        optimizer = keras.optimizers.SGD(0.01, momentum=0.9) if name == "resnet50" else "adam"
        model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        x, y = data_of(name, s)
        model.fit(x, y, batch_size=s.batch, verbose=0)
    except _Planned:
        pass
    finally:
        native.compiled = real
    return made[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", default=list(SIZES))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--text", action="store_true")
    options = parser.parse_args()
    for name in options.workloads:
        program = program_of(name, options.small)
        count: collections.Counter[str] = collections.Counter()
        moved: collections.Counter[str] = collections.Counter()
        for step in program.instructions:
            kernel = "outside the graph" if step.node else step.kernel.rsplit("_", 1)[0]
            count[kernel] += 1
            # The second step of a sum is given all operands and reads the parts.
            roots = [step.operands[-1][0]] if step.note == "the parts joined" else [
                root for root, _ in step.operands
            ]  # fmt: skip
            moved[kernel] += sum(bytes_of(program.builder.spec(root)) for root in roots)
        print(f"{name}: {count.total()} launches, {moved.total() / 1e9:.3f} GB, "
              f"{program.plan.size / 1e9:.3f} GB of memory beside variables")  # fmt: skip
        for kernel, size in moved.most_common():
            print(f"  {count[kernel]:5d}  {size / 1e9:8.3f} GB  {kernel}")
        if options.text:
            print(program.explain_kernels())


if __name__ == "__main__":
    main()
