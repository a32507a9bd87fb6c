"""Layers around modules of other frameworks, none of which is underneath here."""

from __future__ import annotations

from typing import Any

from ...serialization import builtin
from ..base import Layer

__all__ = ["FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"]


def _refuse(layer: Layer, framework: str, instead: str) -> None:
    raise ImportError(
        f"{type(layer).__name__} runs code of {framework}, which is not underneath here. "
        f"{instead} Or run this program with the `keras` package on a backend of {framework}."
    )


@builtin("keras.layers")
class JaxLayer(Layer):
    """Not to be had: it would run functions of JAX.

    Args:
        call_fn, init_fn, params, state, seed, native_serialization_platforms: As in Keras.

    Raises:
        ImportError: Always; it says what to do instead.
    """

    def __init__(
        self, call_fn: Any, init_fn: Any = None, params: Any = None, state: Any = None,
        seed: Any = None, native_serialization_platforms: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        _refuse(self, "JAX", "Write the function with `kerasish.ops` in a layer's `call`.")


@builtin("keras.layers")
class FlaxLayer(JaxLayer):
    """Not to be had: it would run a module of Flax.

    Args:
        module, method, variables: As in Keras.

    Raises:
        ImportError: Always; it says what to do instead.
    """

    def __init__(
        self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any
    ) -> None:
        _refuse(
            self, "Flax",
            "Rebuild the module of `kerasish.layers` and give it the weights by `set_weights`.",
        )  # fmt: skip


@builtin("keras.layers")
class TorchModuleWrapper(Layer):
    """Not to be had: it would run a module of PyTorch.

    Args:
        module, name, output_shape: As in Keras.

    Raises:
        ImportError: Always; it says what to do instead.
    """

    def __init__(
        self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any
    ) -> None:
        _refuse(
            self, "PyTorch",
            "Rebuild the module of `kerasish.layers` and give it the weights by `set_weights`.",
        )  # fmt: skip

    def parameters(self, recurse: bool = True) -> Any:
        """The module's parameters: there is no module."""
        return iter(())


@builtin("keras.layers")
class TFSMLayer(Layer):
    """Not to be had: it would run a SavedModel of TensorFlow.

    Args:
        filepath, call_endpoint, call_training_endpoint, trainable, name, dtype: As in Keras.

    Raises:
        ImportError: Always; it says what to do instead.
    """

    def __init__(
        self, filepath: Any, call_endpoint: str = "serve", call_training_endpoint: Any = None,
        trainable: bool = True, name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        _refuse(
            self, "TensorFlow",
            "Save the model as `.keras` or its weights as `.weights.h5` and load those.",
        )  # fmt: skip
