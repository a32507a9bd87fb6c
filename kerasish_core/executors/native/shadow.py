"""The native program beside the reference: the first node whose result differs is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import VerifyError
from ...ir import Graph
from ..reference.quiet import quietly
from .program import NativeProgram

__all__ = ["ShadowProgram", "difference"]

# Of the largest value of a result: floating sums are made in another order.
_TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-12}


def difference(found: Any, expected: Any) -> str:
    """How far an array is from the reference's, or an empty string where it agrees.

    Integers and booleans must be equal; floats may differ by a small share of the largest value.
    """
    tolerance = _TOLERANCE.get(expected.dtype.name)
    if tolerance is None:
        wrong = int(np.count_nonzero(found != expected))
        return f"{wrong} of {expected.size} elements differ" if wrong else ""
    a, b = found.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return "infinities or NaN differ"
    if not finite.any():
        return ""
    # Subnormal results lose digits before they vanish.
    allowed = tolerance * np.abs(b[finite]).max() + 1e-37
    error = np.abs(a[finite] - b[finite])
    worst = error.max() if np.isfinite(error).all() else np.inf
    return f"largest difference {worst:.3g}, {allowed:.3g} allowed" if worst > allowed else ""


class ShadowProgram:
    """Runs a graph natively, and a second time with every value kept and judged.

    Each node's reference kernel gets the values that the native program gave its inputs, so a
    fault shows in its own node. Slow; `KERASISH_SHADOW=1` makes compiled steps use it.
    """

    def __init__(self, graph: Graph, variables: int, read: int, updates: Sequence[int]) -> None:
        self._program = NativeProgram(graph, variables, read, updates)
        self._graph = graph
        values = tuple(dict.fromkeys(v for node in graph.nodes for v in node.outputs))
        self._values = values
        self._all = NativeProgram(graph._replace(outputs=values), variables, read, ())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._program, name)

    def run(self, inputs: list[Any], variables: list[Any]) -> Any:
        """As `NativeProgram.run`.

        Raises:
            VerifyError: A node differs from its reference kernel, or a result from its node.
        """
        graph = self._graph
        read = len(graph.inputs) - len(inputs)
        before = [np.array(v._tensor.value) for v in variables[:read]]
        found = dict(zip(self._values, self._all.run(inputs, variables), strict=True))
        found.update(graph.constants)
        found.update(zip(graph.inputs, [*map(np.asarray, inputs), *before], strict=True))
        quietly(self._judge, found)
        outputs = self._program.run(inputs, variables)
        values = [*outputs, *(variables[k]._tensor.value for k in self._program.update_places)]
        for v, array in zip(graph.outputs, values, strict=True):
            wrong = difference(array, found[v])
            if wrong:
                raise VerifyError(
                    f"{graph.name}: the result %{v} is not that of its node: {wrong}."
                )
        return outputs

    def run_rows(
        self, arrays: list[Any], rows: Any, batch: int, variables: list[Any], seconds: float,
        watched: int,
    ) -> tuple[int, Any]:  # fmt: skip
        """As `NativeProgram.run_rows`, a single step."""
        part = rows[:batch]
        return 1, self.run([np.ascontiguousarray(a[part]) for a in arrays], variables)

    def _judge(self, found: dict[int, Any]) -> None:
        for node in self._graph.nodes:
            result = node.op.kernel(np, *[found[v] for v in node.inputs], **node.attrs)
            for v, expected in zip(
                node.outputs, result if node.op.multiple else (result,), strict=True
            ):
                wrong = difference(found[v], np.asarray(expected))
                if wrong:
                    shown = ", ".join(
                        f"{found[i].dtype}{list(found[i].shape)}" for i in node.inputs
                    )
                    raise VerifyError(
                        f"{self._graph.name}: %{v} = {node.op.name}({shown}) differs from the "
                        f"reference: {wrong}; attributes {dict(node.attrs)}; {node.location}"
                    )
