"""`python -m kerasish script.py`: a program for Keras, run as its author would run it."""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
import traceback
import types
from dataclasses import dataclass
from typing import Any

from .generation import guess, set_generation
from .imports import install

__all__ = ["main"]

_USAGE = """usage: python -m kerasish [OPTION ...] [-m MODULE | -c CODE | SCRIPT] [ARGUMENT ...]

Runs a program written for Keras: `import keras`, `tensorflow.keras` and `tf_keras` are kerasish.

  --generation 1|2|3   the Keras that the program is written for, where the same spelling has
                       changed its meaning; by default it is guessed from the program's text
  --verbose            say which generation it is, and what shows it
"""


def main(arguments: list[str] | None = None) -> None:
    """Run what the command line names.

    Args:
        arguments: Those of the command line by default.

    Raises:
        SystemExit: The program ended so, an error ended it (1), or the usage is wrong (2).
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    options = _options(arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE, end="")
        raise SystemExit(0 if arguments else 2)
    if arguments[0] in ("-m", "-c") and len(arguments) < 2:
        print(f"kerasish: {arguments[0]} needs an argument\n{_USAGE}", file=sys.stderr, end="")
        raise SystemExit(2)
    install()
    try:
        if arguments[0] == "-m":
            _run_module(arguments[1], arguments[2:], options)
        elif arguments[0] == "-c":
            sys.argv[:] = ["-c", *arguments[2:]]
            sys.path[0] = ""
            _run_code(arguments[1].encode(), "<string>", None, options)
        else:
            _run_script(arguments[0], arguments[1:], options)
    except Exception as error:
        _show(error)
        raise SystemExit(1) from None


@dataclass
class _Options:
    generation: int | None = None
    verbose: bool = False


def _options(arguments: list[str]) -> _Options:
    """The runner's own options, which are taken off the front of the arguments."""
    options = _Options()
    while arguments:
        name, _, value = arguments[0].partition("=")
        if name == "--verbose":
            options.verbose = True
        elif name == "--generation":
            if not value and len(arguments) > 1:
                value = arguments.pop(1)
            if value not in ("1", "2", "3"):
                print(f"kerasish: --generation is 1, 2 or 3\n{_USAGE}", file=sys.stderr, end="")
                raise SystemExit(2)
            options.generation = int(value)
        else:
            break
        arguments.pop(0)
    return options


def _choose(source: bytes | None, options: _Options) -> None:
    """Read the program as one for the generation asked for, or the one that its text shows."""
    found = guess(source or b"")
    number = options.generation or found.generation
    set_generation(number, found.texts)
    if options.verbose:
        print(f"kerasish: read as a program for Keras {number}", file=sys.stderr)
        for line, spelling in found.reasons if options.generation is None else ():
            print(f"kerasish:   line {line}: {spelling}", file=sys.stderr)


def _run_module(name: str, arguments: list[str], options: _Options) -> None:
    sys.argv[:] = [name, *arguments]
    sys.path[0] = os.getcwd()
    spec = importlib.util.find_spec(name)
    source = getattr(spec and spec.loader, "get_source", lambda name: None)(name)
    _choose(None if source is None else source.encode(), options)
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_script(path: str, arguments: list[str], options: _Options) -> None:
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print(f"kerasish: can't open {path!r}: {error.strerror}", file=sys.stderr)
        raise SystemExit(2) from None
    sys.argv[:] = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    _run_code(source, path, os.path.abspath(path), options)


def _run_code(source: bytes, name: str, file: str | None, options: _Options) -> None:
    """Run source as `__main__`, which stays: threads and exit handlers may still use it."""
    _choose(source, options)
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    if file is not None:
        module.__file__ = file
    sys.modules["__main__"] = module
    exec(compile(source, name, "exec"), module.__dict__)


def _show(error: BaseException) -> None:
    """Print a traceback from the program's own first line on."""
    trace: Any = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _is_ours(path: str) -> bool:
    return path in (__file__, runpy.__file__) or path.startswith("<frozen runpy")
