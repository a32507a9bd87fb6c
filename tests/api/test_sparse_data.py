"""SciPy's sparse matrices as data: the same numbers as densely."""

import numpy as np
import pytest
import scipy.sparse

import kerasish
from kerasish import layers, models, ops
from kerasish.training import data

DENSE = np.random.default_rng(0).random((16, 5)).astype("float32")
DENSE[DENSE < 0.6] = 0
TARGETS = DENSE[:, :1] * 2


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "coo_matrix", "csr_array"])
def test_fit_evaluate_predict(kind, large, monkeypatch):
    if large:  # stays sparse
        monkeypatch.setattr(data, "_DENSE", 0)
    matrix = getattr(scipy.sparse, kind)(DENSE)
    found = []
    for x in (matrix, DENSE):
        kerasish.utils.set_random_seed(0)
        model = models.Sequential(
            [layers.Input((5,), sparse=x is matrix), layers.Dense(3), layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        logs = model.fit(x, TARGETS, batch_size=4, epochs=2, validation_split=0.25, verbose=0)
        found.append([
            logs.history["loss"], logs.history["val_loss"], model.predict(x, verbose=0),
            model.evaluate(x, TARGETS, verbose=0),
        ])  # fmt: skip
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_more_rows_than_memory_holds_densely():
    matrix = scipy.sparse.csr_matrix(([1.0], ([7], [3])), (1 << 24, 1 << 16), dtype="float64")
    model = models.Sequential([layers.Input((1 << 16,)), layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    model.fit(matrix, np.zeros(1 << 24), batch_size=8, steps_per_epoch=2, shuffle=False, verbose=0)
    found = model.predict(matrix, batch_size=8, steps=1, verbose=0)[:, 0]
    assert found[7] == model.weights[0].numpy()[3, 0] and not found[:7].any()


def test_sparse_among_several_inputs_and_ids():
    ids = scipy.sparse.csr_matrix((DENSE > 0).astype("int32"))
    a, b = layers.Input((5,), dtype="int32", sparse=True), layers.Input((5,))
    assert a.sparse
    hidden = layers.Flatten()(layers.Embedding(2, 3)(a))
    model = models.Model([a, b], layers.Dense(1)(layers.Concatenate()([hidden, b])))
    expected = model.predict([ids.toarray(), DENSE], verbose=0)
    np.testing.assert_array_equal(model.predict([ids, DENSE], verbose=0), expected)
    config = model.get_config()["layers"][0]["config"]
    assert config["sparse"] is True
    twin = models.Model.from_config(model.get_config())
    assert twin.inputs[0].sparse


def test_tensors():
    matrix = scipy.sparse.csr_matrix(DENSE)
    for sparse in (None, True, False):
        np.testing.assert_array_equal(ops.convert_to_tensor(matrix, sparse=sparse), DENSE)
    assert ops.convert_to_tensor(matrix, "float64").dtype.name == "float64"
    with pytest.raises(ValueError, match="ragged"):
        ops.convert_to_tensor(DENSE, ragged=True)
    with pytest.raises(ValueError, match="ragged"):
        layers.Input((5,), ragged=True)
