"""kerasish.utils."""

import random as python_random

import numpy as np
import pytest

from kerasish import Input, layers, ops, utils
from kerasish import random as kerasish_random


def test_to_categorical():
    np.testing.assert_array_equal(utils.to_categorical([0, 2, 1]), np.eye(3)[[0, 2, 1]])
    assert utils.to_categorical([0, 2], 4).shape == (2, 4)
    assert utils.to_categorical([[0], [2]]).shape == (2, 3)
    assert utils.to_categorical([[0, 1], [2, 1]]).shape == (2, 2, 3)
    assert utils.to_categorical(np.array([1.0, 0.0])).tolist() == [[0, 1], [1, 0]]
    with pytest.raises(IndexError):
        utils.to_categorical([0, 5], 3)


def test_normalize():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(utils.normalize(x), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(utils.normalize(x, axis=0), [[1, 1], [0, 0]])
    np.testing.assert_allclose(utils.normalize(x, order=1), [[3 / 7, 4 / 7], [0, 0]])


def test_pad_sequences():
    rows = [[1], [2, 3], [4, 5, 6]]
    assert utils.pad_sequences(rows).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    assert utils.pad_sequences(rows, padding="post", value=9).tolist()[0] == [1, 9, 9]
    assert utils.pad_sequences(rows, maxlen=2).tolist() == [[0, 1], [2, 3], [5, 6]]
    assert utils.pad_sequences(rows, 2, truncating="post").tolist()[2] == [4, 5]
    assert utils.pad_sequences([[[1, 2]], [[3, 4], [5, 6]]]).shape == (2, 2, 2)
    assert utils.pad_sequences(rows, dtype="float32").dtype == np.float32
    assert utils.pad_sequences([[], [1]]).tolist() == [[0], [1]]
    with pytest.raises(ValueError, match="iterable"):
        utils.pad_sequences(3)
    with pytest.raises(ValueError, match="non-iterable: 1"):
        utils.pad_sequences([1])
    with pytest.raises(ValueError, match="sideways"):
        utils.pad_sequences(rows, padding="sideways")
    with pytest.raises(ValueError, match="position 1 is different"):
        utils.pad_sequences([[[1, 2]], [[3]]])


def test_set_random_seed_makes_all_generators_repeat():
    def draw():
        utils.set_random_seed(7)
        layer = layers.Dense(3)
        layer.build((None, 2))
        return (
            python_random.random(), np.random.random(),
            np.asarray(kerasish_random.normal((3,))), layer.get_weights()[0],
        )  # fmt: skip

    for a, b in zip(draw(), draw(), strict=True):
        np.testing.assert_array_equal(a, b)
    for seed in (-1, 2**32, 1.5, "a"):
        with pytest.raises(ValueError, match="seed"):
            utils.set_random_seed(seed)


def test_batches():
    assert utils.unpack_x_y_sample_weight((1, 2)) == (1, 2, None)
    assert utils.unpack_x_y_sample_weight(1) == (1, None, None)
    assert utils.unpack_x_y_sample_weight([1, 2, 3]) == (1, 2, 3)
    with pytest.raises(ValueError, match="tuple of 4"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))
    assert utils.pack_x_y_sample_weight(1) == 1
    assert utils.pack_x_y_sample_weight([1]) == ([1],)
    assert utils.pack_x_y_sample_weight(1, 2) == (1, 2)
    assert utils.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)


def test_symbolic_helpers():
    a, b = Input((2,)), Input((2,))
    y = layers.Dense(1)(ops.relu(a) + b)
    assert utils.is_keras_tensor(y) and not utils.is_keras_tensor(np.ones(2))
    assert {id(t) for t in utils.get_source_inputs(y)} == {id(a), id(b)}
    assert utils.standardize_dtype(None) == "float32"
    assert utils.standardize_dtype(np.float64) == "float64"


def test_config():
    config = utils.Config(a=1, b="x")
    config.c = 3
    config["d"] = 4
    del config.a
    assert config.c == 3 and "a" not in config and len(config) == 3
    assert config.as_dict() == {"b": "x", "c": 3, "d": 4} == dict(config.items())
    assert config.pop("d") == 4 and config.get("d", 0) == 0
    config.freeze()
    assert config.frozen
    with pytest.raises(ValueError, match="frozen"):
        config.e = 5
    config.unfreeze()
    config.update(e=5)
    assert config.to_json() == '{"b": "x", "c": 3, "e": 5}'
    with pytest.raises(AttributeError, match="nothing"):
        _ = config.nothing


def test_sequence_is_pydataset():
    assert utils.Sequence is utils.PyDataset


def test_normalize_of_lists():
    found = utils.normalize([3.0, 4.0])
    assert found.shape == (2,) and found.dtype == "float32"
    assert np.allclose(found, [0.6, 0.8])
    with pytest.raises(ValueError, match="order"):
        utils.normalize([3.0, 4.0], order=np.inf)
    assert utils.normalize(np.array([3.0, 4.0])).shape == (1, 2)
