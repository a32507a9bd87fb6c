"""Legacy `.h5` files: those that tf-keras made (`tests/golden/legacy_h5`) and our own."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import kerasish
from kerasish import Input, Model, Sequential, layers, models, ops

GOLDEN = Path(__file__).parents[1] / "golden" / "legacy_h5"
RNG = np.random.default_rng(0)


def data(*shape):
    return RNG.normal(size=shape).astype("float32")


def listed(y):
    return y if isinstance(y, list) else [y]


def parts(record, letter):
    found = [record[f"{letter}{i}"] for i in range(4) if f"{letter}{i}" in record]
    return found[0] if len(found) == 1 else found


def assert_predicts(model, record, letter):
    found = listed(model.predict(parts(record, "x"), verbose=0))
    for i, y in enumerate(found):
        expected = record[f"{letter}{i}"]
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("name", sorted(p.stem for p in GOLDEN.glob("*.npz")))
def test_files_of_tf_keras(name):
    record = np.load(GOLDEN / f"{name}.npz")
    model = models.load_model(GOLDEN / f"{name}.h5")
    assert_predicts(model, record, "p")
    assert model.compiled == ("q0" in record)
    if model.compiled:
        x, y = parts(record, "x"), parts(record, "y")
        model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0)
        assert_predicts(model, record, "q")


with zipfile.ZipFile(GOLDEN / "optimizers.zip") as _archive:
    OPTIMIZERS = {n: _archive.read(n) for n in _archive.namelist()}


@pytest.mark.parametrize("name", sorted(n for n in OPTIMIZERS if n.endswith(".h5")))
def test_optimizers_of_tf_keras_go_on(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(OPTIMIZERS[name])
    record = np.load(io.BytesIO(OPTIMIZERS[name.replace(".h5", ".npz")]))
    model = models.load_model(path)
    x, y = record["x"], record["y"]
    model.fit(x, y, batch_size=3, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), record["q"], rtol=1e-6, atol=1e-6)


def test_compile_arguments_of_tf_keras():
    model = models.load_model(GOLDEN / "functional.h5")
    record = np.load(GOLDEN / "functional.npz")
    logs = model.evaluate(parts(record, "x"), parts(record, "y"), verbose=0, return_dict=True)
    assert set(logs) == {"loss", "first_loss", "second_loss", "first_mae", "second_auc"}
    assert model.optimizer.get_config()["learning_rate"] == pytest.approx(0.01)
    assert not models.load_model(GOLDEN / "functional.h5", compile=False).compiled
    model = models.load_model(GOLDEN / "sequential.h5")
    record = np.load(GOLDEN / "sequential.npz")
    logs = model.evaluate(record["x0"], record["y0"], verbose=0, return_dict=True)
    assert set(logs) == {"loss", "accuracy"}


def test_weights_of_tf_keras():
    record = np.load(GOLDEN / "sequential.npz")
    model = models.load_model(GOLDEN / "sequential.h5", compile=False)
    model.load_weights(GOLDEN / "sequential_weights.h5")
    assert_predicts(model, record, "q")
    model.load_weights(GOLDEN / "sequential.h5")  # a whole model is a file of weights too
    assert_predicts(model, record, "p")


def test_architecture_of_tf_keras_as_json():
    with h5py.File(GOLDEN / "recurrent.h5") as file:
        text = file.attrs["model_config"]
    model = models.model_from_json(text)
    model.load_weights(GOLDEN / "recurrent.h5")
    assert_predicts(model, np.load(GOLDEN / "recurrent.npz"), "p")


def test_what_was_read_can_be_written_in_any_format(tmp_path):
    record = np.load(GOLDEN / "recurrent.npz")
    model = models.load_model(GOLDEN / "recurrent.h5")
    for name in ("model.h5", "model.keras", "model.hdf5"):
        model.save(tmp_path / name)
        assert_predicts(models.load_model(tmp_path / name), record, "p")


# -- our own files


@kerasish.saving.register_keras_serializable("tests_legacy")
class Net(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first, self.last = layers.Dense(units), layers.Dense(2)
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x):
        return self.last(self.first(x)) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def sequential():
    return Sequential([Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dense(2)])


def functional():
    x = Input((4,), name="given")
    shared = layers.Dense(4)
    inner = Sequential([layers.Dense(2), layers.Dense(4)], name="inner")
    y = ops.relu(shared(shared(x))) * 2.0 + inner(x)
    return Model(x, layers.Dense(2)(y))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.h5"


@pytest.mark.parametrize("make", [sequential, functional, Net])
@pytest.mark.parametrize("compiled", [False, True])
def test_round_trip(make, compiled, path):
    model, x, y = make(), data(6, 4), data(6, 2)
    model(x)
    if compiled:
        model.compile("adam", kerasish.losses.Huber(0.5), metrics=["mae"])
        model.fit(x, y, epochs=2, verbose=0, shuffle=False)
    model.save(path)
    twin = models.load_model(path, custom_objects={"Net": Net})
    np.testing.assert_array_equal(twin(x), model(x))
    assert twin.compiled == compiled
    if compiled:
        for m in (model, twin):
            m.fit(x, y, epochs=2, verbose=0, shuffle=False)
        np.testing.assert_array_equal(twin(x), model(x))
        before, after = (m.evaluate(x, y, verbose=0) for m in (model, twin))
        np.testing.assert_array_equal(before, after)


def test_optimizer_can_be_left_out(path):
    model = sequential()
    model.compile("sgd", "mse")
    model.fit(data(4, 4), data(4, 2), verbose=0)
    model.save(path, include_optimizer=False)
    assert not models.load_model(path).compiled


def test_by_name_and_by_order(path):
    def make(*names):
        return Sequential(
            [Input((4,)), *(layers.Dense(4, name=n, bias_initializer="ones") for n in names)]
        )

    source = make("a", "b", "c")
    source.save_weights(path)
    other = make("b", "x")
    before = other.get_weights()
    other.load_weights(path, by_name=True)
    np.testing.assert_array_equal(other.get_weights()[0], source.get_weights()[2])
    np.testing.assert_array_equal(other.get_weights()[2], before[2])
    with pytest.raises(ValueError, match=r"Layer count mismatch.*2 layers.*found 3.*'b', 'x'"):
        other.load_weights(path)
    renamed = make("p", "q", "r")
    renamed.load_weights(path)
    for a, b in zip(renamed.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    mixed = make("c", "a", "b")  # the same names in another order
    mixed.load_weights(path)
    np.testing.assert_array_equal(mixed.get_weights()[2], source.get_weights()[0])


def test_mismatches_name_everything_and_change_nothing(path):
    def make(units):
        return Sequential(
            [Input((4,)), layers.Dense(3, name="fits"), layers.Dense(units, name="other")]
        )

    make(2).save_weights(path)
    model = make(5)
    before = model.get_weights()
    text = r"layer 'other'.*other/kernel.*expects shape \(3, 5\).*file has shape \(3, 2\)"
    for by_name in (False, True):
        with pytest.raises(ValueError, match=text):
            model.load_weights(path, by_name=by_name)
        for a, b in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match=text):
        model.load_weights(path, skip_mismatch=True)
    assert not np.array_equal(model.get_weights()[0], before[0])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])
    fewer = Sequential(
        [Input((4,)), layers.Dense(3, name="fits", use_bias=False), layers.Dense(2, name="other")]
    )
    with pytest.raises(ValueError, match=r"'fits'.*expects 1 weight.*has 2 saved"):
        fewer.load_weights(path)
    with pytest.warns(UserWarning, match="expects 1 weight"):
        fewer.load_weights(path, by_name=True, skip_mismatch=True)


def test_many_layers_need_several_attributes(path):
    names = [f"{'long' * 500}_{i}" for i in range(40)]
    model = Sequential([Input((1,)), *(layers.Dense(1, name=n) for n in names)])
    model.save_weights(path)
    with h5py.File(path) as file:
        assert "layer_names0" in file.attrs and "layer_names" not in file.attrs
    twin = Sequential([Input((1,)), *(layers.Dense(1, name=n) for n in names)])
    twin.load_weights(path)
    for a, b in zip(twin.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_lambdas_are_refused_in_safe_mode(path):
    model = Sequential([Input((2,)), layers.Lambda(lambda x: x * 3)])
    with pytest.warns(UserWarning, match="lambda"):
        model.save(path)
    with pytest.raises(ValueError, match="safe_mode"):
        models.load_model(path)
    twin = models.load_model(path, safe_mode=False)
    np.testing.assert_array_equal(twin(np.ones((1, 2), "float32")), 3)


def rewritten(path, change):
    sequential().save(path)
    with h5py.File(path, "r+") as file:
        change(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.attrs.__setitem__("model_config", b"{"), "no JSON"),
        (lambda f: f.attrs.__delitem__("model_config"), "No model config"),
        (lambda f: f.__delitem__("model_weights"), "model_weights"),
        (lambda f: f["model_weights"].__delitem__("dense"), "model_weights/dense"),
        (
            lambda f: f["model_weights/dense"].attrs.__setitem__("weight_names", [b"x/y"]),
            "list of weights names it",
        ),
        (
            lambda f: (
                f["model_weights"].__delitem__("dense"),
                f["model_weights"].__setitem__("dense", h5py.ExternalLink("/etc/passwd", "/")),
            ),
            "link",
        ),
    ],
)
def test_hostile_and_damaged_files(path, change, message):
    def first_dense(file):
        name = next(n for n in file["model_weights"].attrs["layer_names"] if "dense" in n)
        group = file["model_weights"]
        names = list(group.attrs["layer_names"])
        group.move(name, "dense")
        group.attrs["layer_names"] = [("dense" if n == name else n).encode() for n in names]
        change(file)

    rewritten(path, first_dense)
    with pytest.raises(ValueError, match=message):
        models.load_model(path)


def test_keras_1_names(path):
    config = {
        "class_name": "Sequential",
        "config": [
            {
                "class_name": "Convolution2D",
                "config": {
                    "name": "c", "trainable": True, "batch_input_shape": [None, 6, 6, 2],
                    "nb_filter": 3, "nb_row": 3, "nb_col": 2, "border_mode": "same",
                    "subsample": [1, 1], "dim_ordering": "tf", "init": "glorot_uniform",
                    "activation": "relu", "W_regularizer": None, "b_regularizer": None,
                    "W_constraint": None, "b_constraint": None, "bias": True,
                    "input_dtype": "float32", "activity_regularizer": None,
                },
            },
            {"class_name": "Flatten", "config": {"name": "f", "trainable": True}},
            {"class_name": "Dropout", "config": {"name": "d", "trainable": True, "p": 0.5}},
            {
                "class_name": "Dense",
                "config": {
                    "name": "o", "output_dim": 2, "init": "uniform", "activation": "linear",
                    "trainable": True, "input_dim": 72, "bias": False,
                },
            },
        ],
    }  # fmt: skip
    model = models.model_from_json(json.dumps(config))
    assert model.output_shape == (None, 2)
    assert [w.shape for w in model.weights] == [(3, 2, 2, 3), (3,), (108, 2)]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"class_name": "LSTM", "config": {"units": 2, "time_major": True}}, "time_major=True"),
        ({"class_name": "CuDNNLSTM", "config": {"units": 2}}, "CuDNNLSTM"),
        ({"class_name": "Nothing", "config": {}}, "Nothing"),
    ],
)
def test_what_cannot_be_read_is_named(entry, message):
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [entry]}}
    with pytest.raises((ValueError, TypeError), match=message):
        models.model_from_json(json.dumps(config))


def test_unknown_functions_of_tensorflow_are_named():
    with h5py.File(GOLDEN / "operators.h5") as file:
        text = file.attrs["model_config"].replace('"nn.relu"', '"signal.hamming"')
    with pytest.raises(ValueError, match=r"tf\.signal\.hamming"):
        models.model_from_json(text)
