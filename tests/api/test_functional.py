"""Functional models."""

import json

import numpy as np
import pytest

from kerasish import Input, Model, layers, ops
from kerasish.models import Functional

RNG = np.random.default_rng(1)


def data(*shape):
    return RNG.normal(size=shape).astype("float32")


def two_in_two_out(inputs=list):
    a, b = Input((2,), name="a"), Input((3,), name="b")
    joined = layers.Concatenate()([a, b])
    outputs = [layers.Dense(4, name="four")(joined), layers.Dense(1, name="one")(joined)]
    return Model([a, b] if inputs is list else {"a": a, "b": b}, outputs)


def test_model_of_symbolic_tensors_is_functional():
    x = Input((3,))
    model = Model(inputs=x, outputs=layers.Dense(2)(x), name="net")
    assert type(model) is Functional and model.name == "net" and model.built
    assert model.input is x and model.input_shape == (None, 3) and model.output_shape == (None, 2)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense"]


def test_list_and_dict_inputs_are_the_same():
    model = two_in_two_out()
    x, y = data(5, 2), data(5, 3)
    first = model([x, y])
    for given in ((x, y), {"a": x, "b": y}, {"b": y, "a": x, "unused": x}):
        for one, other in zip(first, model(given), strict=True):
            np.testing.assert_array_equal(one, other)
    assert [t.shape for t in first] == [(5, 4), (5, 1)]
    assert model.output_names == ["four", "one"]


def test_dict_struct():
    model = two_in_two_out(dict)
    x, y = data(5, 2), data(5, 3)
    assert model({"b": y, "a": x})[0].shape == (5, 4)
    with pytest.warns(UserWarning, match="structure of `inputs` doesn't match"):
        model([x, y])
    with pytest.warns(UserWarning, match="structure of `inputs` doesn't match"):
        model({"a": x, "b": y, "c": x})
    with pytest.raises(ValueError, match='Missing data for input "b"'):
        model({"a": x})


def test_dict_outputs():
    x = Input((3,))
    model = Model(x, {"twice": x * 2, "deeper": [layers.Dense(1)(x), x + 1]})
    value = data(2, 3)
    found = model(value)
    assert set(found) == {"twice", "deeper"}
    np.testing.assert_allclose(found["twice"], 2 * value, rtol=1e-6)
    np.testing.assert_allclose(found["deeper"][1], value + 1, rtol=1e-6)
    assert model.output_shape == [(None, 1), (None, 3), (None, 3)]  # flat: "deeper" comes first


def test_wrong_inputs():
    model = two_in_two_out()
    with pytest.raises(ValueError, match=r"expects 2 named input.*received 1"):
        model(data(1, 2))
    with pytest.raises(ValueError, match=r"expects 2 named input.*received 3"):
        model([data(1, 2), data(1, 3), data(1, 3)])
    with pytest.raises(ValueError, match=r"Input 1 with name 'b'.*expected shape=\(None, 3\)"):
        model([data(1, 2), data(1, 4)])
    with pytest.raises(ValueError, match="Missing data"):
        model({"a": data(1, 2)})


def test_wrong_graphs():
    a, b = Input((2,)), Input((2,))
    with pytest.raises(ValueError, match="not connected"):
        Model(a, layers.Dense(1)(b))
    with pytest.raises(ValueError, match="not connected"):
        Model(a, layers.Add()([a, b]))
    with pytest.raises(ValueError, match="All `outputs` values must be KerasTensors"):
        Model(a, 3)
    with pytest.raises(ValueError, match="All `inputs` values must be KerasTensors"):
        Model(np.ones(2), a)
    with pytest.raises(ValueError, match='"same" is used 2 times'):
        Model(a, layers.Dense(1, name="same")(layers.Dense(1, name="same")(a)))


def test_rank_and_dtype_are_adapted():
    x = Input((1,))
    dense = layers.Dense(2)
    model = Model(x, dense(x))
    flat = np.arange(4)
    assert model(flat).shape == (4, 2)
    np.testing.assert_array_equal(model(flat), model(flat.reshape(4, 1).astype("float64")))
    assert model(flat.reshape(4, 1, 1)).shape == (4, 2)
    assert model([[1.0], [2.0]]).shape == (2, 2)
    index = Input((3,), dtype="int32")
    embedded = Model(index, layers.Embedding(5, 2)(index))
    assert embedded(np.array([[1.0, 2.0, 3.0]])).shape == (1, 3, 2)


def test_shared_layers_share_weights():
    a, b = Input((3,)), Input((3,))
    shared = layers.Dense(2)
    model = Model([a, b], shared(a) - shared(b))
    assert len(model.weights) == 2
    x = data(4, 3)
    np.testing.assert_allclose(model([x, x]), 0, atol=1e-6)
    assert len([layer for layer in model.layers if layer is shared]) == 1


def test_operators_and_functions_on_symbolic_tensors():
    x = Input((3, 2))
    y = ops.mean(ops.exp(x) * 2.0 - 1.0, axis=1, keepdims=True)[:, 0]
    y = ops.concatenate([y, x[:, 1]], axis=-1)
    y = ops.where(y > 0, y, -y) / ops.sum(ops.abs(y), axis=-1, keepdims=True)
    value = data(4, 3, 2)
    reference = np.mean(np.exp(value) * 2 - 1, axis=1)
    reference = np.concatenate([reference, value[:, 1]], axis=-1)
    reference = np.abs(reference) / np.abs(reference).sum(-1, keepdims=True)
    np.testing.assert_allclose(Model(x, y)(value), reference, rtol=1e-5, atol=1e-6)


def test_intermediate_outputs():
    x = Input((4,))
    hidden = layers.Dense(3, name="hidden", activation="relu")(x)
    model = Model(x, layers.Dense(1)(hidden))
    part = Model(model.input, model.get_layer("hidden").output)
    value = data(2, 4)
    w, b = model.get_layer("hidden").get_weights()
    np.testing.assert_allclose(part(value), np.maximum(value @ w + b, 0), rtol=1e-5, atol=1e-6)
    assert part.weights[0] is model.weights[0]


def test_model_from_the_middle():
    x = Input((4,))
    hidden = layers.Dense(3)(x)
    top = layers.Dense(2)(ops.relu(hidden))
    model, upper = Model(x, top), Model(hidden, top)
    value = data(5, 4)
    lower = Model(x, hidden)
    np.testing.assert_allclose(upper(lower(value)), model(value), rtol=1e-6)
    assert upper.input_shape == (None, 3) and len(upper.weights) == 2


def test_nested_models():
    x = Input((4,))
    inner = Model(x, [layers.Dense(3)(x), x * 2])
    y = Input((4,))
    first, second = inner(y)
    outer = Model(y, layers.Concatenate()([first, second, inner(second)[0]]))
    assert outer.output_shape == (None, 10)
    value = data(2, 4)
    a, b = inner(value)
    np.testing.assert_allclose(outer(value), np.concatenate([a, b, inner(b)[0]], axis=1), rtol=1e-5)


def test_several_results_of_a_layer():
    x = Input((5, 2))
    sequence, *states = layers.LSTM(3, return_sequences=True, return_state=True)(x)
    model = Model(x, [sequence, *states])
    y, h, _ = model(data(2, 5, 2))
    np.testing.assert_allclose(y[:, -1], h, rtol=1e-6)


def test_optional_input():
    class Either(layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape):
            return x_shape

    a, b = Input((2,), name="a"), Input((2,), name="b", optional=True)
    model = Model({"a": a, "b": b}, Either()(a, b))
    x = data(3, 2)
    np.testing.assert_array_equal(model({"a": x, "b": None}), x)
    np.testing.assert_array_equal(model({"a": x}), x)
    np.testing.assert_array_equal(model({"a": x, "b": x}), x + x)
    with pytest.raises(ValueError, match="optional=True"):
        model({"a": None, "b": x})


def test_constants_among_arguments():
    x = Input((2,))
    offset = data(1, 2)
    model = Model(x, layers.Add()([x, ops.multiply(x, offset)]))
    value = data(3, 2)
    np.testing.assert_allclose(model(value), value + value * offset, rtol=1e-6)


def test_masks_flow_through():
    x = Input((4,), dtype="int32")
    y = layers.LSTM(3)(layers.Embedding(6, 2, mask_zero=True)(x))
    model = Model(x, y)
    short, padded = np.array([[1, 2, 0, 0]]), np.array([[1, 2, 0, 0]])
    padded[0, 2:] = 0
    np.testing.assert_allclose(model(short), model(padded))
    plain = Model(x, layers.LSTM(3)(layers.Embedding(6, 2)(x)))
    plain.set_weights(model.get_weights())
    assert not np.allclose(plain(short), model(short))


def test_training_argument():
    x = Input((200,))
    model = Model(x, layers.Dropout(0.5)(x))
    ones = np.ones((2, 200), "float32")
    assert (np.asarray(model(ones, training=True)) == 0).any()
    assert (np.asarray(model(ones)) == 1).all()
    always = Model(x, layers.Dropout(0.5)(x, training=True))
    assert (np.asarray(always(ones)) == 0).any()


def test_config_round_trip():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    shared = layers.Dense(3, name="shared")
    joined = layers.Concatenate(name="joined")([shared(a), shared(b)])
    out = ops.reshape(ops.relu(joined) * 2.0, (-1, 3, 2))
    out = ops.sum(out[:, 1:], axis=-1) + ops.expand_dims(ops.mean(out, axis=(1, 2)), -1)
    model = Model({"b": b, "a": a}, [out, joined], name="net")
    config = json.loads(json.dumps(model.get_config()))
    twin = Model.from_config(config)
    assert json.loads(json.dumps(twin.get_config())) == config
    twin.set_weights(model.get_weights())
    values = {"a": data(3, 2), "b": data(3, 2)}
    for one, other in zip(model(values), twin(values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    entry = next(e for e in config["layers"] if e["name"] == "shared")
    assert [n["args"][0]["config"]["keras_history"] for n in entry["inbound_nodes"]] == [
        ["a", 0, 0],
        ["b", 0, 0],
    ]
    assert config["output_layers"][1] == ["joined", 0, 0]


def test_config_with_a_missing_layer():
    x = Input((2,))
    config = Model(x, layers.Dense(1)(layers.Dense(2, name="gone")(x))).get_config()
    config["layers"] = [e for e in config["layers"] if e["name"] != "gone"]
    with pytest.raises(ValueError, match="gone"):
        Model.from_config(config)


def test_subclass_that_passes_inputs_and_outputs():
    class Net(Model):
        def __init__(self):
            x = Input((3,))
            self_dense = layers.Dense(2)
            super().__init__(x, self_dense(x))
            self.dense = self_dense
            self.extra = layers.Dense(1)

    net = Net()
    assert isinstance(net, Functional) and len(net.layers) == 2
    assert net(data(4, 3)).shape == (4, 2)
    net.compile("sgd", "mse")
    net.fit(data(4, 3), data(4, 2), verbose=0)


def test_trainable_of_a_part():
    x = Input((3,))
    frozen = layers.Dense(2)
    model = Model(x, layers.Dense(1)(frozen(x)))
    frozen.trainable = False
    assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 2
    assert Model(model.input, model.output, trainable=False).trainable_weights == []


def test_deep_graphs_need_no_recursion():
    x = y = Input((2,))
    for _ in range(1500):
        y = ops.add(y, 1.0)
    model = Model(x, y)
    np.testing.assert_allclose(model(np.zeros((1, 2), "float32")), 1500)


def test_compute_output_shape():
    model = two_in_two_out()
    assert model.compute_output_shape([(7, 2), (7, 3)]) == [(7, 4), (7, 1)]


def test_a_model_drops_what_it_does_not_need():
    x = Input((3,))
    used, unused = layers.Dense(2), layers.Dense(2)
    y = used(x)
    unused(y)
    assert unused not in Model(x, y).layers


def test_input_layers_know_their_tensor():
    x = Input((3,))
    model = Model(x, layers.Dense(2)(x))
    assert model.layers[0].input is x and model.layers[0].output is x


def test_masks_by_the_name_that_they_have_in_keras():
    y = layers.Embedding(5, 2, mask_zero=True)(np.array([[1, 0]]))
    assert np.asarray(y._keras_mask).tolist() == [[True, False]]
    y._keras_mask = None
    assert y.mask is None
