"""The base of all layers."""

from __future__ import annotations

import warnings
from typing import Any

import kerasish_core as core

from .. import dtype_policies, older, regularizers
from ..naming import auto_name, check_name, current_path
from ..ops.symbolic import KerasTensor, Node, Operation, any_symbolic, compute_output_spec
from ..serialization import builtin
from ..serialization.arguments import auto_config, decode
from ..settings import learning_phase as phase_of_session
from ..variable import autocast_scope, get_autocast_dtype
from .building import Building, argument_names, wrap_build
from .call_context import CallContext, state
from .call_spec import build_arguments, shapes_of, signature_of
from .casting import Casting
from .input_spec import assert_input_compatibility
from .loss_tracking import LossTracking
from .masking import any_mask, attach_masks, masks_of
from .quantization.quantizing import Quantizing
from .rematerializing import Rematerializing
from .shapes import symbolic_of
from .stateless import StatelessCall
from .tracking import PLAIN, Trackable, Tracker
from .weights import Stateful

__all__ = ["Layer"]

_TENSORS = (core.Tensor, KerasTensor)


@builtin("keras.layers")
class Layer(
    Stateful, Casting, Quantizing, LossTracking, Building, StatelessCall, Rematerializing, Trackable
):
    """A callable with state: weights, sublayers, metrics.

    A subclass makes its weights in `build(input_shape)` (or `__init__`) by `add_weight` and
    computes in `call`.

    Args:
        activity_regularizer: Penalty on the output, per sample.
        trainable: Whether its weights are trained.
        dtype: A dtype or policy: of variables and computation.
        autocast: Whether floating inputs are cast to the compute dtype.
        name: By default made from the class name.

    Source: https://keras.io/api/layers/base_layer/
    """

    # Whether variables and layers may come only until the layer is built.
    _locks = True
    # Whether the class has a `compute_mask` of its own.
    _makes_masks = False
    # Whether `call` needs values (text, vocabularies), so that no program can hold it.
    _on_host = False
    # What a layer has that does not call `super().__init__()` first.
    input_spec: Any = None
    supports_masking: bool = False

    __getattr__ = older.attribute

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "compute_mask" in cls.__dict__:
            cls._makes_masks = True
        build = cls.__dict__.get("build")
        if build is not None and not hasattr(build, "_wrapped"):
            cls.build = wrap_build(build)

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
        self._super_called = True
        name = check_name(auto_name(type(self).__name__) if name is None else name)
        plain = object.__setattr__
        if "_tracker" not in self.__dict__:
            plain(self, "_tracker", Tracker())
        Operation.__init__(self, name)
        self.autocast = bool(autocast)
        self.built = False
        self.dtype_policy = dtype
        self._trainable = bool(trainable)
        self.supports_masking = self._makes_masks
        self.input_spec = None
        self.activity_regularizer = regularizers.get(activity_regularizer)
        for attribute, value in {
            "_losses": [], "_build_shapes": None, "_path": None, "_building": False,
            "_called": False, "_convert_input_args": True,
            "_allow_non_tensor_positional_args": False, "_signature": signature_of(self.call),
        }.items():  # fmt: skip
            plain(self, attribute, value)
        if batch_shape is not None:
            self._batch_input_shape = tuple(batch_shape)
        elif shape is not None:
            shape = shape if isinstance(shape, list | tuple) else (shape,)
            self._batch_input_shape = (None, *shape)

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) in PLAIN:
            if name == "built" and not value and "_tracker" in self.__dict__:
                self._tracker.locked = False
        elif name not in _UNTRACKED:
            tracker = self.__dict__.get("_tracker")
            if tracker is None:
                tracker = Tracker()
                object.__setattr__(self, "_tracker", tracker)
            value = tracker.track(value)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        value = self.__dict__.get(name)
        object.__delattr__(self, name)
        if value is not None and "_tracker" in self.__dict__:
            self._tracker.untrack(value)

    def _check_super_called(self) -> None:
        if "_super_called" not in self.__dict__:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as "
                "the first statement in the `__init__()` method. Go add it!"
            )

    @property
    def path(self) -> str | None:
        """The names of the layers around it and its own, joined by "/"; None until built."""
        return self._path

    # -- calling
    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. Subclasses override it."""
        self._check_super_called()
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Cast inputs, build if needed, pass masks and `training`, call."""
        if "_super_called" not in self.__dict__:
            self._check_super_called()
        first = args[0] if args else None
        if len(args) == 1 and not kwargs and isinstance(first, core.Tensor):
            if first.dtype is not self._cast_dtype:
                first = self._cast(first)
                args = (first,)
            symbolic = False
        else:
            if self._convert_input_args:
                args, kwargs = self._convert(args, kwargs)
            first = args[0] if args else kwargs.get(self._signature.first)
            symbolic = any_symbolic(args, kwargs)
        if self.input_spec is not None and first is not None:
            assert_input_compatibility(self.input_spec, first, self.name)
        elif first is None:
            self._check_first(args, kwargs)
        context = state.context
        if context is None:
            return self._call_outermost(first, args, kwargs, symbolic)
        if not self.built:
            self._first_build(first, args, kwargs, symbolic)
        if symbolic:
            return self._call_symbolic(first, args, kwargs, context)
        return self._call_now(first, args, kwargs, context)

    def _call_outermost(self, first: Any, args: Any, kwargs: Any, symbolic: bool) -> Any:
        context = state.context = CallContext(self)
        try:
            self._clear_losses()
            if not self.built:
                self._first_build(first, args, kwargs, symbolic)
            if symbolic:
                return self._call_symbolic(first, args, kwargs, context)
            return self._call_now(first, args, kwargs, context)
        finally:
            state.context = None

    def _first_build(self, first: Any, args: Any, kwargs: Any, symbolic: bool) -> None:
        self._maybe_build(args, kwargs, symbolic)
        if self.input_spec is not None and first is not None:
            assert_input_compatibility(self.input_spec, first, self.name)

    def _check_first(self, args: Any, kwargs: Any) -> None:
        """Layers of one's own may take None in place of an input, the others say what it is."""
        signature = self._signature
        if signature.needs_first and not args and signature.first not in kwargs:
            raise TypeError(
                f"{type(self).__name__}.call() is missing its required argument "
                f"{signature.first!r}: layer '{self.name}' was called with "
                f"{', '.join(map(repr, kwargs)) or 'nothing'}."
            )
        if args and type(self).__module__.startswith("kerasish.layers."):
            raise ValueError(
                f"Inputs to a layer should be tensors. Got None as input of layer '{self.name}' "
                f"({type(self).__name__}). Does what made it lack a `return`?"
            )

    # -- arguments
    def _resolve_training(self, args: Any, kwargs: Any, context: CallContext) -> Any:
        """Whether to train: as passed, else as in the call around, else `call`'s default."""
        signature = self._signature
        training = kwargs.get("training") if kwargs else None
        if training is None and 0 <= signature.training_place < len(args):
            training = args[signature.training_place]
        if training is None:
            training = context.training
        if training is None:
            training = phase_of_session()
        return signature.training_default if training is None else training

    def _fill(self, args: Any, kwargs: Any, training: Any, first: Any) -> Any:
        """The keyword arguments with `training` and masks."""
        signature = self._signature
        if signature.training:
            if training is not None and signature.training_place >= len(args):
                kwargs = {**kwargs, "training": training}
        elif kwargs and "training" in kwargs:
            kwargs = {k: v for k, v in kwargs.items() if k != "training"}
        if not signature.any_mask:
            return kwargs
        place = signature.place
        if signature.mask and place["mask"] >= len(args) and kwargs.get("mask") is None:
            mask = masks_of(first)
            if mask is not None and _is_only_tensor(first, args, kwargs):
                kwargs = {**kwargs, "mask": mask}
        for name, source in signature.masks:
            if place[name] >= len(args) and kwargs.get(name) is None:
                at = place[source]
                mask = masks_of(args[at] if at < len(args) else kwargs.get(source))
                if mask is not None:
                    kwargs = {**kwargs, name: mask}
        return kwargs

    # -- running
    def _call_now(self, first: Any, args: Any, kwargs: Any, context: CallContext) -> Any:
        signature = self._signature
        outer = context.training
        if kwargs or signature.training or signature.any_mask:
            context.training = self._resolve_training(args, kwargs, context)
            kwargs = self._fill(args, kwargs, context.training, first)
        try:
            if self._called and not self._mixed and get_autocast_dtype() is None:
                outputs = self._run_call(args, kwargs)
            else:
                outputs = self._call_scoped(args, kwargs)
            if not self.built:
                self.built = True
            if self.activity_regularizer is not None:
                self._add_activity_losses(outputs)
        except Exception as error:
            _note_arguments(error, self, args, kwargs)
            raise
        finally:
            context.training = outer
        masks = masks_of(first)
        if masks is not None or (kwargs and "mask" in kwargs) or self._makes_masks:
            self._set_masks(first, kwargs, outputs, masks)
        return outputs

    def _run_call(self, args: Any, kwargs: Any) -> Any:
        if self._remat_mode is None:
            return self.call(*args, **kwargs)
        return self.rematerialized_call(self.call, *args, **kwargs)(*args, **kwargs)

    def _call_scoped(self, args: Any, kwargs: Any) -> Any:
        """Call under the layer's name, and with variables read in the compute dtype."""
        compute = self.compute_dtype
        wanted = None
        if self._mixed or get_autocast_dtype() is not None:
            wanted = compute if self.autocast and self._mixed else None
        if self._called:
            with autocast_scope(wanted):
                return self._run_call(args, kwargs)
        with autocast_scope(wanted), self._scope():
            if self._path is None:
                self._path = current_path()
            outputs = self._run_call(args, kwargs)
        self._called = True
        return outputs

    def _set_masks(self, first: Any, kwargs: Any, outputs: Any, masks: Any) -> None:
        given = kwargs.get("mask") if kwargs else None
        if given is None:
            given = masks
        if not self.supports_masking:
            if any_mask(masks):
                warnings.warn(
                    f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with "
                    "a mask attached to it. However, this layer does not support masking and will "
                    "therefore destroy the mask information. Downstream layers will not see the "
                    "mask.",
                    stacklevel=4,
                )
            return
        if not self._makes_masks:
            if any_mask(given):
                attach_masks(outputs, given)
        elif not all(getattr(y, "mask", None) is not None for y in core.tree.flatten(outputs)):
            mask = self.compute_mask(first, given)
            if mask is not None:
                attach_masks(outputs, mask)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record a node for a call on symbolic tensors and return its symbolic results."""
        return self(*args, **kwargs)

    def _call_symbolic(self, first: Any, args: Any, kwargs: Any, context: CallContext) -> Any:
        outer = context.training
        training = context.training = self._resolve_training(args, kwargs, context)
        node_kwargs = {k: v for k, v in kwargs.items() if k != "training" or v is not None}
        filled = self._fill(args, kwargs, training, first)
        try:
            with self._scope():
                outputs = self.compute_output_spec(*args, **filled)
        except Exception as error:
            _note_arguments(error, self, args, kwargs)
            raise
        finally:
            context.training = outer
            # Penalties of an abstract run are no losses.
            self._clear_losses()
        self.built = True
        outputs = core.tree.map_structure(_own_tensor, outputs)
        Node(self, args, node_kwargs, outputs)
        masks = masks_of(first)
        if masks is not None or self.supports_masking:
            self._set_masks(first, filled, outputs, masks)
        return outputs

    # -- shapes
    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic results: from `compute_output_shape` where a user's class (or a layer
        that is not built) has one, else by running `call` abstractly."""
        shaped = type(self).compute_output_shape is not Layer.compute_output_shape
        own = type(self).__module__.startswith("kerasish.")
        if shaped and (not own or not self.built):
            shapes = shapes_of(self._signature, args, kwargs)
            names = list(argument_names(type(self).compute_output_shape))
            chosen = build_arguments(names, shapes, self._signature.names, type(self).__name__)
            return symbolic_of(self.compute_output_shape(**chosen), self.compute_dtype)
        wanted = self.compute_dtype if self.autocast and self._mixed else None

        def run(*a: Any, **k: Any) -> Any:
            with autocast_scope(wanted):
                return self.call(*a, **k)

        return compute_output_spec(run, *args, **kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for an input shape: what an abstract run gives."""
        shapes = args if args else tuple(kwargs.values())
        inputs = tuple(symbolic_of(s, self.compute_dtype) for s in shapes)
        if not self.built:
            self._maybe_build(inputs, {}, True)
        found = self.compute_output_spec(*inputs)
        self._clear_losses()
        return core.tree.map_structure(lambda t: t.shape, found)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output: that of the input."""
        return previous_mask

    # -- config
    def get_config(self) -> dict[str, Any]:
        """The arguments from which the layer can be made again.

        Raises:
            NotImplementedError: A subclass whose arguments can't be written defines none.
        """
        self._check_super_called()
        config: dict[str, Any] = {
            "name": self.name, "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
        }  # fmt: skip
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is not Layer.get_config:
            return config
        return auto_config(self, config, Layer)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer of a config."""
        config = dict(config)
        policy = config.get("dtype")
        if isinstance(policy, dict):
            config["dtype"] = dtype_policies.deserialize(policy)
        return cls(**{k: decode(v) for k, v in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def __getstate__(self) -> dict[str, Any]:
        # The copy looks up its call again, and starts with no losses and no compiled steps.
        values = {k: v for k, v in self.__dict__.items() if k != "_signature"}
        # Nor with the nodes: they reach every layer called on a result of this one.
        fresh = {"_losses": [], "_inbound_nodes": [], "_outbound_nodes": []}
        return values | fresh | ({"_steps": {}} if "_steps" in values else {})

    def __setstate__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)
        object.__setattr__(self, "_signature", signature_of(self.call))


# Attributes of the machinery: lists that hold no part of the layer.
_UNTRACKED = frozenset(
    ["_inbound_nodes", "_outbound_nodes", "_losses", "_signature", "_build_shapes", "_tracker",
     "dtype_policy", "_init_arguments"]
)  # fmt: skip


def _is_only_tensor(first: Any, args: Any, kwargs: Any) -> bool:
    """Whether no other argument is a tensor: then, as in Keras, its mask is the call's."""
    others = [x for x in (*args, *kwargs.values()) if x is not first and x is not None]
    return not any(isinstance(x, _TENSORS) for x in core.tree.flatten(others))


def _note_arguments(error: Exception, layer: Layer, args: Any, kwargs: Any) -> None:
    """Say once, below an error, in which layer's call it happened."""
    if getattr(error, "__notes__", None):
        return

    def shown(x: Any) -> str:
        if isinstance(x, _TENSORS):
            return f"Tensor(shape={tuple(x.shape)}, dtype={core.dtypes.name_of(x.dtype)})"
        return repr(x)[:200]

    lines = [f"Exception encountered when calling {type(layer).__name__}.call() of '{layer.name}'."]
    named = dict(zip(layer._signature.names, args, strict=False)) | kwargs
    lines += [f"  {k}={shown(v)}" for k, v in named.items()]
    error.add_note("\n".join(lines))


def _own_tensor(x: Any) -> Any:
    """A tensor of the node's own: a layer may return its input as it is."""
    if isinstance(x, KerasTensor) and x._keras_history is not None:
        twin = KerasTensor(x.shape, x.dtype)
        twin.mask = x.mask
        return twin
    return x
