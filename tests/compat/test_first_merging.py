"""Merging of Keras 1: `merge`, `Merge`, and a `Sequential` that begins with branches."""

from __future__ import annotations

import copy
import json
import pickle
import warnings

import h5py
import numpy as np
import pytest
from first_programs import data, layer_entry

import kerasish as keras
from kerasish import layers, models
from kerasish.compat import generation

pytestmark = pytest.mark.usefixtures("generation_1")


def two(size=4):
    left = models.Sequential([layers.Dense(size, input_dim=3)])
    right = models.Sequential([layers.Dense(size, input_shape=(2,)), layers.Activation("tanh")])
    return left, right


MODES = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
    "max": np.maximum,
    "concat": lambda a, b: np.concatenate([a, b], 1),
    "dot": lambda a, b: (a * b).sum(1, keepdims=True),
    "cos": lambda a, b: (
        (a * b).sum(1, keepdims=True)
        / np.linalg.norm(a, axis=1, keepdims=True) / np.linalg.norm(b, axis=1, keepdims=True)
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_merging(mode):
    a, b = data(5, 5)
    wanted = MODES[mode](a, b)
    first, second = layers.Input((5,)), layers.Input(shape=(5,))
    model = models.Model(input=[first, second], output=layers.merge([first, second], mode=mode))
    np.testing.assert_allclose(model.predict([a, b], verbose=0), wanted, rtol=1e-5, atol=1e-6)
    left, right = two()
    joined = models.Sequential([layers.Merge([left, right], mode=mode)])
    x, y = data(3, 2)
    wanted = MODES[mode](left.predict(x, verbose=0), right.predict(y, verbose=0))
    np.testing.assert_allclose(joined.predict([x, y], verbose=0), wanted, rtol=1e-4, atol=1e-5)
    assert joined.output_shape == (None, *wanted.shape[1:])


def test_merging_by_a_function():
    a, b = data(5, 5)
    first, second = layers.Input((5,)), layers.Input((5,))
    out = layers.merge(
        [first, second], mode=lambda pair, times: pair[0] - times * pair[1],
        arguments={"times": 2.0}, output_shape=(5,),
    )  # fmt: skip
    model = models.Model([first, second], out)
    np.testing.assert_allclose(model.predict([a, b], verbose=0), a - 2 * b, rtol=1e-6)
    same = layers.Merge(mode="sum")([first, second])
    assert same.shape == (None, 5)


def test_a_sequential_that_begins_with_branches():
    keras.utils.set_random_seed(1)
    left, right = two()
    model = models.Sequential()
    model.add(layers.Merge([left, right], mode="concat"))
    model.add(layers.Dense(6, activation="relu"))
    model.add(layers.Dense(1))
    assert len(model.inputs) == 2
    assert len(model.layers) == 3
    assert model.count_params() == left.count_params() + right.count_params() + 8 * 6 + 6 + 7
    x, y = data(3, 2)
    target = x.sum(1, keepdims=True) - y.sum(1, keepdims=True)
    model.compile("adam", "mse")
    before = [w.copy() for w in left.get_weights()]
    history = model.fit([x, y], target, nb_epoch=150, verbose=0)
    assert history.history["loss"][-1] < 0.3 * history.history["loss"][0]
    assert np.abs(left.get_weights()[0] - before[0]).max() > 1e-3, "branches are trained too"
    model.pop()
    assert model.output_shape == (None, 6)


def joined_models():
    """Beginnings with branches: models, branches of branches, bare layers, a function."""
    inner = models.Sequential([layers.Merge(list(two()), mode="sum")])
    outer = models.Sequential([layers.Merge([inner, two()[0]], mode="concat"), layers.Dense(2)])
    bare = [layers.Dense(4, input_dim=3), layers.Embedding(5, 4, input_length=1)]
    flat = models.Sequential([bare[1], layers.Flatten()])
    mixed = models.Sequential([layers.Merge([bare[0], flat], mode="mul"), layers.Dense(1)])
    by_function = models.Sequential(
        [layers.Merge(list(two()), mode=lambda pair: pair[0] - pair[1], output_shape=(4,))]
    )
    numbers = np.array([[i % 5] for i in range(16)])
    return {
        "nested": (outer, data(3, 2, 3)),
        "bare": (mixed, [*data(3), numbers]),
        "function": (by_function, data(3, 2)),
    }


@pytest.mark.parametrize("kind", ["nested", "bare", "function"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_beginning_with_branches_goes_to_a_file_and_back(kind, ending, tmp_path):
    model, inputs = joined_models()[kind]
    model.compile("adam", "mse")
    wanted = model.predict(inputs, verbose=0)
    model.fit(inputs, wanted + 1, nb_epoch=2, verbose=0)
    path = str(tmp_path / f"model.{ending}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The object being serialized includes a `lambda`")
        model.save(path)
    if kind == "function":
        with pytest.raises(ValueError, match="safe_mode=False"):
            models.load_model(path)
    generation.set_generation(3)  # a program of today reads it too
    again = models.load_model(path, safe_mode=False)
    generation.set_generation(1)
    assert [x.name for x in again.layers] == [x.name for x in model.layers]
    np.testing.assert_array_equal(
        again.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
    )
    targets = wanted + 1
    kept = [m.fit(inputs, targets, nb_epoch=2, verbose=0, shuffle=False) for m in (model, again)]
    np.testing.assert_allclose(kept[1].history["loss"], kept[0].history["loss"], rtol=1e-5)


def test_copies_of_a_beginning_with_branches():
    model, inputs = joined_models()["nested"]
    wanted = model.predict(inputs, verbose=0)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    clone = models.clone_model(model)
    clone.set_weights(model.get_weights())
    for twin in (*copies, again, clone):
        assert len(twin.inputs) == 3
        np.testing.assert_array_equal(twin.predict(inputs, verbose=0), wanted)
        twin.add(layers.Dense(7))
        assert twin.output_shape == (None, 7)
    assert model.output_shape == (None, 2), "the copies are none of it"


def test_a_file_of_keras_1_with_branches(tmp_path):
    """Its layers are those of the branches in place of the Merge."""
    model, inputs = joined_models()["bare"]
    path = str(tmp_path / "weights.h5")
    model.save_weights(path)
    with h5py.File(path) as file:
        names = list(file.attrs["layer_names"])
    branches = model.layers[0].branches
    assert names == [branches[0].name, *(x.name for x in branches[1].layers), model.layers[1].name]

    def dense(name, size, **more):
        return layer_entry(name, "Dense", None, output_dim=size, **more)

    stack = [
        {"class_name": "Merge", "config": {
            "name": "m", "mode": "mul", "mode_type": "raw", "concat_axis": -1, "dot_axes": -1,
            "output_shape": None, "output_shape_type": "raw", "output_mask": None,
            "output_mask_type": "raw", "arguments": {}, "layers": [
                {"class_name": "Sequential", "config": [
                    dense("left", 4, batch_input_shape=[None, 3])]},
                {"class_name": "Sequential", "config": [
                    layer_entry("e", "Embedding", None, output_dim=4, input_dim=5, init="uniform",
                                input_length=1, W_regularizer=None, batch_input_shape=[None, 1],
                                mask_zero=False, input_dtype="int32", dropout=0.0),
                    layer_entry("f", "Flatten", None)]},
            ]}},
        dense("top", 1),
    ]  # fmt: skip
    text = json.dumps({"class_name": "Sequential", "keras_version": "1.2.2", "config": stack})
    old = models.model_from_json(text)
    old.load_weights(path)
    np.testing.assert_array_equal(old.predict(inputs, verbose=0), model.predict(inputs, verbose=0))


def test_branches_of_branches():
    inner = models.Sequential([layers.Merge(list(two()), mode="sum")])
    model = models.Sequential(
        [layers.Merge([inner, models.Sequential([layers.Dense(4, input_dim=5)])])]
    )
    assert model.predict(data(3, 2, 5), verbose=0).shape == (16, 4)


def test_wrong_merges():
    with pytest.raises(ValueError, match="Invalid merge mode: 'plus'"):
        layers.Merge(mode="plus")
    with pytest.raises(ValueError, match="at least 2 branches"):
        layers.Merge([two()[0]])
    with pytest.raises(ValueError, match="does not know its input's shape"):
        models.Sequential([layers.Merge([models.Sequential([layers.Dense(2)])] * 2)])
    with pytest.raises(ValueError, match="can only be the first layer"):
        models.Sequential([layers.Dense(2, input_dim=3), layers.Merge(list(two()))])
