"""Where a compiled training step spends its time: each native instruction of a model.

    python benchmarks/profile_step.py BENCH_FILE WORKLOAD

BENCH_FILE is a file of workloads like those in docs/benchmarks.md: functions of the Keras module
that call `timed_fit(model, x, y, batch_size, steps)`.
"""

from __future__ import annotations

import argparse
import runpy
import time
from typing import Any

import kerasish
from kerasish_core.compile import CompiledStep

REPEATS = 20


class _Stop(Exception):
    pass


def train_step_of(path: str, name: str) -> tuple[Any, list[Any]]:
    """The model's native train step and the arrays of one batch."""
    module = runpy.run_path(path)
    caught: list[Any] = []

    def catch(model: Any, x: Any, y: Any, batch_size: int, steps: int) -> Any:
        model.fit(x[: 2 * batch_size], y[: 2 * batch_size], batch_size=batch_size, verbose=0)
        caught.extend([model, [x[:batch_size], y[:batch_size]]])
        raise _Stop

    function = module["WORKLOADS"][name]
    function.__globals__["timed_fit"] = catch
    try:
        function(kerasish)
    except _Stop:
        pass
    model, arrays = caught
    step: CompiledStep = model._steps["train_step"]
    return next(reversed(step._entries.values())), arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("workload")
    parser.add_argument("--top", type=int, default=40)
    args = parser.parse_args()
    entry, arrays = train_step_of(args.file, args.workload)
    found = entry.native.profile(arrays, entry.variables, REPEATS)
    whole = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        entry.native.run(arrays, entry.variables)
        whole.append(time.perf_counter() - start)
    print(f"step {min(whole) * 1e3:.3f} ms, native kernels {sum(t for t, _ in found) * 1e3:.3f} ms")
    for seconds, text in sorted(found, reverse=True)[: args.top]:
        print(f"{seconds * 1e6:10.1f} us  {text[:150]}")


if __name__ == "__main__":
    main()
