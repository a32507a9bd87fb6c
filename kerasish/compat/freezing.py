"""`trainable` as in Keras 2: what it was at `compile` holds for training until the next one.

So a GAN's discriminator, compiled before it is frozen inside the combined model, goes on
learning when it is trained by itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..settings import structure_version

__all__ = ["as_compiled", "note"]


def note(model: Any) -> None:
    """Remember what is trainable now."""
    layers = [(layer, layer._trainable) for layer in model._flatten_layers()]
    weights = [(v, v.trainable) for v in model.variables]
    model._keep(_at_compile=(structure_version(), layers, weights))


@contextlib.contextmanager
def as_compiled(model: Any) -> Iterator[None]:
    """In the block, what was trainable at `compile` is."""
    noted = model.__dict__.get("_at_compile")
    if noted is None or noted[0] == structure_version():
        yield
        return
    _, layers, weights = noted
    changed_layers = [(x, x._trainable, then) for x, then in layers if x._trainable != then]
    changed = [(v, v.trainable, then) for v, then in weights if v.trainable != then]
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
