"""Text, vocabularies and hashes: the values that Keras on TensorFlow computes, from a file."""

import json
from pathlib import Path

import numpy as np
import pytest

import kerasish_core as core
from kerasish import layers

CASES = json.loads(
    (Path(__file__).parents[1] / "golden/preprocessing/cases.json").read_text(encoding="utf-8")
)


def make(case):
    options = dict(case["options"])
    if isinstance(options.get("ngrams"), list):
        options["ngrams"] = tuple(options["ngrams"])
    layer = getattr(layers, case["layer"])(**options, name="layer")
    as_data = np.array if case["layer"] == "Discretization" else list
    if case["adapt"] is not None:
        layer.adapt(as_data(case["adapt"]))
    if case["batches"] is not None:
        layer.adapt(as_data(b) for b in case["batches"])
    return layer


def check(case, found):
    expected = np.array(case["result"], object if case["dtype"] == "string" else case["dtype"])
    assert np.shape(found) == expected.shape
    if case["dtype"] == "string":
        assert np.asarray(found).tolist() == expected.tolist()
        return
    assert core.dtypes.name_of(found.dtype) == case["dtype"]
    np.testing.assert_allclose(found.numpy(), expected, rtol=2e-7)


@pytest.mark.parametrize("kind", sorted({c["layer"] for c in CASES}))
def test_values_vocabulary_and_config(kind):
    mine = [c for c in CASES if c["layer"] == kind]
    for case in mine:
        layer = make(case)
        inputs = case["call"]
        if kind == "Discretization":
            inputs = np.array(inputs, "float32")
        check(case, layer(inputs))
        assert json.loads(json.dumps(layer.get_config())) == case["config"]
        if "vocabulary" in case:
            assert layer.get_vocabulary() == case["vocabulary"]
            assert layer.vocabulary_size() == len(case["vocabulary"])
        # A layer made of Keras's config, with the state put back.
        twin = type(layer).from_config(case["config"])
        if case["config"].get("vocabulary", 0) is None:
            weights = getattr(layer, "_lookup_layer", layer).idf_weights
            count = len(case["vocabulary"])
            twin.set_vocabulary(case["vocabulary"], None if weights is None else weights[:count])
        check(case, twin(inputs))


def test_there_are_many_cases():
    assert len(CASES) > 140
