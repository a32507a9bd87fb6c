"""Every public layer against the published Keras; the cases are in `layers_table/`.

Compared are: weights, configs and layers made of them, symbolic shapes and dtypes, policies,
results, losses, states, gradients, masks, results in half precision, what random layers draw, and
ours compiled with ours eager.
"""

import inspect
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from layer_pairs import both, close, equal, plain
from layers_table import basic, compiled, convolutional, judging, preprocessing, recurrent, values
from layers_table.entries import TABLE, unmeant

import kerasish

pytestmark = [
    pytest.mark.parity,
    # Keras's own, on NumPy 2
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning"),
]
FAMILIES = (basic, convolutional, preprocessing, recurrent)  # each fills the table
ALL = [case for cases in TABLE.values() for case in cases]
# They run another framework's code, which they name when they refuse.
FOREIGN = {
    "FlaxLayer": "Flax", "JaxLayer": "JAX", "TFSMLayer": "TensorFlow",
    "TorchModuleWrapper": "PyTorch",
}  # fmt: skip
# Keras needs TensorFlow for them: its answers are in `golden/preprocessing/cases.json`, which
# `tests/api/test_preprocessing_golden.py` compares with ours.
GOLDEN = ("Hashing", "HashedCrossing", "IntegerLookup", "StringLookup", "TextVectorization")
# They compute nothing; tests below.
WITHOUT_RESULTS = ("Input", "InputLayer", "InputSpec", "serialize", "deserialize")
MERGES = ("add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract")
BOXES = ("MaxNumBoundingBoxes",)  # changes boxes, not images: test_image_layers_parity.py


# -- the inventory


def public():
    return {n: v for n, v in vars(keras.layers).items() if not n.startswith("_")}


def test_every_layer_has_cases():
    layers = public()
    assert len(layers) > 150, "the published Keras is not what this test thinks it is"
    listed = {*TABLE, *FOREIGN, *GOLDEN, *WITHOUT_RESULTS, *MERGES, *BOXES}
    covered = {id(layers[name]) for name in listed}  # another name of it is the same thing
    missing = sorted(name for name, value in layers.items() if id(value) not in covered)
    assert not missing, f"no case in layers_table/ for {missing}"
    single = sorted(name for name, cases in TABLE.items() if len(cases) < 2)
    assert not single, f"one configuration only: {single}"


def test_every_aspect_has_cases():
    """No judgement is passed over for want of cases."""
    for chosen in (SYMBOLIC, HALVED, MASKED, DRAWN):
        assert len(chosen) > 20
    assert {c.name for c in ALL} == {c.name for c in SYMBOLIC}


def test_other_names_are_the_same_things():
    aliases = {}
    for name, value in public().items():
        aliases.setdefault(id(value), []).append(name)
    for names in aliases.values():
        assert len({id(getattr(kerasish.layers, n)) for n in names}) == 1, names


@pytest.mark.parametrize("name", FOREIGN)
def test_layers_of_other_frameworks_say_so(name):
    with pytest.raises(ImportError, match=f"{name} runs code of {FOREIGN[name]}"):
        getattr(kerasish.layers, name)("anything")


def test_what_needs_tensorflow_has_golden_answers():
    path = Path(__file__).parents[1] / "golden" / "preprocessing" / "cases.json"
    golden = [case["layer"] for case in json.loads(path.read_text(encoding="utf-8"))]
    for name in GOLDEN:
        assert golden.count(name) > 1, name


# -- the table


def over(cases, fast=()):
    """A test for each case; slow unless its name is one of the fast."""
    marks = {True: [], False: [pytest.mark.slow]}
    chosen = [pytest.param(c, id=c.id, marks=marks[c.id in fast]) for c in cases]
    return pytest.mark.parametrize("case", chosen)


def check(judge, case):
    judgement = judge.__name__.removeprefix("compare_")
    assert not unmeant(case, judgement, judge(case))


SYMBOLIC = [c for c in ALL if c.symbolic]
HALVED = [c for c in ALL if c.half]
MASKED = [c for c in ALL if c.masks and any(m is not None for m in values.drawn_masks(c))]
DRAWN = [c for c in ALL if c.random]
# One case of some families by value; of what is known without results, one of each layer whose
# first weights the judge makes at once.
SLOW = re.compile("Conv|RNN|LSTM|GRU|Attention|Bidirectional|TimeDistributed|Spectral|Dense")
FIRSTS = {cases[0].id for name, cases in TABLE.items() if not SLOW.search(name)}
FEW = ("Dense-3", "LayerNormalization-default", "Dot-axes=2", "Embedding-7,3", "PReLU-default")


@over(ALL, FIRSTS)
def test_descriptions(case):
    check(judging.compare_descriptions, case)


@over(SYMBOLIC)
def test_symbolic(case):
    check(judging.compare_symbolic, case)


@over(SYMBOLIC)
def test_policies(case):
    check(judging.compare_policies, case)


@over(ALL, FEW)
def test_values(case):
    check(values.compare_values, case)


@over(ALL, FEW)
def test_compiled(case):
    check(compiled.compare_compiled, case)


@over(HALVED)
def test_half(case):
    check(values.compare_half, case)


@over(MASKED)
def test_masks(case):
    check(values.compare_masks, case)


@over(DRAWN)
def test_draws(case):
    check(values.compare_draws, case)


@pytest.mark.parametrize("fact", ["scale", "axis"])
def test_a_wrong_layer_would_be_seen(fact, monkeypatch):
    """A planted error in a layer is found by value, and one in its config by description."""
    case = TABLE["LayerNormalization"][0]
    cls = kerasish.layers.LayerNormalization
    if fact == "scale":
        call = cls.call
        monkeypatch.setattr(cls, "call", lambda self, x: 1.001 * call(self, x))
        assert "outputs" in values.compare_values(case)
    else:
        config = cls.get_config
        monkeypatch.setattr(cls, "get_config", lambda self: {**config(self), "axis": 0})
        assert "config" in judging.compare_descriptions(case)


# -- functions, and what computes nothing


@pytest.mark.parametrize("name", MERGES)
def test_merging_functions(name):
    x, y = (np.random.default_rng(i).normal(size=(2, 3, 4)).astype("float32") for i in (0, 1))
    more = {"axes": 2} if name == "dot" else {}
    found, symbolic = [], []
    for k in both():
        found.append(getattr(k.layers, name)([x, y], **more))
        inputs = [k.Input((3, 4)), k.Input((3, 4))]
        symbolic.append(tuple(getattr(k.layers, name)(inputs, **more).shape))
    close(found[1], found[0])
    assert symbolic[1] == symbolic[0]


INPUTS = [
    dict(shape=(3,)), dict(shape=(None, 2), batch_size=4, dtype="int32", name="n"),
    dict(batch_shape=(2, 3)), dict(shape=(), optional=True), dict(shape=(4,), sparse=True),
]  # fmt: skip


@pytest.mark.parametrize("arguments", INPUTS, ids=str)
def test_inputs(arguments):
    theirs, ours = (k.layers.InputLayer(**arguments) for k in both())
    equal(plain(ours.get_config()), plain(theirs.get_config()))
    again = type(ours).from_config(theirs.get_config())
    equal(plain(again.get_config()), plain(theirs.get_config()))
    assert ours.dtype == theirs.dtype and ours.batch_shape == theirs.batch_shape
    tensors = [k.layers.Input(**arguments) for k in both()]
    facts = [(tuple(t.shape), str(t.dtype), t.name, t.sparse) for t in tensors]
    assert facts[1] == facts[0]


SPECS = [
    dict(ndim=2), dict(shape=(None, 3), dtype="float32"), dict(min_ndim=2, axes={-1: 4}),
    dict(max_ndim=3, name="x", optional=True, allow_last_axis_squeeze=True),
]  # fmt: skip


@pytest.mark.parametrize("arguments", SPECS, ids=str)
def test_input_specs(arguments):
    theirs, ours = (k.layers.InputSpec(**arguments) for k in both())
    equal(plain(ours.get_config()), plain(theirs.get_config()))
    equal(plain(type(ours).from_config(theirs.get_config()).get_config()), plain(ours.get_config()))
    for shape in [(2, 3), (2, 4), (2, 3, 1), (2,), (2, 2, 2, 4)]:
        outcomes = []
        for k in both():
            spec = k.layers.InputSpec(**arguments)

            class Kept(k.layers.Layer):
                def call(self, x):
                    return x

            layer = Kept()
            layer.input_spec = spec
            try:
                layer(np.zeros(shape, "float32"))
                outcomes.append(None)
            except Exception as error:
                outcomes.append(type(error))
        assert outcomes[1] == outcomes[0], shape


def test_serialize():
    theirs, ours = (k.layers.serialize(k.layers.Dense(3, name="d")) for k in both())
    equal(plain(ours), plain(theirs))
    for k, written in zip(both(), (ours, theirs), strict=True):
        layer = k.layers.deserialize(written)
        assert type(layer) is k.layers.Dense and layer.units == 3
    assert inspect.isclass(keras.layers.InputSpec)
