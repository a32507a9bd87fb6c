"""Configs of Keras 1 and 2 rewritten as Keras 3 writes them: data in, data out."""

from __future__ import annotations

from typing import Any

from ...serialization import get_registered_object
from .graph import modern_graph
from .names import KERAS_1_PENALTIES, MODULES, RENAMED_ARGUMENTS, RENAMED_CLASSES, ROOMS_BY_ENDING

__all__ = ["modern_config"]

_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
              "Bidirectional")  # fmt: skip
# Arguments that Keras 3's layers do not have, by class ("" is all), and the values that mean
# nothing: any other is refused. An empty tuple: no value means anything.
_DROPPED: dict[str, dict[str, tuple[Any, ...]]] = {
    "": {
        "time_major": (False,), "input_length": (), "fused": (), "virtual_batch_size": (None,),
        "adjustment": (None,), "consume_less": (), "input_dtype": (), "query_shape": (),
        "key_shape": (), "value_shape": (), "softmax_robust_masking": (False,),
    },
    "BatchNormalization": {"mode": (0,)},
    "LSTM": {"implementation": ()}, "LSTMCell": {"implementation": ()},
    "GRU": {"implementation": ()}, "GRUCell": {"implementation": ()},
    "SimpleRNN": {"implementation": ()},
    "DepthwiseConv1D": {"groups": (1,)}, "DepthwiseConv2D": {"groups": (1,)},
    "Conv1DTranspose": {"groups": (1,)}, "Conv2DTranspose": {"groups": (1,)},
    "Conv3DTranspose": {"groups": (1,)},
    "Embedding": {"_dropout": (0, 0.0, None)},
}  # fmt: skip
for _rank in (1, 2, 3):
    _DROPPED[f"SpatialDropout{_rank}D"] = {"noise_shape": (), "trainable": ()}
    _DROPPED[f"SeparableConv{_rank}D"] = {
        "groups": (1,), "kernel_initializer": (), "kernel_regularizer": (), "kernel_constraint": (),
    }  # fmt: skip


def modern_config(config: Any, version: str = "2") -> Any:
    """A config in Keras 3's form.

    Args:
        config: A config of an object, or a structure that holds such.
        version: Of the Keras that wrote it: "1...", "2..." or "3...".

    Raises:
        ValueError: It asks for something that Keras 3 does not have.
    """
    if isinstance(config, list | tuple):
        return [modern_config(c, version) for c in config]
    if not isinstance(config, dict):
        return config
    if not isinstance(config.get("class_name"), str) or "config" not in config:
        return {k: modern_config(v, version) for k, v in config.items()}
    if config["class_name"].startswith("__"):
        return config
    entry = dict(config)
    name = entry["class_name"] = _class_name(entry["class_name"])
    inner = entry["config"]
    if isinstance(inner, list):  # a Sequential of before 2.2
        inner = {"layers": inner}
    if not isinstance(inner, dict):
        return entry
    inner = {k: _of_argument(k, v, version) for k, v in inner.items()}
    if name in ("Functional", "Model", "Network"):
        entry["class_name"] = "Functional"
        graph = modern_graph(inner, _RECURRENT)
        ends = ("input_layers", "output_layers") if version.startswith("3") else ()
        inner = graph | {k: inner[k] for k in ends}
    if not version.startswith("3"):
        inner = _arguments(name, inner, version)
    entry["config"] = inner
    if name == "Sequential" and _begins_with_branches(inner):
        entry["module"], entry["class_name"] = "keras.legacy.layers", "Joined"
    if "module" not in entry and name in MODULES:
        entry["module"], entry["class_name"] = MODULES[name]
    return entry


def _begins_with_branches(config: dict[str, Any]) -> bool:
    """As a Sequential of Keras 1 may: with a Merge of models."""
    first = next(iter(config.get("layers") or ()), None)
    if not isinstance(first, dict) or first.get("class_name") != "Merge":
        return False
    return bool(first["config"].get("layers"))


def _class_name(name: str) -> str:
    if get_registered_object(name) is not None:
        return name
    # tf.keras registered its own classes under these packages.
    for package in ("Custom>", "Addons>", "keras>"):
        name = name.removeprefix(package)
    return RENAMED_CLASSES.get(name, name)


def _of_argument(key: str, value: Any, version: str) -> Any:
    if isinstance(value, dict) and value.get("name") in KERAS_1_PENALTIES:
        # Keras 1 wrote regularizers and constraints so: {"name": "MaxNorm", "m": 2, "axis": 0}.
        class_name, renamed = KERAS_1_PENALTIES[value["name"]]
        inner = {renamed.get(k, k): v for k, v in value.items() if k != "name"}
        value = {"class_name": class_name, "config": inner}
    value = modern_config(value, version)
    if isinstance(value, dict) and "class_name" in value and "module" not in value:
        for ending, module in ROOMS_BY_ENDING.items():
            if key.endswith(ending) and get_registered_object(value["class_name"]) is None:
                return {"module": module, "registered_name": None, **value}
    return value


def _arguments(name: str, config: dict[str, Any], version: str) -> dict[str, Any]:
    """The arguments of a Keras 2 object under the names that Keras 3 knows."""
    config = dict(config)
    shape = config.pop("batch_input_shape", None)
    if shape is not None and name == "InputLayer":
        config["batch_shape"] = shape
    elif shape is not None:
        config["batch_input_shape"] = shape
    # A class's own names go first: those that all have may mean something else there.
    for old, new in (*RENAMED_ARGUMENTS.get(name, {}).items(), *RENAMED_ARGUMENTS[""].items()):
        if old in config:
            config.setdefault(new, config.pop(old))
    _combine_keras_1(name, config)
    _check_dropped(name, config)
    axis = config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]
    if name in ("GRU", "GRUCell"):
        # Written since 2.1.3; what there was before is this form.
        config.setdefault("reset_after", False)
    for key in ("activation", "recurrent_activation"):
        # Keras 3's has another slope.
        if config.get(key) == "hard_sigmoid":
            config[key] = {
                "module": "builtins", "class_name": "function",
                "config": "kerasish>hard_sigmoid_of_keras_2", "registered_name": "function",
            }  # fmt: skip
    if name == "Lambda":
        config = _lambda(config)
    if name in ("CuDNNLSTM", "CuDNNGRU"):
        raise ValueError(
            f"Layer {config.get('name')!r} is a {name}: its weights have an order of their own. "
            "Load the file in Keras 2 into a model with LSTM or GRU layers and save that."
        )
    return config


def _check_dropped(name: str, config: dict[str, Any]) -> None:
    for key, harmless in {**_DROPPED[""], **_DROPPED.get(name, {})}.items():
        if key not in config:
            continue
        if harmless and config[key] not in harmless:
            raise ValueError(
                f"{name} {config.get('name')!r}: {key}={config[key]!r} is not supported; Keras 3 "
                f"has no such argument. Only {key}={harmless[0]!r} can be read."
            )
        del config[key]


def _combine_keras_1(name: str, config: dict[str, Any]) -> None:
    """Sizes that Keras 1 gave one by one."""
    for keys, new in (
        (("nb_row", "nb_col"), "kernel_size"),
        (("kernel_dim1", "kernel_dim2", "kernel_dim3"), "kernel_size"),
    ):
        if all(k in config for k in keys):
            config[new] = [config.pop(k) for k in keys]
    for key in ("data_format", "dim_ordering"):
        if config.get(key) in ("tf", "th", "default"):
            given = config.pop(key)
            config["data_format"] = {"tf": "channels_last", "th": "channels_first"}.get(given)
    if config.pop("bias", None) is False:
        config["use_bias"] = False


def _lambda(config: dict[str, Any]) -> dict[str, Any]:
    config = dict(config)
    for key in ("module", "function_type", "output_shape_type", "output_shape_module"):
        config.pop(key, None)
    for key in ("function", "output_shape", "mask"):
        value = config.get(key)
        if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
            parts = dict(zip(("code", "defaults", "closure"), value, strict=True))
            config[key] = {"class_name": "__lambda__", "config": parts}
        elif isinstance(value, str) and key == "function":
            config[key] = {"class_name": "function", "config": value, "registered_name": value}
    return config
