"""Matrix products by cuBLASLt, with bias and relu in the same kernel.

Its library comes with CuPy's CUDA packages; numbers are those of `cublasLt.h`. Heuristics are asked
when a program is made, since nothing may be allocated while a stream is captured.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import itertools
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cupy

__all__ = ["CublasLt"]

_WORKSPACE = 32 << 20
_LIBRARIES = ("libcublasLt.so.13", "libcublasLt.so.12", "cublasLt64_13.dll", "cublasLt64_12.dll")
_TRANS_A, _TRANS_B, _EPILOGUE, _BIAS = 3, 4, 7, 8
_BATCH_COUNT, _BATCH_STRIDE, _MOST_WORKSPACE = 5, 6, 1
_ALIGNMENTS = (5, 6, 7, 8)  # of the left, right, added and resulting matrix
_MOST_ALIGNMENT = 256
_EPILOGUES = {(False, False): 1, (False, True): 2, (True, False): 4, (True, True): 6}
# Of a dtype: cudaDataType, the type of computation, the type of alpha and beta.
_TYPES = {
    "float32": (0, 68, 0), "float64": (1, 70, 1), "float16": (2, 68, 0), "bfloat16": (14, 68, 0),
}  # fmt: skip
_TENSOR_FLOAT_32 = 77
# Products over more batches beside the largest axis are left to the own kernel.
_MOST_CALLS = 64


class _Heuristic(ctypes.Structure):
    _fields_ = (
        ("algorithm", ctypes.c_uint64 * 8), ("workspace", ctypes.c_size_t),
        ("state", ctypes.c_int), ("waves", ctypes.c_float), ("reserved", ctypes.c_int * 4),
    )  # fmt: skip


class _Matrix(NamedTuple):
    """A matrix as cuBLAS has it, columns first."""

    rows: int
    columns: int
    lead: int
    transposed: bool


def _matrix(rows: int, columns: int, row: int, column: int) -> _Matrix | None:
    """Of strides: dense along one axis, or None."""
    if row == 1 or rows == 1:
        lead = column if columns > 1 else rows
        return _Matrix(rows, columns, lead, False) if lead >= rows else None
    if column == 1 or columns == 1:
        lead = row if rows > 1 else columns
        return _Matrix(columns, rows, lead, True) if lead >= columns else None
    return None


class CublasLt:
    """The library on one device, with one workspace that all products share."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        handle = ctypes.c_void_p()
        _check(library.cublasLtCreate(ctypes.byref(handle)))
        self._handle = handle
        self._workspace = cupy.empty(_WORKSPACE, "uint8")

    @staticmethod
    @functools.cache
    def of(number: int) -> CublasLt | _Nothing:
        """The library on a device; one that plans nothing where it is not installed."""
        library = _library()
        if library is None:
            return _Nothing()
        with cupy.cuda.Device(number):
            return CublasLt(library)

    def plan(self, facts: dict[str, Any], addresses: Sequence[int]) -> Callable[[], None] | None:
        """A call of the product, or None where the library does not serve.

        Args:
            facts: `numbers` of `Product` in `product.cuh`, `bias`, `relu`, `dtype`, `tf32`.
            addresses: Of a, b, perhaps the bias, and c.
        """
        rows, columns, inner, *rest = facts["numbers"]
        a_row, a_inner, b_inner, b_column, c_row, c_column = rest[:6]
        size, of_a, of_b, of_c = (rest[6 + 3 * i : 9 + 3 * i] for i in range(4))
        # One call takes the largest axis of batches.
        batches = sorted(zip(size, of_b, of_a, of_c, strict=True))
        *others, (count, *steps) = batches
        steps = steps if count > 1 else [0, 0, 0]
        # cuBLAS has columns first, so that it computes the transposed: c' = b' a'.
        left = _matrix(columns, inner, b_column, b_inner)
        right = _matrix(inner, rows, a_inner, a_row)
        calls = math.prod(batch[0] for batch in others)
        if left is None or right is None or c_column != 1 or calls > _MOST_CALLS or not inner:
            return None
        lead = c_row if rows > 1 else columns
        a, b, *bias, c = addresses
        width = {"float64": 8, "float32": 4}.get(facts["dtype"], 2)
        starts = [
            tuple(
                base + width * sum(i * s for i, s in zip(place, along, strict=True))
                for base, along in zip((b, a, c), zip(*(x[1:] for x in others), strict=True))
            )
            for place in itertools.product(*(range(x[0]) for x in others))
        ]
        product = _Product(self, facts, left, right, _Matrix(columns, rows, lead, False),
                           bias[0] if bias else 0)  # fmt: skip
        alignments = [
            math.gcd(_MOST_ALIGNMENT, step * width, *(start[i] for start in starts))
            for i, step in enumerate(steps)
        ]
        if not product.set_up(count, steps, alignments):
            return None

        def run() -> None:
            for start in starts:
                product.run(*start)

        return run


def _library() -> ctypes.CDLL | None:
    """The library where CuPy finds it, or where the system does."""
    names = list(_LIBRARIES)
    try:
        found = importlib.import_module("cuda.pathfinder").load_nvidia_dynamic_lib("cublasLt")
        names.insert(0, found.abs_path)
    except Exception as error:  # an older CuPy has no pathfinder; that one fails in many ways
        logging.getLogger("kerasish").debug("cuBLASLt is looked for by name: %s", error)
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


class _Nothing:
    def plan(self, facts: dict[str, Any], addresses: Sequence[int]) -> None:
        return None


class _Product:
    """One shape of product: descriptors and the algorithm."""

    def __init__(
        self, owner: CublasLt, facts: dict[str, Any], left: _Matrix, right: _Matrix, out: _Matrix,
        bias: int,
    ) -> None:  # fmt: skip
        self._owner, self._library = owner, owner._library
        self._kind, compute, scale = _TYPES[facts["dtype"]]
        if facts["tf32"] and facts["dtype"] == "float32":
            compute = _TENSOR_FLOAT_32
        real = ctypes.c_double if facts["dtype"] == "float64" else ctypes.c_float
        self._one, self._zero = real(1), real(0)
        self._shapes = (left, right, out)
        self._operation = ctypes.c_void_p()
        _check(self._library.cublasLtMatmulDescCreate(
            ctypes.byref(self._operation), compute, scale))  # fmt: skip
        self._set(_TRANS_A, ctypes.c_int32(left.transposed))
        self._set(_TRANS_B, ctypes.c_int32(right.transposed))
        self._set(_EPILOGUE, ctypes.c_int32(_EPILOGUES[facts["bias"], facts["relu"]]))
        if bias:
            self._set(_BIAS, ctypes.c_void_p(bias))
        self._found = _Heuristic()

    def _set(self, attribute: int, value: Any) -> None:
        _check(self._library.cublasLtMatmulDescSetAttribute(
            self._operation, attribute, ctypes.byref(value), ctypes.sizeof(value)))  # fmt: skip

    def _layout(self, matrix: _Matrix, count: int, stride: int) -> ctypes.c_void_p:
        made = ctypes.c_void_p()
        library = self._library
        _check(library.cublasLtMatrixLayoutCreate(
            ctypes.byref(made), self._kind, ctypes.c_uint64(matrix.rows),
            ctypes.c_uint64(matrix.columns), ctypes.c_int64(matrix.lead)))  # fmt: skip
        if count > 1:
            for attribute, value in (
                (_BATCH_COUNT, ctypes.c_int32(count)), (_BATCH_STRIDE, ctypes.c_int64(stride)),
            ):  # fmt: skip
                _check(library.cublasLtMatrixLayoutSetAttribute(
                    made, attribute, ctypes.byref(value), ctypes.sizeof(value)))  # fmt: skip
        return made

    def set_up(self, count: int, steps: Sequence[int], alignments: Sequence[int]) -> bool:
        """Ask for an algorithm; whether there is one.

        Args:
            count: Of matrices.
            steps: From one of them to the next: left, right, out.
            alignments: That all their addresses have; without this the library takes 256 bytes.
        """
        library = self._library
        layouts = [
            self._layout(m, count, step) for m, step in zip(self._shapes, steps, strict=True)
        ]
        left, right, out = self._layouts = layouts
        preference, returned = ctypes.c_void_p(), ctypes.c_int(0)
        _check(library.cublasLtMatmulPreferenceCreate(ctypes.byref(preference)))
        of_left, of_right, of_out = alignments
        asked: list[tuple[int, Any]] = [(_MOST_WORKSPACE, ctypes.c_uint64(_WORKSPACE))]
        for attribute, bytes_ in zip(_ALIGNMENTS, (of_left, of_right, of_out, of_out), strict=True):
            asked.append((attribute, ctypes.c_uint32(bytes_)))
        for attribute, value in asked:
            _check(library.cublasLtMatmulPreferenceSetAttribute(
                preference, attribute, ctypes.byref(value), ctypes.sizeof(value)))  # fmt: skip
        status = library.cublasLtMatmulAlgoGetHeuristic(
            self._owner._handle, self._operation, left, right, out, out, preference, 1,
            ctypes.byref(self._found), ctypes.byref(returned),
        )  # fmt: skip
        library.cublasLtMatmulPreferenceDestroy(preference)
        return bool(status == 0 and returned.value > 0 and self._found.state == 0)

    def run(self, left: int, right: int, out: int) -> None:
        """Compute on the current stream; all arguments are addresses."""
        of_left, of_right, of_out = self._layouts
        workspace = self._owner._workspace
        stream = cupy.cuda.get_current_stream().ptr
        _check(self._library.cublasLtMatmul(
            self._owner._handle, self._operation, ctypes.byref(self._one), ctypes.c_void_p(left),
            of_left, ctypes.c_void_p(right), of_right, ctypes.byref(self._zero),
            ctypes.c_void_p(out), of_out, ctypes.c_void_p(out), of_out,
            ctypes.byref(self._found.algorithm), ctypes.c_void_p(int(workspace.data.ptr)),
            ctypes.c_size_t(_WORKSPACE), ctypes.c_void_p(stream)))  # fmt: skip


def _check(status: int) -> None:
    if status != 0:
        raise RuntimeError(f"cuBLASLt answered with status {status}.")
