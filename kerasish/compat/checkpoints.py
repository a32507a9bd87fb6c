"""Weights and models under names without an ending, as TensorFlow's formats were used.

`save_weights("name")` writes `name.weights.h5`, and a file `checkpoint` beside it that names the
latest one; `save("name")` writes the folder `name`, with the parts of a `.keras` archive.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import tempfile
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kerasish_core as core

from .. import older
from ..layers import Layer
from ..optimizers import Optimizer
from ..saving.h5 import atomic_path, open_to_write, opened
from ..saving.legacy_h5 import load_legacy_weights, save_legacy_model, save_legacy_weights
from ..saving.tree import saveable_parts
from ..saving.weights import finder, may_overwrite, unchanged_on_error, write_parts
from .warning import warn_once

__all__ = [
    "Status", "file_of", "latest_checkpoint", "load_weights", "note", "noted", "restore", "save",
    "save_weights", "write",
]  # fmt: skip

_ENDINGS = (".h5", ".hdf5", ".keras", ".weights.json")
_STATE = "checkpoint"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def _without_ending(name: str, save_format: str | None = None) -> bool:
    """Whether a name is of TensorFlow's format.

    In a program whose text did not show an earlier Keras a name without an ending is a mistake as
    today, but for programs of TensorFlow, which may be of its Keras 2.
    """
    if older.state.generation == older.MODERN:
        return (
            older.state.tensorflow
            and re.fullmatch(r"(\.\d*|\.ckpt|\.tf)?", os.path.splitext(name)[1]) is not None
        )
    return save_format == "tf" or not name.endswith(_ENDINGS)


# -- what methods of models do with names that have no ending


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None,
    options: Any = None, **kwargs: Any,
) -> Callable[[], Any] | None:  # fmt: skip
    """What writes the weights, if the name has no ending or a format is named."""
    name = os.fsdecode(filepath)
    if kwargs or not _without_ending(name, save_format):
        known = save_format == "h5" and name.endswith(_ENDINGS) and not kwargs
        return (lambda: model.save_weights(name, overwrite)) if known else None

    def run() -> None:
        if save_format == "h5":
            if overwrite or may_overwrite(Path(name)):
                save_legacy_weights(model, Path(name))
            return
        warn_once("model.save_weights(name)", 'model.save_weights(name + ".weights.h5")')
        if overwrite or may_overwrite(file_of(name)):
            write(model, name)
            note(name, [name])

    return run


def load_weights(
    model: Any, filepath: Any, *args: Any, options: Any = None, **kwargs: Any
) -> Callable[[], Any] | None:
    """What reads the weights, if the name has no ending."""
    name = os.fsdecode(filepath)
    given = dict(zip(("skip_mismatch", "by_name"), args, strict=False)) | kwargs
    there = any(os.path.isfile(f) for f in (name, file_of(name), f"{name}.index"))
    if not _without_ending(name) and not file_of(name).is_file():
        return None
    if not there and older.state.generation == older.MODERN:
        return None  # today's error stands
    if os.path.isfile(name):
        with open(name, "rb") as file:
            if file.read(8) == _HDF5:
                by_name = bool(given.get("by_name"))
                skip = bool(given.get("skip_mismatch"))
                return lambda: load_legacy_weights(model, Path(name), by_name, skip)
    if any(given.values()):
        raise ValueError(
            f"{name}: weights under a name without an ending are read by their places in the "
            f"model. by_name and skip_mismatch are for files that end in .h5. Received: {given}"
        )
    return lambda: restore(model, name)


def save(
    model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True,
    save_format: str | None = None, signatures: Any = None, options: Any = None,
    save_traces: bool = True, **kwargs: Any,
) -> Callable[[], Any] | None:  # fmt: skip
    """What writes the model, if the name has no ending."""
    name = os.fsdecode(filepath)
    if kwargs or not _without_ending(name, save_format):
        return None

    def run() -> None:
        path = Path(name)
        if save_format == "h5":
            if overwrite or may_overwrite(path):
                save_legacy_model(model, path, include_optimizer)
            return
        warn_once("model.save(folder)", 'model.save(name + ".keras")')
        with contextlib.nullcontext() if include_optimizer else _without_optimizer(model):
            model.save(name, overwrite, zipped=False)

    return run


@contextlib.contextmanager
def _without_optimizer(model: Any) -> Iterator[None]:
    kept = {"compiled": model.compiled, "optimizer": model.optimizer}
    model._keep(compiled=False, optimizer=None)
    try:
        yield
    finally:
        model._keep(**kept)


# -- files


def file_of(prefix: Any) -> Path:
    """Where the weights of a name are."""
    return Path(f"{os.fspath(prefix)}.weights.h5")


def write(root: Any, prefix: Any) -> None:
    """Write what is in a model, layer or checkpoint.

    Raises:
        OSError: It can't be written; the message names the file, and an old one is unchanged.
    """
    path = file_of(prefix)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, open_to_write(temporary) as file:
        write_parts(root, file)


def restore(root: Any, prefix: Any) -> Status:
    """Read what is there; layers and optimizers that are not built get theirs when they are.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It is one of TensorFlow, damaged, or a shape differs; nothing changed then.
    """
    path = file_of(prefix)
    if not path.is_file():
        if os.path.isfile(f"{os.fspath(prefix)}.index"):
            raise ValueError(
                f"{os.fspath(prefix)} is a checkpoint of TensorFlow, which is not read here: read "
                "it with TensorFlow's Keras and save the weights to a file that ends in .h5."
            )
        raise _not_found(f"There is no checkpoint {os.fspath(prefix)} (no file {path}).")
    status = Status(root, path)
    status.read("", root)
    return status


def _not_found(message: str) -> Exception:
    from .tensorflow.system import NotFoundError

    return NotFoundError(message)


class Status:
    """How a checkpoint and the objects that it was read into fit.

    Args:
        root: The model, layer or checkpoint.
        path: The file.
    """

    def __init__(self, root: Any, path: Path) -> None:
        self._root, self._path = root, path
        # By id, with the object, so that no other gets its id.
        self._read: dict[int, Any] = {}
        self._waiting: dict[int, Any] = {}
        self._found: set[str] = set()
        self._missing: list[Any] = []
        self._held: Any = None  # the open file, as long as something waits

    def read(self, start: str, root: Any) -> None:
        """Read a part and what is in it, or see to it that it is read when it is built."""
        waiting = []
        with opened(self._path, self._held) as file, unchanged_on_error(root):
            find = finder(self._path, file)
            for place, part in saveable_parts(root):
                place = "/".join(filter(None, (start, place)))
                reader = find(f"{place}/vars" if place else "vars")
                if _is_to_come(part, reader):
                    waiting.append((place, part))
                elif id(part) not in self._read:
                    self._read_one(part, reader)
        for place, part in waiting:
            if id(part) not in self._waiting:
                self._wait(place, part)

    def _read_one(self, part: Any, reader: Any) -> None:
        self._read[id(part)] = part
        wanted = _names(part)
        if not wanted.issubset(reader.keys()):
            self._missing.append(part)
        if not len(reader):
            return
        self._found.update(f"{reader.place}/{name}" for name in wanted)
        try:
            part.load_own_variables(reader)
        except KeyError as error:
            raise ValueError(f"{self._path}: {reader.place}: {error.args[0]}") from error

    def _wait(self, place: str, part: Any) -> None:
        """Read the part as soon as its `build` has run: from what the file holds now."""
        if self._held is None:
            self._held = _held(self._path)
            weakref.finalize(self, self._held.close)
        self._waiting[id(part)] = part

        def then() -> None:
            if self._waiting.pop(id(part), None) is not None:
                with core.eager_scope():
                    self.read(place, part)

        part.__dict__["build"] = _Build(part, then)

    # -- what programs ask
    def expect_partial(self) -> Status:
        """Nothing to do: what does not fit is not spoken of."""
        return self

    def assert_existing_objects_matched(self) -> Status:
        """Raise AssertionError if an object has no values in the file."""
        if self._missing:
            raise AssertionError(f"{self._path} has no values for {self._missing[0]}.")
        return self

    def assert_nontrivial_match(self) -> Status:
        """Raise AssertionError if nothing was read, and nothing waits to be built."""
        if not self._found and not self._waiting:
            raise AssertionError(f"{self._path} has values for nothing that is there.")
        return self

    def assert_consumed(self) -> Status:
        """Raise AssertionError if an object or value is without its counterpart."""
        self.assert_existing_objects_matched()
        for part in self._waiting.values():
            if part.built:
                continue
            raise AssertionError(f"{part} is not built yet: it gets its values when it is.")
        with opened(self._path, self._held) as file:
            left: list[str] = []

            def look(place: str, item: Any) -> None:
                if hasattr(item, "shape") and place not in self._found:
                    left.append(place)

            file.visititems(look)
        if left:
            raise AssertionError(f"{self._path}: {left[0]} belongs to nothing that is there.")
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing to do: it is read."""

    run_restore_ops = initialize_or_restore


class _Build:
    """The `build` of one part, with what is done once after it. A copy of the part has none.

    Args:
        part: A layer or optimizer.
        then: Called when it is built.
    """

    def __init__(self, part: Any, then: Callable[[], None]) -> None:
        self._part, self._then, self._build = part, then, part.build
        functools.update_wrapper(self, self._build)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self._build(*args, **kwargs)
        if vars(self._part).get("build") is self:
            del self._part.__dict__["build"]
        self._then()
        return result

    def __reduce__(self) -> Any:
        return _plain_build, (self._part,)


def _plain_build(part: Any) -> Any:
    return types.MethodType(type(part).build, part)


def _held(path: Path) -> Any:
    """A file, open: it stays what it is now, for checkpoints are replaced, not written over.

    Whoever asks closes it: it outlives any block.
    """
    if os.name != "nt":
        return open(path, "rb")
    held = tempfile.TemporaryFile()  # noqa: SIM115 - returned open; there open files can't be removed
    with open(path, "rb") as file:
        shutil.copyfileobj(file, held)
    return held


def _is_to_come(part: Any, reader: Any) -> bool:
    """Whether variables that the file has are made when the part is built."""
    if not isinstance(part, Layer | Optimizer) or part.built:
        return False
    count = 0 if isinstance(part, Optimizer) else len(_names(part))
    return not count or len(reader) > count


def _names(part: Any) -> set[str]:
    """The names under which a part saves values."""
    store: dict[str, Any] = {}
    part.save_own_variables(store)
    return set(store)


# -- the file that names the latest checkpoint


def note(prefix: str, kept: list[str], state: str | None = None) -> None:
    """Write down which checkpoint is the latest and which are kept, in order."""
    folder, names = Path(prefix).parent, [_relative(prefix, p) for p in (prefix, *kept)]
    lines = [f"model_checkpoint_path: {json.dumps(names[0])}"]
    lines += [f"all_model_checkpoint_paths: {json.dumps(name)}" for name in names[1:]]
    with atomic_path(folder / (state or _STATE)) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _relative(prefix: str, path: str) -> str:
    folder = os.path.dirname(prefix)
    return os.path.relpath(path, folder or ".")


_LINE = re.compile(r'^(model_checkpoint_path|all_model_checkpoint_paths): (".*")\s*$', re.M)


def noted(folder: Any, state: str | None = None) -> tuple[str | None, list[str]]:
    """The latest checkpoint of a folder, and all that are kept."""
    folder = os.fspath(folder)
    try:
        text = Path(folder, state or _STATE).read_text(encoding="utf-8")
    except OSError:
        return None, []
    latest, kept = None, []
    for key, word in _LINE.findall(text):
        path = os.path.join(folder, json.loads(word))
        if key == "model_checkpoint_path":
            latest = path
        else:
            kept.append(path)
    return latest, kept


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The name of the latest checkpoint in a folder; None if there is none."""
    latest, _ = noted(checkpoint_dir, latest_filename)
    if latest is None or not (file_of(latest).is_file() or os.path.isfile(f"{latest}.index")):
        return None
    return latest
