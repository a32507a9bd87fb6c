"""Changes of the arguments of methods, optimizers and callbacks."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from ...older import MODERN, state
from ..optimizers import with_decay
from ..warning import warn_once
from .names_of_logs import as_logged

__all__ = [
    "every_nth_epoch", "falling_rate", "former_rate", "names_of_metrics", "order_of_adam",
    "order_of_rmsprop", "order_of_sgd", "quiet", "rate_of_base",
]  # fmt: skip


def falling_rate(arguments: dict[str, Any]) -> Callable[[Any], None] | None:
    """`decay=` of an optimizer, and None for its default epsilon."""
    if "epsilon" in arguments and arguments["epsilon"] is None:
        arguments.pop("epsilon")
    for key in ("clipnorm", "clipvalue"):  # 0 was none
        if arguments.get(key, 1) == 0:
            arguments.pop(key)
    decay = arguments.pop("decay", None)
    if not decay:
        return None
    warn_once("decay=... of an optimizer", "keras.optimizers.schedules.InverseTimeDecay")
    return lambda optimizer: with_decay(optimizer, float(decay))


def rate_of_base(arguments: dict[str, Any]) -> None:
    """The base of a program's own optimizer took no learning rate."""
    arguments.setdefault("learning_rate", 0.01)


def former_rate(rate: float) -> Callable[[dict[str, Any]], None]:
    """The default learning rate that Keras had until 2.3, and `tf.keras` never."""

    def change(arguments: dict[str, Any]) -> None:
        of_keras = state.generation == 1 or not {"tensorflow", "tf_keras"} & sys.modules.keys()
        if state.generation != MODERN and of_keras:
            arguments.setdefault("learning_rate", rate)

    return change


def quiet(arguments: dict[str, Any]) -> None:
    """`predict` printed nothing."""
    if state.generation != MODERN:
        arguments.setdefault("verbose", 0)


def order_of_sgd(args: tuple[Any, ...]) -> str:
    """Keras's own SGD had the decay third."""
    later = len(args) > 2 and not isinstance(args[2], bool)
    return "learning_rate momentum decay nesterov" if later else ""


def order_of_rmsprop(args: tuple[Any, ...]) -> str:
    """Keras's own RMSprop had the epsilon third, tf.keras's the momentum."""
    small = len(args) > 2 and (args[2] is None or 0 < args[2] < 1e-3)
    return "learning_rate rho epsilon decay" if small else ""


def order_of_adam(args: tuple[Any, ...]) -> str:
    """Keras's own Adam had the decay fifth."""
    later = len(args) > 4 and not isinstance(args[4], bool)
    return "learning_rate beta_1 beta_2 epsilon decay amsgrad" if later else ""


def names_of_metrics(arguments: dict[str, Any]) -> None:
    """Metrics under the names by which the program reads them in logs."""
    for key in ("metrics", "weighted_metrics"):
        if arguments.get(key) is not None:
            arguments[key] = as_logged(arguments[key])


def every_nth_epoch(arguments: dict[str, Any]) -> Callable[[Any], None] | None:
    """`ModelCheckpoint(period=n)`."""
    period = int(arguments.pop("period", 1))
    path = os.fspath(arguments.get("filepath", ".keras"))
    plain = ".weights.h5" if arguments.get("save_weights_only") else ".keras"
    if path.endswith((plain, ".keras")) and period == 1:
        return None
    if period > 1:
        warn_once("ModelCheckpoint(period=...)", "ModelCheckpoint(save_freq=...), in batches")
    if not path.endswith(plain):
        kind = "an HDF5 file" if path.endswith((".h5", ".hdf5")) else "another format"
        warn_once(f"ModelCheckpoint of {kind}", f"a filepath that ends in {plain}")
        arguments["filepath"] = f"file{plain}"

    def finish(callback: Any) -> None:
        callback.filepath = path
        if period > 1:
            every = callback.on_epoch_end
            callback.on_epoch_end = functools.partial(_nth, every, period, [0])

    return finish


def _nth(every: Callable[..., None], period: int, passed: list[int], epoch: int, logs: Any) -> None:
    passed[0] += 1
    if passed[0] >= period:
        passed[0] = 0
        every(epoch, logs)
