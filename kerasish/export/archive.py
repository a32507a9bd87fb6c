"""Several functions of a model in one folder, each as an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..serialization import builtin
from .onnx import export_onnx

__all__ = ["ExportArchive"]


@builtin("keras.export")
class ExportArchive:
    """Writes functions ("endpoints") of models to a folder, as `<name>.onnx` each.

    Keras writes a SavedModel here, which needs TensorFlow; the methods are the same.

    Source: https://keras.io/api/models/model_saving_apis/export/
    """

    def __init__(self) -> None:
        self._endpoints: dict[str, tuple[Any, Any]] = {}
        self._collections: dict[str, list[Any]] = {}
        self._tracked: list[Any] = []

    def track(self, resource: Any) -> None:
        """Note a layer or model whose weights belong to the archive."""
        if not hasattr(resource, "variables"):
            raise ValueError(f"Invalid resource type. Expected a Layer, received: {resource!r}")
        self._tracked.append(resource)

    def add_endpoint(self, name: str, fn: Any, input_signature: Any = None, **kwargs: Any) -> Any:
        """Add a function of tensors.

        Args:
            name: Of the endpoint and its file.
            fn: A model, or a function of tensors.
            input_signature: List of `InputSpec`s or KerasTensors, one for each argument; None as
                first size means any. A model knows its own.

        Raises:
            ValueError: The name is taken, or a function has no signature.
        """
        if kwargs:
            raise ValueError(f"Unknown keyword arguments: {kwargs}")
        if name in self._endpoints:
            raise ValueError(f"Endpoint name '{name}' is already taken.")
        if input_signature is None and not hasattr(fn, "inputs"):
            raise ValueError(
                f"Endpoint '{name}': a function needs input_signature, a list of InputSpec."
            )
        self._endpoints[name] = fn, input_signature
        return fn

    def track_and_add_endpoint(
        self, name: str, resource: Any, input_signature: Any, **kwargs: Any
    ) -> Any:
        """`track` and `add_endpoint` in one."""
        self.track(resource)
        return self.add_endpoint(name, resource, input_signature, **kwargs)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """Note a list of variables; ONNX files hold those that their function reads."""
        self._collections[name] = list(variables)

    def write_out(self, filepath: Any, options: Any = None, verbose: bool = True) -> None:
        """Write all endpoints to a folder.

        Raises:
            ValueError: There are none.
        """
        if not self._endpoints:
            raise ValueError(
                "No endpoints have been set yet. Call add_endpoint() before write_out()."
            )
        folder = Path(os.fspath(filepath))
        folder.mkdir(parents=True, exist_ok=True)
        for name, (fn, signature) in self._endpoints.items():
            export_onnx(fn, folder / f"{name}.onnx", signature)
        if verbose:
            print(f"Saved {len(self._endpoints)} endpoint(s) to {folder}: {list(self._endpoints)}")
