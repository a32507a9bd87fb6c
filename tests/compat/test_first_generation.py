"""Programs for Keras 1: arguments, layers, `merge`, initializations, regularizers."""

from __future__ import annotations

import copy
import json
import os
import pickle
import threading
import time
import warnings

import h5py
import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, models
from kerasish.compat import OlderSpelling, generation, warning


@pytest.fixture(autouse=True)
def generation_1():
    generation.set_generation(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OlderSpelling)
        yield
    generation.set_generation(3)


def check(layer, **wanted):
    for name, value in wanted.items():
        found = getattr(layer, name)
        found = getattr(found, "__name__", None) or found
        same = found == value if not isinstance(value, type) else isinstance(found, value)
        assert same, (name, found, value)


L2, ORTHOGONAL = keras.regularizers.L2, keras.initializers.Orthogonal
NORMAL, UNIFORM = keras.initializers.RandomNormal, keras.initializers.RandomUniform
KEYWORDS = [
    (
        "Dense",
        dict(
            output_dim=3, init="uniform", W_regularizer="l2", b_regularizer="l2", bias=False,
            W_constraint="nonneg", activation="relu",
        ),
        dict(
            units=3, kernel_initializer=UNIFORM, kernel_regularizer=L2, bias_regularizer=L2,
            use_bias=False, kernel_constraint=keras.constraints.NonNeg, activation="relu",
        ),
    ),
    (
        "Convolution2D",
        dict(nb_filter=4, nb_row=3, nb_col=5, border_mode="same", subsample=(2, 1),
             dim_ordering="th"),
        dict(filters=4, kernel_size=(3, 5), padding="same", strides=(2, 1),
             data_format="channels_first"),
    ),
    (
        "AtrousConvolution2D",
        dict(nb_filter=4, nb_row=3, nb_col=3, atrous_rate=(2, 2), dim_ordering="tf"),
        dict(filters=4, dilation_rate=(2, 2), data_format="channels_last"),
    ),
    (
        "Deconvolution2D",
        dict(nb_filter=4, nb_row=3, nb_col=3, output_shape=(None, 9, 9, 4), subsample=(2, 2)),
        dict(filters=4, kernel_size=(3, 3), strides=(2, 2)),
    ),
    (
        "Convolution1D",
        dict(nb_filter=4, filter_length=3, subsample_length=2, init="normal"),
        dict(filters=4, kernel_size=(3,), strides=(2,), kernel_initializer=NORMAL),
    ),
    (
        "Convolution3D",
        dict(nb_filter=4, kernel_dim1=2, kernel_dim2=3, kernel_dim3=4, dim_ordering="default"),
        dict(filters=4, kernel_size=(2, 3, 4), data_format="channels_last"),
    ),
    ("MaxPooling1D", dict(pool_length=3, stride=2, border_mode="same"),
     dict(pool_size=(3,), strides=(2,), padding="same")),
    ("AveragePooling2D", dict(border_mode="same", dim_ordering="th"),
     dict(pool_size=(2, 2), padding="same", data_format="channels_first")),
    ("GlobalMaxPooling2D", dict(dim_ordering="th"), dict(data_format="channels_first")),
    ("UpSampling1D", dict(length=3), dict(size=3)),
    ("UpSampling2D", dict(dim_ordering="th"), dict(data_format="channels_first")),
    ("ZeroPadding2D", dict(padding={"top_pad": 1, "left_pad": 2}, dim_ordering="th"),
     dict(padding=((1, 0), (2, 0)), data_format="channels_first")),
    ("Cropping2D", dict(dim_ordering="th"), dict(data_format="channels_first")),
    ("Dropout", dict(p=0.3), dict(rate=0.3)),
    ("GaussianNoise", dict(sigma=0.3), dict(stddev=0.3)),
    ("PReLU", dict(init="one"), dict(alpha_initializer=keras.initializers.Ones)),
    ("BatchNormalization", dict(mode=0, beta_init="one"),
     dict(beta_initializer=keras.initializers.Ones)),
    ("Embedding", dict(input_dim=5, output_dim=2, init="normal", W_regularizer="l2"),
     dict(embeddings_initializer=NORMAL, embeddings_regularizer=L2)),
    (
        "LSTM",
        dict(output_dim=3, inner_init="orthogonal", inner_activation="sigmoid", dropout_W=0.1,
             dropout_U=0.2, U_regularizer="l2", consume_less="cpu", forget_bias_init="zero"),
        dict(units=3, recurrent_initializer=ORTHOGONAL, recurrent_activation="sigmoid",
             dropout=0.1, recurrent_dropout=0.2, recurrent_regularizer=L2,
             unit_forget_bias=False),
    ),
    ("GRU", dict(output_dim=3),
     dict(reset_after=False, recurrent_activation="hard_sigmoid_of_keras_2")),
    ("SimpleRNN", dict(output_dim=3, dropout_U=0.5), dict(recurrent_dropout=0.5)),
    ("MaxoutDense", dict(output_dim=3, init="normal", bias=False),
     dict(units=3, nb_feature=4, kernel_initializer=NORMAL, use_bias=False)),
    ("Highway", dict(init="normal", activation="relu"), dict(activation="relu")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), KEYWORDS, ids=[k[0] for k in KEYWORDS])
def test_keywords(name, given, wanted):
    check(getattr(layers, name)(**given), **wanted)


IN_A_ROW = [
    ("Dense", (3, "normal", "relu"), dict(units=3, kernel_initializer=NORMAL, activation="relu")),
    ("Dense", (3, "relu"), dict(units=3, activation="relu")),
    ("Convolution2D", (4, 3, 5), dict(filters=4, kernel_size=(3, 5), strides=(1, 1))),
    ("Convolution2D", (4, 3, 5, "normal", "relu"),
     dict(kernel_initializer=NORMAL, activation="relu")),
    ("Convolution2D", (4, (3, 5), 2), dict(filters=4, kernel_size=(3, 5), strides=(2, 2))),
    ("Convolution1D", (4, 3, "normal"), dict(kernel_size=(3,), kernel_initializer=NORMAL)),
    ("Convolution1D", (4, 3, 2), dict(kernel_size=(3,), strides=(2,))),
    ("SeparableConvolution2D", (4, 3, 3), dict(filters=4, kernel_size=(3, 3))),
    ("LSTM", (3, "normal"), dict(units=3, kernel_initializer=NORMAL, activation="tanh")),
    ("LSTM", (3, "relu"), dict(units=3, activation="relu")),
    ("BatchNormalization", (1e-2, 0, 1), dict(epsilon=1e-2, axis=1)),
    ("BatchNormalization", (1,), dict(epsilon=1e-3, axis=1)),
    ("MaxoutDense", (3, 2), dict(units=3, nb_feature=2)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "wanted"), IN_A_ROW)
def test_arguments_in_a_row(name, args, wanted):
    check(getattr(layers, name)(*args), **wanted)


def test_keywords_show_the_generation():
    generation.set_generation(3)
    warning.forget()
    with pytest.warns(OlderSpelling, match=r"Dense\(output_dim=...\).*write Dense\(units=...\)"):
        check(layers.Dense(output_dim=4), units=4)
    check(layers.Convolution2D(4, 3, 5), kernel_size=(3, 5))


def data(*sizes):
    generator = np.random.RandomState(0)
    return [generator.rand(16, size).astype("float32") for size in sizes]


# -- merging
def two(size=4):
    left = models.Sequential([layers.Dense(size, input_dim=3)])
    right = models.Sequential([layers.Dense(size, input_shape=(2,)), layers.Activation("tanh")])
    return left, right


MODES = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
    "max": np.maximum,
    "concat": lambda a, b: np.concatenate([a, b], 1),
    "dot": lambda a, b: (a * b).sum(1, keepdims=True),
    "cos": lambda a, b: (
        (a * b).sum(1, keepdims=True)
        / np.linalg.norm(a, axis=1, keepdims=True) / np.linalg.norm(b, axis=1, keepdims=True)
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_merging(mode):
    a, b = data(5, 5)
    wanted = MODES[mode](a, b)
    first, second = layers.Input((5,)), layers.Input(shape=(5,))
    model = models.Model(input=[first, second], output=layers.merge([first, second], mode=mode))
    np.testing.assert_allclose(model.predict([a, b], verbose=0), wanted, rtol=1e-5, atol=1e-6)
    left, right = two()
    joined = models.Sequential([layers.Merge([left, right], mode=mode)])
    x, y = data(3, 2)
    wanted = MODES[mode](left.predict(x, verbose=0), right.predict(y, verbose=0))
    np.testing.assert_allclose(joined.predict([x, y], verbose=0), wanted, rtol=1e-4, atol=1e-5)
    assert joined.output_shape == (None, *wanted.shape[1:])


def test_merging_by_a_function():
    a, b = data(5, 5)
    first, second = layers.Input((5,)), layers.Input((5,))
    out = layers.merge(
        [first, second], mode=lambda pair, times: pair[0] - times * pair[1],
        arguments={"times": 2.0}, output_shape=(5,),
    )  # fmt: skip
    model = models.Model([first, second], out)
    np.testing.assert_allclose(model.predict([a, b], verbose=0), a - 2 * b, rtol=1e-6)
    same = layers.Merge(mode="sum")([first, second])
    assert same.shape == (None, 5)


def test_a_sequential_that_begins_with_branches():
    keras.utils.set_random_seed(1)
    left, right = two()
    model = models.Sequential()
    model.add(layers.Merge([left, right], mode="concat"))
    model.add(layers.Dense(6, activation="relu"))
    model.add(layers.Dense(1))
    assert len(model.inputs) == 2
    assert len(model.layers) == 3
    assert model.count_params() == left.count_params() + right.count_params() + 8 * 6 + 6 + 7
    x, y = data(3, 2)
    target = x.sum(1, keepdims=True) - y.sum(1, keepdims=True)
    model.compile("adam", "mse")
    before = [w.copy() for w in left.get_weights()]
    history = model.fit([x, y], target, nb_epoch=150, verbose=0)
    assert history.history["loss"][-1] < 0.3 * history.history["loss"][0]
    assert np.abs(left.get_weights()[0] - before[0]).max() > 1e-3, "branches are trained too"
    model.pop()
    assert model.output_shape == (None, 6)


def joined_models():
    """Beginnings with branches: models, branches of branches, bare layers, a function."""
    inner = models.Sequential([layers.Merge(list(two()), mode="sum")])
    outer = models.Sequential([layers.Merge([inner, two()[0]], mode="concat"), layers.Dense(2)])
    bare = [layers.Dense(4, input_dim=3), layers.Embedding(5, 4, input_length=1)]
    flat = models.Sequential([bare[1], layers.Flatten()])
    mixed = models.Sequential([layers.Merge([bare[0], flat], mode="mul"), layers.Dense(1)])
    by_function = models.Sequential(
        [layers.Merge(list(two()), mode=lambda pair: pair[0] - pair[1], output_shape=(4,))]
    )
    numbers = np.array([[i % 5] for i in range(16)])
    return {
        "nested": (outer, data(3, 2, 3)),
        "bare": (mixed, [*data(3), numbers]),
        "function": (by_function, data(3, 2)),
    }


@pytest.mark.parametrize("kind", ["nested", "bare", "function"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_beginning_with_branches_goes_to_a_file_and_back(kind, ending, tmp_path):
    model, inputs = joined_models()[kind]
    model.compile("adam", "mse")
    wanted = model.predict(inputs, verbose=0)
    model.fit(inputs, wanted + 1, nb_epoch=2, verbose=0)
    path = str(tmp_path / f"model.{ending}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The object being serialized includes a `lambda`")
        model.save(path)
    if kind == "function":
        with pytest.raises(ValueError, match="safe_mode=False"):
            models.load_model(path)
    generation.set_generation(3)  # a program of today reads it too
    again = models.load_model(path, safe_mode=False)
    generation.set_generation(1)
    assert [x.name for x in again.layers] == [x.name for x in model.layers]
    np.testing.assert_array_equal(
        again.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
    )
    targets = wanted + 1
    kept = [m.fit(inputs, targets, nb_epoch=2, verbose=0, shuffle=False) for m in (model, again)]
    np.testing.assert_allclose(kept[1].history["loss"], kept[0].history["loss"], rtol=1e-5)


def test_copies_of_a_beginning_with_branches():
    model, inputs = joined_models()["nested"]
    wanted = model.predict(inputs, verbose=0)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    clone = models.clone_model(model)
    clone.set_weights(model.get_weights())
    for twin in (*copies, again, clone):
        assert len(twin.inputs) == 3
        np.testing.assert_array_equal(twin.predict(inputs, verbose=0), wanted)
        twin.add(layers.Dense(7))
        assert twin.output_shape == (None, 7)
    assert model.output_shape == (None, 2), "the copies are none of it"


def test_a_file_of_keras_1_with_branches(tmp_path):
    """Its layers are those of the branches in place of the Merge."""
    model, inputs = joined_models()["bare"]
    path = str(tmp_path / "weights.h5")
    model.save_weights(path)
    with h5py.File(path) as file:
        names = list(file.attrs["layer_names"])
    branches = model.layers[0].branches
    assert names == [branches[0].name, *(x.name for x in branches[1].layers), model.layers[1].name]

    def dense(name, size, **more):
        return layer_entry(name, "Dense", None, output_dim=size, **more)

    stack = [
        {"class_name": "Merge", "config": {
            "name": "m", "mode": "mul", "mode_type": "raw", "concat_axis": -1, "dot_axes": -1,
            "output_shape": None, "output_shape_type": "raw", "output_mask": None,
            "output_mask_type": "raw", "arguments": {}, "layers": [
                {"class_name": "Sequential", "config": [
                    dense("left", 4, batch_input_shape=[None, 3])]},
                {"class_name": "Sequential", "config": [
                    layer_entry("e", "Embedding", None, output_dim=4, input_dim=5, init="uniform",
                                input_length=1, W_regularizer=None, batch_input_shape=[None, 1],
                                mask_zero=False, input_dtype="int32", dropout=0.0),
                    layer_entry("f", "Flatten", None)]},
            ]}},
        dense("top", 1),
    ]  # fmt: skip
    text = json.dumps({"class_name": "Sequential", "keras_version": "1.2.2", "config": stack})
    old = models.model_from_json(text)
    old.load_weights(path)
    np.testing.assert_array_equal(old.predict(inputs, verbose=0), model.predict(inputs, verbose=0))


def test_branches_of_branches():
    inner = models.Sequential([layers.Merge(list(two()), mode="sum")])
    model = models.Sequential(
        [layers.Merge([inner, models.Sequential([layers.Dense(4, input_dim=5)])])]
    )
    assert model.predict(data(3, 2, 5), verbose=0).shape == (16, 4)


def test_wrong_merges():
    with pytest.raises(ValueError, match="Invalid merge mode: 'plus'"):
        layers.Merge(mode="plus")
    with pytest.raises(ValueError, match="at least 2 branches"):
        layers.Merge([two()[0]])
    with pytest.raises(ValueError, match="does not know its input's shape"):
        models.Sequential([layers.Merge([models.Sequential([layers.Dense(2)])] * 2)])
    with pytest.raises(ValueError, match="can only be the first layer"):
        models.Sequential([layers.Dense(2, input_dim=3), layers.Merge(list(two()))])


# -- layers that only Keras 1 had
def test_maxout():
    (x,) = data(5)
    layer = layers.MaxoutDense(3, nb_feature=2)
    found = np.asarray(layer(x))
    kernel, bias = layer.get_weights()
    wanted = (np.einsum("bi,kio->bko", x, kernel) + bias).max(1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_highway():
    (x,) = data(5)
    layer = layers.Highway(activation="tanh")
    found = np.asarray(layer(x))
    kernel, carry, bias, carry_bias = layer.get_weights()
    assert carry_bias.tolist() == [-2] * 5
    gate = 1 / (1 + np.exp(-(x @ carry + carry_bias)))
    wanted = gate * np.tanh(x @ kernel + bias) + (1 - gate) * x
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_learned_activations():
    (x,) = data(5)
    x = x * 4 - 2
    found = np.asarray(layers.ParametricSoftplus(alpha_init=0.5, beta_init=2.0)(x))
    np.testing.assert_allclose(found, 0.5 * np.log1p(np.exp(2 * x)), rtol=1e-5, atol=1e-6)
    layer = layers.SReLU()
    layer.build((None, 5))
    layer.set_weights([np.full(5, v) for v in (-1, 0.1, -1.5, 2)])
    wanted = np.where(x < -1, -1 + 0.1 * (x + 1), np.where(x > 0.5, 0.5 + 2 * (x - 0.5), x))
    np.testing.assert_allclose(np.asarray(layer(x)), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.MaxoutDense(3, W_regularizer="l2"), lambda: layers.Highway(),
        lambda: layers.TimeDistributedDense(2), lambda: layers.ParametricSoftplus(),
        lambda: layers.SReLU(),
    ],
)  # fmt: skip
def test_configs(layer):
    layer = layer()
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    x = np.random.RandomState(0).rand(4, 5).astype("float32")
    layer(x), again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(np.asarray(again(x)), np.asarray(layer(x)))


# -- models
def test_models():
    x, y = data(3, 1)
    into = layers.Input(shape=(3,))
    model = models.Model(input=into, output=layers.Dense(1)(into), name="old")
    assert type(model) is type(models.Model(into, layers.Dense(1)(into)))
    model.compile(loss="mse", optimizer="sgd")
    assert len(model.fit(x, y, verbose=0).history["loss"]) == 10, (
        "as many epochs as by default then"
    )
    assert len(model.fit(x, y, nb_epoch=2, verbose=0).history["loss"]) == 2
    with pytest.raises(NotImplementedError, match=r"keras.Model\(inputs, outputs\)"):
        models.Graph()


def test_numbers_of_samples():
    model = models.Sequential([layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    asked = []

    def batches(size, kind):
        while True:
            asked.append(kind)
            yield np.ones((size, 3)), np.ones((size, 1))

    history = model.fit_generator(
        batches(4, "train"), 10, 2, verbose=0, validation_data=batches(3, "test"),
        nb_val_samples=6, max_q_size=2, nb_worker=2, pickle_safe=False,
    )  # fmt: skip
    assert len(history.history["val_loss"]) == 2
    assert asked.count("train") == 2 * 3, "12 samples are the first 10 or more"
    assert asked.count("test") == 2, "validation goes through the same samples again"
    model.evaluate_generator(batches(4, "eval"), 10)
    assert asked.count("eval") == 3
    assert model.predict_generator(batches(4, "predict"), val_samples=8).shape == (8, 1)

    class Rows(keras.utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return np.ones((4, 3)), np.ones((4, 1))

    rows = Rows()
    model.fit_generator(rows, samples_per_epoch=20, nb_epoch=1, verbose=0, nb_worker=2)
    assert rows.workers == 2
    with pytest.raises(TypeError, match="colour"):
        model.fit_generator(rows, colour=1)


@pytest.mark.filterwarnings("ignore:Your `PyDataset` class should call")
def test_workers_of_keras_2(tmp_path):
    """Each process leaves a file with the threads that made its batches."""

    class Rows(keras.utils.PyDataset):
        def __init__(self):
            """As scripts have it, without super().__init__()."""

        def __len__(self):
            return 20

        def __getitem__(self, index):
            with open(tmp_path / str(os.getpid()), "a") as file:
                file.write(f"{threading.get_ident()} ")
            time.sleep(0.002)
            return np.ones((4, 3)), np.ones((4, 1))

    def seen():
        found = {int(file.name): set(map(int, file.read_text().split()))
                 for file in tmp_path.iterdir()}  # fmt: skip
        for process in found:
            (tmp_path / str(process)).unlink()
        return found

    model = models.Sequential([layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    here, me = os.getpid(), threading.get_ident()
    for of in (1, 2, 3):
        generation.set_generation(of)
        for call in (model.fit, model.evaluate, model.fit_generator, model.predict_generator):
            call(Rows(), workers=3, max_queue_size=4, verbose=0)
            found = seen()
            assert set(found) == {here} and me not in found[here], (of, call)
        for call in (model.fit, model.evaluate_generator):
            call(Rows(), workers=3, use_multiprocessing=True, verbose=0)
            found = seen()
            assert here not in found and len(found) > 1, (of, call)
    for options in ({"workers": 1}, {"workers": 0, "use_multiprocessing": True}):
        model.fit(Rows(), verbose=0, **options)
        assert seen() == {here: {me}}, options
    model.fit_generator(Rows(), validation_data=Rows(), workers=2, use_multiprocessing=True)
    assert here not in seen()


def test_generators_under_use_multiprocessing():
    def batches():
        while True:
            assert threading.get_ident() == me
            yield np.ones((4, 3)), np.ones((4, 1))

    me = threading.get_ident()
    model = models.Sequential([layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    for call in (model.fit_generator, model.fit):
        with pytest.warns(UserWarning, match="give each batch several times") as said:
            call(batches(), steps_per_epoch=2, verbose=0, workers=2, use_multiprocessing=True)
        assert said[-1].filename == __file__


def layer_entry(name, kind, inbound, **config):
    config = {"name": name, "trainable": True, **config}
    inbound = [[[into, 0, 0] for into in inbound]] if inbound else []
    return {"class_name": kind, "name": name, "config": config, "inbound_nodes": inbound}


def test_configs_of_models():
    conv = dict(
        batch_input_shape=[None, 1, 8, 8], input_dtype="float32", nb_filter=4, nb_row=3, nb_col=3,
        init="glorot_uniform", activation="relu", border_mode="valid", subsample=[1, 1],
        dim_ordering="th", bias=True, b_regularizer=None, b_constraint=None,
        W_regularizer={"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01},
        W_constraint={"name": "MaxNorm", "m": 2, "axis": 0},
    )  # fmt: skip
    stack = [
        layer_entry("c", "Convolution2D", None, **conv), layer_entry("d", "Dropout", None, p=0.25),
        layer_entry("f", "Flatten", None),
        layer_entry("o", "Dense", None, output_dim=5, init="uniform", activation="softmax"),
    ]  # fmt: skip
    text = json.dumps({"class_name": "Sequential", "keras_version": "1.2.2", "config": stack})
    model = models.model_from_json(text)
    assert model.output_shape == (None, 5)
    check(model.layers[0].kernel_regularizer, l2=pytest.approx(0.01))
    check(model.layers[0].kernel_constraint, max_value=2)
    graph = [
        layer_entry("i", "InputLayer", None, batch_input_shape=[None, 6], input_dtype="float32"),
        layer_entry("a", "Dense", ["i"], output_dim=4),
        layer_entry("b", "Dense", ["i"], output_dim=4),
        layer_entry("m", "Merge", ["a", "b"], mode="concat", mode_type="raw", concat_axis=-1,
                    output_shape=None, output_shape_type="raw", arguments={}),
    ]  # fmt: skip
    config = {
        "name": "g", "layers": graph, "input_layers": [["i", 0, 0]],
        "output_layers": [["m", 0, 0]],
    }  # fmt: skip
    text = json.dumps({"class_name": "Model", "keras_version": "1.2.2", "config": config})
    model = models.model_from_json(text)
    assert model.output_shape == (None, 8)
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    (x,) = data(6)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0))


# -- initializations and regularizers
def test_initializations():
    from kerasish import initializations

    for name in ("uniform", "normal", "glorot_uniform", "he_normal", "lecun_uniform", "zero"):
        found = initializations.get(name)((30, 20), name="w")
        assert tuple(found.shape) == (30, 20)
    assert np.abs(np.asarray(initializations.uniform((50, 50), scale=0.3))).max() == (
        pytest.approx(0.3, abs=0.01)
    )
    np.testing.assert_allclose(np.asarray(initializations.identity((3, 3), scale=2)), 2 * np.eye(3))
    rows = np.asarray(initializations.orthogonal((4, 4), scale=1.1))
    np.testing.assert_allclose(rows @ rows.T, 1.21 * np.eye(4), atol=1e-5)

    def init(shape, name=None):
        return initializations.normal(shape, scale=0.01, name=name)

    dense = layers.Dense(100, init=init)
    dense.build((None, 100))
    assert np.asarray(dense.kernel).std() == pytest.approx(0.01, rel=0.1)
    check(layers.Dense(3, init=initializations.normal), kernel_initializer=NORMAL)
    check(layers.Dense(3, init=lambda shape: np.ones(shape)), units=3)
    with pytest.raises(ValueError, match="Invalid initialization: nothing"):
        initializations.get("nothing")


def test_regularizers():
    from kerasish.regularizers import WeightRegularizer, activity_l1, activity_l2, l1l2

    x = np.array([[1.0, -2.0]], "float32")
    penalties = {
        WeightRegularizer(l1=0.1, l2=0.2): 0.3 + 1.0, l1l2(l1=0.1, l2=0.2): 0.3 + 1.0,
        activity_l1(0.1): 0.3, activity_l2(0.1): 0.5,
    }  # fmt: skip
    for penalty, wanted in penalties.items():
        assert float(penalty(keras.ops.convert_to_tensor(x))) == pytest.approx(wanted)
    with pytest.raises(NotImplementedError, match="SpectralNormalization"):
        keras.regularizers.EigenvalueRegularizer(2)


# -- the backend
def test_backend():
    from kerasish import backend as K

    x = np.random.RandomState(0).rand(2, 3, 6, 5).astype("float32")
    kernel = np.random.RandomState(1).rand(3, 3, 3, 4).astype("float32")
    wanted = K.conv2d(x, kernel, strides=(2, 2), padding="same", data_format="channels_first")
    found = K.conv2d(x, kernel, strides=(2, 2), border_mode="same", dim_ordering="th")
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))
    assert K.pool2d(x, (2, 2), (2, 2), "valid", dim_ordering="th").shape == (2, 3, 3, 2)
    assert K.resize_images(x, 2, 3, dim_ordering="th").shape == (2, 3, 12, 15)
    assert K.spatial_2d_padding(x, dim_ordering="th").shape == (2, 3, 8, 7)
    assert K.asymmetric_spatial_2d_padding(x, 1, 0, 2, 0, "th").shape == (2, 3, 7, 7)
    assert K.image_dim_ordering() == "tf"
    try:
        K.set_image_dim_ordering("th")
        assert (K.image_dim_ordering(), K.image_data_format()) == ("th", "channels_first")
        check(layers.Convolution2D(2, 3, 3), data_format="channels_first")
    finally:
        K.set_image_dim_ordering("tf")
    with pytest.raises(ValueError, match="Unknown dim_ordering: 'nhwc'"):
        K.set_image_dim_ordering("nhwc")
    output, target = np.array([[0.25, 0.75]], "float32"), np.array([[0.0, 1.0]], "float32")
    assert float(K.categorical_crossentropy(output, target)[0]) == pytest.approx(-np.log(0.75))
    generation.set_generation(2)
    assert float(K.categorical_crossentropy(target, output)[0]) == pytest.approx(-np.log(0.75))


# -- metrics, and what else there was
def test_metrics_of_batches():
    from sklearn import metrics as judge

    generator = np.random.RandomState(0)
    y_true = generator.randint(0, 2, 40).astype("float32")
    y_pred = np.clip(y_true * 0.4 + generator.rand(40) * 0.6, 0, 1).astype("float32")
    found = {
        name: float(getattr(keras.metrics, name)(y_true, y_pred))
        for name in ("precision", "recall", "fmeasure", "matthews_correlation", "fbeta_score")
    }
    labels = y_pred.round()
    assert found["precision"] == pytest.approx(judge.precision_score(y_true, labels), abs=1e-5)
    assert found["recall"] == pytest.approx(judge.recall_score(y_true, labels), abs=1e-5)
    assert found["fmeasure"] == pytest.approx(judge.f1_score(y_true, labels), abs=1e-5)
    wanted = judge.matthews_corrcoef(y_true, labels)
    assert found["matthews_correlation"] == pytest.approx(wanted, abs=1e-5)
    wanted = judge.fbeta_score(y_true, labels, beta=2)
    assert float(keras.metrics.fbeta_score(y_true, y_pred, 2)) == pytest.approx(wanted, abs=1e-5)
    assert float(keras.metrics.fmeasure(y_true * 0, y_pred)) == 0
    with pytest.raises(ValueError, match="beta must be 0"):
        keras.metrics.fbeta_score(y_true, y_pred, -1)
    model = models.Sequential([layers.Dense(1, activation="sigmoid", input_dim=1)])
    metrics = [keras.metrics.fmeasure, keras.metrics.matthews_correlation]
    model.compile("sgd", "binary_crossentropy", metrics=metrics)
    logs = model.evaluate(y_pred[:, None], y_true, batch_size=40, verbose=0)
    wanted = keras.metrics.fmeasure(y_true[:, None], model.predict(y_pred[:, None], verbose=0))
    assert logs[1] == pytest.approx(float(wanted), abs=1e-5)


def test_small_helpers(tmp_path):
    from kerasish import backend as K
    from kerasish.engine.training import make_batches, slice_X
    from kerasish.initializations import get_fans
    from kerasish.layers.recurrent import time_distributed_dense
    from kerasish.preprocessing.image import apply_transform, list_pictures
    from kerasish.utils.generic_utils import make_tuple
    from kerasish.utils.layer_utils import count_total_params

    assert get_fans((3, 4)) == (3, 4)
    assert get_fans((8, 4, 3, 3), "th") == get_fans((3, 3, 4, 8), "tf") == (36, 72)
    assert make_batches(3, 2) == [(0, 2), (2, 3)] and make_tuple(1, 2) == (1, 2)
    assert slice_X([np.arange(4)], 1, 3)[0].tolist() == [1, 2]
    x = np.random.RandomState(0).rand(2, 3, 4).astype("float32")
    w, b = np.ones((4, 5), "float32"), np.ones(5, "float32")
    found = np.asarray(time_distributed_dense(x, w, b, dropout=0.5))
    np.testing.assert_allclose(found, x @ w + b, rtol=1e-6)
    assert K.asymmetric_temporal_padding(x, 2, 1).shape == (2, 6, 4)
    assert not K.legacy_weight_ordering()
    K.set_legacy_weight_ordering(False)
    with pytest.raises(ValueError, match=r"before 1\.0"):
        K.set_legacy_weight_ordering(True)
    shift = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1.0]])
    moved = apply_transform(x, shift, fill_mode="constant", cval=7)
    np.testing.assert_array_equal(moved[:, :2], x[:, 1:])
    assert (moved[:, 2] == 7).all()
    for name in ("a.png", "b.txt", "c.jpg"):
        (tmp_path / name).touch()
    assert sorted(list_pictures(tmp_path)) == [str(tmp_path / n) for n in ("a.png", "c.jpg")]
    dense = layers.Dense(3, input_dim=2)
    dense.build((None, 2))
    frozen = layers.Dense(2, trainable=False)
    frozen.build((None, 3))
    assert count_total_params([dense, frozen, dense]) == (9, 8)
