"""Meshes, layouts and distributions as Keras has them; whole-batch moments on two devices."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from layer_pairs import both

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.cpu]  # of Keras without a GPU

TWO = ["cpu:0", "cpu:1"]


def seen(run):
    """What a call gives on both, as text; of an error its kind."""
    found = []
    for lib in both():
        try:
            found.append(repr(run(lib.distribution)))
        except Exception as error:
            found.append(type(error).__name__)
    assert found[0] == found[1], found
    return found[0]


def mesh(d):
    return d.DeviceMesh((1, 2), ("batch", "model"), TWO)


def layouts(d):
    made = d.LayoutMap(mesh(d))
    made[".*dense.*kernel"] = (None, "model")
    made["exact"] = d.TensorLayout(("model",))
    return made


@pytest.mark.parametrize("run", [
    mesh,
    lambda d: mesh(d).devices.tolist(),
    lambda d: (mesh(d).shape, mesh(d).axis_names),
    lambda d: d.DeviceMesh((2,), ("a", "b"), TWO),
    lambda d: d.DeviceMesh((), ()),
    lambda d: d.DeviceMesh((3,), ("a",), TWO),
    lambda d: d.TensorLayout(("model", None), mesh(d)),
    lambda d: d.TensorLayout(("other",), mesh(d)),
    lambda d: d.TensorLayout(("model",)).device_mesh,
    lambda d: d.TensorLayout(("model",)).backend_layout,
    lambda d: setattr(d.TensorLayout(("model",), mesh(d)), "device_mesh", mesh(d)),
    lambda d: list(layouts(d)),
    lambda d: layouts(d)["model/dense_1/kernel"],
    lambda d: layouts(d)["exact"],
    lambda d: (layouts(d)["other"], layouts(d).get("other", 5), len(layouts(d))),
    lambda d: layouts(d).__setitem__("exact", ("model",)),
    lambda d: layouts(d).__setitem__("new", 3),
    lambda d: layouts(d).pop("nothing"),
    lambda d: layouts(d).popitem()[0],
    lambda d: layouts(d).setdefault("exact", None),
    lambda d: (layouts(d).update({"dense.*": ("model",)}), layouts(d)["dense_1/kernel"]),
    lambda d: d.DataParallel(),
    lambda d: d.DataParallel(devices=TWO).num_model_replicas,
    lambda d: d.DataParallel(devices=TWO).get_data_layout((4, 3)),
    lambda d: d.DataParallel(device_mesh=3),
    lambda d: d.DataParallel().get_tensor_layout("a/b"),
    lambda d: (d.DataParallel().auto_shard_dataset, d.DataParallel().batch_dim_name),
    lambda d: (d.DataParallel().num_processes, d.DataParallel().data_shard_id),
    lambda d: d.DataParallel().distribute_dataset(3),
    lambda d: d.ModelParallel(),
    lambda d: d.ModelParallel(layout_map={}),
    lambda d: d.ModelParallel(layout_map=layouts(d)),
    lambda d: d.ModelParallel(layout_map=layouts(d), batch_dim_name="model").num_model_replicas,
    lambda d: d.ModelParallel(layout_map=layouts(d)).get_tensor_layout("exact"),
    lambda d: d.ModelParallel(layout_map=layouts(d)).get_data_layout((4, 3)),
    lambda d: d.list_devices("cpu"),
    lambda d: d.get_device_count(),
    lambda d: d.list_devices("gpu"),
    lambda d: d.distribution(),
])  # fmt: skip
def test_like_keras(run):
    seen(run)


def test_two_keys_that_match():
    def run(d):
        made = layouts(d)
        made["dense.*"] = ("model",)
        return made["dense/kernel"]

    assert seen(run) == "ValueError"


def test_layouts_of_variables():
    for lib in both():
        strategy = lib.distribution.ModelParallel(layout_map=layouts(lib.distribution))
        dense = lib.layers.Dense(2, name="dense")
        dense.build((None, 3))
        assert strategy.get_variable_layout(dense.kernel).axes == (None, "model")
        assert strategy.get_variable_layout(dense.bias).axes == (None,)


_TRAIN = """
import sys
import numpy as np
import {library} as lib
lib.distribution.set_distribution(lib.distribution.DataParallel())
assert len(lib.distribution.list_devices()) == {devices}
rng = np.random.default_rng(0)
x, y = (rng.normal(size=(24, n)).astype("float32") for n in (5, 2))
model = lib.Sequential([
    lib.layers.Input((5,)),
    lib.layers.Dense(7, "tanh", activity_regularizer="l2"),
    lib.layers.BatchNormalization(momentum=0.7),
    lib.layers.Dense(2),
])
model.compile(lib.optimizers.SGD(0.1), "mse", metrics=["mae"])
model.set_weights([rng.uniform(0.1, 0.5, w.shape).astype("float32") for w in model.get_weights()])
logs = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
np.savez(sys.argv[1], *model.get_weights(), logs["loss"], logs["mae"])
"""


@pytest.mark.slow
def test_training_on_two_devices_is_that_of_keras(tmp_path):
    root = Path(kerasish.__file__).parents[1]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(root)}
    environment["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    mpirun = Path(sys.executable).parent / "mpirun"
    found = []
    for library, start in (("keras", []), ("kerasish", [str(mpirun), "-n", "2"])):
        program, out = tmp_path / f"{library}_program.py", tmp_path / f"{library}.npz"
        program.write_text(_TRAIN.format(library=library, devices=2))
        subprocess.run(
            [*start, sys.executable, str(program), str(out)], check=True, env=environment
        )
        with np.load(out) as values:
            found.append([values[name] for name in values])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
