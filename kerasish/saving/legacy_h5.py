"""Legacy `.h5` files, those of Keras 2, tf.keras and `model.save("x.h5")` of Keras 3.

A file of weights has attributes `layer_names`, `backend`, `keras_version` and a group for each
layer, with an attribute `weight_names` that lists its arrays in order. A file of a whole model has
these in the group `model_weights`, the architecture as JSON in the attribute `model_config`, the
arguments of `compile` in `training_config`, and the optimizer's arrays in `optimizer_weights`.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..serialization import (
    get_registered_name,
    keras_entry,
    safe_mode_scope,
    serialize_keras_object,
)  # fmt: skip
from ..serialization.registry import maybe_scope
from .config_of import model_of_config, reading_config, stored_bytes
from .h5 import (
    KERAS_VERSION,
    Reader,
    StoredArray,
    atomic_path,
    open_to_write,
    opened,
    read_attribute,
)
from .keras2 import compile_arguments, slots_by_variable

__all__ = ["load_legacy_model", "load_legacy_weights", "save_legacy_model", "save_legacy_weights"]

_TOP = "top_level_model_weights"
# HDF5 takes no longer lists in one attribute: they are cut into pieces.
_ATTRIBUTE_BYTES = 64512


def _layers(model: Any) -> list[Any]:
    """Those that have groups; a model of Keras 1 that joins branches lists theirs."""
    return list(getattr(model, "flattened_layers", None) or model.layers)


# -- writing


def save_legacy_model(model: Any, path: Path, include_optimizer: bool = True) -> None:
    """Write architecture, weights, compile arguments and optimizer state in one step."""
    optimizer = getattr(model, "optimizer", None) if include_optimizer else None
    entry = serialize_keras_object(model)
    config: dict[str, Any] = {"class_name": type(model).__name__, "config": entry["config"]}
    if keras_entry(type(model)) is None:  # what Keras ignores and we read
        config |= {k: entry.get(k) for k in ("registered_name", "build_config")}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, open_to_write(temporary) as file:
        file.attrs["keras_version"] = KERAS_VERSION
        file.attrs["backend"] = "kerasish"
        file.attrs["model_config"] = json.dumps(config).encode()
        if optimizer is not None and getattr(model, "compiled", False):
            file.attrs["training_config"] = json.dumps(_training_config(model)).encode()
        _write_layers(file.create_group("model_weights"), model)
        if optimizer is not None and optimizer.variables:
            group = file.create_group("optimizer_weights")
            _write_arrays(group, [(v.path, v) for v in optimizer.variables])


def save_legacy_weights(model: Any, path: Path) -> None:
    """Write the weights of each layer in one step."""
    with atomic_path(path) as temporary, open_to_write(temporary) as file:
        _write_layers(file, model)


def _write_layers(group: Any, model: Any) -> None:
    layers = _layers(model)
    _write_names(group, "layer_names", [layer.name for layer in layers])
    group.attrs["backend"] = b"kerasish"
    group.attrs["keras_version"] = KERAS_VERSION.encode()
    for layer in sorted(layers, key=lambda x: x.name):
        _write_arrays(group.create_group(layer.name), [(v.path, v) for v in _ordered(layer)])
    _write_arrays(group.create_group(_TOP), [(v.path, v) for v in model._own_variables()])


def _write_arrays(group: Any, named: list[tuple[str, Any]]) -> None:
    names: list[str] = []
    for path, variable in named:
        name, n = path, 1
        while name in names:
            name, n = f"{path}_{n}", n + 1
        names.append(name)
        value = variable.numpy()
        if value.dtype.name == "bfloat16":
            value = value.astype("float32")  # the older format has no such type
        group.create_dataset(name, data=value)
    _write_names(group, "weight_names", names)


def _write_names(group: Any, key: str, names: list[str]) -> None:
    encoded = np.asarray([n.encode() for n in names])
    pieces = max(1, -(-encoded.nbytes // _ATTRIBUTE_BYTES))
    if pieces == 1:
        group.attrs[key] = [n.encode() for n in names]
        return
    for i, piece in enumerate(np.array_split(encoded, pieces + 1)):
        group.attrs[f"{key}{i}"] = piece


def _training_config(model: Any) -> dict[str, Any]:
    config = dict(model._compile_config)
    optimizer = config.pop("optimizer")
    return {
        **{k: _older(v) for k, v in config.items()},
        "optimizer_config": {
            "class_name": get_registered_name(type(optimizer)),
            "config": serialize_keras_object(optimizer.get_config()),
        },
    }


def _older(obj: Any) -> Any:
    """A loss or metric, or a structure of them, as the older format has it."""
    if isinstance(obj, dict):
        return {k: _older(v) for k, v in obj.items()}
    if isinstance(obj, list | tuple):
        return [_older(v) for v in obj]
    if hasattr(obj, "get_config"):
        config = serialize_keras_object(obj.get_config())
        return {"class_name": get_registered_name(type(obj)), "config": config}
    return get_registered_name(obj) if callable(obj) else obj


# -- reading


def load_legacy_model(path: Path, custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    """The model of a file.

    Raises:
        ValueError: It is damaged, holds weights only, does not fit, or holds code in `safe_mode`.
        TypeError: It names an unknown class.
    """
    with opened(path) as file, maybe_scope(custom_objects), safe_mode_scope(safe_mode):
        config = _json(path, file, "model_config")
        if not isinstance(config, dict):
            raise ValueError(
                f"No model config found in the file at {path}: it holds weights only. Make the "
                "model and call model.load_weights()."
            )
        version = str(read_attribute(path, file, "keras_version") or "1")
        weights = stored_bytes(file)
        model = model_of_config(path, config, version, None, safe_mode, weights)
        _read_layers(model, path, file, "model_weights/")
        if not compile:
            return model
        training = _json(path, file, "training_config")
        if training is None:
            return model
        outputs = getattr(model, "output_names", None) or ["y"]
        with reading_config(path, weights):
            model.compile(**compile_arguments(training, outputs))
            model.optimizer.build(model.trainable_variables)
        if "optimizer_weights" in file:
            _read_optimizer(model, path, file)
    return model


def load_legacy_weights(model: Any, path: Path, by_name: bool, skip_mismatch: bool) -> None:
    """Read weights from a file of weights or of a whole model.

    Args:
        model: A built model.
        path: The file.
        by_name: Fill layers of the same name, leave the others; else all layers in order.
        skip_mismatch: Warn about what does not fit instead of raising.

    Raises:
        ValueError: It is damaged or does not fit; nothing has changed then.
    """
    with opened(path) as file:
        place = "" if "layer_names" in file.attrs else "model_weights/"
        if place and "model_weights" not in file and "layer_names0" in file.attrs:
            place = ""
        _read_layers(model, path, file, place, by_name, skip_mismatch)


def _json(path: Path, file: Any, name: str) -> Any:
    text = read_attribute(path, file, name)
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path}: attribute {name} is no JSON: {error}") from error


def _ordered(layer: Any) -> list[Any]:
    return list(layer.trainable_weights) + list(layer.non_trainable_weights)


def _names(path: Path, group: Any, key: str) -> list[str]:
    found = read_attribute(path, group, key)
    pieces = [] if found is None else [found]
    while found is None and f"{key}{len(pieces)}" in group.attrs:
        pieces.append(read_attribute(path, group, f"{key}{len(pieces)}"))
    names = [n for piece in pieces for n in np.ravel(piece)]
    return [n.decode() if isinstance(n, bytes) else str(n) for n in names]


def _group(path: Path, file: Any, place: str) -> Any:
    reader = Reader(path, file, place.strip("/")) if place.strip("/") else None
    if reader is None:
        return file
    if not reader.exists:
        raise ValueError(f"{path} has no group {place.strip('/')!r}: it is no such file, or cut.")
    return reader.group


def _arrays(path: Path, file: Any, place: str) -> list[StoredArray]:
    """The arrays of a layer's group, in order."""
    found = []
    for name in _names(path, _group(path, file, place), "weight_names"):
        inner, _, last = f"{place}/{name}".rpartition("/")
        try:
            found.append(Reader(path, file, inner.strip("/"))[last])
        except KeyError as error:
            raise ValueError(f"{path}: {error.args[0]} Its list of weights names it.") from error
    return found


def _read_layers(
    model: Any, path: Path, file: Any, place: str, by_name: bool = False, skip: bool = False
) -> None:
    names = _names(path, _group(path, file, place), "layer_names")
    stored = {n: _arrays(path, file, f"{place}{n}") for n in names}
    stored = {n: arrays for n, arrays in stored.items() if arrays}
    own = [(layer, _ordered(layer)) for layer in _layers(model)]
    own = [(layer, weights) for layer, weights in own if weights]
    if by_name or {x.name for x, _ in own} == set(stored):
        pairs = [(x, weights, x.name) for x, weights in own if x.name in stored]
    elif len(own) == len(stored):
        pairs = [(x, weights, n) for (x, weights), n in zip(own, stored, strict=True)]
    else:
        raise ValueError(
            f"Layer count mismatch when loading weights from file {path}. Model expected "
            f"{len(own)} layers, found {len(stored)} saved layers. The model has "
            f"{[x.name for x, _ in own]}, the file {list(stored)}. With by_name=True only layers "
            "of the same name are read."
        )
    plan = [(f"layer {x.name!r}", weights, stored[n], n) for x, weights, n in pairs]
    if _TOP in _group(path, file, place):
        top = _arrays(path, file, f"{place}{_TOP}")
        plan.append((f"model {model.name!r} itself", model._own_variables(), top, _TOP))
    _assign(path, plan, skip)


def _assign(path: Path, plan: Any, skip: bool) -> None:
    """Check everything, then assign everything that fits."""
    fitting, problems = [], []
    for what, weights, arrays, name in plan:
        where = f"{what} (named {name!r} in the file {path})"
        if len(weights) != len(arrays):
            problems.append(
                f"Weight count mismatch for {where}: it expects {len(weights)} weight(s), the file "
                f"has {len(arrays)} saved weight(s)."
            )
            continue
        for variable, array in zip(weights, arrays, strict=True):
            if tuple(variable.shape) == array.shape:
                fitting.append((variable, array))
            else:
                problems.append(
                    f"Shape mismatch in {where} for weight {variable.path}: it expects shape "
                    f"{tuple(variable.shape)}, the file has shape {array.shape}."
                )
    if problems and not skip:
        raise ValueError(problems[0])
    if problems:
        warnings.warn("Loading weights, skipped: " + " ".join(problems), stacklevel=6)
    values = [(variable, array.numpy()) for variable, array in fitting]
    for variable, value in values:
        variable.assign(value)


# -- the optimizer


def _read_optimizer(model: Any, path: Path, file: Any) -> None:
    optimizer = model.optimizer
    names = _names(path, _group(path, file, "optimizer_weights"), "weight_names")
    arrays = _arrays(path, file, "optimizer_weights")
    if any(":" in n.rpartition("/")[2] for n in names):
        pairs, fits = _slots_of_keras_2(optimizer, model.trainable_variables, names, arrays)
    else:
        pairs, fits = list(zip(optimizer.variables, arrays, strict=False)), True
        fits = len(optimizer.variables) == len(arrays)
    fits = fits and all(tuple(v.shape) == a.shape for v, a in pairs)
    if not fits:
        warnings.warn(
            f"{path}: the saved state of the optimizer does not fit {optimizer.name!r}: it has "
            f"{len(optimizer.variables)} variables, the file {len(arrays)} arrays ({names[:4]} "
            "...). The optimizer starts afresh.",
            stacklevel=5,
        )
        return
    for variable, array in pairs:
        variable.assign(array.numpy())


def _slots_of_keras_2(
    optimizer: Any, trained: list[Any], names: list[str], arrays: list[Any]
) -> tuple[list[Any], bool]:
    counter, slots = slots_by_variable(names)
    own = {v.name: v for v in optimizer.variables}
    pairs = [] if counter is None else [(optimizer._iterations, arrays[counter])]
    for slot, places in slots.items():
        targets = [own.get(f"{v.path}_{slot}".replace("/", "_")) for v in trained]
        if slot == "velocity" and all(t is None for t in targets):  # what Adamax called "v" once
            targets = [own.get(f"{v.path}_norm".replace("/", "_")) for v in trained]
        if len(places) != len(targets) or any(t is None for t in targets):
            return [], False
        pairs += [(t, arrays[p]) for t, p in zip(targets, places, strict=True)]
    return pairs, True
