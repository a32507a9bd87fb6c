"""Generated CUDA text, compiled and run without a GPU.

`HostModule` compiles it for the host by g++ over `cuda_host.h` and launches kernels on addresses of
the host's memory. `compile_for` compiles it for a GPU's architecture, by NVRTC (of the package
`nvidia-cuda-nvrtc`) or nvcc.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np

from kerasish_core.codegen.cuda.source import Source
from kerasish_core.executors.cuda.nccl import sum_call

HEADER = Path(__file__).parent / "cuda_host.h"
COMPILE = ("g++", "-std=c++17", "-O0", "-w", "-fno-strict-aliasing", "-fPIC", "-shared", "-fwrapv",
           "-ffp-contract=off")  # fmt: skip

# The header's threads are those of one launch at a time.
_ONE = threading.Lock()
# Less optimisation takes a third of the time, and refuses the same.
OPTIONS = ("std=c++17", "Ofast-compile=max")


def _wrapper(kernel):
    """C that launches one kernel, its arguments in an array of words."""
    call, words = [], "const int64_t* w = static_cast<const int64_t*>(given);"
    for i, kind in enumerate(kernel.pointers):
        call.append(f"reinterpret_cast<{kind}*>(w[{i}])")
    doubles = []
    for i, kind in enumerate(kernel.numbers, len(kernel.pointers)):
        if kind == "d":
            doubles.append(f"double d{i}; memcpy(&d{i}, w + {i}, 8);")
            call.append(f"d{i}")
        else:
            call.append(f"w[{i}]")
    return (
        f'extern "C" void run_{kernel.name}(unsigned blocks, const void* words) {{\n'
        f"  host::run(blocks, [](const void* given) {{ {words} {' '.join(doubles)}\n"
        f"    {kernel.name}({', '.join(call)}); }}, words);\n}}\n"
    )


class HostModule:
    """The kernels of a `Source`, to be launched on the host."""

    def __init__(self, source):
        self.kernels = dict(source.kernels)
        wrappers = "".join(_wrapper(k) for k in self.kernels.values())
        text = f'#include "{HEADER}"\n{source.text()}\n{wrappers}'
        self._library = ctypes.CDLL(str(_built(text)))

    def launch(self, name, blocks, arguments, reverse=False):
        kernel = self.kernels[name]
        assert len(arguments) == len(kernel.pointers) + len(kernel.numbers), (name, arguments)
        words = np.zeros(len(arguments), "int64")
        for i, value in enumerate(arguments):
            if isinstance(value, float):
                words[i : i + 1].view("float64")[0] = value
            else:
                words[i] = value
        run = getattr(self._library, f"run_{name}")
        with _ONE:
            ctypes.c_int.in_dll(self._library, "reversed").value = int(reverse)
            run(ctypes.c_uint(blocks), ctypes.c_void_p(words.ctypes.data))


class HostBackend:
    """The host in place of a GPU, for programs: see `executors/cuda/protocol.py`."""

    xp = np
    number = 0
    captures = False
    tensor_cores = True
    reverse = False

    def __init__(self):
        self.all = Source()  # of all programs made so far, compiled at once when the first one runs
        self._module = None

    def gather(self, program):
        """The program, its kernels compiled with those of others."""
        self.all.kernels.update(program.builder.source.kernels)
        self._module = None
        return program

    def active(self):
        return contextlib.nullcontext()

    def address(self, array):
        return array.ctypes.data

    def compile(self, source):
        self.all.kernels.update(source.kernels)
        if self._module is None or not set(source.kernels) <= set(self._module.kernels):
            self._module = HostModule(self.all)
        return self._module

    def launch(self, module, kernel, blocks, arguments):
        module.launch(kernel.name, blocks, arguments, self.reverse)

    def library(self, kind, facts, addresses):
        return sum_call(addresses, **facts) if kind == "all_reduce" else None

    def put(self, target, source):
        target[...] = np.asarray(source)

    load = put

    def pace(self):
        pass


def _built(text):
    """The shared library, built again only if text or header changed."""
    digest = hashlib.sha256((text + HEADER.read_text() + str(COMPILE)).encode()).hexdigest()[:20]
    folder = Path(tempfile.gettempdir()) / f"kerasish_cuda_host_{os.getuid()}"
    folder.mkdir(exist_ok=True)
    library = folder / f"{digest}.so"
    if not library.exists():
        source = folder / f"{digest}.{os.getpid()}.cpp"
        source.write_text(text)
        made = source.with_suffix(".so")
        result = subprocess.run(
            [*COMPILE, str(source), "-o", str(made)], capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr[:4000]
        made.replace(library)
        source.unlink()
    return library


def _nvrtc():
    """NVRTC's library of the package `nvidia-cuda-nvrtc`, or None."""
    spec = importlib.util.find_spec("nvidia")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for found in sorted(Path(folder).rglob("libnvrtc.so.*")):
            return ctypes.CDLL(str(found))
    return None


def compiler():
    """Which compiler is there: "nvrtc", "nvcc" or None."""
    if _nvrtc() is not None:
        return "nvrtc"
    return "nvcc" if _nvcc() else None


def _nvcc():
    return shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")


def compile_for(text, architecture):
    """The compiler's complaints; empty if there are none. The result is machine code, not PTX."""
    if _nvrtc() is not None:
        return _by_nvrtc(text, architecture)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "unit.cu"
        path.write_text(text)
        options = (*(f"--{o}" for o in OPTIONS), f"-arch=sm_{architecture}", "-cubin")
        command = [_nvcc(), *options, str(path), "-o", str(path.with_suffix(".cubin"))]
        result = subprocess.run(command, capture_output=True, text=True)
        return result.stderr if result.returncode else ""


def _by_nvrtc(text, architecture):
    library, program = _nvrtc(), ctypes.c_void_p()
    library.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"unit.cu", 0, None, None)
    options = [f"--{o}".encode() for o in (*OPTIONS, f"gpu-architecture=sm_{architecture}")]
    array = (ctypes.c_char_p * len(options))(*options)
    failed = library.nvrtcCompileProgram(program, len(options), array)
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return log.value.decode() if failed else ""
