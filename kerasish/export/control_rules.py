"""Loops and branches in ONNX: their bodies are graphs that see all values around them."""

from __future__ import annotations

from typing import Any

from .rules import rule

__all__: list[str] = []


@rule("scan")
def _scan(e: Any, node: Any, nodes: Any, *xs: str) -> list[str]:
    graphs, carries = [n.attrs["body"] for n in nodes], node.attrs["carries"]
    graph = graphs[0]
    rows = list(xs[carries : carries + node.attrs["sequences"]])
    fixed, own = xs[carries + len(rows) :], graph.inputs[: carries + len(rows)]
    inputs = [(e.fresh("step"), graph.specs[n].dtype) for n in own]
    if not rows:  # ONNX counts steps by what it scans
        rows = [e.op("ConstantOfShape", e.shape(*([n.attrs["length"]] for n in nodes)))]
        inputs.append((e.fresh("step"), "float32"))
    types = [spec.dtype for spec in graph.output_specs]

    def fill() -> Any:
        names = [name for name, _ in inputs[: len(own)]]
        return zip(e.emit(graphs, [*names, *fixed]), types, strict=True)

    direction = int(node.attrs["reverse"])
    turns = {"scan_input_directions": [direction] * len(rows)}
    if len(types) > carries:
        turns["scan_output_directions"] = [direction] * (len(types) - carries)
    found = e.op(
        "Scan", *xs[:carries], *rows, outputs=len(types), body=e.body("scan", inputs, fill),
        num_scan_inputs=len(rows), **turns,
    )  # fmt: skip
    return found if len(types) > 1 else [found]


@rule("while")
def _while(e: Any, node: Any, nodes: Any, *xs: str) -> list[str]:
    carries, tests = node.attrs["carries"], node.attrs["tests"]
    for_test, for_body = xs[carries : carries + tests], xs[carries + tests :]
    graph = node.attrs["body"]
    types = [spec.dtype for spec in graph.output_specs]

    def test(state: Any) -> str:
        found: list[str] = e.emit([n.attrs["test"] for n in nodes], [*state, *for_test])
        return found[0]

    inputs = [(e.fresh("turn"), "int64"), (e.fresh("go"), "bool")]
    inputs += [(e.fresh("carry"), dtype) for dtype in types]

    def fill() -> Any:
        state = [name for name, _ in inputs[2:]]
        after = e.emit([n.attrs["body"] for n in nodes], [*state, *for_body])
        return zip([test(after), *after], ["bool", *types], strict=True)

    found = e.op(
        "Loop", "", test(xs[:carries]), *xs[:carries], outputs=carries,
        body=e.body("while", inputs, fill, scalars=2),
    )  # fmt: skip
    return found if carries > 1 else [found]


@rule("switch")
def _switch(e: Any, node: Any, nodes: Any, index: str, *xs: str) -> list[str]:
    branches = list(zip(*(n.attrs["branches"] for n in nodes), strict=True))
    types = [spec.dtype for spec in branches[0][0].output_specs]

    def choose(first: int) -> list[str]:
        graphs = branches[first]
        if first == len(branches) - 1:
            found: list[str] = e.emit(graphs, xs)
            return found
        here = e.op("LessOrEqual", index, e.constant(first, "int32"))
        made = e.op(
            "If", here, outputs=len(types),
            then_branch=e.body(
                f"branch_{first}", [], lambda: zip(e.emit(graphs, xs), types, strict=True)
            ),
            else_branch=e.body(
                f"after_{first}", [], lambda: zip(choose(first + 1), types, strict=True)
            ),
        )  # fmt: skip
        return made if len(types) > 1 else [made]

    return choose(0)


@rule("ruled")
def _ruled(e: Any, node: Any, nodes: Any, *xs: str) -> list[str]:
    return list(xs[: node.attrs["results"]])
