"""What programs do with Keras 2's backend module: functions, gradients, phases, variables."""

import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish import backend as K
from kerasish import layers, models


@pytest.fixture(autouse=True)
def fresh():
    yield
    K.clear_session()


def ones(*shape):
    return np.ones(shape, "float32")


# -- K.function


def test_function_of_an_intermediate_layer():
    model = models.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)])
    x = np.arange(8.0).reshape(2, 4)
    kernel, bias = model.layers[0].get_weights()
    (hidden,) = K.function([model.input], [model.layers[0].output])([x])
    np.testing.assert_allclose(hidden, x @ kernel + bias, rtol=1e-6)
    rest = K.function([model.layers[0].output], [model.output])
    np.testing.assert_allclose(rest([hidden])[0], model.predict(x, verbose=0), rtol=1e-6)


def test_function_keeps_the_structure_of_its_outputs():
    x = K.placeholder((None, 2))
    a = np.array([[1.0, 2.0], [3.0, 5.0]])
    total = K.function([x], K.sum(x))([a])
    assert isinstance(total, np.float32)
    assert total == 11.0
    found = K.function([x], {"rows": K.sum(x, axis=1)})([a])
    assert found["rows"].tolist() == [3.0, 8.0]


def test_function_takes_the_learning_phase():
    model = models.Sequential([layers.Input((50,)), layers.Dropout(0.5)])
    f = K.function([model.input, K.learning_phase()], [model.output])
    assert (f([ones(4, 50), 0])[0] == 1).all()
    assert set(np.unique(f([ones(4, 50), 1])[0])) == {0.0, 2.0}
    assert (f([ones(4, 50), False])[0] == 1).all()


def test_function_updates_variables_after_its_outputs():
    x, total = K.placeholder((None,)), K.variable(1.0)
    pairs = K.function([x], [total], updates=[(total, total + K.sum(x))])
    assert pairs([[1.0, 2.0]]) == [1.0]
    assert pairs([[1.0, 2.0]]) == [4.0]
    assert K.get_value(total) == 7.0
    added = K.function([x], [K.sum(x)], updates=[K.update_add(total, K.sum(x))])
    assert added([[0.5]]) == [0.5]
    assert K.get_value(total) == 7.5
    average = K.function([x], [], updates=[K.moving_average_update(total, K.sum(x), 0.9)])
    average([[10.0]])
    np.testing.assert_allclose(K.get_value(total), 7.5 * 0.9 + 1.0, rtol=1e-6)


def test_function_gives_fresh_random_numbers():
    x = K.placeholder((None, 3))
    f = K.function([x], [K.dropout(x, 0.5)])
    assert not np.array_equal(f([ones(20, 3)])[0], f([ones(20, 3)])[0])


def test_function_that_prints_runs_without_compiling(capsys):
    x = K.placeholder((None,))
    f = K.function([x], [K.print_tensor(x * 2, "x =")])
    assert f([[1.0, 2.0]])[0].tolist() == [2.0, 4.0]
    assert f([[3.0]])[0].tolist() == [6.0]
    assert capsys.readouterr().out.splitlines() == ["x = [2. 4.]", "x = [6.]"]


def test_function_errors():
    x = K.placeholder((None, 2))
    f = K.function([x], [K.sum(x)])
    with pytest.raises(ValueError, match="1 inputs, and 2 values"):
        f([ones(1, 2), ones(1, 2)])
    with pytest.raises(ValueError, match="shape"):
        f([ones(1, 3)])
    with pytest.raises(TypeError, match="list or tuple"):
        f({"x": 1})
    with pytest.raises(ValueError, match="Session keyword"):
        K.function([x], [x], options=None)
    with pytest.raises(ValueError, match="not connected"):
        K.function([x], [K.placeholder((2,))])
    with pytest.raises(ValueError, match="symbolic tensors"):
        K.function([ones(2)], [x])


# -- K.gradients


def test_gradients_by_inputs_variables_and_tensors_between():
    x, w = K.placeholder((None, 4)), K.variable(np.arange(12.0).reshape(4, 3))
    hidden = K.dot(x, w)
    loss = K.sum(K.square(hidden))
    found = K.gradients(loss, [x, w, hidden])
    a = np.arange(8.0).reshape(2, 4)
    of_x, of_w, of_hidden = K.function([x], found)([a])
    weights = K.get_value(w)
    np.testing.assert_allclose(of_hidden, 2 * a @ weights, rtol=1e-6)
    np.testing.assert_allclose(of_x, 2 * a @ weights @ weights.T, rtol=1e-6)
    np.testing.assert_allclose(of_w, 2 * a.T @ a @ weights, rtol=1e-6)


def test_gradients_of_gradients():
    x = K.placeholder((None,))
    first = K.gradients(K.sum(x**3), x)[0]
    second = K.gradients(K.sum(first), [x])[0]
    assert K.function([x], [first, second])([[2.0, 3.0]])[0].tolist() == [12.0, 27.0]
    assert K.function([x], [first, second])([[2.0, 3.0]])[1].tolist() == [12.0, 18.0]


def test_gradients_that_do_not_exist_are_none():
    x, y = K.placeholder((None,)), K.placeholder((None,))
    of_x, of_y, of_w = K.gradients(K.sum(x * 2), [x, y, K.variable(1.0)])
    assert of_y is None
    assert of_w is None
    assert K.function([x], [of_x])([[5.0]])[0].tolist() == [2.0]


def test_gradients_of_several_losses_add():
    x = K.placeholder((None,))
    (g,) = K.gradients([K.sum(x), K.sum(x * x)], [x])
    assert K.function([x], [g])([[3.0]])[0].tolist() == [7.0]


def test_gradients_of_a_model_by_its_weights_and_its_input():
    model = models.Sequential(
        [layers.Input((8, 8, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Flatten(),
         layers.Dense(1)]
    )  # fmt: skip
    loss = K.mean(model.output)
    found = K.gradients(loss, [*model.trainable_weights, model.input])
    image = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32")
    values = K.function([model.input], found)([image])
    x = core.convert(image)
    with core.GradientTape() as tape:
        tape.watch(x)
        direct = K.mean(model(x))
    expected = tape.gradient(direct, [*model.trainable_weights, x])
    for ours, theirs in zip(values, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_gradient_ascent_on_an_image():
    model = models.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    loss = K.mean(model.layers[0].output[:, :, :, 1])
    grads = K.gradients(loss, model.input)[0]
    grads /= K.sqrt(K.mean(K.square(grads))) + 1e-5
    step = K.function([model.input], [loss, grads])
    image = np.zeros((1, 8, 8, 1), "float32")
    losses = []
    for _ in range(3):
        value, direction = step([image])
        losses.append(value)
        image += direction
    assert losses[0] < losses[1] < losses[2]


def test_gradients_inside_a_model():
    """A layer of a model that gives the slope of another, as in WGAN-GP."""
    x = layers.Input((3,))
    score = layers.Dense(1, use_bias=False)(x)
    slope = K.gradients(score, x)[0]
    model = models.Model(x, K.sqrt(K.sum(K.square(slope), axis=1)))
    kernel = model.get_weights()[0] if model.get_weights() else None
    found = model.predict(ones(2, 3), verbose=0)
    dense = score._keras_history[0]
    expected = np.linalg.norm(dense.get_weights()[0])
    np.testing.assert_allclose(found, [expected, expected], rtol=1e-5)
    assert kernel is None or kernel.shape == (3, 1)


def test_gradients_of_values_need_a_tape():
    x = core.convert(3.0)
    with pytest.raises(RuntimeError, match="GradientTape"):
        K.gradients(K.square(x), [x])
    with core.GradientTape() as tape:
        tape.watch(x)
        (g,) = K.gradients(K.square(x), [x])
    assert float(g) == 6.0


# -- phases


def test_learning_phase():
    assert K.learning_phase() == 0
    K.set_learning_phase(1)
    assert K.learning_phase() == 1
    x = core.convert(ones(4, 50))
    assert (layers.Dropout(0.5)(x).numpy() == 0).any()
    model = models.Sequential([layers.Input((50,)), layers.Dropout(0.5)])
    for _ in range(3):
        assert (model(x).numpy() == 0).any()
    K.set_learning_phase(0)
    for _ in range(3):
        assert (model(x).numpy() == 1).all()
    assert (model.predict(ones(4, 50), verbose=0) == 1).all()
    with pytest.raises(ValueError, match="0 or 1"):
        K.set_learning_phase(2)


def test_phases_choose():
    assert K.in_train_phase(1, 2, training=True) == 1
    assert K.in_train_phase(lambda: 1, lambda: 2, training=0) == 2
    assert K.in_test_phase(1, 2) == 1
    x = core.convert([1.0])
    assert K.in_train_phase(x, x * 3, training=core.convert(False)).numpy().tolist() == [3.0]
    p = K.placeholder((None,))
    for noisy in (K.in_train_phase(p * 2, p), K.in_train_phase(lambda: p * 2, p),
                  K.switch(K.learning_phase(), p * 2, p)):  # fmt: skip
        f = K.function([p, K.learning_phase()], [noisy])
        assert f([[1.0], 1])[0].tolist() == [2.0]
        assert f([[1.0], 0])[0].tolist() == [1.0]


class Noisy(layers.Layer):
    """A Keras 2 layer, whose call takes no `training`."""

    def call(self, inputs):
        return K.in_train_phase(inputs * 0.0, inputs)


@pytest.mark.parametrize("eager", [False, True])
def test_phase_inside_a_layer_is_that_of_the_step(eager):
    model = models.Sequential([layers.Input((1,)), Noisy()])
    model.compile("sgd", "mse", run_eagerly=eager)
    assert model.predict(ones(2, 1), verbose=0).tolist() == [[1.0], [1.0]]
    assert model.evaluate(ones(2, 1), 3 * ones(2, 1), verbose=0) == 4.0
    assert (model(ones(2, 1), training=True).numpy() == 0).all()


# -- conditions, sizes, variables


def test_switch():
    a, b = core.convert([1.0, 2.0]), core.convert([3.0, 4.0])
    assert K.switch(core.convert(True), lambda: a, lambda: b).numpy().tolist() == [1.0, 2.0]
    assert K.switch(False, a, b) is b
    wide = K.switch(core.convert([True, False]), K.ones((2, 3)), K.zeros((2, 3)))
    assert wide.numpy().tolist() == [[1.0] * 3, [0.0] * 3]
    with pytest.raises(ValueError, match="Rank of `condition`"):
        K.switch(core.convert([[True, False]]), a, b)

    @kerasish.function
    def step(x):
        return K.switch(K.sum(x) > 0, lambda: x * 2, lambda: -x)

    assert step(a).numpy().tolist() == [2.0, 4.0]
    assert step(-a).numpy().tolist() == [1.0, 2.0]


def test_variables():
    v = K.variable([[1, 2]], name="kernel/a", constraint=abs)
    assert K.dtype(v) == "float32"
    assert v.constraint is abs
    K.set_value(v, [[3, 4]])
    K.batch_set_value([(v, np.array([[5.0, 6.0]]))])
    assert K.batch_get_value([v])[0].tolist() == [[5.0, 6.0]]
    K.update_sub(v, ones(1, 2))
    assert K.eval(K.update(v, K.get_value(v) * 2)).tolist() == [[8.0, 10.0]]
    assert K.count_params(v) == 2
    assert K.is_variable(K.zeros((2,)))
    assert K.is_variable(K.random_normal_variable((2, 3), 0.0, 1.0))
    assert not K.is_variable(K.constant(1.0))
    with pytest.raises(TypeError, match="Only variables"):
        K.update(core.convert(1.0), 2.0)


def test_what_is_known_of_a_tensor():
    x = K.placeholder(ndim=3)
    assert K.int_shape(x) == (None, None, None)
    assert K.is_placeholder(x)
    assert K.is_symbolic(x)
    assert K.is_tensor(x)
    y = K.sum(x, axis=-1)
    assert not K.is_placeholder(y)
    assert (K.ndim(y), K.dtype(y)) == (2, "float32")
    assert K.shape(K.zeros((2, 3))) == (2, 3)
    assert int(K.size(K.zeros((2, 3)))) == 6
    with pytest.raises(ValueError, match=r"K\.function"):
        K.eval(x)


def test_variables_operate_on_symbolic_tensors_from_both_sides():
    x, v = K.placeholder((None, 2)), K.variable([1.0, 2.0])
    f = K.function([x], [v * x, x * v, v - x, ones(2) - x, core.convert([1.0, 1.0]) / x, v < x])
    found = f([[[2.0, 4.0]]])
    assert [y.tolist() for y in found[:5]] == [
        [[2.0, 8.0]], [[2.0, 8.0]], [[-1.0, -2.0]], [[-1.0, -3.0]], [[0.5, 0.25]],
    ]  # fmt: skip
    K.set_value(v, [5.0, 5.0])
    assert f([[[2.0, 4.0]]])[0].tolist() == [[10.0, 20.0]]


def test_random_numbers():
    assert (
        K.eval(K.random_normal((3,), seed=1)).tolist()
        == K.eval(K.random_normal((3,), seed=1)).tolist()
    )
    draws = K.eval(K.random_bernoulli((5000,), p=0.3))
    assert set(np.unique(draws)) == {0.0, 1.0}
    assert abs(draws.mean() - 0.3) < 0.03
    assert (K.eval(K.random_binomial((100,), p=1.0)) == 1).all()
    uniform = K.eval(K.random_uniform((1000,), 2.0, 3.0))
    assert uniform.min() >= 2
    assert uniform.max() < 3
    whole = K.eval(K.random_uniform((1000,), 0, 5, dtype="int32"))
    assert set(whole.tolist()) == {0, 1, 2, 3, 4}
    assert np.abs(K.eval(K.truncated_normal((1000,)))).max() <= 2
    assert K.eval(K.random_uniform_variable((2, 2), 0.0, 1.0)).shape == (2, 2)


def test_sparse_labels():
    sparse = K.ctc_label_dense_to_sparse(np.array([[1, 2, 3], [4, 0, 0]]), np.array([3, 1]))
    assert K.is_sparse(sparse)
    assert np.asarray(sparse.indices).tolist() == [[0, 0], [0, 1], [0, 2], [1, 0]]
    assert np.asarray(sparse.values).tolist() == [1, 2, 3, 4]
    assert K.eval(sparse).tolist() == [[1, 2, 3], [4, 0, 0]]
    assert K.to_dense(sparse).numpy().tolist() == [[1, 2, 3], [4, 0, 0]]


def test_sessions_say_what_to_do():
    session = K.get_session()
    K.set_session(session)
    assert session.run([K.variable(3.0), None]) == [3.0, None]
    with pytest.raises(RuntimeError, match=r"K\.function"):
        session.run(K.placeholder((2,)))
    with pytest.raises(RuntimeError, match=r"K\.function"):
        session.run(K.variable(1.0), {K.placeholder((2,)): 1})
    K.manual_variable_initialization(True)
    K.v1_variable_initialization()
    with K.control_dependencies([]):
        assert K.eval(K.symbolic(K.square)(core.convert(3.0))) == 9.0

    @kerasish.function
    def step(x):
        return x + float(K.eager(lambda: K.sum(core.convert([1.0, 2.0])))())

    assert float(step(core.convert(1.0))) == 4.0


def test_settings_are_those_of_config():
    assert K.epsilon() == kerasish.config.epsilon()
    assert K.normalize_data_format(None) == K.image_data_format()
    with pytest.raises(ValueError, match="data_format"):
        K.normalize_data_format("first")
    K.set_floatx("float64")
    try:
        assert K.dtype(K.variable(1.0)) == K.dtype(K.constant(1)) == "float64"
        assert K.cast_to_floatx([1]).dtype == np.float64
    finally:
        K.set_floatx("float32")


# -- in programs


def test_custom_layer_loss_and_metric_in_fit():
    class Scaled(layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(
                shape=(input_shape[1], 2), initializer="ones", name="kernel"
            )

        def call(self, x):
            return K.l2_normalize(K.dot(x, self.kernel), axis=-1)

    def loss(y_true, y_pred):
        return K.mean(K.square(y_pred - y_true), axis=-1)

    def top(y_true, y_pred):
        return K.mean(K.cast(K.equal(K.argmax(y_true), K.argmax(y_pred)), K.floatx()))

    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    y = (x[:, :2] > 0).astype("float32")
    logs = []
    for eager in (False, True):
        kerasish.utils.set_random_seed(0)
        model = models.Sequential([layers.Input((3,)), Scaled()])
        model.compile("sgd", loss, metrics=[top], run_eagerly=eager)
        logs.append(model.fit(x, y, epochs=2, batch_size=8, verbose=0).history)
    for name in ("loss", "top"):
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-5)


def test_variational_autoencoder():
    def sampling(args):
        mean, log_var = args
        noise = K.random_normal(shape=(K.shape(mean)[0], K.int_shape(mean)[1]))
        return mean + K.exp(log_var / 2) * noise

    x = layers.Input((6,))
    mean, log_var = layers.Dense(2)(x), layers.Dense(2)(x)
    z = layers.Lambda(sampling, output_shape=(2,))([mean, log_var])
    model = models.Model(x, layers.Dense(6, activation="sigmoid")(z))
    model.compile("adam", lambda t, p: K.sum(K.binary_crossentropy(t, p), axis=-1))
    data = np.random.default_rng(0).uniform(size=(64, 6)).astype("float32")
    losses = model.fit(data, data, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_functional_models_of_backend_functions_are_saved(tmp_path):
    x = layers.Input((4,))
    y = K.spatial_2d_padding(K.reshape(x, (-1, 2, 2, 1)), ((1, 0), (0, 1)))
    y = K.sum(y, axis=[2, 3])
    model = models.Model(x, y)
    data = np.arange(8.0, dtype="float32").reshape(2, 4)
    expected = model.predict(data, verbose=0)
    assert expected.tolist() == [[0.0, 1.0, 5.0], [0.0, 9.0, 13.0]]
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(data, verbose=0), expected)
    np.testing.assert_array_equal(models.clone_model(model).predict(data, verbose=0), expected)
