"""Products of tensors: NumPy is the oracle."""

import itertools

import numpy as np
import pytest
from finite_difference import check_gradients

import kerasish_core as core
from kerasish_core import ops

RNG = np.random.default_rng(0)


def close(found, expected, dtype=None):
    expected = np.asarray(expected)
    assert isinstance(found, core.Tensor)
    assert found.shape == expected.shape
    assert found.dtype == (expected.dtype if dtype is None else np.dtype(dtype))
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12, atol=1e-12)


MATRIX_SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((2, 0), (0, 3)),
    ((0, 2), (2, 3)),
]


@pytest.mark.parametrize(("left", "right"), MATRIX_SHAPES)
def test_matmul(left, right):
    a, b = RNG.normal(size=left), RNG.normal(size=right)
    close(ops.matmul(a, b), a @ b)
    close(core.convert(a) @ b, a @ b)
    close(a @ core.convert(b), a @ b)
    close(np.matmul(core.convert(a), b), a @ b)
    assert core.eval_spec(ops.matmul, core.convert(a), core.convert(b)).shape == (a @ b).shape
    check_gradients(ops.matmul, a, b)


def test_matmul_of_views():
    a, b = RNG.normal(size=(6, 4, 5)), RNG.normal(size=(5, 1))
    wide = ops.broadcast_to(b, (5, 7))
    close(ops.matmul(core.convert(a)[::-2, :, ::-1], wide), a[::-2, :, ::-1] @ np.tile(b, 7))


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ("int8", "int8", "int32"), ("uint8", "uint8", "uint8"), ("int8", "uint8", "int16"),
        ("bool", "bool", "bool"), ("int16", "int16", "int16"), ("int32", "float16", "float16"),
        ("bfloat16", "bfloat16", "bfloat16"), ("bfloat16", "float16", "float32"),
        ("float32", "float64", "float64"), ("complex64", "complex64", "complex64"),
    ],
)  # fmt: skip
def test_matmul_dtypes(left, right, result):
    a, b = core.convert(np.ones((2, 3)), left), core.convert(np.ones((3, 2)), right)
    for found in (ops.matmul(a, b), core.eval_spec(ops.matmul, a, b)):
        assert found.dtype.name == result
    if result == "int32":
        big = core.convert(np.full((2, 3), 100), "int8")
        assert int(ops.matmul(big, ops.transpose(big))[0, 0]) == 30000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ops.matmul(np.ones((2, 3)), np.ones((4, 3))),
            r"a is f64\[2,3\], b is f64\[4,3\]; a.shape\[-1\] \(3\) must equal b.shape\[-2\] \(4\)"
            r". Transpose b\?",
        ),
        (lambda: ops.matmul(np.ones((2, 2, 3)), np.ones((3, 3, 2))), "batch axes"),
        (lambda: ops.matmul(np.ones((2, 2)), 2.0), "use multiply"),
        (lambda: ops.tensordot(np.ones((2, 3)), np.ones((2, 3))[:1], 1), "equal sizes"),
        (lambda: ops.tensordot(np.ones((2, 3)), np.ones(3), 2), "axes=2"),
        (lambda: ops.einsum("ij,jk", np.ones((2, 3))), "names 2 operands, got 1"),
        (lambda: ops.einsum("ij", np.ones((2, 3, 4))), "does not fit an operand of rank 3"),
        (lambda: ops.einsum("ij,jk", np.ones((2, 3)), np.ones((2, 3))), "sizes 3 and 2"),
        (lambda: ops.einsum("ij->ik", np.ones((2, 3))), "must name labels"),
        (lambda: ops.einsum("ij->ii", np.ones((2, 2))), "each once"),
        (lambda: ops.cross(np.ones(4), np.ones(4)), "2 or 3 components"),
    ],
)
def test_errors_name_sizes(call, message):
    with pytest.raises(core.ShapeError, match=message):
        call()


@pytest.mark.parametrize(
    ("left", "right", "axes"),
    [
        ((2, 3, 4), (3, 4, 5), 2),
        ((2, 3), (4, 5), 0),
        ((2, 3, 4), (4, 3), ([1, 2], [1, 0])),
        ((2, 3), (5, 3), (-1, 1)),
        ((2, 3), (2, 3), ((0, 1), (0, 1))),
    ],
)
def test_tensordot(left, right, axes):
    a, b = RNG.normal(size=left), RNG.normal(size=right)
    close(ops.tensordot(a, b, axes), np.tensordot(a, b, axes))
    check_gradients(lambda a, b: ops.tensordot(a, b, axes), a, b)


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("dot", (), (2, 3)), ("dot", (3,), (3,)), ("dot", (2, 3), (3,)), ("dot", (2, 3), (3, 4)),
        ("dot", (2, 3), (5, 3, 4)), ("dot", (2, 2, 3), (5, 3, 4)), ("inner", (3,), (3,)),
        ("inner", (2, 3), (4, 3)), ("inner", (), (4, 3)), ("outer", (3,), (4,)),
        ("outer", (2, 3), (2,)), ("vdot", (2, 3), (2, 3)), ("cross", (3,), (3,)),
        ("cross", (5, 3), (3,)), ("cross", (4, 5, 3), (5, 3)), ("kron", (2,), (3,)),
        ("kron", (2, 3), (3, 2)), ("kron", (2, 3), (2, 1, 2)), ("kron", (), (2,)),
    ],
)  # fmt: skip
def test_products(name, left, right):
    a, b = RNG.normal(size=left), RNG.normal(size=right)
    function = getattr(ops, name)
    close(function(a, b), getattr(np, name)(a, b))
    check_gradients(function, a, b)


def test_products_keep_small_integers():
    a = core.convert(np.ones((2, 2)), "int8")
    assert ops.dot(a, a).dtype == np.int8
    assert ops.tensordot(a, a).dtype == np.int8
    assert ops.einsum("ij,jk->ik", a, a).dtype == np.int32
    flags = core.convert(np.eye(2), "bool")
    close(ops.einsum("ij,jk->ik", flags, flags), np.eye(2, dtype=bool))
    close(ops.outer(flags, flags), np.outer(np.eye(2, dtype=bool), np.eye(2, dtype=bool)))


def test_cross_of_two_components():
    a, b = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 2))
    close(ops.cross(a, b), a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    padded = np.concatenate([b, np.zeros((4, 1))], -1)
    close(ops.cross(padded, a), np.cross(padded, np.concatenate([a, np.zeros((4, 1))], -1)))
    close(ops.cross(padded.T, padded.T[::-1], axis=0), np.cross(padded.T, padded.T[::-1], axis=0))


def test_trace():
    x = RNG.normal(size=(3, 4, 5))
    for arguments in ((), (1,), (0, 1, 2), (-1, 2, 0)):
        close(ops.trace(x, *arguments), np.trace(x, *arguments))
    assert ops.trace(np.ones((2, 2), "int8")).dtype == np.int32
    check_gradients(ops.trace, x)


# -- einsum

EINSUMS = [
    ("i->", (3,)),
    ("ij->ji", (2, 3)),
    ("ij->j", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iij->ij", (3, 3, 2)),
    ("...ij->...ji", (2, 3, 4)),
    ("i...->...", (2, 3, 4)),
    ("ba", (2, 3)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,kj->ki", (2, 3), (4, 3)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("bqnh,bknh->bnqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    ("bnqk,bknh->bqnh", (2, 2, 3, 5), (2, 5, 2, 4)),
    ("...ij,...jk->...ik", (2, 3, 4), (2, 4, 2)),
    ("...ij,jk->...ik", (5, 2, 3, 4), (4, 2)),
    ("...i,...i->...", (5, 1, 3), (2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("i,i", (3,), (3,)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ijk,j->k", (2, 3, 4), (3,)),
    ("ij,k->k", (2, 3), (4,)),
    ("ii,ij->j", (3, 3), (3, 2)),
    (",ij->ij", (), (2, 3)),
    ("ij,ij->ji", (1, 3), (2, 3)),
    ("ab,b,ac->c", (2, 3), (3,), (2, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ij,jk,kl,lm->im", (2, 3), (3, 4), (4, 2), (2, 3)),
    ("bi,bj,bij->b", (2, 3), (2, 4), (2, 3, 4)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("a...,...b,b->a...", (2, 3), (3, 4), (4,)),
]


@pytest.mark.parametrize(("subscripts", "shapes"), [(e[0], e[1:]) for e in EINSUMS])
def test_einsum(subscripts, shapes):
    operands = [RNG.normal(size=s) for s in shapes]
    expected = np.asarray(np.einsum(subscripts, *operands))
    close(ops.einsum(subscripts, *operands), expected)
    close(np.einsum(subscripts, *map(core.convert, operands)), expected)
    spec = core.eval_spec(lambda *xs: ops.einsum(subscripts, *xs), *map(core.convert, operands))
    assert spec == core.Spec(expected.shape, expected.dtype)
    check_gradients(lambda *xs: ops.einsum(subscripts, *xs), *operands)


def test_every_two_operand_pattern():
    """All ways in which labels can be shared, summed and ordered between two operands."""
    size = {"a": 2, "b": 3, "c": 2, "d": 4}
    count = 0
    for left in ("ab", "ba", "abc", "a", "dab"):
        for right in ("ab", "bc", "cb", "d", "bad"):
            labels = sorted(set(left + right))
            for length in range(min(3, len(labels)) + 1):
                for result in itertools.permutations(labels, length):
                    text = f"{left},{right}->{''.join(result)}"
                    a = RNG.normal(size=[size[c] for c in left])
                    b = RNG.normal(size=[size[c] for c in right])
                    close(ops.einsum(text, a, b), np.einsum(text, a, b))
                    count += 1
    assert count == 456


def test_two_operands_become_a_matrix_product():
    x = np.ones((2, 3, 2, 4), "float32")
    step = core.compile_step(lambda x: ops.einsum("bqnh,bknh->bnqk", x, x))
    step(x)
    assert "matmul" in step.explain()
    assert "einsum" not in step.explain()


@pytest.mark.parametrize("terms", ["ij,ij->i", "ij,ij->j", "ij,ij->", "ij,jk->ik", "ij,i->j"])
def test_gradients_where_einsum_repeats_a_size_of_1(terms):
    """As NumPy has it; the gradients are those of the repeated operands."""
    rng = np.random.default_rng(2)
    first, second = terms.split("->")[0].split(",")
    sizes = {"i": 3, "j": 2, "k": 4}
    for short in sorted({*first} & {*second}):
        whole, other = ([sizes[c] for c in t] for t in (first, second))
        thin = [1 if c == short else sizes[c] for c in first]
        a, b = core.convert(rng.normal(size=thin)), core.convert(rng.normal(size=other))
        found = []
        for repeat in (False, True):
            with core.GradientTape() as tape:
                tape.watch([a, b])
                x = ops.broadcast_to(a, whole) if repeat else a
                y = ops.sum(ops.sin(ops.einsum(terms, x, b)))
            found.append([np.asarray(g) for g in tape.gradient(y, [a, b])])
        for g, h in zip(*found, strict=True):
            np.testing.assert_allclose(g, h, rtol=1e-10, atol=1e-12)


def _minors(x):
    """The cofactors by their definition."""
    n = len(x)
    rest = [[i for i in range(n) if i != j] for j in range(n)]
    return [
        [(-1) ** (i + j) * np.linalg.det(x[np.ix_(rest[i], rest[j])]) for j in range(n)]
        for i in range(n)
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_gradient_of_the_determinant_of_singular_matrices(n, dtype):
    # One matrix of each rank, then one whose determinant underflows.
    rng = np.random.default_rng(n)
    u, v = np.linalg.qr(rng.normal(size=(2, n, n)))[0]
    x = np.stack([u[:, :rank] @ v[:rank] for rank in range(n + 1)] + [np.diag([1e-12] * n)])
    if n == 2:
        x = np.concatenate([x, [[[1, 2], [2, 4]]]])
    x = x.astype(dtype)
    g = rng.normal(size=len(x)).astype(dtype)
    found = core.grad(lambda x: ops.sum(ops.det(x) * g))(core.convert(x))
    expected = g[:, None, None] * np.array([_minors(a.astype("float64")) for a in x])
    np.testing.assert_allclose(
        np.asarray(found), expected, rtol=1e-5, atol=2e-6 if dtype == "float32" else 1e-14
    )
    assert found.dtype == dtype


def test_gradient_of_the_determinant_of_what_is_not_finite():
    x = np.array([[[np.nan, 1], [1, 2]], [[1, 2], [2, 4]]])
    found = np.asarray(core.grad(lambda x: ops.sum(ops.det(x)))(core.convert(x)))
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], [[4, -2], [-2, 1]], rtol=1e-14)


def test_gradient_of_a_complex_determinant_of_a_singular_matrix():
    x = np.array([[1, 2j], [1j, -2]])
    found = core.grad(lambda x: ops.real(ops.det(x)))(core.convert(x))
    step, expected = 1e-6, np.zeros((2, 2), complex)
    for place in np.ndindex(2, 2):
        for way in (1, 1j):
            moved = [x.copy(), x.copy()]
            moved[0][place] += step * way
            moved[1][place] -= step * way
            slope = (np.linalg.det(moved[0]) - np.linalg.det(moved[1])).real / (2 * step)
            expected[place] += slope * way
    np.testing.assert_allclose(found, expected, rtol=1e-6)
