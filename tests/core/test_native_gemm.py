"""Matrix products of the native executor against NumPy in float64."""

import itertools

import numpy as np
import pytest

from kerasish_core.executors.native.instructions import gemm as _lowerings  # noqa: F401
from kerasish_core.executors.native.lowering import LOWERINGS, Builder, Layout
from kerasish_core.ir import Graph, Node
from kerasish_core.op import REGISTRY, Spec

# Small, thin, square; tails of every tile; more than one slice of the sum and block of columns,
# with one operand packed and with both.
SIZES = [
    (1, 1, 1), (1, 64, 4), (1, 130, 300), (130, 1, 300), (64, 1, 3), (32, 1, 64), (7, 33, 5),
    (14, 32, 16), (15, 31, 17), (29, 65, 130), (100, 10, 50), (3, 50, 40), (50, 3, 40),
    (71, 200, 450), (90, 513, 900), (40, 70, 2100),
    (112, 256, 128), (130, 300, 450), (117, 530, 1100), (64, 2, 64), (45, 4, 300), (70, 3, 9),
]  # fmt: skip
WITH_MORE = [(33, 1, 70), (66, 2, 90), (1, 40, 20), (20, 50, 900), (80, 37, 64), (120, 260, 600)]
LAYOUTS = ("rows", "columns", "neither")
BIAS, RELU, ADD = 1, 2, 4


def arranged(x, layout):
    """The same values with contiguous rows, contiguous columns, or neither."""
    if layout == "rows":
        return np.ascontiguousarray(x)
    if layout == "columns":
        return np.asfortranarray(x)
    wide = np.full((2 * x.shape[0] + 1, 3 * x.shape[1] + 1), np.nan, x.dtype)
    view = wide[: 2 * x.shape[0] : 2, 1 : 3 * x.shape[1] + 1 : 3]
    view[...] = x
    return view


def steps(x):
    return [s // x.itemsize for s in x.strides]


def product(native, a, b, bias=None, relu=False, add=None):
    (m, k), n = a.shape, b.shape[1]
    out = np.full((m, n), 77, a.dtype)
    operands, flags = [a, b], RELU * relu
    if bias is not None:
        operands, flags = [*operands, bias], flags | BIAS
    if add is not None:
        operands, flags = [*operands, add], flags | ADD
    name = f"gemm_f{a.itemsize * 8}"
    params = [m, n, k, flags, *steps(a), *steps(b), n, n, 0]
    native.call(name, [*operands, out], params)
    return out


def assert_product(got, a, b, more=0.0, relu=False):
    """The error of a sum of k products is at most (k + 2) eps times the sum of their sizes."""
    wide = [np.asarray(v, np.float64) for v in (a, b)]
    want = wide[0] @ wide[1] + more
    bound = np.abs(wide[0]) @ np.abs(wide[1]) + np.abs(more)
    want = np.maximum(want, 0) if relu else want
    limit = (a.shape[-1] + 4) * np.finfo(got.dtype).eps * bound
    assert got.shape == want.shape
    np.testing.assert_array_less(np.abs(got - want), limit + np.finfo(got.dtype).tiny)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_product(native, instruction_sets, size, dtype):
    m, n, k = size
    rng = np.random.default_rng(m + n + k)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    for name in instruction_sets:
        native.set_instruction_set(name)
        for left, right in itertools.product(LAYOUTS, repeat=2):
            got = product(native, arranged(a, left), arranged(b, right))
            assert_product(got, a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", WITH_MORE, ids=str)
def test_what_follows_the_product(native, instruction_sets, size, dtype):
    m, n, k = size
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    bias, add = rng.normal(size=n).astype(dtype), rng.normal(size=(m, n)).astype(dtype)
    for name, left, right in itertools.product(instruction_sets, LAYOUTS, LAYOUTS):
        native.set_instruction_set(name)
        x, y = arranged(a, left), arranged(b, right)
        assert_product(product(native, x, y, bias=bias), a, b, bias)
        assert_product(product(native, x, y, add=add), a, b, add)
        got = product(native, x, y, bias, True, add)
        assert_product(got, a, b, np.float64(bias) + add, relu=True)


@pytest.mark.parametrize("size", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (100, 70, 0)], ids=str)
def test_nothing_to_add(native, instruction_sets, size):
    m, n, k = size
    for name in instruction_sets:
        native.set_instruction_set(name)
        got = product(native, np.ones((m, k), "float32"), np.ones((k, n), "float32"))
        np.testing.assert_array_equal(got, np.zeros((m, n)))


@pytest.mark.parametrize(
    "size", [(1, 33, 40), (20, 33, 40), (100, 40, 33), (40, 1, 65), (60, 3, 100)], ids=str
)
def test_nan_and_infinity_go_where_they_belong(native, instruction_sets, size):
    m, n, k = size
    for name, left, right in itertools.product(instruction_sets, LAYOUTS, LAYOUTS):
        native.set_instruction_set(name)
        a, b = np.ones((m, k), "float32"), np.ones((k, n), "float32")
        a[m - 1, k - 1], b[k - 1, n - 1] = np.nan, np.inf
        for relu in (False, True):
            got = product(native, arranged(a, left), arranged(b, right), relu=relu)
            want = np.full((m, n), k, "float32")
            want[:, n - 1] = np.inf
            want[m - 1] = np.nan
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("size", [(17, 21, 19), (115, 261, 131), (40, 3, 100)], ids=str)
def test_nothing_beyond_the_operands_is_read_or_written(native, instruction_sets, size):
    """Guards of NaN around each operand reach neither the result nor what surrounds it."""
    m, n, k = size
    for name in instruction_sets:
        native.set_instruction_set(name)
        for dtype in ("float32", "float64"):
            memory = [np.full(size + 64, np.nan, dtype) for size in (m * k, k * n, m * n)]
            a, b, c = (
                x[32:-32].reshape(shape)
                for x, shape in zip(memory, ((m, k), (k, n), (m, n)), strict=True)
            )
            a[...], b[...] = 2, 3
            kernel = f"gemm_f{a.itemsize * 8}"
            native.call(kernel, [a, b, c], [m, n, k, 0, k, 1, n, 1, n, 0, 0])
            np.testing.assert_array_equal(c, np.full((m, n), 6 * k))
            assert np.isnan(memory[2][:32]).all() and np.isnan(memory[2][-32:]).all()


def test_same_bits_for_any_number_of_threads(native, instruction_sets):
    rng = np.random.default_rng(3)
    cases = [(150, 300, 1000), (1, 2500, 2100), (2500, 1, 2100), (2500, 3, 2100), (700, 90, 128),
             (64, 4200, 40), (4110, 290, 150)]  # fmt: skip
    for name, (m, n, k) in itertools.product(instruction_sets, cases):
        native.set_instruction_set(name)
        a, b = rng.normal(size=(m, k)).astype("f4"), rng.normal(size=(k, n)).astype("f4")
        for left, right in (("rows", "rows"), ("columns", "rows"), ("rows", "columns")):
            x, y = arranged(a, left), arranged(b, right)
            native.set_threads(1)
            one = product(native, x, y)
            for threads in (2, 3):
                native.set_threads(threads)
                np.testing.assert_array_equal(product(native, x, y), one)
        assert_product(one, a, b)


# ---- lowerings: instructions built for one node, then run one by one
class Run:
    """A graph of one node over arrays that may be strided views, as the executor would run it."""

    def __init__(self, native, op, arrays, attrs):
        specs = {i: Spec(x.shape, x.dtype) for i, x in enumerate(arrays)}
        self.native, self.out = native, len(arrays)
        specs[self.out] = REGISTRY[op].infer(*specs.values(), **attrs)
        inputs = tuple(range(len(arrays)))
        node = Node(REGISTRY[op], inputs, (self.out,), attrs)
        self.builder = Builder(Graph("test", inputs, {}, (node,), (self.out,), specs))
        self.memory = {}
        for i, x in enumerate(arrays):
            base = x if x.base is None else x.base
            offset = x.__array_interface__["data"][0] - base.__array_interface__["data"][0]
            self.memory[i] = base.reshape(-1, order="A")
            self.builder.layouts[i] = Layout(i, offset // x.itemsize, tuple(steps(x)))
        self.served = LOWERINGS[op](node, self.builder)

    def result(self):
        for instruction in self.builder.instructions:
            operands = []
            for root, offset in instruction.operands:
                if root not in self.memory:
                    shape, dtype = self.builder.spec(root)
                    self.memory[root] = np.full(int(np.prod(shape)), 77, dtype)
                flat = self.memory[root]
                operands.append(flat[offset // flat.itemsize :])
            self.native.call(instruction.kernel, operands, instruction.params, instruction.scratch)
        shape, _ = self.builder.spec(self.out)
        return self.memory[self.out].reshape(shape)

    def kernels(self):
        return [i.kernel for i in self.builder.instructions]


MATMULS = [
    ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 1, 2, 3), (3, 3, 2)), ((4, 3), (6, 3, 5)),
    ((2, 3, 4, 5), (2, 3, 5, 4)), ((2, 1, 4, 5), (1, 3, 5, 6)), ((7, 1, 3), (3, 8)),
    ((0, 2, 3), (3, 4)), ((2, 2, 0), (0, 4)), ((1, 1, 2, 3), (3, 4)), ((64, 40, 30), (64, 30, 50)),
    ((3, 40, 70), (3, 70, 2)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shapes", MATMULS, ids=str)
def test_matmul(native, shapes, dtype):
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=s).astype(dtype) for s in shapes)
    run = Run(native, "matmul", [a, b], {})
    assert run.served
    assert_product(run.result(), a, b)


@pytest.mark.parametrize("views", list(itertools.product(range(4), repeat=2)), ids=str)
def test_matmul_reads_views_where_they_lie(native, views):
    """Transposed, sliced and broadcast operands need no copy."""
    rng = np.random.default_rng(2)

    def view(which, shape):
        batch, rows, columns = shape
        if which == 0:
            return rng.normal(size=shape)
        if which == 1:
            return rng.normal(size=(batch, columns, rows)).transpose(0, 2, 1)
        if which == 2:
            return rng.normal(size=(rows, batch, 2 * columns)).transpose(1, 0, 2)[..., ::2]
        return np.broadcast_to(rng.normal(size=(rows, 1)), shape)

    a, b = view(views[0], (3, 20, 30)), view(views[1], (3, 30, 25))
    run = Run(native, "matmul", [a, b], {})
    assert run.kernels() == ["gemm_f64"]
    assert_product(run.result(), a, b)


def test_one_matrix_for_a_batch_is_one_tall_product(native):
    a, b = np.ones((5, 7, 3), "f4"), np.ones((3, 2), "f4")
    run = Run(native, "matmul", [a, b], {})
    (instruction,) = run.builder.instructions
    assert instruction.params[:3] == (35, 2, 3)
    assert instruction.params[10] == 0


@pytest.mark.parametrize("dtype", ["int32", "int8", "float16"])
def test_other_dtypes_are_left_to_the_generic_kernel(native, dtype):
    x = np.ones((2, 2), dtype)
    assert not Run(native, "matmul", [x, x], {}).served
    attrs = {"terms": ("ab", "bc"), "result": "ac"}
    assert not Run(native, "einsum", [x, x], attrs).served


EINSUMS = [
    ("ij,jk->ik", (5, 6), (6, 7)), ("ij,jk->ki", (5, 6), (6, 7)), ("ji,kj->ik", (6, 5), (7, 6)),
    ("bij,bjk->bik", (3, 5, 6), (3, 6, 7)), ("bij,bjk->ikb", (3, 5, 6), (3, 6, 7)),
    ("bqhd,bkhd->bhqk", (2, 5, 3, 4), (2, 6, 3, 4)),
    ("bhqk,bkhd->bqhd", (2, 3, 5, 6), (2, 6, 3, 4)),
    ("abc,cde->abde", (2, 3, 4), (4, 5, 6)), ("abcd,cde->abe", (2, 3, 4, 5), (4, 5, 6)),
    ("abcd,dce->abe", (2, 3, 4, 5), (5, 4, 6)), ("acb,bd->acd", (2, 3, 4), (4, 5)),
    ("abc,abd->cd", (2, 3, 4), (2, 3, 5)), ("bac,abd->dc", (2, 3, 4), (3, 2, 5)),
    ("i,j->ij", (4,), (5,)), ("i,i->", (9,), (9,)), ("ij,ij->", (4, 9), (4, 9)),
    ("ij,ij->j", (4, 9), (4, 9)), ("ijk,jl->ijkl", (2, 3, 4), (3, 5)),
    ("ij,jk->ik", (5, 1), (6, 7)), ("ijb,jkb->ikb", (5, 6, 1), (6, 7, 3)),
    ("ij,jk->ik", (5, 0), (0, 7)), ("ijl,jlk->ik", (5, 1, 4), (6, 4, 7)),
    ("bi,abj->abij", (3, 4), (2, 3, 1)), ("bi,abj->abij", (3, 4), (2, 1, 1)),
]  # fmt: skip


@pytest.mark.parametrize("case", EINSUMS, ids=str)
def test_einsum(native, case):
    text, *shapes = case
    terms, result = text.split("->")
    rng = np.random.default_rng(4)
    a, b = (rng.normal(size=s) for s in shapes)
    run = Run(native, "einsum", [a, b], {"terms": tuple(terms.split(",")), "result": result})
    assert run.served
    want = np.einsum(text, a, b)
    np.testing.assert_allclose(run.result(), want, rtol=0, atol=1e-13)


@pytest.mark.parametrize("case", [
    ("ij,j->", (2, 3), (3,)), ("ii,i->i", (3, 3), (3,)), ("ij->i", (2, 3)),
    ("i,i,i->i", (3,), (3,), (3,)),
], ids=str)  # fmt: skip
def test_other_sums_are_left_to_the_generic_kernel(native, case):
    text, *shapes = case
    terms, result = text.split("->")
    attrs = {"terms": tuple(terms.split(",")), "result": result}
    run = Run(native, "einsum", [np.ones(s) for s in shapes], attrs)
    assert not run.served
    assert run.builder.instructions == []
