"""Builds the native executor. Without a C++17 compiler the install succeeds without it."""

import os
import platform
import re
import sys
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
SOURCE = Path("kerasish_core") / "executors" / "native" / "src"
X86 = platform.machine().lower() in ("x86_64", "amd64")
MSVC = sys.platform == "win32"

SETS = {"plain": []}
if X86:
    wide = ["-mfma", "-mf16c"]
    SETS["avx2"] = ["/arch:AVX2"] if MSVC else ["-mavx2", *wide]
    SETS["avx512"] = (
        ["/arch:AVX512"]
        if MSVC
        else ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512"]
        + wide
    )
COMMON = (
    ["/O2", "/std:c++17", "/EHsc"]
    if MSVC
    else [
        "-O3",
        "-std=c++17",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-fwrapv",
        "-fvisibility=hidden",
    ]
    + ["-fopenmp-simd", "-Wall", "-Wextra", "-Wno-psabi", "-Wno-missing-field-initializers"]
)


def generate(folder):
    """Write what is generated: the list of families, and tile functions from the ops' scalars."""
    folder.mkdir(parents=True, exist_ok=True)
    families = sorted(p.stem for p in (ROOT / SOURCE / "kernels").glob("*.cpp"))
    write(folder / "families.inc", "".join(f"KERASISH_FAMILY({name})\n" for name in families))
    codegen = ROOT / "kerasish_core" / "codegen"
    if codegen.is_dir():
        sys.path.insert(0, str(ROOT))
        os.environ["KERASISH_NATIVE"] = "0"
        from kerasish_core.codegen import tiles

        write(folder / "tiles.inc", tiles.source())
    return families


def write(path, text):
    """Write a file unless it holds that text already, so that nothing is built twice."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


class Build(build_ext):
    """Compiles every kernel once per instruction set."""

    def build_extension(self, ext):
        generated = Path(self.build_temp).resolve() / "generated"
        families = generate(generated)
        include = [*ext.include_dirs, str(ROOT / SOURCE), str(generated)]
        macros = [("KERASISH_X86", "1")] if X86 else []
        objects = []
        for path in sorted((SOURCE).glob("*.cpp")):
            objects += self._compile(path, "core", macros, include, [])
        for isa, flags in SETS.items():
            for family in families:
                path = SOURCE / "kernels" / f"{family}.cpp"
                own = [*macros, ("KERASISH_ISA", isa), (f"KERASISH_ISA_{isa.upper()}", "1")]
                objects += self._compile(path, isa, own, include, flags)
        target = self.get_ext_fullpath(ext.name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        self.compiler.link_shared_object(
            objects, target, libraries=self.get_libraries(ext), target_lang="c++",
            extra_postargs=[] if MSVC else ["-pthread"], debug=self.debug,
        )  # fmt: skip

    def _compile(self, path, folder, macros, include, flags):
        out = Path(self.build_temp) / folder
        made = out / path.with_suffix(self.compiler.obj_extension)
        extra = os.environ.get("KERASISH_CXXFLAGS", "").split()
        if made.exists() and made.stat().st_mtime > newest(path, include) and not self.force:
            return [str(made)]
        return self.compiler.compile(
            [str(path)], output_dir=str(out), macros=macros, include_dirs=include,
            extra_postargs=[*COMMON, *flags, *extra], debug=self.debug,
        )  # fmt: skip


def newest(path, include, seen=None):
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
