"""`.weights.h5` files, in Keras 3's layout."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from ..optimizers import Optimizer
from .h5 import Reader, Writer, atomic_path, open_to_write, opened
from .legacy_h5 import load_legacy_weights, save_legacy_weights
from .tree import saveable_parts

__all__ = ["load_weights", "read_parts", "save_weights", "write_parts"]

# What Keras 2.13 to 2.15 called the list of a model's layers.
_OLD_LAYERS = "_layer_checkpoint_dependencies"


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Write all weights and optimizer slots of a model.

    The file is written beside and put in place in one step: an old one survives any failure.

    Args:
        model: A model or layer that is built.
        filepath: Ends in `.weights.h5`; or in `.h5` or `.hdf5`, for the format of Keras 2.
        overwrite: Whether an existing file may be replaced; if not, you are asked.
        max_shard_size: Not supported: one file holds everything.

    Raises:
        ValueError: Another ending, or a model that is not built.
        FileExistsError: The file exists, and there was nobody to ask.
        OSError: It can't be written; the message names it.

    Source: https://keras.io/api/models/model_saving_apis/weights_saving_and_loading/
    """
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    if max_shard_size is not None:
        raise NotImplementedError(
            f"save_weights: max_shard_size={max_shard_size}: weights go into one file here. Leave "
            "the argument out."
        )
    name = os.fspath(filepath)
    if not name.endswith((".h5", ".hdf5")):
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={filepath}")
    path = Path(name)
    if not (overwrite or may_overwrite(path)):
        return
    if not getattr(model, "built", True):
        raise ValueError(
            "You are saving a model that has not yet been built. Try building the model first by "
            f"calling it on some data or by using `build()`. Model: {model.name!r}"
        )
    if not name.endswith(".weights.h5"):
        save_legacy_weights(model, path)
        return
    with atomic_path(path) as temporary, open_to_write(temporary) as file:
        write_parts(model, file)


def may_overwrite(path: Path) -> bool:
    """Whether the file does not exist or the user at the terminal lets it be replaced.

    Raises:
        FileExistsError: There is nobody to ask.
    """
    if not path.exists():
        return True
    try:
        answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]")
    except EOFError:
        raise FileExistsError(
            f"{path} already exists. Pass overwrite=True to replace it."
        ) from None
    return answer.strip().lower() in ("y", "yes")


def write_parts(model: Any, file: Any) -> None:
    """Write every part's variables into an open HDF5 file."""
    for place, part in saveable_parts(model):
        group = file.create_group(f"{place}/vars" if place else "vars")
        if getattr(part, "name", None) is not None:
            group.attrs["name"] = part.name
        part.save_own_variables(Writer(group))


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read a file that `save_weights` or Keras wrote.

    Args:
        model: A built model of the same structure.
        filepath: Ends in `.weights.h5`; or in `.h5` or `.hdf5`, for files of Keras 2.
        skip_mismatch: Warn about parts that do not fit instead of raising.
        **kwargs: `by_name=True` for older files: fill the layers of the same name only.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or does not fit; no variable has changed then.
    """
    name = os.fspath(filepath)
    if not name.endswith((".h5", ".hdf5")):
        raise ValueError(
            f"File format not supported: filepath={filepath}. Weights are read from `.weights.h5` "
            "files, and from the older `.h5` and `.hdf5`."
        )
    path, older = Path(name), not name.endswith(".weights.h5")
    by_name = kwargs.pop("by_name", False)
    if kwargs or (by_name and not older):
        raise ValueError(
            f"Invalid keyword arguments for `{name}`: {kwargs or 'by_name=True'}. Layers of a "
            "`.weights.h5` file are found by their place in the model; by_name is for older `.h5` "
            "files."
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
    with opened(path) as file:
        read_parts(model, file, path, skip_mismatch)


def read_parts(model: Any, file: Any, path: Path, skip_mismatch: bool = False) -> None:
    """Read every part's variables from an open HDF5 file; nothing changes if one does not fit.

    Raises:
        ValueError: A part does not fit, unless `skip_mismatch` is set.
    """
    optimizer = getattr(model, "optimizer", None)
    held = list(getattr(model, "variables", ()))
    held += list(optimizer.variables) if optimizer is not None else []
    before = [(v, v.value) for v in {id(v): v for v in held}.values()]
    old = _OLD_LAYERS in file
    failed: list[tuple[Any, str]] = []
    try:
        for place, part in saveable_parts(model):
            where = f"{place}/vars" if place else "vars"
            if old:
                where = "/".join(_OLD_LAYERS if s == "layers" else s for s in where.split("/"))
            reader = Reader(path, file, where)
            try:
                _read_part(part, reader)
            except (ValueError, KeyError) as error:
                failed.append((part, f"{where}: {error.args[0]}"))
        if failed and not skip_mismatch:
            raise ValueError(_report(path, failed))
    except BaseException:
        for variable, value in before:
            variable.assign(value)
        raise
    if failed:
        warnings.warn(_report(path, failed), stacklevel=4)


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
    for i, variable in enumerate(variables):
        name = str(i)
        if name in reader and reader[name].shape != tuple(variable.shape):
            raise ValueError(
                f"optimizer {optimizer.name!r}: variable {variable.path!r} has shape "
                f"{tuple(variable.shape)}; the file has shape {reader[name].shape}."
            )
    return True
