"""FeatureSpace: values and files of Keras, models on its features, errors."""

import json
from pathlib import Path

import numpy as np
import pytest

import kerasish as k
from kerasish import layers
from kerasish.utils import FeatureSpace

GOLDEN = Path(__file__).parents[1] / "golden/preprocessing"
VALUES = json.loads((GOLDEN / "features.json").read_text(encoding="utf-8"))
ROWS = VALUES["inputs"]


def make(**options):
    space = FeatureSpace(
        {
            "plain": "float", "normal": "float_normalized", "word": "string_categorical",
            "scaled": FeatureSpace.float_rescaled(scale=2.0),
            "bins": FeatureSpace.float_discretized(3),
            "id": FeatureSpace.integer_categorical(max_tokens=4), "hashed": "integer_hashed",
            "letter": FeatureSpace.string_hashed(5),
        },
        crosses=[("word", "id"), FeatureSpace.cross(("letter", "hashed"), 7)], crossing_dim=6,
        hashing_dim=4, **options,
    )  # fmt: skip
    return space


def test_values_are_those_of_keras():
    space = make()
    space.adapt(ROWS)
    np.testing.assert_allclose(space(ROWS), VALUES["outputs"], rtol=1e-6)
    one = space({n: v[2] for n, v in ROWS.items()})
    np.testing.assert_allclose(one, VALUES["outputs"][2], rtol=1e-6)
    loaded = k.models.load_model(GOLDEN / "features.keras")
    np.testing.assert_allclose(loaded(ROWS), VALUES["outputs"], rtol=1e-6)


def test_adapting_to_batches_and_to_rows():
    batches = [{n: v[i : i + 2] for n, v in ROWS.items()} for i in (0, 2)]
    rows = [({n: v[i] for n, v in ROWS.items()}, 1) for i in range(4)]
    for data in (batches, iter(batches), rows):
        space = make()
        space.adapt(data)
        np.testing.assert_allclose(space(ROWS), VALUES["outputs"], rtol=1e-6)


def test_dictionaries_of_integers():
    space = FeatureSpace(
        {"s": FeatureSpace.string_categorical(output_mode="int"),
         "i": FeatureSpace.integer_hashed(3, output_mode="int")},
        crosses=[FeatureSpace.cross(("s", "i"), 5, "int")], output_mode="dict",
    )  # fmt: skip
    data = {"s": ["a", "b", "a"], "i": np.array([1, 2, 3])}
    space.adapt(data)
    found = space(data)
    assert sorted(found) == ["i", "s", "s_X_i"]
    assert found["s"].numpy().tolist() == [[1], [2], [1]]
    assert {x.shape for x in found.values()} == {(3, 1)}
    assert {x.shape for x in space({"s": "a", "i": 1}).values()} == {(1,)}


def test_a_model_on_encoded_features_trains_compiled_and_saves(tmp_path):
    space = make()
    space.adapt(ROWS)
    model = k.Model(space.get_inputs(), layers.Dense(1)(space.get_encoded_features()))
    model.compile("sgd", "mse", jit_compile=True)
    data = {n: np.array(v)[:, None] for n, v in ROWS.items()}
    losses = model.fit(data, np.ones((4, 1)), epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[0]
    model.save(tmp_path / "m.keras")
    loaded = k.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(
        loaded.predict(data, verbose=0), model.predict(data, verbose=0), rtol=1e-5
    )
    space.save(tmp_path / "s.keras")
    again = k.models.load_model(tmp_path / "s.keras")
    np.testing.assert_array_equal(again(ROWS), space(ROWS))


def test_a_layer_of_ones_own():
    text = layers.TextVectorization(output_mode="count")
    space = FeatureSpace({"t": FeatureSpace.feature("string", text, "float")}, output_mode="dict")
    space.adapt({"t": ["a b", "b c"]})
    assert space({"t": ["b b"]})["t"].numpy().tolist() == [[0, 2, 0, 0]]
    ready = FeatureSpace({"x": "float"})
    assert ready({"x": [1.0, 2.0]}).numpy().tolist() == [[1], [2]]


REFUSED = [
    ("adapt", lambda: make()(ROWS)),
    ("adapt", lambda: make().get_inputs()),
    ("empty", lambda: FeatureSpace({})),
    ("Invalid feature type", lambda: FeatureSpace({"a": "x"})),
    ("output_mode", lambda: FeatureSpace({"a": "float"}, output_mode="x")),
    ("unknown features", lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")])),
    ("output_mode", lambda: FeatureSpace.cross(("a", "b"), 3, "x")),
    ("output_mode", lambda: FeatureSpace.feature("int32", None, "x")),
    ("dict of arrays", lambda: make().adapt([1])),
    ("with a dict", lambda: FeatureSpace({"a": "float"})([1])),
    ("has not been encoded", lambda: FeatureSpace(
        {"s": FeatureSpace.string_categorical(output_mode="int")}).adapt({"s": ["a"]})),
    ("integer dtype", lambda: FeatureSpace({"a": FeatureSpace.feature(
        "float32", layers.Rescaling(1.0), "one_hot")}).get_inputs()),
]  # fmt: skip


@pytest.mark.parametrize("words, run", REFUSED)
def test_refused(words, run):
    with pytest.raises(ValueError, match=words):
        run()
