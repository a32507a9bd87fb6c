"""Members of Keras's classes beside the everyday ones: each called on both."""

import io
import re
from contextlib import redirect_stdout

import numpy as np
import pytest
from layer_pairs import both, close, scramble

import kerasish

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)


def errors(run, *libraries):
    """Both raise the same kind of error."""
    kinds = []
    for library in libraries:
        with pytest.raises(Exception) as caught:
            run(library)
        kinds.append(type(caught.value).__name__)
    assert kinds[0] == kinds[1], kinds


# -- keras.Function


def function(lib):
    a, b = lib.KerasTensor((None, 2, 3)), lib.KerasTensor((None, 2, 3))
    return lib.Function({"a": a, "b": b}, {"o": lib.ops.sigmoid(a + b), "p": a * 2})


@pytest.mark.slow
def test_function():
    keras, ours = both()
    x = {k: RNG.normal(size=(4, 2, 3)).astype("float32") for k in "ab"}
    shapes = dict.fromkeys("ab", (5, 2, 3))
    theirs, mine = function(keras), function(ours)
    assert (mine.name, len(mine.inputs), len(mine.outputs)) == (
        theirs.name, len(theirs.inputs), len(theirs.outputs)
    )  # fmt: skip
    assert [op.name for op in mine.operations] == [op.name for op in theirs.operations]
    expected, found = theirs(x), mine(x)
    assert expected.keys() == found.keys()
    close([found["o"], found["p"]], [expected["o"], expected["p"]])
    assert mine.compute_output_shape(shapes) == theirs.compute_output_shape(shapes)
    for shape in ((None, 2, 3), (7, 2, 3)):
        specs = [
            f({k: lib.KerasTensor(shape) for k in "ab"})["o"].shape
            for lib, f in ((keras, theirs), (ours, mine))
        ]
        assert specs[0] == specs[1]


def test_function_in_the_middle_of_layers():
    keras, ours = both()
    names = []
    for lib in (keras, ours):
        i = lib.Input((3,), name="i")
        h = lib.layers.Dense(4, name="h")(i)
        j = lib.layers.Dense(2, name="j")(h)
        names.append([[op.name for op in lib.Function(x, j).operations] for x in (i, h)])
    assert names[0] == names[1]


def test_function_errors():
    keras, ours = both()
    x, other = np.ones((4, 2, 3), "float32"), np.ones((4, 2, 4), "float32")
    errors(lambda lib: function(lib)(x), keras, ours)
    errors(lambda lib: function(lib)({"a": x, "b": other}), keras, ours)
    errors(lambda lib: function(lib)({"a": x, "b": x[0]}), keras, ours)
    errors(lambda lib: lib.Function([], lib.KerasTensor((2,))), keras, ours)
    errors(lambda lib: lib.Function([lib.KerasTensor((2,))], []), keras, ours)
    errors(lambda lib: lib.Function(lib.Input((2,)), lib.Input((2,)) * 2), keras, ours)


def test_keras_tensor_attributes():
    keras, ours = both()
    for lib in (keras, ours):
        t = lib.KerasTensor((2, None), ragged=True, ragged_rank=1, row_splits_dtype="int32")
        assert (t.shape, t.ragged, t.sparse) == ((2, None), True, False)
        assert (t.ragged_rank, t.row_splits_dtype) == (1, "int32")
    for name in ("shape", "dtype", "sparse", "ragged", "ragged_rank", "row_splits_dtype"):
        errors(lambda lib, name=name: setattr(lib.KerasTensor((2,)), name, 1), keras, ours)
    errors(lambda lib: lib.KerasTensor((2,), sparse=True, ragged=True), keras, ours)
    errors(lambda lib: lib.KerasTensor((2,), other=True), keras, ours)


# -- the state as an argument


def models():
    keras, ours = both()
    made = []
    for lib in (keras, ours):
        model = lib.Sequential([
            lib.layers.Input((3,)),
            lib.layers.Dense(4, "tanh", kernel_regularizer="l2", activity_regularizer="l1"),
            lib.layers.BatchNormalization(),
            lib.layers.Dense(2),
        ])  # fmt: skip
        model.compile(lib.optimizers.SGD(0.1), "mse", metrics=["mae"])
        made.append(model)
    scramble(*made)
    x, y = (RNG.normal(size=(6, n)).astype("float32") for n in (3, 2))
    for model in made:
        # Weights as before, metrics with their state.
        values = model.get_weights()
        model.train_on_batch(x, y)
        model.set_weights(values)
        model.reset_metrics()
    return *made, x, y


def state(model):
    return [
        [np.asarray(v) for v in group]
        for group in (
            model.trainable_variables, model.non_trainable_variables, model.metrics_variables
        )
    ]  # fmt: skip


def test_stateless_compute_loss():
    keras, ours, x, y = models()
    found = []
    for model in (keras, ours):
        loss, (_, other, metrics) = model.stateless_compute_loss(
            *state(model), x=x, y=y, y_pred=np.zeros((6, 2), "float32")
        )
        found.append([loss, *other, *metrics])
    close(found[1], found[0])


@pytest.mark.slow
@pytest.mark.parametrize("training", [False, True])
def test_compute_loss_and_updates(training):
    keras, ours, x, y = models()
    found = []
    for model in (keras, ours):
        before = state(model)
        slots = [np.asarray(v) for v in model.optimizer.variables]
        loss, (unscaled, y_pred, other, metrics) = model.compute_loss_and_updates(
            *before, x, y, None, training=training, optimizer_variables=slots
        )
        found.append([loss, unscaled, y_pred, *other, *metrics])
        close(state(model), before)  # nothing was written
    close(found[1], found[0])


@pytest.mark.parametrize("options", [{}, {"run_eagerly": True}, {"jit_compile": False}])
def test_how_steps_run(options):
    keras, ours = both()
    seen = []
    for lib in (keras, ours):
        model = lib.Sequential([lib.layers.Input((2,)), lib.layers.Dense(1)])
        model.compile("sgd", "mse", **options)
        seen.append((model.run_eagerly, model.jit_compile))
    assert seen[0] == seen[1]


# -- recurrent layers


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU", "ConvLSTM1D"])
def test_inner_loop(kind):
    keras, ours = both()
    shape = (2, 5, 4, 3) if kind == "ConvLSTM1D" else (2, 5, 3)
    x = RNG.normal(size=shape).astype("float32")
    arguments = {"filters": 3, "kernel_size": 2} if kind == "ConvLSTM1D" else {"units": 3}
    made = [
        getattr(lib.layers, kind)(**arguments, return_sequences=True, go_backwards=True)
        for lib in (keras, ours)
    ]
    for layer in made:
        layer(x)
    scramble(*reversed(made))
    found = []
    for layer in made:
        start = layer.get_initial_state(2)
        found.append(layer.inner_loop(x, start, None))
    close(found[1], found[0])


@pytest.mark.slow
def test_bidirectional_states():
    keras, ours = both()
    x = RNG.normal(size=(2, 5, 3)).astype("float32")
    made = [lib.layers.Bidirectional(lib.layers.LSTM(2, stateful=True)) for lib in (keras, ours)]
    assert [layer.states for layer in made] == [None, None]
    for layer in made:
        layer(x)
    scramble(*reversed(made))
    for layer in made:
        layer.reset_state()
        layer(x)
    close(made[1].states, made[0].states)
    assert len(made[1].states) == 4
    made[1].reset_states()
    assert all(not np.asarray(v).any() for v in made[1].states)
    errors(lambda lib: lib.layers.Bidirectional(lib.layers.LSTM(2)).reset_state(), keras, kerasish)


# -- image layers

MAPS = RNG.normal(size=(2, 8)).astype("float32")


@pytest.mark.parametrize("kind", ["RandomZoom", "RandomTranslation", "RandomShear"])
def test_where_points_come_from(kind):
    keras, ours = both()
    made = [getattr(lib.layers, kind)(0.1, 0.1) for lib in (keras, ours)]
    found = [layer.get_transformed_x_y(2.0, 3.0, MAPS) for layer in made]
    close(found[1], found[0])


@pytest.mark.parametrize("kind", ["RandomTranslation", "RandomShear"])
@pytest.mark.parametrize("batched", [False, True])
def test_shifted_boxes(kind, batched):
    keras, ours = both()
    boxes = RNG.uniform(0, 9, (2, 3, 4) if batched else (3, 4)).astype("float32")
    offsets = RNG.normal(size=(2, 2, 1) if batched else (2, 1)).astype("float32")
    found = [
        getattr(lib.layers, kind)(0.1, 0.1).get_shifted_bbox({"boxes": boxes}, *offsets)["boxes"]
        for lib in (keras, ours)
    ]
    close(found[1], found[0])


@pytest.mark.parametrize("batched", [False, True])
def test_clipped_boxes(batched):
    keras, ours = both()
    boxes = RNG.uniform(0, 9, (2, 3, 4) if batched else (3, 4)).astype("float32")
    shape = (2, 1) if batched else (1,)
    window = [np.full(shape, n, "float32") for n in (7.0, 2.0, 8.0, 1.0)]
    found = [
        lib.layers.RandomZoom(0.1).get_clipped_bbox({"boxes": boxes}, *window)["boxes"]
        for lib in (keras, ours)
    ]
    close(found[1], found[0])


def test_strength_of_the_elastic_transform():
    keras, ours = both()
    found = [
        lib.layers.RandomElasticTransform().get_elastic_transform_params(40, 30, 0.7)
        for lib in (keras, ours)
    ]
    close(found[1], found[0])


# -- keras.utils.Progbar

BARS = {
    "plain": {},
    "averaged": {"stateless_metrics": ["loss"]},
    "as they are": {"stateful_metrics": ["loss", "small"]},
    "narrow": {"width": 7, "unit_name": "sample"},
    "one line": {"verbose": 2},
    "silent": {"verbose": 0},
    "no target": {"target": None},
}


def shown(lib, target=12, **options):
    """What a bar writes, without the times, which differ from run to run."""
    with redirect_stdout(io.StringIO()) as out:
        bar = lib.utils.Progbar(target, interval=0, **options)
        for i in range(1, 12):
            bar.update(i, [("loss", 1.0 / i), ("small", 1e-5 * i), ("negative", -0.5)])
        bar.add(1, [("loss", np.float32(0.25))])
    text = re.sub(r"\d+(ms|us|s)/", "T/", out.getvalue())
    return re.sub(r"\d+s", "T", text).replace(" ", "")


@pytest.mark.parametrize("case", BARS)
def test_progress_bar(case):
    keras, ours = both()
    assert _settled(shown(ours, **BARS[case])) == _settled(shown(keras, **BARS[case]))


def _settled(text):
    """Without the characters that go back over a line, whose number depends on the times."""
    return text.replace("\b", "")


# -- keras.saving.KerasFileEditor


def saved_by_keras(keras, folder):
    model = keras.Sequential([
        keras.layers.Input((5, 3)),
        keras.layers.LSTM(4),
        keras.layers.Dense(2),
        keras.layers.BatchNormalization(),
    ])  # fmt: skip
    model.compile("adam", "mse")
    model.fit(np.ones((4, 5, 3)), np.ones((4, 2)), verbose=0)
    model.save(folder / "m.keras")
    model.save_weights(folder / "m.weights.h5")
    return model


@pytest.mark.slow
def test_the_editor_reads_what_keras_wrote(tmp_path, capsys):
    keras, ours = both()
    saved_by_keras(keras, tmp_path)
    for name in ("m.keras", "m.weights.h5"):
        theirs = keras.saving.KerasFileEditor(str(tmp_path / name))
        mine = ours.saving.KerasFileEditor(str(tmp_path / name))
        assert mine.metadata == theirs.metadata and mine.config == theirs.config
        assert mine.object_metadata.items() >= theirs.object_metadata.items()
        for layer, weights in theirs.weights_dict["layers"].items():
            close(mine.weights_dict["layers"][layer], weights)
        close(mine.weights_dict["optimizer"], theirs.weights_dict["optimizer"])
        # Keras leaves it out: its own weights are none, they are its cell's.
        assert [w.shape for w in mine.weights_dict["layers"]["lstm"]["cell"].values()] == [
            (3, 16), (4, 16), (16,)
        ]  # fmt: skip
        mine.summary()
    assert "dense ('dense')" in capsys.readouterr().out


@pytest.mark.slow
def test_keras_reads_what_the_editor_wrote(tmp_path):
    keras, ours = both()
    model = saved_by_keras(keras, tmp_path)
    editor = ours.saving.KerasFileEditor(tmp_path / "m.weights.h5")
    kernel = RNG.normal(size=(4, 2)).astype("float32")
    editor.add_weights("layers/dense", {"0": kernel})
    editor.save(tmp_path / "n.weights.h5")
    model.load_weights(tmp_path / "n.weights.h5")
    np.testing.assert_array_equal(np.asarray(model.layers[1].kernel), kernel)
