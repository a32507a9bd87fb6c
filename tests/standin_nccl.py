"""A stand-in for `cupy.cuda.nccl` on the host's memory, which takes what CuPy 14 takes, no more.

Arguments are the types, and constants the numbers, that the real module of CuPy 14.2 has. `SUM`
does the sum: processes under MPI set it to theirs, threads of one process to `of_threads`.
"""

import ctypes

import numpy as np

import kerasish_core as core

available = True
NCCL_INT8, NCCL_UINT8, NCCL_INT32, NCCL_UINT32, NCCL_INT64, NCCL_UINT64 = range(6)
NCCL_FLOAT16, NCCL_FLOAT32, NCCL_FLOAT64, NCCL_BFLOAT16 = range(6, 10)
NCCL_SUM, NCCL_PROD, NCCL_MAX, NCCL_MIN, NCCL_AVG = range(5)
STREAM = 4242
_DTYPES = dict(
    enumerate(
        ["int8", "uint8", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"]
    )
)
_ID = bytes(range(128))


def _lonely(array):
    raise AssertionError("nobody said how this sums")


def of_threads(array):
    first, second = core.communicator().all_gather(array)
    return first + second


def _at_once(stream, work):
    if stream != STREAM:
        raise NcclError("NCCL_ERROR_INVALID_ARGUMENT")
    work()


SUM = _lonely
# Does the work of a call on a stream; `standin_cuda.py` has streams that capture it.
DO = _at_once
CALLS, ABORTED = [], []


class NcclError(RuntimeError):
    pass


def get_unique_id():
    return _ID


class NcclCommunicator:
    def __init__(self, ndev, commId, rank):
        if type(commId) is not bytes:
            raise TypeError(
                f"Argument 'commId' has incorrect type (expected bytes, got {commId!r})"
            )
        assert len(commId) == 128
        _integers(ndev, rank)
        if not 0 <= rank < ndev or commId != _ID:
            raise NcclError("NCCL_ERROR_INVALID_ARGUMENT")
        self._size = ndev

    def allReduce(self, sendbuf, recvbuf, count, datatype, op, stream):
        _integers(sendbuf, recvbuf, count, datatype, op, stream)
        if datatype not in _DTYPES or op != NCCL_SUM or not sendbuf or not recvbuf:
            raise NcclError("NCCL_ERROR_INVALID_ARGUMENT")
        dtype = np.dtype(_DTYPES[datatype])
        if sendbuf % dtype.itemsize or recvbuf % dtype.itemsize:
            raise NcclError("NCCL_ERROR_INVALID_USAGE")
        given, made = (
            np.frombuffer((ctypes.c_char * (count * dtype.itemsize)).from_address(a), dtype)
            for a in (sendbuf, recvbuf)
        )
        apart = abs(sendbuf - recvbuf)
        if 0 < apart < count * dtype.itemsize:
            raise NcclError("NCCL_ERROR_INVALID_USAGE")  # in one place or in two, not in between

        def work():
            CALLS.append((count, dtype.name))
            made[...] = SUM(given.copy())

        DO(stream, work)

    def abort(self):
        ABORTED.append(self)


def _integers(*given):
    for value in given:
        if type(value) is not int:  # Cython takes what has __index__; a NumPy integer is a mistake
            raise TypeError(f"an integer is required, not {value!r}")
