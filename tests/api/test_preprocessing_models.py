"""Models that take text: their first layers run on values, the rest is compiled."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest

import kerasish as k
import kerasish_core as core
from kerasish import layers

GOLDEN = Path(__file__).parents[1] / "golden/preprocessing"
TEXTS = np.array(["good movie", "bad film", "good film yes", "awful bad"] * 10)
LABELS = np.array([1.0, 0.0, 1.0, 0.0] * 10)


def text_model(**options):
    vectorize = layers.TextVectorization(output_sequence_length=5)
    vectorize.adapt(TEXTS)
    model = k.Sequential(
        [
            k.Input((1,), dtype="string"),
            vectorize,
            layers.Embedding(vectorize.vocabulary_size(), 4, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(k.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"], **options)
    return model


def test_text_classifier_learns_compiled_as_eagerly():
    histories = []
    for options in ({"jit_compile": True}, {"run_eagerly": True}):
        k.utils.set_random_seed(0)
        model = text_model(**options)
        data = {"validation_data": (TEXTS, LABELS), "epochs": 4, "shuffle": False, "verbose": 0}
        histories.append(model.fit(TEXTS, LABELS, **data).history)
        assert model.run_eagerly is bool(options.get("run_eagerly"))
    assert histories[0]["val_accuracy"][-1] == 1
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-4, err_msg=name)


def test_text_of_known_length_is_read_once_for_all_epochs(monkeypatch):
    calls = []
    indices = layers.StringLookup.indices
    monkeypatch.setattr(
        layers.StringLookup, "indices", lambda self, x: calls.append(1) or indices(self, x)
    )
    model = text_model()
    model.fit(TEXTS, LABELS, epochs=3, verbose=0, validation_data=(TEXTS, LABELS))
    assert len(calls) == 2
    calls.clear()
    free = layers.TextVectorization(vocabulary=["good"])  # as long as the longest of a batch
    model = k.Sequential([k.Input((), dtype="string"), free, *model.layers[1:]])
    model.compile("sgd", "mse")
    model.fit(TEXTS, LABELS, epochs=3, verbose=0)
    assert len(calls) >= 6


def test_every_way_to_run_it_agrees():
    model = text_model(jit_compile=True)
    expected = model.predict(TEXTS[:6], verbose=0)
    assert expected.shape == (6, 1)
    for x in (TEXTS[:6, None], TEXTS[:6].astype(object), TEXTS[:6].tolist()):
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(TEXTS[:6]), expected, rtol=1e-5)
    np.testing.assert_allclose(model(TEXTS[:6, None]), expected, rtol=1e-5)
    batches = [(TEXTS[i : i + 2], LABELS[i : i + 2]) for i in (0, 2, 4)]
    np.testing.assert_allclose(model.predict(iter(batches), verbose=0), expected, rtol=1e-5)
    figures = model.evaluate(TEXTS[:6], LABELS[:6], verbose=0)
    np.testing.assert_allclose(model.test_on_batch(TEXTS[:6], LABELS[:6]), figures, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(iter(batches), verbose=0), figures, rtol=1e-5)
    assert model.compute_output_shape((None, 1)) == (None, 1)


def test_text_layers_called_in_a_pipeline_before_fit():
    lookup = layers.StringLookup(output_mode="multi_hot")
    lookup.adapt(np.char.split(TEXTS).tolist()[0])
    vectorize = layers.TextVectorization(output_mode="count")
    vectorize.adapt(TEXTS)
    model = k.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=True)
    history = model.fit(((vectorize(TEXTS), LABELS) for _ in range(3)), verbose=0)
    assert np.isfinite(history.history["loss"][0])


def test_several_inputs():
    words, numbers = k.Input((1,), dtype="string", name="w"), k.Input((3,), name="n")
    ids = k.Input((1,), dtype="int64", name="i")
    one_hot = layers.StringLookup(vocabulary=["x", "y"], output_mode="one_hot")
    known = layers.IntegerLookup(vocabulary=[5, 6, 7], output_mode="one_hot")
    parts = [one_hot(words), layers.Rescaling(0.5)(numbers), known(ids)]
    assert [p.shape for p in parts] == [(None, 3), (None, 3), (None, 4)]
    joined = layers.Concatenate()(parts)
    model = k.Model({"w": words, "n": numbers, "i": ids}, [layers.Dense(1)(joined), joined])
    data = {"w": np.array([["x"], ["q"]]), "n": np.ones((2, 3)), "i": np.array([[5], [9]])}
    model.compile(jit_compile=True)
    _, found = model.predict(data, verbose=0)
    np.testing.assert_array_equal(
        found, [[0, 1, 0, 0.5, 0.5, 0.5, 0, 1, 0, 0], [1, 0, 0, 0.5, 0.5, 0.5, 1, 0, 0, 0]]
    )
    assert found.dtype == "float32"


def test_models_inside_models():
    inner = text_model()
    outer = k.Sequential([inner, layers.Rescaling(2.0)])
    expected = 2 * inner.predict(TEXTS[:3], verbose=0)
    np.testing.assert_allclose(outer.predict(TEXTS[:3], verbose=0), expected, rtol=1e-5)
    x = k.Input((), dtype="string")
    head = k.Model(x, layers.TextVectorization(vocabulary=["good"], output_mode="count")(x))
    y = k.Input((), dtype="string")
    whole = k.Model(y, layers.Dense(2)(head(y)))
    whole.compile("sgd", "mse", jit_compile=True)
    whole.fit(TEXTS, np.ones((40, 2)), verbose=0)


def test_subclassed_and_unbuilt_models_take_text():
    class Own(k.Model):
        def __init__(self):
            super().__init__()
            self.vectorize = layers.TextVectorization(vocabulary=["good", "bad"])
            self.embed, self.dense = layers.Embedding(9, 2), layers.Dense(1)

        def call(self, x):
            return self.dense(k.ops.mean(self.embed(self.vectorize(x)), 1))

    model = Own()
    model.compile("sgd", "mse")
    losses = model.fit(TEXTS, LABELS, epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0]
    assert model.predict(TEXTS, verbose=0).shape == (40, 1)
    count = layers.TextVectorization(vocabulary=["good"], output_mode="count")
    assert k.Sequential([count, layers.Dense(2)]).predict(TEXTS, verbose=0).shape == (40, 2)


def test_text_comes_out():
    x = k.Input((2,), dtype="int64")
    names = layers.StringLookup(vocabulary=["cat", "dog"], invert=True)(x)
    assert names.dtype == "string"
    model = k.Model(x, names)
    found = model.predict(np.array([[1, 2], [0, 1]]), verbose=0)
    assert found.tolist() == [["cat", "dog"], ["[UNK]", "cat"]]


def test_trained_weights_before_a_lookup_are_left_to_eager_steps():
    x = k.Input((2,))
    classes = layers.Lambda(lambda v: k.ops.argmax(v, -1))(layers.Dense(3)(x))
    model = k.Model(x, layers.StringLookup(vocabulary=["a", "b"], invert=True)(classes))
    with pytest.warns(UserWarning, match="runs eagerly"):
        found = model.predict(np.ones((2, 2)), verbose=0)
    assert found.shape == (2,)
    assert found[0] in ("[UNK]", "a", "b")


def test_saved_models_keep_vocabularies(tmp_path):
    model = text_model()
    model.fit(TEXTS, LABELS, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = k.models.load_model(tmp_path / "m.keras")
    assert loaded.layers[0].get_vocabulary() == model.layers[0].get_vocabulary()
    np.testing.assert_allclose(
        loaded.predict(TEXTS[:4], verbose=0), model.predict(TEXTS[:4], verbose=0), rtol=1e-6
    )


VALUES = json.loads((GOLDEN / "models.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", VALUES)
def test_models_of_keras_are_read(name):
    model = k.models.load_model(GOLDEN / f"{name}.keras")
    inputs = [np.array(x) for x in VALUES[name]["inputs"]]
    found = model.predict(inputs[0] if len(inputs) == 1 else inputs, verbose=0)
    np.testing.assert_allclose(found, VALUES[name]["outputs"], rtol=1e-5, atol=1e-6)


def test_vocabulary_files(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("x\nÿ\n", encoding="utf-8")
    layer = layers.StringLookup(vocabulary=str(path))
    assert layer.get_vocabulary() == ["[UNK]", "x", "ÿ"]
    assert layer.get_config()["vocabulary"] is None
    path.write_text("4\n7", encoding="utf-8")
    assert layers.IntegerLookup(vocabulary=str(path)).get_vocabulary(False) == [4, 7]
    with k.saving.CustomObjectScope({}), pytest.raises(ValueError, match="safe_mode"):
        config = {**layer.get_config(), "vocabulary": str(path)}
        k.saving.deserialize_keras_object(
            {"module": "keras.layers", "class_name": "StringLookup", "config": config,
             "registered_name": None}
        )  # fmt: skip


REFUSED = [
    (ValueError, "greater than 1", lambda: layers.StringLookup(max_tokens=1)),
    (ValueError, "does not exist", lambda: layers.StringLookup(vocabulary="/none")),
    (ValueError, "max_tokens", lambda: layers.StringLookup(pad_to_max_tokens=True)),
    (ValueError, "num_oov_indices", lambda: layers.StringLookup(num_oov_indices=-1)),
    (ValueError, "salt", lambda: layers.StringLookup(salt="x")),
    (ValueError, "oov_method", lambda: layers.IntegerLookup(salt=1)),
    (ValueError, "oov_method", lambda: layers.IntegerLookup(oov_method="x")),
    (ValueError, "Unrecognized", lambda: layers.StringLookup(foo=1)),
    (ValueError, "invert", lambda: layers.StringLookup(invert=True, output_mode="count")),
    (ValueError, "idf_weights", lambda: layers.StringLookup(idf_weights=[1.0])),
    (ValueError, "idf_weights",
     lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf")),
    (ValueError, "same length", lambda: layers.StringLookup(
        vocabulary=["a"], output_mode="tf_idf", idf_weights=[1.0, 2])),
    (ValueError, "repeated", lambda: layers.StringLookup(vocabulary=["a", "a"])),
    (ValueError, "empty", lambda: layers.StringLookup(vocabulary=[])),
    (ValueError, "larger", lambda: layers.StringLookup(max_tokens=2, vocabulary=["a", "b"])),
    (ValueError, "mask token", lambda: layers.StringLookup(vocabulary=["a", ""], mask_token="")),
    (ValueError, "OOV", lambda: layers.IntegerLookup(vocabulary=[1, -1], invert=True)),
    (ValueError, "static", lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"])),
    (ValueError, "no vocabulary", lambda: layers.StringLookup()(["a"])),
    (RuntimeError, "no vocabulary", lambda: layers.StringLookup(output_mode="count")(["a"])),
    (RuntimeError, "cannot be changed", lambda: layers.StringLookup(
        vocabulary=["a"], output_mode="count").set_vocabulary(["x", "y"])),
    (ValueError, "num_oov_indices=0", lambda: layers.StringLookup(
        num_oov_indices=0, vocabulary=["a"])(["z"])),
    (TypeError, "Text", lambda: layers.StringLookup(vocabulary=["a"])([1])),
    (ValueError, "different lengths", lambda: layers.StringLookup(vocabulary=["a"])(
        [["a"], ["a", "b"]])),
    (ValueError, "StringLookup", lambda: layers.IntegerLookup(vocabulary=["a"])),
    (ValueError, "int64", lambda: layers.IntegerLookup(vocabulary_dtype="int32")),
    (ValueError, "sparse", lambda: layers.StringLookup(output_mode="count", sparse=True)),
    (ValueError, "num_bins", lambda: layers.Hashing(0)),
    (ValueError, "dtype", lambda: layers.Hashing(2, dtype="float32")),
    (ValueError, "output_mode", lambda: layers.Hashing(2, output_mode="x")),
    (ValueError, "salt", lambda: layers.Hashing(2, salt=(1, 2, 3))),
    (ValueError, "sparse", lambda: layers.Hashing(2, output_mode="count", sparse=True)),
    (ValueError, "at least two", lambda: layers.HashedCrossing(5)([["A"]])),
    (ValueError, "list or tuple", lambda: layers.HashedCrossing(5)(np.array(["A"]))),
    (ValueError, "integer or string", lambda: layers.HashedCrossing(5)([["A"], [1.0]])),
    (ValueError, "equal shape", lambda: layers.HashedCrossing(5)([["A"], [1, 2]])),
    (ValueError, "batch_size", lambda: layers.HashedCrossing(5)([[["A", "b"]], [[1, 2]]])),
    (ValueError, "output_mode", lambda: layers.HashedCrossing(5, "count")),
    (ValueError, "ngrams", lambda: layers.TextVectorization(ngrams="a")),
    (ValueError, "standardize", lambda: layers.TextVectorization(standardize="x")),
    (ValueError, "split", lambda: layers.TextVectorization(split="x")),
    (ValueError, "output_mode", lambda: layers.TextVectorization(output_mode="x")),
    (ValueError, "sequence_length", lambda: layers.TextVectorization(output_sequence_length="x")),
    (ValueError, "sequence_length", lambda: layers.TextVectorization(
        output_mode="count", output_sequence_length=1)),
    (ValueError, "ragged", lambda: layers.TextVectorization(output_mode="count", ragged=True)),
    (ValueError, "last shape", lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]])),
    (core.DTypeError, "numbers", lambda: layers.Dense(2)(np.array([["a"]]))),
]  # fmt: skip


@pytest.mark.parametrize("kind, words, run", REFUSED)
def test_refused(kind, words, run):
    with pytest.raises(kind, match=words):
        run()


def test_own_functions_and_ragged_results():
    layer = layers.TextVectorization(
        standardize=np.char.upper, split=lambda texts: np.char.split(texts, "-"),
        vocabulary=["A", "B"], ragged=True,
    )  # fmt: skip
    assert [row.tolist() for row in layer(["a-b", "b"])] == [[2, 3], [3]]
    rows = layers.TextVectorization(vocabulary=["a"], output_mode="one_hot")(["a b", "b"])
    assert [row.tolist() for row in rows] == [[[0, 1], [1, 0]], [[1, 0]]]


def test_bytes_pandas_and_empty_batches():
    layer = layers.StringLookup(vocabulary=["a", "é"])
    assert layer(np.array([b"a", "é".encode()])).numpy().tolist() == [1, 2]
    assert layer(np.array([b"a", "é"], object)).numpy().tolist() == [1, 2]
    latin = layers.StringLookup(vocabulary=["é"], encoding="latin-1")
    assert latin(np.array(["é".encode("latin-1")])).numpy().tolist() == [1]
    assert layer(np.zeros((0, 2), "<U3")).shape == (0, 2)
    assert layer(pandas.Series(["é", "z"])).numpy().tolist() == [2, 0]
    vectorize = layers.TextVectorization(vocabulary=["a"])
    assert vectorize(np.zeros((0,), "<U1")).shape == (0, 0)


def test_digits_are_looked_up_as_integers():
    layer = layers.IntegerLookup(vocabulary=[12, 36, 7])
    assert layer(np.array(["36", "7", "5"])).numpy().tolist() == [2, 3, 0]
    with pytest.raises(ValueError, match="takes integers"):
        layer(np.array(["36", "a"]))
