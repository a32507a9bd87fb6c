"""Models against the published Keras: order of layers and weights, paths, configs, summaries."""

import contextlib
import importlib
import io
import json
import warnings

import keras
import numpy as np
import pytest

import kerasish

pytestmark = [
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),
]

RNG = np.random.default_rng(0)


def stack(k):
    layers = k.layers
    return k.Sequential([k.Input((4,)), layers.Dense(3), layers.Dropout(0.1), layers.Dense(2)])


def deferred(k):
    model = k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])
    model.build((None, 4))
    return model


def nested_stack(k):
    layers = k.layers
    inner = k.Sequential([layers.Dense(3), layers.Dense(4)], name="inner")
    return k.Sequential([k.Input((4,)), inner, layers.BatchNormalization(), layers.Dense(2)])


def diamond(k):
    layers = k.layers
    x = k.Input((4,), name="x")
    left, right = layers.Dense(3, name="left")(x), layers.Dense(3, name="right")(x)
    deep = layers.Dense(3, name="deep")(right)
    joined = layers.Add(name="joined")([left, deep])
    return k.Model(x, layers.Dense(2, name="last")(joined))


def many(k):
    layers = k.layers
    a, b, c = (k.Input((n,), name=name) for n, name in ((4, "a"), (3, "b"), (3, "c")))
    shared = layers.Dense(3, name="shared")
    p, q = shared(b), shared(c)
    r = layers.Dense(3, name="r")(a)
    s = shared(layers.Dense(3, name="s")(r))
    total = layers.Concatenate(name="total")([s, p, q])
    layers.Dense(1, name="unused")(total)
    return k.Model(
        {"c": c, "a": a, "b": b}, [layers.Dense(1, name="one")(total), layers.ReLU(name="two")(p)]
    )


def functions(k):
    ops, layers = k.ops, k.layers
    x = k.Input((4, 2), name="x")
    y = ops.mean(x * 2.0 + 1.0, axis=1, keepdims=True)
    y = ops.reshape(ops.concatenate([y, x[:, 1:3]], axis=1), (-1, 6))
    y = ops.relu(y) - ops.expand_dims(ops.max(x, axis=(1, 2)), -1)
    y = ops.softmax(ops.transpose(ops.expand_dims(y, 1), (0, 2, 1)), axis=1)
    return k.Model(x, layers.Dense(2, name="d")(ops.squeeze(y, -1)))


def sequences(k):
    layers = k.layers
    x = k.Input((5,), dtype="int32", name="x")
    y = layers.Embedding(7, 3, name="e")(x)
    y, h, c = layers.LSTM(4, return_sequences=True, return_state=True, name="l")(y)
    z = layers.LSTM(4, name="m")(y, initial_state=[h, c])
    return k.Model(x, z)


MODELS = [stack, deferred, nested_stack, diamond, many, functions, sequences]


def pair(make):
    found = []
    for k in (keras, kerasish):
        k.utils.clear_session()
        found.append(make(k))
    theirs, ours = found
    rng = np.random.default_rng(1)
    weights = [rng.uniform(-1, 1, w.shape) for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return theirs, ours


def inputs(model):
    struct = model.input if not isinstance(model, keras.Sequential) else model.inputs[0]
    rng = np.random.default_rng(2)

    def value(t):
        shape = (3, *t.shape[1:])
        return rng.integers(0, 7, shape) if "int" in str(t.dtype) else rng.normal(size=shape)

    return keras.tree.map_structure(value, struct)


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_order_paths_and_values(make):
    theirs, ours = pair(make)
    assert [x.name for x in ours.layers] == [x.name for x in theirs.layers]
    assert [v.path for v in ours.weights] == [v.path for v in theirs.weights]
    assert [v.path for v in ours.trainable_variables] == [
        v.path for v in theirs.trainable_variables
    ]
    assert ours.name == theirs.name and ours.count_params() == theirs.count_params()
    assert ours.input_shape == theirs.input_shape
    assert ours.output_shape == theirs.output_shape
    x = inputs(theirs)
    for a, b in zip(keras.tree.flatten(ours(x)), keras.tree.flatten(theirs(x)), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=2e-5, atol=2e-6)


def plain(config):
    """A config after a trip through JSON, without what only one side knows."""

    def clean(node):
        if isinstance(node, dict):
            return {
                k: clean(v)
                for k, v in node.items()
                if k != "quantization_config" and (k, v) != ("compile_config", {})
            }
        return [clean(v) for v in node] if isinstance(node, list) else node

    return clean(json.loads(json.dumps(config)))


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_configs_are_equal_and_read_by_both(make):
    theirs, ours = pair(make)
    if make is not sequences:  # Keras writes how a mask comes about
        assert plain(ours.get_config()) == plain(theirs.get_config())
    theirs_here = kerasish.models.model_from_json(theirs.to_json())
    ours_there = keras.models.model_from_json(ours.to_json())
    x = inputs(theirs)
    weights = theirs.get_weights()
    theirs_here.set_weights(weights)
    ours_there.set_weights(weights)
    expected = keras.tree.flatten(theirs(x))
    for model in (theirs_here, ours_there):
        for a, b in zip(keras.tree.flatten(model(x)), expected, strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=2e-5, atol=2e-6)


def printed(model, **kwargs):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        model.summary(**kwargs)
    return out.getvalue()


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"expand_nested": True, "show_trainable": True},
        {"line_length": 45},
        {"line_length": 63, "show_trainable": True},
        {"positions": [0.3, 0.5, 0.8, 1.0]},
    ],
    ids=str,
)
def test_summaries_are_equal(kwargs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for make in (nested_stack, diamond, many, functions):
        theirs, ours = pair(make)
        given = dict(kwargs)
        if "positions" in given and make is nested_stack:
            given["positions"] = [0.4, 0.7, 1.0]
        assert printed(ours, **given) == printed(theirs, **given)


def error_of(call):
    try:
        call()
    except Exception as error:
        return type(error)
    return None


def test_errors_have_the_same_types():
    def calls(k):
        layers = k.layers
        a, b = k.Input((2,), name="a"), k.Input((3,), name="b")
        model = k.Model([a, b], layers.Concatenate()([a, b]))
        seq = k.Sequential([layers.Dense(2, name="d")])
        x = np.ones((1, 2), "float32")
        return {
            "one of two inputs": lambda: model(x),
            "missing key": lambda: model({"a": x}),
            "wrong size": lambda: model([x, x]),
            "not connected": lambda: k.Model(a, layers.Dense(1)(b)),
            "no tensor": lambda: k.Model(a, 3),
            "same name": lambda: k.Model(
                a, layers.Dense(1, name="s")(layers.Dense(1, name="s")(a))
            ),
            "no layer": lambda: model.get_layer("nowhere"),
            "no index": lambda: model.get_layer(index=9),
            "nothing asked": lambda: model.get_layer(),
            "taken": lambda: seq.add(layers.Dense(1, name="d")),
            "a number": lambda: seq.add(3),
            "unbuilt shape": lambda: seq.output_shape,
            "unbuilt output": lambda: seq.output,
            "unbuilt params": lambda: seq.count_params(),
            "pop": lambda: k.Sequential().pop(),
            "fit": lambda: seq.fit(x, x),
            "no call": lambda: k.Model()(x),
            "unbuilt weights": lambda: seq.save_weights("x.weights.h5"),
            "ending": lambda: model.save_weights("x.txt"),
            "no file": lambda: model.load_weights("nowhere.weights.h5"),
            "model ending": lambda: model.save("nowhere"),
            "no model": lambda: k.models.load_model("nowhere.keras"),
        }

    theirs, ours = calls(keras), calls(kerasish)
    found = {name: (error_of(ours[name]), error_of(theirs[name])) for name in theirs}
    different = {n: p for n, p in found.items() if p[0] is None or not issubclass(*p)}
    assert not different


def test_data_sets_are_split_alike(tmp_path, monkeypatch):
    x = np.empty(40, dtype=object)
    x[:] = [RNG.integers(1, 30, n).tolist() for n in RNG.integers(2, 9, 40)]
    y = RNG.integers(0, 2, 40)
    folder = tmp_path / "datasets"
    folder.mkdir()
    parts = dict(x_train=x[:25], y_train=y[:25], x_test=x[25:], y_test=y[25:], x=x, y=y)
    for name in ("imdb", "reuters"):
        np.savez(folder / f"{name}.npz", **parts)
    np.savez(folder / "boston_housing.npz", x=RNG.normal(size=(21, 3)), y=np.arange(21))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name, kwargs in [
        ("imdb", {}), ("imdb", {"num_words": 20, "skip_top": 5, "maxlen": 7}),
        ("imdb", {"start_char": None, "oov_char": None, "seed": 3, "num_words": 15}),
        ("imdb", {"start_char": None, "index_from": 0}), ("reuters", {}),
        ("reuters", {"num_words": 20, "maxlen": 7, "test_split": 0.3}),
        ("boston_housing", {}), ("boston_housing", {"seed": 4, "test_split": 0.5}),
    ]:  # fmt: skip
        room = importlib.import_module(f"keras.src.datasets.{name}")
        path = str(folder / f"{name}.npz")
        monkeypatch.setattr(room, "get_file", lambda *a, path=path, **k: path)
        theirs = room.load_data(**kwargs)
        ours = getattr(kerasish.datasets, name).load_data(**kwargs)
        for a, b in zip(keras.tree.flatten(ours), keras.tree.flatten(theirs), strict=True):
            assert a.dtype == b.dtype and len(a) == len(b)
            assert np.asarray(a).tolist() == np.asarray(b).tolist()


def test_a_functional_model_ignores_what_it_does_not_know():
    for k in (keras, kerasish):

        class Named(k.Model):
            def __init__(self, k=k, **kwargs):
                inputs = k.Input((3,))
                super().__init__(inputs, k.layers.Dense(2)(inputs), **kwargs)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if k is not kerasish else "error")
            assert Named(name="a", trainable=False).name == "a"
            if k is kerasish:
                with pytest.warns(UserWarning, match=r"no arguments \['dtype', 'sizes'\]"):
                    model = Named(sizes=3, dtype="float16")
            else:
                model = Named(sizes=3, dtype="float16")
        assert (model.dtype, model.compute_dtype) == ("float32", "float32")


def test_a_name_among_objects_means_one_without_arguments():
    for k in (keras, kerasish):
        found = k.saving.deserialize_keras_object(
            "nothing", module_objects={"nothing": k.initializers.Zeros}, printable_module_name="a"
        )
        assert type(found) is k.initializers.Zeros


def _kind(result):
    """What holds the results: a list of one is that one."""
    held = isinstance(result, dict | list | tuple)
    return (type(result).__name__, len(result)) if held else "tensor"


def test_a_list_of_one_output_is_that_one():
    x = np.ones((4, 3), "float32")
    found = []
    for k in (keras, kerasish):
        for given in ("list", "tuple", "dict", "list in a list", "two"):
            a, b, c = k.Input((3,), name="a"), k.layers.Dense(2), k.layers.Dense(1)
            outputs = {
                "list": [b(a)], "tuple": (b(a),), "dict": {"b": b(a)}, "list in a list": [[b(a)]],
                "two": [b(a), c(a)],
            }[given]  # fmt: skip
            model = k.Model(a, outputs)
            model.compile("sgd", "mse")
            results = [
                *(model(x) for _ in range(3)), model.predict(x, verbose=0), model.output,
                model.predict_on_batch(x), model(k.Input((3,))), model(k.Input((3,), batch_size=7)),
                model.compute_output_shape((4, 3)), k.models.clone_model(model)(x),
            ]  # fmt: skip
            found.append([given, *map(_kind, results)])
            if given == "list":
                outer = k.Model(a, k.layers.Dense(1)(model(a)[0]))
                found.append([_kind(outer(x)), tuple(outer(x).shape)])
                history = model.fit(x, np.zeros((4, 2)), verbose=0).history
                found.append(
                    [list(history), list(np.shape(model.evaluate(x, x[:, :2], verbose=0)))]
                )
                model.compile("sgd", ["mse"], metrics=[["mae"]])
                found.append(sorted(model.fit(x, np.zeros((4, 2)), verbose=0).history))
    half = len(found) // 2
    assert found[half:] == found[:half]


def test_loss_weights_are_numbers():
    model = kerasish.Sequential([kerasish.Input((3,)), kerasish.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"write metrics=\['mae'\]"):
        model.compile("sgd", "mse", loss_weights=["mae"])
    model.compile("sgd", "mse", ["mae"])  # as Keras 2 had it
    assert set(model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0).history) == {"loss", "mae"}
