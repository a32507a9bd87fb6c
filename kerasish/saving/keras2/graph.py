"""Functional models of Keras 1 and 2: calls rewritten in Keras 3's form.

Keras 2 wrote a call as a list of `[layer, call, place, kwargs]`, one for each tensor in the first
argument; tensors among the kwargs as `[layer, call, place]`, and values in place of tensors as
`["_CONSTANT_VALUE", -1, value]`.
"""

from __future__ import annotations

from typing import Any

from .functions import modern_function

__all__ = ["modern_graph"]

_CONSTANT = "_CONSTANT_VALUE"
_PARTS = ("layers", "input_layers", "output_layers")


class _Graph:
    def __init__(self, config: dict[str, Any], recurrent: tuple[str, ...]) -> None:
        self.entries = [dict(e) for e in config["layers"]]
        self.names = {_name(e) for e in self.entries}
        self.recurrent = recurrent
        found = [e.get("inbound_nodes", []) for e in self.entries]
        used = _references([*found, config["input_layers"], config["output_layers"]], self.names)
        # A model had a first call of its own, made when it was built: its calls count from 1.
        self.first = {
            _name(e): 1
            for e in self.entries
            if isinstance(e.get("config"), dict)
            and "layers" in e["config"]
            and max((i for n, i in used if n == _name(e)), default=0) >= len(e["inbound_nodes"])
        }

    def tensor(self, reference: Any) -> dict[str, Any]:
        name, call, place = reference[:3]
        history = [name, call - self.first.get(name, 0), place]
        return {"class_name": "__keras_tensor__", "config": {"keras_history": history}}

    def is_reference(self, x: Any) -> bool:
        return (
            isinstance(x, list | tuple)
            and len(x) in (3, 4)
            and isinstance(x[0], str)
            and (x[0] == _CONSTANT or (x[0] in self.names and isinstance(x[1], int)))
        )

    def value(self, x: Any) -> Any:
        """An argument, with tensors in Keras 3's form."""
        if self.is_reference(x):
            return x[2] if x[0] == _CONSTANT else self.tensor(x)
        if isinstance(x, list | tuple):
            return [self.value(v) for v in x]
        if isinstance(x, dict):
            return {k: self.value(v) for k, v in x.items()}
        return x

    def call(self, node: Any, kind: str) -> dict[str, Any]:
        if isinstance(node, dict) and {"args", "kwargs"} <= set(node):
            return node
        kwargs: dict[str, Any] = {}
        for reference in self._flat(node):
            if len(reference) == 4 and isinstance(reference[3], dict):
                kwargs = {**self.value(reference[3]), **kwargs}
        first = self.value(node)
        if isinstance(first, list) and len(first) == 1:
            first = first[0]
        if kind in self.recurrent and isinstance(first, list):
            # States used to come with the sequence in one list.
            first, *states = first
            kwargs.setdefault("initial_state", states)
        kwargs.pop("name", None)
        return {"args": [first], "kwargs": kwargs}

    def _flat(self, node: Any) -> list[Any]:
        if self.is_reference(node):
            return [node]
        parts = node.values() if isinstance(node, dict) else node
        return [r for p in parts if isinstance(p, list | tuple | dict) for r in self._flat(p)]

    def ends(self, references: Any) -> Any:
        """Inputs or outputs: lists of one used to mean the thing itself."""
        if isinstance(references, dict):
            return {k: self.ends(v) for k, v in references.items()}
        if self.is_reference(references):
            name, call, place = references[:3]
            return [name, call - self.first.get(name, 0), place]
        parts = [self.ends(r) for r in references]
        return parts[0] if len(parts) == 1 else parts


def modern_graph(config: dict[str, Any], recurrent: tuple[str, ...]) -> dict[str, Any]:
    """The config of a functional model with its calls in Keras 3's form.

    Args:
        config: `name`, `layers`, `input_layers`, `output_layers`.
        recurrent: Classes of layers that used to take states in a list with their input.

    Raises:
        ValueError: It is no such config.
    """
    if not all(isinstance(config.get(k), list | dict) for k in _PARTS):
        raise ValueError(
            f"The config of the functional model {config.get('name')!r} has no {', '.join(_PARTS)}."
        )
    graph = _Graph(config, recurrent)
    layers = []
    for entry in graph.entries:
        nodes = entry.get("inbound_nodes", [])
        entry["inbound_nodes"] = [graph.call(n, entry["class_name"]) for n in nodes]
        layers.append(modern_function(entry))
    return {
        **config,
        "layers": layers,
        "input_layers": graph.ends(config["input_layers"]),
        "output_layers": graph.ends(config["output_layers"]),
    }


def _name(entry: dict[str, Any]) -> str:
    return entry.get("name") or entry["config"]["name"]


def _references(structure: Any, names: set[str]) -> list[tuple[str, int]]:
    """The (layer, call) of all references in Keras 2's form."""
    if isinstance(structure, dict):
        return [r for v in structure.values() for r in _references(v, names)]
    if not isinstance(structure, list | tuple):
        return []
    found = [r for v in structure for r in _references(v, names)]
    first, *rest = structure or [None]
    if len(rest) in (2, 3) and isinstance(first, str) and first in names:
        found += [(first, rest[0])] if isinstance(rest[0], int) else []
    return found
