"""Order the nodes and gather elementwise chains with their closing reductions into groups.

A group stays open until something outside it needs one of its values; nothing outside depends on
an open group, so a node may join it without making a cycle. Small nodes and reductions that close
nothing run ahead of their turn.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import NamedTuple

from ..ir import Graph, Node

__all__ = ["Group", "Role", "group_nodes"]

# Small tensors are fused though they share no input: a call costs more than their arithmetic.
_SMALL = 1024
_MOST_NODES = 40
_MOST_INPUTS = 20
_MOST_REDUCTIONS = 6


class Group(NamedTuple):
    """Nodes that run as one instruction.

    Attributes:
        nodes: In order.
        shape: The iteration space.
    """

    nodes: tuple[Node, ...]
    shape: tuple[int, ...]


class Role(NamedTuple):
    """What a node may do in a group.

    Attributes:
        shape: The iteration space that it needs.
        axes: For a reduction the axes that it sums over (its result ends the chain); else None.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...] | None = None


class _Open:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.nodes: list[Node] = []
        self.values: set[int] = set()
        self.reduced: set[int] = set()
        self.inputs: set[int] = set()
        self.axes: tuple[int, ...] | None = None
        self.reductions = 0


class _Grouping:
    def __init__(self, graph: Graph, role: Callable[[Node], Role | None]) -> None:
        self.graph = graph
        self.roles = [role(node) for node in graph.nodes]
        self.done: list[Group | Node] = []
        self.open: dict[int, _Open] = {}  # by the values that they make
        self.groups: dict[tuple[int, ...], list[_Open]] = {}
        self.users: dict[int, list[int]] = {}
        self.missing: list[int] = []
        made = {v for node in graph.nodes for v in node.outputs}
        for i, node in enumerate(graph.nodes):
            needed = {v for v in node.inputs if v in made}
            self.missing.append(len(needed))
            for v in needed:
                self.users.setdefault(v, []).append(i)

    def run(self) -> list[Group | Node]:
        ready = [i for i, count in enumerate(self.missing) if count == 0]
        heapq.heapify(ready)
        eager: list[int] = []  # may run ahead, but each would close a group
        others: list[int] = []  # wait for their turn
        while ready or eager or others:
            if ready:
                i = heapq.heappop(ready)
                if not self._runs_ahead(i):
                    heapq.heappush(others, i)
                    continue
                if self._closes(i):
                    heapq.heappush(eager, i)
                    continue
            elif others and not (eager and eager[0] < others[0]):
                i = heapq.heappop(others)
            else:
                i = heapq.heappop(eager)
            closed = self._place(i)
            for v in self.graph.nodes[i].outputs:
                for user in self.users.get(v, ()):
                    self.missing[user] -= 1
                    if self.missing[user] == 0:
                        heapq.heappush(ready, user)
            if closed and eager:
                ready += eager
                heapq.heapify(ready)
                eager = []
        for groups in list(self.groups.values()):
            for group in list(groups):
                self._close(group)
        return self.done

    def _runs_ahead(self, i: int) -> bool:
        """Whether the node may run before its turn: what it makes is small.

        Other nodes keep their order: a derivative's mask, say, is made where it is used, from
        values that are kept anyway, instead of being kept beside them.
        """
        role = self.roles[i]
        if role is None:
            return False
        return role.axes is not None or math.prod(role.shape) <= _SMALL

    def _sources(self, i: int) -> list[_Open]:
        found: list[_Open] = []
        for v in self.graph.nodes[i].inputs:
            group = self.open.get(v)
            if group is not None and group not in found:
                found.append(group)
        return found

    def _closes(self, i: int) -> bool:
        role = self.roles[i]
        return any(role is None or not self._fits(group, i, role) for group in self._sources(i))

    def _fits(self, group: _Open, i: int, role: Role) -> bool:
        node = self.graph.nodes[i]
        if group.shape != role.shape or any(v in group.reduced for v in node.inputs):
            return False
        if len(group.nodes) >= _MOST_NODES:
            return False
        if len(group.inputs.union(node.inputs) - group.values) > _MOST_INPUTS:
            return False
        if role.axes is not None:
            return group.reductions < _MOST_REDUCTIONS and group.axes in (None, role.axes)
        return True

    def _place(self, i: int) -> bool:
        """Put a node into a group or on its own; whether a group was closed for it."""
        node, role = self.graph.nodes[i], self.roles[i]
        closed = False
        mine: list[_Open] = []
        for group in self._sources(i):
            if role is not None and self._fits(group, i, role):
                mine.append(group)
            else:
                self._close(group)
                closed = True
        if role is None:
            self.done.append(node)
            return closed
        target = self._merged(mine, i, role) if mine else self._related(i, role)
        if target is None:
            target = _Open(role.shape)
            self.groups.setdefault(role.shape, []).append(target)
        for group in mine:
            if group is not target and group in self.groups.get(group.shape, ()):
                self._close(group)
                closed = True
        self._join(target, node, role)
        return closed

    def _merged(self, mine: list[_Open], i: int, role: Role) -> _Open:
        """The first of several open groups, with the others in it as far as they fit."""
        first = mine[0]
        for other in mine[1:]:
            inputs = (first.inputs | other.inputs) - first.values - other.values
            if (
                len(first.nodes) + len(other.nodes) >= _MOST_NODES
                or len(inputs) > _MOST_INPUTS
                or first.reductions + other.reductions >= _MOST_REDUCTIONS
                or not (first.axes is None or other.axes is None or first.axes == other.axes)
                or not (role.axes is None or other.axes in (None, role.axes))
            ):
                continue
            first.nodes += other.nodes
            first.values |= other.values
            first.reduced |= other.reduced
            first.inputs = inputs
            first.axes = first.axes or other.axes
            first.reductions += other.reductions
            for v in other.values | other.reduced:
                self.open[v] = first
            self.groups[other.shape].remove(other)
        return first

    def _related(self, i: int, role: Role) -> _Open | None:
        """An open group that reads one of the node's full-sized inputs, or any if it is small."""
        specs = self.graph.specs
        node = self.graph.nodes[i]
        full = {v for v in node.inputs if specs[v].shape == role.shape}
        small = math.prod(role.shape) <= _SMALL
        for group in reversed(self.groups.get(role.shape, [])):
            if self._fits(group, i, role) and (small or not full.isdisjoint(group.inputs)):
                return group
        return None

    def _join(self, group: _Open, node: Node, role: Role) -> None:
        group.nodes.append(node)
        group.inputs.update(v for v in node.inputs if v not in group.values)
        if role.axes is None:
            group.values.update(node.outputs)
        else:
            group.reduced.update(node.outputs)
            group.axes = role.axes
            group.reductions += 1
        for v in node.outputs:
            self.open[v] = group

    def _close(self, group: _Open) -> None:
        self.groups[group.shape].remove(group)
        for v in group.values | group.reduced:
            del self.open[v]
        self.done.append(Group(tuple(group.nodes), group.shape))


def group_nodes(graph: Graph, role: Callable[[Node], Role | None]) -> list[Group | Node]:
    """The graph's nodes in an order of execution, fusable ones in groups.

    Args:
        graph: The graph.
        role: What a node may do in a group, or None if it runs alone.
    """
    return _Grouping(graph, role).run()
