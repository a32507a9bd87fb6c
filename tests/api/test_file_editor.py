"""Files of weights looked into and changed."""

import numpy as np
import pytest

from kerasish import Sequential, layers
from kerasish.saving import KerasFileEditor


def model(units=4):
    made = Sequential(
        [
            layers.Input((5, 3)),
            layers.LSTM(units, name="memory"),
            layers.Dense(2, name="first"),
            layers.Dense(2, name="second"),
        ]
    )
    return made


@pytest.fixture
def file(tmp_path):
    model().save_weights(tmp_path / "m.weights.h5")
    return tmp_path / "m.weights.h5"


def test_compare(file, capsys):
    editor = KerasFileEditor(file)
    assert editor.compare(model()) == {"status": "success", "error_count": 0, "match_count": 7}
    assert "Found 7 matching weights" in capsys.readouterr().out
    wider = model(5)
    # Three weights of the LSTM and the kernel after it.
    assert editor.compare(wider) == {"status": "error", "error_count": 4, "match_count": 3}
    said = capsys.readouterr().out
    assert "/layers/lstm/cell/0" in said and "shape=(3, 20)" in said and "shape=(3, 16)" in said
    del editor.weights_dict["layers"]["dense"]["1"]
    editor.add_object("layers/extra", {"0": np.ones(2)})
    assert editor.compare(model())["error_count"] == 2
    said = capsys.readouterr().out
    assert "Weight /layers/dense/1 present in reference model, missing from saved file" in said
    assert "Object /layers/extra present in saved file, missing from reference model" in said


def test_an_edited_file_loads_into_the_model_that_it_was_edited_for(file, tmp_path):
    editor = KerasFileEditor(str(file))
    editor.delete_object("lstm")
    editor.rename_object("layers/dense", "einsum_dense")
    editor.rename_object("dense_1", "dense")
    editor.add_object("layers/lstm", {})
    editor.add_object("layers/lstm/cell", {"0": np.ones((3, 8)), "1": np.ones((2, 8))})
    editor.add_weights("layers/lstm/cell", {"2": np.full(8, 3.0)})
    editor.add_weights("einsum_dense", {"0": np.full((2, 2), 5.0)})
    editor.save(tmp_path / "e.weights.h5")
    editor.resave_weights(tmp_path / "again.weights.h5")
    made = Sequential(
        [
            layers.Input((5, 3)),
            layers.LSTM(2),
            layers.EinsumDense("ab,bc->ac", 2, bias_axes="c"),
            layers.Dense(2),
        ]
    )
    for name in ("e", "again"):
        made.load_weights(tmp_path / f"{name}.weights.h5")
        assert made.layers[0].get_weights()[2].tolist() == [3.0] * 8
        assert made.layers[1].get_weights()[0].tolist() == [[5.0, 5.0]] * 2
    summary = KerasFileEditor(tmp_path / "e.weights.h5")
    assert summary.object_metadata["/layers/einsum_dense"] == {"name": "first"}
    assert summary.object_metadata["/layers/dense"] == {"name": "second"}


def test_weights_come_and_go(file, capsys):
    editor = KerasFileEditor(file)
    editor.delete_weight("layers/dense", "1")
    editor.add_weights("dense", {"7": np.zeros(3)})
    assert list(editor.weights_dict["layers"]["dense"]) == ["0", "7"]
    editor.summary()
    assert "dense ('first')" in capsys.readouterr().out


def test_a_whole_model(tmp_path, capsys):
    made = model()
    made.save(tmp_path / "m.keras")
    editor = KerasFileEditor(tmp_path / "m.keras")
    assert editor.config["class_name"] == "Sequential"
    assert editor.metadata["keras_version"] in capsys.readouterr().out
    assert editor.compare(made)["status"] == "success"


@pytest.mark.parametrize("run, message", [
    (lambda e: e.rename_object("nobody", "x"), "does not appear"),
    (lambda e: e.rename_object("layers/nobody", "x"), "not found in model"),
    (lambda e: e.rename_object("layers/dense/0/x", "x"), "not found in model"),
    (lambda e: e.rename_object("dense", "a/b"), "leaf name"),
    (lambda e: e.rename_object("dense", "dense_1"), "already"),
    (lambda e: e.delete_object("cell_1"), "does not appear"),
    (lambda e: e.add_object("nobody/x", {}), "'nobody' not found"),
    (lambda e: e.add_object("x", []), "should be a dict"),
    (lambda e: e.add_weights("dense", []), "should be a dict"),
    (lambda e: e.delete_weight("dense", "3"), "Weights found"),
    (lambda e: e.save("x.h5"), "weights.h5"),
])  # fmt: skip
def test_what_is_refused(file, run, message):
    editor = KerasFileEditor(file)
    before = list(editor.weights_dict["layers"])
    with pytest.raises(ValueError, match=message):
        run(editor)
    assert list(editor.weights_dict["layers"]) == before


def test_two_objects_of_a_name(file):
    editor = KerasFileEditor(file)
    editor.add_object("other", {"0": np.ones(1)})
    editor.add_object("other/dense", {"0": np.ones(1)})
    with pytest.raises(ValueError, match="more than once"):
        editor.delete_object("dense")
    editor.delete_object("other/dense")
    editor.delete_object("dense")
    assert "dense" not in editor.weights_dict["layers"]


def test_files_that_are_none(tmp_path):
    with pytest.raises(ValueError, match="Invalid filename"):
        KerasFileEditor("x.h5")
    for name in ("x.keras", "x.weights.h5"):
        (tmp_path / name).write_bytes(b"nothing of that kind")
        with pytest.raises(ValueError, match=name):
            KerasFileEditor(tmp_path / name)
