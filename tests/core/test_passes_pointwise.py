"""Convolutions of one place become products, others stay; the numbers are the same."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.executors.reference.graph import Program
from kerasish_core.op import Spec
from kerasish_core.passes import optimize
from kerasish_core.passes.pointwise import pointwise_products
from kerasish_core.tracing import trace

RNG = np.random.default_rng(4)
CONVOLUTIONS = ("conv", "conv_input_grad", "conv_kernel_grad")


def rewritten(spatial, window, **how):
    """The graph of a convolution and its gradients, before and after, and operands."""
    rank = len(spatial)
    x = RNG.normal(size=(2, *spatial, 6))
    kernel = RNG.normal(size=(window,) * rank + (6 // how.get("groups", 1), 4))

    def function(a, b):
        y, pull = core.vjp(lambda a, b: ops.conv(a, b, **how), a, b)
        return y, *pull(ops.cos(y))

    traced = trace(function, [Spec(x.shape, x.dtype), Spec(kernel.shape, kernel.dtype)])
    graph = optimize(traced.graph)
    return graph, pointwise_products(graph), [x, kernel]


def names(graph):
    return {n.op.name for n in graph.nodes}


@pytest.mark.parametrize("spatial", [(7,), (5, 4), (3, 2, 4)])
def test_windows_of_one_place(spatial):
    before, after, operands = rewritten(spatial, 1)
    assert names(before) >= set(CONVOLUTIONS)
    assert names(after).isdisjoint(CONVOLUTIONS)
    assert after.outputs == before.outputs
    for got, expected in zip(
        Program(after).run(operands), Program(before).run(operands), strict=True
    ):
        np.testing.assert_allclose(got, expected, 1e-12, 1e-12)


@pytest.mark.parametrize(
    "window, how",
    [(3, {}), (1, {"strides": 2}), (1, {"groups": 2}), (2, {"padding": "same"})],
)
def test_others_stay(window, how):
    before, after, _ = rewritten((5, 4), window, **how)
    assert after is before
