"""Process-wide settings behind `kerasish.config`: the lowest module, which imports only the core.

First values come from `$KERAS_HOME/keras.json` (or `~/.keras/keras.json`) where that file exists,
as in Keras; unlike Keras, no file is ever written.
"""

from __future__ import annotations

import os
from typing import Any

import kerasish_core as core

__all__ = [
    "backend",
    "bump_structure_version",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_tensor_float_32_execution",
    "enable_traceback_filtering",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "keras_home",
    "learning_phase",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_learning_phase",
    "set_max_epochs",
    "set_max_steps_per_epoch",
    "standardize_data_format",
    "structure_version",
    "tensor_float_32_execution_enabled",
]

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_DATA_FORMATS = ("channels_first", "channels_last")


class _Settings:
    epsilon = 1e-7
    image_data_format = "channels_last"
    interactive_logging = True
    traceback_filtering = True
    flash_attention: bool | None = None
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None
    learning_phase: int | None = None
    structure_version = 0


_SETTINGS = _Settings()


def keras_home() -> str:
    """The folder of Keras's files: `$KERAS_HOME`, or `~/.keras`. It need not exist."""
    named = os.environ.get("KERAS_HOME")
    return os.path.expanduser(named) if named else os.path.join(os.path.expanduser("~"), ".keras")


def backend() -> str:
    """The name of the engine underneath: always `"kerasish"`."""
    return "kerasish"


def set_backend(backend: str) -> None:
    """Accepts only `"kerasish"`: there is no other engine.

    Raises:
        ValueError: Another name.
    """
    if backend != "kerasish":
        raise ValueError(
            f"Cannot switch to the backend {backend!r}: kerasish has one engine of its own, "
            "named 'kerasish'. Run the program with the `keras` package to use another."
        )


def floatx() -> str:
    """The default float dtype: `"float32"` unless changed."""
    return core.dtypes.default_float()


def set_floatx(value: str) -> None:
    """Set the default float dtype.

    Args:
        value: `"bfloat16"`, `"float16"`, `"float32"` or `"float64"`.

    Raises:
        ValueError: Any other value.
    """
    if value not in _FLOATS:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {set(_FLOATS)}")
    core.dtypes.set_default_float(str(value))


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite: 1e-7 unless changed."""
    return _SETTINGS.epsilon


def set_epsilon(value: float) -> None:
    """Set `epsilon()`."""
    _SETTINGS.epsilon = value


def image_data_format() -> str:
    """The default order of image axes: `"channels_last"` unless changed."""
    return _SETTINGS.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the default order of image axes.

    Args:
        data_format: `"channels_last"` or `"channels_first"`, in any case.

    Raises:
        ValueError: Any other value.
    """
    _SETTINGS.image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """A checked data format; None means `image_data_format()`.

    Raises:
        ValueError: It is neither `"channels_last"` nor `"channels_first"`.
    """
    if data_format is None:
        return _SETTINGS.image_data_format
    name = str(data_format).lower()
    if name not in _DATA_FORMATS:
        raise ValueError(
            f"The `data_format` argument must be one of {set(_DATA_FORMATS)}. "
            f"Received: data_format={data_format}"
        )
    return name


# -- switches


def enable_interactive_logging() -> None:
    """Print progress to standard output (the default), instead of using `logging`."""
    _SETTINGS.interactive_logging = True


def disable_interactive_logging() -> None:
    """Send progress to the `logging` module, instead of printing it."""
    _SETTINGS.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is printed to standard output."""
    return _SETTINGS.interactive_logging


def enable_traceback_filtering() -> None:
    """Keep this package's own frames out of tracebacks (the default)."""
    _SETTINGS.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Show every frame in tracebacks."""
    _SETTINGS.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether this package's own frames are kept out of tracebacks."""
    return _SETTINGS.traceback_filtering


def enable_flash_attention() -> None:
    """Allow fused attention: the engine chooses, which None stands for."""
    _SETTINGS.flash_attention = None


def disable_flash_attention() -> None:
    """Compute attention by its plain formula."""
    _SETTINGS.flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """True or False as was asked for; None where nothing was."""
    return _SETTINGS.flash_attention


def enable_tensor_float_32_execution(enabled: bool) -> None:
    """Let GPUs round float32 operands of products and convolutions to TensorFloat-32, 10 bits.

    Off at first, so that float32 is float32; half types are not concerned. The name is that of
    `tf.config.experimental`.
    """
    core.config.set_tensor_float_32(enabled)
    bump_structure_version()


def tensor_float_32_execution_enabled() -> bool:
    """Whether GPUs may round operands of float32 products to TensorFloat-32."""
    return core.config.tensor_float_32()


def is_nnx_enabled() -> bool:
    """Whether variables are Flax's: never."""
    return False


# -- limits on training, for quick trials of a whole program


def max_epochs() -> int | None:
    """The most epochs that any `fit` runs, or None. Also `$KERAS_MAX_EPOCHS`."""
    return _SETTINGS.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of every `fit`; None lifts the limit."""
    _SETTINGS.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """The most steps that any epoch runs, or None. Also `$KERAS_MAX_STEPS_PER_EPOCH`."""
    return _SETTINGS.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of every epoch; None lifts the limit."""
    _SETTINGS.max_steps_per_epoch = max_steps_per_epoch


# -- what compiled steps depend on besides their arguments


def structure_version() -> int:
    """A number that rises when a variable's `trainable` or a layer's structure changes."""
    return _SETTINGS.structure_version


def bump_structure_version() -> None:
    """Say that something changed which compiled steps hold as a constant."""
    _SETTINGS.structure_version += 1


def learning_phase() -> int | None:
    """What layers do where no call says whether it trains: 1 trains, 0 and None do not."""
    return _SETTINGS.learning_phase


def set_learning_phase(value: int | None) -> None:
    """Set `learning_phase()`; None leaves it to each layer's default."""
    if value != _SETTINGS.learning_phase:
        _SETTINGS.learning_phase = value
        bump_structure_version()


# -- first values


def _read_file(path: str) -> dict[str, Any]:
    if not os.path.exists(path):
        return {}
    import json

    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _limit(name: str) -> int | None:
    text = os.environ.get(name)
    return int(text) if text else None


def load() -> None:
    """Take first values from Keras's file and from the environment."""
    found = _read_file(os.path.join(keras_home(), "keras.json"))
    set_floatx(found.get("floatx", floatx()))
    set_epsilon(found.get("epsilon", epsilon()))
    set_image_data_format(found.get("image_data_format", image_data_format()))
    set_max_epochs(_limit("KERAS_MAX_EPOCHS"))
    set_max_steps_per_epoch(_limit("KERAS_MAX_STEPS_PER_EPOCH"))


load()
