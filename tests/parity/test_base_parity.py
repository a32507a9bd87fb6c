"""Names, policies, configs, initializers, regularizers, constraints, activations against Keras."""

import inspect
import json
import warnings

import numpy as np
import pytest

import kerasish_core as core
from kerasish import (
    activations,
    config,
    constraints,
    dtype_policies,
    initializers,
    naming,
    random,
    regularizers,
    tree,
)
from kerasish.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.variable import Variable

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        return keras


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def fresh(keras):
    """Names start afresh. Slow: it clears JAX's compiled functions."""
    keras.utils.clear_session()
    naming.clear_session()
    yield
    keras.utils.clear_session()
    naming.clear_session()


def public(module):
    return [n for n in dir(module) if not n.startswith("_") and not inspect.ismodule(n)]


ROOMS = {
    "activations": activations,
    "config": config,
    "constraints": constraints,
    "dtype_policies": dtype_policies,
    "initializers": initializers,
    "random": random,
    "regularizers": regularizers,
    "tree": tree,
}


def arguments(function):
    """Names and defaults, of classes those of `__init__`."""
    parameters = inspect.signature(function).parameters.values()
    return [
        (p.name, p.default)
        for p in parameters
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name != "self"
    ]


NAMES = ["Conv2D", "LSTM", "GRUCell", "ReLU", "_Foo", "A1B2", "my layer-x", "X__Y", "aBC", "3D"]


def test_auto_names(keras, fresh):
    from keras.src.utils import naming as theirs

    for name in NAMES:
        assert naming.to_snake_case(name) == theirs.to_snake_case(name)
    calls = ["dense", "dense", "dense_1", "dense_1", "conv", "dense"]
    assert [naming.uniquify(c) for c in calls] == [theirs.uniquify(c) for c in calls]
    assert naming.get_uid("dense") == keras.backend.get_uid("dense")


def test_variable_paths_and_names(keras, fresh):
    def run(name_scope, make):
        caller = object()
        found = [make(1.0).path]
        with name_scope("a", caller=caller):
            found += [make(1.0, name="w").path, make(1.0).path]
            with name_scope("a", caller=caller):
                found.append(make(1.0, name="w").path)
            with name_scope("b"):
                found.append(make(1.0, name="w").path)
            with name_scope("b", override_parent="x/y"):
                found.append(make(1.0, name="w").path)
        return found

    assert run(naming.name_scope, Variable) == run(keras.name_scope, keras.Variable)


def test_variables(keras, fresh):
    for args, kwargs in [
        ((np.ones((2, 3), "float32"),), {"name": "w"}),
        (([1, 2],), {}),
        ((2.5,), {"trainable": False, "aggregation": "mean"}),
        (("ones",), {"shape": (2,), "dtype": "float16"}),
    ]:
        a, b = Variable(*args, **kwargs), keras.Variable(*args, **kwargs)
        for attribute in ("shape", "dtype", "name", "path", "trainable", "aggregation", "ndim"):
            assert getattr(a, attribute) == getattr(b, attribute), attribute
        assert a.synchronization == b.synchronization
        assert repr(a) == repr(b)


POLICIES = [
    "float32", "float16", "mixed_float16", "mixed_bfloat16", "int32", "bool", "string", "complex64",
    "int8_from_float32", "int8_from_mixed_bfloat16", "int4_from_float32", "float8_from_float32",
    "int4/64_from_float32", "gptq/4/128_from_float32", "awq/4/-1_from_float32",
]  # fmt: skip


OBJECTS = [
    ("initializers", "Zeros", {}),
    ("initializers", "Ones", {}),
    ("initializers", "Constant", {"value": 2.0}),
    ("initializers", "Identity", {}),
    ("initializers", "STFT", {"side": "imag", "window": "hamming"}),
    ("initializers", "RandomNormal", {"stddev": 0.5}),
    ("initializers", "RandomUniform", {"seed": 3}),
    ("initializers", "TruncatedNormal", {}),
    ("initializers", "VarianceScaling", {"distribution": "normal", "input_axes": (0,)}),
    ("initializers", "GlorotNormal", {}),
    ("initializers", "GlorotUniform", {"seed": 1}),
    ("initializers", "HeNormal", {}),
    ("initializers", "HeUniform", {}),
    ("initializers", "LecunNormal", {}),
    ("initializers", "LecunUniform", {}),
    ("initializers", "Orthogonal", {"gain": 3.0}),
    ("regularizers", "L1", {}),
    ("regularizers", "L2", {"l2": 0.3}),
    ("regularizers", "L1L2", {"l1": 0.1, "l2": 0.2}),
    ("regularizers", "OrthogonalRegularizer", {}),
    ("constraints", "MaxNorm", {"max_value": 3}),
    ("constraints", "MinMaxNorm", {"rate": 0.5}),
    ("constraints", "NonNeg", {}),
    ("constraints", "UnitNorm", {"axis": [0, 1]}),
    ("random", "SeedGenerator", {"seed": 5, "name": "seeds"}),
    ("random", "SeedGenerator", {"name": "named"}),
    ("dtype_policies", "DTypePolicyMap", {}),
    ("dtype_policies", "QuantizedFloat8DTypePolicy", {"mode": "float8", "amax_history_length": 2}),
]


@pytest.mark.parametrize("room, name, kwargs", OBJECTS)
def test_configs_are_equal_and_read_across(keras, room, name, kwargs):
    mine = getattr(ROOMS[room], name)(**kwargs)
    theirs = getattr(getattr(keras, room), name)(**kwargs)
    ours, reference = serialize_keras_object(mine), keras.saving.serialize_keras_object(theirs)
    assert json.dumps(ours, sort_keys=True) == json.dumps(reference, sort_keys=True)
    written = json.loads(json.dumps(reference))
    again = serialize_keras_object(deserialize_keras_object(written))
    assert json.dumps(again, sort_keys=True) == json.dumps(ours, sort_keys=True)
    read = keras.saving.deserialize_keras_object(json.loads(json.dumps(ours)))
    assert type(read) is type(theirs)


VALUES = [
    None, 3, 2.5, True, "text", b"bytes", np.float32(3), np.int64(3), np.array(2.0),
    np.ones((2, 2)), slice(1, None, 2), (1, (2, 3)), [1, (2,)], {"a": [1, {"b": (2,)}]}, Ellipsis,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_serialized_values(keras, value):
    ours, theirs = serialize_keras_object(value), keras.saving.serialize_keras_object(value)
    assert ours == theirs
    read = deserialize_keras_object(theirs)
    expected = keras.saving.deserialize_keras_object(theirs)
    assert type(read) is type(expected)
    assert np.array_equal(read, expected) if isinstance(read, np.ndarray) else read == expected


def test_serialized_functions_and_custom_classes(keras):
    class Mine:
        def get_config(self):
            return {"shape": (1, 2)}

        @classmethod
        def from_config(cls, config):
            return cls()

    def function(x):
        return x

    for value in (Mine(), function):
        assert serialize_keras_object(value) == keras.saving.serialize_keras_object(value)
    for name in activations.functions.__all__:
        ours = serialize_keras_object(getattr(activations, name))
        assert ours == keras.saving.serialize_keras_object(getattr(keras.activations, name))


def test_serialized_lambdas_read_across(keras):
    theirs = keras.saving.serialize_keras_object(lambda x, y=2: x * y)
    assert deserialize_keras_object(theirs, safe_mode=False)(3) == 6
    ours = serialize_keras_object(lambda x, y=3: x * y)
    assert keras.saving.deserialize_keras_object(ours, safe_mode=False)(3) == 9


@pytest.mark.parametrize(
    "cfg",
    [
        {"module": "os", "class_name": "system", "config": {}, "registered_name": "system"},
        {"module": "keras.layers", "class_name": "Nope", "config": {}, "registered_name": None},
        {"module": "builtins", "class_name": "function", "config": "nope"},
        {"module": "keras.initializers", "class_name": "HeNormal", "config": {"sed": 3}},
        {"module": "keras.utils", "class_name": "get_file", "config": {}},
        {"class_name": "__lambda__", "config": {"value": ["", None, None]}},
    ],
)
def test_what_keras_refuses_is_refused(keras, cfg):
    with pytest.raises((TypeError, ValueError)) as theirs:
        keras.saving.deserialize_keras_object(cfg)
    with pytest.raises(theirs.type):
        deserialize_keras_object(cfg)


X = np.random.default_rng(0).normal(size=(4, 6)).astype("float32") * 3
CALLS = [
    *(
        (name, {})
        for name in activations.functions.__all__
        if name not in ("threshold", "sparsemax")
    ),
    ("threshold", {"threshold": 0.5, "default_value": -1.0}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 2.0, "threshold": 0.5}),
    ("relu", {"negative_slope": 0.1, "max_value": 2.0, "threshold": -0.5}),
    ("gelu", {"approximate": True}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 0.5}),
    ("glu", {"axis": 0}),
    ("softmax", {"axis": 0}),
    ("softmax", {"axis": (0, 1)}),
    ("log_softmax", {"axis": 0}),
    ("squareplus", {"b": 2}),
    ("soft_shrink", {"threshold": 1.0}),
    ("hard_shrink", {"threshold": 1.0}),
    ("leaky_relu", {"negative_slope": 0.5}),
]


def test_activations_by_name(keras):
    for name in [*activations.functions.__all__, "swish", "hard_swish"]:
        assert activations.get(name).__name__ == keras.activations.get(name).__name__
        serialized = keras.activations.serialize(keras.activations.get(name))
        assert activations.serialize(activations.get(name)) == serialized


@pytest.mark.parametrize("room", ["initializers", "regularizers", "constraints"])
def test_names_mean_the_same(keras, room):
    mine, theirs = ROOMS[room], getattr(keras, room)
    for name in mine._BY_NAME:
        try:
            expected = type(theirs.get(name)).__name__
        except (ValueError, KeyError):
            continue  # Keras 2's names, which Keras 3 dropped; and "constant", which fails there
        assert type(mine.get(name)).__name__ == expected


def test_seed_generators_name_and_advance(keras, fresh):
    def run(r):
        made = [r.SeedGenerator(7), r.SeedGenerator(8, name="n"), r.SeedGenerator(9)]
        r.normal((2,), seed=made[0])
        states = [np.asarray(m.state).tolist() for m in made]
        return states, [m.state.path for m in made], [m.get_config() for m in made]

    assert run(random) == run(keras.random)


def test_settings_have_the_same_defaults(keras):
    for name in ("floatx", "epsilon", "image_data_format", "max_epochs", "max_steps_per_epoch",
                 "is_interactive_logging_enabled", "is_traceback_filtering_enabled",
                 "is_flash_attention_enabled"):  # fmt: skip
        assert getattr(config, name)() == getattr(keras.config, name)(), name
    for call in (lambda c: c.set_floatx("int8"), lambda c: c.set_image_data_format("x")):
        with pytest.raises(ValueError):
            call(keras.config)
        with pytest.raises(ValueError):
            call(config)


def test_values_of_variables_in_autocast(keras):
    v = Variable(np.ones(2, "float32"))
    assert core.ops.add(v, 1).dtype == keras.ops.add(keras.Variable(np.ones(2, "float32")), 1).dtype


def test_models_and_layers_read_across(keras):
    from kerasish import layers, models

    def functional(room, model):
        x = room.Input((4,))
        y = room.Dense(3, activation="relu", kernel_regularizer="l2")(x)
        return model(x, room.Dense(2)(y))

    def sequential(room, model):
        return model([room.Input((4,)), room.Dense(3), room.Dropout(0.5)])

    for make, name in ((functional, "Model"), (sequential, "Sequential")):
        mine = make(layers, getattr(models, name))
        theirs = make(keras.layers, getattr(keras, name))
        ours = json.loads(json.dumps(serialize_keras_object(mine)))
        reference = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))
        for key in ("module", "class_name", "registered_name"):
            assert ours[key] == reference[key]
        shapes = [tuple(w.shape) for w in theirs.weights]
        read = deserialize_keras_object(reference)
        assert [tuple(w.shape) for w in read.weights] == shapes
        read = keras.saving.deserialize_keras_object(ours)
        assert [tuple(w.shape) for w in read.weights] == shapes
