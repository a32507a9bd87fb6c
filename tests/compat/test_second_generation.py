"""Arguments, methods and meanings of Keras 2, each row by what it does."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from second_programs import X, Y, dense_model

import kerasish as keras
from kerasish import backend as K
from kerasish import compat, layers, models, older, optimizers
from kerasish.compat import OlderSpelling, generation, set_generation, tensorflow, warning

pytestmark = pytest.mark.usefixtures("generation_2")


WEIGHTS = [np.full((2, 3), 0.5, "float32"), np.ones(3, "float32")]

# Spelling of today (None: nothing to compare), then the older one.
LAYERS = [
    (lambda: layers.Dense(3), lambda: layers.Dense(np.int64(3), dynamic=False)),
    (lambda: layers.LSTM(3), lambda: layers.LSTM(3, implementation=2)),
    (lambda: layers.GRU(3), lambda: layers.GRU(3, implementation=1)),
    (lambda: layers.SimpleRNN(3), lambda: layers.SimpleRNN(3, implementation=0)),
    (lambda: layers.LSTMCell(3), lambda: layers.LSTMCell(3, implementation=2)),
    (lambda: layers.AveragePooling2D(2), lambda: layers.AveragePooling2D()),
    (lambda: layers.AveragePooling1D(2, padding="same"),
     lambda: layers.AveragePooling1D(padding="same")),
    (lambda: layers.LeakyReLU(0.2), lambda: layers.LeakyReLU(alpha=0.2)),
    (lambda: layers.BatchNormalization(), lambda: layers.BatchNormalization(fused=True)),
    (lambda: layers.ReLU(), lambda: layers.ReLU()),
    (lambda: layers.LSTM(3), lambda: layers.LSTM(3, input_shape=(1, 2), batch_size=4)),
    (lambda: layers.InputLayer(batch_shape=(2, 3)), lambda: layers.InputLayer(
        batch_input_shape=(2, 3))),
    (lambda: layers.InputLayer((3,)), lambda: layers.InputLayer(input_shape=(3,))),
]  # fmt: skip


def plain(config):
    return {k: v for k, v in config.items() if k != "name"}


@pytest.mark.parametrize("now, then", LAYERS)
def test_layers(now, then):
    assert plain(then().get_config()) == plain(now().get_config())


@pytest.mark.parametrize(
    "made, shape",
    [
        (lambda: layers.LSTM(3, input_dim=5), (None, None, 5)),
        (lambda: layers.LSTM(3, input_dim=5, input_length=7), (None, 7, 5)),
        (lambda: layers.Conv1D(3, 2, input_dim=5, input_length=7), (None, 7, 5)),
        (lambda: layers.Embedding(9, 3, input_length=4), (None, 4)),
        (lambda: layers.Embedding(9, 3), (None, None)),
        (lambda: layers.Dense(3, input_dim=5), (None, 5)),
        (lambda: layers.Dense(3, input_shape=(4, 5)), (None, 4, 5)),
        (lambda: layers.Dense(3, batch_input_shape=(6, 5)), (6, 5)),
        (lambda: layers.Dense(3, batch_size=6, input_shape=(5,)), (6, 5)),
    ],
)
def test_shapes_of_first_layers(made, shape):
    model = models.Sequential([made()])
    assert model.input_shape == shape and model.layers[0].input_shape == shape


def test_weights_of_layers():
    layer = layers.Dense(3, weights=WEIGHTS)
    assert np.array_equal(layer(X), np.full((8, 3), 2.0))
    assert "build" not in vars(layer)
    table = np.arange(6.0).reshape((3, 2))
    assert np.array_equal(layers.Embedding(3, 2, weights=[table])(np.array([2])), [[4.0, 5.0]])


def rate(optimizer):
    return float(optimizer.learning_rate)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax"])
def test_rates_of_optimizers(name):
    made = getattr(optimizers, name)(lr=0.25, clipnorm=0.0)
    assert rate(made) == float(made.lr) == 0.25 and made.clipnorm is None
    made.lr = 0.5
    assert rate(made) == 0.5 and K.get_value(made.lr) == 0.5
    K.set_value(made.lr, 0.125)
    assert rate(made) == 0.125


def test_order_of_optimizers():
    sgd = optimizers.SGD(0.1, 0.9, 0.5, True)
    assert (rate(sgd), sgd.momentum, sgd.nesterov) == (np.float32(0.1), 0.9, True)
    assert float(sgd.decay) == 0.5
    assert optimizers.SGD(0.1, 0.9, True).nesterov is True
    rms = optimizers.RMSprop(0.1, 0.8, 1e-6)
    assert (rms.rho, rms.epsilon, rms.momentum) == (0.8, 1e-6, 0.0)
    assert optimizers.RMSprop(0.1, 0.8, 0.5).momentum == 0.5
    adam = optimizers.Adam(0.1, 0.8, 0.9, None, 0.25)
    assert (adam.beta_2, adam.epsilon, float(adam.decay)) == (0.9, 1e-7, 0.25)


def test_decay_is_that_of_keras_2():
    v = keras.Variable(np.zeros(1, "float32"))
    optimizer = optimizers.SGD(lr=1.0, decay=0.5)
    steps = []
    for _ in range(3):
        before = v.numpy()[0]
        optimizer.apply([np.ones(1, "float32")], [v])
        steps.append(before - v.numpy()[0])
    assert np.allclose(steps, [1.0, 1 / 1.5, 1 / 2.0])
    assert float(optimizer.lr) == 1.0


def test_compile_in_the_old_order():
    model = models.Sequential([layers.Dense(3, input_shape=(2,))])
    model.compile("sgd", "mse", ["mae"], None, "temporal")
    assert set(model.fit(X, Y, verbose=0, workers=2).history) == {"loss", "mae"}
    assert model.metrics_names == ["loss", "mae"]
    assert len(model.train_on_batch(X, Y, reset_metrics=True)) == 2
    assert model.predict(X, 4).shape == model.predict(X, workers=1).shape


def test_silence(capsys):
    dense_model().predict(X)
    assert capsys.readouterr().out == ""


def batches():
    while True:
        yield X, Y


def test_methods_of_models():
    model = dense_model(metrics=["accuracy"])
    history = model.fit_generator(batches(), 2, 3, verbose=0, validation_data=(X, Y))
    assert len(history.history["val_acc"]) == 3
    assert history.history["acc"] == history.history["accuracy"]
    with pytest.raises(KeyError):
        history.history["nothing"]
    assert len(model.evaluate_generator(batches(), steps=2)) == 2
    assert model.predict_generator(batches(), steps=2).shape == (16, 3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        model.fit_generator(batches(), 2, colour=1)
    assert model.predict_classes(X).shape == (8,) and model.predict_proba(X).shape == (8, 3)
    assert dense_model(1).predict_classes(X).shape == (8, 1)
    assert model.model is model and model.uses_learning_phase is False
    dropping = models.Sequential([layers.LSTM(2, dropout=0.5)])
    assert dropping.uses_learning_phase and layers.Dropout(0.5).uses_learning_phase
    assert model.updates == [] == model.state_updates
    model._make_predict_function()
    with pytest.raises(RuntimeError, match=r"model\.to_json"):
        model.to_yaml()


def test_states_of_models():
    model = models.Sequential([layers.GRU(2, stateful=True, batch_input_shape=(1, 2, 1))])
    first = model.predict(np.ones((1, 2, 1)))
    assert not np.allclose(model.predict(np.ones((1, 2, 1))), first)
    model.reset_states()
    assert np.allclose(model.predict(np.ones((1, 2, 1))), first)


def test_axes_as_arrays():
    assert float(K.sum(K.ones((2, 3)), axis=np.arange(2))) == 6.0


def test_total_loss():
    model = dense_model()
    gradients = K.gradients(model.total_loss, model.trainable_weights)
    run = K.function([model.input, *model.targets], [model.total_loss, *gradients])
    loss, *found = run([X, Y])
    assert np.isclose(loss, np.mean(model.predict(X) ** 2)) and found[0].shape == (2, 4)


def test_attributes_of_layers():
    given, layer = layers.Input((2,)), layers.Dense(3)
    first = layer(given)
    other = layers.Input((2,))
    second = layer(other)
    assert layer.get_output_at(0) is first and layer.get_output_at(1) is second
    assert layer.get_input_at(1) is other
    assert layer.output_shape == layer.get_output_shape_at(1) == (None, 3)
    assert layer.input_shape == layer.get_input_shape_at(0) == (None, 2)
    assert layer.input_mask is None is layer.output_mask is layer.get_output_mask_at(0)
    assert len(layer.inbound_nodes) == 2 and layer.outbound_nodes == []
    assert layer.scope_name == layer.name and layer.stateful is False is layer.dynamic
    assert layer.updates == [] == layer.get_updates_for(given) == layer.get_losses_for(None)
    assert layer.apply(given).shape == (None, 3)
    with pytest.raises(ValueError, match="only 3 inbound nodes"):
        layer.get_output_at(5)
    with pytest.raises(RuntimeError, match="never been called"):
        layers.Dense(1).get_output_at(0)
    with pytest.raises(AttributeError, match="no defined input shape"):
        layers.Dense(1).input_shape


def test_attributes_of_tensors():
    x = layers.Input((2,))
    assert x._keras_shape == (None, 2) and x.get_shape().as_list() == [None, 2]
    v = K.variable([1.0, 2.0])
    assert v.get_shape().ndims == 1 and v.get_value().tolist() == v.eval().tolist() == [1.0, 2.0]
    v.set_value([3.0, 4.0])
    assert K.get_value(v).tolist() == v.read_value().numpy().tolist() == [3.0, 4.0]
    metric = keras.metrics.Mean()
    metric.update_state(3.0)
    metric.reset_states()
    assert float(metric.result()) == 0.0 and len(metric.weights) == 2


def test_weights_that_a_layer_lists():
    class Own(layers.Layer):
        def build(self, input_shape):
            self.a, self.b = K.variable(np.ones(2)), K.variable(np.ones(2))
            self._trainable_weights.append(self.a)
            self.non_trainable_weights = [self.b]
            self.c = self.add_weight("c", (2,), "float32", "ones", None, True)
            super().build(input_shape)

        def call(self, x):
            self.add_update([(self.b, self.b * 2.0)], x)
            return x * self.a + self.c

    layer = Own()
    layer(X)
    assert len(layer.trainable_weights) == 2 and len(layer.non_trainable_weights) == 1
    assert layer.b.numpy().tolist() == [2.0, 2.0]


def test_what_was_trainable_at_compile_is_trained():
    model = dense_model()
    model.trainable = False
    before = model.get_weights()[0].copy()
    model.train_on_batch(X, Y)
    assert not np.array_equal(before, model.get_weights()[0])
    assert model.trainable is False and model.trainable_weights == []
    model.compile("sgd", "mse")
    before = model.get_weights()[0].copy()
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        model.train_on_batch(X, Y)
    assert np.array_equal(before, model.get_weights()[0])


def test_layers_that_name_the_size_of_their_batches():
    """As TensorFlow's graphs let them where the model does not know it."""
    size = 8
    given, other = layers.Input((2,)), layers.Input((2,))
    drawn = layers.Lambda(lambda x: x + 0.0 * K.random_normal((size, 2)))(given)
    assert drawn.shape == (8, 2)
    mixed = layers.Lambda(lambda two: K.ones((size, 1)) * two[0] + two[1])([drawn, other])
    flat = layers.Lambda(lambda x: K.reshape(x, (size * 2, 1)))(mixed)
    loss = K.sum(K.square(layers.Dense(1, use_bias=False, kernel_initializer="ones")(flat)))
    by_given, by_other = K.gradients(loss, [given, other])
    assert by_given.shape == (None, 2)
    found = K.function([given, other], [loss, by_given, by_other])([X, 2 * X])
    assert found[0] == pytest.approx(9.0 * X.size)
    for gradient in found[1:]:
        np.testing.assert_allclose(gradient, 6.0 * X)
    with pytest.raises(ValueError, match="reshape"):
        layers.Lambda(lambda x: K.reshape(x, (7, 3)))(given)


def test_sizes_of_batches_of_layers():
    for first in (
        layers.Dense(2, input_dim=3, batch_size=4),
        layers.Dense(2, input_shape=(3,), batch_size=4),
        layers.LSTM(2, input_shape=(5, 3), batch_size=4),
        layers.GRU(2, batch_input_shape=(4, 5, 3)),
    ):
        assert models.Sequential([first]).input_shape[::3] in ((4,), (4, 3)), first
        assert models.Sequential([first]).output_shape == (4, 2)


def test_gradients_in_a_lambda():
    given = layers.Input((2, 2, 1))
    pooled = layers.MaxPooling2D()(given)
    where = layers.Lambda(lambda two: K.gradients(K.sum(two[1]), two[0]))([given, pooled])
    assert where.shape == (None, 2, 2, 1)
    x = np.array([[1.0, 2.0, 4.0, 3.0], [9.0, 7.0, 6.0, 8.0]]).reshape((2, 2, 2, 1))
    found = models.Model(given, where).predict(x)
    np.testing.assert_array_equal(found.reshape(2, 4), [[0, 0, 1, 0], [1, 0, 0, 0]])


def test_recurrent_layers_in_wrappers():
    given = layers.Input((3, 5, 2))
    inner = layers.TimeDistributed(layers.LSTM(4))(given)
    assert inner.shape == (None, 3, 4)
    assert models.Model(given, inner).predict(np.ones((2, 3, 5, 2))).shape == (2, 3, 4)


def test_the_compiled_loss_and_metrics_of_a_step():
    class Own(models.Model):
        def train_step(self, data):
            x, y = data
            with keras.autodiff.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            weights = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    found = []
    for kind in (Own, models.Model):
        given = layers.Input((2,))
        model = kind(given, layers.Dense(3, kernel_regularizer="l2")(given))
        model.set_weights(WEIGHTS)
        model.compile("sgd", "mse", metrics=["mae"])
        history = model.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0).history
        found.append([history["loss"], history["mae"], *model.get_weights()])
    for own, usual in zip(*found):
        np.testing.assert_allclose(own, usual, rtol=1e-6)
    assert model.compiled_loss.metrics[0].name == "loss"
    assert [m.name for m in model.compiled_metrics.metrics] == ["mae"]


def test_data_sets_of_tensorflow():
    data = tensorflow.find("data", "Dataset")
    pairs = data.from_tensor_slices((X, Y)).shuffle(8).repeat(2).batch(4)
    pairs = pairs.map(lambda x, y: (2 * x, y)).prefetch(tensorflow.namespace("data").AUTOTUNE)
    assert [x.shape for x, _ in pairs] == [(4, 2)] * 4 and len(pairs) == 4
    assert "loss" in dense_model().fit(pairs, epochs=2, verbose=0).history
    counted = data.from_generator(lambda stop: iter(range(stop)), output_types="int32", args=[3])
    assert [int(n) for n in counted] == [int(n) for n in data.range(3)] == [0, 1, 2]
    assert [int(n) for n in data.range(2, 9, 3)] == [2, 5, 8] and len(data.from_tensors(X)) == 1


def test_callbacks(tmp_path):
    class Seen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.shapes = [np.shape(part) for part in self.validation_data]

        def on_train_begin(self, logs=None):
            self.known = dict(self.params)

    seen = Seen()
    path = str(tmp_path / "model.{epoch:02d}.hdf5")
    check = keras.callbacks.ModelCheckpoint(path, period=2)
    reduce = keras.callbacks.ReduceLROnPlateau(epsilon=0.5)
    assert reduce.min_delta == 0.5
    model = dense_model()
    model.fit(X, Y, epochs=4, validation_split=0.25, callbacks=[seen, check], verbose=0)
    assert seen.shapes == [(2, 2), (2, 3), (2,)]
    assert {"samples": 6, "batch_size": 32, "do_validation": True}.items() <= seen.known.items()
    assert seen.known["metrics"] == ["loss", "val_loss"] and seen.known["nb_epoch"] == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.02.hdf5", "model.04.hdf5"]
    board = keras.callbacks.TensorBoard(str(tmp_path), write_grads=True, batch_size=3)
    assert isinstance(board, keras.callbacks.TensorBoard)


def test_hard_sigmoid():
    x = np.linspace(-4, 4, 9).astype("float32")
    expected = np.clip(0.2 * x + 0.5, 0, 1)
    assert np.allclose(layers.Activation("hard_sigmoid")(x), expected)
    assert np.allclose(keras.activations.hard_sigmoid(x), expected)
    config = layers.Dense(1, activation="hard_sigmoid").get_config()
    assert np.allclose(layers.Dense.from_config(config).activation(x), expected)
    set_generation(3)
    assert not np.allclose(layers.Activation("hard_sigmoid")(x), expected)


def test_updates_of_an_optimizer():
    x = K.placeholder((None, 2))
    layer = layers.Dense(1)
    y = layer(x)
    loss = K.mean(K.square(y))
    optimizer = optimizers.SGD(lr=0.1)
    updates = optimizer.get_updates(layer.trainable_weights, [], loss)
    train = K.function([x], [loss], updates=updates)
    first = train([X])[0]
    assert int(K.get_value(optimizer.iterations)) == 1
    assert train([X])[0] < first
    with pytest.raises(ValueError, match="does not depend"):
        optimizer.get_gradients(loss, [K.variable(1.0)])


def test_each_spelling_is_said_once():
    warning.forget()
    with pytest.warns(OlderSpelling, match=r"Model.fit_generator .* write model\.fit\.") as said:
        dense_model().fit_generator(batches(), 1, verbose=0)
        dense_model().fit_generator(batches(), 1, verbose=0)
    assert len([w for w in said if "fit_generator" in str(w.message)]) == 1
    assert said[-1].filename == __file__


GUESSES = [
    (3, "import keras\nm.compile('adam', 'mse')\nm.fit(x, y, epochs=2)"),
    (3, "from keras.layers import Embedding\nEmbedding(input_dim=3, output_dim=4)"),
    (3, "d.trainable = False\nd.compile('adam')\nd.fit(x)"),
    (3, "d.compile('adam')\nd.trainable = False"),
    (3, "this is no python"),
    (2, "d.compile('adam')\nd.trainable = False\nfor i in x:\n    d.train_on_batch(x)"),
    (2, "from keras.layers.core import Dense"),
    (2, "from keras.engine import topology"),
    (2, "import keras\nkeras.optimizers.Adam(lr=0.1)"),
    (2, "from tensorflow.keras import backend as K\nK.mean(x)"),
    (3, "from keras import backend as K\nK.clear_session()"),
    (2, "m.compile('adam', metrics=['accuracy'])\nprint(h.history['val_acc'])"),
    (2, "m.fit_generator(g, 3)"),
    (2, "LSTM(3, input_dim=4)"),
    (2, "Dense(3, init='uniform')\nm.fit(x, y, epochs=3)"),
    (1, "Dense(3, init='uniform')"),
    (1, "m.fit(x, y, nb_epoch=3)"),
    (1, "Convolution2D(8, 3, 3)"),
    # What other packages have too.
    (3, "import argparse\nprint(args.lr, cfg.total_loss)"),
    (2, "print(model.optimizer.lr)"),
    (3, "clf.predict_proba(x)"),
    (2, "model.predict_proba(x)"),
    (3, "import keras as K\nK.mean(x)"),
    (3, "from keras import ops as K\nK.mean(x)"),
    (3, "xgboost.XGBClassifier(subsample=0.8)\ncv2.copyMakeBorder(a, 1, border_mode=2)"),
    (1, "Conv2D(8, 3, subsample=(2, 2))"),
    (3, "m.compile('sgd', metrics=['accuracy', M(name='acc')])\nEarlyStopping(monitor='val_acc')"),
    (3, "from keras import layers, ops\nadam(lr=1)\nm.compile(metrics=['accuracy'])\nh['acc']"),
    (3, "import keras\nx = keras.random.normal(3)\nkeras.optimizers.Adam(lr=0.1)"),
    (2, "from keras.saving import load_model\nm.predict_classes(x)"),
    (2, "m.save_weights('weights/first')"),
    (2, "m.load_weights('cp.ckpt')"),
    (3, "m.save_weights('a.weights.h5')\nm.load_weights(name)"),
    (3, "import tokenizers\nt = tokenizers.Tokenizer(model)"),
    (2, "from keras import preprocessing\nt = preprocessing.text.Tokenizer()"),
    (3, "import torch.nn as nn\nnn.Dropout(p=0.5)"),
    (1, "from keras.layers import Dropout\nDropout(p=0.5)"),
    (3, "from gensim.models import Doc2Vec\nDoc2Vec(nb_epoch=3)"),
    (3, "from sklearn.svm import SVC\nmodel = SVC(C=2).fit(x, y)\nmodel.predict_proba(x)"),
    (2, "from sklearn.svm import SVC\nmodel = SVC()\nmodel = net()\nmodel.predict_proba(x)"),
    (2, "from nets import build\nmodel = build()\nmodel.predict_classes(x)"),
    (1, "from sklearn.model_selection import GridSearchCV\ng = GridSearchCV(m)\ng.fit(nb_epoch=3)"),
    (2, "import numpy as np\nx = np.ones(3)\ndef f(x):\n    return x.predict_classes(3)"),
    (3, "m.compile('adam', metrics=['accuracy'])\nplt.plot(x, label='acc')"),
    (3, "m.compile('adam', metrics=['accuracy'])\nh['accuracy']\nscores['acc']"),
    (2, "m.compile('adam', metrics=['accuracy'])\nlogs.get('acc') > 0.9"),
    (2, "m.compile('adam', metrics=['accuracy'])\nModelCheckpoint(p, monitor='val_acc')"),
    # What Keras 3 has, and names of the program's own.
    (3, "m.compile('adam', metrics=['acc'])\nh.history['val_acc']\nplt.ylabel('accuracy')"),
    (3, "import keras\nK = x @ x.T\nprint(K.shape, K.mean())"),
    (3, "def distances(K):\n    return K.sum(1)"),
    (2, "K.mean(x)"),
    (2, "from keras import backend as K\ndef f(K):\n    return K.mean()"),
    (3, "keras.layers.Embedding(9, 3, weights=[w])\nm.load_weights('a.h5', by_name=True)"),
    (3, "from scikeras.wrappers import KerasClassifier\nKerasClassifier(build)"),
    (2, "from keras.wrappers.scikit_learn import KerasClassifier"),
    (3, "p = argparse.ArgumentParser()\nimport argparse\nopt = p.parse_args()\nprint(opt.lr)"),
    (3, "class Highway(keras.Layer):\n    pass\nHighway(init=3)"),
]


@pytest.mark.parametrize("number, source", GUESSES)
def test_guesses(number, source):
    found = generation.guess(source)
    assert found.generation == number
    assert bool(found.reasons) == (number < 3)


def test_generations():
    with pytest.raises(ValueError, match="1, 2 or 3"):
        set_generation(4)
    set_generation(3)
    fit = models.Model.fit
    assert older.state.generation == 3
    model = dense_model()
    model.trainable = False
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        model.train_on_batch(X, Y)
    generation.seen(1)
    assert older.state.generation == 1 and models.Model.fit is not fit
    generation.seen(2)
    assert older.state.generation == 1


FORMER_RATES = {"Adadelta": 1.0, "Adagrad": 0.01, "Adamax": 0.002, "Nadam": 0.002}


@pytest.mark.parametrize("name", FORMER_RATES)
def test_default_rates(name, monkeypatch):
    """Those of Keras until 2.3; tf.keras had today's from its start."""

    def rate(optimizer):
        return float(np.asarray(optimizer.learning_rate))

    cls = getattr(optimizers, name)
    former, today = pytest.approx(FORMER_RATES[name]), pytest.approx(0.001)
    assert rate(cls()) == rate(optimizers.get(name.lower())) == former
    assert rate(cls(0.5)) == rate(cls(lr=0.5)) == 0.5
    copy = cls.from_config(cls(0.25).get_config())
    assert rate(copy) == 0.25
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    assert rate(cls()) == today
    set_generation(1)
    assert rate(cls()) == former
    set_generation(3)
    assert rate(cls()) == today


def test_seeds_of_weights_come_from_numpy(monkeypatch):
    def weights():
        np.random.seed(5)
        return dense_model().get_weights()

    for a, b in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    assert (weights()[0] != weights()[0]).any()  # tf.keras never did so


def test_notebooks(monkeypatch):
    class Events:
        def register(self, name, function):
            self.run = {"pre_run_cell": function}[name]

    class Shell:
        events = Events()

    class Cell:
        def __init__(self, raw_cell):
            self.raw_cell = raw_cell

    set_generation(3)
    roots = ("keras", "tf_keras", "tensorflow")  # the real ones would be in the way
    for name in [n for n in sys.modules if n.partition(".")[0] in roots]:
        monkeypatch.delitem(sys.modules, name)
    try:
        keras.load_ipython_extension(Shell())
        Shell.events.run(Cell("%matplotlib inline\nimport keras\nprint(history['val_acc'])"))
        assert older.state.generation == 3
        Shell.events.run(Cell("from keras.layers.core import Dense"))
        assert older.state.generation == 2
        history = dense_model(metrics=["accuracy"]).fit(X, Y, verbose=0).history
        assert set(history) == {"loss", "acc"}
    finally:
        compat.uninstall()


def test_logs_of_batches_tell_number_and_size(tmp_path):
    seen = []

    class Sizes(keras.callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", logs["batch"], logs["size"]))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", logs["batch"], logs["size"]))
            assert logs["loss"] >= 0

    lines = []
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    others = [
        keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: lines.append(logs["size"])),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "{batch}.weights.h5"), save_freq=2,
                                        save_weights_only=True),
    ]  # fmt: skip
    model.fit(
        np.ones((10, 2)), np.ones((10, 1)), batch_size=4, verbose=0, callbacks=[Sizes(), *others]
    )
    assert seen == [(w, i, n) for i, n in enumerate((4, 4, 2)) for w in ("begin", "end")]
    assert lines == [4, 4, 2] and len(list(tmp_path.iterdir())) == 1


def test_the_rate_in_the_history():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    reduce = keras.callbacks.ReduceLROnPlateau(monitor="loss")
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[reduce])
    with pytest.warns(OlderSpelling, match="learning_rate"):
        assert history.history["lr"] == history.history["learning_rate"]


def test_small_names_of_tensorflow():
    find = tensorflow.find
    assert find("", "newaxis") is None
    spec = find("", "TensorSpec")(shape=(None, 3), dtype=find("", "float32"))
    assert spec.shape == (None, 3) and spec.dtype == "float32"
    made = find("data", "Dataset").from_generator(lambda: iter([[1.0]]), output_signature=spec)
    assert len(list(made)) == 1
    found = find("", "clip_by_norm")(np.array([3.0, 4.0], "float32"), 1.0)
    np.testing.assert_allclose(found, [0.6, 0.8], rtol=1e-6)
    rows = find("", "clip_by_norm")(np.array([[3.0, 4.0], [0.1, 0.2]], "float32"), 1.0, axes=[1])
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.1, 0.2]], rtol=1e-6)
    assert float(find("", "cond")(True, lambda: 1.0, lambda: 2.0)) == 1.0
    text = find("", "convert_to_tensor")(["a", "b"])
    assert text.tolist() == ["a", "b"] and text.shape == (2,)
    assert find("", "convert_to_tensor")(value=[1, 2]).shape == (2,)


def test_outputs_without_loss_and_metrics():
    inputs = layers.Input((3,))
    hidden = layers.Dense(1, name="a")(inputs)
    outputs = [hidden, layers.Flatten(name="b")(hidden)]
    model = models.Model(inputs, outputs)
    set_generation(2)
    model.compile("sgd", loss=["mse", None], metrics=[["mae"], None])
    x, y = np.ones((4, 3)), np.ones((4, 1))
    found = model.fit(x, [y, y], verbose=0).history
    assert {"loss", "a_mae"} <= set(found)
