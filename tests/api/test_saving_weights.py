"""`.weights.h5` files."""

import os

import h5py
import numpy as np
import pytest

from kerasish import Model, Sequential, layers, optimizers
from kerasish.saving.h5 import Reader
from kerasish.saving.tree import saveable_parts


def make(units=3, **names):
    return Sequential([layers.Input((4,)), layers.Dense(2), layers.Dense(units)], **names)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.h5"


def test_round_trip(path):
    model, twin = make(), make()
    model.save_weights(path)
    twin.load_weights(path)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with h5py.File(path) as file:
        assert file["layers/dense/vars/0"].shape == (4, 2)
        assert file["layers/dense_1/vars/1"].shape == (3,)
        assert file["layers/dense_1/vars"].attrs["name"] == model.layers[1].name
    assert os.listdir(path.parent) == [path.name]


def test_places():
    class Part(layers.Layer):
        def __init__(self):
            super().__init__()
            self.b = [layers.Dense(1), (layers.Dense(1), {"k": layers.Dense(1)})]
            self._hidden = layers.Dense(1)
            self.Zed = layers.Dense(1)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.part = Part()
            self.after = layers.Dense(1)
            self._own = layers.Dense(1)
            self.mean = layers.ReLU()
            self.optimizer_of_mine = optimizers.SGD()

    found = [place for place, _ in saveable_parts(Net())]
    assert found == [
        "", "after", "layers/part", "layers/part/Zed", "layers/part/b/dense",
        "layers/part/b/container/dense", "layers/part/b/container/container/dense",
        "layers/part/_hidden", "layers/dense_1", "layers/re_lu", "optimizer_of_mine",
    ]  # fmt: skip


def test_optimizer_state(path):
    x, y = np.ones((4, 4), "float32"), np.ones((4, 3), "float32")
    model, twin = make(), make()
    for each in (model, twin):
        each.compile("adam", "mse")
        each.fit(x, y, verbose=0)
    model.fit(x, y, epochs=2, verbose=0)
    model.save_weights(path)
    twin.load_weights(path)
    assert int(twin.optimizer.iterations.numpy()) == 3
    for a, b in zip(model.optimizer.variables, twin.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    model.train_on_batch(x, y)
    twin.train_on_batch(x, y)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_optimizer_that_was_not_trained_warns(path):
    model = make()
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
    model.save_weights(path)
    fresh = make()
    fresh.load_weights(path)  # no optimizer: nothing to say
    fresh.compile("adam", "mse")
    with pytest.warns(UserWarning, match="has 2 variables whereas the saved optimizer has 10"):
        fresh.load_weights(path)


def test_wrong_shape_names_everything_and_changes_nothing(path):
    make(3).save_weights(path)
    model = make(4)
    before = model.get_weights()
    with pytest.raises(ValueError) as error:
        model.load_weights(path)
    for part in (str(path), model.layers[1].name, "(2, 4)", "(2, 3)", "layers/dense_1"):
        assert part in str(error.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_skip_mismatch(path):
    source, model = make(3), make(4)
    source.save_weights(path)
    before = model.get_weights()
    with pytest.warns(UserWarning, match="total of 1 objects could not be loaded"):
        model.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(model.get_weights()[0], source.get_weights()[0])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])


def test_missing_layer(path):
    make().save_weights(path)
    model = Sequential([*make().layers, layers.Dense(1)])
    model.build((None, 4))
    with pytest.raises(ValueError, match="expected 2 variables, but received 0 variables"):
        model.load_weights(path)


def test_names_and_missing_files(path, tmp_path):
    model = make()
    with pytest.raises(ValueError, match=r"must end in `\.weights\.h5`"):
        model.save_weights(tmp_path / "x.zip")
    with pytest.raises(ValueError, match="File format not supported"):
        model.load_weights(tmp_path / "x.foo")
    with pytest.raises(ValueError, match="by_name"):
        model.load_weights(path, by_name=True)
    with pytest.raises(TypeError, match="surprise"):
        model.save_weights(path, surprise=1)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        model.load_weights(tmp_path / "nowhere.weights.h5")
    with pytest.raises(OSError, match="nowhere"):
        model.save_weights(tmp_path / "nowhere" / "x.weights.h5")
    for unbuilt in (Sequential([layers.Dense(1)]), Model()):
        with pytest.raises(ValueError, match="not yet been built"):
            unbuilt.save_weights(path)
    make().save_weights(path)
    with pytest.raises(ValueError, match="not yet been built"):
        Sequential([layers.Dense(2)]).load_weights(path)


def test_overwrite_asks(path, monkeypatch):
    model, other = make(), make()
    model.save_weights(path)
    monkeypatch.setattr("builtins.input", lambda text: "n")
    other.save_weights(path, overwrite=False)
    other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    monkeypatch.setattr("builtins.input", lambda text: (_ for _ in ()).throw(EOFError))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        other.save_weights(path, overwrite=False)


@pytest.mark.parametrize("keep", [0, 100, 2000, -100])
def test_damaged_file(path, keep):
    make().save_weights(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    model = make()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"model\.weights\.h5.*(cut off|damaged)"):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_failed_save_leaves_the_old_file(path):
    model = make()
    model.save_weights(path)
    old = path.read_bytes()

    class Broken(layers.ReLU):
        def save_own_variables(self, store):
            raise RuntimeError("planted")

    broken = Sequential([layers.Input((4,)), Broken(), layers.Dense(1)])
    with pytest.raises(RuntimeError, match="planted"):
        broken.save_weights(path)
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == [path.name]


def _replace(path, name, make_item):
    with h5py.File(path, "r+") as file:
        del file[name]
        make_item(file)


@pytest.mark.parametrize(
    "make_item, message",
    [
        (lambda f: f.__setitem__("layers/dense/vars/0", h5py.SoftLink("/vars")), "link"),
        (
            lambda f: f.__setitem__("layers/dense/vars/0", h5py.ExternalLink("/etc/passwd", "/")),
            "link",
        ),
        (
            lambda f: f["layers/dense/vars"].create_dataset("0", data=[b"text"] * 4),
            "only numbers",
        ),
        (
            lambda f: f["layers/dense/vars"].create_dataset(
                "0", data=[f.ref] * 4, dtype=h5py.ref_dtype
            ),
            "only numbers",
        ),
        (lambda f: f["layers/dense/vars"].create_group("0"), "should be an array"),
        (
            lambda f: f["layers/dense/vars"].create_dataset(
                "0", (4, 2), "f4", external=[("/etc/passwd", 0, 32)]
            ),
            "other files",
        ),
    ],
)
def test_hostile_items_are_refused(path, make_item, message):
    make().save_weights(path)
    _replace(path, "layers/dense/vars/0", make_item)
    with pytest.raises(ValueError, match=message):
        make().load_weights(path)


def test_hostile_groups_are_refused(path):
    make().save_weights(path)
    _replace(
        path, "layers/dense", lambda f: f.__setitem__("layers/dense", h5py.ExternalLink("x", "/"))
    )
    with pytest.raises(ValueError, match="link to elsewhere"):
        make().load_weights(path)


def test_a_bomb_is_not_read(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("g/0", (1 << 40,), "f4", compression="gzip")
    with h5py.File(path) as file:
        stored = Reader(path, file, "g")["0"]
        assert stored.shape == (1 << 40,)
        with pytest.raises(ValueError, match="claims shape"):
            stored.numpy()


def test_own_variables_of_a_layer(path):
    class Scale(layers.Layer):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(shape=(2,), initializer="ones")
            self.note = "a"

        def call(self, x):
            return x * self.scale

        def save_own_variables(self, store):
            super().save_own_variables(store)
            store["count"] = np.array(41)

        def load_own_variables(self, store):
            self.scale.assign(store["0"])
            self.count = int(store["count"][()]) + 1

    model, twin = (Sequential([layers.Input((2,)), Scale()]) for _ in range(2))
    model.set_weights([np.array([2.0, 3.0])])
    model.save_weights(path)
    twin.load_weights(path)
    assert twin.layers[0].count == 42
    np.testing.assert_array_equal(twin.get_weights()[0], [2, 3])


def test_files_of_keras_2_13_name_layers_differently(path):
    model, twin = make(), make()
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    twin.load_weights(path)
    np.testing.assert_array_equal(twin.get_weights()[0], model.get_weights()[0])


def test_a_layer_can_be_saved_alone(path):
    from kerasish.saving import load_weights, save_weights

    first, second = layers.Dense(3), layers.Dense(3)
    first.build((None, 2))
    second.build((None, 2))
    save_weights(first, path)
    load_weights(second, path)
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])


def test_no_part_is_missed_however_often_a_model_is_walked():
    # `layers` is a new list each time it is asked for: one may get the id of one that is gone.
    inner = [Sequential([layers.Input((4,)), layers.Dense(4)]) for _ in range(6)]
    model = Sequential([layers.Input((4,)), Sequential(inner[:3]), *inner[3:]])
    for _ in range(50):
        found = [part for _, part in saveable_parts(model)]
        assert sum(isinstance(part, layers.Dense) for part in found) == 6
