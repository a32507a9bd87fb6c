"""Dtype policies."""

import threading

import numpy as np
import pytest

import kerasish_core as core
from kerasish import dtype_policies as dp
from kerasish import naming
from kerasish.serialization import deserialize_keras_object, serialize_keras_object


@pytest.fixture(autouse=True)
def fresh():
    yield
    naming.clear_session()


@pytest.mark.parametrize(
    "name, compute, variable",
    [
        ("float32", "float32", "float32"),
        ("float16", "float16", "float16"),
        ("mixed_float16", "float16", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32"),
        ("int32", "int32", "int32"),
        ("bool", "bool", "bool"),
    ],
)
def test_names(name, compute, variable):
    policy = dp.DTypePolicy(name)
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == (name, compute, variable)
    assert policy.quantization_mode is None
    assert repr(policy) == f'<DTypePolicy "{name}">'
    assert dp.DTypePolicy.from_config(policy.get_config()) == policy


def test_bad_names():
    for name in ("q", "f4", "half", "float128", "object", "str"):  # NumPy knows them
        with pytest.raises(ValueError, match=f"Cannot convert '{name}'"):
            dp.DTypePolicy(name)
    assert dp.DTypePolicy("int").compute_dtype == "int32"
    with pytest.raises(ValueError, match="Cannot convert 'mixed_float32'"):
        dp.DTypePolicy("mixed_float32")
    with pytest.raises(TypeError, match="must be a string"):
        dp.DTypePolicy(32)
    with pytest.raises(ValueError, match="valid pair"):
        dp.get("int8")
    with pytest.raises(ValueError, match="Cannot interpret `dtype`"):
        dp.get(3)


def test_get():
    policy = dp.DTypePolicy("float16")
    assert dp.get(policy) is policy
    assert dp.get(None).name == "float32"
    assert dp.get(np.float16).name == dp.get(np.dtype("float16")).name == "float16"
    assert dp.get(float).name == "float32"
    assert dp.get(dp.serialize(policy)) == policy
    assert dp.get({"class_name": "DTypePolicy", "config": {"name": "float16"}}) == policy
    assert dp.get({"class_name": "Policy", "config": {"name": "float16"}}) == policy  # Keras 2


def test_the_policy_in_force():
    dp.set_dtype_policy("mixed_float16")
    assert dp.DTypePolicy().name == dp.get(None).name == dp.dtype_policy().name == "mixed_float16"
    dp.set_dtype_policy("int8_from_float32")
    assert dp.dtype_policy().quantization_mode == "int8"
    seen = []
    thread = threading.Thread(target=lambda: seen.append(dp.dtype_policy().name))
    thread.start()
    thread.join()
    assert seen == ["float32"]


@pytest.mark.parametrize(
    "name, cls, mode, compute",
    [
        ("int8_from_float32", dp.QuantizedDTypePolicy, "int8", "float32"),
        ("int8_from_mixed_bfloat16", dp.QuantizedDTypePolicy, "int8", "bfloat16"),
        ("int4_from_float32", dp.QuantizedDTypePolicy, "int4", "float32"),
        ("float8_from_mixed_float16", dp.QuantizedFloat8DTypePolicy, "float8", "float16"),
        ("int4/64_from_float32", dp.Int4DTypePolicy, "int4", "float32"),
        ("gptq/4/128_from_float32", dp.GPTQDTypePolicy, "gptq", "float32"),
        ("awq/4/-1_from_float32", dp.AWQDTypePolicy, "awq", "float32"),
    ],
)
def test_quantized(name, cls, mode, compute):
    policy = dp.get(name)
    assert type(policy) is cls
    assert (policy.name, policy.quantization_mode, policy.compute_dtype) == (name, mode, compute)
    again = deserialize_keras_object(serialize_keras_object(policy))
    assert again == policy and again is not policy


def test_quantized_details():
    assert dp.get("gptq/3/128_from_float32").weight_bits == 3
    assert dp.get("gptq/3/128_from_float32").group_size == 128
    assert dp.get("int4/64_from_float32").block_size == 64
    policy = dp.QuantizedFloat8DTypePolicy("float8", amax_history_length=7)
    assert policy.get_config()["amax_history_length"] == 7
    assert policy != dp.QuantizedFloat8DTypePolicy("float8")


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: dp.QuantizedDTypePolicy("int7"), "Invalid quantization mode"),
        (lambda: dp.get("int8_from_float16"), "doesn't work well"),
        (lambda: dp.get("int4/0_from_float32"), "Invalid block_size"),
        (lambda: dp.get("gptq/9/1_from_float32"), "Supported values are 2, 3, 4, and 8"),
        (lambda: dp.get("gptq/4_from_float32"), "Expected format"),
        (lambda: dp.get("gptq/x/1_from_float32"), "must be integers"),
        (lambda: dp.get("awq/8/1_from_float32"), "only supports 4-bit"),
        (lambda: dp.QuantizedFloat8DTypePolicy("float8", amax_history_length=1.5), "integer"),
    ],
)
def test_bad_quantization(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_convert_input():
    policy = dp.DTypePolicy("float16")
    assert policy.convert_input(np.ones(2), True, "float16").dtype == "float16"
    assert policy.convert_input(np.ones(2, "int32"), True, "float16").dtype == "int32"
    assert policy.convert_input(np.ones(2), False, "float16").dtype == "float32"
    kept = core.convert(np.ones(2, "float32"))
    assert policy.convert_input(kept, False, "float16") is kept
    assert policy.convert_input(3.0, True, "float16") == 3.0


def test_map():
    policies = dp.DTypePolicyMap("float32", {"a/b": dp.get("float16")})
    policies["layer.*"] = "mixed_bfloat16"
    assert policies["a/b"].name == "float16"
    assert policies["layer_3"].name == "mixed_bfloat16"
    assert policies["other"].name == "float32"
    assert "other" not in policies and len(policies) == 2
    assert (policies.name, policies.compute_dtype) == ("map_float32", "float32")
    assert policies.get("other", 5) == 5
    again = deserialize_keras_object(serialize_keras_object(policies))
    assert {k: p.name for k, p in again.items()} == {"a/b": "float16", "layer.*": "mixed_bfloat16"}
    del policies["a/b"]
    assert policies["a/b"].name == "float32"


def test_map_errors():
    policies = dp.DTypePolicyMap()
    assert policies.get_config() == {"default_policy": None, "policy_map": {}}
    policies["a.*"] = "float16"
    policies[".*b"] = "float16"
    with pytest.raises(ValueError, match="multiple dtype policy"):
        policies["ab"]
    with pytest.raises(ValueError, match="already exist"):
        policies["a.*"] = "float32"
    with pytest.raises(ValueError, match="Cannot interpret"):
        policies["c"] = 3
    with pytest.raises(TypeError, match="must be a dict"):
        dp.DTypePolicyMap(policy_map=3)
