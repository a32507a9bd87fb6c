"""Products, matrices, Fourier transforms and complex numbers."""

from __future__ import annotations

import itertools

import numpy as np

from .entries import Fixed, call, entry, mark, spec, use
from .inputs import DTYPES, FLAGS, FLOATS, A, B, C, I, V, as_type, draw, typed, whole

I8, U8 = whole(2, 2, dtype="int8"), whole(2, 2, dtype="uint8")
PRODUCTS = "ops: matmul dot inner outer vdot tensordot kron cross"
for _one, _other in [
    ((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 3)), ((2, 3, 4), (4, 2)),
    ((2, 3, 4), (2, 4, 3)), ((2, 1, 3, 4), (5, 4, 2)), ((), (3, 4)), ((), ()), ((3, 4), (3, 4)),
    ((2, 3), (2, 3)), ((3,), (3,)), ((2,), (3,)), ((0, 4), (4, 2)), ((3, 4), (5, 2)),
    ((3, 0), (0, 2)),
]:  # fmt: skip
    call(PRODUCTS, draw(*_one), draw(*_other, seed=1))
for _first, _second in itertools.product(DTYPES, DTYPES):
    spec(PRODUCTS, typed(_first, 3, 3), typed(_second, 3, 3, seed=1))
for _dtype in ("int8", "uint8", "bool", "int32", "float16"):
    call(PRODUCTS, typed(_dtype, 3), typed(_dtype, 3, seed=1))
    call("ops: matmul", typed(_dtype, 3, 3), typed(_dtype, 3, 3, seed=1))
call(PRODUCTS, A, 2)
call(PRODUCTS, [1.0, 2.0, 3.0], [3.0, 4.0, 5.0])
for _axes in [0, 1, 2, [[1], [1]], ([0, 1], [0, 1]), [[-1], [1]], 3, [[0], [1]]]:
    call("ops: tensordot", A, B, axes=_axes)
call("ops: tensordot", C, draw(4, 3, 2), axes=([1, 2], [1, 0]))
for _axes in [{"axis": 0}, {"axisa": 0, "axisb": 0, "axisc": 0}, {"axisc": 0}, {"axis": 5}]:
    call("ops: cross", draw(3, 3), draw(3, 3, seed=1), **_axes)
call("ops: cross", draw(4, 2), draw(4, 2, seed=1))
call("ops: cross", draw(4, 2), draw(4, 3))
call("ops: cross", draw(4, 3), draw(3))
for _text, _shapes in [
    ("ij,kj->ik", [(3, 4), (3, 4)]), ("ij->ji", [(3, 4)]), ("ij->", [(3, 4)]), ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]), ("ij,jk", [(3, 4), (4, 2)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 3)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (4, 2)]), ("ij,kj,k->i", [(3, 4), (3, 4), (3,)]),
    ("i,j->ij", [(3,), (4,)]), ("ij,ij->i", [(3, 4), (3, 4)]), ("ij,jk->ik", [(3, 4), (3, 4)]),
    ("ij->ijk", [(3, 4)]), ("i j, j k -> i k", [(3, 4), (4, 2)]), ("ij", [(4,)]),
    ("abc,cd->abd", [(2, 3, 4), (4, 2)]),
]:  # fmt: skip
    call("ops: einsum", _text, *(draw(*s, seed=i) for i, s in enumerate(_shapes)))
for _first, _second in itertools.product(DTYPES, DTYPES):
    spec("ops: einsum", "ij,jk->ik", typed(_first, 3, 3), typed(_second, 3, 3))
call("ops: einsum", "ij,jk->ik", I8, U8)
call("ops: einsum", "ij,jk->ik", FLAGS, FLAGS.T.copy())
call("ops: einsum", "ij->i", I8)
for _mode, (_n, _m) in itertools.product(
    ("valid", "same", "full", "other"), ((7, 3), (7, 4), (3, 7), (4, 4))
):
    call("ops: correlate", draw(_n), draw(_m, seed=1), mode=_mode)
call("ops: correlate", A, V)
for _first, _second in itertools.product(DTYPES, DTYPES):
    spec("ops: correlate", typed(_first, 4), typed(_second, 3))
call("ops: cdist", A, draw(2, 4))
call("ops: cdist", C, draw(2, 5, 4))
call("ops: cdist", A, draw(2, 3))
call("ops: cdist", V, V)
call("ops: cdist", I, whole(2, 4))
for _dtype in DTYPES:
    spec("ops: cdist", typed(_dtype, 3, 4), typed(_dtype, 2, 4))
mark("ops: correlate cdist matmul dot inner vdot tensordot einsum", tolerance=1e-4)

# -- matrices

SQUARE = draw(2, 3, 3) + 2 * np.eye(3, dtype="float32")
TALL, WIDE = draw(2, 5, 3), draw(2, 3, 5)
DEFINITE = (SQUARE @ np.swapaxes(SQUARE, 1, 2) + np.eye(3)).astype("float32")
LOW = np.tril(SQUARE)
MATRICES = (
    "ops: cholesky cholesky_inverse det eig eigh inv logdet slogdet lu_factor matrix_rank pinv qr "
    "svd"
)


def absolute(case, result):
    """Up to the signs of columns."""
    return [np.abs(np.asarray(x)) if hasattr(x, "dtype") else x for x in np_leaves(result)]


def np_leaves(x):
    return [y for part in x for y in np_leaves(part)] if isinstance(x, list | tuple) else [x]


call("ops: inv det logdet slogdet lu_factor eig", SQUARE)
call("ops: inv det logdet slogdet lu_factor", -SQUARE)
call("ops: cholesky eigh", DEFINITE)
call("ops: cholesky", DEFINITE, upper=True)
call("ops: cholesky_inverse", LOW)
call("ops: cholesky_inverse", SQUARE, upper=True)
call("ops: pinv matrix_rank qr lu_factor", TALL)
call("ops: pinv matrix_rank qr lu_factor", WIDE)
call("ops: pinv", WIDE, 1e-3)
call("ops: pinv", (TALL @ np.ones((3, 3), "float32")).astype("float32"), 1e-3)
call("ops: matrix_rank", (TALL @ np.ones((3, 3), "float32")).astype("float32"))
call("ops: matrix_rank", TALL, 2.0)
call("ops: matrix_rank", TALL, np.array([0.1, 3.0], "float32"))
call("ops: qr", TALL, mode="complete")
call("ops: qr", TALL, mode="r")
call("ops: svd", TALL, full_matrices=False)
call("ops: svd", WIDE, full_matrices=False)
call("ops: svd", TALL, compute_uv=False)
call("ops: svd", SQUARE)
spec("ops: svd", TALL)
for _x in (
    TALL,
    draw(3),
    draw(),
    SQUARE[0],
    np.zeros((0, 3, 3), "float32"),
    draw(4, 3),
):
    spec(MATRICES, _x)
for _dtype in DTYPES:
    spec(MATRICES, as_type(np.eye(3), _dtype))
spec(MATRICES, [[2.0, 1.0], [1.0, 3.0]])
call("ops: solve solve_triangular", SQUARE, draw(2, 3, 4))
call("ops: solve solve_triangular", SQUARE[0], draw(3))
call("ops: solve solve_triangular", SQUARE, draw(2, 3))
call("ops: solve", SQUARE, draw(3))
call("ops: solve solve_triangular", SQUARE[0], draw(3, 2))
call("ops: solve_triangular", SQUARE, draw(2, 3, 4), lower=True)
call("ops: solve_triangular", SQUARE[0], draw(3), lower=True)
for _a, _b in [
    ((2, 3, 3), (2, 4, 4)),
    ((3, 4), (3,)),
    ((3,), (3,)),
    ((3, 3), (4,)),
    ((3, 3), ()),
    ((2, 3, 3), (3, 4)),
]:
    spec("ops: solve solve_triangular lstsq", draw(*_a), draw(*_b))
for _dtype in DTYPES:
    spec("ops: solve solve_triangular lstsq", typed(_dtype, 3, 3), typed(_dtype, 3))
call("ops: lstsq", TALL[0], draw(5, 2))
call("ops: lstsq", TALL[0], draw(5))
call("ops: lstsq", WIDE[0], draw(3, 2))
call("ops: lstsq", TALL[0], draw(5), rcond=0.5)
call("ops: lstsq", SQUARE[0], draw(3))
mark(f"{MATRICES} solve solve_triangular lstsq", tolerance=3e-4)
mark("ops: eig eigh qr svd", canonical=absolute)
mark("ops: eig matrix_rank", gradient="")

# -- Fourier transforms, windows of time

PAIR = (draw(3, 8), draw(3, 8, seed=1))
for _name in ("fft", "fft2", "ifft2", "irfft"):
    call(f"ops: {_name}", PAIR)
    call(f"ops: {_name}", (draw(2, 3, 5), draw(2, 3, 5, seed=1)))
    call(f"ops: {_name}", (draw(3, 1), draw(3, 1)))
    call(f"ops: {_name}", (draw(4), draw(4)))
    call(f"ops: {_name}", (draw(), draw()))
    call(f"ops: {_name}", (PAIR[0], draw(3, 4)))
    call(f"ops: {_name}", PAIR[0])
    call(f"ops: {_name}", [*PAIR])
    call(f"ops: {_name}", (*PAIR, PAIR[0]))
    for _dtype in DTYPES:
        spec(f"ops: {_name}", (typed(_dtype, 3, 4), typed(_dtype, 3, 4)))
for _length in (None, 8, 6, 12, 7, 1):
    call("ops: rfft", PAIR[0], fft_length=_length)
    call("ops: irfft", PAIR, fft_length=_length)
call("ops: rfft", PAIR[0], fft_length=0)
call("ops: rfft", draw())
for _dtype in DTYPES:
    spec("ops: rfft", typed(_dtype, 3, 4))
    spec("ops: stft", typed(_dtype, 3, 50), 8, 4, 16)
    spec("ops: extract_sequences", typed(_dtype, 3, 9), 4, 2)
LONG = draw(2, 50)
for _options in [
    {},
    {"window": "hamming"},
    {"window": None},
    {"center": False},
    {"window": Fixed(draw(8, low=0.1))},
    {"window": "other"},
    {"window": Fixed(draw(5))},
]:
    call("ops: stft", LONG, 8, 4, 16, **_options)
    call("ops: istft", (draw(2, 13, 9), draw(2, 13, 9, seed=1)), 8, 4, 16, **_options)
call("ops: stft", LONG, 8, 3, 8)
call("ops: stft", LONG[0].copy(), 8, 4, 9)
call("ops: stft", draw(2, 3, 50), 8, 4, 16)
call("ops: stft", LONG, 8, 4, 6)
call("ops: stft", LONG, 8, 4, 16.0)
for _length in (20, 48, 60):
    call("ops: istft", (draw(2, 13, 9), draw(2, 13, 9, seed=1)), 8, 4, 16, length=_length)
    call(
        "ops: istft",
        (draw(2, 13, 9), draw(2, 13, 9, seed=1)),
        8,
        4,
        16,
        length=_length,
        center=False,
    )
call("ops: istft", PAIR, 8, 4, 6)
call("ops: istft", PAIR, 14, 7, 14)
for _length, _stride in [(4, 2), (3, 3), (9, 1), (10, 1), (2, 5), (0, 1), (2, 0)]:
    call("ops: extract_sequences", draw(2, 9), _length, _stride)
call("ops: extract_sequences", draw(9), 4, 2)
call("ops: extract_sequences", draw(), 1, 1)
mark("ops: fft fft2 ifft2 irfft rfft stft istft", tolerance=2e-4)

# -- complex numbers

Z = (draw(3, 4) + 1j * draw(3, 4, seed=1)).astype("complex64")
call(
    "ops: abs absolute angle conj conjugate real imag isreal negative square exp sin cos "
    "view_as_real",
    Z,
)
call("ops: add subtract multiply divide equal", Z, Z)
call("ops: add multiply", Z, A)
call("ops: view_as_real", A)
call("ops: view_as_complex", draw(3, 2))
call("ops: view_as_complex", draw(2))
call("ops: view_as_complex", A)
call("ops: view_as_complex", draw())
call("ops: view_as_complex", whole(3, 2))
call("ops: polar", draw(3, 4, low=0.2), A)
call("ops: polar", 2.0, A)
call("ops: polar", draw(3, 4, low=0.2), V)
for _dtype in FLOATS + ["int32"]:
    spec("ops: polar", typed(_dtype, 4), typed(_dtype, 4))
    spec("ops: view_as_complex", typed(_dtype, 3, 2))
spec("ops: matmul", Z, Z.T.copy())
use(
    "ops.view_as_complex",
    "and back",
    lambda k, x: k.ops.view_as_real(k.ops.view_as_complex(x)),
    draw(3, 2),
)

mark("ops: cholesky_inverse", wider="batches too", gradient="")
mark("ops: solve", wider="one vector for each matrix, as JAX before 0.5 took them")
mark("ops: rfft", wider="half types are computed in float32")
mark("ops: correlate", batches=0)  # Keras compares the sizes
mark(
    "ops: inv det eig cholesky eigh solve_triangular",
    wider="an unknown size may be the one that makes a matrix square",
)
mark("ops: fft2 ifft2", wider="Keras's inference refuses unknown sizes")
mark("ops: view_as_complex", gradient="")  # complex numbers have no gradients here
entry("ops.view_as_complex").differs = {
    "float32[2]:unknown": "a vector of unknown length is not known to be a pair"
}
