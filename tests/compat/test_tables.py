"""The tables of earlier spellings: what they name is there, and each is said once."""

from __future__ import annotations

import importlib
import pkgutil
import warnings

import numpy as np
import pytest

import kerasish
import kerasish.compat.layers
from kerasish import older
from kerasish.compat import OlderSpelling, warning
from kerasish.compat.lookup import target
from kerasish.compat.tables import rows
from kerasish.compat.tables.attributes import ATTRIBUTES
from kerasish.compat.tables.names import NAMES
from kerasish.compat.tables.paths import PATHS


@pytest.fixture(autouse=True)
def modern():
    """A program of today that said nothing yet."""
    warning.forget()
    before, older.state.generation = older.state.generation, older.MODERN
    yield
    older.state.generation = before


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OlderSpelling)
        yield


@pytest.mark.parametrize("path", sorted(PATHS))
def test_paths(path, quiet):
    module = importlib.import_module(f"kerasish.{path}")
    for source in PATHS[path]:
        found = importlib.import_module(f"kerasish.{source}" if source else "kerasish")
        names = [n for n in getattr(found, "__all__", dir(found)) if not n.startswith("_")]
        assert getattr(module, names[0]) is getattr(found, names[0])


@pytest.mark.parametrize("room", sorted(NAMES))
def test_names(room, quiet):
    module = importlib.import_module(f"kerasish.{room}" if room else "kerasish")
    for name, row in NAMES[room].items():
        found = target(row if isinstance(row, str) else row[0])
        own = name in vars(module) and f"{room}.{name}" not in PATHS
        assert not own, f"{room} has {name} by itself"
        assert getattr(module, name) is found, name


@pytest.mark.parametrize("owner", sorted(ATTRIBUTES))
def test_attributes(owner):
    rooms = (kerasish, kerasish.layers, kerasish.models)
    cls = next(found for room in rooms if (found := getattr(room, owner, None)))
    for name, (where, _) in ATTRIBUTES[owner].items():
        found = target(where)
        assert callable(found) or isinstance(found, property), name
        assert not hasattr(cls, name), f"{owner} has {name} by itself"


def test_calls():
    kerasish.layers, kerasish.models, kerasish.callbacks
    for found in pkgutil.iter_modules(kerasish.compat.layers.__path__):
        importlib.import_module(f"kerasish.compat.layers.{found.name}")
    for key, row in rows().items():
        owner, _, method = key.partition(".")
        if owner[0].isupper():
            cls = older.state.classes[owner]
            assert hasattr(getattr(cls, method or "__init__"), "__wrapped__"), key
        assert row.first or row.second or row.order or row.change or row.instead, key


def test_paths_of_modules():
    module = importlib.import_module("kerasish.layers.local")
    with pytest.warns(OlderSpelling, match=r"keras.layers.local .* write keras.layers\.") as said:
        assert module.Dense is kerasish.layers.Dense
    assert said[0].filename == __file__
    with pytest.raises(AttributeError, match=r"kerasish.layers.local.* no attribute 'Nothing'"):
        module.Nothing
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("kerasish.layers.nowhere")


def test_today_is_left_alone():
    with pytest.raises(AttributeError, match=r"module 'kerasish.layers' has no attribute 'Densee'"):
        kerasish.layers.Densee
    with pytest.raises(ValueError, match="Unrecognized keyword arguments passed to Dense"):
        kerasish.layers.Dense(3, colour=1)
    layer = kerasish.layers.Dense(3)
    with pytest.raises(AttributeError, match="'Dense' object has no attribute 'colour'"):
        layer.colour
    with pytest.raises(AttributeError, match="has never been called"):
        layer.output
    assert layer(np.ones((2, 2))).shape == (2, 3)


def test_asking_for_an_attribute_without_a_modern_one_is_quiet():
    """As modern programs do: `getattr(layer, "stateful", False)`."""
    assert getattr(kerasish.layers.Dense(2), "stateful", False) is False
    assert not hasattr(kerasish.layers.Dense(2), "never_heard_of")
