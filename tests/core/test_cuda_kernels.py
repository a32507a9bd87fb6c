"""Generated CUDA: it compiles for every architecture, and its text, run on the host, is right.

Each kernel runs twice, its threads and blocks in opposite orders, and must give the same bits.
"""

import itertools

import cuda_host
import numpy as np
import pytest
from test_registry import OPS, samples

import kerasish_core as core
from kerasish_core.codegen.cuda.fused import Chain, Load, emit_chain
from kerasish_core.codegen.cuda.scalar import CASTS, served
from kerasish_core.codegen.cuda.source import ARCHITECTURES, Source
from kerasish_core.executors.cuda.program import CudaProgram
from kerasish_core.ir import Graph, Node
from kerasish_core.op import Spec
from kerasish_core.passes import optimize
from kerasish_core.tracing import trace

SCALAR = [n for n, op in OPS.items() if op.kind == "elementwise" and op.scalar and n != "cast"]
COMMON = ("float32", "bfloat16", "int32", "bool")
OTHERS = tuple(d for d in CASTS if d not in COMMON)
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 3e-6, "float64": 1e-12}
N = 32


def spec_of(name):
    return Spec((N,), core.dtypes.as_dtype(name))


def chain(specs, nodes):
    """Nodes over vectors as one group, every result written."""
    used = sorted({v for node in nodes for v in node.inputs})
    loads = tuple(Load(v, ((N, 1),), True) for v in used)
    return Chain((N,), tuple(nodes), (), (N, 1, 1), loads, tuple(n.outputs[0] for n in nodes), {},
                 specs)  # fmt: skip


def chains(dtype, per=8):
    """All elementwise ops that take the dtype, some of them to a kernel."""
    ops = [OPS[n] for n in SCALAR if served(OPS[n], dtype)]
    for first in range(0, len(ops), per):
        group = ops[first : first + per]
        specs = {0: spec_of("bool"), **{i: spec_of(dtype) for i in range(1, 5)}}
        nodes = []
        for v, op in enumerate(group, 10):
            place = iter(range(1, 5))
            inputs = tuple(0 if n == "condition" else next(place) for n in op.inputs)
            attrs = samples(op.name)[0][1]
            specs[v] = op.infer(*(specs[i] for i in inputs), **attrs)
            nodes.append(Node(op, inputs, (v,), attrs))
        yield chain(specs, nodes)


def casts(dtype):
    specs, nodes = {0: spec_of(dtype)}, []
    for v, to in enumerate((d for d in CASTS if d != dtype), 1):
        specs[v] = spec_of(to)
        nodes.append(Node(OPS["cast"], (0,), (v,), {"dtype": specs[v].dtype}))
    return chain(specs, nodes)


def source_of(dtypes):
    """The kernels of all elementwise ops and casts, and which chains they are of."""
    source, found = Source(), []
    for dtype in dtypes:
        for c in (*chains(dtype), casts(dtype)):
            found.append((c, emit_chain(source, c)[0]))
    return source, found


def values(rng, dtype):
    """Operands that take most functions into their interesting range."""
    if dtype == "bool":
        return rng.random(N) < 0.5
    kind = core.dtypes.as_dtype(dtype)
    if kind.kind in "iu":
        found = rng.integers(0 if kind.kind == "u" else -9, 10, N)
        found[:4] = (0, 1, 2, 3)
        return found.astype(kind)
    found = rng.uniform(-3, 3, N)
    found[:8] = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5)
    return found.astype(kind)


def check_elementwise(dtypes):
    source, found = source_of(dtypes)
    module = cuda_host.HostModule(source)
    rng = np.random.default_rng(0)
    for c, launch in found:
        operands = {load.value: values(rng, c.specs[load.value].dtype.name) for load in c.loads}
        results = []
        for reverse in (False, True):
            made = {v: np.zeros(N, c.specs[v].dtype) for v in c.outputs}
            addresses = [a.ctypes.data for a in (*operands.values(), *made.values())]
            module.launch(launch.kernel, launch.blocks, addresses, reverse)
            results.append(made)
        for node in c.nodes:
            got = results[0][node.outputs[0]]
            assert got.tobytes() == results[1][node.outputs[0]].tobytes()
            compare(node, [operands[v] for v in node.inputs], got)


def compare(node, arrays, got):
    name = node.op.name
    with np.errstate(all="ignore"):
        expected = np.asarray(node.op.kernel(np, *arrays, **node.attrs))
    if expected.dtype.kind not in "fV":
        if name == "cast" and arrays[0].dtype.kind in "fV":  # out of range: what the machine gives
            wide = arrays[0].astype("float64")
            low, high = (0, 1) if got.dtype == bool else tuple(
                float(getattr(np.iinfo(got.dtype), m)) for m in ("min", "max")
            )  # fmt: skip
            inside = (wide > low - 1) & (wide < high) | (got.dtype == bool)
            got, expected = got[inside], expected[inside]
        np.testing.assert_array_equal(got, expected, err_msg=name)
        return
    wide = expected.astype("float64")
    scale = TOLERANCE[expected.dtype.name]
    np.testing.assert_allclose(got.astype("float64"), wide, rtol=scale, atol=scale, err_msg=name)


def test_expressions_of_common_dtypes():
    check_elementwise(COMMON)


@pytest.mark.slow
def test_expressions_of_other_dtypes():
    check_elementwise(OTHERS)


@pytest.fixture(scope="module")
def compiler(request):
    """A compiler for GPUs: CI has NVRTC, of the extra `test`."""
    if cuda_host.compiler() is None:
        pytest.fail("neither nvidia-cuda-nvrtc nor nvcc: pip install 'kerasish[test]'")


def test_common_expressions_compile_for_a_gpu(compiler):
    source, _ = source_of(("float32", "bfloat16", "int32"))
    assert cuda_host.compile_for(source.text(), 90) == ""


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_expressions_compile(compiler, architecture):
    source, _ = source_of(CASTS)
    assert cuda_host.compile_for(source.text(), architecture) == ""


# -- programs


def program_of(backend, name, arrays, attrs):
    """A program of one op, or None if it has no kernel for these operands."""
    op = OPS[name]
    specs = [Spec(a.shape, a.dtype) for a in arrays]
    made = op.infer(*specs, **attrs)
    outs = tuple(made) if op.multiple else (made,)
    count = len(specs)
    node = Node(op, tuple(range(count)), tuple(range(count, count + len(outs))), attrs)
    graph = Graph(name, node.inputs, {}, (node,), node.outputs, dict(enumerate([*specs, *outs])))
    program = CudaProgram(graph, 0, 0, (), backend)
    return None if any(s.node is not None for s in program.instructions) else program


def in_dtype(arrays, dtype):
    kind = core.dtypes.as_dtype(dtype)
    arrays = [np.asarray(a) for a in arrays]
    return [a.astype(kind) if a.dtype == np.float64 else a for a in arrays]


# Those of which no sample has a kernel: they run generically, between two graphs.
GENERIC = {
    "all_reduce", "cholesky", "cofactors", "det", "eig", "eigh", "fourier", "inv", "lu", "pinv",
    "qr", "random_binomial", "random_poisson", "segment_max", "slogdet", "solve", "svd",
    "svd_values",
}  # fmt: skip


def all_programs(backend, dtype):
    for name, op in OPS.items():
        if op.kind == "elementwise" or name in ("random_binomial", "random_poisson"):
            continue
        for arrays, attrs in samples(name):
            if "dtype" in attrs and dtype != "float32":
                continue
            given = in_dtype(arrays, dtype)
            program = program_of(backend, name, given, attrs)
            if program is not None:
                yield name, attrs, given, backend.gather(program)


def check_program(backend, name, attrs, arrays, program, dtype="float32"):
    found = []
    for backend.reverse in (False, True):
        found.append(program.run(arrays, []))
    backend.reverse = False
    expected = OPS[name].kernel(np, *arrays, **attrs)
    expected = expected if OPS[name].multiple else (expected,)
    tolerance = 10 * TOLERANCE[dtype]
    for got, again, wanted in zip(*found, expected, strict=True):
        wanted = np.asarray(wanted)
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype), name
        assert got.tobytes() == again.tobytes(), f"{name} depends on the order of threads"
        if wanted.dtype.kind in "fV":
            np.testing.assert_allclose(
                got.astype("float64"), wanted.astype("float64"), rtol=tolerance, atol=tolerance,
                err_msg=f"{name} {attrs}",
            )  # fmt: skip
        else:
            np.testing.assert_array_equal(got, wanted, err_msg=f"{name} {attrs}")


def check_programs(dtype):
    backend = cuda_host.HostBackend()
    programs = list(all_programs(backend, dtype))
    for name, attrs, arrays, program in programs:
        check_program(backend, name, attrs, arrays, program, dtype)
    return {name for name, *_ in programs}


def test_ops_with_kernels():
    served_ops = check_programs("float32")
    every = {n for n, op in OPS.items() if op.kind not in ("elementwise", "control")}
    assert every - served_ops == GENERIC


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_ops_with_kernels_in_other_dtypes(dtype):
    check_programs(dtype)


def larger_cases():
    """Sizes that need several blocks, parts and tiles."""
    rng = np.random.default_rng(1)

    def f(*shape):
        return rng.normal(size=shape).astype("float32")

    ids = rng.integers(-40, 43, 2500)
    ids[300:900] = 7  # a run over many tiles
    drop = {"key": (("tensor", 0),), "drop": True}
    both = {"key": (("slice", None, None, None), ("tensor", 0))}
    yield "sum", [f(3, 5000)], {"axes": (1,), "keepdims": False}
    yield "sum", [f(900, 70)], {"axes": (0,), "keepdims": False}
    yield "max", [f(2, 300, 40)], {"axes": (1,), "keepdims": True}
    yield "sum", [f(70000)], {"axes": (0,), "keepdims": False}
    yield "softmax", [f(3, 1500)], {"axes": (1,)}
    yield "softmax", [f(9, 40)], {"axes": (1,)}
    yield "layer_norm", [f(3, 1100), f(1100), f(1100)], {"epsilon": 1e-3}
    yield "moments", [f(700, 40)], {"axes": (0,), "keepdims": False}
    yield "moments", [f(2, 5000)], {"axes": (1,), "keepdims": False}
    yield "centred_sums", [f(300, 33), f(300, 33), f(33)], {}
    yield "argmax", [np.round(f(4, 1300), 1)], {"axis": 1, "keepdims": False}
    yield "matmul", [f(70, 90), f(90, 130)], {}
    yield "matmul", [f(2, 3, 20, 17), f(3, 17, 66)], {}
    yield "transpose", [f(5, 40, 35)], {"axes": (0, 2, 1)}
    yield "index_add", [f(43, 5), f(2500, 5), ids], drop
    yield "index_add", [f(2, 43), f(2, 2500), np.clip(ids, -43, 42)], both
    yield "index_set", [f(43, 5), f(2500, 5), ids], drop
    yield "index_set", [f(2, 43), f(2, 2500), np.clip(ids, -43, 42)], both
    yield "index_set", [f(43, 5), f(50, 50), ids[:50, None] % 43, ids[2000:2050] % 5], {
        "key": (("tensor", 0), ("tensor", 1))}  # fmt: skip
    yield "gather", [f(43, 300), ids % 43], {"key": (("tensor", 0),)}
    ties = np.round(f(5, 2900), 1)
    ties[2, ::7], ties[3, ::5] = np.nan, -0.0
    for x, axis in ((ties, 1), (ties[:, :900].T.copy(), 0), (f(300, 3, 2), 1), (ties > 0, 1)):
        yield "argsort", [x], {"axis": axis}
        yield "sort", [x], {"axis": axis}
    for kind in ("int32", "int8", "uint32", "uint8", "int16"):
        yield "sort", [rng.integers(0, 250, (40, 70)).astype(kind)], {"axis": 1}
    yield "top_k_indices", [ties], {"k": 60}
    yield "top_k_indices", [f(2, 70, 20)], {"k": 3}
    edges = np.sort(np.round(f(1000), 1))
    edges[-3:] = np.nan
    for side in ("left", "right"):
        yield "searchsorted", [edges, ties], {"side": side}
    for x, axis in ((f(3, 4100), 1), (f(40, 7, 50), 1), (f(3, 100, 2), 1), (f(9, 30), 0)):
        yield "cumsum", [x], {"axis": axis, "reverse": axis == 0}
        yield "cumprod", [1 + x / 200], {"axis": axis, "reverse": axis == 1}
    yield "cumsum", [rng.integers(-9, 9, (2, 3000))], {"axis": 1, "reverse": True}
    yield "bitcast", [f(3, 500)], {"dtype": "int16"}
    yield "conv", [f(2, 9, 9, 5), f(3, 3, 5, 70)], {
        "strides": (2, 1), "pads": ((1, 1), (0, 2)), "dilation": (1, 2), "groups": 1}  # fmt: skip
    for dtype in ("float32", "float64", "float16", "bfloat16"):
        attrs = {"shape": (5, 301), "dtype": core.dtypes.as_dtype(dtype), "stream": (1 << 40) + 3}
        yield "random_uniform", [np.array([4_000_000_000, 5], "uint32")], attrs
    yield "random_bits", [np.array([1, 2], "uint32")], {"shape": (4099,), "stream": (1 << 63) + 5}


def test_larger_sizes():
    backend = cuda_host.HostBackend()
    cases = []
    for name, arrays, attrs in larger_cases():
        if name == "transpose":  # a view, which a result copies
            assert OPS[name].kind == "view"
        program = program_of(backend, name, arrays, attrs)
        assert program is not None, name
        cases.append((name, attrs, arrays, backend.gather(program)))
    for name, attrs, arrays, program in cases:
        check_program(backend, name, attrs, arrays, program)
        if OPS[name].kind == "random":  # the same bits as on the CPU
            got = program.run(arrays, [])[0]
            assert got.tobytes() == OPS[name].kernel(np, *arrays, **attrs).tobytes()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_types_multiply_on_tensor_cores(dtype):
    backend, programs = cuda_host.HostBackend(), []
    for name, arrays, attrs in larger_cases():
        if name in ("matmul", "conv"):
            given = in_dtype([a.astype("float64") for a in arrays], dtype)
            program = program_of(backend, name, given, attrs)
            programs.append((name, attrs, given, backend.gather(program)))
    assert len(programs) == 3
    for name, attrs, arrays, program in programs:
        check_program(backend, name, attrs, arrays, program, dtype)


def functions():
    ops = core.ops

    def broadcast(x, y, z):
        a = ops.exp(x * 0.3) + y[:, None] - z
        return a, ops.sum(ops.square(a), axis=-1), ops.max(ops.tanh(a), axis=-1)

    def leading(x, y, z):
        a = ops.transpose(x) * z[:, None]
        return ops.sum(a, axis=0), ops.sum(a * a, axis=0), a

    def whole(x, y, z):
        return ops.sum(ops.absolute(x)), ops.any(x > 3.0), ops.all(ops.isfinite(x))

    def sliced(x, y, z):
        part = x[1:, ::2]
        return part * 2 + part[::-1], ops.concatenate([part, x[1:, :3]], axis=1)

    def halves(x, y, z):
        h = ops.cast(x, "bfloat16") * ops.cast(y[:, None], "bfloat16")
        return h, ops.sum(h, axis=1), ops.cast(ops.cast(x, "float16") > 0.5, "int8")

    return [broadcast, leading, whole, sliced, halves]


def test_groups():
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=s).astype("float32") for s in ((24, 36), (24,), (36,))]
    backend = cuda_host.HostBackend()
    programs = []
    for function in functions():
        traced = trace(function, [Spec(a.shape, a.dtype) for a in arrays])
        program = backend.gather(CudaProgram(traced.graph, 0, 0, (), backend))
        assert all(s.node is None for s in program.instructions)
        programs.append(program)
    for function, program in zip(functions(), programs):
        expected = core.tree.flatten(function(*map(core.convert, arrays)))
        for got, wanted in zip(program.run(arrays, []), expected, strict=True):
            wanted = np.asarray(wanted)
            tolerance = 1e-5 if wanted.dtype == np.float32 else 2e-2
            np.testing.assert_allclose(
                got.astype("float64"), wanted.astype("float64"), rtol=tolerance, atol=tolerance
            )


def picked(rows):
    """The gradient of elements that `rows` and labels pick, squared."""

    def function(x, labels):
        return core.grad(lambda x: core.ops.sum(core.ops.square(x[rows, labels])))(x)

    return function


@pytest.mark.parametrize("rows, is_sorted", [([0, 1, 2, -1], False), ([0, 1, 2, 1], True)])
def test_places_that_are_distinct_need_no_sort(rows, is_sorted):
    """Those of a cross-entropy's gradient are: each row has one label."""
    backend = cuda_host.HostBackend()
    arrays = [np.random.default_rng(3).normal(size=(4, 5)), np.array([2, 4, 0, 4], "int32")]
    traced = trace(picked(np.array(rows)), [Spec(a.shape, a.dtype) for a in arrays])
    program = CudaProgram(optimize(traced.graph), 0, 0, (), backend)
    assert ("sort" in program.explain_kernels()) == is_sorted
    expected = np.zeros((4, 5))
    np.add.at(expected, (rows, arrays[1]), 2 * arrays[0][rows, arrays[1]])
    np.testing.assert_allclose(program.run(arrays, [])[0], expected)


def test_a_missing_barrier_is_seen():
    """What the checks rest on: threads that do not wait differ with the order of the threads."""
    source = Source()
    text = """  __shared__ int32_t all[256];
  all[threadIdx.x] = int32_t(threadIdx.x);
  BARRIER
  y[threadIdx.x] = all[255 - threadIdx.x];"""
    right = source.add("right", "int32_t* y", text.replace("BARRIER", "__syncthreads();"))
    wrong = source.add("wrong", "int32_t* y", text.replace("BARRIER", ""))
    module = cuda_host.HostModule(source)
    outcomes = {}
    for name, reverse in itertools.product((right, wrong), (False, True)):
        y = np.zeros(256, "int32")
        module.launch(name, 1, [y.ctypes.data], reverse)
        outcomes[name, reverse] = y.tolist()
    assert outcomes[right, False] == outcomes[right, True] == list(range(255, -1, -1))
    assert outcomes[wrong, False] != outcomes[wrong, True]


def compile_programs(dtypes, architecture):
    backend = cuda_host.HostBackend()
    for dtype in dtypes:
        for _ in all_programs(backend, dtype):
            pass
    assert cuda_host.compile_for(backend.all.text(), architecture) == ""


def test_kernels_of_programs_compile(compiler):
    compile_programs(["float32"], 90)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_kernels_of_programs_compile_for_every_architecture(compiler, architecture):
    compile_programs(["float32", "float64", "float16", "bfloat16"], architecture)
