"""Builds the native executor. Without a C++17 compiler the install succeeds without it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

ROOT = Path(__file__).resolve().parent
SOURCE = Path("kerasish_core") / "executors" / "native" / "src"
# Of the target: macOS wheels for Intel are made on Arm machines.
X86 = sysconfig.get_platform().endswith(("-x86_64", "-amd64"))
WINDOWS = sys.platform == "win32"

# Flags of GCC and Clang; on Windows clang-cl takes those that begin with -m as well.
WIDE = ["-mfma", "-mf16c"]
SETS: dict[str, list[str]] = {"plain": []}
if X86:
    SETS["avx2"] = ["-mavx2", *WIDE]
    SETS["avx512"] = ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", *WIDE]
    SETS["avx512"] += ["-mprefer-vector-width=512"]
if WINDOWS:
    COMMON = ["/O2", "/std:c++17", "/EHsc", "/clang:-O3", "/clang:-fno-math-errno"]
    COMMON += ["/clang:-fno-trapping-math", "/clang:-ffp-contract=fast", "/clang:-fwrapv"]
    COMMON += ["/clang:-fopenmp-simd", "-Wno-unused-command-line-argument"]
    LINK = []
else:
    # -g0 and -fwrapv: whatever Python itself was built with.
    COMMON = ["-O3", "-g0", "-std=c++17", "-fno-math-errno", "-fno-trapping-math", "-fwrapv"]
    COMMON += ["-ffp-contract=fast", "-fopenmp-simd", "-fvisibility=hidden"]
    COMMON += ["-Wall", "-Wextra", "-Wno-psabi", "-Wno-missing-field-initializers"]
    LINK = ["-pthread"]
# Each op of a chain is rounded by itself. Clang's pragma for that yields to the flag above.
OF_FILE = {"tiles_chain": ["/clang:-ffp-contract=off" if WINDOWS else "-ffp-contract=off"]}
# Of whoever builds: instruction sets beyond the plain one, to build fewer; and flags for compiling
# and linking (sanitizers, -Werror).
if "KERASISH_SETS" in os.environ:
    SETS = {k: v for k, v in SETS.items() if k in ("plain", *os.environ["KERASISH_SETS"].split())}
EXTRA = os.environ.get("KERASISH_CXXFLAGS", "").split()


class Job(NamedTuple):
    """One file to compile for one instruction set."""

    path: Path
    folder: str
    macros: list[tuple[str, str]]
    flags: list[str]


def generate(folder: Path) -> list[str]:
    """Write what is generated: the list of families, and tile functions from the ops' scalars."""
    folder.mkdir(parents=True, exist_ok=True)
    families = sorted(p.stem for p in (ROOT / SOURCE / "kernels").glob("*.cpp"))
    write(folder / "families.inc", "".join(f"KERASISH_FAMILY({name})\n" for name in families))
    sys.path.insert(0, str(ROOT))
    os.environ["KERASISH_NATIVE"] = "0"
    from kerasish_core.codegen import tiles

    write(folder / "tiles.inc", tiles.source())
    return families


def write(path: Path, text: str) -> None:
    """Write a file unless it holds that text already, so that nothing is built twice."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def jobs(families: Iterable[str]) -> list[Job]:
    """The core once, every kernel once per instruction set."""
    base = [("KERASISH_X86", "1")] if X86 else []
    core = [*base, *((f"KERASISH_WITH_{isa.upper()}", "1") for isa in SETS)]
    sources = sorted([*SOURCE.glob("*.cpp"), *(SOURCE / "python").glob("*.cpp")])
    found = [Job(path, "core", core, []) for path in sources]
    for isa, flags in SETS.items():
        macros = [*base, ("KERASISH_ISA", isa), (f"KERASISH_ISA_{isa.upper()}", "1")]
        found += [
            Job(SOURCE / "kernels" / f"{f}.cpp", isa, macros, [*flags, *OF_FILE.get(f, [])])
            for f in families
        ]
    return found


class Build(build_ext):
    """Compiles several files at a time, and only those whose sources or flags changed."""

    def build_extension(self, ext: Extension) -> None:
        if WINDOWS:
            self._use_clang()
        generated = Path(self.build_temp).resolve() / "generated"
        families = generate(generated)
        include = [*ext.include_dirs, str(ROOT / SOURCE), str(generated)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            compiled = pool.map(lambda job: self._compile(job, include), jobs(families))
            objects = [name for names in compiled for name in names]
        target = self.get_ext_fullpath(ext.name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        self.compiler.link_shared_object(
            objects, target, libraries=self.get_libraries(ext), target_lang="c++",
            extra_postargs=[*LINK, *EXTRA], debug=self.debug,
        )  # fmt: skip

    def _compile(self, job: Job, include: list[str]) -> list[str]:
        flags = [*COMMON, *job.flags, *EXTRA]
        # Objects of other flags, another compiler or NumPy lie in another folder.
        compiler = getattr(self.compiler, "compiler_so_cxx", None) or self.compiler.compiler_type
        made_with = (compiler, flags, job.macros, numpy.__version__)
        stamp = zlib.crc32(repr(made_with).encode())
        out = Path(self.build_temp) / f"{job.folder}-{stamp:08x}"
        made = out / job.path.with_suffix(self.compiler.obj_extension)
        if made.exists() and made.stat().st_mtime > newest(job.path, include) and not self.force:
            return [str(made)]
        made.parent.mkdir(parents=True, exist_ok=True)
        return self.compiler.compile(
            [str(job.path)], output_dir=str(out), macros=job.macros, include_dirs=include,
            extra_postargs=flags, debug=self.debug,
        )  # fmt: skip

    def _use_clang(self) -> None:
        """The kernels use vectors and builtins that cl.exe lacks: Clang in its place."""
        clang = shutil.which("clang-cl")
        if clang is None:
            raise CompileError("The native library needs clang-cl (LLVM) on PATH on Windows.")
        self.compiler.initialize()
        self.compiler.cc = clang


def newest(path: Path, include: Iterable[str], seen: set[Path] | None = None) -> float:
    """When the file or any of our headers that it includes was last changed."""
    seen = set() if seen is None else seen
    seen.add(path)
    stamp = path.stat().st_mtime
    for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M):
        for folder in (path.parent, *map(Path, include)):
            found = folder / name
            if found.exists() and found not in seen:
                stamp = max(stamp, newest(found, include, seen))
                break
    return stamp


setup(
    ext_modules=[
        Extension(
            "kerasish_core.executors.native._native", sources=[],
            include_dirs=[numpy.get_include()], language="c++", optional=True,
        )
    ],
    cmdclass={"build_ext": Build},
)  # fmt: skip
