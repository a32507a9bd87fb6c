"""Batches after the layers that no program can hold."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

__all__ = ["Prepared"]


@core.tree.register_tree_node_class
class Prepared:
    """What a model's front made of its inputs: stands for them in steps (see `models/front.py`).

    Args:
        values: The tensors (or arrays) that the rest of the model starts with.
    """

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def tree_flatten(self) -> tuple[list[Any], None]:
        """The tensors."""
        return self.values, None

    @classmethod
    def tree_unflatten(cls, metadata: None, children: Any) -> Prepared:
        """One with these tensors."""
        return cls(list(children))
