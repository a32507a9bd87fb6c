"""What a loop need not do step by step is done for all steps at once, before it or after it.

With s the carries, x the slices and c what stays, a step `s, y = f(s, x, c)` is cut in three:

    before    what depends on x and c alone: `x_t W` is one product of all rows
    within    what the next carries need
    after     what only results need, and sums over steps: `sum_t x_t' g_t` is one product too

A loop of which nothing is left vanishes (`vectorized_map`). Loop fission: Allen and Kennedy,
Optimizing Compilers for Modern Architectures (2001), chapter 2; of recurrent networks: Appleyard,
Kocisky and Blunsom, Optimizing performance of recurrent neural networks on GPUs (2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..ir import Graph, Node
from ..op import REGISTRY, Spec
from .batching import Batching, Operand
from .dce import dce
from .residuals import MOST_BYTES, is_cheap
from .rewriting import Rewriting

__all__ = ["split_scans"]

_ALL = ("slice", None, None, None)


def split_scans(graph: Graph) -> Graph:
    """Move products out of scans, where they are one for all steps."""
    if not any(node.op.name == "scan" for node in graph.nodes):
        return graph
    out = _Outer(graph)
    for node in graph.nodes:
        node = out.renamed(node)
        if node.op.name != "scan" or not _Split(node, out).done():
            out.nodes.append(node)
    return out.made()


class _Outer(Rewriting):
    """The graph around the loops."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.same: dict[int, int] = {}

    def renamed(self, node: Node) -> Node:
        return node._replace(inputs=tuple(self.same.get(v, v) for v in node.inputs))

    def made(self) -> Graph:
        outputs = tuple(self.same.get(v, v) for v in self.graph.outputs)
        return super().made()._replace(outputs=outputs)


class _Body:
    """A body of a loop, and what its values depend on.

    Attributes:
        carried: Inputs that change from step to step, by the outputs that follow them.
        rows: Inputs that are slices.
        made_by: Value to its node.
    """

    def __init__(
        self, graph: Graph, carried: dict[int, int], rows: Sequence[int], batching: Batching
    ) -> None:
        self.graph, self.carried, self.rows = graph, carried, rows
        self.made_by = {v: n for n in graph.nodes for v in n.outputs}
        self._batching = batching
        # Same at each step; from slices alone, by ops that have a rule; and with a product in it.
        self.fixed = {*graph.inputs, *graph.constants} - {*carried, *rows}
        self.early = {*rows}
        self.dear: set[int] = set()
        self.batched: set[int] = set()  # outputs of nodes that have a rule
        for node in graph.nodes:
            if all(v in self.fixed for v in node.inputs):
                self.fixed.update(node.outputs)
                continue
            if self._has_rule(node):
                self.batched.update(node.outputs)
                if all(v in self.early or v in self.fixed for v in node.inputs):
                    self.early.update(node.outputs)
                    if not is_cheap(node) or not self.dear.isdisjoint(node.inputs):
                        self.dear.update(node.outputs)

    def _has_rule(self, node: Node) -> bool:
        """Tried on values that nobody reads."""
        b, out = self._batching, self._batching.out
        mark = len(out.nodes)
        xs = []
        for v in node.inputs:
            spec, over = self.graph.specs[v], v not in self.fixed
            shape = (b.length, *spec.shape) if over else spec.shape
            xs.append(Operand(out.fresh(Spec(shape, spec.dtype)), over))
        found = b.apply(node, xs)
        del out.nodes[mark:]
        wanted = [self.graph.specs[v] for v in node.outputs]
        return found is not None and [out.specs[v] for v in found] == [
            Spec((b.length, *s.shape), s.dtype) for s in wanted
        ]

    def needed(self, values: Iterable[int]) -> set[int]:
        """The values and all that they are made of."""
        found: set[int] = set()
        todo = list(values)
        while todo:
            v = todo.pop()
            if v not in found:
                found.add(v)
                todo += self.made_by[v].inputs if v in self.made_by else ()
        return found


class _Split:
    """One scan in three parts.

    Attributes:
        node: The scan.
        out: The graph around it.
        before, after: What is done outside.
        stacked: Values of the body that the loop stacks for what is done after it.
    """

    def __init__(self, node: Node, out: _Outer) -> None:
        attrs = node.attrs
        self.node, self.out, self.length = node, out, attrs["length"]
        self.carries, self.rows = attrs["carries"], attrs["carries"] + attrs["sequences"]
        self.before: list[Node] = []
        self.after: list[Node] = []
        self.stacked: dict[int, int] = {}
        self._batching = Batching(out, self.length)
        self._outside: dict[int, Operand] = {}
        self._moved: set[int] = set()

    def done(self) -> bool:
        """Whether the scan was cut; then its parts are in the graph."""
        if self.length < 2:
            return False
        constants = dict(self.out.constants)
        body = self._of(_Divided(self._of(self.node.attrs["body"])).made())
        sums = self._sums(body)
        graph, inputs = body.graph, body.graph.inputs
        for v, given in zip(inputs, self.node.inputs, strict=True):
            if v not in body.carried:
                self._outside[v] = Operand(given, v in body.early)
        for v, array in graph.constants.items():
            self._outside[v] = Operand(self.out.constant(array), False)
        left = {i: v for i, v in enumerate(inputs[: self.carries]) if i not in sums}
        left = {i: v for i, v in left.items() if v in body.carried}
        within = body.needed(graph.outputs[i] for i in left)
        stacks = range(self.carries, len(graph.outputs))
        self._moved = self._sinking(body, within)
        whole = not left and all(self._can_leave(body, graph.outputs[i]) for i in stacks)
        ends: dict[int, int] = {}  # outputs of the scan to values outside
        with _Writing(self.out, self.after):
            for i in stacks:
                v = graph.outputs[i]
                goes = v in self._moved or v in body.dear or v in body.rows
                if goes or whole or self._following(body, v) is not None:
                    ends[i] = self._batching.spread(self._outer(body, v), self.node)
            for i, term in sums.items():
                ends[i] = self._summed(body, i, term)
            for i in range(self.carries):
                if inputs[i] not in body.carried:
                    ends[i] = self.node.inputs[i]
        if not self._cut(body, left, ends):
            self.out.constants = constants
            return False
        return True

    def _of(self, graph: Graph) -> _Body:
        """What is known of a body of this scan."""
        pairs = zip(graph.inputs[: self.carries], graph.outputs[: self.carries], strict=True)
        carried = {v: end for v, end in pairs if v != end}
        return _Body(graph, carried, graph.inputs[self.carries : self.rows], self._batching)

    # -- what goes
    def _sums(self, body: _Body) -> dict[int, int]:
        """Carries that only add up something, to what they add.

        That is known of the slices, or made by a product, or a sum of what is stacked anyway.
        """
        graph = body.graph
        users: dict[int, int] = {}
        for v in [*(v for n in graph.nodes for v in n.inputs), *graph.outputs]:
            users[v] = users.get(v, 0) + 1
        found: dict[int, int] = {}
        terms: dict[int, int] = {}
        operands: set[int] = set()
        for i, (v, end) in enumerate(
            zip(graph.inputs[: self.carries], graph.outputs, strict=False)
        ):
            node = body.made_by.get(end)
            if node is None or node.op.name != "add" or node.inputs.count(v) != 1:
                continue
            (term,) = (u for u in node.inputs if u != v)
            if users[v] == users[end] == 1 and graph.specs[term] == graph.specs[v]:
                terms[i] = term
                made = self._source(body, term)
                if made is not None and not is_cheap(made):
                    found[i] = term
                    operands.update(self._plain(body, u) for u in made.inputs)
                elif term in body.early and self._adds_up(graph.specs[term]):
                    found[i] = term
        for i, term in terms.items():
            made = self._source(body, term)
            if made is not None and made.op.name == "sum" and made.inputs[0] in operands:
                found[i] = term
        return found

    def _adds_up(self, spec: Spec) -> bool:
        """Whether the op `sum` gives that dtype."""
        shape = (self.length, *spec.shape)
        return REGISTRY["sum"].infer(Spec(shape, spec.dtype), axes=(0,), keepdims=False) == spec

    def _source(self, body: _Body, value: int) -> Node | None:
        """What makes the term of a sum, beneath what commutes with adding up."""
        node = body.made_by.get(value)
        if node is None or value in body.fixed:
            return None
        if node.op.name in ("reshape", "transpose"):
            return self._source(body, node.inputs[0])
        if node.op.name == "matmul":
            return node if all(len(body.graph.specs[v].shape) == 2 for v in node.inputs) else None
        return node if node.op.name in ("conv_kernel_grad", "sum") else None

    def _plain(self, body: _Body, value: int) -> int:
        """The matrix that a transposed one is of."""
        node = body.made_by.get(value)
        if node is None or node.op.name != "transpose" or node.attrs["axes"] != (1, 0):
            return value
        return node.inputs[0]

    def _sinking(self, body: _Body, within: set[int]) -> set[int]:
        """Values that nothing within the loop needs, from products on."""
        graph = body.graph
        rest = body.needed([*within, *graph.outputs[self.carries :]])
        users: dict[int, list[Node]] = {}
        for node in graph.nodes:
            if not rest.isdisjoint(node.outputs):
                for v in node.inputs:
                    users.setdefault(v, []).append(node)
        free: set[int] = set()
        for node in reversed(graph.nodes):
            outputs = node.outputs
            if body.batched.issuperset(outputs) and within.isdisjoint(outputs):
                following = [u for v in outputs for u in users.get(v, ())]
                if all(free.issuperset(u.outputs) for u in following):
                    free.update(outputs)
        moved: set[int] = set()
        for node in graph.nodes:
            used = free.issuperset(node.outputs) and not rest.isdisjoint(node.outputs)
            if used and (not is_cheap(node) or not moved.isdisjoint(node.inputs)):
                moved.update(node.outputs)
        return moved

    def _can_leave(self, body: _Body, value: int) -> bool:
        return value in body.early or value in body.fixed or value in self._moved

    # -- values outside
    def _outer(self, body: _Body, value: int) -> Operand:
        """The value for all steps, made or stacked."""
        todo = [value]
        while todo:
            v = todo[-1]
            node = self._leaving(body, v)
            missing = [u for u in node.inputs if u not in self._outside] if node else []
            todo += missing
            if not missing:
                todo.pop()
                if v not in self._outside:
                    self._make(body, v, node)
        return self._outside[value]

    def _leaving(self, body: _Body, value: int) -> Node | None:
        """The node that makes the value outside, if one does."""
        node = body.made_by.get(value)
        if node is None or value in body.early or value in body.fixed or value in self._moved:
            return node
        return node if node.op.kind == "view" and value in body.batched else None

    def _make(self, body: _Body, value: int, node: Node | None) -> None:
        """Make it of what is there, or stack it."""
        if node is None:
            self._outside[value] = Operand(self._stack(body, value), True)
            return
        xs = [self._outside[v] for v in node.inputs]
        fixed = value in body.fixed
        first = fixed or value in body.early
        with _Writing(self.out, self.before if first else self.after):
            found: Any = self._plainly(body, node, xs) if fixed else self._batching.apply(node, xs)
        for v, made in zip(node.outputs, found, strict=True):
            self._outside[v] = Operand(made, not fixed)

    def _stack(self, body: _Body, value: int) -> int:
        """All steps' values of what the loop computes."""
        following = self._following(body, value)
        if following is not None:
            return self._shifted(body, value, following)
        stacks = self._stacks(body)
        if value in stacks:
            return stacks[value]
        spec = body.graph.specs[value]
        self.stacked[value] = self.out.fresh(Spec((self.length, *spec.shape), spec.dtype))
        return self.stacked[value]

    def _stacks(self, body: _Body) -> dict[int, int]:
        """Values of the body to the results that stack them."""
        rows = body.graph.outputs[self.carries :]
        return dict(zip(rows, self.node.outputs[self.carries :], strict=True))

    def _following(self, body: _Body, value: int) -> int | None:
        """What stacks a carry after each step, if the loop does."""
        end = body.carried.get(value, -1)
        moved = end in body.early or end in body.fixed or end in self._moved
        return None if moved or end not in body.made_by else self._stacks(body).get(end)

    def _shifted(self, body: _Body, value: int, following: int) -> int:
        """A carry before each step: what it was at first, and as the other steps left it."""
        b, node = self._batching, self.node
        spec, place = body.graph.specs[value], body.graph.inputs.index(value)
        reverse = node.attrs["reverse"]
        with _Writing(self.out, self.after):
            first = b.reshaped(node.inputs[place], (1, *spec.shape), node)
            key = (("slice", 1, None, None) if reverse else ("slice", None, -1, None),)
            (others,) = b.emit("getitem", [following], node, key=key)
            parts = [others, first] if reverse else [first, others]
            return b.emit("concatenate", parts, node, axis=0)[0]

    def _plainly(self, body: _Body, node: Node, xs: Sequence[Operand]) -> tuple[int, ...]:
        """A node that is the same at each step, once."""
        inputs = tuple(x.value for x in xs)
        outputs = tuple(self.out.fresh(body.graph.specs[v]) for v in node.outputs)
        self.out.nodes.append(node._replace(inputs=inputs, outputs=outputs))
        return outputs

    def _summed(self, body: _Body, place: int, term: int) -> int:
        """A carry after all steps: what it was and all terms."""
        total, start = self._total(body, term), self.node.inputs[place]
        array = self.out.constants.get(start)
        if array is not None and not array.any():
            return total
        return self._batching.emit("add", [start, total], self.node)[0]

    def _total(self, body: _Body, value: int) -> int:
        """The sum of a value over all steps."""
        b, node = self._batching, self._source(body, value)
        if node is None or (node.op.name == "sum" and value in body.early):
            x = self._outer(body, value)
            return b.emit("sum", [x.value], self.node, axes=(0,), keepdims=False)[0]
        node = body.made_by[value]
        if node.op.name in ("reshape", "transpose"):
            return b.emit(node.op.name, [self._total(body, node.inputs[0])], node, **node.attrs)[0]
        if node.op.name == "sum":
            x = self._outer(body, node.inputs[0])
            axes = tuple(a + 1 for a in node.attrs["axes"])
            if not node.attrs["keepdims"]:
                return b.emit("sum", [x.value], node, axes=(0, *axes), keepdims=False)[0]
            (made,) = b.emit("sum", [x.value], node, axes=axes, keepdims=True)
            return b.emit("sum", [made], node, axes=(0,), keepdims=False)[0]
        if node.op.name == "matmul":
            return self._product(body, node)
        values = []
        for v in node.inputs:  # a convolution's kernel, of all images
            x = self._outer(body, v)
            images, *shape = b.shape(x)
            whole = (self.length * images, *shape)
            values.append(b.reshaped(b.spread(x, node), whole, node))
        return b.emit(node.op.name, values, node, **node.attrs)[0]

    def _product(self, body: _Body, node: Node) -> int:
        """The sum of the products of columns by rows: one product of all columns by all rows."""
        b, specs = self._batching, self.out.specs
        left, right = node.inputs
        plain = self._plain(body, left)
        a = b.spread(self._outer(body, plain), node)
        if plain == left:
            (a,) = b.emit("transpose", [a], node, axes=(0, 2, 1))
        c = b.spread(self._outer(body, right), node)
        rows = self.length * specs[c].shape[1]
        a, c = (b.reshaped(v, (rows, specs[v].shape[2]), node) for v in (a, c))
        (a,) = b.emit("transpose", [a], node, axes=(1, 0))
        return b.emit("matmul", [a, c], node)[0]

    # -- the loop that is left
    def _cut(self, body: _Body, left: dict[int, int], ends: dict[int, int]) -> bool:
        """Write the three parts; False if they would be no gain, or too large."""
        graph, node = body.graph, self.node
        kept = [i for i in range(self.carries, len(graph.outputs)) if i not in ends]
        outputs = [graph.outputs[i] for i in (*left, *kept)] + [*self.stacked]
        slices, same = self._hoisted(body, outputs)
        given = {v: self._outer(body, v).value for v in (*slices, *same)}
        moved = len(ends) > self.carries - len(left) or slices or same or self.stacked
        sums = any(i < self.carries and graph.inputs[i] in body.carried for i in ends)
        made = [n for n in (*self.before, *self.after) if _takes_memory(n)]
        held = [*(v for n in made for v in n.outputs), *self.stacked.values()]
        size = sum(self.out.specs[v].nbytes for v in held)
        if not (moved or sums) or size > MOST_BYTES:
            return False
        hidden = {*slices, *same}
        rows = [*body.rows, *slices]
        rest = list(graph.inputs[self.rows :])
        rest += [v for v in graph.inputs[: self.carries] if v not in body.carried]
        inner = dce(
            graph._replace(
                inputs=(*left.values(), *rows, *rest, *same), outputs=tuple(outputs),
                nodes=tuple(n for n in graph.nodes if hidden.isdisjoint(n.outputs)),
            )
        )  # fmt: skip
        read = {*inner.outputs, *(v for n in inner.nodes for v in n.inputs)}
        rows, rest = ([v for v in some if v in read] for some in (rows, [*rest, *same]))
        inner = inner._replace(inputs=(*left.values(), *rows, *rest))
        values = {v: x.value for v, x in self._outside.items()} | given
        values |= {v: node.inputs[i] for i, v in left.items()}
        self.out.nodes += self.before
        if outputs:
            self.out.nodes.append(
                node._replace(
                    inputs=tuple(values[v] for v in inner.inputs),
                    outputs=(*(node.outputs[i] for i in (*left, *kept)), *self.stacked.values()),
                    attrs={
                        **node.attrs, "body": inner, "carries": len(left), "sequences": len(rows),
                    },
                )
            )  # fmt: skip
        self.out.nodes += self.after
        self.out.same.update((node.outputs[i], v) for i, v in ends.items())
        return True

    def _hoisted(self, body: _Body, outputs: Sequence[int]) -> tuple[list[int], list[int]]:
        """What the loop reads from before it: slices, and what is the same at each step."""
        slices: dict[int, None] = {}
        same: dict[int, None] = {}
        seen: set[int] = set()
        todo = list(outputs)
        while todo:
            v = todo.pop()
            node = body.made_by.get(v)
            if v in seen or node is None:
                continue
            seen.add(v)
            if node.op.name == "matmul" and self._turned(body, node.inputs[1]):
                same[node.inputs[1]] = None  # or each step would copy it for its product
                seen.add(node.inputs[1])
            if node.op.kind == "view":  # free within the loop
                todo += node.inputs
            elif v in body.dear:
                slices[v] = None
            elif v in body.fixed:
                same[v] = None
            else:
                todo += node.inputs
        return list(slices), list(same)

    def _turned(self, body: _Body, value: int) -> bool:
        """Whether it is a view of something fixed that has its axes in another order."""
        node = body.made_by.get(value)
        if value not in body.fixed or node is None or node.op.kind != "view":
            return False
        return node.op.name == "transpose" or self._turned(body, node.inputs[0])


class _Writing:
    """Within it, nodes go to that list instead of the graph."""

    def __init__(self, out: Rewriting, nodes: list[Node]) -> None:
        self._out, self._nodes = out, nodes

    def __enter__(self) -> None:
        self._before, self._out.nodes = self._out.nodes, self._nodes

    def __exit__(self, *_: Any) -> None:
        self._out.nodes = self._before


class _Divided(Rewriting):
    """Products of which a part may go: those of joined operands, those of which slices are used."""

    def __init__(self, body: _Body) -> None:
        super().__init__(body.graph)
        self._body = body
        users: dict[int, list[Node | None]] = {}
        for node in self.graph.nodes:
            for v in node.inputs:
                users.setdefault(v, []).append(node)
        for v in self.graph.outputs:
            users.setdefault(v, []).append(None)
        within = body.needed(body.carried.values())
        done: set[int] = set()
        for node in self.graph.nodes:
            if node.op.name == "matmul" and node.inputs[1] in body.fixed:
                if self._joined(node):
                    continue
                slices = users.get(node.outputs[0], [])
                if self._sliced(node, slices, within):
                    done.update(u.outputs[0] for u in slices if u is not None)
                    continue
            if node.outputs[0] not in done:
                self.nodes.append(node)

    def _joined(self, node: Node) -> bool:
        """`[x, s] W  =  x W_x + s W_s`, if x is a slice and s a carry."""
        body, (joined, w) = self._body, node.inputs
        made = body.made_by.get(joined)
        shape = self.specs[w].shape
        if made is None or made.op.name != "concatenate" or len(shape) != 2:
            return False
        axis = made.attrs["axis"]
        apart = [v in body.early or v in body.fixed for v in made.inputs]
        if (
            axis != len(self.specs[joined].shape) - 1
            or len(set(apart)) == 1
            or joined in body.fixed
        ):
            return False
        parts: list[list[int]] = []  # neighbours that go together
        for v, early, earlier in zip(made.inputs, apart, [None, *apart], strict=False):
            if early is not earlier:
                parts.append([])
            parts[-1].append(v)
        total, start = -1, 0
        for i, part in enumerate(parts):
            width = sum(self.specs[v].shape[axis] for v in part)
            key = (("slice", start, start + width, None), _ALL)
            (rows,) = self.emit("getitem", [w], node, key=key)
            (x,) = part if len(part) == 1 else self.emit("concatenate", part, node, axis=axis)
            (product,) = self.emit("matmul", [x, rows], node)
            last = node.outputs if i == len(parts) - 1 else ()
            (total,) = [product] if i == 0 else self.emit("add", [total, product], node, last)
            start += width
        return True

    def _sliced(self, node: Node, users: Sequence[Node | None], within: set[int]) -> bool:
        """`(g W)[a:b]  =  g W[a:b]`, if not all columns are used at the same place."""
        x, w = node.inputs
        shape = self.specs[w].shape
        rank = len(self.specs[node.outputs[0]].shape)
        if not users or len(shape) != 2 or node.outputs[0] in self._body.early:
            return False
        for user in users:
            if user is None or user.op.name != "getitem":
                return False
            *others, last = user.attrs["key"]
            if len(others) != rank - 1 or any(part != _ALL for part in others):
                return False
            if not isinstance(last, tuple) or last[0] != "slice" or last[3] not in (None, 1):
                return False
        found = [u for u in users if u is not None]
        used = sum(self.specs[u.outputs[0]].shape[-1] for u in found)
        if used >= shape[1] and len({u.outputs[0] in within for u in found}) == 1:
            return False
        for user in found:
            (columns,) = self.emit("getitem", [w], node, key=(_ALL, user.attrs["key"][-1]))
            self.emit("matmul", [x, columns], node, user.outputs)
        return True


def _takes_memory(node: Node) -> bool:
    """Whether it may: what is repeated is copied where a kernel wants it dense."""
    return node.op.kind != "view" or node.op.name == "broadcast_to"
