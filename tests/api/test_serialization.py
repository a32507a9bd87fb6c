"""Objects to configs and back."""

import json
import sys

import numpy as np
import pytest

import kerasish_core as core
from kerasish import activations, initializers, regularizers
from kerasish.serialization import (
    CustomObjectScope,
    ObjectSharingScope,
    builtin,
    deserialize_keras_object,
    find_builtin,
    func_dump,
    func_load,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    legacy,
    register_keras_serializable,
    safe_mode,
    safe_mode_scope,
    serialize_keras_object,
)


class Box:
    """A custom class with a nested object."""

    def __init__(self, value, inner=None):
        self.value, self.inner = value, inner

    def get_config(self):
        return {"value": self.value, "inner": serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        return cls(config["value"], deserialize_keras_object(config["inner"]))


@register_keras_serializable(package="Tests", name="Registered")
class RegisteredBox(Box):
    pass


@register_keras_serializable("Tests")
def registered_function(x):
    return x + 1


def plain_function(x):
    return x + 2


def through_json(config):
    return json.loads(json.dumps(config))


@pytest.mark.parametrize("value", [None, 3, 2.5, True, "text", [1, [2, 3]], {"a": {"b": [1]}}])
def test_plain_values_stay(value):
    config = serialize_keras_object(value)
    assert config == value
    assert deserialize_keras_object(through_json(config)) == value


@pytest.mark.parametrize("value", [b"bytes", slice(1, None, 2), Ellipsis])
def test_values_that_json_lacks(value):
    assert deserialize_keras_object(through_json(serialize_keras_object(value))) == value


def test_numpy():
    assert serialize_keras_object(np.float32(2)) == 2.0
    assert type(serialize_keras_object(np.int64(2))) is int
    assert serialize_keras_object(np.array(3.0)) == 3.0
    assert serialize_keras_object(np.dtype("float16")) == "float16"
    array = np.arange(6, dtype="float16").reshape(2, 3)
    again = deserialize_keras_object(through_json(serialize_keras_object(array)))
    assert again.dtype == array.dtype and np.array_equal(again, array)


def test_tensors():
    config = serialize_keras_object(core.convert(np.ones((2, 2), "int8")))
    assert config == {
        "class_name": "__tensor__",
        "config": {"value": [[1, 1], [1, 1]], "dtype": "int8"},
    }
    again = deserialize_keras_object(config)
    assert isinstance(again, core.Tensor) and again.dtype == "int8"


def test_tuples():
    assert serialize_keras_object((1, (2, 3))) == (1, (2, 3))
    assert deserialize_keras_object({"class_name": "__tuple__", "config": {"value": [1, 2]}}) == (
        1,
        2,
    )


def test_builtin_instances():
    config = serialize_keras_object(initializers.RandomNormal(stddev=0.5, seed=3))
    assert config == {
        "module": "keras.initializers",
        "class_name": "RandomNormal",
        "config": {"mean": 0.0, "stddev": 0.5, "seed": 3},
        "registered_name": None,
    }
    again = deserialize_keras_object(through_json(config))
    assert type(again) is initializers.RandomNormal and again.seed == 3


@pytest.mark.parametrize(
    "module",
    [
        "keras.initializers",
        "kerasish.initializers",
        "keras.src.initializers.constant_initializers",
        "keras.api.initializers",
        "tf_keras.initializers",
        "tensorflow.keras.initializers",
        "kerasish.initializers.constant",
    ],
)
def test_module_spellings(module):
    config = {"module": module, "class_name": "Zeros", "config": {}, "registered_name": "Zeros"}
    assert type(deserialize_keras_object(config)) is initializers.Zeros


def test_keras_2_configs_have_no_module():
    again = deserialize_keras_object({"class_name": "HeNormal", "config": {"seed": 4}})
    assert type(again) is initializers.HeNormal and again.seed == 4


def test_functions():
    config = serialize_keras_object(activations.relu)
    assert config == {
        "module": "builtins",
        "class_name": "function",
        "config": "relu",
        "registered_name": "function",
    }
    assert deserialize_keras_object(config) is activations.relu
    config = serialize_keras_object(registered_function)
    assert config["config"] == "Tests>registered_function"
    assert deserialize_keras_object(config) is registered_function


def test_custom_functions_by_argument_and_scope():
    config = serialize_keras_object(plain_function)
    with pytest.raises(TypeError, match=r"Could not locate function 'plain_function'.*register_"):
        deserialize_keras_object(config)
    objects = {"plain_function": plain_function}
    assert deserialize_keras_object(config, custom_objects=objects) is plain_function
    with CustomObjectScope(objects):
        assert deserialize_keras_object(config) is plain_function
        assert deserialize_keras_object("plain_function") is plain_function
    assert deserialize_keras_object("plain_function") == "plain_function"


def test_custom_classes():
    config = through_json(serialize_keras_object(Box(3, inner=Box(4))))
    assert (config["module"], config["registered_name"]) == (Box.__module__, "Box")
    with pytest.raises(TypeError, match=r"Could not locate class 'Box'.*custom_objects"):
        deserialize_keras_object(config)
    again = deserialize_keras_object(config, custom_objects={"Box": Box})
    assert again.inner.value == 4  # the inner one was found too


def test_registered_classes():
    assert get_registered_name(RegisteredBox) == "Tests>Registered"
    assert get_registered_object("Tests>Registered") is RegisteredBox
    assert get_registered_object("nothing") is None
    config = serialize_keras_object(RegisteredBox(1, inner=regularizers.L2(0.5)))
    assert config["registered_name"] == "Tests>Registered"
    again = deserialize_keras_object(through_json(config))
    assert type(again) is RegisteredBox and again.inner.l2 == 0.5


def test_a_subclass_of_a_builtin_is_custom():
    class Sub(initializers.Zeros):
        pass

    config = serialize_keras_object(Sub())
    assert config["registered_name"] == "Sub"
    assert type(deserialize_keras_object(config, {"Sub": Sub})) is Sub


def test_registering_needs_get_config():
    with pytest.raises(ValueError, match="get_config"):
        register_keras_serializable()(type("NoConfig", (), {}))


def test_scopes_nest_and_end():
    with CustomObjectScope({"a": 1}):
        with CustomObjectScope({"a": 2, "b": 3}):
            assert get_registered_object("a") == 2
        assert get_registered_object("a") == 1
        assert get_registered_object("b") is None
        assert "a" not in get_custom_objects()
    assert get_registered_object("a") is None


def test_the_registry_can_be_changed():
    get_custom_objects()["tests_entry"] = plain_function
    try:
        assert deserialize_keras_object("tests_entry") is plain_function
    finally:
        del get_custom_objects()["tests_entry"]


@pytest.mark.parametrize(
    "config, message",
    [
        ({"module": "os", "class_name": "system", "config": {}}, "Could not locate class 'system'"),
        ({"module": "keras.layers", "class_name": "Nope", "config": {}}, "Could not locate class"),
        (
            {"module": "kerasish.serialization", "class_name": "func_load", "config": {}},
            "Could not locate|not a modeling",
        ),
        ({"module": "builtins", "class_name": "function", "config": "eval"}, "function 'eval'"),
        ({"module": "keras.nowhere", "class_name": "X", "config": {}}, "Could not locate"),
    ],
)
def test_what_is_not_found(config, message):
    with pytest.raises((TypeError, ValueError), match=message):
        deserialize_keras_object(config)


def test_no_module_is_imported_for_a_config(tmp_path, monkeypatch):
    (tmp_path / "evil_module_of_a_config.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    config = {"module": "evil_module_of_a_config", "class_name": "A", "config": {}}
    with pytest.raises(TypeError, match="Could not locate"):
        deserialize_keras_object(config)
    assert "evil_module_of_a_config" not in sys.modules


def test_wrong_arguments_are_explained():
    config = {"module": "keras.initializers", "class_name": "Constant", "config": {"valu": 1}}
    with pytest.raises((TypeError, KeyError)):
        deserialize_keras_object(config)
    config = {"module": "keras.initializers", "class_name": "HeNormal", "config": {"sed": 1}}
    with pytest.raises(TypeError, match=r"could not be deserialized properly(.|\n)*sed"):
        deserialize_keras_object(config)


@pytest.mark.parametrize("value", [{1, 2}, object(), 1 + 2j, Box])
def test_what_cannot_be_serialized(value):
    with pytest.raises(TypeError, match="Cannot serialize"):
        serialize_keras_object(value)


def test_get_config_must_return_a_dict():
    class Bad:
        def get_config(self):
            return 3

    with pytest.raises(TypeError, match="should return a dict"):
        serialize_keras_object(Bad())


def test_a_config_that_is_none():
    with pytest.raises(TypeError, match="Could not parse config"):
        deserialize_keras_object(object())


class TestLambdas:
    def config(self):
        offset = 10
        with pytest.warns(UserWarning, match="lambda"):
            config = serialize_keras_object(lambda x, y=5: x + y + offset)
        return through_json(config)

    def test_refused_by_default(self):
        with pytest.raises(ValueError, match="arbitrary code execution"):
            deserialize_keras_object(self.config())
        with safe_mode_scope(True), pytest.raises(ValueError, match="safe_mode=False"):
            deserialize_keras_object(self.config(), safe_mode=False)

    def test_with_defaults_and_closure(self):
        assert deserialize_keras_object(self.config(), safe_mode=False)(1) == 16
        with safe_mode_scope(False):
            assert deserialize_keras_object(self.config())(1, 0) == 11

    def test_enabled_everywhere(self, monkeypatch):
        monkeypatch.setattr(safe_mode, "_unsafe_everywhere", False)
        safe_mode.enable_unsafe_deserialization()
        assert deserialize_keras_object(self.config())(1) == 16

    def test_the_form_of_lambda_layers(self):
        code, defaults, closure = func_dump(lambda x: np.add(x, 1))
        inner = {"code": code, "defaults": defaults, "closure": closure}
        config = {"class_name": "__lambda__", "config": inner}
        assert deserialize_keras_object(config, safe_mode=False)(1) == 2
        with safe_mode_scope(False):
            assert func_load(code)(2) == 3


class Part:
    """With the protocol of layers: built, and built again from a config."""

    built = False
    compiled = None

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()

    def get_build_config(self):
        return {"input_shape": (None, 3)} if self.built else None

    def build_from_config(self, config):
        self.shape = config["input_shape"]

    def get_compile_config(self):
        return self.compiled

    def compile_from_config(self, config):
        self.compiled = config


def test_build_and_compile_configs():
    part = Part()
    assert serialize_keras_object(part).keys() == {
        "module", "class_name", "config", "registered_name",
    }  # fmt: skip
    part.built, part.compiled = True, {"optimizer": "sgd"}
    config = serialize_keras_object(part)
    assert config["build_config"] == {"input_shape": (None, 3)}
    again = deserialize_keras_object(through_json(config), {"Part": Part})
    assert again.built and again.shape == [None, 3]
    assert again.compiled == {"optimizer": "sgd"}


def test_shared_objects_stay_shared():
    shared = Part()
    with ObjectSharingScope():
        config = through_json(serialize_keras_object([shared, Part(), shared]))
    assert config[0]["shared_object_id"] == config[2]["shared_object_id"]
    assert "shared_object_id" not in config[1]
    with ObjectSharingScope(), CustomObjectScope({"Part": Part}):
        again = deserialize_keras_object(config)
    assert again[0] is again[2] and again[0] is not again[1]
    again = deserialize_keras_object(config, {"Part": Part})
    assert again[0] is not again[2]


def test_builtin_entries():
    @builtin("keras.src.tests.things", name="Other")
    class Thing(Part):
        pass

    assert find_builtin("keras.src.tests.things", "Other") is Thing
    config = serialize_keras_object(Thing())
    assert config["module"] == "keras.src.tests.things"
    assert (config["class_name"], config["registered_name"]) == ("Other", "Thing")
    assert type(deserialize_keras_object(config)) is Thing


def test_legacy_form():
    assert legacy.serialize_keras_object(None) is None
    assert legacy.serialize_keras_object(activations.relu) == "relu"
    config = legacy.serialize_keras_object(initializers.Constant(2.0))
    assert config == {"class_name": "Constant", "config": {"value": 2.0}}
    assert legacy.deserialize_keras_object(config).value == 2.0
    objects = {"relu": activations.relu}
    assert legacy.deserialize_keras_object("relu", objects) is activations.relu
    with pytest.raises(ValueError, match="Unknown activation: 'rel'"):
        legacy.deserialize_keras_object("rel", objects, printable_module_name="activation")
    with pytest.raises(ValueError, match="Improper config format"):
        legacy.deserialize_keras_object({"class": "Box"})
    with pytest.raises(ValueError, match="get_config"):
        legacy.serialize_keras_object(3)


def test_scopes_reach_the_rooms():
    from kerasish import losses, metrics, optimizers

    class MySGD(optimizers.SGD):
        pass

    with CustomObjectScope({"mine": plain_function, "MySGD": MySGD}):
        assert losses.get("mine") is metrics.get("mine") is activations.get("mine")
        assert losses.get("mine") is plain_function
        assert type(optimizers.get("MySGD")) is MySGD
    with pytest.raises(ValueError, match="mine"):
        losses.get("mine")


def test_layers_come_back():
    from kerasish import layers

    layer = layers.Dense(2, activation="relu", kernel_regularizer="l2", name="d")
    layer(np.ones((1, 3), "float32"))
    again = deserialize_keras_object(through_json(serialize_keras_object(layer)))
    assert type(again) is layers.Dense and again.name == "d"
    assert [w.shape for w in again.weights] == [(3, 2), (2,)]
    assert serialize_keras_object(again) == serialize_keras_object(layer)
