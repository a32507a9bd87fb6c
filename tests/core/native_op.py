"""Runs one op by its lowering and the kernels alone, without a program around them."""

import numpy as np

import kerasish_core.executors.native.instructions  # noqa: F401 (enters the lowerings)
from kerasish_core.executors.native.lowering import LOWERINGS, Builder
from kerasish_core.ir import Graph, Node
from kerasish_core.op import REGISTRY, Spec

__all__ = ["lower", "reference", "run_op"]


def reference(name, arrays, attrs):
    """The op's NumPy kernel."""
    return REGISTRY[name].kernel(np, *arrays, **attrs)


def output_specs(name, arrays, attrs):
    """The specs of the op's results."""
    op = REGISTRY[name]
    found = op.infer(*(Spec(a.shape, a.dtype) for a in arrays), **attrs)
    return list(found) if op.multiple else [found]


def lower(name, arrays, attrs):
    """The instructions for one op, with the specs of all values, or None if it is not lowered."""
    made = output_specs(name, arrays, attrs)
    specs = dict(enumerate([*(Spec(a.shape, a.dtype) for a in arrays), *made]))
    inputs, outputs = tuple(specs)[: len(arrays)], tuple(specs)[len(arrays) :]
    node = Node(REGISTRY[name], inputs, outputs, attrs)
    builder = Builder(Graph("one", inputs, {}, (node,), outputs, specs))
    return builder if LOWERINGS[name](node, builder) else None


def run_op(native, name, arrays, attrs):
    """The result (or results) of the op's native kernels; their memory holds NaN before."""
    builder = lower(name, arrays, attrs)
    assert builder is not None, f"{name} is not lowered for these inputs"
    memory = dict(enumerate(np.ascontiguousarray(a) for a in arrays))
    for instruction in builder.instructions:
        operands = []
        for root, offset in instruction.operands:
            if root not in memory:
                spec = builder.specs[root]
                memory[root] = np.full(spec.shape, np.nan, spec.dtype)
            operands.append(memory[root].reshape(-1)[offset // memory[root].itemsize :])
        native.call(instruction.kernel, operands, list(instruction.params), instruction.scratch)
    count = len(output_specs(name, arrays, attrs))
    found = [memory[len(arrays) + i] for i in range(count)]
    return found if REGISTRY[name].multiple else found[0]
