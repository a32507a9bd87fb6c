"""compile, fit, evaluate, predict: what a user does in the first hour, and bad input."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, ops

RNG = np.random.default_rng(1)
X = RNG.normal(size=(48, 4)).astype("float32")
Y = (X.sum(1) > 0).astype("int64")


def small(**settings):
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy",
                     "metrics": ["accuracy"], **settings})  # fmt: skip
    return model


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(6, activation="relu"), layers.Dense(6)]
        self.heads = {"out": layers.Dense(2)}

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x)
        return self.heads["out"](x)


# -- the main job


def test_fit_learns_and_history_holds_floats():
    keras.utils.set_random_seed(0)
    model = small(optimizer=keras.optimizers.Adam(0.05))
    history = model.fit(X, Y, epochs=30, verbose=0, validation_split=0.25)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(type(v) is float for values in history.history.values() for v in values)
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    assert accuracy > 0.9 and type(loss) is float
    assert set(model.evaluate(X, Y, verbose=0, return_dict=True)) == {"loss", "accuracy"}


def test_same_seed_same_run():
    def run():
        keras.utils.set_random_seed(3)
        model = small()
        model.fit(X, Y, epochs=2, verbose=0)
        return model.get_weights()

    for a, b in zip(run(), run()):
        np.testing.assert_array_equal(a, b)


def test_predict_is_writable_and_equals_the_call():
    model = small()
    predictions = model.predict(X, batch_size=7, verbose=0)
    predictions[0] = 0
    np.testing.assert_allclose(model(X).numpy()[1:], predictions[1:], rtol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(X), model(X).numpy(), rtol=1e-6)


def test_subclass_with_lists_and_dicts():
    model = Own()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, Y, epochs=2, verbose=0)
    assert len(model.weights) == 6 and len(model.trainable_weights) == 6
    assert not model.run_eagerly


def test_own_train_step_in_tensorflow_style():
    class Custom(Own):
        def train_step(self, data):
            x, y = data[0], data[1]
            with keras.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            return {"loss": loss, "twice": loss * 2}

    model = Custom()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(X, Y, epochs=1, verbose=0).history
    assert history["twice"][0] == pytest.approx(2 * history["loss"][0])


def test_jax_style_train_step_is_named():
    class Wrong(Own):
        def train_step(self, data):
            return {"loss": 0.0}, ()

    model = Wrong()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"JAX[\s\S]*GradientTape"):
        model.fit(X, Y, verbose=0)


def test_value_dependent_step_falls_back_with_the_line():
    class Branch(Own):
        def call(self, x, training=False):
            x = super().call(x)
            if ops.sum(x) > 1e9:  # the line
                return x * 2
            return x

    model = Branch()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.warns(UserWarning, match=r"test_main_job\.py:\d+"):
        model.fit(X, Y, epochs=1, verbose=0)
    assert model.run_eagerly
    model = Branch()
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(TypeError, match="ops.cond"):  # noqa: RUF043
        model.fit(X, np.zeros((48, 2)), verbose=0)


def test_users_own_errors_propagate():
    def loss(y_true, y_pred):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        small(loss=loss, metrics=None).fit(X, Y, verbose=0)


def test_custom_loss_sees_y_true_untouched():
    seen = []

    def loss(y_true, y_pred):
        seen.append((tuple(y_true.shape), str(y_true.dtype)))
        return ops.mean(ops.square(y_pred[:, 0] - y_true[:, 4]))

    small(loss=loss, metrics=None).train_on_batch(X, np.zeros((48, 5), "float32"))
    assert set(seen) == {((48, 5), "float32")}


def test_loss_gets_a_dictionary():
    def loss(y_true, y_pred):
        picked = ops.take_along_axis(y_pred, ops.expand_dims(y_true["action"], -1), -1)
        return -ops.mean(ops.log(picked[:, 0]) * y_true["advantage"])

    model = small(loss=loss, metrics=None)
    target = {"action": Y, "advantage": np.ones(48, "float32")}
    assert np.isfinite(model.train_on_batch(X, target))


def test_labels_n_against_predictions_n_1():
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    flat = model.evaluate(X, Y.astype("float32"), verbose=0)
    tall = model.evaluate(X, Y.astype("float32")[:, None], verbose=0)
    assert flat == pytest.approx(tall)


# -- data


def test_generators_datasets_and_iterables():
    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return X[i * 16 : i * 16 + 16], Y[i * 16 : i * 16 + 16]

    def endless():
        while True:
            yield X[:16], Y[:16]

    batches = [(X[:16], Y[:16]), (X[16:], Y[16:])]
    model = small()
    model.fit(Data(), epochs=2, verbose=0)
    model.fit(Data(workers=3), epochs=1, verbose=0)
    model.fit(endless(), steps_per_epoch=4, epochs=2, verbose=0)
    model.fit(batches_of(batches), epochs=2, verbose=0)
    assert model.predict(Data(), verbose=0).shape == (48, 2)


def batches_of(batches):
    class Loader:
        def __iter__(self):
            return iter(batches)

        def __len__(self):
            return len(batches)

    return Loader()


def test_pandas_frames():
    import pandas

    model = small()
    model.fit(pandas.DataFrame(X), pandas.Series(Y), epochs=1, verbose=0)


def test_dictionary_inputs():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    model = keras.Model({"a": a, "b": b}, layers.Dense(1)(layers.add([a, b])))
    model.compile("sgd", "mse")
    model.fit({"a": X, "b": X}, Y, verbose=0)
    with pytest.raises(ValueError, match=r"Missing data for input .b."):
        model.predict({"a": X}, verbose=0)


# -- copies and memory


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_copies_predict_and_train_alike(how, trained):
    model = small()
    if trained:
        model.fit(X, Y, epochs=1, verbose=0)
    twin = pickle.loads(pickle.dumps(model)) if how == "pickle" else copy.deepcopy(model)
    np.testing.assert_array_equal(model.predict(X, verbose=0), twin.predict(X, verbose=0))
    for m in (model, twin):
        m.fit(X, Y, epochs=1, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_dropped_model_is_freed():
    model = small()
    model.fit(X, Y, epochs=1, verbose=0)
    gone = weakref.ref(model)
    kernel = weakref.ref(model.weights[0])
    del model
    gc.collect()
    assert gone() is None and kernel() is None


# -- callbacks


def test_early_stopping_restores_the_best():
    model = small(optimizer=keras.optimizers.SGD(0.0))
    stop = keras.callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=50, verbose=0, callbacks=[stop], shuffle=False)
    assert len(history.epoch) == 3 and stop.best_epoch == 0


def test_files_of_callbacks(tmp_path):
    model = small()
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
        keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)),
    ])  # fmt: skip
    assert (tmp_path / "log.csv").read_text().splitlines()[0].startswith("epoch,accuracy")
    assert {p.name for p in tmp_path.glob("*.h5")} == {"1.weights.h5", "2.weights.h5"}
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)


def test_a_restored_run_ends_in_the_same_bits(tmp_path):
    def make():
        keras.utils.set_random_seed(5)
        model = keras.Sequential([layers.Input((4,)), layers.Dense(8), layers.Dropout(0.5, seed=1),
                                  layers.Dense(2, activation="softmax")])  # fmt: skip
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    whole = make()
    whole.fit(X, Y, epochs=4, verbose=0)

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    killed = make()
    with pytest.raises(KeyboardInterrupt):
        killed.fit(X, Y, epochs=4, verbose=0,
                   callbacks=[keras.callbacks.BackupAndRestore(tmp_path / "b"),
                              Kill()])  # fmt: skip
    again = make()
    again.fit(
        X, Y, epochs=4, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(tmp_path / "b")]
    )
    for a, b in zip(whole.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_interrupted_fit_leaves_a_usable_model():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = small()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, verbose=0, callbacks=[Stop()])
    model.fit(X, Y, verbose=0)
    assert np.isfinite(model.predict(X, verbose=0)).all()


# -- progress


def test_progress_lines(capsys):
    small().fit(X, Y, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[0] == "Epoch 1/2" and lines[1].startswith("2/2 - 0s - ")
    assert "loss: " in lines[1] and "accuracy: " in lines[1]
    small().fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""


def test_summary(capsys):
    small().summary()
    text = capsys.readouterr().out
    assert "(None, 8)" in text and "Total params: 58" in text


# -- tensors in a user's hands


def test_tensors_are_like_numbers_and_arrays():
    t = ops.sum(ops.ones((2, 2)))
    assert f"{t:.3f}" == "4.000" and float(t) == 4.0 and int(t) == 4
    assert np.mean(ops.ones((3,))) == 1.0
    assert np.asarray(ops.ones((3,))).tolist() == [1, 1, 1]
    with pytest.raises(TypeError, match="slice_update"):
        ops.ones((3,))[0] = 1


def test_names_of_the_package():
    assert keras.backend.backend() == "kerasish"
    assert keras.__version__.startswith("3.15")


# -- bad input


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: small().fit(X[:, :3], Y, verbose=0), ValueError, "shape"),
        (lambda: small().fit(X[:40], Y, verbose=0), ValueError, "same number of samples"),
        (lambda: small().fit(X[:0], Y[:0], verbose=0), ValueError, "empty"),
        (lambda: small().fit(X, np.full(48, np.nan), verbose=0), ValueError, "NaN"),
        (lambda: small(loss="nonsense"), ValueError, "nonsense"),
        (lambda: small(optimizer="nonsense"), ValueError, "nonsense"),
        (lambda: small(metrics=["nonsense"]), ValueError, "nonsense"),
        (lambda: keras.Sequential([layers.Dense(1)]).fit(X, Y), ValueError, "compile"),
        (
            lambda: small().fit(np.array([["a"] * 4] * 48), Y, verbose=0),
            (ValueError, TypeError),
            "numbers",
        ),
        (lambda: small().fit(X, Y, verbose=0, callbacks=[object]), TypeError, "callbacks"),
        (lambda: small().fit(X, Y, verbose=7), ValueError, "verbose"),
        (lambda: small().load_weights("missing.weights.h5"), FileNotFoundError, "missing"),
    ],
)
def test_bad_input_is_told(act, error, text):
    with pytest.raises(error, match=text):
        act()


def test_a_broken_file_keeps_the_weights(tmp_path):
    model = small()
    path = tmp_path / "w.weights.h5"
    model.save_weights(path)
    path.write_bytes(path.read_bytes()[:900])
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"w\.weights\.h5"):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_weights_of_another_model_are_refused(tmp_path):
    path = tmp_path / "w.weights.h5"
    small().save_weights(path)
    other = keras.Sequential([layers.Input((4,)), layers.Dense(9), layers.Dense(2)])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"\(4, 9\)"):
        other.load_weights(path)
    np.testing.assert_array_equal(before[0], other.get_weights()[0])
