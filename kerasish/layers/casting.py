"""The dtypes of a layer, and its inputs in the dtype of its computation."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from .. import dtype_policies
from ..ops.symbolic import KerasTensor
from ..text_arrays import is_text
from .tracking import bump_structure_version

__all__ = ["Casting"]

_TENSORS = (core.Tensor, KerasTensor)


class Casting:
    """What a layer knows of dtypes. `Layer` is the only heir."""

    name: str
    autocast: bool
    _dtype_policy: Any
    _cast_dtype: Any
    _mixed: bool
    _allow_non_tensor_positional_args: bool
    built: bool
    _is_quantized: bool
    quantize: Any

    @property
    def dtype_policy(self) -> Any:
        """The dtypes of variables and computation."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        policy = dtype_policies.get(policy)
        plain = object.__setattr__
        plain(self, "_dtype_policy", policy)
        compute = policy.compute_dtype
        # What a call compares with, looked up once.
        plain(self, "_cast_dtype", core.dtypes.as_dtype(compute) if compute else None)
        plain(self, "_mixed", compute != policy.variable_dtype)
        bump_structure_version()
        mode = policy.quantization_mode
        if mode is not None and self.built and not self._is_quantized:
            if mode in ("gptq", "awq"):
                raise ValueError(
                    f"Implicitly enabling {mode.upper()} quantization by setting `dtype_policy` "
                    f"to '{policy.name}' is not supported: it needs data. Use the "
                    f"`.quantize('{mode}', config=...)` method on the layer or model instead."
                )
            self.quantize(mode)

    @property
    def dtype(self) -> Any:
        """The dtype of the weights."""
        return self._dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> Any:
        """The dtype of the weights."""
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> Any:
        """The dtype of the computation."""
        return self._dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> Any:
        """The dtype that floating inputs are cast to."""
        return self._dtype_policy.compute_dtype

    def _convert(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Arrays and variables to tensors; floating ones to the compute dtype."""
        args = tuple([self._convert_one(x) for x in args])
        if not self._allow_non_tensor_positional_args:
            for x in args:
                if not isinstance(x, _TENSORS):
                    self._check_positional(x)
        if kwargs:
            kwargs = {k: self._convert_one(v) for k, v in kwargs.items()}
        return args, kwargs

    def _check_positional(self, x: Any) -> None:
        for leaf in core.tree.flatten(x):
            if leaf is not None and not isinstance(leaf, _TENSORS) and not is_text(leaf):
                raise ValueError(
                    "Only input tensors may be passed as positional arguments. The following "
                    f"argument value should be passed as a keyword argument: {leaf} (of type "
                    f"{type(leaf)})"
                )

    def _convert_one(self, x: Any) -> Any:
        if isinstance(x, _TENSORS):
            return self._cast(x)
        if x is None or isinstance(x, bool | str | int | float):
            return x
        if isinstance(x, list | tuple | dict):
            return core.tree.map_structure(self._convert_leaf, x)
        return self._convert_leaf(x)

    def _convert_leaf(self, x: Any) -> Any:
        if isinstance(x, _TENSORS):
            return self._cast(x)
        if is_text(x) and not type(self).__module__.startswith("kerasish.layers."):
            return x  # for a layer inside a model or a layer of the user's
        if isinstance(x, np.ndarray | np.generic | core.Variable) or (
            hasattr(x, "__array__") and not isinstance(x, type)
        ):
            return self._cast(core.convert(x))
        return x

    def _cast(self, x: Any) -> Any:
        wanted = self._cast_dtype
        if wanted is None or not self.autocast or x.dtype == wanted:
            return x
        if isinstance(x, KerasTensor):
            return self._cast_symbolic(x, wanted)
        if not core.dtypes.is_float(x.dtype) or not core.dtypes.is_float(wanted):
            return x
        mask = x.mask
        x = core.ops.cast(x, wanted)
        if mask is not None:
            x.mask = mask
        return x

    def _cast_symbolic(self, x: KerasTensor, wanted: Any) -> KerasTensor:
        name = wanted.name
        if x.dtype == "string":
            return x
        own = core.dtypes.as_dtype(x.dtype)
        if x.dtype == name or not core.dtypes.is_float(own) or not core.dtypes.is_float(wanted):
            return x
        # The same tensor of the graph, seen in the layer's dtype: the cast happens at each run.
        twin = KerasTensor(x.shape, name, name=x.name)
        twin._keras_history, twin.mask = x._keras_history, x.mask
        return twin
