"""`.weights.h5` files, in Keras 3's layout."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..optimizers import Optimizer
from .h5 import Reader, Writer, atomic_path, open_to_write, opened
from .legacy_h5 import load_legacy_weights, save_legacy_weights
from .shards import Shards, opened_shards
from .tree import saveable_parts
from .zips import unzipped

__all__ = [
    "WEIGHTS_MEMBER", "finder", "load_weights", "may_overwrite", "opened_member", "read_parts",
    "save_weights", "unchanged_on_error", "write_parts",
]  # fmt: skip

# The weights in a `.keras` archive.
WEIGHTS_MEMBER = "model.weights.h5"

# What Keras 2.13 to 2.15 called the list of a model's layers.
_OLD_LAYERS = "_layer_checkpoint_dependencies"


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Write all weights and optimizer slots of a model.

    What is written is put in place when it is complete: an old file survives any failure.

    Args:
        model: A model or layer that is built.
        filepath: Ends in `.weights.h5`; or in `.h5` or `.hdf5`, for the format of Keras 2.
        overwrite: Whether an existing file may be replaced; if not, you are asked.
        max_shard_size: GB of arrays in one file: write several, and an index `.weights.json`.
        **kwargs: `objects_to_skip`, a list of layers to leave out.

    Raises:
        ValueError: Another ending, or a model that is not built.
        FileExistsError: The file exists, and there was nobody to ask.
        OSError: It can't be written; the message names it.

    Source: https://keras.io/api/models/model_saving_apis/weights_saving_and_loading/
    """
    skip = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    name = os.fspath(filepath)
    if max_shard_size is not None:
        path = _index_path(name, "Saving")
    elif name.endswith((".h5", ".hdf5")):
        path = Path(name)
    else:
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={filepath}")
    if not (overwrite or may_overwrite(path)):
        return
    if not getattr(model, "built", True):
        raise ValueError(
            "You are saving a model that has not yet been built. Try building the model first by "
            f"calling it on some data or by using `build()`. Model: {model.name!r}"
        )
    if max_shard_size is not None:
        try:
            with Shards(path, float(max_shard_size) * 1024**3) as shards:
                for place, part in saveable_parts(model, skip):
                    part.save_own_variables(shards.writer(_vars(place)))
        except OSError as error:
            raise OSError(f"Can't write {path}: {error}.") from error
    elif name.endswith(".weights.h5"):
        with atomic_path(path) as temporary, open_to_write(temporary) as file:
            write_parts(model, file, skip)
    else:
        save_legacy_weights(model, path)


def _vars(place: str) -> str:
    return f"{place}/vars" if place else "vars"


def _index_path(name: str, what: str) -> Path:
    """The index of sharded weights: Keras takes the name of a single file for it too.

    Raises:
        ValueError: Another ending.
    """
    if name.endswith("weights.json"):
        return Path(name)
    if not name.endswith("weights.h5"):
        raise ValueError(
            "The filename must end in `.weights.json` when `max_shard_size` is specified. "
            f"Received: filepath={name}"
        )
    path = Path(name).with_suffix(".json")
    warnings.warn(
        f"{what} sharded weights requires `*.json` as the extension. The original path: {name} "
        f"will be renamed to {path}.",
        stacklevel=4,
    )
    return path


def may_overwrite(path: Path) -> bool:
    """Whether the file does not exist or the user at the terminal lets it be replaced.

    Raises:
        FileExistsError: There is nobody to ask.
    """
    if not path.exists():
        return True
    answer = ""
    while answer not in ("y", "yes", "n", "no"):
        try:
            answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
        except EOFError:
            raise FileExistsError(
                f"{path} already exists. Pass overwrite=True to replace it."
            ) from None
    return answer in ("y", "yes")


def write_parts(model: Any, file: Any, skip: Any = ()) -> None:
    """Write every part's variables into an open HDF5 file."""
    for place, part in saveable_parts(model, skip):
        group = file.create_group(_vars(place))
        if getattr(part, "name", None) is not None:
            group.attrs["name"] = part.name
        part.save_own_variables(Writer(group))


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read a file that `save_weights`, `save_model` or Keras wrote.

    Args:
        model: A built model of the same structure.
        filepath: Ends in `.weights.h5`, `.weights.json` (sharded) or `.keras`; or in `.h5` or
            `.hdf5`, for files of Keras 2.
        skip_mismatch: Warn about parts that do not fit instead of raising.
        **kwargs: `objects_to_skip`, a list of layers to leave as they are; `by_name=True` for
            older files: fill the layers of the same name only.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or does not fit; no variable has changed then.
    """
    name = os.fspath(filepath)
    if not name.endswith((".h5", ".hdf5", ".weights.json", ".keras")):
        raise ValueError(
            f"File format not supported: filepath={filepath}. Weights are read from "
            "`.weights.h5`, `.weights.json` and `.keras` files, and from older `.h5` and `.hdf5`."
        )
    path = Path(name)
    older = name.endswith((".h5", ".hdf5")) and not name.endswith(".weights.h5")
    by_name, skip = kwargs.pop("by_name", None), kwargs.pop("objects_to_skip", None)
    if kwargs or (by_name and not older) or (skip is not None and older):
        given = kwargs or ({"by_name": by_name} if by_name else {"objects_to_skip": skip})
        raise ValueError(
            f"Invalid keyword arguments for `{name}`: {given}. Layers of a `.weights.h5` file are "
            "found by their place in the model, and objects_to_skip leaves some out; by_name is "
            "for older `.h5` files."
        )
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file {path}.")
    if not getattr(model, "built", True):
        raise ValueError(
            "You are loading weights into a model that has not yet been built. Try building the "
            f"model first by calling it on some data or by using `build()`. Model: {model.name!r}, "
            f"file: {path}"
        )
    if older:
        load_legacy_weights(model, path, bool(by_name), skip_mismatch)
        return
    with contextlib.ExitStack() as stack:
        if name.endswith(".weights.json"):
            find = stack.enter_context(opened_shards(path))
        elif name.endswith(".keras"):
            folder = stack.enter_context(unzipped(path, (WEIGHTS_MEMBER,)))
            find = finder(path, stack.enter_context(opened_member(path, folder)))
        else:
            find = finder(path, stack.enter_context(opened(path)))
        read_parts(model, find, path, skip_mismatch, skip or ())


@contextlib.contextmanager
def opened_member(path: Path, folder: Path) -> Iterator[Any]:
    """The weights of an unpacked archive, opened for reading; errors name the archive."""
    try:
        source = open(folder / WEIGHTS_MEMBER, "rb")  # noqa: SIM115
    except OSError as error:
        raise ValueError(f"{path} holds no {WEIGHTS_MEMBER}.") from error
    with source, opened(path, source) as file:
        yield file


def finder(path: Path, file: Any) -> Callable[[str], Reader]:
    """A function from the place of a group in an open HDF5 file to a reader of its arrays."""
    old = _OLD_LAYERS in file

    def find(place: str) -> Reader:
        if old:
            place = "/".join(_OLD_LAYERS if s == "layers" else s for s in place.split("/"))
        return Reader(path, file, place)

    return find


def read_parts(
    model: Any, find: Callable[[str], Reader], path: Path, skip_mismatch: bool = False,
    skip: Any = (),
) -> None:  # fmt: skip
    """Read every part's variables; nothing changes if one does not fit.

    Args:
        model: The model.
        find: From the place of a group to a reader of its arrays.
        path: The file, for messages.
        skip_mismatch: Warn about parts that do not fit instead of raising.
        skip: Parts to leave as they are.

    Raises:
        ValueError: A part does not fit, unless `skip_mismatch` is set.
    """
    failed: list[tuple[Any, str]] = []
    with unchanged_on_error(model):
        for place, part in saveable_parts(model, skip):
            reader = find(_vars(place))
            try:
                _read_part(part, reader)
            except (ValueError, KeyError) as error:
                failed.append((part, f"{reader.place}: {error.args[0]}"))
        if failed and not skip_mismatch:
            raise ValueError(_report(path, failed))
    if failed:
        warnings.warn(_report(path, failed), stacklevel=4)


@contextlib.contextmanager
def unchanged_on_error(model: Any) -> Iterator[None]:
    """Give the variables of a model and its optimizer back their values if the block raises."""
    optimizer = getattr(model, "optimizer", None)
    held = list(getattr(model, "variables", ()))
    held += list(optimizer.variables) if optimizer is not None else []
    before = [(v, v.value) for v in {id(v): v for v in held}.values()]
    try:
        yield
    except BaseException:
        for variable, value in before:
            variable.assign(value)
        raise


def _report(path: Path, failed: list[tuple[Any, str]]) -> str:
    part, reason = failed[0]
    parts = [p for p, _ in failed]
    return (
        f"{path}: a total of {len(failed)} objects could not be loaded. Example error message for "
        f"object {part}:\n\n{reason}\n\nList of objects that could not be loaded:\n{parts}"
    )


def _read_part(part: Any, reader: Reader) -> None:
    if isinstance(part, Optimizer) and not _optimizer_fits(part, reader):
        return
    if hasattr(part, "load_own_variables"):
        part.load_own_variables(reader)


def _optimizer_fits(optimizer: Any, reader: Reader) -> bool:
    """Whether to go on: its loader says itself that numbers differ, but reads shapes unchecked."""
    variables = optimizer.variables
    if not reader.exists and not optimizer.built:
        return False  # nothing saved, nothing to set
    if len(reader) != len(variables):
        return True  # of other trained weights
    for i, variable in enumerate(variables):
        name = str(i)
        if name in reader and reader[name].shape != tuple(variable.shape):
            raise ValueError(
                f"optimizer {optimizer.name!r}: variable {variable.path!r} has shape "
                f"{tuple(variable.shape)}; the file has shape {reader[name].shape}."
            )
    return True
