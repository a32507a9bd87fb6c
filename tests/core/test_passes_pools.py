"""Masks and sums move before the gradient of a maximum pooling, where nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.passes import pools

SHAPE = (3, 7, 6, 4)


def loss(x, bias, act, size=2, strides=None, padding="valid"):
    pooled = ops.max_pool(act(x + bias), size, strides, padding)
    return ops.sum(pooled * pooled * ops.cast(ops.arange(pooled.shape[-1]) - 1.5, pooled.dtype))


def gradients(x, bias, **how):
    return core.grad(lambda a, b: loss(a, b, **how), (0, 1))(x, bias)


def optimized(**how):
    """The nodes of the gradient's graph after all passes, and its results."""
    rng = np.random.default_rng(2)
    x, bias = core.convert(rng.normal(size=SHAPE)), core.convert(rng.normal(size=SHAPE[-1]))
    step = core.compile_step(lambda a, b: gradients(a, b, **how))
    found = step(x, bias)
    for got, expected in zip(found, gradients(x, bias, **how), strict=True):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), 1e-12, 1e-12)
    (entry,) = step._entries.values()
    return entry.graph


def sizes(graph, name):
    """Shapes of what the ops of that name read first."""
    return [graph.specs[n.inputs[0]].shape for n in graph.nodes if n.op.name == name]


def test_the_mask_and_the_sum_see_pooled_elements():
    graph = optimized(act=ops.relu)
    assert sizes(graph, "greater") == sizes(graph, "where") == [(3, 3, 3, 4)]
    assert sizes(graph, "sum") == [(3, 3, 3, 4)]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size, strides", [(2, None), (3, 2), (2, 1), (2, 3)])
def test_windows(size, strides, padding):
    graph = optimized(act=ops.relu, size=size, strides=strides, padding=padding)
    (maxima,) = [n.outputs[0] for n in graph.nodes if n.op.name == "max_pool"]
    (test,) = [n for n in graph.nodes if n.op.name == "greater"]
    assert test.inputs[0] == maxima
    padded = any(a or b for n in graph.nodes for a, b in n.attrs.get("pads", ()))
    summed = [s for s in sizes(graph, "sum") if len(s) == 4]
    assert (SHAPE in summed) == padded  # only then may an element be lost in the padding


@pytest.mark.parametrize("act", [lambda x: ops.where(x > 0, x, 0.2 * x), ops.tanh, ops.absolute])
def test_other_activations_stay(act):
    graph = optimized(act=act)
    assert (3, 3, 3, 4) not in sizes(graph, "greater")


def test_a_mask_of_something_else_stays():
    rng = np.random.default_rng(3)
    x, other = rng.normal(size=SHAPE), rng.normal(size=SHAPE)

    def fn(x, other):
        kept = ops.where(other > 0, x, 0.0)
        return core.grad(lambda k: ops.sum(ops.max_pool(ops.where(other > 0, k, 0.0), 2)))(kept)

    step = core.compile_step(fn)
    found = step(core.convert(x), core.convert(other))
    np.testing.assert_array_equal(found.numpy(), fn(core.convert(x), core.convert(other)).numpy())
    (entry,) = step._entries.values()
    assert all(s == SHAPE for s in sizes(entry.graph, "where"))


def test_a_wrong_move_would_be_seen(monkeypatch):
    """The comparison with the eager gradient fails if the mask is the opposite one."""
    right = pools._Moving._mask

    def wrong(self, node):
        found = right(self, node)
        if found:
            found[0] = found[0]._replace(op=core.REGISTRY["less"])
        return found

    monkeypatch.setattr(pools._Moving, "_mask", wrong)
    with pytest.raises(AssertionError):
        optimized(act=ops.relu)
