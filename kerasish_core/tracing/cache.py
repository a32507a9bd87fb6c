"""When two calls can share a trace, and why they can't."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import device, tree
from ..op import Spec
from ..tensor import Tensor
from ..variable import Variable

__all__ = ["Signature", "explain_difference", "quick_key", "signature_of"]


class Signature(NamedTuple):
    """What a trace depends on: structure, specs, Python values, device, the caller's key."""

    paths: tuple[Any, ...]
    leaves: tuple[Any, ...]
    device: str
    key: Any


def _leaf(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.spec
    if isinstance(x, np.ndarray):
        return Spec(x.shape, x.dtype)
    if isinstance(x, Variable):
        return ("variable", id(x))
    try:
        hash(x)
    except TypeError:
        return ("object", id(x))
    # 1 == 1.0 == True, yet they promote differently.
    return (type(x), x)


def signature_of(
    args: Any, kwargs: Any, key: Any = None, on: str | None = None
) -> tuple[Signature, list[Any]]:
    """The signature of a call, on the current device unless another is named; its flat leaves."""
    found = tree.flatten_with_path((args, kwargs))
    leaves = [leaf for _, leaf in found]
    paths = tuple([path for path, _ in found])
    return (
        Signature(paths, tuple([_leaf(x) for x in leaves]), on or device.current_device(), key),
        leaves,
    )


def quick_key(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Any]] | None:
    """What tells a call from others at a small price, and its tensors and arrays.

    None where the arguments hold anything but tensors, arrays and None in tuples, lists and plain
    dictionaries: `signature_of` then looks closer. Equal quick keys have equal signatures.
    """
    key: list[Any] = []
    leaves: list[Any] = []
    return (tuple(key), leaves) if _quick(args, key, leaves) else None


def _quick(node: Any, key: list[Any], leaves: list[Any]) -> bool:
    kind = type(node)
    if kind is Tensor:
        if getattr(node, "_mask", None) is not None:
            return False
        array = node._value
        key += (array.shape, array.dtype)
        leaves.append(array)
        return True
    if node is None:
        key.append(None)
        return True
    if kind is tuple or kind is list:
        key += (kind, len(node))
        children = node
    elif kind is dict:
        try:
            names = sorted(node)
        except TypeError:
            return False
        key += (kind, *names)
        children = [node[name] for name in names]
    else:
        return False
    for child in children:  # `all` of a generator takes twice as long
        if type(child) is np.ndarray:
            key += (child.shape, child.dtype)
            leaves.append(child)
        elif not _quick(child, key, leaves):
            return False
    return True


def explain_difference(new: Signature, old: Signature) -> str:
    """Why a call could not use an earlier trace, in a sentence."""
    if new.paths != old.paths:
        counts = f"{len(new.paths)} leaves, were {len(old.paths)}"
        return f"the structure of the arguments differs: {counts}"
    for path, a, b in zip(new.paths, new.leaves, old.leaves, strict=True):
        if a != b:
            place = "".join(f"[{p!r}]" for p in path)
            return f"argument {place} is {_show(a)}, was {_show(b)}"
    if new.device != old.device:
        return f"the device is {new.device}, was {old.device}"
    return "the model's structure, trainable flags or dtype policy changed"


def _show(leaf: Any) -> str:
    return str(leaf) if isinstance(leaf, Spec) else repr(leaf[1])
