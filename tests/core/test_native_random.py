"""Native random numbers: every bit as the generic kernels have it."""

import numpy as np
import pytest
from native_harness import run_lowered

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.executors import native as executor

COUNTS = (0, 1, 3, 4, 5, 31, 32, 33, 63, 64, 65, 257, 70_001)
STREAMS = (0, 1, 7, 2**32 - 1, 2**32, 2**40 + 5, 2**63 + 3)
SEEDS = ([0, 0], [1, 2], [2**32 - 1, 2**32 - 5])


def check(native, name, seed, attrs):
    arrays = [np.array(seed, "uint32")]
    wanted = core.REGISTRY[name].kernel(np, *arrays, **attrs)
    for threads in (1, 2):
        native.set_threads(threads)
        got = run_lowered(native, name, arrays, attrs)
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        assert got.tobytes() == np.ascontiguousarray(wanted).tobytes()


@pytest.mark.parametrize("name", ["random_bits", "random_uniform"])
def test_samples(native, instruction_sets, name):
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for arrays, attrs in core.REGISTRY[name].samples(np.random.default_rng(0)):
            check(native, name, arrays[0], attrs)


def test_bits(native, instruction_sets):
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for count in COUNTS:
            check(native, "random_bits", [5, 6], {"shape": (count,), "stream": 3})
        for stream in STREAMS:
            check(native, "random_bits", [5, 6], {"shape": (3, 50), "stream": stream})
        for seed in SEEDS:
            check(native, "random_bits", seed, {"shape": (2, 3, 7), "stream": 0})


def test_the_published_words(native, instruction_sets):
    """Random123's known answers for philox4x32-10, counter and key zero."""
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        attrs = {"shape": (4,), "stream": 0}
        words = run_lowered(native, "random_bits", [np.zeros(2, "uint32")], attrs)
        assert words.tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_uniform(native, instruction_sets, dtype):
    kind = core.dtypes.as_dtype(dtype)
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for count in COUNTS:
            attrs = {"shape": (count,), "dtype": kind, "stream": 2}
            check(native, "random_uniform", [9, 8], attrs)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_large_eager_draws_have_the_bits_of_small_ones(native, monkeypatch, dtype):
    """They use the native kernel, and scale their numbers in place."""
    seed, made = np.array([3, 4], "uint32"), []
    found = executor._single
    monkeypatch.setattr(executor, "_single", lambda op, *more: made.append(op) or found(op, *more))
    executor._singles.clear()
    kind = core.dtypes.as_dtype(dtype)
    kernel = core.REGISTRY["random_uniform"].kernel
    drawn = core.convert(kernel(np, seed, shape=(60, 90), dtype=kind, stream=0))
    for low, high in ((-0.05, 0.05), (0, 3), (2.5, 7.25), (0, 1)):
        wanted = drawn * (high - low) + low
        got = ops.random.uniform(seed, (60, 90), low, high, dtype)
        with core.GradientTape():  # which sees operations, not what is done in place
            taped = ops.random.uniform(seed, (60, 90), low, high, dtype)
        assert got.dtype == kind
        assert got.numpy().tobytes() == taped.numpy().tobytes() == wanted.numpy().tobytes()
    words = core.REGISTRY["random_bits"].kernel(np, seed, shape=(5000,), stream=0)
    np.testing.assert_array_equal(ops.random.bits(seed, (5000,)), words)
    assert [op.name for op in made] == ["random_uniform", "random_bits"]
    ops.random.uniform(seed, (40, 90), 0, 1, dtype)
    assert len(made) == 2  # the generic kernel is quicker than a program is made
