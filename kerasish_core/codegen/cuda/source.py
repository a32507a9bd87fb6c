"""Kernels collected into one translation unit, equal ones once."""

from __future__ import annotations

import importlib.resources
import re
import zlib
from typing import NamedTuple

__all__ = ["ARCHITECTURES", "THREADS", "Kernel", "Source"]

# What is promised to compile: A100, H100, B200.
ARCHITECTURES = (80, 90, 100)
# Threads of every block.
THREADS = 256
_ORDER = ("base", "reduce", "rows", "move", "philox", "tensor", "product", "staged", "staged_conv",
          "sort", "index", "attention", "recurrent")  # fmt: skip


class Kernel(NamedTuple):
    """A kernel of a translation unit.

    Attributes:
        name: Of the function.
        pointers: C types that its first parameters point to.
        numbers: For each further parameter "i" (int64) or "d" (double).
        text: Its C++.
    """

    name: str
    pointers: tuple[str, ...]
    numbers: str
    text: str


class Source:
    """A translation unit in the making."""

    def __init__(self) -> None:
        self.kernels: dict[str, Kernel] = {}

    def add(self, stem: str, parameters: str, body: str, held: int = 1) -> str:
        """Add a kernel unless it is there.

        Args:
            stem: How its name begins.
            parameters: C++ parameters: pointers first, then `int64_t` and `double`.
            body: What stands between the braces.
            held: How many blocks a multiprocessor should hold, which bounds the registers.

        Returns:
            Its name.
        """
        number = zlib.crc32(f"{parameters}\n{body}".encode())
        name = f"{stem}_{number:08x}"
        if name not in self.kernels:
            listed = [p.strip() for p in parameters.split(",")]
            pointers = tuple(p.rsplit("*", 1)[0].strip() for p in listed if "*" in p)
            numbers = "".join("d" if p.startswith("double") else "i"
                              for p in listed if "*" not in p)  # fmt: skip
            text = (
                f'extern "C" __global__ void __launch_bounds__({THREADS}, {held}) {name}(\n'
                f"    {parameters}) {{\n{body}\n}}\n"
            )
            self.kernels[name] = Kernel(name, pointers, numbers, text)
        return name

    def text(self) -> str:
        """The whole unit: the parts that all kernels share, then the kernels."""
        return _prelude() + "\n".join(k.text for k in self.kernels.values())


def _prelude() -> str:
    room = importlib.resources.files(__package__) / "text"
    return "\n".join((room / f"{part}.cuh").read_text() for part in _ORDER)


def dtype_name(dtype: str) -> str:
    """The C++ type of a dtype's elements in memory."""
    if dtype == "bool":
        return "truth"
    if dtype in ("float16", "bfloat16"):
        return dtype
    if dtype in ("float32", "float64"):
        return "float" if dtype == "float32" else "double"
    if re.fullmatch(r"u?int(8|16|32|64)", dtype):
        return f"{dtype}_t"
    raise KeyError(dtype)
