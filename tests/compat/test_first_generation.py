"""Programs for Keras 1: arguments, layers, `merge`, initializations, regularizers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from first_programs import data, layer_entry

import kerasish as keras
from kerasish import layers, models
from kerasish.compat import OlderSpelling, generation, warning

pytestmark = pytest.mark.usefixtures("generation_1")


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
