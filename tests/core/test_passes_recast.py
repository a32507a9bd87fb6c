"""Readers of a half-type array cast it themselves; the numbers are the same."""

from __future__ import annotations

import cuda_host
import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.executors.cuda.instructions.fused import role_of
from kerasish_core.executors.cuda.instructions.rows import reads_halves
from kerasish_core.executors.cuda.program import CudaProgram
from kerasish_core.executors.reference.graph import Program
from kerasish_core.op import Spec
from kerasish_core.passes import optimize, recast
from kerasish_core.tracing import trace

SHAPE = (6, 5, 40)
RNG = np.random.default_rng(5)


def normalised(x):
    """As a batch normalization in mixed precision, and its gradient."""

    def forward(x):
        wide = ops.cast(x, "float32")
        mean, variance = ops.moments(wide, (0, 1))
        return ops.cast((wide - mean) * ops.rsqrt(variance + 1e-3), x.dtype)

    y, pull = core.vjp(forward, x)
    return y, *pull(ops.tanh(y))


def several(x):
    """One is a result itself, one goes to a product: these stay."""
    result, wide = ops.cast(x, "float32"), ops.cast(x * 2, "float32")
    return result, ops.exp(result), wide @ ops.transpose(wide, (0, 2, 1)), ops.sum(wide, 0)


def single(x):
    return ops.exp(ops.cast(x, "float32"))


def graph_of(function, dtype):
    spec = Spec(SHAPE, core.dtypes.as_dtype(dtype))
    return optimize(trace(function, [spec]).graph), RNG.normal(size=SHAPE).astype(spec.dtype)


def repeated(graph):
    return recast.repeat_casts(
        graph, lambda n: role_of(n, graph.specs) is not None, lambda n: reads_halves(n, graph.specs)
    )


def casts(graph):
    """How many nodes make float32 of a half type, in full size."""
    return sum(n.op.name == "cast" and graph.specs[n.outputs[0]] == Spec(SHAPE, np.dtype("f4"))
               for n in graph.nodes)  # fmt: skip


@pytest.fixture(autouse=True)
def small_ones_too(monkeypatch):
    monkeypatch.setattr(recast, "_LARGE", 1)


@pytest.mark.parametrize("function", [normalised, several])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_numbers_are_the_same(function, dtype):
    before, x = graph_of(function, dtype)
    after = repeated(before)
    assert casts(after) > casts(before)
    for node in after.nodes:
        if reads_halves(node, after.specs):
            assert after.specs[node.inputs[0]].dtype == x.dtype
            assert after.specs[node.outputs[0]].dtype == np.float32
    backend, programs = cuda_host.HostBackend(), []
    for graph in (before, after):
        programs.append(backend.gather(CudaProgram(graph, 0, 0, (), backend)))
    expected = Program(before).run([x])
    for program in programs:
        assert all(s.node is None for s in program.instructions)
        for got, wanted in zip(program.run([x], []), expected, strict=True):
            assert got.dtype == wanted.dtype
            np.testing.assert_allclose(
                got.astype("f8"), np.asarray(wanted).astype("f8"), rtol=2e-2, atol=2e-2
            )


def test_what_is_written_is_half():
    """No kernel of a normalisation writes or reads an array of float32 in full size."""
    graph, _ = graph_of(lambda x: normalised(x)[0], "bfloat16")
    program = CudaProgram(graph, 0, 0, (), cuda_host.HostBackend())
    full = {
        program.builder.spec(root).dtype.name
        for step in program.instructions for root, _ in step.operands
        if program.builder.spec(root).shape == SHAPE
    }  # fmt: skip
    assert full == {"bfloat16"}


def test_one_reader_keeps_its_cast():
    graph, _ = graph_of(single, "bfloat16")
    assert [n.op.name for n in repeated(graph).nodes] == [n.op.name for n in graph.nodes]


def test_small_arrays_stay(monkeypatch):
    monkeypatch.setattr(recast, "_LARGE", np.prod(SHAPE) + 1)
    graph, _ = graph_of(normalised, "bfloat16")
    assert repeated(graph) is graph
