"""Sessions and graphs of TensorFlow 1, as programs set them up around Keras: what configures a
device has no effect, and what a session runs has its values already."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

import kerasish_core as core

from ...ops.symbolic import KerasTensor
from .values import plain

__all__ = ["ConfigProto", "Graph", "Session", "get_default_graph", "get_default_session"]

tree = core.tree


class ConfigProto:
    """Options that have no effect here; each may hold options itself."""

    ON_1, ON_2, OFF = 1, 2, -1

    def __init__(self, **options: Any) -> None:
        self.__dict__.update(options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = self.__dict__[name] = ConfigProto()
        return made

    def CopyFrom(self, other: Any) -> None:
        """Take the options of another one."""
        self.__dict__.update(vars(other))


class Graph:
    """The one there is: a name for what is made in the program."""

    def as_default(self) -> Any:
        """A block that changes nothing."""
        return contextlib.nullcontext(self)

    def finalize(self) -> None:
        """Nothing to do."""

    def get_operations(self) -> list[Any]:
        """None are kept."""
        return []


_GRAPH = Graph()


@plain
def get_default_graph() -> Graph:
    """The one there is."""
    return _GRAPH


class Session:
    """What `run` is asked for, as arrays: tensors and variables have their values at once.

    Args:
        target, graph, config: Have no effect.
    """

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph = graph if graph is not None else _GRAPH

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """The values of tensors and variables in a structure; None of what is done already.

        Raises:
            RuntimeError: A tensor is symbolic, or values are to be fed: there is no graph to run.
        """
        if feed_dict:
            raise _no_graph("values can't be fed into tensors")
        return tree.map_structure(_value, fetches)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: Any) -> None:
        """Nothing to end."""

    def as_default(self) -> Any:
        """A block that changes nothing."""
        return contextlib.nullcontext(self)

    def close(self) -> None:
        """Nothing to end."""

    def list_devices(self) -> list[Any]:
        """None are listed; see `tf.config.list_physical_devices`."""
        return []


def _value(x: Any) -> Any:
    if isinstance(x, KerasTensor):
        raise _no_graph("a symbolic tensor has no value")
    return np.array(x)[()] if isinstance(x, core.Tensor | core.Variable) else x


def _no_graph(what: str) -> RuntimeError:
    return RuntimeError(
        f"Session.run: {what}: kerasish has no graph that a session could run. Tensors have "
        "values at once; evaluate symbolic ones by K.function(inputs, outputs) or a Model."
    )


_SESSION = Session()


@plain
def get_default_session() -> Session:
    """The one there is."""
    return _SESSION


@plain
def placeholder(dtype: Any, shape: Any = None, name: Any = None) -> Any:
    """There is none.

    Raises:
        RuntimeError: Always; it says what to use instead.
    """
    raise RuntimeError(
        "tf.placeholder: kerasish has no graph that values could be fed into. Use keras.Input, "
        "or K.placeholder with K.function."
    )
