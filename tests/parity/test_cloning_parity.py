"""`clone_model` beside Keras's: layers, names, weights and what the copy computes."""

import keras
import numpy as np
import pytest

import kerasish

pytestmark = pytest.mark.parity
RNG = np.random.default_rng(0)


def sequential(k):
    l = k.layers
    return k.Sequential(
        [k.Input((4,)), l.Dense(5, "relu", name="first"), l.BatchNormalization(), l.Dense(2)],
        name="stack",
    )


def unbuilt(k):
    return k.Sequential([k.layers.Dense(3), k.layers.Dense(2)], name="stack")


def functional(k):
    l = k.layers
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    shared = l.Dense(3, name="shared")
    y = l.Concatenate(name="joined")([shared(a), shared(b) * 2.0])
    return k.Model({"a": a, "b": b}, [l.Dense(2, name="head")(y), k.ops.sum(y, 1)], name="tied")


def nested(k):
    x = k.Input((4,), name="x")
    inner = k.Input((4,))
    core = k.Model(inner, k.layers.Dense(3, name="in_core")(inner), name="core")
    y = k.layers.Dropout(0.5, name="drop")(core(x))
    return k.Model(x, sequential(k)(k.layers.Dense(4, name="between")(y)), name="outer")


def frozen(k):
    model = sequential(k)
    model.layers[0].trainable = False
    return model


MODELS = [sequential, functional, nested, frozen]


def described(model):
    """What a copy must share with its model, and its weights' shapes."""
    return (
        type(model).__name__, model.name, [layer.name for layer in model.layers],
        [type(layer).__name__ for layer in model.layers],
        [layer.trainable for layer in model.layers],
        [(w.path, tuple(w.shape)) for w in model.weights], len(model.trainable_weights),
    )  # fmt: skip


def data_of(model):
    shapes = [(3, *t.shape[1:]) for t in kerasish.tree.flatten(model.inputs)]
    rng = np.random.default_rng(1)
    xs = [rng.normal(size=s).astype("float32") for s in shapes]
    return {"a": xs[0], "b": xs[1]} if len(xs) > 1 else xs[0]


def compare(ours, theirs):
    """Equal descriptions, and equal outputs on equal weights."""
    assert described(ours) == described(theirs)
    weights = [RNG.normal(size=w.shape).astype("float32") ** 2 for w in theirs.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    x = data_of(theirs)
    found, expected = ours(x), theirs(x)
    for a, b in zip(kerasish.tree.flatten(found), kerasish.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(np.array(a), np.array(b), rtol=2e-5, atol=1e-5)


def both(make, clone):
    """The copies by `clone(k, model)`; each has weights of its own and leaves its model alone."""
    copies = []
    for k in (kerasish, keras):
        k.utils.clear_session()
        model = make(k)
        before = [np.array(w.value) for w in model.weights]
        copy = clone(k, model)
        for w, value in zip(model.weights, before, strict=True):
            np.testing.assert_array_equal(np.array(w.value), value)
        copies.append(copy)
    return copies


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("recursive", [False, True])
def test_copies(make, recursive):
    compare(*both(make, lambda k, m: k.models.clone_model(m, recursive=recursive)))


def test_a_model_that_is_not_built():
    ours, theirs = both(unbuilt, lambda k, m: k.models.clone_model(m))
    assert not ours.built and not theirs.built
    for k, copy in ((kerasish, ours), (keras, theirs)):
        copy(k.ops.ones((1, 4)))
    assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]


def bent(layer):
    """The layer again, dense ones with another activation."""
    config = layer.get_config()
    if "units" in config:
        config["activation"] = "tanh"
    return type(layer).from_config(config)


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("recursive", [False, True])
def test_another_clone_function(make, recursive):
    seen = {}

    def clone(k, model):
        names = seen.setdefault(k, [])

        def noted(layer):
            names.append(layer.name)
            return bent(layer)

        return k.models.clone_model(model, clone_function=noted, recursive=recursive)

    compare(*both(make, clone))
    assert sorted(seen[kerasish]) == sorted(seen[keras])


@pytest.mark.parametrize("make", [functional, nested], ids=lambda f: f.__name__)
@pytest.mark.parametrize("recursive", [False, True])
def test_another_call_function(make, recursive):
    def clone(k, model):
        def doubled(layer, *args, **kwargs):
            y = layer(*args, **kwargs)
            return k.layers.Rescaling(2.0)(y) if isinstance(layer, k.layers.Dense) else y

        return k.models.clone_model(model, call_function=doubled, recursive=recursive)

    compare(*both(make, clone))


@pytest.mark.parametrize("make", [sequential, nested], ids=lambda f: f.__name__)
def test_upon_another_input(make):
    def clone(k, model):
        x = k.Input((4,), name="other")
        return k.models.clone_model(model, input_tensors=[x] if make is sequential else x)

    compare(*both(make, clone))


def test_a_subclass_is_made_again_from_its_config():
    for k in (kerasish, keras):

        class Own(k.Model):
            def __init__(self, units, dense=k.layers.Dense, **kwargs):
                super().__init__(**kwargs)
                self.units, self.dense = units, dense(units)

            def call(self, x):
                return self.dense(x)

            def get_config(self):
                return {"units": self.units, "name": self.name}

        copy = k.models.clone_model(Own(3, name="own"))
        assert (copy.units, copy.name) == (3, "own")
        for arguments in ({"clone_function": lambda layer: layer}, {"input_tensors": [1]}):
            with pytest.raises(ValueError, match="only supported"):
                k.models.clone_model(Own(3), **arguments)


def test_refusals():
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match="not supported with Sequential"):
            k.models.clone_model(sequential(k), call_function=lambda layer, x: layer(x))
        with pytest.raises(ValueError, match=r"nexpected keyword"):
            k.models.clone_model(sequential(k), other=1)
        with pytest.raises(ValueError, match="single tensor"):
            k.models.clone_model(sequential(k), input_tensors=[k.Input((4,)), k.Input((4,))])
