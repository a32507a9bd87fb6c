"""What programs import from below `keras.src`, beside the files that Keras has there."""

from __future__ import annotations

import importlib
import io
from pathlib import Path

import keras
import keras.src
import numpy as np
import pytest

import kerasish
from kerasish.compat.tables.private import BACKENDS, FILES, NAMES

# Tests, what belongs to one backend, and rooms without counterparts here.
_LEFT = ("test", "datasets", *(f"backend.{name}." for name in BACKENDS.split()))
_GONE = {"export.neptune_model_export_archive", "export.saved_model_export_archive", "utils.config"}
# Which Keras had before, and programs still look for first.
_EARLIER = {"layers.preprocessing.tf_data_layer"}


def test_the_files_are_keras_s():
    root = Path(keras.src.__file__).parent
    paths = [path.relative_to(root).with_suffix("") for path in root.rglob("*.py")]
    found = {".".join(p.parts).removesuffix("__init__").rstrip(".") for p in paths} - {""}
    found = {name for name in found if not name.startswith(_LEFT) and not name.endswith("_test")}
    assert FILES - found - _EARLIER == set()
    assert found - FILES - _GONE == set()


def test_names_are_keras_s_and_lead_somewhere():
    known = {name for rows in NAMES.values() for name in rows}
    modules = [importlib.import_module(f"keras.src.{file}") for file in _importable()]
    theirs = {name for module in modules for name in vars(module)}
    assert (
        known - theirs - {"Conv", "JaxLayer", "KerasVariable", "TFDataLayer", "TorchModuleWrapper"}
        == set()
    )
    for place, rows in NAMES.items():
        for name in rows:
            module = importlib.import_module(f"kerasish.src.{place}" if place else "kerasish.src")
            assert getattr(module, name) is not None


def _importable():
    skipped = (
        *BACKENDS.split(), "tf2onnx", "litert", "saved_model", "onnx", "orbax", "grain", "_impl"
    )  # fmt: skip
    return sorted(f for f in FILES - _EARLIER if not any(w in f for w in skipped))


def test_public_names_are_those_of_the_rooms():
    from kerasish.src import backend, layers, ops, saving, trainers
    from kerasish.src.layers.core.dense import Dense
    from kerasish.src.trainers.data_adapters.py_dataset_adapter import PyDataset

    assert Dense is kerasish.layers.Dense is layers.Dense
    assert PyDataset is kerasish.utils.PyDataset
    assert backend.cast is ops.cast is kerasish.ops.cast
    assert backend.numpy.mean is kerasish.ops.mean
    assert saving.serialization_lib.in_safe_mode() is None
    assert trainers.trainer.Trainer in kerasish.Model.__mro__
    assert kerasish.src.layers.Layer is kerasish.Layer
    assert kerasish.src.backend.compute_output_spec is backend.compute_output_spec
    names: dict = {}
    exec("from kerasish.src.ops import *", names)
    assert set(names) - {"__builtins__"} == {n for n in vars(kerasish.ops) if n[0] != "_"}
    for line in (
        "from kerasish.src.backend import nothing", "import kerasish.src.nothing",
        "from kerasish.src import testing", "from kerasish.src.layers.core import nothing",
    ):  # fmt: skip
        with pytest.raises(ImportError):
            exec(line, {})


def test_a_star_brings_what_keras_has():
    ours: dict = {}
    theirs: dict = {}
    exec("from kerasish import *", ours)
    exec("from keras import *", theirs)
    assert set(ours) == set(theirs) - {"src"}


def _both(path):
    return [importlib.import_module(f"{root}.src.{path}") for root in ("kerasish", "keras")]


def _agree(path, name, *args, **kwargs):
    results = []
    for module in _both(path):
        try:
            results.append(getattr(module, name)(*args, **kwargs))
        except ValueError:
            results.append(ValueError)
    assert results[0] == results[1] and type(results[0]) is type(results[1]), (name, args, kwargs)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("size", [None, 3, 11])
def test_shapes(padding, size):
    utils = "ops.operation_utils"
    for kernel, strides, dilation in [(1, 1, 1), (3, 1, 1), (3, 2, 1), (2, 3, 1), (3, 1, 2)]:
        for data_format, shape in [
            ("channels_last", (2, size, 9, 5)), ("channels_first", (None, 5, size, 9)),
        ]:  # fmt: skip
            window = (kernel, kernel)
            _agree(
                utils, "compute_conv_output_shape", shape, 7, window, strides, padding, data_format,
                dilation,
            )  # fmt: skip
            if padding == "causal":
                continue
            _agree(
                utils, "compute_pooling_output_shape", shape, window, (strides, strides), padding,
                data_format,
            )  # fmt: skip
            for more in (None, 0):
                _agree(
                    "backend.common.backend_utils", "compute_conv_transpose_output_shape", shape,
                    window, 7, (strides, strides), padding, more, data_format, dilation,
                )  # fmt: skip


def test_small_helpers():
    utils = "ops.operation_utils"
    for shape, axis in [((2, None, 4), 1), ((2, 3), None), ((2, 3, 4), (0, -1)), ((2,), 3)]:
        for keep in (False, True):
            _agree(utils, "reduce_shape", shape, axis, keep)
    for a, b in [
        ((2, 1), (3,)),
        ((None, 3), (1, 3)),
        ((None,), (4,)),
        ((2,), (3,)),
        ((1,), (None,)),
    ]:
        _agree(utils, "broadcast_shapes", a, b)
    for value in (None, 3, (1, 2), [1]):
        _agree(utils, "to_tuple_or_list", value)
    for axis in (0, -1, 3):
        _agree("backend.common.backend_utils", "canonicalize_axis", axis, 3)
    for value in ("SAME", "causal", "full", (1, 2)):
        _agree("utils.argument_validation", "standardize_padding", value)
        _agree("utils.argument_validation", "standardize_padding", value, allow_causal=True)
    for args in [(3, 2, "n"), ((1, 2), 2, "n"), ((1,), 2, "n"), (0, 2, "n")]:
        _agree("utils.argument_validation", "standardize_tuple", *args)
    for value in ([1], (1,), 3):
        _agree("utils.python_utils", "to_list", value)
        _agree("trainers.data_adapters.data_adapter_utils", "list_to_tuple", value)
    for shape in [(), (3,), (2, 3), (3, 3, 4, 5)]:
        _agree("initializers.random_initializers", "compute_fans", shape)
    for shape, top in [
        (None, True),
        (None, False),
        ((40, 48, 3), True),
        ((8, 8, 3), False),
        ((1, 2), True),
    ]:
        _agree(
            "applications.imagenet_utils",
            "obtain_input_shape",
            shape,
            224,
            32,
            "channels_last",
            top,
        )


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras's own, on JAX
def test_values():
    labels, found = np.array([[0, 2, 1, 2], [0, 1, 1, 2]], "int32")
    for weights in (None, np.array([1.0, 2.0, 0.5, 1.0], "float32")):
        ours, theirs = (
            module.confusion_matrix(labels, found, 3, weights, "float32")
            for module in _both("metrics.metrics_utils")
        )
        np.testing.assert_array_equal(ours, theirs)
    ours, theirs = (
        module.class_weight_to_sample_weights(found.astype("float32"), {1: 3.0, 2: 0.5})
        for module in _both("trainers.data_adapters.data_adapter_utils")
    )
    np.testing.assert_array_equal(ours, theirs)


def test_stores_are_each_other_s(tmp_path):
    mine, other = _both("saving.saving_lib")
    for write, read, name in ((mine, other, "a.h5"), (other, mine, "b.h5")):
        path = tmp_path / name
        store = write.H5IOStore(str(path), mode="w")
        for place in ("first", "layers/second"):
            store.make(place)["0"] = np.arange(3.0)
        store.close()
        store = read.H5IOStore(str(path), mode="r")
        for place in ("first", "layers/second"):
            np.testing.assert_array_equal(np.asarray(store.get(place)["0"]), np.arange(3.0))
        store.close()


def test_models_in_open_files():
    mine, other = _both("saving.saving_lib")
    model = kerasish.Sequential([kerasish.Input((3,)), kerasish.layers.Dense(2)])
    file = io.BytesIO()
    mine.save_model(model, file)
    x = np.ones((4, 3), "float32")
    for module in (mine, other):
        found = module.load_model(io.BytesIO(file.getvalue()))
        np.testing.assert_allclose(found.predict(x, verbose=0), model.predict(x, verbose=0), 1e-6)


def test_a_cell_with_dropout_masks():
    from kerasish.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

    class Cell(kerasish.Layer, DropoutRNNCell):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dropout, self.recurrent_dropout = 0.5, 0.5
            self.seed_generator = kerasish.random.SeedGenerator(1)
            self.state_size = 4

        def call(self, inputs, states, training=False):
            state = states[0]
            if training:
                inputs = inputs * self.get_dropout_mask(inputs)
                state = state * self.get_recurrent_dropout_mask(state)
            return state + inputs, [state + inputs]

    layer = kerasish.layers.RNN(Cell(), return_sequences=True)
    x = np.ones((64, 6, 4), "float32")
    np.testing.assert_array_equal(layer(x)[:, -1], np.full((64, 4), 6.0))
    found = np.asarray(layer(x, training=True))
    # With one mask for all steps, what a step adds is 0 or 2 everywhere or nowhere.
    first = found[:, 0]
    assert set(np.unique(first)) == {0.0, 2.0}
    np.testing.assert_array_equal(
        found[:, 1] - first * (found[:, 1] > first),
        np.where(found[:, 1] > first, found[:, 1] - first, found[:, 1]),
    )
    kept = first > 0
    assert np.isin(found[:, 1][kept], [2.0, 6.0]).all() and (found[:, 1][~kept] == 0).all()
    again = np.asarray(layer(x, training=True))
    assert (again != found).any()
