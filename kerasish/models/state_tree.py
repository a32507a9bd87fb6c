"""Values of variables in dictionaries nested by the variables' paths."""

from __future__ import annotations

import warnings
from typing import Any

__all__ = ["as_tree", "assign_tree"]


def as_tree(variables: list[Any], value_format: str) -> dict[str, Any]:
    """The values, nested by the parts of the paths.

    Args:
        variables: Variables.
        value_format: "backend_tensor" or "numpy_array".

    Raises:
        ValueError: Another format, or two variables of the same path.
    """
    if value_format not in ("backend_tensor", "numpy_array"):
        raise ValueError(
            "Invalid `value_format` argument. Expected one of {'numpy_array', 'backend_tensor'}. "
            f"Received: value_format={value_format}"
        )
    tree: dict[str, Any] = {}
    for variable in variables:
        *folders, name = variable.path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        if name in place:
            raise ValueError(
                f"The path {variable.path!r} belongs to two variables. Give their layers names "
                "that differ."
            )
        place[name] = variable.numpy() if value_format == "numpy_array" else variable.value
    return tree


def assign_tree(variables: list[Any], tree: dict[str, Any]) -> None:
    """Assign the values of a tree to the variables of those paths; warns of others."""
    by_path = {v.path: v for v in variables}
    found: list[tuple[Any, Any]] = []
    unknown: list[str] = []

    def visit(path: str, node: Any) -> None:
        if isinstance(node, dict):
            for name, part in node.items():
                visit(f"{path}/{name}" if path else name, part)
        elif path in by_path:
            found.append((by_path[path], node))
        else:
            unknown.append(path)

    visit("", tree)
    if unknown:
        warnings.warn(
            f"No variable has the path {unknown[0]!r}, nor have {len(unknown) - 1} others: they "
            f"are left out. Known are {sorted(by_path)}.",
            stacklevel=3,
        )
    for variable, value in found:
        variable.assign(value)
