"""What a layer expects of its inputs."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..ops.symbolic import KerasTensor

__all__ = ["InputSpec", "assert_input_compatibility"]


class InputSpec:
    """Rank, shape or dtype that an input must have.

    Args:
        dtype: Expected dtype.
        shape: Expected shape, None where any size will do.
        ndim: Expected rank.
        max_ndim, min_ndim: Bounds of the rank.
        axes: Axis to its expected size.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or extra.
        name: Key of the input in a dictionary.
        optional: Whether None will do.
    """

    def __init__(
        self, dtype: Any = None, shape: Any = None, ndim: Any = None, max_ndim: Any = None,
        min_ndim: Any = None, axes: Any = None, allow_last_axis_squeeze: bool = False,
        name: Any = None, optional: bool = False,
    ) -> None:  # fmt: skip
        self.dtype = None if dtype is None else core.dtypes.name_of(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name, self.optional = name, optional
        ranks = [n for n in (self.ndim, self.max_ndim) if n is not None]
        if self.axes and ranks and max(self.axes) > max(ranks) - 1:
            raise ValueError(
                f"Axis {max(self.axes)} is greater than the maximum allowed value: {max(ranks) - 1}"
            )

    def __repr__(self) -> str:
        parts = {
            "dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim, "axes": self.axes or None,
        }  # fmt: skip
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in parts.items() if v is not None)})"

    def get_config(self) -> dict[str, Any]:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {k: getattr(self, k) for k in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """A spec of a config."""
        return cls(**config)


def assert_input_compatibility(spec: Any, inputs: Any, layer_name: str) -> None:
    """Check inputs against the specs.

    Raises:
        ValueError: An input does not fit.
    """
    if not spec:
        return
    if isinstance(spec, InputSpec) and isinstance(inputs, core.Tensor | KerasTensor):
        _check(spec, inputs, 0, layer_name)
        return
    specs = core.tree.flatten(spec) if not isinstance(spec, InputSpec) else [spec]
    if isinstance(inputs, dict) and all(s.name is not None for s in specs):
        flat = [inputs[s.name] for s in specs if s.name in inputs]
    else:
        flat = core.tree.flatten(inputs)
    if len(flat) != len(specs):
        raise ValueError(
            f"Layer '{layer_name}' expected {len(specs)} input(s). Received {len(flat)} instead. "
            f"Inputs received: {inputs}"
        )
    for i, (x, each) in enumerate(zip(flat, specs, strict=True)):
        if x is None and each is not None and not each.optional:
            raise ValueError(
                f"Input {i} of layer '{layer_name}' is None, which it must not be: only optional "
                "inputs may be."
            )
        if each is not None and x is not None:
            _check(each, x, i, layer_name)


def _check(spec: InputSpec, x: Any, index: int, name: str) -> None:
    shape = tuple(x.shape)
    start = (
        f"Input {index} with name '{spec.name}' of layer '{name}' is incompatible with the layer: "
    )
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and len(shape) != spec.ndim:
        raise ValueError(
            f"{start}expected ndim={spec.ndim}, found ndim={len(shape)}. Full shape received: "
            f"{shape}"
        )
    if spec.max_ndim is not None and len(shape) > spec.max_ndim:
        raise ValueError(f"{start}expected max_ndim={spec.max_ndim}, found ndim={len(shape)}")
    if spec.min_ndim is not None and len(shape) < spec.min_ndim:
        raise ValueError(
            f"{start}expected min_ndim={spec.min_ndim}, found ndim={len(shape)}. Full shape "
            f"received: {shape}"
        )
    if spec.dtype is not None and core.dtypes.name_of(x.dtype) != spec.dtype:
        raise ValueError(f"{start}expected dtype={spec.dtype}, found dtype={x.dtype}")
    for axis, value in spec.axes.items():
        if value is not None and shape[axis] not in (value, None):
            raise ValueError(
                f"{start}expected axis {axis} of input shape to have value {value}, but received "
                f"input with shape {shape}"
            )
    if spec.shape is not None:
        wanted = spec.shape
        if spec.allow_last_axis_squeeze:
            shape = shape[:-1] if shape and shape[-1] == 1 else shape
            wanted = wanted[:-1] if wanted and wanted[-1] == 1 else wanted
        if len(wanted) != len(shape) or any(
            a is not None and b is not None and a != b for a, b in zip(wanted, shape, strict=True)
        ):
            raise ValueError(f"{start}expected shape={wanted}, found shape={shape}")
