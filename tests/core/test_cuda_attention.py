"""Attention's kernels, their text run on the host, beside the generic one and its gradient."""

import cuda_host
import numpy as np
import pytest
from test_cuda_kernels import check_program, program_of

import kerasish_core as core
from kerasish_core.codegen.cuda.source import ARCHITECTURES
from kerasish_core.executors.cuda.program import CudaProgram
from kerasish_core.tracing import trace

OPS = core.REGISTRY
RNG = np.random.default_rng(4)
MASK = RNG.random((2, 1, 40, 37)) < 0.6
MASK[1, :, 3] = False  # a query that may look nowhere
# Shapes of q, k and v; more rows than stand by in a block, sizes that no tile divides.
GROUPED = ((1, 140, 2, 20), (1, 37, 1, 20), (1, 37, 1, 24))
CASES = {
    "masked": (((2, 40, 2, 8), (2, 37, 2, 8), (2, 37, 2, 8)), MASK, {"scale": 0.3}),
    "grouped": (GROUPED, None, {"scale": 0.4}),
    "causal": (((1, 45, 2, 12),) * 3, None, {"scale": 0.2, "causal": True}),
    "both": (((2, 40, 1, 8),) * 3, MASK[..., :1], {"scale": 1.0, "causal": True}),
    "wide": (((1, 20, 1, 100), (1, 40, 1, 100), (1, 40, 1, 70)), None, {"scale": 0.1}),
    # Blocks of queries that look at whole tiles of keys, on tensor cores too.
    "long": (((1, 170, 1, 16),) * 3, None, {"scale": 0.3, "causal": True}),
    "mid": (((1, 20, 1, 48), (1, 40, 1, 48), (1, 40, 1, 64)), None, {"scale": 0.1}),
}


def operands(name, dtype):
    """Those of the op, those of its gradient, and the attributes."""
    shapes, mask, attrs = CASES[name]
    kind = core.dtypes.as_dtype(dtype)
    given = [RNG.normal(size=s).astype(kind) for s in shapes]
    given += [] if mask is None else [mask]
    attrs = {"causal": False, **attrs}
    y, top, total = OPS["attention"].kernel(np, *given, **attrs)
    g = RNG.normal(size=y.shape).astype(kind)
    return given, [*given[:3], y, top, total, g, *given[3:]], attrs


def check(dtype, names):
    backend, programs = cuda_host.HostBackend(), []
    for name in names:
        forward, backward, attrs = operands(name, dtype)
        for op, arrays in (("attention", forward), ("attention_grad", backward)):
            program = program_of(backend, op, arrays, attrs)
            assert program is not None, name
            programs.append((op, attrs, arrays, backend.gather(program)))
    for op, attrs, arrays, program in programs:
        check_program(backend, op, attrs, arrays, program, dtype)
    return [program for *_, program in programs]


def test_in_float32():
    check("float32", ["masked", "causal"])


@pytest.mark.parametrize(
    "name, chunks", [("grouped", "false"), ("masked", "true"), ("long", "true")]
)
def test_on_tensor_cores(name, chunks):
    """Heads of whole chunks are read by 16 bytes, others element by element."""
    programs = check("bfloat16", [name])
    kernels = [k.text for p in programs for k in p.builder.source.kernels.values()]
    assert sum(f", 32, {chunks}>" in text for text in kernels) == 3


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_all_sizes_and_masks(dtype):
    check(dtype, CASES)


def program_with_gradient(shape, dtype, tensor_cores=True, steps=1):
    """`attention` of strided operands and its gradient, in one program."""

    def step(x):
        def loss(x):
            q, k, v = (core.ops.transpose(x[i], (1, 0, 2, 3)) for i in range(3))
            y = core.ops.attention(q[:, ::steps], k, v, scale=0.5)
            wide = core.ops.cast(y, "float32") if y.dtype.itemsize < 4 else y
            return core.ops.sum(core.ops.square(wide))

        return core.value_and_grad(loss)(x)

    backend = cuda_host.HostBackend()
    backend.tensor_cores = tensor_cores
    traced = trace(step, [core.Spec(shape, core.dtypes.as_dtype(dtype))])
    return step, CudaProgram(traced.graph, 0, 0, (), backend)


def agrees(step, program, shape, dtype, tolerance):
    x = RNG.normal(size=shape).astype(core.dtypes.as_dtype(dtype))
    got, expected = program.run([x], []), step(core.convert(x))
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(
            a.astype("float64"), b.numpy().astype("float64"), rtol=tolerance, atol=tolerance
        )


def test_operands_are_read_through_their_strides():
    shape = (3, 9, 2, 2, 4)
    step, program = program_with_gradient(shape, "float32", steps=2)
    agrees(step, program, shape, "float32", 1e-4)
    text = program.explain_kernels()
    assert text.count("attention_") == 3 and "copy" not in text.split("attention_float")[0]


@pytest.mark.parametrize(
    "shape, dtype, cores, said",
    [
        ((3, 4, 2, 2, 132), "float32", True, "heads of size 132"),
        ((3, 4, 2, 2, 4), "float64", True, "float64, and the kernel takes"),
        ((3, 4, 2, 2, 4), "bfloat16", False, "no tensor cores"),
    ],
)
def test_what_the_kernel_does_not_serve_is_products(shape, dtype, cores, said):
    step, program = program_with_gradient(shape, dtype, cores)
    text = program.explain_kernels()
    reason, *launches = text.splitlines()
    assert said in reason and "test_cuda_attention.py" in reason
    assert not any(line.startswith("attention_") for line in launches[1:])
    assert any(line.startswith("product_") for line in launches)
    assert all(s.node is None for s in program.instructions)
    tolerance = {"float32": 1e-3, "float64": 1e-9, "bfloat16": 0.2}[dtype]
    agrees(step, program, shape, dtype, tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_size_compiles(architecture):
    assert cuda_host.compiler() is not None, "pip install 'kerasish[test]'"
    backend = cuda_host.HostBackend()
    for dtype in ("float32", "float16", "bfloat16"):
        for name in CASES:
            forward, backward, attrs = operands(name, dtype)
            backend.gather(program_of(backend, "attention", forward, attrs))
            backend.gather(program_of(backend, "attention_grad", backward, attrs))
    assert cuda_host.compile_for(backend.all.text(), architecture) == ""
