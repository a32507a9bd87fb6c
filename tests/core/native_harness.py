"""Run the lowering of one node without a program: its instructions, one by one, on arrays."""

import importlib

import numpy as np

import kerasish_core as core
from kerasish_core.executors.native import lowering
from kerasish_core.ir import Graph, Node
from kerasish_core.passes.layout import Layout

importlib.import_module("kerasish_core.executors.native.instructions")

__all__ = ["lower", "run_lowered", "spread"]


def spread(array):
    """Equal elements that lie apart and in another order of axes."""
    array = np.asarray(array)
    if array.ndim == 0:
        return array
    order = tuple(range(1, array.ndim)) + (0,)
    moved = array.transpose(order)
    wide = np.zeros((*moved.shape[:-1], 2 * moved.shape[-1]), array.dtype)
    wide[..., ::2] = moved
    back = tuple(np.argsort(order))
    return wide[..., ::2].transpose(back)


def lower(name, arrays, attrs):
    """The builder after the op's lowering, with the arrays' layouts, or None if it declined.

    Returns:
        Builder, the output's spec (or a tuple of specs), and the memory of each value, in bytes.
    """
    op = core.REGISTRY[name]
    arrays = [np.asarray(a) for a in arrays]
    specs = {i: core.Spec(a.shape, a.dtype) for i, a in enumerate(arrays)}
    out = len(arrays)
    made = op.infer(*specs.values(), **attrs)
    outputs = tuple(range(out, out + (len(made) if op.multiple else 1)))
    specs.update(zip(outputs, made if op.multiple else (made,), strict=True))
    node = Node(op, tuple(range(out)), outputs, attrs)
    b = lowering.Builder(Graph("one", node.inputs, {}, (node,), outputs, specs))
    memory = {}
    for i, a in enumerate(arrays):
        if a.flags.c_contiguous:
            memory[i] = bytes_of(a)
            continue
        root = a
        while root.base is not None:
            root = root.base
        start = a.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        strides = tuple(s // a.itemsize for s in a.strides)
        value = b.temp(root.shape, root.dtype)
        memory[value] = bytes_of(root)
        b.layouts[i] = Layout(value, start // a.itemsize, strides)
    if not lowering.LOWERINGS[name](node, b):
        return None
    return b, made, memory


def bytes_of(array):
    return np.frombuffer(bytearray(array.tobytes() + b"\0"), np.uint8)


def run_lowered(library, name, arrays, attrs):
    """The result (or a list of results) by the native kernels, or None if the lowering declined.

    What lies behind each written array must stay as it was.
    """
    found = lower(name, arrays, attrs)
    if found is None:
        return None
    b, spec, memory = found
    for step in b.instructions:
        operands = []
        for i, (root, offset) in enumerate(step.operands):
            if root not in memory:
                assert i >= len(step.operands) - step.writes, "an operand was never written"
                shape, dtype = b.specs[root]
                size = int(np.prod(shape)) * dtype.itemsize
                memory[root] = np.full(size + 64, 0xA5, np.uint8)
            operands.append(memory[root][offset:])
        library.call(step.kernel, operands, list(step.params), step.scratch)
        for root, _ in step.operands[len(step.operands) - step.writes :]:
            assert (memory[root][-64:] == 0xA5).all(), f"{step.kernel} wrote behind its output"
    several = core.REGISTRY[name].multiple
    results = []
    for i, made in enumerate(spec if several else [spec]):
        out = memory[len(arrays) + i][:-64]
        results.append(out.view(made.dtype).reshape(made.shape) if out.size else np.empty(*made))
    return results if several else results[0]
