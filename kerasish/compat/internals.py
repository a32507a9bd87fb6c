"""Functions of Keras's own files that programs import from below `keras.src`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import ops, random, saving
from ..ops.symbolic import any_symbolic
from ..saving.h5 import Reader, Writer
from ..scopes import current_stateless_scope

__all__ = [
    "DropoutRNNCell", "DynamicBackend", "H5IOStore", "any_symbolic_tensors", "confusion_matrix",
    "default", "draw_seed", "get_global_attribute", "get_keras_mask", "in_grain_data_pipeline",
    "in_stateless_scope", "is_default", "keras_export", "list_to_tuple", "load_model",
    "make_default_seed", "save_model", "set_global_attribute", "set_keras_mask", "to_list",
    "unchanged",
]  # fmt: skip

_attributes: dict[str, Any] = {}


def any_symbolic_tensors(args: Any = None, kwargs: Any = None) -> bool:
    """Whether a KerasTensor is among arguments."""
    return any_symbolic(args or (), kwargs or {})


def get_keras_mask(x: Any) -> Any:
    """The mask that a tensor carries, None if there is none."""
    return getattr(x, "mask", None)


def set_keras_mask(x: Any, mask: Any) -> None:
    """Let a tensor carry a mask."""
    x.mask = mask


def keras_export(path: Any) -> Callable[[Any], Any]:
    """A decorator that changes nothing: names are public here by where they are."""
    return unchanged


def unchanged(value: Any) -> Any:
    """What it is given: for decorators that have nothing to do here."""
    return value


def default(method: Any) -> Any:
    """Mark a method as one that a subclass need not have; see `is_default`."""
    method._is_default = True
    return method


def is_default(method: Any) -> bool:
    """Whether `default` marked a method."""
    return getattr(method, "_is_default", False)


def to_list(x: Any) -> list[Any]:
    """A list as it is, anything else as the only element of one."""
    return x if isinstance(x, list) else [x]


def list_to_tuple(maybe_list: Any) -> Any:
    """A list as a tuple, anything else as it is."""
    return tuple(maybe_list) if isinstance(maybe_list, list) else maybe_list


def get_global_attribute(name: str, default: Any = None, set_to_default: bool = False) -> Any:
    """A value that `set_global_attribute` keeps."""
    if set_to_default and default is not None:
        return _attributes.setdefault(name, default)
    return _attributes.get(name, default)


def set_global_attribute(name: str, value: Any) -> None:
    """Keep a value for the whole process, None for none."""
    _attributes[name] = value


def in_stateless_scope() -> bool:
    """Whether a `StatelessScope` is open."""
    return current_stateless_scope() is not None


def in_grain_data_pipeline() -> bool:
    """Whether Grain or a graph of TensorFlow's runs the program: neither ever does."""
    return False


def draw_seed(seed: Any) -> Any:
    """A state for one draw: that of a `SeedGenerator`, from an integer, or any."""
    if isinstance(seed, random.SeedGenerator):
        return seed.next()
    return ops.convert_to_tensor([make_default_seed() if seed is None else seed, 0], "uint32")


def make_default_seed() -> int:
    """A random integer, from NumPy's generator."""
    return int(np.random.randint(1, 1 << 30))  # noqa: NPY002


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: int, weights: Any = None, dtype: Any = "int32"
) -> Any:
    """How often each class (row) was taken for each (column).

    Args:
        labels, predictions: Classes, of equal shapes.
        num_classes: The number of rows and columns.
        weights: Of the samples, 1 by default.
        dtype: Of the result.
    """
    places = [ops.reshape(ops.cast(v, "int64"), (-1,)) for v in (labels, predictions)]
    found = ops.cast(1 if weights is None else ops.reshape(weights, (-1,)), dtype)
    return ops.scatter(
        ops.stack(places, 1), ops.broadcast_to(found, places[0].shape), (num_classes, num_classes)
    )


class DynamicBackend:
    """`keras.src.backend` under a name that could be changed: there is one backend here."""

    def set_backend(self, backend: str) -> None:
        """Does nothing."""

    def reset(self) -> None:
        """Does nothing."""

    @property
    def name(self) -> str:
        return str(self.backend())

    def __getattr__(self, name: str) -> Any:
        from .private import look_up

        return look_up("backend", name)


class DropoutRNNCell:
    """What a cell inherits for dropout masks that stay the same for all steps of a sequence.

    The cell has `dropout`, `recurrent_dropout`, `seed_generator` and `state_size`, and asks for the
    masks in `call`.
    """

    dropout: float
    recurrent_dropout: float
    seed_generator: Any
    state_size: Any
    _masks: tuple[Any, Any] = (None, None)

    def prepare_dropout(self, x: Any, training: Any) -> None:
        """Draw the masks before the first step; `x` is one step's input."""
        self._masks = (None, None)
        if training:
            first = self.state_size
            first = first[0] if isinstance(first, list | tuple) else first
            self.get_dropout_mask(x)
            self.get_recurrent_dropout_mask(ops.zeros((x.shape[0], int(first)), x.dtype))

    def get_dropout_mask(self, step_input: Any) -> Any:
        """Factors for the inputs, None without dropout."""
        if self._masks[0] is None and self.dropout > 0:
            self._masks = (self._mask(step_input, self.dropout), self._masks[1])
        return self._masks[0]

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """Factors for the state, None without dropout."""
        if self._masks[1] is None and self.recurrent_dropout > 0:
            self._masks = (self._masks[0], self._mask(step_input, self.recurrent_dropout))
        return self._masks[1]

    def _mask(self, like: Any, rate: float) -> Any:
        return random.dropout(ops.ones_like(like), rate, seed=self.seed_generator)

    def reset_dropout_mask(self) -> None:
        """Let the next mask of the inputs be a new one."""
        self._masks = (None, self._masks[1])

    def reset_recurrent_dropout_mask(self) -> None:
        """Let the next mask of the state be a new one."""
        self._masks = (self._masks[0], None)


def save_model(model: Any, filepath: Any, **kwargs: Any) -> None:
    """`keras.saving.save_model`, also into an open binary file."""
    if not hasattr(filepath, "write"):
        return saving.save_model(model, filepath, **kwargs)
    with tempfile.TemporaryDirectory(prefix="kerasish-") as folder:
        path = Path(folder) / "model.keras"
        saving.save_model(model, path, **kwargs)
        filepath.write(path.read_bytes())


def load_model(filepath: Any, *args: Any, **kwargs: Any) -> Any:
    """`keras.saving.load_model`, also from an open binary file."""
    if not hasattr(filepath, "read"):
        return saving.load_model(filepath, *args, **kwargs)
    with tempfile.TemporaryDirectory(prefix="kerasish-") as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(filepath.read())
        return saving.load_model(path, *args, **kwargs)


class H5IOStore:
    """Arrays of objects in an HDF5 file, each object's below a path of its own.

    Args:
        path_or_io: The file.
        archive: Not supported: files within archives.
        mode: "r" or "w".

    Raises:
        ValueError: Another mode, or an archive.
    """

    def __init__(self, path_or_io: Any, archive: Any = None, mode: str = "r") -> None:
        import h5py

        if archive is not None or mode not in ("r", "w"):
            raise ValueError(f"H5IOStore reads ('r') or writes ('w') a file; received mode={mode}.")
        self.path, self.mode = Path(path_or_io), mode
        self.h5_file = h5py.File(path_or_io, mode)

    def make(self, path: str | None, metadata: Any = None) -> Writer:
        """What takes the arrays of the object at a path."""
        group = self.h5_file.create_group(path) if path else self.h5_file
        for key, value in (metadata or {}).items():
            group.attrs[key] = value
        return Writer(group.create_group("vars"))

    def get(self, path: str | None) -> Reader:
        """What has the arrays of the object at a path."""
        return Reader(self.path, self.h5_file, f"{path}/vars" if path else "vars")

    def close(self) -> None:
        """Close the file."""
        self.h5_file.close()
