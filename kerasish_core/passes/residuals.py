"""Loops backwards read what the loop forwards has computed.

The gradient of a scan computes each step again before it goes back through it. What took a
product is kept instead, stacked, as reverse mode does without loops. Values behind a `barrier`
(`remat`) are computed again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..ir import Graph, Node
from ..op import Spec
from .cse import key_of
from .dce import dce
from .rewriting import Rewriting

__all__ = ["MOST_BYTES", "is_cheap", "keep_results"]

# Stacks that a loop may get to spare work; larger ones cost more than they save.
MOST_BYTES = 1 << 28
_CHEAP = ("bitcast", "concatenate", "gather", "pad", "roll")


def is_cheap(node: Node) -> bool:
    """Whether computing it again costs about as much as reading it."""
    return node.op.kind in ("elementwise", "random", "reduce", "view") or node.op.name in _CHEAP


def keep_results(graph: Graph) -> Graph:
    """Stack in earlier scans what later ones of equally many steps would compute again."""
    if sum(node.op.name == "scan" for node in graph.nodes) < 2:
        return graph
    keeping = _Keeping(graph)
    for node in graph.nodes:
        keeping.nodes.append(keeping.spared(node) if node.op.name == "scan" else node)
    return keeping.made()


class _Match(NamedTuple):
    """What a loop computes that an earlier one has.

    Attributes:
        place: Of the earlier one's node.
        same: Values of the later body, and those of the earlier body that they equal.
        nodes: The later body's nodes that compute them.
    """

    place: int
    same: dict[int, int]
    nodes: list[Node]


class _Keeping(Rewriting):
    def spared(self, node: Node) -> Node:
        """The scan, reading what an earlier one keeps."""
        earlier = [i for i, n in enumerate(self.nodes) if n.op.name == "scan"]
        for place in earlier:
            match = self._match(place, node)
            if match is not None:
                node = self._read(node, match)
        return node

    def _match(self, place: int, node: Node) -> _Match | None:
        first = self.nodes[place]
        same = self._slices(first, node)
        if not same:
            return None
        mine, theirs = node.attrs["body"], first.attrs["body"]
        made = {key_of(n, n.inputs): n for n in theirs.nodes}
        constants = {_bits(a): v for v, a in theirs.constants.items()}
        for value, array in mine.constants.items():
            if _bits(array) in constants:
                same[value] = constants[_bits(array)]
        nodes = []
        for n in mine.nodes:
            if n.op.name == "barrier" or not all(v in same for v in n.inputs):
                continue
            found = made.get(key_of(n, tuple(same[v] for v in n.inputs)))
            if found is not None:
                same.update(zip(n.outputs, found.outputs, strict=True))
                nodes.append(n)
        return _Match(place, same, nodes) if not all(map(is_cheap, nodes)) else None

    def _slices(self, first: Node, node: Node) -> dict[int, int]:
        """Inputs of the later body that are values of the earlier one at the same step."""
        theirs, mine = first.attrs["body"], node.attrs["body"]
        carries, own = first.attrs["carries"], node.attrs["carries"]
        rows = carries + first.attrs["sequences"]
        over = dict(zip(first.inputs[carries:rows], theirs.inputs[carries:rows], strict=True))
        over.update(zip(first.outputs[carries:], theirs.outputs[carries:], strict=True))
        fixed = dict(zip(first.inputs[rows:], theirs.inputs[rows:], strict=True))
        last = own + node.attrs["sequences"]
        same = {}
        for i, (value, given) in enumerate(zip(mine.inputs, node.inputs, strict=True)):
            known = {} if i < own else over if i < last else fixed
            if given in known:
                same[value] = known[given]
        return same if any(v in same for v in mine.inputs[own:last]) else {}

    def _read(self, node: Node, match: _Match) -> Node:
        """The later scan with further slices, where the earlier one stacks them."""
        first, body = self.nodes[match.place], node.attrs["body"]
        theirs, carries = first.attrs["body"], first.attrs["carries"]
        stacks = dict(zip(theirs.outputs[carries:], first.outputs[carries:], strict=True))
        kept = self._kept(body, match)
        length = node.attrs["length"]
        size = sum(
            length * body.specs[v].nbytes for v in kept if match.same[v] not in stacks
        )  # fmt: skip
        if not kept or size > MOST_BYTES:
            return node
        added = []
        for value in kept:
            inner = match.same[value]
            if inner not in stacks:
                spec = theirs.specs[inner]
                stacks[inner] = self.fresh(Spec((length, *spec.shape), spec.dtype))
                added.append(inner)
        self.nodes[match.place] = first._replace(
            outputs=(*first.outputs, *(stacks[v] for v in added)),
            attrs={**first.attrs, "body": theirs._replace(outputs=(*theirs.outputs, *added))},
        )
        own = node.attrs["carries"] + node.attrs["sequences"]
        given = set(kept)
        return node._replace(
            inputs=(*node.inputs[:own], *(stacks[match.same[v]] for v in kept), *node.inputs[own:]),
            attrs={
                **node.attrs, "sequences": node.attrs["sequences"] + len(kept),
                "body": dce(
                    body._replace(
                        inputs=(*body.inputs[:own], *kept, *body.inputs[own:]),
                        nodes=tuple(n for n in body.nodes if given.isdisjoint(n.outputs)),
                    )
                ),
            },
        )  # fmt: skip

    def _kept(self, body: Graph, match: _Match) -> list[int]:
        """Which values to keep: results of products, or what alone is made of them."""
        users: dict[int, list[Node | None]] = {}
        for n in body.nodes:
            for v in set(n.inputs):
                users.setdefault(v, []).append(n)
        for v in body.outputs:
            users.setdefault(v, []).append(None)
        inner = {v for n in match.nodes for v in n.outputs}
        made_by = {v: n for n in match.nodes for v in n.outputs}
        wanted: set[int] = set()  # what the rest of the body needs, directly or through others
        todo = [
            v
            for v in inner
            if any(u is None or u.outputs[0] not in inner for u in users.get(v, ()))
        ]
        ends = set(todo)
        while todo:
            v = todo.pop()
            if v in wanted or v not in made_by:
                continue
            wanted.add(v)
            todo += made_by[v].inputs
        kept: dict[int, None] = {}
        for n in match.nodes:
            if is_cheap(n):
                continue
            for v in n.outputs:
                if v in wanted:
                    kept[self._followed(body, v, users, wanted, ends)] = None
        return list(kept)

    def _followed(
        self, body: Graph, value: int, users: dict[int, list[Any]], wanted: set[int], ends: set[int]
    ) -> int:  # fmt: skip
        """The last of a chain of elementwise results of which each is needed for the next only."""
        while value not in ends:
            following = [u for u in users[value] if u.outputs[0] in wanted]
            if len(following) != 1 or following[0].op.kind != "elementwise":
                break
            (made,) = following[0].outputs
            if body.specs[made].nbytes > body.specs[value].nbytes:
                break
            value = made
        return value


def _bits(array: Any) -> Any:
    if not isinstance(array, np.ndarray) or array.nbytes > 4096:
        return id(array)
    return array.shape, array.dtype.name, array.tobytes()
