"""`.keras` files: a zip archive (or folder) of a model's config, its weights and its assets."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..serialization import ObjectSharingScope, deserialize_keras_object, serialize_keras_object
from .h5 import KERAS_VERSION, atomic_path, opened
from .legacy_h5 import load_legacy_model, save_legacy_model
from .tree import saveable_parts
from .weights import may_overwrite, read_parts, write_parts

__all__ = ["load_model", "save_model"]

_CONFIG, _METADATA, _WEIGHTS, _ASSETS = "config.json", "metadata.json", "model.weights.h5", "assets"


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
    if kwargs.pop("save_format", None) not in (None, "h5" if legacy else "keras") or kwargs:
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
        _write_parts(model, parts)
        if folder:
            path.mkdir(parents=True, exist_ok=True)
            shutil.copytree(parts, path, dirs_exist_ok=True)
            return
        with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for file in sorted(parts.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(parts).as_posix())


def _write_parts(model: Any, folder: Path) -> None:
    import h5py

    with ObjectSharingScope():
        config = serialize_keras_object(model)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS_VERSION, "date_saved": now}
    (folder / _METADATA).write_text(json.dumps(metadata), encoding="utf-8")
    (folder / _CONFIG).write_text(json.dumps(config), encoding="utf-8")
    with h5py.File(folder / _WEIGHTS, "w") as file:
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
    if path.is_dir():
        return _load(path, path, custom_objects, compile, safe_mode)
    if not path.is_file():
        raise ValueError(
            f"File not found: filepath={name}. Please ensure the file is an accessible `.keras` "
            "zip file."
        )
    with _unzipped(path) as folder:
        return _load(path, folder, custom_objects, compile, safe_mode)


@contextlib.contextmanager
def _unzipped(path: Path) -> Iterator[Path]:
    """A temporary folder with the members of the archive that a model consists of.

    Raises:
        ValueError: It is no zip archive, or a damaged one.
    """
    with tempfile.TemporaryDirectory(prefix="kerasish-") as scratch:
        folder = Path(scratch)
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    top = member.filename.split("/")[0]
                    if top in (_CONFIG, _METADATA, _WEIGHTS, _ASSETS):
                        archive.extract(member, folder)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise ValueError(
                f"{path} is no readable `.keras` file: {error}. It may be cut off or damaged; "
                "save it again or use a backup."
            ) from error
        yield folder


def _load(path: Path, folder: Path, custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} holds no readable {_CONFIG}: {error}") from error
    if not compile:
        config.pop("compile_config", None)
    with ObjectSharingScope():
        model = deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
    weights = folder / _WEIGHTS
    if weights.is_file():
        with open(weights, "rb") as source, opened(path, source) as file:
            read_parts(model, file, path)
    for place, part in saveable_parts(model):
        inner = folder / _ASSETS / place
        if hasattr(part, "load_assets") and inner.is_dir():
            part.load_assets(str(inner))
    return model
