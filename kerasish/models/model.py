"""Model: a layer that can be trained, saved and summarised."""

from __future__ import annotations

import json
import warnings
from typing import Any

from .. import older
from ..export import export_onnx
from ..layers import Layer
from ..layers.call_spec import shapes_of
from ..layers.shapes import symbolic_of
from ..naming import name_scope
from ..ops.symbolic import compute_output_spec, evaluate
from ..saving import load_weights, save_model, save_weights
from ..saving.keras2 import modern_config
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..training import Trainer
from .quantizing import quantize_model
from .state_tree import as_tree, assign_tree
from .summary import print_summary

__all__ = ["Model", "model_from_json"]


@builtin("keras")
class Model(Trainer, Layer):
    """A network with its training.

    Made in three ways: `Model(inputs, outputs)` of symbolic tensors, `Sequential`, or a subclass
    with its own `call`.

    Source: https://keras.io/api/models/model/
    """

    # The class of `Model(inputs, outputs)`, set by the module that defines it.
    _functional: Any = None
    # Attributes that hold no parts of a weights file.
    _not_in_files = frozenset(
        ["_stack", "_network", "_outputs", "_graph", "_inputs_struct", "_outputs_struct",
         "_accepted", "history", "inputs", "outputs", "operations", "loss", "_compile_loss",
         "_compile_metrics", "_compile_config", "_loss_tracker", "_steps", "_fingerprint", "_known",
         "train_function", "test_function", "predict_function"]
    )  # fmt: skip

    @older.arguments
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            return Layer.__new__(Model._functional, *args, **kwargs)
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _is_functional(args, kwargs):
            # A subclass whose __init__ passes inputs and outputs: it is a functional model.
            _make_functional(type(self))
            Model._functional.__init__(self, *args, **kwargs)
            return
        Layer.__init__(self, *args, **kwargs)
        self._start_trainer()

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. Subclasses override it."""
        raise NotImplementedError(
            f"Model {type(self).__name__} does not have a `call()` method implemented."
        )

    # -- layers
    @property
    def layers(self) -> list[Any]:
        """The layers held directly."""
        return list(self._flatten_layers(include_self=False, recursive=False))

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`Model.layers` attribute is reserved and should not be used. Please use another name."
        )

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """A layer by its name or index.

        Raises:
            ValueError: There is none, or both (or neither) are given.
        """
        if index is not None and name is not None:
            raise ValueError(
                f"Provide only a layer name or a layer index. Received: index={index}, name={name}."
            )
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(layers)} layers."
                )
            return layers[index]
        if name is None:
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}."
        )

    def summary(
        self, line_length: Any = None, positions: Any = None, print_fn: Any = None,
        expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None,
    ) -> None:  # fmt: skip
        """Print a table of the layers.

        Args:
            line_length: Width of the table.
            positions: Where columns end: shares of the width, or numbers of characters.
            print_fn: Called with the text instead of `print`.
            expand_nested: Whether layers of nested models are listed too.
            show_trainable: Whether a column says which layers are trained.
            layer_range: Names (or patterns) of the first and last layer to list.
        """
        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    # -- building
    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape by running the model abstractly.

        Args:
            input_shape: A shape with the batch axis, or a list or dictionary of them.
        """
        if type(self).call is Model.call or input_shape is None or self._is_ready():
            return
        x = symbolic_of(_listed(input_shape), self.compute_dtype)
        try:
            compute_output_spec(self.call, x)
        except Exception as error:
            warnings.warn(
                f"Model '{self.name}' can't be built by calling it on float inputs of shape "
                f"{input_shape} ({type(error).__name__}: {error}), so it has unbuilt layers. Call "
                "it on real data instead, or define build().",
                stacklevel=4,
            )
        finally:
            self._clear_losses()

    def _is_ready(self) -> bool:
        layers = self._flatten_layers(include_self=False)
        return bool(layers) and all(layer.built for layer in layers)

    def _maybe_build(self, args: Any, kwargs: Any, symbolic: bool) -> None:
        if type(self).build is not Model.build:
            super()._maybe_build(args, kwargs, symbolic)
            return
        # The layers are built, under this model's name, when `call` runs abstractly on what it
        # was really called with.
        if any(not layer.built for layer in self._layers):
            with name_scope(self.name, caller=self):
                try:
                    evaluate(self.call, args, kwargs)
                except Exception:
                    if symbolic:
                        raise
                    return  # the call itself builds them, or raises
                finally:
                    self._clear_losses()
        self._note_build(args, kwargs)

    def _note_build(self, args: Any, kwargs: Any) -> None:
        shapes = shapes_of(self._signature, args, kwargs)
        self._build_shapes = (
            {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else shapes
        )
        self.built = True
        self._tracker.locked = self._locks

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build as the saved model was."""
        if not config or self.built:
            return
        shape = config.get("input_shape")
        if shape is None and "shapes_dict" in config:
            shapes = config["shapes_dict"]
            if type(self).build is not Model.build:
                super().build_from_config(config)
                return
            inputs = {
                k[: -len("_shape")]: symbolic_of(_listed(v), self.compute_dtype)
                for k, v in shapes.items()
            }
            compute_output_spec(self.call, **inputs)
            self.built = True
            return
        if shape is not None:
            self.build(_listed(shape))

    # -- state as a tree
    def quantize(
        self, mode: str | None = None, config: Any = None, filters: Any = None, **kwargs: Any
    ) -> None:
        """Put the weights of all layers that have such a form into few bits.

        Args:
            mode: `"int8"`, `"int4"`, `"float8"`, or `"gptq"` and `"awq"`, which look at the data of
                their `config`; that of `config` if None.
            config: A `QuantizationConfig`.
            filters: A regular expression or several (for names), or a function of a layer: which
                layers.
            **kwargs: `type_check=False` quantizes subclasses of layers too.

        Raises:
            ValueError: The model is not built, or an argument is wrong.
        """
        type_check = kwargs.pop("type_check", True)
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}"
            )
        quantize_model(self, mode, config, filters, type_check)

    def get_quantization_layer_structure(self, mode: str | None = None) -> Any:
        """Which layers a calibrated mode quantizes one after another; to be overridden."""
        return None

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict[str, Any]]:
        """The values of all variables as dictionaries nested by their paths.

        Args:
            value_format: "backend_tensor" or "numpy_array".

        Returns:
            A dictionary for each of `trainable_variables`, `non_trainable_variables`,
            `optimizer_variables` and `metrics_variables`.

        Raises:
            ValueError: Two variables have the same path.
        """
        return {kind: as_tree(v, value_format) for kind, v in self._state_groups().items()}

    def set_state_tree(self, state_tree: dict[str, dict[str, Any]]) -> None:
        """Assign values in the form in which `get_state_tree` returns them.

        Raises:
            ValueError: A kind or path is unknown.
        """
        groups = self._state_groups()
        for kind, values in state_tree.items():
            if kind not in groups:
                raise ValueError(f"Unknown variable name: {kind}. Known are {list(groups)}.")
            assign_tree(groups[kind], values)

    def _state_groups(self) -> dict[str, list[Any]]:
        optimizer = getattr(self, "optimizer", None)
        return {
            "trainable_variables": list(self.trainable_variables),
            "non_trainable_variables": list(self.non_trainable_variables),
            "optimizer_variables": [] if optimizer is None else list(optimizer.variables),
            "metrics_variables": list(self.metrics_variables),
        }

    # -- files
    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None
    ) -> None:
        """Write all weights to a `.weights.h5` file, replacing an old one in one step.

        Args:
            filepath: Ends in `.weights.h5`; in `.weights.json` for several files.
            overwrite: Whether an existing file may be replaced; if not, you are asked.
            max_shard_size: GB of arrays in one of several files.
        """
        save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read weights from a `.weights.h5` file of ours or Keras's.

        Raises:
            ValueError: The file is damaged, or its shapes differ from the model's.
        """
        load_weights(self, filepath, skip_mismatch, **kwargs)

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Write the whole model to a `.keras` file: architecture, weights, training state."""
        save_model(self, filepath, overwrite, zipped, **kwargs)

    def export(
        self, filepath: Any, format: str = "tf_saved_model", verbose: Any = None,
        input_signature: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        """Write the model for inference by other programs.

        Args:
            filepath: The file.
            format: "onnx"; Keras's other formats need the frameworks that they belong to.
            verbose: Whether to print where it is.
            input_signature: List of `InputSpec`s; by default the model's inputs. Sizes that are
                None stay free.
            **kwargs: `opset_version` of ONNX.

        Raises:
            NotImplementedError: Another format, or an operation that is not exported.
            ImportError: The package `onnx` is missing.
        """
        if format != "onnx":
            raise NotImplementedError(
                f"export: format={format!r} needs the framework that it belongs to. Here is "
                'format="onnx"; or save the model as `.keras`, which Keras exports from there.'
            )
        export_onnx(self, filepath, input_signature, **kwargs)
        if verbose:
            print(f"Saved artifact at '{filepath}'.")

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON; arguments as of `json.dumps`."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model of a config."""
        if {"layers", "input_layers", "output_layers"} <= set(config) and cls is Model:
            return Model._functional.from_config(config, custom_objects)
        return super().from_config(config)


def _listed(shape: Any) -> Any:
    """Lists of sizes, as JSON gives them, as tuples."""
    if isinstance(shape, dict):
        return {k: _listed(v) for k, v in shape.items()}
    if isinstance(shape, list | tuple):
        if all(n is None or isinstance(n, int) for n in shape):
            return tuple(shape)
        return [_listed(s) for s in shape]
    return shape


def _is_functional(args: Any, kwargs: Any) -> bool:
    return (
        len(args) >= 2
        or (len(args) == 1 and "outputs" in kwargs)
        or {"inputs", "outputs"} <= set(kwargs)
    )


def _make_functional(cls: type) -> None:
    """Put the functional class in place of `Model` among the bases of a class."""
    if issubclass(cls, Model._functional):
        return
    for base in cls.__bases__:
        if base is not Model and issubclass(base, Model):
            _make_functional(base)
    cls.__bases__ = tuple(Model._functional if b is Model else b for b in cls.__bases__)


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model of `to_json` (also Keras 2's), with fresh weights."""
    config = json.loads(json_string)
    if isinstance(config, dict) and "module" not in config:
        config = modern_config(config, str(config.get("keras_version", "2")))
    return deserialize_keras_object(config, custom_objects)
