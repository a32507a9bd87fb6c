"""Model, Sequential, cloning and copies."""

import copy
import json
import pickle

import numpy as np
import pytest

import kerasish
from kerasish import Model, Sequential, layers, models, ops

RNG = np.random.default_rng(0)


def data(*shape):
    return RNG.normal(size=shape).astype("float32")


class Net(Model):
    def __init__(self, units=3):
        super().__init__()
        self.units = units
        self.first = layers.Dense(4, activation="relu")
        self.rest = [layers.Dense(units), layers.Dense(2)]

    def call(self, x, training=None):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return x


# -- Sequential


def test_sequential_with_input_is_built_at_once():
    stack = [layers.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")]
    model = Sequential(stack, name="stack")
    assert model.built
    assert model.input_shape == (None, 4) and model.output_shape == (None, 2)
    assert [v.path for v in model.weights] == [
        "stack/a/kernel", "stack/a/bias", "stack/b/kernel", "stack/b/bias",
    ]  # fmt: skip
    assert len(model.layers) == 2 and model.count_params() == 23
    assert model(data(5, 4)).shape == (5, 2)


def test_sequential_deferred():
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built and model.weights == []
    with pytest.raises(AttributeError, match="no defined output shape"):
        _ = model.output_shape
    with pytest.raises(ValueError, match="isn't built"):
        model.count_params()
    assert model(data(5, 4)).shape == (5, 2)
    assert model.input_shape == (None, 4)
    assert len(model.weights) == 4
    other = Sequential([layers.Dense(3)])
    other.build((None, 7))
    assert other.layers[0].kernel.shape == (7, 3)


def test_sequential_equals_its_layers():
    model = Sequential([layers.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(2)])
    x = data(6, 4)
    (w, b), (v, c) = (layer.get_weights() for layer in model.layers)
    np.testing.assert_allclose(model(x), np.tanh(x @ w + b) @ v + c, rtol=1e-5, atol=1e-6)


def test_sequential_add_and_pop():
    model = Sequential()
    model.add(layers.Input((4,)))
    model.add(layers.Dense(3))
    assert model.output_shape == (None, 3)
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2) and len(model.weights) == 4
    top = model.pop()
    assert top.units == 2
    assert model.output_shape == (None, 3) and len(model.weights) == 2
    assert model(data(2, 4)).shape == (2, 3)
    model.add(lambda x: x * 2)
    w, b = model.get_weights()
    x = data(2, 4)
    np.testing.assert_allclose(model(x), 2 * (x @ w + b), rtol=1e-5, atol=1e-6)


def test_sequential_errors():
    model = Sequential([layers.Dense(2, name="d")])
    with pytest.raises(ValueError, match="unique names"):
        model.add(layers.Dense(3, name="d"))
    with pytest.raises(ValueError, match="Only instances of"):
        model.add(3)
    with pytest.raises(ValueError, match="Only an Input"):
        model.add(layers.Dense(1)(layers.Input((2,))))
    model.add(layers.Input((4,)))
    with pytest.raises(ValueError, match="already been configured"):
        model.add(layers.Input((5,)))
    with pytest.raises(IndexError):
        Sequential().pop()
    with pytest.raises(ValueError, match="no layers"):
        Sequential().build((None, 3))


def test_sequential_in_sequential_and_as_a_layer():
    inner = Sequential([layers.Dense(3), layers.Dense(3)])
    outer = Sequential([layers.Input((4,)), inner, layers.Dense(1)])
    assert outer.output_shape == (None, 1) and len(outer.weights) == 6
    x = layers.Input((4,))
    model = Model(x, outer(x) + 1.0)
    values = data(3, 4)
    np.testing.assert_allclose(model(values), outer(values) + 1.0, rtol=1e-6)


def test_symbolic_call_of_deferred_sequential():
    stack = Sequential([layers.Dense(3), layers.Dense(2)])
    x = layers.Input((4,))
    model = Model(x, stack(x))
    assert stack.built and model.output_shape == (None, 2)
    part = Model(stack.inputs, stack.layers[0].output)
    assert part(data(2, 4)).shape == (2, 3)


def test_sequential_config_round_trip():
    model = Sequential([layers.Input((4,)), layers.Dense(3, activation="relu")], name="s")
    config = json.loads(json.dumps(model.get_config()))
    twin = Sequential.from_config(config)
    assert twin.get_config() == model.get_config()
    twin.set_weights(model.get_weights())
    x = data(2, 4)
    np.testing.assert_array_equal(twin(x), model(x))
    deferred = Sequential([layers.Dense(3)])
    assert not Sequential.from_config(deferred.get_config()).built


def test_embedding_first_takes_integers():
    model = Sequential([layers.Embedding(10, 3), layers.Flatten(), layers.Dense(1)])
    assert model(np.arange(6).reshape(2, 3)).shape == (2, 1)


# -- subclasses of Model


def test_subclass():
    model = Net()
    assert not model.built
    y = model(data(2, 5))
    assert y.shape == (2, 2) and model.built
    name = model.first.name
    assert model.weights[0].path == f"{model.name}/{name}/kernel"
    assert model.layers == [model.first, *model.rest]
    assert len(model.trainable_variables) == 6
    model.trainable = False
    assert model.trainable_weights == [] and len(model.non_trainable_weights) == 6


def test_build_by_shape():
    model = Net()
    model.build((None, 5))
    assert model.built and len(model.weights) == 6
    assert model.first.kernel.shape == (5, 4)


def test_build_that_fails_warns():
    class Broken(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            raise RuntimeError("planted")

    with pytest.warns(UserWarning, match="planted"):
        Broken().build((None, 3))


def test_get_layer():
    model = Sequential([layers.Input((4,)), layers.Dense(3, name="one"), layers.Dense(2)])
    assert model.get_layer("one") is model.get_layer(index=0) is model.layers[0]
    with pytest.raises(ValueError, match="No such layer: two"):
        model.get_layer("two")
    with pytest.raises(ValueError, match="only has 2 layers"):
        model.get_layer(index=2)
    with pytest.raises(ValueError, match="either a layer name"):
        model.get_layer()
    with pytest.raises(ValueError, match="only a layer name or a layer index"):
        model.get_layer("one", 0)


def test_model_without_call():
    with pytest.raises(NotImplementedError, match="call"):
        Model()(data(2, 2))


def test_layers_is_reserved():
    model = Net()
    with pytest.raises(AttributeError, match="reserved"):
        model.layers = []


def test_weights_are_copies_and_checked():
    model = Sequential([layers.Input((2,)), layers.Dense(2)])
    values = model.get_weights()
    values[0][:] = 7
    assert not np.any(model.get_weights()[0] == 7)
    with pytest.raises(ValueError, match="length 1"):
        model.set_weights(values[:1])
    with pytest.raises(ValueError, match="not compatible"):
        model.set_weights([values[0], np.zeros(3)])


# -- copies


def trained(model):
    model.compile("adam", "mse", metrics=["mae"])
    x, y = data(8, 4), data(8, 2)
    model.fit(x, y, verbose=0)
    return model


def make_functional():
    x = layers.Input((4,))
    shared = layers.Dense(4)
    return Model(x, layers.Dense(2)(ops.relu(shared(shared(x))) * 2.0 + x))


def make_sequential():
    return Sequential([layers.Input((4,)), layers.Dense(3), layers.Dropout(0.2), layers.Dense(2)])


@pytest.mark.parametrize("make", [make_functional, make_sequential, Net])
@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("compiled", [False, True])
def test_copies(make, how, compiled):
    model = make()
    x, y = data(8, 4), data(8, 2)
    model(x)
    if compiled:
        trained(model)
    twin = how(model)
    assert twin is not model and type(twin) is type(model)
    np.testing.assert_array_equal(twin(x), model(x))
    assert {id(v) for v in twin.weights}.isdisjoint(id(v) for v in model.weights)
    if compiled:
        for a, b in zip(twin.optimizer.variables, model.optimizer.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
        before = model.get_weights()
        twin.train_on_batch(x, y)
        for a, b in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        assert any((a != b).any() for a, b in zip(twin.get_weights(), before, strict=True))


def test_copy_of_a_model_with_layers_of_its_own():
    class Doubled(layers.Layer):
        def call(self, x):
            return x * 2

    model = Sequential([layers.Input((3,)), Doubled(), layers.Dense(1)])
    model.layers[1].trainable = False
    twin = copy.deepcopy(model)
    assert isinstance(twin.layers[0], Doubled)
    assert twin.trainable_weights == []
    x = data(2, 3)
    np.testing.assert_array_equal(twin(x), model(x))


class Passing(Model):
    def __init__(self):
        x = layers.Input((4,))
        hidden = layers.Dense(3)
        super().__init__(x, layers.Dense(2)(hidden(x)))
        self.hidden = hidden


@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_of_graphs(how):
    x = layers.Input((2,), name="x")
    shared = layers.Dense(2, name="shared")
    first = shared(x)
    y = shared(ops.relu(shared(first * 2.0)))
    model = Model({"x": x}, [ops.concatenate([first, y[:, 1:]], axis=1), y])
    twin = how(model)
    assert twin.get_config() == model.get_config()
    assert [t.shape for t in twin.outputs] == [t.shape for t in model.outputs]
    part = Model(twin.input, twin.get_layer("shared").output)
    assert part({"x": data(3, 2)}).shape == (3, 2)
    passing = Passing()
    other = how(passing)
    assert type(other) is Passing and other.hidden is other.layers[1]
    values = data(3, 4)
    np.testing.assert_array_equal(other(values), passing(values))
    start = how(Sequential([layers.Input((4,))]))
    start.add(layers.Dense(2))
    assert start.output_shape == (None, 2)
    a = b = layers.Input((1,))
    for _ in range(1200):
        b = ops.add(b, 1.0)
    np.testing.assert_array_equal(how(Model(a, b))(np.zeros((1, 1), "float32")), 1200)


def test_a_copied_layer_leaves_its_graph_behind():
    x = layers.Input((2,))
    first, second = layers.Dense(2), layers.Dense(3)
    second(first(x))
    twin = copy.deepcopy(first)
    assert not twin._outbound_nodes and twin.built
    np.testing.assert_array_equal(twin.get_weights()[0], first.get_weights()[0])


def test_deepcopy_of_lambdas():
    factor = 3.0
    model = Sequential([layers.Input((2,)), layers.Lambda(lambda x: x * factor)])
    np.testing.assert_array_equal(copy.deepcopy(model)(np.ones((1, 2), "float32")), 3)


def test_fit_without_a_call_before():
    for make in (Net, lambda: Sequential([layers.Dense(3), layers.Dense(2)])):
        model = make()
        model.compile("sgd", "mse")
        model.fit(data(8, 4), data(8, 2), verbose=0)
        assert model.built and len(model.weights) >= 4
        model.summary(print_fn=lambda text: None)


def test_deepcopy_keeps_identity_inside():
    stack = make_sequential()
    pair = {"model": stack, "first": stack.layers[0]}
    twin = copy.deepcopy(pair)
    assert twin["first"] is twin["model"].layers[0]


# -- cloning


@pytest.mark.parametrize("make", [make_functional, make_sequential])
def test_clone_model(make):
    model = make()
    twin = models.clone_model(model)
    assert [type(x) for x in twin.layers] == [type(x) for x in model.layers]
    assert {id(v) for v in twin.weights}.isdisjoint(id(v) for v in model.weights)
    twin.set_weights(model.get_weights())
    x = data(3, 4)
    np.testing.assert_allclose(twin(x), model(x), rtol=1e-6)


def test_clone_function():
    def wider(layer):
        config = layer.get_config()
        if isinstance(layer, layers.Dropout):
            config["rate"] = 0.0
        return type(layer).from_config(config)

    twin = models.clone_model(make_sequential(), clone_function=wider)
    assert [x.rate for x in twin.layers if isinstance(x, layers.Dropout)] == [0.0]
    with pytest.raises(ValueError, match="only supported"):
        models.clone_model(Net(), clone_function=wider)


def test_clone_on_a_tensor():
    x = layers.Input((4,), name="fresh")
    twin = models.clone_model(make_functional(), input_tensors=x)
    assert twin.input is x


def test_json():
    for model in (make_functional(), make_sequential()):
        twin = models.model_from_json(model.to_json())
        assert type(twin) is type(model)
        twin.set_weights(model.get_weights())
        x = data(2, 4)
        np.testing.assert_allclose(twin(x), model(x), rtol=1e-6)


def test_explicit_training_reaches_layers():
    model = Sequential([layers.Input((100,)), layers.Dropout(0.5)])
    x = np.ones((2, 100), "float32")
    assert (np.asarray(model(x)) == 1).all()
    assert (np.asarray(model(x, training=True)) == 0).any()
    assert (np.asarray(model.call(kerasish.ops.convert_to_tensor(x), training=True)) == 0).any()


def test_state_tree():
    model = Sequential([layers.Input((2,)), layers.Dense(3, name="d")], name="s")
    model.compile("sgd", "mse")
    tree = model.get_state_tree("numpy_array")
    assert set(tree) == {
        "trainable_variables", "non_trainable_variables", "optimizer_variables",
        "metrics_variables",
    }  # fmt: skip
    kernel = tree["trainable_variables"]["s"]["d"]["kernel"]
    np.testing.assert_array_equal(kernel, model.get_weights()[0])
    model.set_state_tree({"trainable_variables": {"s": {"d": {"kernel": kernel * 0 + 2}}}})
    assert (model.get_weights()[0] == 2).all()
    with pytest.warns(UserWarning, match="s/d/nothing"):
        model.set_state_tree({"trainable_variables": {"s": {"d": {"nothing": kernel}}}})
    with pytest.raises(ValueError, match="Unknown variable name: weights"):
        model.set_state_tree({"weights": {}})
    with pytest.raises(ValueError, match="value_format=list"):
        model.get_state_tree("list")


@pytest.mark.parametrize(
    "given",
    [lambda x: x, ops.convert_to_tensor, lambda x: [x], lambda x: {"x": x}],
    ids=["array", "tensor", "list", "dictionary"],
)
def test_a_repeated_call_runs_as_a_program(monkeypatch, given):
    """Its layers are run by Python no more, for inputs of any kind."""
    calls = []
    call = layers.Dense.call

    def counted(self, inputs):
        calls.append(self)
        return call(self, inputs)

    monkeypatch.setattr(layers.Dense, "call", counted)
    inputs = layers.Input((3,), name="x")
    structure = {"x": inputs} if isinstance(given(np.zeros(3)), dict) else inputs
    model = Model(structure, layers.Dense(2)(inputs))
    x = np.ones((4, 3), "float32")
    found = [model(given(x)).numpy() for _ in range(5)]
    ran = len(calls)
    found += [model(given(x)).numpy() for _ in range(3)]
    assert len(calls) == ran
    np.testing.assert_allclose(found, [found[0]] * 8, rtol=1e-6)


def test_a_stack_takes_values_of_other_sizes():
    """Its layers say what they need; the inputs of a functional model are as declared."""
    model = Sequential([layers.Dense(4)])
    assert [model(np.ones((2, n, 6))).shape for n in (3, 5)] == [(2, 3, 4), (2, 5, 4)]
    assert model.predict(np.ones((2, 7, 6)), verbose=0).shape == (2, 7, 4)
    with pytest.raises(ValueError, match="axis -1"):
        model(np.ones((2, 3, 7)))
    with pytest.raises(ValueError, match="incompatible"):
        model(np.ones((2, 6)))
    i = layers.Input((3, 6))
    functional = Model(i, layers.Dense(4)(i))
    with pytest.raises(ValueError, match="expected shape"):
        functional(np.ones((2, 5, 6)))


@pytest.mark.parametrize("shape", [(None, 6), (None, None, 3), (83, 83, 3), (None, 83)])
def test_a_stack_within_a_layer_of_unknown_sizes(shape):
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Sequential([layers.Dense(4, "relu"), layers.Dense(shape[-1])])

        def call(self, x):
            return x + self.inner(x)

    i, block = layers.Input(shape), Block()
    model = Model(i, block(i))
    assert model.output_shape == (None, *shape)
    assert block.inner.input_shape == (None, *shape)
    assert block.inner.get_config()["build_input_shape"] == (None, *shape)
    model.compile("sgd", "mse")
    for n in (5, 7, 83):
        x = np.ones((2, *(n if size is None else size for size in shape)), "float32")
        assert model.predict(x, verbose=0).shape == x.shape
        if len(shape) == 2:
            model.fit(x, x, verbose=0)
