"""Where a compiled training step spends its time: each native instruction beside its floor.

    python benchmarks/profile_step.py FILE WORKLOAD [WORKLOAD ...] [--top N]

FILE holds workloads: functions of the Keras module, in a dictionary WORKLOADS, that call
`timed_fit(model, x, y, batch_size, steps)`.

The floor of an instruction is the larger of two times: its multiply-adds over the measured peak of
all threads, and the bytes of its operands from 1 MiB on (smaller ones stay in caches) over the
measured bandwidth of copying 256 MiB. The floor of a step is the sum. Arrays that fit the last
cache can be faster than their floor.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import runpy
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import kerasish
from kerasish_core import config
from kerasish_core.executors.native import _native, available
from kerasish_core.executors.native.instructions.conv import EDGE

REPEATS = 20
LANES = {"avx512": 16, "avx2": 8, "plain": 4}
CACHED = 1 << 20


class _StopError(Exception):
    pass


def train_step_of(path: str, name: str) -> tuple[Any, list[Any]]:
    """The entry of a model's train step and the arrays of one batch."""
    module = runpy.run_path(path)
    caught: list[Any] = []

    def catch(model: Any, x: Any, y: Any, batch_size: int, steps: int) -> Any:
        model.fit(x[: 2 * batch_size], y[: 2 * batch_size], batch_size=batch_size, verbose=0)
        caught.extend([model, [x[:batch_size], y[:batch_size]]])
        raise _StopError

    function = module["WORKLOADS"][name]
    function.__globals__["timed_fit"] = catch
    with contextlib.suppress(_StopError):
        function(kerasish)
    model, arrays = caught
    step = model._steps["train_step"]
    return next(reversed(step._entries.values())), arrays


def measured_peak() -> float:
    """Multiply-adds count two: operations a second of all threads, float32."""
    lanes, steps = LANES[_native.instruction_set()], 200_000
    out = np.zeros(64, "float32")
    best = math.inf
    for _ in range(10):
        start = time.perf_counter()
        _native.call("peak_f32", [out], np.array([steps], np.int64))
        best = min(best, time.perf_counter() - start)
    # Twelve independent multiply-adds a step.
    return 24 * lanes * steps / best * config.threads()


def measured_bandwidth() -> float:
    """Bytes read plus bytes written a second, by all threads copying."""
    threads = config.threads()
    source, target = np.ones(1 << 25, "float64"), np.zeros(1 << 25, "float64")
    parts = np.array_split(np.arange(len(source)), threads)
    spans = [slice(p[0], p[-1] + 1) for p in parts]
    best = math.inf
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(lambda s: np.copyto(target[s], source[s]), spans))
            best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best


def stages(step: Any) -> list[Any]:
    """The kernels, with their params, that a blocked instruction runs over all its images."""
    p, at, found = step.params, 8, []
    names = {_native.address(name): name for name in ("conv_f32", "conv_kernel_grad_f32")}
    for _ in range(p[6]):
        start = at + 3 + 2 * p[at + 1]
        found.append(
            step._replace(kernel=names.get(p[at], ""), params=p[start : start + p[at + 2]])
        )
        at = start + p[at + 2]
    return found


def operations(step: Any, specs: Any) -> int:
    """Multiplications and additions of an instruction's products."""
    if step.kernel == "blocked":
        return sum(operations(stage, specs) for stage in stages(step))
    p = step.params
    if step.kernel.startswith("gemm_"):
        rank = p[10]
        return 2 * math.prod(p[:3]) * math.prod(p[11 + 5 * i] for i in range(rank))
    if step.kernel.startswith(("conv_", "winograd_")):
        batch, channels, filters, groups = p[:4]
        axes = [p[5 + 6 * i : 11 + 6 * i] for i in range(3)]
        pixels = math.prod(axis[1] for axis in axes)
        window = math.prod(axis[2] for axis in axes)
        count = 2 * batch * pixels * window * channels * filters // groups
        # A tile of E x E pixels gives (E + 1 - k)^2 sums of k x k products each by E^2 products.
        each = window * (EDGE + 1 - axes[2][2]) ** 2
        return count * EDGE**2 // each if step.kernel.startswith("winograd_") else count
    if step.kernel.startswith(("lstm_", "gru_", "simple_rnn_")):
        sizes = [specs[root].shape for root, _ in step.operands]
        gates = max(sizes, key=lambda s: math.prod(s) if len(s) == 3 else 0)
        recurrent = next(s for s in sizes if len(s) == 2 and s[1] == gates[-1])
        return 2 * gates[0] * gates[1] * math.prod(recurrent)
    return 0


def floor_of(step: Any, specs: Any, peak: float, bandwidth: float) -> float:
    """Seconds that the instruction takes at least."""
    sizes = [math.prod(specs[root].shape) * specs[root].dtype.itemsize for root, _ in step.operands]
    moved = sum(size for size in sizes if size >= CACHED)
    return max(operations(step, specs) / peak, moved / bandwidth)


def report(path: str, name: str, top: int, peak: float, bandwidth: float) -> None:
    entry, arrays = train_step_of(path, name)
    program = entry.native
    found = program.profile(arrays, entry.variables, REPEATS)
    own = [step for step in program.instructions if step.node is None]
    floors = [floor_of(step, program.builder.specs, peak, bandwidth) for step in own]
    whole = math.inf
    for _ in range(REPEATS):
        start = time.perf_counter()
        program.run(arrays, entry.variables)
        whole = min(whole, time.perf_counter() - start)
    kernels, floor = sum(t for t, _ in found), sum(floors)
    generic = len(program.instructions) - len(own)
    print(
        f"{name}: step {whole * 1e3:.3f} ms, its {len(own)} native instructions "
        f"{kernels * 1e3:.3f} ms, floor {floor * 1e3:.3f} ms, {generic} generic kernels"
    )
    rows = sorted(zip(found, floors, strict=True), reverse=True, key=lambda row: row[0][0])
    for (seconds, text), least in rows[:top]:
        print(f"{seconds * 1e6:10.1f} us  floor {least * 1e6:9.1f}  {text[:130]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("workloads", nargs="+")
    parser.add_argument("--top", type=int, default=12)
    args = parser.parse_args()
    if not available():
        raise SystemExit("the native library is not there: pip install . with a C++17 compiler")
    peak, bandwidth = measured_peak(), measured_bandwidth()
    print(f"peak {peak / 1e9:.0f} GFLOP/s, copy {bandwidth / 1e9:.1f} GB/s, read and written")
    for name in args.workloads:
        report(args.file, name, args.top, peak, bandwidth)


if __name__ == "__main__":
    main()
