"""What a layer's `call` and `build` take: looked up once per function."""

from __future__ import annotations

import inspect
import weakref
from typing import Any

import kerasish_core as core

from ..ops.symbolic import KerasTensor

__all__ = ["CallSignature", "build_arguments", "shapes_of", "signature_of"]

_TENSORS = (core.Tensor, KerasTensor)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class CallSignature:
    """The arguments of a method.

    Attributes:
        names: Of the arguments, without `self`, `*args` and `**kwargs`.
        first, needs_first: The first of them, and whether it must be given.
        var_keyword: Whether it takes any keyword.
        training, training_default: Whether it takes `training`, and its default.
        mask: Whether it takes `mask`.
        masks: Place by name of `..._mask` arguments, with that of the argument they belong to.
    """

    def __init__(self, parameters: dict[str, inspect.Parameter]) -> None:
        self.names = [n for n, p in parameters.items() if p.kind not in _VARIADIC]
        self.first = self.names[0] if self.names else "inputs"
        self.needs_first = bool(
            self.names
            and parameters[self.first].default is inspect.Parameter.empty
            and parameters[self.first].kind is not inspect.Parameter.KEYWORD_ONLY
        )
        self.var_keyword = any(p.kind is _VARIADIC[1] for p in parameters.values())
        self.place = {name: i for i, name in enumerate(self.names)}
        self.training = "training" in self.place
        default = parameters["training"].default if self.training else None
        self.training_default = None if default is inspect.Parameter.empty else default
        self.training_place = self.place.get("training", -1)
        self.mask = "mask" in self.place
        self.masks = [
            (name, name[: -len("_mask")]) for name in self.names
            if name.endswith("_mask") and name[: -len("_mask")] in self.place
        ]  # fmt: skip
        self.any_mask = self.mask or bool(self.masks)


_known: weakref.WeakKeyDictionary[Any, CallSignature] = weakref.WeakKeyDictionary()


def signature_of(method: Any) -> CallSignature:
    """The signature of a bound method (or of a function set on the instance)."""
    function = getattr(method, "__func__", None)
    if function is None:
        return CallSignature(dict(inspect.signature(method).parameters))
    found = _known.get(function)
    if found is None:
        found = _known[function] = CallSignature(dict(inspect.signature(method).parameters))
    return found


def shapes_of(signature: CallSignature, args: Any, kwargs: Any) -> dict[str, Any]:
    """Argument name with `_shape` to the shape of each tensor argument, in `call`'s order."""
    named = dict(zip(signature.names, args, strict=False))
    named.update(kwargs)
    found = {}
    for name in [n for n in signature.names if n in named] + [
        n for n in named if n not in signature.place
    ]:
        value = named[name]
        if name in ("training", "mask") or name.endswith("_mask") or value is None:
            continue
        if isinstance(value, _TENSORS):
            found[f"{name}_shape"] = tuple(value.shape)
            continue
        leaves = core.tree.flatten(value)
        tensors = [isinstance(x, _TENSORS) for x in leaves]
        if any(tensors) and all(t or x is None for t, x in zip(tensors, leaves, strict=True)):
            found[f"{name}_shape"] = core.tree.map_structure(
                lambda x: None if x is None else tuple(x.shape), value
            )
    return found


def build_arguments(
    names: list[str], shapes: dict[str, Any], call_names: list[str], class_name: str
) -> dict[str, Any]:
    """The arguments of `build` out of the shapes of `call`'s arguments.

    Raises:
        ValueError: `build` has several arguments and one is not named after an argument of call.
    """
    if len(names) <= 1:
        return {name: next(iter(shapes.values()), None) for name in names}
    for name in names:
        if not name.endswith("_shape") or name[: -len("_shape")] not in call_names:
            raise ValueError(
                "For a `build()` method with more than one argument, all arguments should have a "
                "`_shape` suffix and match an argument from `call()`. E.g. `build(self, "
                f"foo_shape, bar_shape)` for `call(self, foo, bar)`. For layer '{class_name}', "
                f"received `build()` argument `{name}`, which does not match any of the call "
                f"arguments {call_names}."
            )
    found = {name: shapes[name] for name in names if name in shapes}
    if not found and len(shapes) == 1:  # a wrapper gives the shape of the first argument
        return {names[0]: next(iter(shapes.values()))}
    return found
