"""Changes of the arguments of layers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...older import MODERN, state
from ..warning import warn_once

__all__ = [
    "embedding_length", "initial_weights", "input_shape_of_sequences", "order_of_add_weight",
    "pool_of_two",
]  # fmt: skip


def initial_weights(arguments: dict[str, Any]) -> Callable[[Any], None] | None:
    """`weights=` of any layer: assigned once it is built."""
    size = arguments.pop("batch_size", None)
    for name in ("input_shape", "input_dim") if size is not None else ():
        if name in arguments:
            arguments["batch_input_shape"] = (size, *_listed(arguments.pop(name)))
    weights = arguments.pop("weights", None)
    if weights is None:
        return None
    warn_once("weights=... of a layer", "layer.set_weights(...) once it is built")
    return functools.partial(_set_when_built, weights)


def _set_when_built(weights: Any, layer: Any) -> None:
    object.__setattr__(layer, "build", functools.partial(_build_and_set, layer, weights))


def _build_and_set(layer: Any, weights: Any, *args: Any, **kwargs: Any) -> None:
    object.__delattr__(layer, "build")
    layer.build(*args, **kwargs)
    layer.set_weights(list(weights))


def _listed(shape: Any) -> tuple[Any, ...]:
    return tuple(shape) if isinstance(shape, list | tuple) else (shape,)


def input_shape_of_sequences(arguments: dict[str, Any]) -> None:
    """`input_dim` and `input_length` of a layer over time."""
    given = {"input_shape", "batch_input_shape"} & arguments.keys()
    if "input_dim" in arguments or "input_length" in arguments:
        size, length = arguments.pop("input_dim", None), arguments.pop("input_length", None)
        warn_once("input_dim=... and input_length=...", "keras.Input((input_length, input_dim))")
        if not given:
            arguments["input_shape"] = (length, size)


def embedding_length(arguments: dict[str, Any]) -> None:
    """`input_length`; without it any length, known where the layer is made."""
    if "input_length" in arguments:
        warn_once("Embedding(input_length=...)", "keras.Input((input_length,))")
    if state.generation == MODERN or {"input_shape", "batch_input_shape"} & arguments.keys():
        return
    length = arguments.get("input_length")
    arguments["input_shape"] = tuple(length) if isinstance(length, list | tuple) else (length,)


def order_of_add_weight(args: tuple[Any, ...]) -> str:
    """Keras 2's name came first, and the dtype before the initializer."""
    if args and (args[0] is None or isinstance(args[0], str)):
        return "name shape dtype initializer regularizer trainable constraint"
    return ""


def pool_of_two(arguments: dict[str, Any]) -> None:
    """Windows of 2, where average pooling is given none."""
    arguments.setdefault("pool_size", 2)
