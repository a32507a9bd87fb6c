"""Which part of a model a group of a weights file belongs to.

Keras's layout: the path of attributes from the model down, `layers` first for models that have
it; members of a list are named after their class in snake case, numbered from the second on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..naming import to_snake_case

__all__ = ["saveable_parts"]

# Attributes of ours that are not part of Keras's layout.
_SKIPPED = {
    "history", "_graph", "_network", "_stack", "_functional_layers", "_inputs_struct",
    "_outputs_struct", "_compile_metrics", "_compile_loss", "_loss_tracker", "_compile_config",
    "_inbound_nodes", "_outbound_nodes", "_own_weights", "_init_arguments", "_signature", "_steps",
    "_losses", "loss", "metrics", "_given",
}  # fmt: skip


def _is_saveable(x: Any) -> bool:
    return hasattr(x, "save_own_variables") and not isinstance(x, type)


def _is_seed(x: Any) -> bool:
    return hasattr(x, "state") and hasattr(x, "next") and type(x).__name__ == "SeedGenerator"


def _children(part: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(part, "_functional_layers") or hasattr(part, "_stack"):
        yield "layers", list(part.layers)
    for name in sorted(vars(part)):
        if name not in _SKIPPED:
            yield name, vars(part)[name]


def saveable_parts(root: Any) -> Iterator[tuple[str, Any]]:
    """Each part with variables of its own (or that could have) with its path, once."""
    seen: set[int] = set()

    def visit(path: str, part: Any) -> Iterator[tuple[str, Any]]:
        if id(part) in seen:
            return
        seen.add(id(part))
        yield path, part
        if _is_seed(part):
            return
        for name, child in _children(part):
            inner = f"{path}/{name}" if path else name
            if _is_saveable(child) or _is_seed(child):
                yield from visit(inner, child)
            elif isinstance(child, list | tuple | set | dict):
                yield from members(inner, child)

    def members(path: str, container: Any) -> Iterator[tuple[str, Any]]:
        used: dict[str, int] = {}
        for child in container.values() if isinstance(container, dict) else container:
            if not (_is_saveable(child) or _is_seed(child)):
                continue
            name = to_snake_case(type(child).__name__)
            count = used.get(name)
            used[name] = 0 if count is None else count + 1
            if count is not None:
                name = f"{name}_{count + 1}"
            yield from visit(f"{path}/{name}", child)

    yield from visit("", root)
