"""Keras 2's backend functions against what the published Keras 2 answered: at once, on symbolic
tensors run by `K.function`, and in compiled steps."""

from pathlib import Path

import classic_backend_cases
import numpy as np
import pytest

import kerasish
from kerasish import backend as K

FIXTURE = Path(__file__).resolve().parents[1] / "golden" / "classic_backend.npz"
CASES = dict(classic_backend_cases.all_cases())
# Made from plain values only, so that there is nothing to be symbolic.
MAKERS = {"arange", "constant", "eye", "zeros", "ones", "variable", "cast_to_floatx"}


@pytest.fixture(scope="module")
def expected():
    found = {}
    with np.load(FIXTURE) as file:
        for key in file.files:
            found.setdefault(key.rsplit(".", 1)[0], []).append(file[key])
    return found


def flat(part):
    if isinstance(part, list | tuple):
        return [leaf for p in part for leaf in flat(p)]
    return [np.asarray(part)]


def is_data(part):
    return isinstance(part, np.ndarray)


def replaced(part, function):
    if is_data(part):
        return function(part)
    return [replaced(p, function) for p in part] if isinstance(part, list) else part


def eager(function, args, options):
    def convert(part):
        return kerasish.ops.convert_to_tensor(part)

    return flat(
        function(
            *[replaced(a, convert) for a in args],
            **{k: replaced(v, convert) for k, v in options.items()},
        )
    )


def compiled(function, args, options):
    data = []
    for part in [*args, *options.values()]:
        replaced(part, data.append)

    @kerasish.function
    def step(*tensors):
        rest = iter(tensors)
        given = [replaced(a, lambda _: next(rest)) for a in args]
        return function(
            *given, **{k: replaced(v, lambda _: next(rest)) for k, v in options.items()}
        )

    return flat(step(*data))


def symbolic(function, args, options, batch):
    placeholders, data = [], []

    def placeholder(array):
        shape = (None, *array.shape[1:]) if batch and array.ndim else array.shape
        placeholders.append(K.placeholder(shape, dtype=array.dtype.name))
        data.append(array)
        return placeholders[-1]

    given = [replaced(a, placeholder) for a in args]
    result = function(*given, **{k: replaced(v, placeholder) for k, v in options.items()})
    return flat(K.function(placeholders, result)(data))


def compare(found, expected):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        if ours.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=3e-5, atol=3e-5)
        else:
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", sorted(CASES))
def test_eager(name, expected):
    function, args, options = CASES[name]
    compare(eager(getattr(K, function), args, options), expected[name])


@pytest.mark.parametrize("name", [n for n in sorted(CASES) if CASES[n][0] not in MAKERS])
def test_symbolic_and_compiled(name):
    function, args, options = CASES[name]
    function = getattr(K, function)
    values = eager(function, args, options)
    compare(compiled(function, args, options), values)
    compare(symbolic(function, args, options, batch=False), values)


def test_every_answer_is_used(expected):
    assert expected.keys() == CASES.keys()
