"""Native kernels that move and draw, against the machine's copy of one large array.

python benchmarks/native_move.py

Bytes per second count what must be read and written; "x copy" is their ratio to a copy of 64 MiB
by as many threads. Every figure is the best of many short runs, in turns.
"""

import importlib
import os
import platform
import time

import numpy as np

ROUNDS = 25


def best(functions):
    """Least seconds of each function, called in turns, its data as it left them in the cache."""
    times = [1e9] * len(functions)
    for _ in range(ROUNDS):
        for i, function in enumerate(functions):
            function()
            start = time.perf_counter()
            function()
            times[i] = min(times[i], time.perf_counter() - start)
    return times


class Case:
    """One kernel call, the bytes that it must touch and NumPy's way to do the same."""

    def __init__(self, name, moved, call, numpy):
        self.name, self.moved, self.call, self.numpy = name, moved, call, numpy


def aligned(shape, dtype="float32"):
    """An array that begins a line of the cache, as values of a program do."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def copy_case(native, name, x):
    out = aligned(x.shape, x.dtype)
    steps = [s // x.itemsize for s in x.strides]
    params = [x.itemsize, x.ndim, *x.shape, *steps]
    return Case(
        name, 2 * out.nbytes, lambda: native.call("strided_copy", [x, out], params),
        lambda: np.copyto(out, x),
    )  # fmt: skip


def index_params(table, positions, forgiving):
    """See `Part` in src/kernels/index.cpp: rows of a table, int32 positions."""
    rows, width = table.shape
    axes = [0, 1, width, 1]
    return [8, 4, forgiving, 0, 0, table.size, 0, 0, *axes, 1, positions, 1, 2, rows, width, 1]


def embedding_cases(native, rng):
    table = aligned((20000, 128))
    table[...] = rng.random(table.shape)
    index = rng.integers(0, 20000, 32 * 80).astype("int32")
    rows, out = aligned((index.size, 128)), aligned(table.shape)
    zero = np.zeros((1, 1), "float32")
    forward = index_params(table, index.size, 1)
    backward = list(forward)
    backward[6] = 1  # the array is given by one element

    def numpy_backward():
        out[:] = 0
        np.add.at(out, index, rows)

    scratch = 8 * index.size
    yield Case(
        "gather 2560 rows of [20000,128]", 2 * rows.nbytes,
        lambda: native.call("gather", [table, index, rows], forward, scratch),
        lambda: np.take(table, index, 0, rows),
    )  # fmt: skip
    # The target is written once, and its rows that are named read and written again.
    yield Case(
        "index_add of them into zeros", out.nbytes + 3 * rows.nbytes,
        lambda: native.call("index_add", [zero, rows, index, out], backward, scratch),
        numpy_backward,
    )  # fmt: skip


def concatenate_case(native, rng, axis):
    parts = [rng.normal(size=(4096, 256)).astype("float32") for _ in range(4)]
    out = aligned((16384, 256) if axis == 0 else (4096, 1024))
    step = 256 if axis else 4096 * 256
    params = [4, 4, 4, 2, 0, 0, out.shape[1], 1]
    for i in range(4):
        params += [i, 0, i * step, 4096, 256, 256, 1]
    return Case(
        f"concatenate 4 of [4096,256] along {axis}", 2 * out.nbytes,
        lambda: native.call("copy_blocks", [*parts, out], params),
        lambda: np.concatenate(parts, axis, out),
    )  # fmt: skip


def cases(native):
    rng = np.random.default_rng(0)

    def array(*shape):
        out = aligned(shape)
        out[...] = rng.random(shape)
        return out

    for shape in ((4096, 4096), (1000, 3000), (512, 512), (128, 784)):
        yield copy_case(native, f"transpose {list(shape)}", array(*shape).T)
    heads = array(16, 128, 4, 32)
    yield copy_case(native, "[16,128,4,32] (0,2,1,3)", heads.transpose(0, 2, 1, 3))
    yield copy_case(native, "[64,512,8,64] (0,2,1,3)", array(64, 512, 8, 64).transpose(0, 2, 1, 3))
    yield copy_case(native, "[32,80,128] (1,0,2)", array(32, 80, 128).transpose(1, 0, 2))
    images = array(64, 32, 32, 64)
    yield copy_case(native, "[64,32,32,64] to channels first", images.transpose(0, 3, 1, 2))
    images = images.reshape(64, 64, 32, 32)
    yield copy_case(native, "[64,64,32,32] to channels last", images.transpose(0, 2, 3, 1))
    images = array(64, 96, 96, 3)
    yield copy_case(native, "[64,96,96,3] to channels first", images.transpose(0, 3, 1, 2))
    yield from embedding_cases(native, rng)
    yield concatenate_case(native, rng, 0)
    yield concatenate_case(native, rng, 1)


def draws(native):
    count = 1 << 20
    seed = np.array([1, 2], "uint32")
    generator = np.random.default_rng(0)
    for kernel, dtype in (
        ("random_bits", "uint32"), ("random_uniform_f32", "float32"),
        ("random_uniform_f64", "float64"),
    ):  # fmt: skip
        out = aligned((count,), dtype)

        def ours(kernel=kernel, out=out):
            native.call(kernel, [seed, out], [0, count])

        def theirs(out=out):
            if out.dtype == np.uint32:
                generator.integers(0, 2**32, count, "uint32")
            else:
                generator.random(out=out, dtype=out.dtype)

        yield kernel, count, ours, theirs


def main():
    native = importlib.import_module("kerasish_core.executors.native._native")
    large = np.ones(1 << 24, "float32")
    copy = copy_case(native, "copy", large)
    print(
        f"{os.cpu_count()} cores, instruction set {native.instruction_set()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}"
    )
    native.set_threads(1)
    (plain,) = best([copy.numpy])
    print(f"copy of 64 MiB by memcpy, 1 thread: {copy.moved / plain / 1e9:.1f} GB/s")
    print(f"{'':36} {'GB/s':>6} {'x copy':>7} {'2 thr.':>7} {'x copy':>7} {'NumPy':>7}")
    for case in [copy, *cases(native)]:
        row = []
        for threads in (1, 2):
            native.set_threads(threads)
            case.call()
            machine, ours, theirs = best([copy.call, case.call, case.numpy])
            row.append((case.moved / ours / 1e9, copy.moved / machine / 1e9))
        (one, one_copy), (two, two_copy) = row
        print(
            f"{case.name:36} {one:6.1f} {one / one_copy:7.2f} {two:7.1f} {two / two_copy:7.2f} "
            f"{case.moved / theirs / 1e9:7.1f}"
        )
    print(f"{'ns per number':36} {'ours':>6} {'2 thr.':>7} {'NumPy':>7}")
    for name, count, ours, theirs in draws(native):
        native.set_threads(1)
        one, numpy = best([ours, theirs])
        native.set_threads(2)
        (two,) = best([ours])
        one, two, numpy = (t / count * 1e9 for t in (one, two, numpy))
        print(f"{name:36} {one:6.2f} {two:7.2f} {numpy:7.2f}")


if __name__ == "__main__":
    main()
