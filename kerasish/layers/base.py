"""The base of all layers."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

import kerasish_core as core

from .. import constraints, dtype_policies, initializers, regularizers
from ..metrics import Metric
from ..naming import current_path, name_scope
from ..ops.symbolic import KerasTensor, Node, Operation, any_symbolic, compute_output_spec
from ..random import SeedGenerator
from ..serialization import builtin, deserialize_keras_object
from ..variable import Variable, autocast_scope
from .call_context import current_context, entered
from .input_spec import assert_input_compatibility
from .tracking import bump_structure_version, tracked

__all__ = ["Layer"]

_PLAIN = (str, int, float, bool, type(None), bytes)


class CallSignature:
    """What is known of a layer's `call`: its arguments, and which of them it takes."""

    def __init__(self, call: Any) -> None:
        parameters = inspect.signature(call).parameters
        self.names = [
            n for n, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        self.var_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        self.training = "training" in parameters
        self.training_default = (
            None
            if not self.training or parameters["training"].default is inspect.Parameter.empty
            else parameters["training"].default
        )
        self.mask = "mask" in parameters
        self.first = self.names[0] if self.names else "inputs"
        self.masks = [n for n in self.names if n.endswith("_mask")]


@builtin("keras.layers")
class Layer(Operation):
    """A callable with state: weights, sublayers, metrics.

    A subclass makes its weights in `build(input_shape)` (or `__init__`) by `add_weight` and
    computes in `call`.

    Args:
        activity_regularizer: Penalty on the output.
        trainable: Whether its weights are trained.
        dtype: A dtype or policy: of variables and computation.
        autocast: Whether floating inputs are cast to the compute dtype.
        name: By default made from the class name.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = object.__new__(cls)
        # For layers without get_config of their own.
        object.__setattr__(instance, "_init_arguments", (args, kwargs))
        object.__setattr__(instance, "_ready", False)
        return instance

    def __init__(
        self, *, activity_regularizer: Any = None, trainable: bool = True, dtype: Any = None,
        autocast: bool = True, name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        shape = kwargs.pop("input_shape", None)
        if shape is None and "input_dim" in kwargs:
            shape = (kwargs.pop("input_dim"),)
        batch_shape = kwargs.pop("batch_input_shape", None)
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}"
            )
        self._start(name, trainable, dtype, autocast)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if batch_shape is not None:
            self._batch_input_shape = tuple(batch_shape)
        elif shape is not None:
            self._batch_input_shape = (
                None,
                *(shape if isinstance(shape, list | tuple) else (shape,)),
            )

    def _start(self, name: Any, trainable: bool, dtype: Any, autocast: bool) -> None:
        Operation.__init__(self, name)
        self._dtype_policy = dtype_policies.get(dtype)
        self._trainable = bool(trainable)
        self.autocast = autocast
        self.supports_masking = False
        self.input_spec = None
        self.built = False
        self._losses: list[Any] = []
        self._own_weights: list[Variable] = []
        self._build_shapes: Any = None
        self._path = ""
        self._signature = CallSignature(self.call)
        self._called = False
        object.__setattr__(self, "_ready", True)

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(value, _PLAIN) and not self.__dict__.get("_ready"):  # noqa: SIM102
            if (
                "_ready" in self.__dict__
                and not name.startswith("_")
                and isinstance(value, Layer | Variable | Metric)
            ):
                raise RuntimeError(
                    f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` "
                    "as the first statement in the `__init__()` method. Go add it!"
                )
        if self.__dict__.get("_ready") and isinstance(value, Layer | list | dict):
            bump_structure_version()
        object.__setattr__(self, name, value)

    # -- tracking
    def _tracked(self, kind: type) -> list[Any]:
        found: list[Any] = []
        seen: set[int] = set()
        for key, value in self.__dict__.items():
            if key in _UNTRACKED or isinstance(value, _PLAIN):
                continue
            found += [x for x in tracked(value, Layer, seen) if isinstance(x, kind)]
        return found

    @property
    def _layers(self) -> list[Layer]:
        return self._tracked(Layer)

    def _own_variables(self) -> list[Variable]:
        known = {id(v) for v in self._own_weights}
        return self._own_weights + [v for v in self._tracked(Variable) if id(v) not in known]

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        found: list[Layer] = []
        seen: set[int] = set()

        def visit(layer: Layer) -> None:
            if id(layer) in seen:
                return
            seen.add(id(layer))
            found.append(layer)
            for each in layer._layers:
                if recursive:
                    visit(each)
                elif id(each) not in seen:
                    seen.add(id(each))
                    found.append(each)

        visit(self)
        return found if include_self else found[1:]

    @property
    def variables(self) -> list[Variable]:
        """Every variable: weights, metric and seed states."""
        found = list(self.weights) + [
            g.state for layer in self._flatten_layers() for g in layer._tracked(SeedGenerator)
        ]
        return _unique(found + self.metrics_variables)

    @property
    def weights(self) -> list[Variable]:
        """Trainable and other weights: own ones, then those of sublayers."""
        own = self._own_variables()
        own = [v for v in own if v.trainable] + [v for v in own if not v.trainable]
        return _unique(own + [w for layer in self._layers for w in layer.weights])

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes: none if `trainable` is False."""
        if not self._trainable:
            return []
        own = [v for v in self._own_variables() if v.trainable]
        return _unique(own + [w for layer in self._layers for w in layer.trainable_weights])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other weights."""
        if not self._trainable:
            return self.weights
        own = [v for v in self._own_variables() if not v.trainable]
        return _unique(own + [w for layer in self._layers for w in layer.non_trainable_weights])

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All variables but the trainable weights."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def metrics(self) -> list[Any]:
        """The metrics held as attributes, here and in sublayers."""
        return _unique(self._tracked(Metric) + [m for layer in self._layers for m in layer.metrics])

    @property
    def metrics_variables(self) -> list[Variable]:
        return [v for m in self.metrics for v in m.variables]

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; setting it sets that of all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        for layer in self._flatten_layers():
            object.__setattr__(layer, "_trainable", value)
        for layer in self._flatten_layers():
            for v in layer._own_variables():
                if getattr(v, "_trained_by_default", v.trainable):
                    v._trained_by_default = True
                    v.trainable = value
        bump_structure_version()

    def get_weights(self) -> list[Any]:
        """The values of `weights` as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set the values of `weights`.

        Raises:
            ValueError: Their number or a shape differs.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of "
                f"length {len(weights)}, but the layer was expecting {len(own)} weights."
            )
        for v, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != v.shape:
                raise ValueError(
                    f"Layer {self.name} weight shape {v.shape} is not compatible with provided "
                    f"weight shape {np.shape(value)}."
                )
        for v, value in zip(own, weights, strict=True):
            v.assign(value)

    def count_params(self) -> int:
        """The number of elements of all weights."""
        if not self.built and not self.weights and self._signature.names:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't "
                f"built. You can build it manually via: `layer.build(input_shape)`."
            )
        return int(sum(np.prod(v.shape, dtype=np.int64) for v in self.weights))

    # -- dtypes
    @property
    def dtype_policy(self) -> Any:
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        self._dtype_policy = dtype_policies.get(policy)
        bump_structure_version()

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self._dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self._dtype_policy.compute_dtype

    @property
    def path(self) -> str:
        """The names of the layers around it and its own."""
        return self._path or self.name

    # -- making weights
    def add_weight(
        self, shape: Any = None, initializer: Any = None, dtype: Any = None, trainable: bool = True,
        autocast: bool = True, regularizer: Any = None, constraint: Any = None,
        aggregation: str | None = None, overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:  # fmt: skip
        """Make a variable that belongs to the layer.

        Args:
            shape: Of the variable; () by default.
            initializer: "glorot_uniform" for floats, zeros for others by default.
            dtype: The layer's variable dtype by default.
            trainable: Whether training changes it.
            autocast: Whether it is cast to the compute dtype when read in `call`.
            regularizer, constraint: See their modules.
            aggregation: As in Keras.
            overwrite_with_gradient: Whether the optimizer writes the gradient into it.
            name: Of the variable.
        """
        if isinstance(shape, str):  # Keras 2: add_weight(name, shape, ...)
            shape, name, initializer = initializer, shape, None
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        if any(n is None for n in shape):
            raise ValueError(
                f"Shapes used to initialize variables must be fully-defined (no `None` "
                f"dimensions). Received: shape={shape} for variable '{name}' of layer {self.name!r}."  # noqa: E501
            )
        dtype = core.dtypes.name_of(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        with core.eager_scope(), self._scope():
            variable = Variable(
                initializers.get(initializer), shape, dtype, trainable, autocast, aggregation,
                name=name,
            )  # fmt: skip
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        if trainable and not self._trainable:
            variable.trainable, variable._trained_by_default = False, True
        self._own_weights.append(variable)
        bump_structure_version()
        return variable

    def add_loss(self, loss: Any) -> None:
        """Add scalars to `losses` from within `call`."""
        for each in core.tree.flatten(loss):
            if each is not None:
                self._losses.append(each if isinstance(each, core.Tensor) else core.convert(each))

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` and regularizers gave in the last call, then weight penalties."""
        found = []
        for layer in self._flatten_layers():
            found += layer._losses
        for v in self.trainable_weights:
            if v.regularizer is not None:
                found.append(v.regularizer(v.value))
        return found

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    # -- building
    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape. Subclasses override it."""
        self.built = True

    def _scope(self) -> Any:
        return name_scope(self.name, caller=self)

    def _build_once(self, args: Any, kwargs: Any) -> None:
        """Build from the first call's arguments, under the layer's name."""
        shapes = _shapes_of(self._signature, args, kwargs)
        self._run_build(shapes)

    def _run_build(self, shapes: Any) -> None:
        build = type(self).build
        own = build is not Layer.build and not getattr(build, "_is_default", False)
        with core.eager_scope(), self._scope():
            self._path = current_path()
            if own:
                names = [
                    n for n, p in inspect.signature(self.build).parameters.items()
                    if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
                ]  # fmt: skip
                values = list(shapes.values())
                if len(names) <= 1 or len(values) <= 1:
                    self._build_shapes = {"input_shape": values[0] if values else None}
                    self.build(values[0] if values else None)
                else:
                    given = {
                        n: shapes[n] for n in names if n in shapes
                    }  # query_shape, value_shape, ...
                    self._build_shapes = given
                    self.build(**given) if len(given) == len(names) else self.build(
                        *values[: len(names)]
                    )
            else:
                values = list(shapes.values())
                self._build_shapes = {"input_shape": values[0] if values else None}
                self._build_by_run(shapes)
        object.__setattr__(self, "built", True)

    def _build_by_run(self, shapes: Any) -> None:
        """Layers without `build`: sublayers are built when `call` first runs abstractly."""
        self.build(next(iter(shapes.values()), None))

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build_from_config` needs."""
        shapes = self._build_shapes
        if not shapes:
            return None
        return dict(shapes) if len(shapes) == 1 else {"shapes_dict": dict(shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build as the saved layer was."""
        if not config or self.built:
            return
        shapes = config.get("shapes_dict") or {"input_shape": config.get("input_shape")}
        self._run_build({k: _as_shape(v) for k, v in shapes.items()})

    # -- calling
    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. Subclasses override it."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Build if needed, cast inputs, pass masks and `training`, call."""
        if not self.__dict__.get("_ready"):
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as "
                "the first statement in the `__init__()` method."
            )
        args = tuple([self._prepare(x) for x in args])
        if kwargs:
            kwargs = {k: self._prepare(v) if k != "training" else v for k, v in kwargs.items()}
        first = args[0] if args else kwargs.get(self._signature.first)
        if self.input_spec is not None and first is not None:
            assert_input_compatibility(self.input_spec, first, self.name)
        if not self.built:
            self._build_once(args, kwargs)
            if self.input_spec is not None and first is not None:
                assert_input_compatibility(self.input_spec, first, self.name)
        if any_symbolic(args, kwargs):
            return self._call_symbolic(args, kwargs)
        return self._call_now(args, kwargs)

    def _prepare(self, x: Any) -> Any:
        """Arrays to tensors; floating ones to the compute dtype."""
        kind = type(x)
        if kind is core.Tensor:
            if not self.autocast or x.dtype.name == self._dtype_policy._compute_dtype:
                return x
            return self._cast(x)
        if x is None or kind in (bool, str, int, float):
            return x
        if core.tree.is_nested(x):
            if kind is list and x and isinstance(x[0], int | float | list) and not any_symbolic(x):
                return self._cast(core.convert(x))
            return core.tree.map_structure(self._prepare_leaf, x, none_is_leaf=True)
        return self._prepare_leaf(x)

    def _prepare_leaf(self, x: Any) -> Any:
        if isinstance(x, core.Tensor | KerasTensor):
            return self._cast(x)
        if isinstance(x, np.ndarray | np.generic | core.Variable):
            return (
                self._cast(core.convert(x))
                if x.dtype != object and str(x.dtype)[0] not in "<U"
                else x
            )
        if hasattr(x, "__array__") and not isinstance(x, type):
            array = np.asarray(x)
            return self._cast(core.convert(array)) if array.dtype.kind in "biufc" else x
        return x

    def _cast(self, x: Any) -> Any:
        compute = self._dtype_policy._compute_dtype
        if not self.autocast or core.dtypes.name_of(x.dtype) == compute:
            return x
        if not core.dtypes.is_float(core.dtypes.as_dtype(x.dtype)):
            return x
        mask = x.mask
        if isinstance(x, KerasTensor):
            twin = KerasTensor(x.shape, compute, name=x.name)
            twin._keras_history = x._keras_history
            twin.mask = mask
            return twin
        x = core.ops.cast(x, compute)
        x.mask = mask
        return x

    def _resolve_training(self, kwargs: dict[str, Any], context: Any) -> Any:
        training = kwargs.get("training")
        if training is None and context is not None:
            training = context.training
        if training is None:
            training = self._signature.training_default
        return training

    def _fill_arguments(self, args: Any, kwargs: dict[str, Any], training: Any) -> dict[str, Any]:
        signature = self._signature
        if signature.training:
            if (
                "training" not in kwargs and signature.names.index("training") >= len(args)
            ) or kwargs.get("training", 0) is None:
                kwargs = {**kwargs, "training": training}
        elif "training" in kwargs and not signature.var_keyword:
            kwargs = {k: v for k, v in kwargs.items() if k != "training"}
        if (
            signature.mask
            and kwargs.get("mask") is None
            and (signature.names.index("mask") >= len(args))
        ):
            mask = _masks_of(args[0] if args else kwargs.get(signature.first))
            if mask is not None:
                kwargs = {**kwargs, "mask": mask}
        for name in signature.masks:
            source = name[: -len("_mask")]
            if source in signature.names and kwargs.get(name) is None:
                place = signature.names.index(source)
                value = args[place] if place < len(args) else kwargs.get(source)
                if value is not None and signature.names.index(name) >= len(args):
                    mask = _masks_of(value)
                    if mask is not None:
                        kwargs = {**kwargs, name: mask}
        return kwargs

    def _call_now(self, args: Any, kwargs: dict[str, Any]) -> Any:
        outer = current_context()
        training = self._resolve_training(kwargs, outer)
        if outer is None:
            self._clear_losses()
        masks = _masks_of(args[0] if args else None)
        kwargs = self._fill_arguments(args, kwargs, training)
        compute = self._dtype_policy._compute_dtype
        mixed = compute if self.autocast and compute != self._dtype_policy._variable_dtype else None
        with entered(self, training), autocast_scope(mixed):
            outputs = self.call(*args, **kwargs)
            if self.activity_regularizer is not None:
                for y in core.tree.flatten(outputs):
                    self.add_loss(self.activity_regularizer(y))
        if (
            masks is not None
            or "mask" in kwargs
            or type(self).compute_mask is not Layer.compute_mask
        ):
            self._set_masks(args, kwargs, outputs, masks)
        return outputs

    def _set_masks(self, args: Any, kwargs: Any, outputs: Any, masks: Any) -> None:
        flat = core.tree.flatten(outputs)
        if all(getattr(y, "mask", None) is not None for y in flat):
            return
        given = kwargs.get("mask") if masks is None else masks
        mask = self.compute_mask(args[0] if args else None, given)
        if mask is None:
            return
        for y, m in zip(flat, core.tree.flatten(mask), strict=False):
            if isinstance(y, core.Tensor | KerasTensor) and m is not None:
                y.mask = m

    def _call_symbolic(self, args: Any, kwargs: dict[str, Any]) -> Any:
        training = kwargs.get("training")
        node_kwargs = {k: v for k, v in kwargs.items() if k != "training" or v is not None}
        masks = _masks_of(args[0] if args else None)
        filled = self._fill_arguments(args, kwargs, training)
        with entered(self, training):
            outputs = self.compute_output_spec(*args, **filled)
        outputs = core.tree.map_structure(_own_tensor, outputs)
        Node(self, args, node_kwargs, outputs)
        if masks is not None or type(self).compute_mask is not Layer.compute_mask:
            self._set_masks(args, kwargs, outputs, masks)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic results: by `compute_output_shape` where a subclass has one, else by
        running `call` abstractly."""
        compute = self._dtype_policy._compute_dtype
        mixed = compute if self.autocast and compute != self._dtype_policy._variable_dtype else None

        def run(*a: Any, **k: Any) -> Any:
            with autocast_scope(mixed):
                return self.call(*a, **k)

        return compute_output_spec(run, *args, **kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for an input shape."""
        if not args and "input_shape" in kwargs:
            args = (kwargs.pop("input_shape"),)
        inputs = [symbolic_of(a, self.compute_dtype) for a in args]
        if not self.built:
            self._build_once(tuple(inputs), {})
        found = self.compute_output_spec(*inputs)
        return core.tree.map_structure(lambda t: t.shape, found)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output: that of the input, if the layer supports masking."""
        return previous_mask if self.supports_masking else None

    def stateless_call(
        self, trainable_variables: Any, non_trainable_variables: Any, *args: Any,
        return_losses: bool = False, **kwargs: Any,
    ) -> Any:  # fmt: skip
        """Call with values in place of the variables; nothing is written.

        Returns:
            `(outputs, non_trainable_variables)`, and the losses if asked for.
        """
        own = [*self.trainable_variables, *self.non_trainable_variables]
        given = [*trainable_variables, *non_trainable_variables]
        if len(own) != len(given):
            raise ValueError(
                f"stateless_call: {len(given)} values were given for {len(own)} variables."
            )
        with core.StatelessScope(zip(own, given, strict=True)) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
        after = [
            g if scope.get_current_value(v) is None else scope.get_current_value(v)
            for v, g in zip(own, given, strict=True)
        ][len(list(trainable_variables)) :]
        return (outputs, after, losses) if return_losses else (outputs, after)

    # -- config and files
    def get_config(self) -> dict[str, Any]:
        """The arguments from which the layer can be made again.

        Raises:
            NotImplementedError: A subclass with arguments of its own that defines none.
        """
        config: dict[str, Any] = {
            "name": self.name, "trainable": self._trainable, "dtype": self._dtype_policy,
        }  # fmt: skip
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = self.activity_regularizer
        if type(self).get_config is not Layer.get_config:
            return config
        args, kwargs = self._init_arguments
        init = inspect.signature(type(self).__init__)
        try:
            bound = init.bind(self, *args, **kwargs)
        except TypeError:
            return config
        extra = dict(list(bound.arguments.items())[1:])
        for name, p in init.parameters.items():
            if p.kind is p.VAR_KEYWORD:
                extra.update(extra.pop(name, {}))
            elif p.kind is p.VAR_POSITIONAL and extra.get(name):
                raise NotImplementedError(
                    f"Layer {type(self).__name__} was created by passing positional arguments "
                    "beyond its named ones; it must override `get_config()`."
                )
        takes_all = any(p.kind is p.VAR_KEYWORD for p in init.parameters.values())
        base = {k: v for k, v in config.items() if takes_all or k in init.parameters}
        return {**base, **extra, **({"name": self.name} if "name" in base else {})}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer of a config."""
        config = dict(config)
        policy = config.get("dtype")
        if isinstance(policy, dict):
            config["dtype"] = dtype_policies.deserialize(policy)
        return cls(**{k: _decode(v) for k, v in config.items()})

    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own variables into a mapping of names to arrays."""
        own = self._own_variables()
        own = [v for v in own if v.trainable] + [v for v in own if not v.trainable]
        for i, v in enumerate(own):
            store[f"{i}"] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read them back.

        Raises:
            ValueError: Their number or a shape differs.
        """
        own = self._own_variables()
        own = [v for v in own if v.trainable] + [v for v in own if not v.trainable]
        if len(store.keys()) != len(own):
            if not own and not self.built:
                raise ValueError(
                    f"Layer '{self.name}' was never built and thus it doesn't have any variables. "
                    f"However the weights file lists {len(store.keys())} variables for this "
                    "layer. Build the model (call it on data) before loading."
                )
            raise ValueError(
                f"Layer '{self.name}' expected {len(own)} variables, but received "
                f"{len(store.keys())} variables during loading. Expected: {[v.path for v in own]}"
            )
        for i, v in enumerate(own):
            value = store[f"{i}"]
            if tuple(value.shape) != v.shape:
                raise ValueError(
                    f"Layer '{self.name}': variable '{v.path}' has shape {v.shape}; the file has "
                    f"shape {tuple(value.shape)}. They must be equal."
                )
        for i, v in enumerate(own):
            v.assign(np.asarray(store[f"{i}"]))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def __getstate__(self) -> dict[str, Any]:
        # The call signature is bound to this instance; nodes hold symbolic tensors of the graph.
        return {k: v for k, v in self.__dict__.items() if k != "_signature"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        object.__setattr__(self, "_signature", CallSignature(self.call))


_UNTRACKED = {
    "_inbound_nodes", "_outbound_nodes", "_losses", "_own_weights", "_signature", "_dtype_policy",
    "_init_arguments", "_build_shapes",
}  # fmt: skip


def _unique(items: list[Any]) -> list[Any]:
    return list({id(x): x for x in items}.values())


def _decode(value: Any) -> Any:
    if isinstance(value, dict) and "class_name" in value:
        return deserialize_keras_object(value)
    return value


def _as_shape(shape: Any) -> Any:
    if isinstance(shape, list) and all(n is None or isinstance(n, int) for n in shape):
        return tuple(shape)
    if isinstance(shape, list):
        return [_as_shape(s) for s in shape]
    if isinstance(shape, dict):
        return {k: _as_shape(v) for k, v in shape.items()}
    return shape


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, list | tuple) and all(n is None or isinstance(n, int) for n in shape)


def symbolic_of(shape: Any, dtype: str) -> Any:
    if _is_shape(shape):
        return KerasTensor(shape, dtype)
    if isinstance(shape, dict):
        return {k: symbolic_of(v, dtype) for k, v in shape.items()}
    return [symbolic_of(s, dtype) for s in shape]


def _own_tensor(x: Any) -> Any:
    """A tensor of the node's own: a layer may return its input as it is."""
    if isinstance(x, KerasTensor) and x._keras_history is not None:
        twin = KerasTensor(x.shape, x.dtype)
        twin.mask = x.mask
        return twin
    return x


def _shapes_of(signature: CallSignature, args: Any, kwargs: Any) -> dict[str, Any]:
    """Argument name with `_shape` to the shape of each tensor argument."""
    named = dict(zip(signature.names, args, strict=False))
    named.update(kwargs)
    found = {}
    for name, value in named.items():
        if name in ("training", "mask") or value is None:
            continue
        leaves = core.tree.flatten(value)
        if leaves and all(isinstance(x, core.Tensor | KerasTensor) for x in leaves):
            found[f"{name}_shape"] = core.tree.map_structure(lambda x: tuple(x.shape), value)
    return found


def _masks_of(x: Any) -> Any:
    """The masks of an argument, None if there is none at all."""
    if x is None:
        return None
    if isinstance(x, core.Tensor | KerasTensor):
        return x.mask
    if isinstance(x, list | tuple | dict):
        masks = [getattr(leaf, "mask", None) for leaf in core.tree.flatten(x)]
        if all(m is None for m in masks):
            return None
        return core.tree.pack_sequence_as(x, masks) if not isinstance(x, dict) else masks
    return None
