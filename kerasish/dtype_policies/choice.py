"""Policies by names, configs and the paths of layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

import kerasish_core as core

from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from .policy import STATE, DTypePolicy, dtype_policy
from .quantized import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    is_quantized,
    quantized,
)

__all__ = ["DTypePolicyMap", "deserialize", "get", "serialize", "set_dtype_policy"]


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


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given none, in this thread.

    Args:
        policy: A policy or its name, such as `"mixed_bfloat16"`.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(policy, DTypePolicy):
        policy = quantized(policy) if is_quantized(policy) else DTypePolicy(policy)
    STATE.policy = policy


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
    if is_quantized(identifier):
        return quantized(identifier)
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
    return serialize_keras_object(dtype_policy)


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
