"""Instructions that run over a few images at a time: the same results, nothing written between."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.executors.native.instructions.conv import conv_params
from kerasish_core.executors.native.instructions.pool import pool_params
from kerasish_core.executors.native.lowering import Instruction
from kerasish_core.op import Spec

# Skipped where the library was not built; other tests of it fail in CI then.
_blocking = pytest.importorskip("kerasish_core.executors.native.blocking", exc_type=ImportError)
block_instructions = _blocking.block_instructions
IMAGES = (52, 24, 21, 2)


def arrays(dtype="float32", filters=20, images=IMAGES):
    rng = np.random.default_rng(6)
    kernel, bias = rng.normal(size=(3, 3, images[-1], filters)), rng.normal(size=filters)
    x = rng.normal(size=images)
    return [core.convert(v.astype(dtype)) for v in (x, kernel, bias)]


def layer(x, kernel, bias, pool=2, strides=None, padding="valid", average=False, conv_strides=1):
    made = ops.relu(ops.conv(x, kernel, conv_strides, "same") + bias)
    if average:
        return ops.average_pool(made, pool, strides, padding)
    return ops.max_pool(made, pool, strides, padding)


def gradients(x, kernel, bias, **how):
    def loss(kernel, bias):
        pooled = layer(x, kernel, bias, **how)
        return ops.sum(pooled * pooled * ops.cast(ops.arange(pooled.shape[-1]) - 1.5, x.dtype))

    return core.grad(loss, (0, 1))(kernel, bias)


def run(fn, inputs):
    """The compiled results beside the eager ones, and the lines of `blocked` instructions."""
    step = core.compile_step(fn)
    found = step(*inputs)
    expected = fn(*inputs)
    found, expected = ([v] if hasattr(v, "numpy") else v for v in (found, expected))
    for got, want in zip(found, expected, strict=True):
        got, want = got.numpy(), want.numpy()
        near = {"float32": 2e-5, "float64": 1e-13}[want.dtype.name]
        np.testing.assert_allclose(got, want, near, near * np.abs(want).max())
    lines = step.explain("kernels").splitlines()
    return [line for line in lines if line.startswith("blocked")], lines


HOWS = {
    "side by side": {},
    "overlapping": {"pool": 3, "strides": 2},
    "gaps": {"pool": 2, "strides": 3},
    "padded": {"pool": 3, "strides": 2, "padding": "same"},
    "average": {"average": True},
    "strided convolution": {"conv_strides": (1, 2)},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("how", HOWS.values(), ids=HOWS)
def test_gradients(native, instruction_sets, how, dtype):
    for name in instruction_sets:
        native.set_instruction_set(name)
        blocked, _ = run(lambda *v: gradients(*v, **how), arrays(dtype))
        # With the pooling, and for the kernel's gradient; a mean's has relu's mask in between.
        assert len(blocked) == (1 if how.get("average") else 2)


def test_what_is_made_stays_in_the_cache(native):
    x, kernel, bias = arrays()
    (line,), lines = run(layer, [x, kernel, bias])
    assert "conv_f32" in line and "max_pool_f32" in line
    assert len(lines) == 1 and "[52,24,21,20]" not in line
    blocked, lines = run(gradients, [x, kernel, bias])
    assert "conv_kernel_grad_f32" in blocked[1] and blocked[1].count("conv_f32") == 1
    assert not any("[52,24,21,20]" in line for line in lines)


def test_what_something_else_reads_is_written(native):
    def both(x, kernel, bias):
        made = ops.relu(ops.conv(x, kernel, 1, "same") + bias)
        return made, ops.max_pool(made, 2)

    (line,), _ = run(both, arrays())
    assert "[52,24,21,20]" in line

    def later(x, kernel, bias):
        made = ops.relu(ops.conv(x, kernel, 1, "same") + bias)
        return ops.max_pool(made, 2), ops.flip(made, 1)

    (line,), _ = run(later, arrays())
    assert "[52,24,21,20]" in line


def test_what_is_dear_to_make_is_written(native):
    images = (52, 24, 21, 7)  # 63 products for each result, too few channels to filter
    blocked, lines = run(gradients, arrays(images=images))
    assert len(blocked) == 2 and "[52,24,21,20]" in blocked[0]
    assert sum(line.count("conv_f32") for line in lines) == 1


@pytest.mark.parametrize("fn", [layer, gradients])
@pytest.mark.parametrize(
    "images, filters", [((40, 24, 24, 20), 7), ((3, 72, 72, 2), 18), ((40, 160, 150, 2), 16)]
)
def test_what_does_not_pay_is_left(native, images, filters, fn):
    """Few bytes, few images (of which gradients are too large as well), images beyond the cache."""
    blocked, _ = run(fn, arrays(images=images, filters=filters))
    assert blocked == []


def test_same_bits_for_any_number_of_threads(native):
    inputs = arrays()
    results = []
    for threads in (1, 2, 3):
        native.set_threads(threads)
        found = core.compile_step(gradients)(*inputs)
        results.append([v.numpy().tobytes() for v in found])
    assert results[0] == results[1] == results[2]


def test_the_gradient_of_the_images_too(native):
    """What makes it reads the pooling's gradient, which is written then."""

    def fn(x, kernel, bias):
        return core.grad(lambda *v: ops.sum(ops.square(layer(*v))), (0, 1, 2))(x, kernel, bias)

    blocked, lines = run(fn, arrays())
    assert any("max_pool_grad" in line and "[52,24,21,20]" in line for line in lines)
    assert blocked


def test_what_is_read_in_between_is_written_before(native):
    """A convolution is not moved behind something that reads its result."""
    x, kernel, y, pooled = (52, 24, 21, 2), (3, 3, 2, 20), (52, 24, 21, 20), (52, 12, 10, 20)
    how = {"strides": (1, 1), "pads": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    product = conv_params(x, kernel, y, **how)
    pooling = pool_params(y, pooled, (2, 2), (2, 2), ((0, 0), (0, 0)))
    specs = {
        i: Spec(shape, np.dtype("float32"))
        for i, shape in enumerate((x, kernel, pooled, y, y, y, kernel))
    }

    def step(name, inputs, output, params):
        operands = tuple((v, 0) for v in (*inputs, output))
        return Instruction(name, operands, 1, tuple(params), 0, "", "")

    steps = [
        step("conv_f32", (0, 1), 3, product),
        step("max_pool_grad_f32", (3, 2), 4, pooling),
        step("strided_copy", (3,), 5, ()),
        step("conv_kernel_grad_f32", (0, 4), 6, [*product, 4]),
    ]
    found = block_instructions(steps, specs, {5, 6})
    assert [s.kernel for s in found] == ["conv_f32", "strided_copy", "blocked"]
    later = [steps[0], steps[1], steps[3], steps[2]]
    found = block_instructions(later, specs, {5, 6})
    assert [s.kernel for s in found] == ["blocked", "strided_copy"]
    assert [root for root, _ in found[0].operands[-2:]] == [3, 6] and found[0].writes == 2
