"""Settings: default dtype, epsilon, image layout. Read once from `~/.keras/keras.json` as Keras does."""

from __future__ import annotations

import json
import os
from typing import Any

import kerasish_core as core

__all__ = [
    "backend", "epsilon", "floatx", "image_data_format", "is_interactive_logging_enabled",
    "disable_interactive_logging", "enable_interactive_logging", "keras_home", "set_epsilon",
    "set_floatx", "set_image_data_format",
]  # fmt: skip

_settings: dict[str, Any] = {"epsilon": 1e-7, "image_data_format": "channels_last"}
_interactive = True


def keras_home() -> str:
    """The folder of Keras's caches and settings: `KERAS_HOME`, else `~/.keras`."""
    return os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")


def _read_settings() -> None:
    try:
        with open(os.path.join(keras_home(), "keras.json"), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return
    if found.get("floatx") in ("float16", "float32", "float64", "bfloat16"):
        core.dtypes.set_default_float(found["floatx"])
    if isinstance(found.get("epsilon"), float):
        _settings["epsilon"] = found["epsilon"]
    if found.get("image_data_format") in ("channels_last", "channels_first"):
        _settings["image_data_format"] = found["image_data_format"]


def floatx() -> str:
    """The default floating dtype, "float32" unless set."""
    return core.dtypes.default_float()


def set_floatx(value: str) -> None:
    """Set `floatx`.

    Raises:
        ValueError: It is no floating dtype.
    """
    accepted = ("bfloat16", "float16", "float32", "float64")
    if value not in accepted:
        raise ValueError(f"Unknown `floatx` value: {value!r}. Expected one of {accepted}.")
    core.dtypes.set_default_float(str(value))


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless set."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set `epsilon`."""
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """The default place of channels: "channels_last" or "channels_first"."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set `image_data_format`."""
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """A layout's name in lower case, or the default for None.

    Raises:
        ValueError: It is no layout.
    """
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in ("channels_last", "channels_first"):
        raise ValueError(
            "The `data_format` argument must be 'channels_first' or 'channels_last'. "
            f"Received: {data_format!r}."
        )
    return name


def backend() -> str:
    """The name of what runs underneath: "kerasish"."""
    return "kerasish"


def is_interactive_logging_enabled() -> bool:
    """Whether progress is printed to the terminal (True) or logged (False)."""
    return _interactive


def enable_interactive_logging() -> None:
    """Print progress to the terminal."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Do not print progress to the terminal."""
    global _interactive
    _interactive = False


_read_settings()
