"""Look into a file of weights, change what is in it, and save it again."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .h5 import Reader, Writer, atomic_path, open_to_write, opened
from .tree import saveable_parts
from .weights import WEIGHTS_MEMBER, opened_member
from .zips import unzipped

__all__ = ["KerasFileEditor"]

_CONFIG, _METADATA = "config.json", "metadata.json"


class KerasFileEditor:
    """The weights of a `.weights.h5` or `.keras` file as nested dictionaries, to be changed.

    An object is known by its path (`"layers/dense_1"`), or by its name alone if no other object
    has the same. Keras 3.15's editor leaves out layers whose weights all belong to parts of them
    (LSTM), finds names twice and counts mismatches twice; this one does not.

    Args:
        filepath: The file.

    Attributes:
        weights_dict: Name to array, or to a dictionary of the same kind.
        object_metadata: Path to what else the file says of an object: its name.
        config: The model's config, if the file has one.
        metadata: Keras's version and the date, if the file has them.

    Raises:
        ValueError: Another ending, or a damaged file.

    Source: https://keras.io/api/saving/keras_file_editor/
    """

    def __init__(self, filepath: Any) -> None:
        self.filepath = os.fspath(filepath)
        self.metadata: Any = None
        self.config: Any = None
        self.model: Any = None
        self.object_metadata: dict[str, dict[str, Any]] = {}
        path = Path(self.filepath)
        if self.filepath.endswith(".keras"):
            with unzipped(path, (_CONFIG, _METADATA, WEIGHTS_MEMBER)) as folder:
                self.config = _json(path, folder / _CONFIG)
                self.metadata = _json(path, folder / _METADATA)
                with opened_member(path, folder) as file:
                    self.weights_dict = self._read(path, file, "")
        elif self.filepath.endswith(".weights.h5"):
            with opened(path) as file:
                self.weights_dict = self._read(path, file, "")
        else:
            raise ValueError(
                "Invalid filename: expected a `.keras` `.weights.h5` extension. Received: "
                f"filepath={self.filepath}"
            )
        print(f"Keras model file '{self.filepath}'")
        if self.metadata is not None:
            version, date = (self.metadata.get(k) for k in ("keras_version", "date_saved"))
            print(f"Saved with Keras {version} - date: {date}")

    def _read(self, path: Path, group: Any, place: str) -> dict[str, Any]:
        """The arrays of an object and of the objects in it."""
        found: dict[str, Any] = {}
        children = group if group.name == "/" else Reader(path, group.file, group.name[1:]).group
        for name in children:
            inner = f"{place}/{name}"
            reader = Reader(path, children.file, inner[1:])
            if name == "vars":
                found |= {key: stored.numpy() for key, stored in reader.items()}
                if "name" in reader.group.attrs:
                    self.object_metadata[place] = {"name": str(reader.group.attrs["name"])}
                continue
            below = self._read(path, reader.group, inner)
            if below:
                found[name] = below
        return found

    # -- looking
    def summary(self) -> None:
        """Print the objects and their weights."""
        print("Weights structure")
        _print_tree(self.weights_dict, "", self.object_metadata, "  ")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print how the file differs from what a model would write.

        Args:
            reference_model: A built model.

        Returns:
            "status" ("success" or "error"), "error_count" and "match_count".
        """
        print("Running comparison")
        expected = _weights_of(reference_model)
        names = "saved file", "reference model"
        differing, matching = _compare(self.weights_dict, expected, "", names)
        for text in differing:
            print(text)
        print("─" * 21)
        if differing:
            print(
                f"Found {_counted(len(differing), 'error')}: saved file is not compatible with the "
                "reference model"
            )
        else:
            print("Comparison successful: saved file is compatible with the reference model")
            print(f"    Found {_counted(matching, 'matching weight')}")
        return {
            "status": "error" if differing else "success",
            "error_count": len(differing), "match_count": matching,
        }  # fmt: skip

    # -- changing
    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name.

        Args:
            object_name: Its path or name.
            new_name: The last part of its new path.

        Raises:
            ValueError: There is no such object or there are several, or the name has a "/".
        """
        if "/" in new_name:
            raise ValueError(
                "Argument `target_name` should be a leaf name, not a full path name. Received: "
                f"target_name='{new_name}'"
            )
        parent, name, place = self._find(object_name)
        if new_name in parent:
            raise ValueError(f"There is an object '{new_name}' beside '{object_name}' already.")
        renamed = {(new_name if key == name else key): value for key, value in parent.items()}
        parent.clear()
        parent.update(renamed)
        old, new = f"{place}/{name}", f"{place}/{new_name}"
        self.object_metadata = {
            (new + key[len(old) :] if key == old or key.startswith(f"{old}/") else key): value
            for key, value in self.object_metadata.items()
        }

    def delete_object(self, object_name: str) -> None:
        """Remove an object, known by its path or name, with all that is in it.

        Raises:
            ValueError: There is no such object, or there are several.
        """
        parent, name, _ = self._find(object_name)
        del parent[name]

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Add an object.

        Args:
            object_path: Its path; all but its last part exists.
            weights: Name ("0", "1" …) to array.

        Raises:
            ValueError: `weights` is no dictionary, or the path does not exist.
        """
        _check_weights(weights)
        *outer, name = object_path.split("/")
        inside = self.weights_dict
        for part in outer:
            if not isinstance(inside.get(part), dict):
                raise ValueError(f"Path '{'/'.join(outer)}' not found in model.")
            inside = inside[part]
        inside[name] = dict(weights)

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Add weights (name to array) to an object, or replace those of the same name.

        Raises:
            ValueError: `weights` is no dictionary, or the object is not found.
        """
        _check_weights(weights)
        parent, name, _ = self._find(object_name)
        parent[name].update(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight of an object.

        Raises:
            ValueError: The object or the weight is not found.
        """
        parent, name, _ = self._find(object_name)
        if weight_name not in parent[name]:
            raise ValueError(
                f"Weight {weight_name} not found in object {object_name}. Weights found: "
                f"{list(parent[name])}"
            )
        del parent[name][weight_name]

    def _find(self, name: str) -> tuple[dict[str, Any], str, str]:
        """The dictionary that holds an object, the object's key in it, and its path."""
        if "/" in name:
            *outer, last = name.split("/")
            inside, place = self.weights_dict, ""
            for part in outer:
                inside = inside.get(part, {})
                place = f"{place}/{part}"
                if not isinstance(inside, dict):
                    inside = {}
            if not isinstance(inside.get(last), dict):
                raise ValueError(f"Path '{name}' not found in model.")
            return inside, last, place
        found = [(d, p) for d, p in _dictionaries(self.weights_dict, "") if _is_object(d, name)]
        if len(found) > 1:
            raise ValueError(
                f"Name '{name}' occurs more than once in the model; try passing a complete path"
            )
        if not found:
            raise ValueError(
                f"Source name '{name}' does not appear in the model. Use `editor.summary()` to "
                "list all objects."
            )
        return found[0][0], name, found[0][1]

    # -- saving
    def save(self, filepath: Any) -> None:
        """Write the weights to a `.weights.h5` file, replacing an old one in one step.

        Raises:
            ValueError: Another ending.
        """
        name = os.fspath(filepath)
        if not name.endswith(".weights.h5"):
            raise ValueError(
                "Invalid `filepath` argument: expected a `.weights.h5` extension. Received: "
                f"filepath={name}"
            )
        with atomic_path(Path(name)) as temporary, open_to_write(temporary) as file:
            for inside, place in _dictionaries(self.weights_dict, ""):
                arrays = {k: v for k, v in inside.items() if not isinstance(v, dict)}
                if arrays:
                    group = file.create_group(f"{place}/vars")
                    for key, value in self.object_metadata.get(place, {}).items():
                        group.attrs[key] = value
                    writer = Writer(group)
                    for key, value in arrays.items():
                        writer[key] = value

    def resave_weights(self, filepath: Any) -> None:
        """The same as `save`."""
        self.save(filepath)


def _json(path: Path, member: Path) -> Any:
    try:
        return json.loads(member.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no readable {member.name}: {error}") from error


def _check_weights(weights: Any) -> None:
    if not isinstance(weights, dict):
        raise ValueError(
            "Argument `weights` should be a dict where keys are weight names (usually '0', '1', "
            f"etc.) and values are NumPy arrays. Received: type(weights)={type(weights)}"
        )


def _is_object(inside: dict[str, Any], name: str) -> bool:
    return isinstance(inside.get(name), dict)


def _dictionaries(inside: dict[str, Any], place: str) -> Iterator[tuple[dict[str, Any], str]]:
    """A dictionary and all in it, with their paths."""
    yield inside, place
    for name, value in inside.items():
        if isinstance(value, dict):
            yield from _dictionaries(value, f"{place}/{name}")


def _weights_of(model: Any) -> dict[str, Any]:
    """What a model would write, nested as a file's weights."""
    found: dict[str, Any] = {}
    for place, part in saveable_parts(model):
        store: dict[str, Any] = {}
        with contextlib.suppress(NotImplementedError):
            part.save_own_variables(store)
        if store:
            inside = found
            for name in place.split("/") if place else ():
                inside = inside.setdefault(name, {})
            inside.update(store)
    return found


def _compare(
    saved: Any, expected: Any, place: str, names: tuple[str, str]
) -> tuple[list[str], int]:
    """What differs, in words, and how many arrays agree."""
    differing, matching = [], 0
    for name, theirs in expected.items():
        if name not in saved:
            differing.append(_missing(f"{place}/{name}", theirs, names[1], names[0]))
        elif isinstance(theirs, dict) and isinstance(saved[name], dict):
            below, count = _compare(saved[name], theirs, f"{place}/{name}", names)
            differing, matching = differing + below, matching + count
        elif np.shape(saved[name]) != tuple(np.shape(theirs)):
            differing.append(
                f"...Weight shape mismatch for {place}/{name}\n"
                f"    In {names[1]}: shape={tuple(np.shape(theirs))}\n"
                f"    In {names[0]}: shape={np.shape(saved[name])}"
            )
        else:
            matching += 1
    for name in saved:
        if name not in expected:
            differing.append(_missing(f"{place}/{name}", saved[name], names[0], names[1]))
    return differing, matching


def _missing(place: str, value: Any, there: str, elsewhere: str) -> str:
    if not isinstance(value, dict):
        return f"...Weight {place} present in {there}, missing from {elsewhere}"
    return (
        f"...Object {place} present in {there}, missing from {elsewhere}\n"
        f"    In {there}, {place} contains the following keys: {list(value)}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _print_tree(inside: Any, place: str, metadata: Any, prefix: str) -> None:
    for i, (name, value) in enumerate(inside.items()):
        last = i == len(inside) - 1
        branch, inner = ("└─ " if last else "├─ "), f"{place}/{name}"
        if isinstance(value, dict):
            known = metadata.get(inner, {}).get("name")
            print(f"{prefix}{branch}{name}" + (f" ('{known}')" if known else ""))
            _print_tree(value, inner, metadata, prefix + ("    " if last else "│   "))
        else:
            print(f"{prefix}{branch}{name}: shape={value.shape}, dtype={value.dtype}")
