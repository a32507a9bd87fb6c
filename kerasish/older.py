"""The one link from the rooms to `compat`: what a room does not know is looked up there.

A module, a call or an object that meets a name of an earlier Keras asks the tables in
`kerasish.compat`, which load at that moment. Programs that use no such name never load them.
The lowest room: it imports nothing.
"""

from __future__ import annotations

import functools
import importlib
import re
import sys
from collections.abc import Callable
from typing import Any

__all__ = [
    "MODERN", "arguments", "attribute", "classes", "compat", "install_paths", "names", "state",
]  # fmt: skip

MODERN = 3
_OURS = __name__.partition(".")[0]
_COMPAT = f"{_OURS}.compat"
# Methods whose arguments were once others.
_METHODS = (
    "__init__", "add_loss", "add_weight", "compile", "evaluate", "fit", "load_weights", "predict",
    "save", "save_weights", "test_on_batch", "train_on_batch",
)  # fmt: skip
# How attributes begin that no release meant to show, but programs use.
_PRIVATE = ("_keras", "_make", "_trainable_w", "_non_trainable_w")
# What the text of every program holds that is written for an earlier generation (and that of
# some others): the rest need no closer look.
_MARKS = re.compile(
    rb"nb_|border_mode|subsample|output_dim|[WbU]_(regul|constr)|Convolution|dim_ordering|init=|"
    rb"_generator\(|predict_(classes|proba)|np_utils|\blr\b|decay=|['\"](val_)?acc['\"]|"
    rb"get_updates|\bK\.|input_(dim|length)|keras\.engine|"
    rb"keras\.layers\.\w|[mM]erge\(|CuDNN|_gpu|_keras_shape|by_name|trainable = False|Matrix|"
    rb"objectives|initializations|add_metric|samples_per|show_accuracy|legacy|_weights\(['\"]"
)


class _State:
    """What the process knows of the program that it runs.

    Attributes:
        generation: Of the Keras that the program is written for: 1, 2 or 3 (`MODERN`); None as
            long as nobody looked.
        classes: The classes whose calls understand older arguments, by name.
        tensorflow: Whether it imported `tensorflow` from here.
    """

    def __init__(self) -> None:
        self.generation: int | None = None
        self.tensorflow = False
        self.classes: dict[str, type] = {}


state = _State()


def compat(module: str) -> Any:
    """A module of `compat`, which loads at this moment."""
    return importlib.import_module(f"{_COMPAT}.{module}")


def names(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module: names that it had in earlier releases."""

    def __getattr__(name: str) -> Any:
        if not name.startswith("__"):
            return compat("names").find(module, name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return __getattr__


def attribute(self: Any, name: str) -> Any:
    """The `__getattr__` of a class: attributes that its objects had in earlier releases."""
    inherited = getattr(type(self), name, None)
    if inherited is not None and hasattr(inherited, "__get__"):
        # A property that raised: what it said is the error, not that it is missing.
        return inherited.__get__(self, type(self))
    if name[0] != "_" or name.startswith(_PRIVATE):
        return compat("attributes").find(self, name)
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def arguments(function: Any, owner: type | None = None) -> Any:
    """Decorate a function or method so that it takes the arguments of earlier releases too.

    What it knows goes straight to it. Only what it refuses, or all calls of a program for an
    earlier generation, are put into today's form first.
    """

    @functools.wraps(function)
    def understanding(*args: Any, **kwargs: Any) -> Any:
        if state.generation != MODERN:
            if state.generation is None:
                state.generation = _guess()
            if state.generation != MODERN:
                return compat("arguments").call(function, owner, args, kwargs)
        try:
            return function(*args, **kwargs)
        except (TypeError, ValueError) as error:
            again = compat("arguments").after(error, function, owner, args, kwargs)
            if again is None:
                raise
        return again()

    return understanding


def classes(cls: Any) -> Any:
    """Decorate a class: its constructor and methods take the arguments of earlier releases."""
    state.classes[cls.__name__] = cls
    for name in _METHODS:
        function = cls.__dict__.get(name)
        if function is None and name == "__init__" and cls.__init__ is not object.__init__:
            function = cls.__init__
        if callable(function):
            setattr(cls, name, arguments(function, cls))
    return cls


def _guess() -> int:
    """The generation of the program, by its text if that holds any name of an earlier one."""
    program = sys.modules.get("__main__")
    cells = getattr(program, "In", None)
    if isinstance(cells, list):  # a notebook
        source = "\n".join(map(str, cells)).encode()
    else:
        try:
            with open(getattr(program, "__file__", None) or "", "rb") as file:
                source = file.read()
        except OSError:
            return MODERN
    return int(compat("generation").decide(source)) if _MARKS.search(source) else MODERN


class _Paths:
    """Finds modules by paths of earlier releases, asked when nothing else finds them.

    A finder by its method: the base class would load a dozen modules.
    """

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if not fullname.startswith(f"{_OURS}.") or fullname.startswith(_COMPAT):
            return None
        return compat("paths").find_spec(fullname)


def install_paths() -> None:
    """Let imports find modules of ours under the paths of earlier releases."""
    sys.meta_path.append(_Paths())
