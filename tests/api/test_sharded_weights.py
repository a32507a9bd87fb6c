"""`.weights.json` with several files of weights."""

import json
import os

import numpy as np
import pytest

from kerasish import Input, Sequential, layers
from kerasish.saving import shards

KB = 1 / 1024**2  # of a GB


def make(units=20, seed=0):
    model = Sequential([Input((10,)), layers.Dense(units), layers.Dense(units), layers.Dense(5)])
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def same(a, b):
    return all(np.array_equal(v, w) for v, w in zip(a.get_weights(), b.get_weights(), strict=True))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.json"


def test_round_trip(path):
    model, twin = make(), make(seed=1)
    model.compile("adam", "mse")
    twin.compile("adam", "mse")
    model.fit(np.ones((2, 10)), np.ones((2, 5)), verbose=0)
    twin.optimizer.build(twin.trainable_variables)
    model.save_weights(path, max_shard_size=2 * KB)
    index = json.loads(path.read_text())
    files = sorted(f.name for f in path.parent.iterdir())
    assert len(files) > 4 and "model_00000.weights.h5" in files
    sizes = [v.numpy().nbytes for v in [*model.weights, *model.optimizer.variables]]
    assert index["metadata"]["total_size"] == sum(sizes)
    split = [names for names in index["weight_map"].values() if isinstance(names, list)]
    assert split  # the slots of the optimizer are in several files
    twin.load_weights(path)
    assert same(model, twin)
    for v, w in zip(twin.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(v.numpy(), w.numpy())


def test_names(path):
    with pytest.warns(UserWarning, match=r"renamed to .*model\.weights\.json"):
        make().save_weights(path.with_suffix(".h5"), max_shard_size=1)
    assert path.exists()
    with pytest.raises(ValueError, match=r"must end in `\.weights\.json`"):
        make().save_weights(path.with_name("x.zip"), max_shard_size=1)
    with pytest.raises(ValueError, match="exceeds the maximum shard size"):
        make().save_weights(path, max_shard_size=0.1 * KB)


def test_a_failed_save_leaves_the_old_files(path, monkeypatch):
    old = make()
    old.save_weights(path, max_shard_size=2 * KB)
    monkeypatch.setattr(shards.Writer, "__setitem__", lambda *a: (_ for _ in ()).throw(OSError(28)))
    with pytest.raises(OSError, match=r"Can't write .*model\.weights\.json"):
        make(seed=1).save_weights(path, max_shard_size=2 * KB)
    monkeypatch.undo()
    assert not [f for f in path.parent.iterdir() if f.name.startswith(".")]
    twin = make(seed=2)
    twin.load_weights(path)
    assert same(old, twin)


@pytest.mark.parametrize("stop", range(8))
def test_an_exchange_that_was_cut_short(path, monkeypatch, stop):
    """Whatever renaming a killed save got to, all arrays are of one save."""
    old, new, twin = make(), make(seed=1), make(seed=2)
    old.save_weights(path, max_shard_size=1.7 * KB)
    done = []
    replace = os.replace

    class Killed(BaseException):
        pass

    def until(source, target):
        if len(done) == stop:
            raise Killed
        done.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", until)
    # What a killed process does not do any more.
    monkeypatch.setattr(type(path), "unlink", lambda self, missing_ok=False: None)
    try:
        new.save_weights(path, max_shard_size=1.7 * KB)
    except Killed:
        pass
    monkeypatch.undo()
    twin.load_weights(path)
    assert same(twin, new if stop else old)


@pytest.mark.parametrize("name", ["../x.weights.h5", "/etc/passwd", "x.txt", "a\\b.weights.h5", 3])
def test_an_index_names_files_beside_it_only(path, name):
    make().save_weights(path, max_shard_size=1)
    index = json.loads(path.read_text())
    index["weight_map"] = {k: name if isinstance(name, str) else [3] for k in index["weight_map"]}
    path.write_text(json.dumps(index))
    with pytest.raises(ValueError, match="no file of weights beside it"):
        make().load_weights(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": {"/vars": 3}}', "[" * 100000])
def test_a_damaged_index_is_named(path, text):
    make().save_weights(path, max_shard_size=1)
    path.write_text(text)
    with pytest.raises(ValueError, match=r"model\.weights\.json is no readable index"):
        make().load_weights(path)


def test_objects_can_be_skipped(path):
    model, twin = make(), make(seed=1)
    before = twin.get_weights()
    for name in (path, path.with_suffix(".h5")):
        model.save_weights(name, **({"max_shard_size": 1} if name == path else {}))
        twin.set_weights(before)
        twin.load_weights(name, objects_to_skip=[twin.layers[1]])
        for i, (a, b) in enumerate(zip(twin.get_weights(), model.get_weights(), strict=True)):
            np.testing.assert_array_equal(a, before[i] if i in (2, 3) else b)
