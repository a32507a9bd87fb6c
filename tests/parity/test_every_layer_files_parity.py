"""Every public layer goes through `.keras` files, from Keras to here and back, in each of the
configurations of `layers_table/`: one model of all cases of a layer."""

import contextlib

import keras
import numpy as np
import pytest
from layer_pairs import both
from layers_table import basic, convolutional, preprocessing, recurrent
from layers_table.entries import TABLE

import kerasish
import kerasish_core as core

pytestmark = [
    pytest.mark.parity,
    # Keras's own, on NumPy 2
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning"),
]
FAMILIES = (basic, convolutional, preprocessing, recurrent)  # each fills the table
FAST = ("PReLU",)
# What Keras makes no file of that it can read itself: tested below.
UNREADABLE = {
    "Equalization": lambda k: k.layers.Equalization(),
    "RandomShear": lambda k: k.layers.RandomShear(0.3, 0.2),
}


def saved_cases(name):
    """Those that a functional model can hold, with results that are not drawn, and that Keras
    computes and describes as it says itself."""
    return [
        case for case in TABLE[name]
        if case.symbolic and not (case.random and case.call.get("training"))
        and not any(k == "values" or k.startswith("descriptions: ") for k in case.differs)
    ]  # fmt: skip


def scramble(*models):
    """The same values in all of them; positive ones, since some are variances."""
    rng = np.random.default_rng(7)
    values = [rng.uniform(0.1, 0.9, w.shape).astype(w.dtype) for w in models[0].get_weights()]
    for model in models:
        model.set_weights(values)


def model_of(k, cases):
    """One model of all cases, each with inputs of its own."""
    inputs, outputs = [], []
    for case in cases:
        own = [k.Input(batch_shape=x.shape, dtype=x.dtype.name) for x in case.tensors()]
        args, kwargs = case.arguments(own)
        inputs += own
        outputs += core.tree.flatten(case.make(k)(*args, **kwargs))
    return k.Model(inputs, [y for y in outputs if y is not None])


def results(model, x):
    """Of Keras by one compiled call: its eager ones compile every operation."""
    if isinstance(model, keras.Model):
        found = model.predict_on_batch(x)
    else:
        found = model([core.convert(v) for v in x], training=False)
    return [np.asarray(y, "float32") for y in core.tree.flatten(found)]


def same(found, expected, tolerance):
    assert len(found) == len(expected) > 0
    for a, b in zip(found, expected, strict=True):
        scale = max(np.abs(b).max(initial=0), 1.0)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def over(names):
    return pytest.mark.parametrize(
        "name", [pytest.param(n, marks=[] if n in FAST else [pytest.mark.slow]) for n in names]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_keras_can_not_read_is_read_here(name, tmp_path):
    x = np.random.default_rng(0).uniform(0, 255, (2, 8, 6, 3)).astype("float32")
    models = []
    for k in both():
        with pytest.raises(Exception) if k is keras else contextlib.nullcontext():
            inputs = k.Input((8, 6, 3))
            model = k.Model(inputs, UNREADABLE[name](k)(inputs))
            model.save(tmp_path / f"{k.__name__}.keras")
            models.append(k.models.load_model(tmp_path / f"{k.__name__}.keras"))
    np.testing.assert_array_equal(
        np.asarray(models[0](x, training=False)), np.asarray(model(x, training=False))
    )


@over(sorted(TABLE.keys() - UNREADABLE.keys()))
def test_files(name, tmp_path):
    cases = saved_cases(name)
    assert cases, f"{name}: no case that a model can hold"
    x = [v for case in cases for v in case.tensors()]
    tolerance = max(case.tolerance for case in cases)
    theirs, ours = (model_of(k, cases) for k in both())
    scramble(theirs, ours)
    expected = results(theirs, x)
    for model, package in ((theirs, kerasish), (ours, keras)):
        path = tmp_path / f"{package.__name__}.keras"
        model.save(path)
        loaded = package.models.load_model(path)
        # Weights need not be equal one by one: LoRA's are added to the kernel in files.
        assert [w.shape for w in loaded.get_weights()] == [w.shape for w in model.get_weights()]
        same(results(loaded, x), expected, tolerance)
