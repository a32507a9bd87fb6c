"""What Keras 2's backend module keeps for the process: learning phase, sessions, names."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import kerasish_core as core

from .. import older, settings
from ..layers.call_context import current_context
from ..naming import on_clear, reset_uids

__all__ = [
    "LearningPhase", "control_dependencies", "eager", "get_session", "learning_phase",
    "manual_variable_initialization", "normalize_data_format", "reset_uids", "set_learning_phase",
    "set_session", "symbolic", "v1_variable_initialization",
]  # fmt: skip


class LearningPhase(int):
    """0 or 1. `K.function` knows it among its inputs, and takes the phase of each call there."""


def learning_phase() -> LearningPhase:
    """1 where the program trains, else 0.

    Inside a layer's call it is that call's `training`; elsewhere what `set_learning_phase` said,
    by default 0. Among the inputs of `K.function` it stands for the phase of each call.
    """
    context = current_context()
    training = None if context is None else context.training
    if training is None:
        training = settings.learning_phase()
    return LearningPhase(bool(training))


def set_learning_phase(value: Any) -> None:
    """Set what layers do where no call says whether it trains.

    Args:
        value: 0 or 1.

    Raises:
        ValueError: Another value.
    """
    if value not in (0, 1):
        raise ValueError(f"Expected learning phase to be 0 or 1. Received: {value}")
    settings.set_learning_phase(int(value))


on_clear.append(lambda: settings.set_learning_phase(None))


def get_session() -> Any:
    """A session of TensorFlow 1 as far as there is one: `run` gives values that are there."""
    return older.compat("tensorflow.sessions").get_default_session()


def set_session(session: Any) -> None:
    """Without effect: what a session configures (memory, threads) is not asked for here.

    Args:
        session: A `tf.Session`.
    """


def manual_variable_initialization(value: Any) -> None:
    """Without effect: variables have their values from the start.

    Args:
        value: Whether a session would not initialise variables by itself.
    """


def v1_variable_initialization() -> None:
    """Without effect: variables have their values from the start."""


@contextlib.contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """A block without effect: operations run (and are recorded) in the order of the program."""
    yield


def eager(func: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function to run at once, even while a compiled step is being traced."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with core.eager_scope():
            return func(*args, **kwargs)

    return wrapper


def symbolic(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: each operation sees by its arguments whether it is symbolic."""
    return func


def normalize_data_format(value: Any) -> str:
    """A checked data format; None means `image_data_format()`.

    Raises:
        ValueError: It is neither "channels_first" nor "channels_last".
    """
    return settings.standardize_data_format(value)
