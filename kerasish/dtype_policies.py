"""Which dtype a layer stores its variables in and which it computes with."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

import kerasish_core as core

from .naming import on_clear
from .serialization import builtin, deserialize_keras_object, serialize_keras_object
from .settings import floatx

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QUANTIZATION_MODES",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


@builtin("keras")
class DTypePolicy:
    """A pair of dtypes: that of a layer's variables and that of its computation.

    Args:
        name: A dtype (`"float32"`), or `"mixed_float16"` or `"mixed_bfloat16"`: variables in
            float32, computation in the half type. None means the policy in force.

    Raises:
        TypeError: The name is no string.
        ValueError: It names no dtype.

    Source: https://keras.io/api/mixed_precision/policy/
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise TypeError(
                "'name' must be a string, such as 'mixed_float16'. "
                f"Received: name={name} (of type {type(name)})"
            )
        self._compute_dtype, self._variable_dtype = _parse(name)
        self._name = name
        self._quantization_mode: str | None = None

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of inputs and results."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of variables."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """`"int8"` and the like, or None."""
        return self._quantization_mode

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """An input as a tensor, floating ones cast to `dtype` if `autocast` is set."""
        if isinstance(x, core.Variable):
            x = x.value
        if isinstance(x, core.Tensor):
            return core.ops.cast(x, dtype) if self._casts(x, autocast, dtype) else x
        if type(x).__name__ == "KerasTensor":
            return x.astype(dtype) if self._casts(x, autocast, dtype) else x
        if hasattr(x, "__array__"):
            x = core.convert(x)
            wanted = dtype if autocast else floatx()
            return core.ops.cast(x, wanted) if self._casts(x, True, wanted) else x
        return x

    def _casts(self, x: Any, autocast: bool, dtype: Any) -> bool:
        own = core.dtypes.as_dtype(x.dtype)
        return autocast and core.dtypes.is_float(own) and own != core.dtypes.as_dtype(dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The policy of a config."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), self._name))

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self._name}">'


FloatDTypePolicy = DTypePolicy


def _parse(name: str) -> tuple[str, str]:
    """(compute dtype, variable dtype) of a policy's name."""
    if name in ("mixed_float16", "mixed_bfloat16"):
        return name[len("mixed_") :], "float32"
    if name == "string":
        return name, name
    try:
        dtype = core.dtypes.name_of(name)
    except TypeError:
        raise ValueError(
            f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies include "
            "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as 'float32'."
        ) from None
    return dtype, dtype


@builtin("keras.dtype_policies")
class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a layer whose weights are quantized.

    Args:
        mode: One of `QUANTIZATION_MODES`.
        source_name: The policy's name before quantization; that in force if None.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        kind = mode.split("/")[0] if isinstance(mode, str) else mode
        self._check_mode(kind)
        source = dtype_policy().name if source_name is None else source_name
        self._compute_dtype, self._variable_dtype = _parse(source)
        if kind in ("int8", "int4", "gptq", "awq") and self._compute_dtype == "float16":
            raise ValueError(
                f"Quantization mode='{kind}' doesn't work well with compute_dtype='float16'."
            )
        self._name = f"{mode}_from_{source}"
        self._source_name = source
        self._quantization_mode = kind
        self._full_mode = mode

    def _check_mode(self, mode: Any) -> None:
        if mode not in QUANTIZATION_MODES:
            raise ValueError(
                f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. "
                f"Received: mode={mode}"
            )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"mode": self._full_mode, "source_name": self._source_name}


@builtin("keras.dtype_policies")
class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Training in float8 with scales from the history of largest absolute values.

    Args:
        mode: `"float8"`.
        source_name: The policy's name before quantization.
        amax_history_length: How many steps the history holds.
    """

    default_amax_history_length = 1024

    def __init__(
        self, mode: str, source_name: str | None = None, amax_history_length: int = 1024
    ) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                "`amax_history_length` must be an integer. "
                f"Received: amax_history_length={amax_history_length}"
            )
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """How many steps the history of largest absolute values holds."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {**super().get_config(), "amax_history_length": self._amax_history_length}


def _mode_numbers(cls: type, mode: str, kind: str, fields: tuple[str, ...]) -> list[int]:
    """The numbers in a mode such as `gptq/4/128`."""
    form = "/".join([kind, *(f"<{f}>" for f in fields)])
    parts = mode.split("/")
    problem = f"Invalid mode for {cls.__name__}. "
    if parts[0] != kind or len(parts) != len(fields) + 1:
        raise ValueError(f"{problem}Expected format '{form}', but got '{mode}'.")
    try:
        return [int(p) for p in parts[1:]]
    except ValueError:
        names = " and ".join(f"<{f}>" for f in fields)
        raise ValueError(
            f"{problem}{names} must be integers. Expected format '{form}', but got '{mode}'."
        ) from None


def _check_group(mode: str, name: str, size: int) -> None:
    if size < -1 or size == 0:
        raise ValueError(
            f"Invalid {name} in mode. Supported values are -1 (per-channel) or a positive integer "
            f"(sub-channel), but got {size} from '{mode}'."
        )


@builtin("keras.dtype_policies")
class Int4DTypePolicy(QuantizedDTypePolicy):
    """4-bit weights with one scale per block.

    Args:
        mode: `"int4/<block_size>"`; a block size of -1 means one scale per channel.
        source_name: The policy's name before quantization.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        (block_size,) = _mode_numbers(type(self), mode, "int4", ("block_size",))
        _check_group(mode, "block_size", block_size)
        super().__init__(mode, source_name)
        self.mode = "int4"
        self.block_size = block_size


@builtin("keras.dtype_policies")
class GPTQDTypePolicy(QuantizedDTypePolicy):
    """Weights quantized by GPTQ.

    Args:
        mode: `"gptq/<weight_bits>/<group_size>"`.
        source_name: The policy's name before quantization.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        bits, group = _mode_numbers(type(self), mode, "gptq", ("weight_bits", "group_size"))
        if bits not in (2, 3, 4, 8):
            raise ValueError(
                "Invalid weight_bits in mode. Supported values are 2, 3, 4, and 8, "
                f"but got {bits} from '{mode}'."
            )
        _check_group(mode, "group_size", group)
        super().__init__(mode, source_name)
        self.mode, self.weight_bits, self.group_size = "gptq", bits, group


@builtin("keras.dtype_policies")
class AWQDTypePolicy(QuantizedDTypePolicy):
    """Weights quantized by activation-aware scaling (AWQ).

    Args:
        mode: `"awq/4/<group_size>"`.
        source_name: The policy's name before quantization.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        bits, group = _mode_numbers(type(self), mode, "awq", ("weight_bits", "group_size"))
        if bits != 4:
            raise ValueError(
                "Invalid weight_bits in mode. AWQ only supports 4-bit quantization, "
                f"but got {bits} from '{mode}'."
            )
        _check_group(mode, "group_size", group)
        super().__init__(mode, source_name)
        self.mode, self.weight_bits, self.group_size = "awq", bits, group


@builtin("keras.dtype_policies")
class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by the paths of layers; what has none gets the default.

    Args:
        default_policy: A policy or its name; that in force if None.
        policy_map: Path, or regular expression that matches the whole path, to policy.
    """

    def __init__(
        self, default_policy: Any = None, policy_map: dict[str, Any] | None = None
    ) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("`default_policy` cannot be a `DTypePolicyMap`.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                "If specified, `policy_map` must be a dict. "
                f"Received: policy_map={policy_map} of type {type(policy_map)}"
            )
        self._default_policy_arg = default_policy
        self._default_policy = get(default_policy)
        self._policy_map: dict[str, DTypePolicy] = dict(policy_map or {})

    @property
    def name(self) -> str:
        """`map_` and the default's name."""
        return "map_" + self.default_policy._name

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths that match no key."""
        return self._default_policy

    @property
    def variable_dtype(self) -> str:
        """The default's."""
        return self.default_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The default's."""
        return self.default_policy.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The default's."""
        return self.default_policy.quantization_mode

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policy_map:
            return self._policy_map[key]
        matching = [k for k in self._policy_map if re.fullmatch(k, key)]
        if len(matching) > 1:
            raise ValueError(
                f"Path '{key}' matches multiple dtype policy specification keys: {matching}. "
                "Please make sure each path only matches at most one dtype policy specification "
                "key in the DTypePolicyMap."
            )
        return self._policy_map[matching[0]] if matching else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policy_map:
            raise ValueError(
                f"{key} already exist in the DTypePolicyMap with value {self._policy_map[key]}. "
                "Please make sure to not use duplicated keys."
            )
        try:
            self._policy_map[key] = get(policy)
        except Exception as error:
            raise ValueError(
                "Cannot interpret the assigned value by `keras.dtype_policies.get`. "
                f"Received: {policy}: {error}"
            ) from None

    def __delitem__(self, key: str) -> None:
        del self._policy_map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policy_map

    def get(self, key: str, default: Any = None) -> Any:
        """The policy of a path; `default` (or the default policy) where no key matches."""
        matched = key in self._policy_map or any(re.fullmatch(k, key) for k in self._policy_map)
        return self[key] if matched or default is None else default

    def __len__(self) -> int:
        return len(self._policy_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policy_map)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        default = self._default_policy_arg
        if isinstance(default, DTypePolicy):
            default = serialize_keras_object(default)
        policies = {k: serialize_keras_object(p) for k, p in self._policy_map.items()}
        return {"default_policy": default, "policy_map": policies}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> DTypePolicyMap:
        """The map of a config."""
        policies = {
            k: deserialize_keras_object(v, custom_objects)
            for k, v in (config.get("policy_map") or {}).items()
        }
        default = deserialize_keras_object(config.get("default_policy"), custom_objects)
        return cls(default, policies)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        default = self._default_policy_arg
        default = default.name if isinstance(default, DTypePolicy) else default
        mapping = [(k, p.name) for k, p in self._policy_map.items()]
        return f"<DTypePolicyMap at {id(self):#x} default_policy={default}, mapping={mapping}>"


class _State(threading.local):
    policy: DTypePolicy | None = None


_state = _State()


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none: that of `floatx()` unless set."""
    return DTypePolicy(floatx()) if _state.policy is None else _state.policy


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given none, in this thread.

    Args:
        policy: A policy or its name, such as `"mixed_bfloat16"`.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(policy, DTypePolicy):
        policy = _quantized(policy) if _is_quantized(policy) else DTypePolicy(policy)
    _state.policy = policy


def _forget() -> None:
    _state.policy = None


on_clear.append(_forget)


def _is_quantized(name: Any) -> bool:
    return isinstance(name, str) and name.startswith(QUANTIZATION_MODES)


def _quantized(policy: str) -> QuantizedDTypePolicy:
    mode, separator, source = policy.partition("_from_")
    if not separator:
        raise ValueError(
            "Cannot convert `policy` into a valid pair (`mode`, `source_name`) to instantiate "
            f"`QuantizedDTypePolicy`. Received: policy={policy}. Expected e.g. 'int8_from_float32'."
        )
    if mode.startswith("gptq"):
        return GPTQDTypePolicy(mode, source)
    if mode.startswith("awq"):
        return AWQDTypePolicy(mode, source)
    if mode.startswith("int4/"):
        return Int4DTypePolicy(mode, source)
    if mode == "float8":
        return QuantizedFloat8DTypePolicy(mode, source)
    return QuantizedDTypePolicy(mode, source)


def get(identifier: Any) -> DTypePolicy:
    """The policy meant.

    Args:
        identifier: None (the one in force), a policy, its name, a config, or a dtype.

    Raises:
        ValueError: It means none.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if _is_quantized(identifier):
        return _quantized(identifier)
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    try:
        return DTypePolicy(core.dtypes.name_of(identifier))
    except TypeError:
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. "
            f"Received: dtype={identifier}"
        ) from None


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The policy as a config."""
    return serialize_keras_object(dtype_policy)  # type: ignore[no-any-return]


_OBJECTS = {
    cls.__name__: cls
    for cls in (
        DTypePolicy,
        DTypePolicyMap,
        QuantizedDTypePolicy,
        QuantizedFloat8DTypePolicy,
        Int4DTypePolicy,
        GPTQDTypePolicy,
        AWQDTypePolicy,
    )
}
_OBJECTS["FloatDTypePolicy"] = _OBJECTS["Policy"] = DTypePolicy


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The policy of a config."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_OBJECTS)
