"""Names without an ending (TensorFlow's formats in Keras 2), and `tf.train`."""

from __future__ import annotations

import copy
import os
import pickle

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, older
from kerasish.compat import generation, tensorflow

tf = tensorflow.namespace("")
RNG = np.random.default_rng(8)
X = RNG.normal(size=(8, 3, 4)).astype("float32")


@pytest.fixture(params=[2, 3], autouse=True)
def program(request):
    """A program of Keras 2, and one with TensorFlow whose text did not show that."""
    before, seen = older.state.generation, older.state.tensorflow
    generation.set_generation(request.param)
    older.state.tensorflow = True
    yield
    older.state.tensorflow = seen
    generation.set_generation(before or older.MODERN)


def dense(units=2):
    return keras.Sequential([keras.Input((4,)), layers.Dense(units), layers.Dense(1)])


def outputs(model):
    return np.asarray(model(X if isinstance(model, Net) else X[:, 0]))


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(5, activation="tanh")
        self.heads = layers.MultiHeadAttention(2, 3)
        self.last = layers.Dense(1)

    def call(self, x):
        h = self.first(x)
        return self.last(self.heads(h, h))


def train(net, optimizer, steps=1):
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(net(X) - X[..., :1]))
        weights = net.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return float(loss)


@pytest.mark.filterwarnings("ignore::kerasish.compat.warning.OlderSpelling")
class TestNames:
    def test_weights(self, tmp_path):
        first, second = dense(), dense()
        name = str(tmp_path / "deep" / "weights.ckpt")
        assert first.save_weights(name) is None
        assert os.path.isfile(f"{name}.weights.h5")
        status = second.load_weights(name)
        assert status.expect_partial() is status.assert_consumed() is status
        assert np.array_equal(outputs(first), outputs(second))
        assert tf.train.latest_checkpoint(tmp_path / "deep") == name
        second.load_weights(f"{name}.weights.h5")  # Keras 3 reads it by that name, too

    def test_formats_by_name(self, tmp_path):
        first, second = dense(), dense()
        first.save_weights(str(tmp_path / "w"), save_format="h5")
        assert [f.name for f in tmp_path.iterdir()] == ["w"]
        second.load_weights(str(tmp_path / "w"))
        assert np.array_equal(outputs(first), outputs(second))
        first.save_weights(str(tmp_path / "v.h5"), save_format="h5")
        dense().load_weights(str(tmp_path / "v.h5"))
        first.save_weights(str(tmp_path / "u-0.5"), save_format="tf")
        dense().load_weights(str(tmp_path / "u-0.5"))
        first.save(str(tmp_path / "whole"), save_format="h5")
        assert (tmp_path / "whole").read_bytes()[:4] == b"\x89HDF"

    def test_models(self, tmp_path):
        model = dense()
        model.compile("adam", "mse")
        model.train_on_batch(X[:, 0], X[:, 0, :1])
        model.save(str(tmp_path / "folder"))
        model.save(tmp_path / "other", save_format="tf", include_optimizer=False)
        assert model.compiled and not keras.models.load_model(tmp_path / "other").compiled
        for name in ("folder", "other"):
            loaded = keras.models.load_model(tmp_path / name)
            assert np.array_equal(outputs(model), outputs(loaded))

    def test_callback(self, tmp_path):
        model = dense()
        model.compile("sgd", "mse")
        name = str(tmp_path / "best.ckpt")
        keep = keras.callbacks.ModelCheckpoint(name, save_weights_only=True, monitor="loss")
        model.fit(X[:, 0], X[:, 0, :1], epochs=2, verbose=0, callbacks=[keep])
        fresh = dense()
        fresh.load_weights(name)
        assert np.array_equal(outputs(model), outputs(fresh))
        keep = keras.callbacks.ModelCheckpoint(str(tmp_path / "m{epoch}"))
        model.fit(X[:, 0], X[:, 0, :1], epochs=2, verbose=0, callbacks=[keep])
        loaded = keras.models.load_model(tmp_path / "m2")
        assert np.array_equal(outputs(model), outputs(loaded))

    def test_not_built_yet(self, tmp_path):
        net = Net()
        net(X)
        net.save_weights(str(tmp_path / "net"))
        fresh = Net()
        status = fresh.load_weights(str(tmp_path / "net"))
        with pytest.raises(AssertionError, match="not built"):
            status.assert_consumed()
        assert np.array_equal(outputs(net), outputs(fresh))
        status.assert_consumed()
        with pytest.raises(AssertionError, match="nothing that is there"):
            dense().load_weights(str(tmp_path / "net")).assert_nontrivial_match()
        assert "build" not in vars(fresh.heads)

    def test_files_that_do_not_fit(self, tmp_path):
        model = dense(3)
        dense(2).save_weights(str(tmp_path / "two"))
        before = outputs(model)
        with pytest.raises(ValueError, match="shape"):
            model.load_weights(str(tmp_path / "two"))
        assert np.array_equal(outputs(model), before)
        (tmp_path / "graph").mkdir()
        (tmp_path / "graph" / "saved_model.pb").write_bytes(b"\x08")
        with pytest.raises(ValueError, match="SavedModel of TensorFlow"):
            keras.models.load_model(tmp_path / "graph")
        (tmp_path / "tf.index").write_bytes(b"\x00")
        with pytest.raises(ValueError, match="checkpoint of TensorFlow"):
            model.load_weights(str(tmp_path / "tf"))
        missing = FileNotFoundError if older.state.generation == 2 else ValueError
        with pytest.raises(missing, match="nothing"):
            model.load_weights(str(tmp_path / "nothing"))

    def test_without_tensorflow_they_are_mistakes_as_in_keras_3(self, tmp_path):
        generation.set_generation(older.MODERN)
        older.state.tensorflow = False
        with pytest.raises(ValueError, match="extension"):
            dense().save(tmp_path / "folder")
        with pytest.raises(ValueError, match="must end in"):
            dense().save_weights(tmp_path / "name")

    def test_copies_of_what_waits(self, tmp_path):
        net = Net()
        outputs(net)
        net.save_weights(str(tmp_path / "net"))
        fresh = Net()
        fresh.load_weights(str(tmp_path / "net"))
        twin = copy.deepcopy(fresh.first)
        twin.build((None, 4))
        assert twin.built and not fresh.first.built
        assert pickle.loads(pickle.dumps(fresh.first)).units == 5
        assert np.array_equal(outputs(net), outputs(fresh))

    def test_names_with_endings_are_those_of_today(self, tmp_path):
        model = dense()
        model.save_weights(tmp_path / "a.weights.h5")
        model.save(tmp_path / "a.keras")
        model.save(tmp_path / "a.h5")
        model.load_weights(tmp_path / "a.weights.h5")
        assert len(list(tmp_path.iterdir())) == 3
        if older.state.generation == older.MODERN:
            with pytest.raises(ValueError, match="filepath"):
                model.save_weights(tmp_path / "a.zip")
            with pytest.raises(ValueError, match="filepath"):
                model.save(tmp_path / "a.zip")
        with pytest.raises(TypeError):
            model.save_weights(str(tmp_path / "b"), colour="red")
        with pytest.raises(ValueError):
            model.save(str(tmp_path / "b"), colour="red")


def test_a_loop_goes_on(tmp_path):
    net, optimizer = Net(), keras.optimizers.Adam(0.05)
    saved = tf.train.Checkpoint(step=tf.Variable(1), optimizer=optimizer, net=net)
    manager = tf.train.CheckpointManager(saved, tmp_path / "c", max_to_keep=2)
    assert manager.latest_checkpoint is None
    saved.restore(manager.latest_checkpoint).expect_partial()
    for _ in range(3):
        train(net, optimizer, 4)
        saved.step.assign_add(4)
        manager.save()
    names = [os.path.basename(path) for path in manager.checkpoints]
    assert names == ["ckpt-2", "ckpt-3"] and len(list((tmp_path / "c").iterdir())) == 3
    state = tf.train.get_checkpoint_state(tmp_path / "c")
    assert state.all_model_checkpoint_paths == manager.checkpoints
    expected = train(net, optimizer, 3)

    net, optimizer = Net(), keras.optimizers.Adam(0.05)  # nothing is built
    saved = tf.train.Checkpoint(step=tf.Variable(1), optimizer=optimizer, net=net)
    manager = tf.train.CheckpointManager(saved, tmp_path / "c", max_to_keep=2)
    assert manager.restore_or_initialize() == manager.latest_checkpoint
    assert int(saved.step) == 13 and int(saved.save_counter) == 3
    for path in (tmp_path / "c").iterdir():  # what waits is kept elsewhere
        path.unlink()
    assert train(net, optimizer, 3) == pytest.approx(expected, rel=1e-5)


def test_places_do_not_depend_on_what_is_compiled(tmp_path):
    def both():
        model, optimizer = dense(), keras.optimizers.Adam(0.1)
        return model, optimizer, tf.train.Checkpoint(model=model, optimizer=optimizer)

    model, optimizer, saved = both()
    model.compile(optimizer, "mse")
    model.fit(X[:, 0], X[:, 0, :1], epochs=3, verbose=0)
    path = saved.save(tmp_path / "c")
    model, optimizer, saved = both()
    optimizer.build(model.trainable_variables)
    saved.restore(path).assert_consumed()
    assert int(optimizer.iterations) == 3


def test_layers_with_variables_from_both_times(tmp_path):
    class Both(layers.Layer):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(shape=(), initializer="zeros")

        def build(self, shape):
            self.bias = self.add_weight(shape=shape[-1:], initializer="zeros")

        def call(self, x):
            return x * self.scale + self.bias

    layer = Both()
    layer(X)
    layer.set_weights([5.0, np.arange(4.0)])
    path = tf.train.Checkpoint(layer=layer).save(tmp_path / "c")
    fresh = Both()
    tf.train.Checkpoint(layer=fresh).restore(path)
    assert np.array_equal(fresh(X), layer(X))


def test_in_a_compiled_function(tmp_path):
    net = Net()
    outputs(net)
    path = tf.train.Checkpoint(net=net).save(tmp_path / "c")
    fresh = Net()
    tf.train.Checkpoint(net=fresh).restore(path)
    run = tf.function(lambda x: fresh(x))
    assert np.allclose(run(X), outputs(net), atol=1e-6)


def test_variables_modules_metrics(tmp_path):
    class Part(tf.Module):
        def __init__(self, value):
            super().__init__()
            self.w, self.inner = tf.Variable([value, 2.0]), [tf.Variable(value)]
            self.layer = layers.Dense(1)
            self.layer.build((None, 2))

    mean = keras.metrics.Mean()
    mean.update_state([1.0, 3.0])
    first = tf.train.Checkpoint(p=Part(1.0), m=mean, v={"a/b": tf.Variable(5)}, n=[layers.Dense(2)])
    first.n[0].build((None, 3))
    path = first.write(tmp_path / "c")
    second = tf.train.Checkpoint(
        p=Part(0.0), m=keras.metrics.Mean(), v={"a/b": tf.Variable(0)}, n=[layers.Dense(2)]
    )
    second.n[0].build((None, 3))
    second.read(path).assert_consumed()
    assert second.p.w.numpy().tolist() == [1.0, 2.0] and float(second.p.inner[0]) == 1.0
    assert float(second.m.result()) == 2.0 and int(second.v["a/b"]) == 5
    for a, b in ((first.p.layer, second.p.layer), (first.n[0], second.n[0])):
        assert np.array_equal(a.kernel.numpy(), b.kernel.numpy())
    few = tf.train.Checkpoint(p=second.p)
    few.read(path).expect_partial()
    with pytest.raises(AssertionError, match="belongs to nothing"):
        few.read(path).assert_consumed()
    more = tf.train.Checkpoint(p=second.p, w=tf.Variable(1.0))
    with pytest.raises(AssertionError, match="no values"):
        more.read(path).assert_existing_objects_matched()


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match="expecting step"):
        tf.train.Checkpoint(step=3)
    with pytest.raises(tf.errors.NotFoundError):
        tf.train.Checkpoint(v=tf.Variable(1.0)).restore(tmp_path / "none")
    path = tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).save(tmp_path / "v")
    longer = tf.train.Checkpoint(v=tf.Variable([3.0, 4.0, 5.0]))
    with pytest.raises(ValueError, match="shape"):
        longer.restore(path)
    assert longer.v.numpy().tolist() == [3, 4, 5]
    with pytest.raises(AssertionError, match="save_path=None"):
        longer.restore(None).assert_consumed()
    for few in ({"max_to_keep": 0}, {"max_to_keep": 1, "checkpoint_interval": 2}):
        with pytest.raises(ValueError):
            tf.train.CheckpointManager(longer, tmp_path, **few)
    steps = tf.Variable(0)
    manager = tf.train.CheckpointManager(
        longer, tmp_path, None, step_counter=steps, checkpoint_interval=2
    )
    made = []
    for _ in range(5):
        made.append(manager.save())
        steps.assign_add(1)
    assert [path is None for path in made] == [False, True, False, True, False]
    assert manager.latest_checkpoint == made[-1] == tf.train.latest_checkpoint(tmp_path)
