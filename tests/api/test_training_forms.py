"""Forms of outputs, targets and steps that user programs give to compile and fit."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, ops

RNG = np.random.default_rng(3)
X = RNG.normal(size=(16, 4)).astype("float32")
Y = RNG.normal(size=(16, 2)).astype("float32")


def two_heads():
    i = keras.Input((4,))
    h = layers.Dense(4, activation="tanh")(i)
    return keras.Model(i, [layers.Dense(2, name="o1")(h), layers.Dense(1, name="o2")(h)])


def fitted(model, x, y, **kwargs):
    return model.fit(x, y, verbose=0, shuffle=False, batch_size=8, **kwargs).history


def test_outputs_within_outputs_have_losses_and_metrics_of_their_own():
    i = keras.Input((4,))
    o = {"a": [layers.Dense(2, name="a0")(i), layers.Dense(1, name="a1")(i)],
         "b": layers.Dense(3, name="bb")(i)}  # fmt: skip
    model = keras.Model(i, o)
    model.compile(
        "sgd", {"a": ["mse", "mae"], "b": "huber"}, {"a": [1.0, 2.0], "b": 0.5},
        metrics={"a": [["mae"], ["mse"]], "b": ["mape"]},
    )  # fmt: skip
    y = {"a": [Y, Y[:, :1]], "b": np.ones((16, 3), "float32")}
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    p = model.predict(X, verbose=0)
    mse = np.mean((p["a"][0] - Y) ** 2)
    mae = np.mean(np.abs(p["a"][1] - Y[:, :1]))
    huber = float(np.mean(keras.losses.huber(y["b"], p["b"])))
    assert logs["a/a0_loss"] == pytest.approx(mse, rel=1e-5)
    assert logs["a/a1_loss"] == pytest.approx(mae, rel=1e-5)
    assert logs["loss"] == pytest.approx(mse + 2 * mae + 0.5 * huber, rel=1e-5)
    assert {"a0_mae", "a1_mse", "bb_mape"} < set(logs)
    fitted(model, X, y, epochs=1)


def test_a_list_in_the_wrong_place_of_nested_outputs_is_named():
    i = keras.Input((4,))
    model = keras.Model(i, {"a": [layers.Dense(2)(i), layers.Dense(1)(i)], "b": layers.Dense(3)(i)})
    model.compile("sgd", {"a": ["mse"] * 3, "b": "mse"})
    with pytest.raises(ValueError, match=r"compile\(loss=.* list of 3 was given for 2 outputs"):
        model.fit(X, {"a": [Y, Y[:, :1]], "b": np.ones((16, 3))}, verbose=0)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_targets_of_only_those_outputs_that_have_a_loss():
    model = two_heads()
    model.compile("sgd", loss=["mse", None], metrics=[["mae"], None])
    listed = model.evaluate(X, [Y], verbose=0, return_dict=True)
    expected = np.mean((model.predict(X, verbose=0)[0] - Y) ** 2)
    assert listed["loss"] == pytest.approx(expected, rel=1e-5) and "o1_mae" in listed
    model.compile("sgd", loss=[None, "mse"], metrics=[])
    listed = model.evaluate(X, [Y[:, :1]], verbose=0)
    assert listed == pytest.approx(
        np.mean((model.predict(X, verbose=0)[1] - Y[:, :1]) ** 2), rel=1e-5
    )


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_none_in_place_of_targets_that_no_loss_wants():
    model = two_heads()
    model.compile("sgd", loss=["mse", None], metrics=[["mae"], None])
    logs = fitted(model, X, [Y, None], epochs=2, validation_split=0.25)
    assert {"val_loss", "val_o1_mae"} < set(logs)


def test_the_only_output_by_its_name():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="only")])
    model.compile("sgd", "mse", metrics=["mae"])
    weight = np.linspace(0, 1, 16)
    plain = model.evaluate(X, Y, sample_weight=weight, verbose=0)
    named = model.evaluate(X, {"only": Y}, sample_weight={"only": weight}, verbose=0)
    assert named == plain and named[0] != model.evaluate(X, Y, verbose=0)[0]


@pytest.mark.parametrize("y", [None, {"o1": Y, "wrong": Y[:, :1]}, [Y, None]])
def test_a_loss_without_targets_says_so(y):
    model = two_heads()
    model.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match=r"needs targets|same number of samples|single array"):
        model.fit(X, y, verbose=0)


def test_no_y_at_all_names_the_loss():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "huber")
    with pytest.raises(ValueError, match="'huber' of the model's output needs targets"):
        model.fit(X, verbose=0)


def test_compute_loss_without_the_argument_training():
    class Own(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False):
            return ops.mean(ops.abs(y - y_pred)) * 3.0

    i = keras.Input((4,))
    model = Own(i, layers.Dense(2)(i))
    model.compile("sgd")
    before = 3 * np.mean(np.abs(model.predict(X, verbose=0) - Y))
    assert fitted(model, X, Y, epochs=1, validation_data=(X, Y))["val_loss"][0] < before


def test_weighted_metrics_that_share_a_name_with_plain_ones():
    model = two_heads()
    model.compile("sgd", "mse", metrics=[["mae"], []], weighted_metrics=[["mae"], ["mae"]])
    logs = model.evaluate(X, [Y, Y[:, :1]], verbose=0, return_dict=True)
    assert {"o1_mae", "o1_weighted_mae", "o2_mae"} < set(logs)


def test_whole_numbers_in_logs_are_floats():
    class Counting(keras.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred), "rows": ops.shape(y)[0]}

    i = keras.Input((4,))
    model = Counting(i, layers.Dense(2)(i))
    model.compile("sgd", "mse")
    rows = fitted(model, X, Y, epochs=1)["rows"]
    assert rows == [8.0] and type(rows[0]) is float


def test_hooks_get_a_dictionary_of_their_own():
    seen = []

    class Adding(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(("begin", dict(logs)))

        def on_epoch_begin(self, epoch, logs=None):
            seen.append(("epoch", dict(logs)))

        def on_epoch_end(self, epoch, logs=None):
            logs["added"] = 1.0

        def on_train_end(self, logs=None):
            seen.append(("end", sorted(logs)))

    model = two_heads()
    model.compile("sgd", "mse")
    history = fitted(model, X, [Y, Y[:, :1]], epochs=1, callbacks=[Adding()])
    assert seen == [("begin", {}), ("epoch", {}), ("end", ["loss", "o1_loss", "o2_loss"])]
    assert history["added"] == [1.0]  # by those who come after in the same hook


def test_the_global_generator_takes_no_number_of_a_layers_name():
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    assert keras.random.SeedGenerator(3).name == "seed_generator"


def test_cells_without_initial_state_stack():
    class Cell(layers.Layer):
        state_size = [3, (2,)]
        output_size = 3

        def call(self, x, states):
            y = x[:, :3] + states[0]
            return y, [y, states[1] + y[:, :2]]

    model = keras.Sequential([keras.Input((5, 4)), layers.RNN([layers.LSTMCell(4), Cell()])])
    assert model(np.ones((2, 5, 4), "float32")).shape == (2, 3)


@pytest.mark.parametrize("make, expected", [
    (lambda: layers.Conv2D(1, 5)(keras.Input((2, 2, 1))), r"f32\[None,2,2,1\]"),
    (lambda: layers.Add()([keras.Input((2,)), keras.Input((3,))]), r"f32\[None,2\]"),
    (lambda: two_heads()(keras.Input((9,))), r"found shape=\(None, 9\)"),
])  # fmt: skip
def test_messages_about_symbolic_shapes_say_none(make, expected):
    with pytest.raises(ValueError, match=expected):
        make()


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5])
def test_a_validation_split_out_of_range(share):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="validation_split"):
        model.fit(X, Y, validation_split=share, verbose=0)


def test_metrics_that_are_dictionaries():
    class Two(keras.metrics.Metric):
        def __init__(self, name="two", **kwargs):
            super().__init__(name=name, **kwargs)
            self.mean = keras.metrics.Mean()

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.mean.update_state(y_pred)

        def result(self):
            return {"plain": self.mean.result(), "double": 2 * self.mean.result()}

    model = two_heads()
    model.compile("sgd", "mse", metrics=[[Two()], []])
    history = fitted(model, X, [Y, Y[:, :1]], epochs=1)
    assert history["double"][0] == pytest.approx(2 * history["plain"][0])
    assert set(model.get_metrics_result()["o1_two"]) == {"plain", "double"}


def test_the_history_of_a_symbolic_tensor_has_names():
    layer = layers.Dense(2)
    y = layer(keras.Input((3,)))
    assert y._keras_history.operation is layer
    assert (y._keras_history.node_index, y._keras_history.tensor_index) == (0, 0)
    assert round(y, 1).shape == (None, 2)


def test_none_in_place_of_a_tensor_asks_for_a_return():
    class Forgetful(layers.Layer):
        def call(self, x):
            x * 2

    for layer in (layers.Dense(2), layers.LayerNormalization(), layers.Flatten()):
        with pytest.raises(ValueError, match=r"Got None as input of layer .* `return`"):
            layer(Forgetful()(np.ones((1, 2), "float32")))


@pytest.mark.parametrize("size, expected", [((3, 3), [0, 1, 2, 6, 7, 8, 9, 10, 11])])
def test_an_odd_rest_of_padding_is_not_added(size, expected):
    x = np.arange(12.0, dtype="float32").reshape(1, 4, 3, 1)
    layer = layers.Resizing(*size, interpolation="nearest", pad_to_aspect_ratio=True)
    assert np.asarray(layer(x)).ravel().tolist() == expected


def test_layers_of_a_subclassed_model_show_the_shapes_they_were_built_for():
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],))

        def call(self, x):
            return x * self.w

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.own = layers.Dense(4), Own()
            self.rnn = layers.LSTM(3, return_sequences=True)
            self.attend = layers.MultiHeadAttention(2, 2)
            self.joined, self.unused = layers.Concatenate(), layers.Dense(3)

        def call(self, x):
            z = self.rnn(self.own(self.dense(x)))
            return self.joined([z, self.attend(z, z)])

    keras.utils.clear_session()
    model = Model()
    model(np.ones((2, 5, 3), "float32"))
    lines = []
    model.summary(print_fn=lines.append)
    cells = [row.split("│") for row in "\n".join(lines).splitlines() if row.startswith("│")]
    shown = {row[1].split()[0]: row[2].strip() for row in cells}
    assert shown["dense"] == "(2, 5, 4)" and shown["lstm"] == "(2, 5, 3)"
    assert shown["concatenate"] == "(2, 5, 6)" and shown["multi_head_attention"] == "(2, 5, 3)"
    # As in Keras: a layer of one's own says nothing of its output's shape, nor one never built.
    assert shown["own"] == "?" and shown["dense_1"] == "?"


def test_no_metrics_at_all_ask_for_no_targets():
    class Pairs(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x[0]), self.dense(x[1])

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.square(y_pred[0] - y_pred[1]))

    model = Pairs()
    model.compile("sgd", metrics=[], weighted_metrics=[])
    assert list(fitted(model, [X, X + 1], None, epochs=1)) == ["loss"]


def test_a_list_of_one_is_the_only_outputs_target():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    y, weight = RNG.normal(size=(16, 1)).astype("float32"), np.linspace(0, 1, 16)
    plain = model.evaluate(X, y, sample_weight=weight, batch_size=6, verbose=0)
    assert model.evaluate(X, [y], sample_weight=[weight], batch_size=6, verbose=0) == plain


@pytest.mark.parametrize(
    "shift, axis", [(2, 0), (-5, 1), ([1, -2], (0, 1)), (3, (0, 1)), ([1, 2], 1), (7, None)]
)
def test_rolling_by_a_tensor(shift, axis):
    x = np.arange(12.0).reshape(3, 4)
    expected = np.roll(x, shift, axis)
    np.testing.assert_array_equal(ops.roll(x, np.asarray(shift), axis), expected)
    rolled = keras.function(lambda x, s: ops.roll(x, s, axis))(x, ops.convert_to_tensor(shift))
    np.testing.assert_array_equal(rolled, expected)


def test_arrays_of_the_other_byte_order():
    other = [a.astype(a.dtype.newbyteorder(">")) for a in (X, Y)]
    assert not other[0].dtype.isnative

    def model():
        made = keras.Sequential(
            [keras.Input((4,)), layers.Dense(2, kernel_initializer="ones")]
        )  # fmt: skip
        made.compile("sgd", "mse")
        return made

    one, two = model(), model()
    for _ in range(2):  # the second time by programs that are known
        for x, y in ((X, Y), other):
            expected = one.predict(X, verbose=0)
            for found in (two.predict(x, verbose=0), two.predict_on_batch(x), two(x)):
                np.testing.assert_allclose(found, expected, rtol=1e-5)
            loss = one.evaluate(X, Y, verbose=0)
            assert two.evaluate(x, y, verbose=0) == pytest.approx(loss, rel=1e-5)
    assert fitted(one, X, Y)["loss"] == pytest.approx(fitted(two, *other)["loss"], rel=1e-5)
    batches = [tuple(a[part] for a in other) for part in (slice(8), slice(8, 16))]
    found = two.fit(iter(batches), verbose=0).history["loss"]
    assert fitted(one, X, Y)["loss"] == pytest.approx(found, rel=1e-5)
    weights = np.arange(16, dtype=">f4")
    expected = one.evaluate(X, Y, sample_weight=weights.astype("float32"), verbose=0)
    found = two.evaluate(X, Y, sample_weight=weights, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5)


def test_weights_of_classes_and_of_samples_exclude_each_other_in_batches_too():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    labels, weight = np.arange(16) % 2, np.ones(16, "float32")

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            part = slice(8 * i, 8 * i + 8)
            return X[part], labels[part], weight[part]

    for data in (Batches(), iter([(X, labels, weight)])):
        with pytest.raises(ValueError, match="at the same time"):
            model.fit(data, class_weight={0: 1.0, 1: 3.0}, verbose=0)
    start = model.get_weights()
    plain = fitted(model, X, labels)
    model.set_weights(start)
    assert fitted(model, X, labels, class_weight={}) == plain


def test_zero_steps_are_all_and_frequencies_are_numbers():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    fitted(model, X, Y, steps_per_epoch=0)
    assert int(model.optimizer.iterations) == 2
    with pytest.raises(ValueError, match="Expected `validation_freq` to be a list or int"):
        fitted(model, X, Y, validation_data=(X, Y), validation_freq="a")


def test_outputs_of_batches_are_put_together():
    x = np.arange(20, dtype="float32").reshape(10, 2)

    class Several(keras.Model):
        def call(self, x):
            return {"same": x, "whole": [ops.cast(x[:, 0], "int32"), x > 3.0]}

    class Longer(keras.Model):
        def call(self, x):
            return ops.reshape(x, (-1, 1))

    class Shorter(keras.Model):
        def call(self, x):
            return ops.sum(x, 0, keepdims=True)

    class Uneven(keras.Model):
        def call(self, x):
            return ops.zeros((x.shape[0], x.shape[0]))

    several = Several()
    for _ in range(2):  # the second time by programs that are known
        found = several.predict(x, batch_size=4, verbose=0)
        np.testing.assert_array_equal(found["same"], x)
        np.testing.assert_array_equal(found["whole"][0], x[:, 0].astype("int32"))
        np.testing.assert_array_equal(found["whole"][1], x > 3.0)
        assert found["same"].flags.writeable and found["whole"][0].dtype == "int32"
    longer, shorter = Longer(), Shorter()
    for _ in range(2):
        np.testing.assert_array_equal(longer.predict(x, batch_size=4, verbose=0), x.reshape(-1, 1))
        sums = shorter.predict(x, batch_size=4, verbose=0)
        np.testing.assert_array_equal(sums, [x[:4].sum(0), x[4:8].sum(0), x[8:].sum(0)])
    with pytest.raises(ValueError, match="dimensions"):
        Uneven().predict(x, batch_size=4, verbose=0)
    np.testing.assert_array_equal(
        several.predict(x, batch_size=4, steps=2, verbose=0)["same"], x[:8]
    )
    np.testing.assert_array_equal(
        several.predict(iter([x[:3], x[3:]]), verbose=0)["whole"][1], x > 3.0
    )


def two_keys():
    """A model whose outputs are made in another order than that of their names."""
    i = keras.Input((2,))
    outputs = {
        "z": layers.Dense(1, name="z", kernel_initializer="ones")(i),
        "a": layers.Dense(1, name="a", kernel_initializer="zeros")(i),
    }
    return keras.Model(i, outputs)


@pytest.mark.parametrize(
    "loss, arguments, logs, listed",
    [
        (["mse", "mae"], {}, {"a_loss": 9, "z_loss": 1, "loss": 10}, [10, 9, 1]),
        ("mse", {"metrics": [["mae"], ["mse"]]},
         {"a_loss": 9, "z_loss": 1, "loss": 10, "a_mae": 3, "z_mse": 1}, [10, 9, 1, 3, 1]),
        ({"a": "mse", "z": "mae"}, {}, {"a_loss": 9, "z_loss": 1, "loss": 10}, [10, 9, 1]),
        ({"z": "mse", "a": "mae"}, {}, {"a_loss": 3, "z_loss": 1, "loss": 4}, [4, 1, 3]),
        ({"z": "mse", "a": "mae"}, {"loss_weights": {"z": 1.0, "a": 2.0}},
         {"a_loss": 3, "z_loss": 1, "loss": 7}, [7, 1, 3]),
    ],
)  # fmt: skip
def test_lists_for_outputs_in_a_dictionary_go_by_sorted_keys(loss, arguments, logs, listed):
    """As Keras flattens dictionaries."""
    model, x = two_keys(), np.ones((4, 2))
    model.compile("sgd", loss, **arguments)
    ones = np.ones((4, 1))
    for y in ({"z": ones, "a": 3 * ones}, [3 * ones, ones]):
        assert model.evaluate(x, y, verbose=0, return_dict=True) == logs
        assert model.evaluate(x, y, verbose=0) == listed


def identity(**arguments):
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse", **arguments)
    return model


def growing(count):
    for i in range(count):
        yield np.full((2, 1), i + 1.0), np.zeros((2, 1))


@pytest.mark.filterwarnings("ignore:Your input ran out:UserWarning")
def test_a_generator_that_is_used_up_goes_on_with_its_first_batches():
    """As Keras's, which has looked at two batches before it begins."""
    model = identity()
    with pytest.warns(UserWarning, match="used up"):
        losses = model.fit(growing(3), epochs=2, verbose=0).history["loss"]
    assert losses == pytest.approx([14 / 3, 2.5])
    with pytest.warns(UserWarning, match="used up"):
        losses = model.fit(growing(3), epochs=3, steps_per_epoch=2, verbose=0).history["loss"]
    assert losses == pytest.approx([2.5, 9, 2.5])
    assert model.evaluate(growing(3), verbose=0) == pytest.approx(14 / 3)
    with pytest.raises(ValueError, match="no batch"):
        model.fit(growing(0), verbose=0)


@pytest.mark.filterwarnings("ignore:Your input ran out:UserWarning")
def test_epochs_are_whole_executions():
    model = identity(steps_per_execution=2)
    losses = model.fit(growing(99), epochs=2, steps_per_epoch=3, verbose=0).history["loss"]
    assert losses == pytest.approx([7.5, 43.5])
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    model = identity(steps_per_execution=3)
    logs = fitted_in_order(model, x, epochs=2, steps_per_epoch=1)
    assert logs["loss"] == pytest.approx([7.5, 7.5])


def test_validation_by_a_generator_is_whole_executions_too():
    model, x = identity(steps_per_execution=2), np.ones((2, 1))
    settings = {"validation_data": growing(99), "validation_steps": 3, "verbose": 0}
    logs = model.fit(x, x, epochs=2, **settings).history  # the same four batches each time
    assert logs["val_loss"] == pytest.approx([7.5, 7.5])


def fitted_in_order(model, x, **kwargs):
    return model.fit(x, x * 0, batch_size=2, shuffle=False, verbose=0, **kwargs).history


def test_callbacks_end_evaluations_and_predictions():
    class Stop(keras.callbacks.Callback):
        seen = 0

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = True

        def on_test_batch_end(self, batch, logs=None):
            self.seen += 1
            self.model.stop_evaluating = True

    model, stop, x = identity(), Stop(), np.ones((4, 1))
    assert model.predict(x, batch_size=1, verbose=0, callbacks=[stop]).shape == (1, 1)
    model.evaluate(x, x, batch_size=1, verbose=0, callbacks=[stop])
    assert stop.seen == 1
    assert model.predict(x, batch_size=1, verbose=0).shape == (4, 1)


def test_masks_beside_weights_with_one_more_axis():
    x = np.zeros((2, 3, 1))
    x[:, 0], x[1, 1] = 1, 2
    model = keras.Sequential(
        [keras.Input((3, 1)), layers.Masking(), layers.Dense(1, kernel_initializer="ones")]
    )
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    found = model.test_on_batch(x, np.full((2, 3, 1), 5.0), np.full((2, 3, 1), 0.5))
    assert found == pytest.approx([6.8333333, 3.6666667])


def test_named_tuples_are_structures():
    import collections

    pair = collections.namedtuple("pair", "a b")(np.full((2, 1), 3.0), np.ones((2, 1)))
    inputs = [keras.Input((1,)), keras.Input((1,))]
    model = keras.Model(inputs, layers.Subtract()(inputs))
    assert model.predict(pair, verbose=0).tolist() == [[2], [2]]
    model.compile("sgd", "mse")
    assert model.evaluate(pair, np.ones((2, 1)), verbose=0) == 1


def test_compile_keeps_what_is_not_given_again():
    model, x = identity(metrics=["mae"]), np.ones((2, 1))
    model.evaluate(x, x, verbose=0)
    model.compile("adam")
    assert list(model.fit(x, x, verbose=0).history) == ["loss", "mae"]
    model.compile("adam", "mae", metrics=[])
    assert list(model.fit(x, x, verbose=0).history) == ["loss"]
