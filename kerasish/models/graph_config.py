"""Functional models to configs and back, in Keras's format.

Each operation is written with its calls; a symbolic tensor among the arguments by the operation
that made it, the number of the call and its place in the result. Function calls of `ops` are
written under the names of Keras's operation classes, so that both libraries read them.
"""

from __future__ import annotations

import importlib
import inspect
import operator
from typing import Any

import numpy as np

import kerasish_core as core

from ..layers import InputLayer, Layer
from ..layers.masking import any_mask, masks_of
from ..naming import to_snake_case
from ..ops import symbolic as graphs
from ..ops.symbolic import FunctionCall, KerasTensor
from ..serialization import UnknownObjectError, deserialize_keras_object, serialize_keras_object

__all__ = ["read", "write"]

tree = core.tree
_TENSOR = "__keras_tensor__"
# An object whose leaves are tensors (a distribution): found again in the result of their call.
_OBJECT = "__keras_tensors__"
# Arguments that Keras gives to the call of an operation; all others belong to its config.
_CALL_ARGUMENTS = {
    "x", "x1", "x2", "x3", "xs", "inputs", "a", "b", "condition", "key", "indices", "values",
    "updates", "start_indices", "y", "target", "output", "query", "value", "bias", "mask",
    "images", "transform", "coordinates", "start_points", "end_points", "target_length",
    "output_length", "sequence_lengths",
}  # fmt: skip
# Keras's module of operation classes by function, where it is not that of NumPy.
_MODULES = {
    "nn": """relu relu6 sigmoid sparse_sigmoid softplus softsign silu log_sigmoid leaky_relu
        hard_sigmoid hard_silu elu selu gelu celu glu tanh_shrink hard_tanh hard_shrink threshold
        soft_shrink squareplus sparse_plus softmax log_softmax sparsemax max_pool average_pool conv
        depthwise_conv separable_conv conv_transpose one_hot multi_hot binary_crossentropy
        categorical_crossentropy sparse_categorical_crossentropy moments batch_normalization
        ctc_loss ctc_decode normalize psnr dot_product_attention rms_normalization
        layer_normalization unfold fold adaptive_average_pool adaptive_max_pool depth_to_space
        space_to_depth polar""",
    "core": """cast saturate_cast scatter scatter_update slice slice_update switch cond
        stop_gradient shape unstack map scan while_loop fori_loop vectorized_map
        associative_scan""",
    "math": """segment_sum segment_max top_k in_top_k logsumexp extract_sequences fft fft2 rfft
        irfft stft istft rsqrt erf erfinv logdet cdist erfc ifft2 segment_min segment_prod
        view_as_complex view_as_real""",
    "image": """affine_transform crop_images elastic_transform extract_patches gaussian_blur
        hsv_to_rgb map_coordinates pad_images perspective_transform resize rgb_to_grayscale
        rgb_to_hsv scale_and_translate sobel_edges ssim""",
    "linalg": """cholesky det eig eigh inv lu_factor norm qr solve solve_triangular svd lstsq
        cholesky_inverse matrix_rank pinv""",
}
_MODULE_OF = {f: m for m, names in _MODULES.items() for f in names.split()}
# Class names that the rule below does not give.
_CLASSES = {
    f: f.replace("_", "").upper()
    for f in ["fft", "fft2", "ifft2", "irfft", "istft", "psnr", "rfft", "ssim", "stft", "svd"]
} | {
    "ctc_decode": "CTCDecode", "ctc_loss": "CTCLoss", "hsv_to_rgb": "HSVToRGB",
    "rgb_to_grayscale": "RGBToGrayscale", "rgb_to_hsv": "RGBToHSV", "allclose": "AllClose",
    "cdist": "CDist", "isin": "IsIn", "searchsorted": "SearchSorted",
}  # fmt: skip
_FUNCTIONS = {c: f for f, c in _CLASSES.items()}


# -- writing


def write(model: Any) -> dict[str, Any]:
    """The config of a functional model."""
    graph = model._graph
    numbers = graph.node_numbers()
    inside = {id(n) for n in graph.nodes}

    def reference(t: KerasTensor) -> tuple[Any, ...]:
        operation, index, place = t._keras_history
        return operation.name, numbers[id(operation._inbound_nodes[index])], place

    layers = []
    for operation in graph.operations:
        function = isinstance(operation, FunctionCall)
        calls = [n for n in operation._inbound_nodes if id(n) in inside]
        entry = (
            _function_entry(operation, calls[0]) if function else serialize_keras_object(operation)
        )
        entry["name"] = operation.name
        written = []
        for node in calls:
            args, kwargs = node.args, node.kwargs
            if function:
                args, kwargs = _call_arguments(operation, node), {}
            elif isinstance(operation, Layer):
                kwargs = {**_filled_in(operation, args, kwargs), **kwargs}
            written.append(
                {
                    "args": serialize_keras_object(_encode(tuple(args), reference)),
                    "kwargs": serialize_keras_object(_encode(dict(kwargs), reference)),
                }
            )
        entry["inbound_nodes"] = written
        layers.append(entry)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _references(model._inputs_struct, reference),
        "output_layers": _references(model._outputs_struct, reference),
    }


class _Whole:
    """An object of a registered class, as a leaf of a structure."""

    def __init__(self, value: Any) -> None:
        self.tensors = tree.flatten(value)


def _wholes(structure: Any) -> Any:
    """The structure with objects of registered classes as leaves."""
    if isinstance(structure, dict):
        return type(structure)((k, _wholes(v)) for k, v in structure.items())
    if isinstance(structure, list | tuple):
        parts = [_wholes(v) for v in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    return _Whole(structure) if hasattr(structure, "tree_flatten") else structure


def _filled_in(layer: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """What Keras writes of arguments that a call left out: defaults of `training`, empty masks.

    Masks that ride on tensors are not written: they ride again when the file is read.
    """
    signature = layer._signature
    found: dict[str, Any] = {}
    if signature.training_default is not None and signature.training_place >= len(args):
        found["training"] = signature.training_default
    if not signature.any_mask:
        return found
    named = dict(zip(signature.names, args, strict=False)) | kwargs
    tensors = {k: v for k, v in named.items() if _all_symbolic(v)}
    if len(tensors) == 1:
        wanted = {"mask": next(iter(tensors.values()))} if signature.mask else {}
    else:
        wanted = {mask: tensors[source] for mask, source in signature.masks if source in tensors}
    for name, value in wanted.items():
        masks = masks_of(value)
        if named.get(name) is None and not any_mask(masks):
            found[name] = masks
    return found


def _all_symbolic(value: Any) -> bool:
    leaves = tree.flatten(value)
    return bool(leaves) and all(isinstance(t, KerasTensor) for t in leaves)


def _references(structure: Any, reference: Any) -> Any:
    def written(x: Any) -> Any:
        if isinstance(x, _Whole):
            value = [list(reference(t)) for t in x.tensors]
            return {"class_name": _OBJECT, "config": {"value": value}}
        return list(reference(x))

    return tree.map_structure(written, _wholes(structure))


def _object_of(tensors: list[KerasTensor]) -> Any:
    """The object with these leaves, in the result of the call that made them.

    Raises:
        ValueError: There is none.
    """
    operation, index, _ = tensors[0]._keras_history
    waiting = [operation._inbound_nodes[index].result]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list | tuple):
            waiting += part.values() if isinstance(part, dict) else part
            continue
        leaves = tree.flatten(part)
        if len(leaves) == len(tensors) and all(map(operator.is_, leaves, tensors)):
            return part
    raise ValueError(
        f"The config takes {len(tensors)} tensors of layer {operation.name!r} for one object, but "
        "its result holds none of them."
    )


class _Reference:
    """A symbolic tensor, or an object of some, on its way into a config."""

    def __init__(self, tensor: Any, reference: Any) -> None:
        if isinstance(tensor, _Whole):
            value = [_Reference(t, reference)._config for t in tensor.tensors]
            self._config: dict[str, Any] = {"class_name": _OBJECT, "config": {"value": value}}
            return
        self._config = {
            "class_name": _TENSOR,
            "config": {
                "shape": tuple(tensor.shape),
                "dtype": tensor.dtype,
                "keras_history": list(reference(tensor)),
            },
        }

    def keras_tensor_config(self) -> dict[str, Any]:
        return self._config


def _encode(structure: Any, reference: Any) -> Any:
    def written(x: Any) -> Any:
        return _Reference(x, reference) if isinstance(x, KerasTensor | _Whole) else x

    return tree.map_structure(written, _wholes(structure), none_is_leaf=True)


def class_of(function: str) -> str:
    """The name of Keras's operation class of a function: `expand_dims` is `ExpandDims`."""
    return _CLASSES.get(function) or "".join(p[:1].upper() + p[1:] for p in function.split("_"))


def _bound(operation: FunctionCall, node: Any) -> dict[str, Any]:
    signature = inspect.signature(operation.function)
    arguments = signature.bind(*node.args, **node.kwargs)
    arguments.apply_defaults()
    # Keras's classes have no arguments without a name.
    return {
        k: v
        for k, v in arguments.arguments.items()
        if signature.parameters[k].kind is not inspect.Parameter.VAR_KEYWORD
    }


def _is_call_argument(name: str, value: Any) -> bool:
    leaves = tree.flatten(value)
    return name in _CALL_ARGUMENTS or any(isinstance(t, KerasTensor) for t in leaves)


def _call_arguments(operation: FunctionCall, node: Any) -> list[Any]:
    parameters = inspect.signature(operation.function).parameters
    found: list[Any] = []
    for name, value in _bound(operation, node).items():
        if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            found += value
        elif _is_call_argument(name, value):
            found.append(value)
    if operation.function_name == "get_item":
        # JSON has no tuples: a list in a file is a tuple, so lists of indices go as arrays.
        key = found[1]
        parts = [_indices(k) for k in (key if isinstance(key, tuple) else (key,))]
        found[1] = tuple(parts) if isinstance(key, tuple) else parts[0]
    return found


def _indices(part: Any) -> Any:
    return np.asarray(part) if isinstance(part, list) else part


def _function_entry(operation: FunctionCall, node: Any) -> dict[str, Any]:
    name = operation.function.__name__
    public = operation.function_name
    # Keras has no class for it.
    outside = next((m for m in graphs.OUTSIDE if public.startswith(m + ".")), None)
    config = {
        k: serialize_keras_object(v)
        for k, v in _bound(operation, node).items()
        if not _is_call_argument(k, v)
    }
    return {
        "module": outside or f"keras.src.ops.{_MODULE_OF.get(name, 'numpy')}",
        "class_name": class_of(name),
        "config": {"name": operation.name, **config},
        "registered_name": public if outside else class_of(name),
    }


# -- reading


class _Called:
    """A function call read from a config: its own arguments and those of its call."""

    def __init__(self, config: dict[str, Any], function: str) -> None:
        # A dtype that is a name is an argument (of `cast`), a policy belongs to the operation.
        config = {
            k: deserialize_keras_object(v)
            for k, v in config.items()
            if k != "dtype" or isinstance(v, str)
        }
        self.name = config.pop("name", None)
        self.function = graphs.PUBLIC[function]
        self.settings = config

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.function is graphs.PUBLIC.get("get_item"):
            args = tuple(tuple(a) if isinstance(a, list) else a for a in args)
        parameters = list(inspect.signature(self.function).parameters.values())
        names = [p.name for p in parameters]
        given = dict(kwargs)
        several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        free = [] if several else [n for n in names if n not in self.settings]
        given |= dict(zip(free, args, strict=False))
        given |= {k: v for k, v in self.settings.items() if k in names}
        positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        ordered = []
        for name in positional:
            if name not in given:
                break
            ordered.append(given.pop(name))
        if several:
            ordered += args
        call = self.function.node(self.function, self.name)
        return call.symbolic_call(*ordered, **given)


def _operation(entry: dict[str, Any], custom_objects: Any) -> Any:
    module = entry.get("module") or ""
    outside = module in graphs.OUTSIDE
    if outside or module.startswith(("keras.src.ops.", "keras.ops")):
        name = entry["class_name"]
        function = _FUNCTIONS.get(name) or to_snake_case(name)
        if outside:
            room = importlib.import_module(module)  # the room above, which fills the table
            function = entry["registered_name"]
            if function not in graphs.PUBLIC:
                getattr(room, "restore", str)(function)
        if function not in graphs.PUBLIC:
            raise UnknownObjectError(
                f"The config names the operation {module}.{entry['class_name']}, and there is no "
                f"function kerasish.ops.{function} for it."
            )
        return _Called(entry["config"], function)
    return deserialize_keras_object(
        {k: v for k, v in entry.items() if k not in ("name", "inbound_nodes")}, custom_objects
    )


def read(cls: Any, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The functional model of a config.

    Raises:
        ValueError: The config refers to a layer or call that it does not have.
    """
    operations: dict[str, Any] = {}
    tensors: dict[tuple[Any, ...], KerasTensor] = {}
    waiting = []
    for entry in config["layers"]:
        name = entry.get("name") or entry["config"]["name"]
        operation = operations[name] = _operation(entry, custom_objects)
        if isinstance(operation, InputLayer):
            tensors[name, 0, 0] = operation.output
        waiting += [(name, i, node) for i, node in enumerate(entry["inbound_nodes"])]
    done: set[tuple[str, int]] = set()
    while waiting:
        left = []
        for name, i, node in waiting:
            needed = _needed(node)
            if not (all(k in tensors for k in needed) and (i == 0 or (name, i - 1) in done)):
                left.append((name, i, node))
                continue
            args, kwargs = _arguments(node, tensors)
            if isinstance(operations[name], Layer):
                kwargs = _without_default_training(operations[name], kwargs)
            result = operations[name](*args, **kwargs)
            done.add((name, i))
            for j, t in enumerate(tree.flatten(result)):
                tensors[name, i, j] = t
        if len(left) == len(waiting):
            missing = sorted({k for _, _, node in left for k in _needed(node)} - set(tensors))
            raise ValueError(
                f"The config of model {config.get('name')!r} can't be read: nothing in it makes "
                f"{missing[:3]}."
            )
        waiting = left
    inputs = _find(config["input_layers"], tensors)
    outputs = _find(config["output_layers"], tensors)
    rest = {
        k: v
        for k, v in config.items()
        if k not in ("layers", "input_layers", "output_layers", "trainable", "dtype")
    }
    trainable = config.get("trainable")
    return cls(inputs, outputs, **rest, **({} if trainable is None else {"trainable": trainable}))


def _without_default_training(layer: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keras writes the default of `training` too: kept, it would switch off dropout for good."""
    default = layer._signature.training_default
    if default is None or kwargs.get("training") is not default:
        return kwargs
    return {k: v for k, v in kwargs.items() if k != "training"}


def _find(references: Any, tensors: Any) -> Any:
    """The tensors of references `[name, node, place]` in a structure."""
    if isinstance(references, dict):
        if references.get("class_name") == "__tuple__":
            return tuple(_find(r, tensors) for r in references["config"]["value"])
        if references.get("class_name") == _OBJECT:
            return _object_of([_find(r, tensors) for r in references["config"]["value"]])
        return {k: _find(v, tensors) for k, v in references.items()}
    if len(references) == 3 and isinstance(references[0], str):
        return tensors[tuple(references)]
    return [_find(r, tensors) for r in references]


def _needed(node: Any) -> list[tuple[Any, ...]]:
    """The references in a call."""
    if isinstance(node, dict):
        if node.get("class_name") == _TENSOR:
            return [tuple(node["config"]["keras_history"])]
        return [k for v in node.values() for k in _needed(v)]
    if isinstance(node, list | tuple):
        if len(node) >= 3 and isinstance(node[0], str) and _is_old_reference(node):
            return [tuple(node[:3])]
        return [k for v in node for k in _needed(v)]
    return []


def _is_old_reference(node: Any) -> bool:
    """Keras 2 wrote a call as `[[name, node, place, kwargs], ...]`."""
    return len(node) == 4 and isinstance(node[1], int) and isinstance(node[3], dict)


def _arguments(node: Any, tensors: Any) -> tuple[Any, Any]:
    if isinstance(node, dict):
        return _decode(node["args"], tensors), _decode(node["kwargs"], tensors)
    calls = [tensors[tuple(n[:3])] for n in node]
    kwargs: dict[str, Any] = {}
    for n in node:
        kwargs |= _decode(n[3], tensors)
    return [calls[0] if len(calls) == 1 else calls], kwargs


def _decode(structure: Any, tensors: Any) -> Any:
    if isinstance(structure, dict):
        kind = structure.get("class_name")
        if kind == _TENSOR:
            return tensors[tuple(structure["config"]["keras_history"])]
        if kind == _OBJECT:
            return _object_of([_decode(v, tensors) for v in structure["config"]["value"]])
        if kind == "__tuple__":
            return tuple(_decode(v, tensors) for v in structure["config"]["value"])
        if kind is not None and "config" in structure:
            return deserialize_keras_object(structure)
        return {k: _decode(v, tensors) for k, v in structure.items()}
    if isinstance(structure, list | tuple):
        return [_decode(v, tensors) for v in structure]
    return structure
