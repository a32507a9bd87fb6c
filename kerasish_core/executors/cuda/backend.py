"""CUDA by CuPy: memory, modules, launches, graphs."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cupy
import numpy as np

from ...codegen.cuda.source import ARCHITECTURES, THREADS, Kernel, Source
from ...device import to_device
from .cublas import CublasLt
from .nccl import sum_call
from .protocol import Arguments

__all__ = ["CupyBackend", "machine_code"]


# Steps that are launched before the first of them must have ended.
_UNDER_WAY = 4
# Where CuPy keeps its own kernels.
_CACHE = Path(os.environ.get("CUPY_CACHE_DIR") or "~/.cupy/kernel_cache").expanduser()


class CupyBackend:
    """A GPU through CuPy."""

    xp = cupy
    captures = True

    def __init__(self, number: int) -> None:
        self.number = number
        self._functions: dict[tuple[int, str], Any] = {}
        self.tensor_cores = int(cupy.cuda.Device(number).compute_capability) >= 80
        with self.active():
            self._stream = cupy.cuda.Stream(non_blocking=True)
        self._staging: dict[tuple[int, int], list[Any]] = {}
        self._paces: collections.deque[Any] = collections.deque()

    def active(self) -> Any:
        """Inside the block this is CUDA's current device."""
        return cupy.cuda.Device(self.number)

    def address(self, array: Any) -> int:
        """Where the array's first element lies."""
        return int(array.data.ptr)

    def compile(self, source: Source) -> Any:
        """The kernels, ready to be launched; compiled ones are kept on the disk."""
        architecture = cupy.cuda.Device(self.number).compute_capability
        module = cupy.cuda.function.Module()
        module.load(machine_code(source.text(), architecture))
        for name in source.kernels:
            self._functions[id(module), name] = module.get_function(name)
        return module

    def launch(self, module: Any, kernel: Kernel, blocks: int, arguments: Arguments) -> None:
        """Launch on the current stream."""
        given = tuple(np.float64(a) if isinstance(a, float) else np.int64(a) for a in arguments)
        self._functions[id(module), kernel.name]((blocks,), (THREADS,), given)

    def capture(self, run: Callable[[], None]) -> Callable[[], None]:
        """What `run` launches, as one graph; its call launches the graph on the current stream."""
        with self._stream as stream:
            stream.begin_capture()
            try:
                run()
            finally:
                graph = stream.end_capture()
        graph.upload(self._stream)
        self._stream.synchronize()

        def replay() -> None:
            graph.launch(cupy.cuda.get_current_stream())

        return replay

    def library(
        self, kind: str, facts: dict[str, Any], addresses: Sequence[int]
    ) -> Callable[[], None] | None:
        """A call that does the instruction by a library, or None."""
        if kind == "product":
            return CublasLt.of(self.number).plan(facts, addresses)
        return sum_call(addresses, **facts)

    def put(self, target: Any, source: Any) -> None:
        """Copy an array of the host or of any device into a buffer, once."""
        if isinstance(source, cupy.ndarray):
            target[...] = source if source.device == target.device else to_device(
                source, f"gpu:{self.number}"
            )  # fmt: skip
        elif target.size:
            target.set(np.asarray(source, dtype=target.dtype, order="C"))

    def load(self, target: Any, source: Any) -> None:
        """Copy an array into a buffer that gets one at every run.

        Host arrays pass through pinned memory, two buffers in turn: the next batch is staged while
        the last one is still on its way.
        """
        if isinstance(source, cupy.ndarray):
            self.put(target, source)
            return
        source = np.ascontiguousarray(source, dtype=target.dtype)
        if source.nbytes == 0:
            return
        buffers = self._staging.setdefault((int(target.data.ptr), source.nbytes), [])
        if len(buffers) < 2:
            made = cupy.cuda.alloc_pinned_memory(source.nbytes)
            buffers.append((made, cupy.cuda.Event(disable_timing=True)))
        else:  # the one that was filled before the last one
            buffers.append(buffers.pop(0))
            buffers[-1][1].synchronize()
        staged, event = buffers[-1]
        host = np.frombuffer(staged, np.uint8, source.nbytes)
        host[...] = source.reshape(-1).view(np.uint8)
        stream = cupy.cuda.get_current_stream()
        target.data.copy_from_host_async(host.ctypes.data, source.nbytes, stream)
        event.record(stream)

    def pace(self) -> None:
        """Wait until only a few of the steps that called this are still under way.

        Without it a program would be ready with minutes of work, in which nobody could stop it.
        """
        if len(self._paces) < _UNDER_WAY:
            event = cupy.cuda.Event(disable_timing=True)
        else:
            event = self._paces.popleft()
            event.synchronize()
        event.record(cupy.cuda.get_current_stream())
        self._paces.append(event)


def machine_code(text: str, architecture: str) -> bytes:
    """Machine code of a translation unit, from the folder of CuPy's kernels if it is there.

    Not by `RawModule`, which flushes denormal numbers to zero. For a GPU that is newer than NVRTC
    it is PTX, which the driver translates when it loads it.
    """
    key = f"{cupy.cuda.nvrtc.getVersion()} {architecture} {text}"
    name = f"kerasish_{hashlib.sha256(key.encode()).hexdigest()}.cubin"
    kept = _CACHE / name
    if kept.exists():
        return kept.read_bytes()
    older = [a for a in reversed(ARCHITECTURES) if a < int(architecture)]
    for target in (f"sm_{architecture}", *(f"compute_{a}" for a in older)):
        made = _compiled(text, target)
        if made is not None:
            break
    else:
        raise RuntimeError(
            f"NVRTC {cupy.cuda.nvrtc.getVersion()} compiles for no GPU like this one (its compute "
            f"capability is {architecture}): install CuPy for another version of CUDA."
        )
    with contextlib.suppress(OSError):  # no room, or no home to write to: compiled again next time
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        part.write_bytes(made)
        part.replace(kept)
    return made


def _compiled(text: str, target: str) -> bytes | None:
    """Machine code, or for `compute_..` PTX; None if NVRTC does not know the target.

    Raises:
        RuntimeError: It refused the text.
    """
    nvrtc = cupy.cuda.nvrtc
    program = nvrtc.createProgram(text, "kerasish.cu", (), ())
    try:
        # Warnings would fill the log, at whose end errors of the assembler stand.
        options = ("--std=c++17", "--disable-warnings", f"--gpu-architecture={target}")
        nvrtc.compileProgram(program, options)
        made = (nvrtc.getCUBIN if target.startswith("sm") else nvrtc.getPTX)(program)
    except nvrtc.NVRTCError as error:
        if "INVALID_OPTION" in str(error):
            return None
        log = nvrtc.getProgramLog(program)
        raise RuntimeError(f"NVRTC refused a generated kernel ({error}):\n{log[:2000]}") from error
    finally:
        nvrtc.destroyProgram(program)
    return made if isinstance(made, bytes) else made.encode()
