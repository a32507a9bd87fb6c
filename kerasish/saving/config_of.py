"""Models made from configs in files: what a file asks for is bounded by what it holds."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..serialization import ObjectSharingScope, deserialize_keras_object
from ..variable import limited_variables
from .keras2 import modern_config

__all__ = ["model_of_config", "reading_config", "stored_bytes"]

# Room for what is not in the weights: seeds, metrics, slots of an optimizer that was never used.
_SLACK = 64 << 20


def stored_bytes(file: Any) -> int:
    """What the arrays of an open HDF5 file say that they take, as far as it is plausible."""
    total = 0

    def visit(_: str, item: Any) -> None:
        nonlocal total
        if hasattr(item, "dtype"):
            size = math.prod(item.shape) * item.dtype.itemsize
            total += min(size, 1000 * item.id.get_storage_size() + 4096)

    file.visititems(visit)
    return total


@contextlib.contextmanager
def reading_config(path: Path, weights: int) -> Iterator[None]:
    """In the block, what a damaged config leads to is a clear error.

    Args:
        path: The file, for messages.
        weights: Bytes of the weights in the file: variables may not take much more.

    Raises:
        ValueError: Something failed that is neither a ValueError nor a TypeError.
    """
    try:
        # An optimizer has up to three slots a weight.
        with limited_variables(5 * weights + _SLACK):
            yield
    except (
        KeyError, IndexError, AttributeError, RecursionError, ArithmeticError, MemoryError,
        NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        raise ValueError(
            f"{path}: the model's config can't be read ({type(error).__name__}: {error}). It is "
            "damaged, or a class of yours fails on it."
        ) from error


def model_of_config(
    path: Path, config: Any, version: str, custom_objects: Any, safe_mode: bool, weights: int
) -> Any:
    """The model of a config that was read from a file.

    Args:
        path: The file, for messages.
        config: The config.
        version: Of the Keras that wrote it.
        custom_objects: Name to class or function.
        safe_mode: Whether to refuse code in it.
        weights: Bytes of the weights in the file: the model's may not take much more.

    Raises:
        ValueError: It is malformed, asks for more, or holds code in `safe_mode`.
        TypeError: It names an unknown class, or its arguments do not fit the class.
    """
    if not isinstance(config, dict):
        raise ValueError(f"{path}: the model's config is {type(config).__name__}, no dictionary.")
    with reading_config(path, weights), ObjectSharingScope():
        # Keras 3 leaves out modules in the older format only.
        if "module" not in config or not version.startswith("3"):
            config = modern_config(config, version)
        model = deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
    if not hasattr(model, "save_own_variables"):
        raise ValueError(f"{path}: the config is no model's, it makes {type(model).__name__}.")
    return model
