"""`trainable` as in Keras 2: what it was at `compile` holds for training until the next one.

So a GAN's discriminator, compiled before it is frozen inside the combined model, goes on
learning when it is trained by itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ..settings import structure_version

__all__ = ["compile", "train"]


def compile(before: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
    """Compile, and note what is trainable."""
    result = before(model, *args, **kwargs)
    flags = {id(layer): (layer, layer._trainable) for layer in model._flatten_layers()}
    weights = {id(v): (v, v.trainable) for v in model.variables}
    model._keep(_at_compile=(structure_version(), flags, weights))
    return result


def train(before: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
    """Train what was trainable at `compile`."""
    noted = model.__dict__.get("_at_compile")
    if noted is None or noted[0] == structure_version():
        return before(model, *args, **kwargs)
    with _as_noted(*noted[1:]):
        return before(model, *args, **kwargs)


@contextlib.contextmanager
def _as_noted(layers: dict[int, Any], weights: dict[int, Any]) -> Iterator[None]:
    changed_layers = [
        (x, x._trainable, then) for x, then in layers.values() if x._trainable != then
    ]
    changed = [(v, v.trainable, then) for v, then in weights.values() if v.trainable != then]
    for layer, _, then in changed_layers:
        object.__setattr__(layer, "_trainable", then)
    for v, _, then in changed:
        v.trainable = then
    try:
        yield
    finally:
        for layer, now, _ in changed_layers:
            object.__setattr__(layer, "_trainable", now)
        for v, now, _ in changed:
            v.trainable = now
