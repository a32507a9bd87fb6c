"""`.weights.h5` files, in Keras 3's layout."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .tree import saveable_parts

__all__ = ["load_weights", "save_weights"]


def _checked_path(filepath: Any) -> Path:
    path = Path(os.fspath(filepath))
    if not path.name.endswith(".weights.h5"):
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={filepath}")
    return path


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write all weights, seeds and optimizer slots of a model.

    The file is written beside and put in place in one step: an old one survives any failure.

    Args:
        model: A model or layer that is built.
        filepath: Ends in `.weights.h5`.
        overwrite: Whether an existing file may be replaced.

    Raises:
        FileExistsError: The file exists and may not be replaced.
        OSError: It can't be written; the message names it.
    """
    import h5py

    path = _checked_path(filepath)
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already. Pass overwrite=True to replace it.")
    if not getattr(model, "built", True):
        raise ValueError(
            f"You are saving the weights of model '{model.name}', which is not built yet: call it "
            "on data or model.build(input_shape) first."
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with h5py.File(temporary, "w") as file:
            for place, part in saveable_parts(model):
                group = file.create_group(f"{place}/vars" if place else "vars")
                for name, array in _own_variables(part).items():
                    _write(group, name, np.asarray(array))
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(f"Can't write {path}: {error}. An older file there is unchanged.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _own_variables(part: Any) -> dict[str, Any]:
    if hasattr(part, "save_own_variables"):
        store: dict[str, Any] = {}
        part.save_own_variables(store)
        return store
    return {"0": part.state.numpy()}


def _write(group: Any, name: str, array: Any) -> None:
    if array.dtype.name == "bfloat16":
        # HDF5 has no such type: the bits, with a note, as Keras does.
        dataset = group.create_dataset(name, data=array.view("uint16"))
        dataset.attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(name, data=array)


class _Store:
    """The datasets of one group, by name, read when asked for."""

    def __init__(self, path: Path, group: Any) -> None:
        self._path, self._group = path, group

    def keys(self) -> list[str]:
        return list(self._group.keys())

    def __len__(self) -> int:
        return len(self._group)

    def __contains__(self, name: str) -> bool:
        return name in self._group

    def __iter__(self) -> Iterator[str]:
        return iter(self._group.keys())

    def __getitem__(self, name: str) -> Any:
        import h5py

        link = self._group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{self._path}: {name!r} is a link to elsewhere, which is refused.")
        dataset = self._group[name]
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"{self._path}: {dataset.name} is no array.")
        if dataset.is_virtual or dataset.external or dataset.dtype.kind not in "biufcV":
            raise ValueError(
                f"{self._path}: {dataset.name} refers to other files or holds no numbers."
            )
        # Chunked data may claim any size: what is stored must make it plausible.
        stored = max(dataset.id.get_storage_size(), 1)
        if dataset.size * dataset.dtype.itemsize > 1000 * stored + 1024:
            raise ValueError(
                f"{self._path}: {dataset.name} claims shape {dataset.shape}, but the file holds "
                f"only {stored} bytes of it."
            )
        array = dataset[()]
        if dataset.attrs.get("dtype") == "bfloat16":
            import ml_dtypes

            array = np.asarray(array).view(ml_dtypes.bfloat16)
        return np.asarray(array)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> None:
    """Read a file that `save_weights` or Keras 3 wrote.

    Args:
        model: A built model of the same structure.
        filepath: Ends in `.weights.h5`.
        skip_mismatch: Warn about parts that do not fit instead of raising.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or does not fit; the model's weights are then unchanged.
    """
    import h5py

    path = _checked_path(filepath)
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file {path}.")
    before = [(v, v.value) for v in model.variables] if hasattr(model, "variables") else []
    optimizer = getattr(model, "optimizer", None)
    try:
        with h5py.File(path, "r") as file:
            if optimizer is not None and not optimizer.built and "optimizer/vars" in file:
                optimizer.build(model.trainable_variables)
            for place, part in saveable_parts(model):
                _load_part(path, file, place, part, skip_mismatch)
    except (OSError, RuntimeError, KeyError) as error:
        _restore(before)
        raise ValueError(
            f"{path} is no readable weights file: {error}. It may be cut off or damaged; save it "
            "again or use a backup."
        ) from error
    except ValueError:
        _restore(before)
        raise


def _restore(before: Any) -> None:
    for variable, value in before:
        variable.assign(value)


def _load_part(path: Path, file: Any, place: str, part: Any, skip_mismatch: bool) -> None:
    name = f"{place}/vars" if place else "vars"
    group = file[name] if name in file else None  # noqa: SIM401
    own = _own_variables(part)
    try:
        if group is None:
            if own and place.split("/")[0] != "optimizer" and not hasattr(part, "next"):
                raise ValueError(
                    f"{path} has no weights for {getattr(part, 'name', place)!r} (looked for "
                    f"{name}): it was saved from a model of another structure."
                )
            return
        store = _Store(path, group)
        if hasattr(part, "load_own_variables"):
            if own or len(store):
                part.load_own_variables(store)
        elif "0" in store:
            part.state.assign(store["0"])
    except ValueError as error:
        if not skip_mismatch:
            raise ValueError(f"{path}: {error}") from error
        warnings.warn(f"Skipped {name}: {error}", stacklevel=5)
