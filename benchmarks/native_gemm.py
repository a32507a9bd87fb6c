"""Matrix products of the native executor beside the processor's peak and NumPy's BLAS.

Usage: python benchmarks/native_gemm.py [--set avx2] [--rounds 40] [shape ...]

The peak is measured: a loop of fused multiply-adds in registers, on one thread. All candidates of
one shape take turns, and the best time of each counts: what else runs on the machine then disturbs
all of them alike. NumPy with two threads runs in a process of its own, as BLAS reads its number of
threads when it is loaded.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kerasish_core.executors.native import _native

LANES = {"avx512": 16, "avx2": 8, "plain": 4}
PEAK_STEPS = 20_000

# name: batch, m, n, k, a transposed, b transposed
SHAPES = {
    "square 2048": (1, 2048, 2048, 2048, False, False),
    "square 1024": (1, 1024, 1024, 1024, False, False),
    "square 512": (1, 512, 512, 512, False, False),
    "square 256": (1, 256, 256, 256, False, False),
    "policy hidden": (1, 32, 64, 64, False, False),
    "policy, one row": (1, 1, 64, 4, False, False),
    "value head": (1, 32, 1, 64, False, False),
    "policy head": (1, 64, 2, 64, False, False),
    "policy head dW": (1, 64, 2, 64, True, False),
    "mnist forward": (1, 128, 512, 784, False, False),
    "mnist dW": (1, 784, 512, 128, True, False),
    "mnist dx": (1, 128, 784, 512, False, True),
    "logits forward": (1, 128, 10, 512, False, False),
    "logits dW": (1, 512, 10, 128, True, False),
    "logits dx": (1, 128, 512, 10, False, True),
    "attention q k'": (64, 128, 128, 32, False, True),
    "attention p v": (64, 128, 32, 128, False, False),
    "predict, one row": (1, 1, 512, 784, False, False),
}


def operands(shape: tuple[int, int, int, int, bool, bool]) -> tuple[np.ndarray, ...]:
    batch, m, n, k, a_transposed, b_transposed = shape
    rng = np.random.default_rng(0)
    a = rng.normal(size=(batch, k, m) if a_transposed else (batch, m, k)).astype("float32")
    b = rng.normal(size=(batch, n, k) if b_transposed else (batch, k, n)).astype("float32")
    a = a.transpose(0, 2, 1) if a_transposed else a
    b = b.transpose(0, 2, 1) if b_transposed else b
    return a, b, np.empty((batch, m, n), "float32")


def numpy_product(arrays: tuple[np.ndarray, ...]) -> Callable[[], object]:
    a, b, out = arrays if len(arrays[0]) > 1 else [x[0] for x in arrays]
    return lambda: np.matmul(a, b, out=out)


def native_product(arrays: tuple[np.ndarray, ...]) -> Callable[[], object]:
    a, b, out = arrays
    steps = [[s // x.itemsize for s in x.strides] for x in arrays]
    (m, k), n = a.shape[1:], b.shape[2]
    batch = [len(a), *(s[0] for s in steps), 0] if len(a) > 1 else []
    params = [m, n, k, 0, *steps[0][1:], *steps[1][1:], n, 0, len(batch) // 5, *batch]
    fixed, data = np.array(params, np.int64), [a, b, out]
    return lambda: _native.call("gemm_f32", data, fixed)


def best(
    candidates: dict[str, tuple[int, int, Callable[[], object]]], rounds: int
) -> dict[str, float]:
    """GFLOP/s of each candidate (threads, operations of a call, call), the best of all rounds."""
    found = dict.fromkeys(candidates, 0.0)
    for _ in range(rounds):
        for name, (threads, work, call) in candidates.items():
            if _native.threads() != threads:
                _native.set_threads(threads)
            call()  # the pool's workers, and what the last candidate left in the caches
            number = max(1, round(1e6 / (work / 50 + 300)))
            start = time.perf_counter()
            for _ in range(number):
                call()
            seconds = (time.perf_counter() - start) / number
            found[name] = max(found[name], work / seconds / 1e9)
    return found


def work_of(shape: tuple[int, int, int, int, bool, bool]) -> int:
    return 2 * shape[0] * shape[1] * shape[2] * shape[3]


def numpy_alone(names: list[str], rounds: int) -> None:
    for name in names:
        call = numpy_product(operands(SHAPES[name]))
        print(best({"": (1, work_of(SHAPES[name]), call)}, rounds)[""])


def numpy_on_threads(threads: int, names: list[str], rounds: int) -> list[float]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, "--numpy", "--rounds", str(rounds), *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{named[0]}, {len(named)} cores" if named else platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default=_native.instruction_set(), choices=LANES)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--numpy", action="store_true", help="time NumPy alone, print seconds")
    parser.add_argument("shapes", nargs="*", metavar="shape")
    arguments = parser.parse_args()
    names = arguments.shapes or list(SHAPES)
    if arguments.numpy:
        return numpy_alone(names, arguments.rounds)
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        raise SystemExit(subprocess.call([sys.executable, *sys.argv], env=environment))
    _native.set_instruction_set(arguments.set)
    print(f"{processor()}; {arguments.set}; NumPy {np.__version__}; GFLOP/s, float32\n")
    two = numpy_on_threads(2, names, arguments.rounds)
    out, lanes = np.empty(1, "float32"), LANES[arguments.set]
    titles = ("peak", "native 1", "of peak", "native 2", "NumPy 1", "NumPy 2", "us")
    print(f"{'':18}", *(f"{title:>9}" for title in titles))
    for name, numpy_two in zip(names, two, strict=True):
        arrays, work = operands(SHAPES[name]), work_of(SHAPES[name])
        call = native_product(arrays)
        found = best(
            {
                "peak": (
                    1, 24 * lanes * PEAK_STEPS,
                    lambda: _native.call("peak_f32", [out], [PEAK_STEPS]),
                ),
                "one": (1, work, call),
                "numpy": (1, work, numpy_product(arrays)),
                "two": (2, work, call),
            },
            arguments.rounds,
        )  # fmt: skip
        peak, one = found["peak"], found["one"]
        print(
            f"{name:18} {peak:9.1f} {one:9.1f} {one / peak:9.0%} {found['two']:9.1f} "
            f"{found['numpy']:9.1f} {numpy_two:9.1f} {work / one / 1e3:9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
