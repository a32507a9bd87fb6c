"""`.keras` files."""

import json
import os
import zipfile

import numpy as np
import pytest

import kerasish
from kerasish import Input, Model, Sequential, layers, models, ops
from kerasish.saving import register_keras_serializable

RNG = np.random.default_rng(0)


def data(*shape):
    return RNG.normal(size=shape).astype("float32")


@register_keras_serializable("tests_saving_models")
class Scale(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@register_keras_serializable("tests_saving_models")
class Net(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.parts = [layers.Dense(units), Scale(2.0)]
        self.last = layers.Dense(1)

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return self.last(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def sequential():
    return Sequential([Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dense(1)])


def functional():
    x = Input((4,))
    shared = layers.Dense(4)
    y = ops.relu(shared(shared(x))) * 2.0 + Scale(3.0)(x)
    return Model(x, layers.Dense(1)(y))


def nested():
    x = Input((4,))
    return Model(x, Sequential([layers.Dense(2), layers.Dense(1)])(functional()(x) + x))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.keras"


@pytest.mark.parametrize("make", [sequential, functional, nested, Net])
@pytest.mark.parametrize("compiled", [False, True])
def test_round_trip(make, compiled, path):
    model = make()
    x, y = data(8, 4), data(8, 1)
    model(x)
    if compiled:
        model.compile(kerasish.optimizers.Adam(0.01), "mse", metrics=["mae"])
        model.fit(x, y, verbose=0)
    model.save(path)
    assert os.listdir(path.parent) == [path.name]
    twin = models.load_model(path)
    assert type(twin) is type(model) and twin.name == model.name
    np.testing.assert_allclose(twin(x), model(x), rtol=1e-6)
    assert twin.compiled == compiled
    if compiled:
        assert models.load_model(path, compile=False).compiled is False
        for a, b in zip(twin.optimizer.variables, model.optimizer.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
        losses = []
        for each in (model, twin):
            each.reset_metrics()
            losses.append(each.train_on_batch(x, y, return_dict=True)["loss"])
        np.testing.assert_allclose(*losses, rtol=1e-5)


def test_what_is_inside(path):
    sequential().save(path)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        assert json.loads(archive.read("config.json"))["class_name"] == "Sequential"


def test_folder(tmp_path):
    model = sequential()
    models.save_model(model, tmp_path / "folder", zipped=False)
    twin = models.load_model(tmp_path / "folder")
    np.testing.assert_array_equal(twin.get_weights()[0], model.get_weights()[0])


def test_assets(path):
    @register_keras_serializable("tests_saving_models", "WithAssets")
    class WithAssets(layers.ReLU):
        words = "none"

        def save_assets(self, folder):
            with open(os.path.join(folder, "words.txt"), "w") as file:
                file.write(self.words)

        def load_assets(self, folder):
            with open(os.path.join(folder, "words.txt")) as file:
                self.words = file.read()

    model = Sequential([Input((2,)), WithAssets(), layers.Dense(1)])
    model.layers[0].words = "a b c"
    model.save(path)
    assert models.load_model(path).layers[0].words == "a b c"


def test_unregistered_classes_need_custom_objects(path):
    class Plain(layers.Layer):
        def call(self, x):
            return x + 1

    model = Sequential([Input((2,)), Plain()])
    model.save(path)
    with pytest.raises(TypeError, match="Plain"):
        models.load_model(path)
    twin = models.load_model(path, custom_objects={"Plain": Plain})
    np.testing.assert_array_equal(twin(np.zeros((1, 2), "float32")), 1)


def test_lambdas_are_refused_in_safe_mode(path):
    model = Sequential([Input((2,)), layers.Lambda(lambda x: x * 3)])
    with pytest.warns(UserWarning, match="lambda"):
        model.save(path)
    with pytest.raises(ValueError, match="safe_mode"):
        models.load_model(path)
    twin = models.load_model(path, safe_mode=False)
    np.testing.assert_array_equal(twin(np.ones((1, 2), "float32")), 3)


def test_wrong_files(path, tmp_path):
    model = sequential()
    for name in ("model", "model.zip"):
        with pytest.raises(ValueError, match="extension"):
            model.save(tmp_path / name)
    with pytest.raises(ValueError, match=r"File not found.*model\.h5"):
        models.load_model(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="File not found"):
        models.load_model(path)
    model.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="No model config"):
        models.load_model(tmp_path / "w.weights.h5")
    model.save(path)
    whole = path.read_bytes()
    for keep in (0, 50, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:keep])
        with pytest.raises(ValueError, match=r"model\.keras"):
            models.load_model(path)


@pytest.mark.parametrize(
    "name", ["assets/../../../escaped.txt", "../escaped.txt", "/tmp/escaped.txt", "C:\\escaped.txt"]
)
def test_members_that_leave_the_folder_are_refused(path, tmp_path, name):
    sequential().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(ValueError, match="leads out of the archive"):
        models.load_model(path)
    assert not list(tmp_path.parent.rglob("escaped.txt"))


def test_links_and_bombs_in_archives_are_refused(path):
    sequential().save(path)
    whole = path.read_bytes()
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="is a link"):
        models.load_model(path)
    path.write_bytes(whole)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/bomb", bytes(40 << 20))
    with pytest.raises(ValueError, match="claims 41943040 bytes"):
        models.load_model(path)


def with_config(path, change):
    """The archive with its config changed."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    config = json.loads(members["config.json"])
    members["config.json"] = json.dumps(change(config) or config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_configs_that_ask_for_far_more_than_the_file_holds_are_refused(path):
    sequential().save(path)

    def huge(config):
        config["config"]["layers"][1]["config"]["units"] = 10**11

    with_config(path, huge)
    with pytest.raises(ValueError, match="far larger than the weights"):
        models.load_model(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: [1],
        lambda c: {"class_name": "Sequential", "config": {}},
        lambda c: {**c, "class_name": "Dense", "config": {"units": 2}},
        lambda c: {**c, "config": {"layers": 3}},
        lambda c: {**c, "module": "os", "class_name": "system", "config": {}},
        lambda c: {**c, "module": "keras.utils", "class_name": "get_file", "config": {}},
        lambda c: {"module": "builtins", "class_name": "function", "config": "eval"},
    ],
)
def test_malformed_configs_are_named(path, change):
    sequential().save(path)
    with_config(path, change)
    with pytest.raises((ValueError, TypeError), match=r"config|class|function"):
        models.load_model(path)


def test_folder_replaces_a_folder(tmp_path):
    folder = tmp_path / "model"
    first, second = sequential(), sequential()
    first.save(folder, zipped=False)
    second.save(folder, zipped=False)
    x = data(2, 4)
    np.testing.assert_array_equal(models.load_model(folder)(x), second(x))
    assert [f.name for f in tmp_path.iterdir()] == ["model"]


def test_weights_alone_from_an_archive(path):
    model, twin = sequential(), sequential()
    model.save(path)
    twin.load_weights(path)
    x = data(2, 4)
    np.testing.assert_array_equal(twin(x), model(x))


@register_keras_serializable("tests_saving_models")
def loss_that_branches(y_true, y_pred):
    error = ops.mean(ops.square(y_true - y_pred))
    return error if float(error) > 0 else 0 * error


@pytest.mark.parametrize("insisted", [True, False])
def test_a_file_does_not_insist_on_compiling(path, insisted):
    """Keras writes what "auto" came to where the file was made: nobody insisted."""
    model = sequential()
    for loss in ("mse", loss_that_branches):
        model.compile("sgd", loss, jit_compile=insisted)
        model.save(path)
        again = models.load_model(path)
        assert again.jit_compile
        if loss == "mse":
            again.fit(data(4, 4), data(4, 1), verbose=0)
            assert not again.run_eagerly
        else:
            with pytest.warns(UserWarning, match="runs eagerly"):
                again.fit(data(4, 4), data(4, 1), verbose=0)


def test_optimizers_of_other_trained_weights_are_left_out(tmp_path):
    """Freezing or unfreezing between `fit` and `save` costs the optimizer's state alone."""
    x = np.ones((8, 3), "float32")
    for first, then in ((True, False), (False, True)):
        model = Sequential([Input((3,)), layers.Dense(2), layers.Dense(1)])
        model.layers[0].trainable = first
        model.compile("adam", "mse")
        model.fit(x, x[:, :1], verbose=0)
        model.layers[0].trainable = then
        model.save(tmp_path / "a.keras")
        with pytest.warns(UserWarning, match="Skipping variable loading for optimizer"):
            again = models.load_model(tmp_path / "a.keras")
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("build", ["shape", "graph"])
def test_any_batch_size_for_a_model_built_for_one(tmp_path, build):
    """Keras writes the batch size that a `Sequential` was built with, and takes any."""
    x = np.ones((8, 4), "float32")
    if build == "graph":
        i = Input(batch_shape=(8, 4))
        model = Model(i, layers.Dense(2)(i))
    else:
        model = Sequential([layers.Dense(2)])
        model.build((8, 4))
    model.save(tmp_path / "a.keras")
    again = models.load_model(tmp_path / "a.keras")
    assert again.input_shape == (8, 4)
    for each in (model, again):
        assert each.predict(x[:3], verbose=0).shape == (3, 2)
        assert each.predict(x, batch_size=5, verbose=0).shape == (8, 2)
        assert each(Input((4,))).shape == (None, 2)


@pytest.mark.parametrize("name", ["a.keras", "a.h5", "a.weights.h5"])
def test_links_stay_links_and_modes_stay(tmp_path, name):
    model = Sequential([Input((3,)), layers.Dense(2)])
    save = model.save_weights if "weights" in name else model.save
    real, link = tmp_path / f"real.{name}", tmp_path / name
    save(real)
    before = real.read_bytes()
    real.chmod(0o640)
    link.symlink_to(real.name)
    model.set_weights([w + 1 for w in model.get_weights()])
    save(link)
    assert link.is_symlink() and real.read_bytes() != before
    assert real.stat().st_mode & 0o777 == 0o640


def test_small_things_of_saving(tmp_path, monkeypatch):
    model = Sequential([Input((3,)), layers.Dense(2)])
    model.save(tmp_path / "new" / "folder" / "a.h5")
    assert (tmp_path / "new" / "folder" / "a.h5").exists()
    with pytest.raises(ValueError, match="'save_format': 'tf'"):
        model.save(tmp_path / "a.keras", save_format="tf")
    model.save(tmp_path / "a.keras")
    old = (tmp_path / "a.keras").read_bytes()
    model.set_weights([w + 1 for w in model.get_weights()])
    answers = iter(["q", "y"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    model.save(tmp_path / "a.keras", overwrite=False)
    assert (tmp_path / "a.keras").read_bytes() != old
