"""The scope that says which layers made in it compute their inner values twice."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

__all__ = ["RematMode", "RematScope", "current_remat_mode"]

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class RematMode(NamedTuple):
    """What an open `RematScope` asks for; the fields are its arguments."""

    mode: str | None
    output_size_threshold: int
    layer_names: list[str]


class _Open(threading.local):
    def __init__(self) -> None:
        self.stack: list[RematMode] = []


_open = _Open()


class RematScope:
    """Layers made in the block compute their inner values a second time for the gradient.

    The tape then keeps a layer's inputs only: less memory for more time. What counts is the scope
    in which a layer is made, not the one in which it is called.

    Args:
        mode: "full": every layer. "activations": the activation functions of layers that have one.
            "larger_than": layers whose output has more elements than the threshold.
            "list_of_layers": those named. None: none, inside another scope.
        output_size_threshold: For "larger_than"; an unknown size counts as 1.
        layer_names: For "list_of_layers".

    Raises:
        ValueError: An unknown mode.

    Source: T. Chen et al., "Training Deep Nets with Sublinear Memory Cost" (2016);
    https://keras.io/api/utils/rematerialization/

    >>> from kerasish import RematScope, layers
    >>> with RematScope(mode="list_of_layers", layer_names=["big"]):
    ...     big, small = layers.Dense(512, name="big"), layers.Dense(2, name="small")
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024,
        layer_names: Any = None,
    ) -> None:  # fmt: skip
        if mode not in _MODES:
            raise ValueError(
                f"Invalid mode '{mode}'. Supported modes are: 'full', 'activations', "
                "'larger_than', 'list_of_layers', or None."
            )
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = layer_names or []

    def __enter__(self) -> RematScope:
        _open.stack.append(RematMode(self.mode, self.output_size_threshold, self.layer_names))
        return self

    def __exit__(self, *error: object) -> None:
        _open.stack.pop()


def current_remat_mode() -> RematMode | None:
    """What the innermost open scope asks for; None outside of all."""
    return _open.stack[-1] if _open.stack else None
