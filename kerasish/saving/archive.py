"""`.keras` files: a zip archive (or folder) of a model's config, its weights and its assets."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from ..serialization import ObjectSharingScope, serialize_keras_object
from .config_of import model_of_config, stored_bytes
from .h5 import KERAS_VERSION, atomic_path, open_to_write, synced
from .legacy_h5 import load_legacy_model, save_legacy_model
from .tree import saveable_parts
from .weights import (
    WEIGHTS_MEMBER,
    finder,
    may_overwrite,
    opened_member,
    read_parts,
    write_parts,
)  # fmt: skip
from .zips import unzipped

__all__ = ["load_model", "save_model"]

_CONFIG, _METADATA, _ASSETS = "config.json", "metadata.json", "assets"


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Write a model with its architecture, weights, compile arguments and optimizer state.

    Args:
        model: A model that is built, made of built-in or registered layers.
        filepath: Ends in `.keras`; or in `.h5` or `.hdf5`, for the format of Keras 2.
        overwrite: Whether an existing file may be replaced; if not, you are asked.
        zipped: False writes a folder instead of a zip archive.

    Raises:
        ValueError: Another ending.
        OSError: It can't be written; the message names it, and an old file is unchanged.

    Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    name = os.fspath(filepath)
    legacy = name.endswith((".h5", ".hdf5")) and zipped is not False
    if kwargs.get("save_format") in (None, "h5" if legacy else "keras"):
        kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(
            f"The following argument(s) are not supported with the native Keras format: {kwargs}"
        )
    if legacy:
        if overwrite or may_overwrite(Path(name)):
            save_legacy_model(model, Path(name), include_optimizer)
        return
    folder = zipped is False
    if not name.endswith(".keras") and not folder:
        raise ValueError(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for "
            f"the native Keras format (recommended). Received: filepath={name}."
        )
    path = Path(name)
    if not (overwrite or may_overwrite(path)):
        return
    with tempfile.TemporaryDirectory(prefix="kerasish-") as scratch:
        parts = Path(scratch)
        try:
            _write_parts(model, parts)
        except OSError as error:
            raise OSError(
                f"Can't write {path}: its parts do not fit into {scratch}: {error}. What was there "
                "is unchanged."
            ) from error
        if folder:
            _put_folder(parts, path)
            return
        with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for file in sorted(parts.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(parts).as_posix())


def _put_folder(parts: Path, path: Path) -> None:
    """Copy a folder beside `path`, then exchange them: two renamings, no half-written file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.part")
    old = path.with_name(f".{path.name}.{os.getpid()}.old")
    try:
        shutil.copytree(parts, fresh)
        for file in [f for f in fresh.rglob("*") if f.is_file()]:
            synced(file)
        if path.exists():
            os.replace(path, old)
        os.replace(fresh, path)
    except OSError as error:
        if old.exists() and not path.exists():
            os.replace(old, path)
        raise OSError(f"Can't write {path}: {error}. What was there is unchanged.") from error
    finally:
        for folder in (fresh, old):
            shutil.rmtree(folder, ignore_errors=True)


def _write_parts(model: Any, folder: Path) -> None:
    with ObjectSharingScope():
        config = serialize_keras_object(model)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS_VERSION, "date_saved": now}
    (folder / _METADATA).write_text(json.dumps(metadata), encoding="utf-8")
    (folder / _CONFIG).write_text(json.dumps(config), encoding="utf-8")
    with open_to_write(folder / WEIGHTS_MEMBER) as file:
        write_parts(model, file)
    for place, part in saveable_parts(model):
        if hasattr(part, "save_assets"):
            inner = folder / _ASSETS / place
            inner.mkdir(parents=True, exist_ok=True)
            part.save_assets(str(inner))


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model of a file of ours or Keras's.

    Args:
        filepath: A `.keras` file or folder, or a legacy `.h5` file of Keras 2 or 3.
        custom_objects: Name to class or function, for those that are not registered.
        compile: Whether to compile it as the saved one was.
        safe_mode: Whether to refuse code (lambdas) in the file.

    Raises:
        ValueError: No such file, a damaged one, or one with code in `safe_mode`.
        TypeError: An unknown class.

    Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
    """
    name = os.fspath(filepath)
    path = Path(name)
    if name.endswith((".h5", ".hdf5")) and not path.is_dir():
        if not path.is_file():
            raise ValueError(f"File not found: filepath={name}.")
        return load_legacy_model(path, custom_objects, compile, safe_mode)
    if (path / "saved_model.pb").is_file() and not (path / _CONFIG).is_file():
        raise ValueError(
            f"{path} is a SavedModel of TensorFlow, which holds a graph and is not read here. "
            "Load it with TensorFlow's Keras and save it to a file that ends in .keras or .h5."
        )
    if path.is_dir():
        return _load(path, path, custom_objects, compile, safe_mode)
    if not path.is_file():
        raise ValueError(
            f"File not found: filepath={name}. Please ensure the file is an accessible `.keras` "
            "zip file."
        )
    with unzipped(path, (_CONFIG, _METADATA, WEIGHTS_MEMBER, _ASSETS)) as folder:
        return _load(path, folder, custom_objects, compile, safe_mode)


def _version(folder: Path) -> str:
    """Of the Keras that wrote it: tf.keras wrote archives too, since 2.12."""
    try:
        metadata = json.loads((folder / _METADATA).read_text(encoding="utf-8"))
        return str(metadata["keras_version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return KERAS_VERSION


def _load(path: Path, folder: Path, custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no readable {_CONFIG}: {error}") from error
    if isinstance(config, dict):
        if not compile:
            config.pop("compile_config", None)
        arguments = config.get("compile_config")
        if isinstance(arguments, dict) and isinstance(arguments.get("jit_compile"), bool):
            # Keras writes what "auto" came to with its backend on its machine, not here.
            arguments["jit_compile"] = "auto"
    with contextlib.ExitStack() as stack:
        file = None
        if (folder / WEIGHTS_MEMBER).is_file():
            file = stack.enter_context(opened_member(path, folder))
        weights = stored_bytes(file) if file is not None else 0
        model = model_of_config(path, config, _version(folder), custom_objects, safe_mode, weights)
        if file is not None:
            read_parts(model, finder(path, file), path)
    for place, part in saveable_parts(model):
        inner = folder / _ASSETS / place
        if hasattr(part, "load_assets") and inner.is_dir():
            part.load_assets(str(inner))
    return model
