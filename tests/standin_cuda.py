"""The parts of CuPy that run generated kernels, over the host: streams, graphs, modules, NVRTC.

Calls take the arguments that CuPy 14 documents. Kernels are the text that NVRTC would get, compiled
by g++ (`cuda_host.py`); cuBLASLt is `standin_cublaslt.cpp`. What is launched while a stream
captures is kept, and done when the graph is launched, as often as that is.
"""

import ctypes
import re
import subprocess
import tempfile
import threading
import types
from pathlib import Path

import numpy as np
import standin_nccl
from cuda_host import HostModule

from kerasish_core.codegen.cuda.source import THREADS, Kernel
from kerasish_core.executors import cuda

_KERNEL = re.compile(
    rf'extern "C" __global__ void __launch_bounds__\({THREADS}, \d\) (\w+)\(\n(.*?)\) \{{\n',
    re.DOTALL,
)
LAUNCHED = []


class Stream:
    """A stream; inside `with` it is the current one."""

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        self.ptr = 1000 + 8 * len(LAUNCHED) + (0 if null else 4)
        self._capturing, self._before = None, None

    def __enter__(self):
        self._before, _CURRENT.stream = _CURRENT.stream, self
        return self

    def __exit__(self, *_):
        _CURRENT.stream = self._before

    def begin_capture(self, mode=None):
        assert self._capturing is None and self is not DEFAULT, "the null stream can't capture"
        self._capturing = []

    def end_capture(self):
        found, self._capturing = self._capturing, None
        return Graph(found)

    def synchronize(self):
        assert self._capturing is None, "a capturing stream can't be waited for"

    def do(self, work):
        if self._capturing is None:
            work()
        else:
            self._capturing.append(work)


DEFAULT = Stream(null=True)


class _Current(threading.local):
    stream = DEFAULT


_CURRENT = _Current()


def get_current_stream(device_id=-1):
    return _CURRENT.stream


class Graph:
    def __init__(self, works):
        self._works, self._uploaded = works, False

    def upload(self, stream=None):
        self._uploaded = True

    def launch(self, stream=None):
        LAUNCHED.append("graph")
        for work in self._works:
            (stream or get_current_stream()).do(work)


class Event:
    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self._recorded = False

    def record(self, stream=None):
        assert stream is None or isinstance(stream, Stream)
        self._recorded = True

    def synchronize(self):
        assert self._recorded


class Function:
    def __init__(self, module, name):
        self._module, self._name = module, name

    def __call__(
        self, grid, block, args, shared_mem=0, stream=None, enable_cooperative_groups=False
    ):
        assert type(grid) is tuple and type(block) is tuple and block == (THREADS,)
        assert all(type(n) is int and 0 < n < 1 << 31 for n in grid) and len(grid) == 1
        assert type(args) is tuple and all(type(a) in (np.int64, np.float64) for a in args)
        kernel = self._module.kernels[self._name]
        plain = [float(a) if type(a) is np.float64 else int(a) for a in args]
        wanted = "i" * len(kernel.pointers) + kernel.numbers
        assert [type(a) is float for a in plain] == [kind == "d" for kind in wanted]

        def work():
            LAUNCHED.append(self._name)
            self._module.launch(self._name, grid[0], plain)

        (stream or get_current_stream()).do(work)


class Module:
    def load(self, cubin):
        assert type(cubin) is bytes
        source = types.SimpleNamespace(kernels={}, text=lambda: cubin.decode())
        for name, parameters in _KERNEL.findall(cubin.decode()):
            listed = [p.strip() for p in parameters.split(",")]
            pointers = tuple(p.rsplit("*", 1)[0].strip() for p in listed if "*" in p)
            numbers = "".join(
                "d" if p.startswith("double") else "i" for p in listed if "*" not in p
            )
            source.kernels[name] = Kernel(name, pointers, numbers, "")
        self._host = HostModule(source)

    def get_function(self, name):
        assert name in self._host.kernels
        return Function(self._host, name)


class NVRTCError(RuntimeError):
    pass


def _nvrtc():
    programs, targets = {}, {}

    def create(src, name, headers, include_names):
        assert type(src) is str and type(name) is str and headers == include_names == ()
        programs[len(programs)] = src
        return len(programs) - 1

    def compile_(prog, options):
        assert type(options) is tuple
        wanted = options[-1].removeprefix("--gpu-architecture=")
        if wanted not in ("sm_80", "sm_90", "compute_80", "compute_90"):
            raise NVRTCError("NVRTC_ERROR_INVALID_OPTION (5)")
        targets[prog] = wanted
        if "#error" in programs[prog]:
            raise NVRTCError("NVRTC_ERROR_COMPILATION (6)")

    def made(prog, kind):
        assert targets[prog].startswith(kind)
        return programs[prog].encode()

    return types.SimpleNamespace(
        getVersion=lambda: (12, 9), createProgram=create, compileProgram=compile_,
        getCUBIN=lambda prog: made(prog, "sm_"), getPTX=lambda prog: made(prog, "compute_"),
        getProgramLog=lambda prog: "a log",
        destroyProgram=programs.pop, NVRTCError=NVRTCError,
    )  # fmt: skip


def _pinned(size):
    assert type(size) is int and size > 0
    return (ctypes.c_char * size)()


def _on_stream(stream, work):
    assert stream == get_current_stream().ptr
    get_current_stream().do(work)


def install(cupy, monkeypatch, library, folder):
    """Give the stand-in of CuPy what programs need; taken away by the monkeypatch.

    Args:
        cupy: The stand-in.
        monkeypatch: By which it is given.
        library: cuBLASLt's stand-in.
        folder: Where compiled kernels are kept.
    """
    parts = {
        "Stream": Stream, "Event": Event, "get_current_stream": get_current_stream,
        "alloc_pinned_memory": _pinned, "nvrtc": _nvrtc(),
        "function": types.SimpleNamespace(Module=Module),
    }  # fmt: skip
    for name, part in parts.items():
        monkeypatch.setattr(cupy.cuda, name, part, raising=False)
    monkeypatch.setattr(standin_nccl, "DO", _on_stream)
    monkeypatch.setattr(cupy.cuda.Device, "compute_capability", "90", raising=False)
    monkeypatch.setattr(cuda._room("backend"), "_CACHE", folder)
    monkeypatch.setattr(cuda._room("cublas"), "_library", lambda: library)


class Library:
    """cuBLASLt's stand-in, whose products a capturing stream keeps."""

    def __init__(self):
        source = Path(__file__).parent / "standin_cublaslt.cpp"
        with tempfile.TemporaryDirectory() as folder:
            built = Path(folder) / "lt.so"
            command = [
                "g++",
                "-std=c++17",
                "-O1",
                "-fPIC",
                "-shared",
                str(source),
                "-o",
                str(built),
            ]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            self._real = ctypes.CDLL(str(built))

    def number(self, name):
        return ctypes.c_int.in_dll(self._real, name).value

    def __getattr__(self, name):
        return getattr(self._real, name)

    def cublasLtMatmul(self, *given):
        assert given[-1].value == get_current_stream().ptr
        status = []
        get_current_stream().do(lambda: status.append(self._real.cublasLtMatmul(*given)))
        assert status in ([], [0])
        return 0
