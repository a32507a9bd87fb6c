"""Short chains of elementwise ops that have one tile function instead of several.

A chain of cheap ops is bounded by what it reads from the first cache and writes to it. One function
for the whole chain keeps what is between in registers of the processor. Each op is still rounded by
itself (`setup.py` forbids contraction in `tiles_chain.cpp`), so that the bits are those of the
single functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..ir import Node
from ..op import REGISTRY

__all__ = ["CHAINS", "DTYPES", "expression", "leaves", "match"]

DTYPES = ("float32", "float64")
_WORD = re.compile(r"[A-Za-z_]\w*")
_COMMUTES = ("add", "multiply")

_PRODUCT = ("multiply", "a", "b")
# An op and its operands, each the name of an operand or another such tuple; the longest first.
# With them Adam's update takes three functions for twelve ops.
CHAINS: dict[str, Any] = {
    "chain_step": ("subtract", "e", ("true_divide", _PRODUCT, ("add", ("sqrt", "c"), "d"))),
    "chain_square_mean": ("add", ("multiply", ("subtract", ("square", "a"), "b"), "c"), "d"),
    "chain_mean": ("add", ("multiply", ("subtract", "a", "b"), "c"), "d"),
    "chain_quotient": ("subtract", "d", ("true_divide", _PRODUCT, "c")),
    "chain_root": ("true_divide", "a", ("add", ("sqrt", "b"), "c")),
    "chain_multiply_add": ("add", _PRODUCT, "c"),
    "chain_multiply_subtract": ("subtract", _PRODUCT, "c"),
    "chain_subtract_product": ("subtract", "c", _PRODUCT),
    "chain_difference": ("multiply", ("subtract", "a", "b"), "c"),
    "chain_products": ("multiply", _PRODUCT, "c"),
    "chain_sums": ("add", ("add", "a", "b"), "c"),
}  # fmt: skip


def expression(tree: Any) -> str:
    """The scalar expression of a chain, from those of its ops."""
    if isinstance(tree, str):
        return tree
    op = REGISTRY[tree[0]]
    given = dict(zip(op.inputs, tree[1:], strict=True))
    parts = {n: t if isinstance(t, str) else f"({expression(t)})" for n, t in given.items()}
    return _WORD.sub(lambda word: parts.get(word[0], word[0]), op.scalar or "")


def leaves(tree: Any) -> tuple[str, ...]:
    """The names of a chain's operands, sorted."""
    if isinstance(tree, str):
        return (tree,)
    return tuple(sorted({name for part in tree[1:] for name in leaves(part)}))


def match(tree: Any, node: Node, made: Mapping[int, Node]) -> dict[str, int] | None:
    """The operands of a chain that ends with a node, or None if it is another one.

    Args:
        tree: Of `CHAINS`.
        node: The last op.
        made: Values to the nodes that may be within, nothing else of which is needed.
    """
    if node.op.name != tree[0]:
        return None
    orders = [tree[1:]]
    if tree[0] in _COMMUTES and any(not isinstance(part, str) for part in tree[1:]):
        orders.append(tree[:0:-1])
    for order in orders:
        found: dict[str, int] = {}
        for part, value in zip(order, node.inputs, strict=True):
            if isinstance(part, str):
                found[part] = value
                continue
            inner = match(part, made[value], made) if value in made else None
            if inner is None:
                break
            found |= inner
        else:
            return found
    return None
