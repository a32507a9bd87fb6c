"""Recurrent layers as launches, their text run on the host, in several blocks and slices."""

from __future__ import annotations

import cuda_host
import numpy as np
import pytest

from kerasish_core.executors.cuda.instructions import recurrent
from kerasish_core.executors.cuda.program import CudaProgram
from kerasish_core.ir import Graph, Node
from kerasish_core.op import REGISTRY as OPS
from kerasish_core.op import Spec

RNG = np.random.default_rng(3)
BATCH, TIME, UNITS = 11, 4, 37
GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}
CASES = [(False, False), (True, True), (False, True), (True, False)]  # reverse, masked


def problem(name, reverse, masked, units=UNITS):
    """Operands and attributes of a recurrence, then of its gradient."""
    gates, attrs = GATES[name], {"activation": "tanh", "reverse": reverse, "masked": masked}
    if gates > 1:
        attrs["recurrent_activation"] = "hard_sigmoid" if masked else "sigmoid"

    def f(*shape):
        return RNG.normal(size=shape).astype("float32")

    arrays = [f(BATCH, TIME, gates * units), f(units, gates * units) / np.float32(units**0.5)]
    arrays += [f(3 * units)] if name == "gru" else []
    arrays += [f(BATCH, units)] * (2 if name == "lstm" else 1)
    mask = [RNG.random((BATCH, TIME)) < 0.6] if masked else []
    found = OPS[name].kernel(np, *arrays, *mask, **attrs)
    kept = [arrays[1], found[0]]
    if gates > 1:
        kept = [arrays[1], arrays[-1], found[3 if name == "lstm" else 0], found[-1]]
    count = 3 if name == "lstm" else 2
    given = tuple(not masked or i != 1 for i in range(count))
    cotangents = [f(*found[0].shape), f(BATCH, units), f(BATCH, units)][:count]
    us = [u for u, there in zip(cotangents, given, strict=True) if there]
    return ([*arrays, *mask], attrs), ([*kept, *mask, *us], {**attrs, "given": given})


def program_of(backend, name, arrays, attrs):
    op, specs = OPS[name], [Spec(a.shape, a.dtype) for a in arrays]
    outs = op.infer(*specs, **attrs)
    inputs = tuple(range(len(specs)))
    outputs = tuple(range(len(specs), len(specs) + len(outs)))
    graph = Graph(name, inputs, {}, (Node(op, inputs, outputs, attrs),), outputs,
                  dict(enumerate([*specs, *outs])))  # fmt: skip
    return backend.gather(CudaProgram(graph, 0, 0, (), backend))


def check(cases, large):
    backend, programs = cuda_host.HostBackend(), []
    for name, how in cases:
        for suffix, (arrays, attrs) in zip(("", "_grad"), problem(name, *how), strict=True):
            program = program_of(backend, name + suffix, arrays, attrs)
            launches = [s.kernel.rsplit("_", 1)[0] for s in program.instructions]
            steps = TIME + (suffix == "_grad")
            assert launches.count(f"{name}{suffix}_float") == steps
            assert launches.count("product_float") == (TIME if large else 0)
            programs.append((name + suffix, arrays, attrs, program))
    for name, arrays, attrs, program in programs:
        found = []
        for backend.reverse in (False, True):
            found.append(program.run(arrays, []))
        wide = [a if a.dtype == bool else a.astype("float64") for a in arrays]
        expected = OPS[name].kernel(np, *wide, **attrs)
        for got, again, wanted in zip(*found, expected, strict=True):
            assert got.tobytes() == again.tobytes()
            np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-5, err_msg=f"{name} {attrs}")


@pytest.mark.parametrize("how", CASES)
def test_products_within(how):
    check([(name, how) for name in GATES], large=False)


@pytest.mark.parametrize("how", CASES[:2])
def test_products_by_a_library(how, monkeypatch):
    monkeypatch.setattr(recurrent, "_LARGE", 1)
    check([(name, how) for name in GATES], large=True)


def test_sums_over_several_slices():
    (arrays, attrs), (of_grad, how) = problem("lstm", False, False, units=150)
    backend = cuda_host.HostBackend()
    for name, given, attributes in (("lstm", arrays, attrs), ("lstm_grad", of_grad, how)):
        found = program_of(backend, name, given, attributes).run(given, [])
        expected = OPS[name].kernel(np, *(a.astype("float64") for a in given), **attributes)
        for got, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=5e-5, atol=5e-5)
