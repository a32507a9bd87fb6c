"""Run a graph node by node on generic kernels, freeing each value after its last use."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import device
from ...ir import Graph
from .gpu import run_kernel
from .quiet import quietly

__all__ = ["Program"]


class Program:
    """A graph prepared for running. Immutable, so that threads can share it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        last: dict[int, int] = {}
        for i, node in enumerate(graph.nodes):
            for v in node.inputs:
                last[v] = i
        keep = {*graph.outputs, *graph.constants}
        steps = []
        for i, node in enumerate(graph.nodes):
            done = [v for v in dict.fromkeys(node.inputs) if last[v] == i and v not in keep]
            done += [v for v in node.outputs if v not in last and v not in keep]
            steps.append((node.op.kernel, node.op.multiple, node.inputs, node.outputs,
                          node.attrs, done, node))  # fmt: skip
        self._steps = steps

    def run(self, arrays: Any) -> list[Any]:
        """The outputs for the inputs, all arrays.

        An output may share memory with an input or a constant: whoever owns variables copies.
        """
        found: list[Any] = quietly(self._run, arrays)
        return found

    def _run(self, arrays: Any) -> list[Any]:
        graph = self.graph
        values = dict(graph.constants)
        values.update(zip(graph.inputs, arrays, strict=True))
        if device.array_module(*arrays, *graph.constants.values()) is not np:
            return self._run_on_gpu(values)
        ndarray = np.ndarray
        for kernel, multiple, inputs, outputs, attrs, done, node in self._steps:
            try:
                result = kernel(np, *[values[v] for v in inputs], **attrs)
            except Exception as error:
                if node.location:
                    error.add_note(f"in {node.op.name}, from {node.location}")
                raise
            if multiple:
                for v, r in zip(outputs, result, strict=True):
                    values[v] = r if type(r) is ndarray else np.asarray(r)
            else:
                values[outputs[0]] = result if type(result) is ndarray else np.asarray(result)
            for v in done:
                del values[v]
        return [values[v] for v in graph.outputs]

    def _run_on_gpu(self, values: dict[int, Any]) -> list[Any]:
        for _, multiple, inputs, outputs, attrs, done, node in self._steps:
            try:
                result = run_kernel(node.op, [values[v] for v in inputs], attrs)
            except Exception as error:
                if node.location:
                    error.add_note(f"in {node.op.name}, from {node.location}")
                raise
            values.update(zip(outputs, result if multiple else (result,), strict=True))
            for v in done:
                del values[v]
        return list(device.together([values[v] for v in self.graph.outputs])[1])
