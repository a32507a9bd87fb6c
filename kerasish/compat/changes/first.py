"""Changes of the arguments of Keras 1 that are no renaming."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import activations, older
from ...saving.keras2 import hard_sigmoid_of_keras_2
from ..warning import warn_once

__all__ = [
    "epochs_of_then", "gru_defaults", "joined_kernel", "order", "order_of_conv1d",
    "order_of_conv2d", "order_of_normalization", "padding_by_name", "pool_of_two",
    "recurrent_defaults",
]  # fmt: skip

Order = Callable[[tuple[Any, ...]], str]


def order(names: str, first: str = "output_dim") -> Order:
    """These names, unless the second argument is an activation, as it is today."""

    def named(args: tuple[Any, ...]) -> str:
        modern = len(args) > 1 and _is_activation(args[1])
        return "" if modern else f"{first} {names}"

    return named


def _is_activation(value: Any) -> bool:
    return isinstance(value, str) and hasattr(activations, value)


def order_of_conv1d(names: str) -> Order:
    """`Convolution1D(64, 3, "uniform")`; today's third argument is a number."""

    def named(args: tuple[Any, ...]) -> str:
        modern = len(args) > 2 and not isinstance(args[2], str) and not callable(args[2])
        return "" if modern else f"nb_filter filter_length {names}"

    return named


def order_of_conv2d(names: str) -> Order:
    """`Convolution2D(64, 3, 3)`; today's second argument is the whole kernel's size."""

    def named(args: tuple[Any, ...]) -> str:
        modern = len(args) < 3 or any(isinstance(arg, list | tuple) for arg in args[1:3])
        return "" if modern else f"nb_filter {names}"

    return named


def order_of_normalization(args: tuple[Any, ...]) -> str:
    """The epsilon came first, now the axis."""
    small = bool(args) and isinstance(args[0], float)
    return "epsilon mode axis momentum weights beta_init gamma_init" if small else ""


def joined_kernel(*names: str) -> Callable[[dict[str, Any]], None]:
    """Sides of a kernel, each an argument of its own, as `kernel_size`."""

    def change(arguments: dict[str, Any]) -> None:
        if names[0] in arguments:
            shown = ", ".join(f"{name}=..." for name in names)
            warn_once(f"Convolutions with {shown}", "kernel_size=(...)")
            arguments["kernel_size"] = tuple(arguments.pop(name) for name in names)

    return change


def recurrent_defaults(arguments: dict[str, Any]) -> None:
    """What layers over time did by default: the hard sigmoid, of then."""
    if older.state.generation == 1:
        arguments.setdefault("recurrent_activation", hard_sigmoid_of_keras_2)


def gru_defaults(arguments: dict[str, Any]) -> None:
    """`recurrent_defaults`, and the reset before the product."""
    recurrent_defaults(arguments)
    if older.state.generation == 1:
        arguments.setdefault("reset_after", False)


def padding_by_name(arguments: dict[str, Any]) -> None:
    """`ZeroPadding2D(padding={"top_pad": 1, ...})`."""
    padding = arguments.get("padding")
    if not isinstance(padding, dict):
        return
    if "left_pad" in padding or "top_pad" in padding or "bottom_pad" in padding:
        get = padding.get
        if set(padding) <= {"left_pad", "right_pad"}:
            arguments["padding"] = (get("left_pad", 0), get("right_pad", 0))
            return
        arguments["padding"] = (
            (get("top_pad", 0), get("bottom_pad", 0)), (get("left_pad", 0), get("right_pad", 0)),
        )  # fmt: skip


def pool_of_two(arguments: dict[str, Any]) -> None:
    """Pools of 2 were the default."""
    arguments.setdefault("pool_size", 2)


def epochs_of_then(arguments: dict[str, Any]) -> None:
    """10 epochs were the default."""
    if older.state.generation == 1:
        arguments.setdefault("epochs", 10)
