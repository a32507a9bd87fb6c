"""RegNet and ResNet-RS against what Keras 2 (tf-keras 2.21) built and answered.

`tests/golden/make_classic_applications.py` made the fixture.
"""

from __future__ import annotations

import inspect
import json
import unittest.mock
import warnings
from pathlib import Path

import classic_application_cases as cases
import numpy as np
import pytest

import kerasish
from kerasish import naming
from kerasish.applications import frame
from kerasish.compat import OlderSpelling
from kerasish.initializers import Zeros

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "classic_applications.json").read_text()
)
QUICK = [
    ("RegNetX004", {"weights": None, "input_shape": (40, 52, 1), "classes": 7}),
    ("RegNetX002", {}),
    ("RegNetY002", {"include_top": False, "pooling": "avg"}),
    ("ResNetRS50", {}),
]


@pytest.fixture(autouse=True)
def quiet():
    naming.reset_uids()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OlderSpelling)
        yield


@pytest.fixture
def described(monkeypatch):
    """What is built, without drawing weights (most of the time) or loading published ones."""

    def describe(name, kwargs):
        files = []

        def get_file(fname, origin, cache_subdir, file_hash):
            files.append([fname, origin, cache_subdir, file_hash])
            return "nowhere"

        monkeypatch.setattr(frame, "get_file", get_file)
        monkeypatch.setattr(kerasish.Model, "load_weights", lambda *args: None)
        add_weight = kerasish.layers.Layer.add_weight

        def zeros(self, *args, initializer=None, **options):
            return add_weight(self, *args[:1], initializer=Zeros(), **options)

        with unittest.mock.patch.object(kerasish.layers.Layer, "add_weight", zeros):
            model = getattr(kerasish.applications, name)(**kwargs)
        return {**cases.describe(model), "files": files}

    return describe


@pytest.mark.parametrize("case", QUICK, ids=lambda c: cases.label(*c))
def test_small_ones_are_built_as_keras_2_built_them(case, described):
    assert described(*case) == GOLDEN["structure"][cases.label(*case)]


@pytest.mark.slow
@pytest.mark.parametrize("case", cases.CASES, ids=lambda c: cases.label(*c))
def test_built_as_keras_2_built_it(case, described):
    assert described(*case) == GOLDEN["structure"][cases.label(*case)]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n == "ResNetRS50")) for n in cases.VALUES]
)
def test_values(name):
    found = cases.outputs(cases.small(kerasish, name))[:, ::8]
    expected = np.array(GOLDEN["values"][name])
    assert expected.shape == found.shape and np.ptp(expected) > 0
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found / scale, expected / scale, atol=2e-5)


def test_they_are_of_earlier_releases_only():
    shown = dir(kerasish.applications)
    assert not set(cases.NAMES) & set(shown)
    for room in ("regnet", "resnet_rs"):
        assert room not in shown


def test_arguments_are_those_of_keras_2():
    regnet = inspect.signature(kerasish.applications.RegNetY064).parameters
    assert list(regnet)[:3] == ["model_name", "include_top", "include_preprocessing"]
    assert regnet["model_name"].default == "regnety064"
    assert list(inspect.signature(kerasish.applications.ResNetRS420).parameters) == [
        "include_top", "weights", "classes", "input_shape", "input_tensor", "pooling",
        "classifier_activation", "include_preprocessing",
    ]  # fmt: skip


def test_weights_that_were_not_published_are_refused():
    with pytest.raises(ValueError, match="'imagenet', 'imagenet-i192', 'imagenet-i224'"):
        kerasish.applications.ResNetRS152(weights="imagenet-i160")
    with pytest.raises(ValueError, match="`classes` should be 1000"):
        kerasish.applications.ResNetRS50(weights="imagenet-i160", classes=10)
    with pytest.raises(ValueError, match="nowhere"):
        kerasish.applications.RegNetX002(weights="nowhere.h5")


def test_weights_go_to_a_file_and_back(tmp_path):
    options = {"include_top": False, "input_shape": (32, 32, 3), "pooling": "max"}
    model = kerasish.applications.regnet.RegNetX002(weights=None, **options)
    path = str(tmp_path / "own.weights.h5")
    model.save_weights(path)
    twin = kerasish.applications.regnet.RegNetX002(weights=path, **options)
    x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    images = kerasish.applications.regnet.preprocess_input(x)
    assert images is x


def test_every_network_takes_the_parts_of_the_package_of_networks():
    for names in kerasish.applications.NETWORKS.values():
        for name in names:
            assert hasattr(getattr(kerasish.applications, name), "__wrapped__"), name
    parts = {name: getattr(kerasish, name) for name in ("backend", "layers", "models", "utils")}
    with pytest.warns(OlderSpelling, match=r"\(utils=...\)"):
        model = kerasish.applications.MobileNetV2(
            weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35, **parts
        )
    assert model.output.shape == (None, 1, 1, 1280)
    find = kerasish.applications.get_submodules_from_kwargs
    assert find({}) == tuple(parts.values())
    assert find({"layers": np})[1] is np
    with pytest.raises(TypeError, match="Invalid keyword argument: engine"):
        find({"engine": None})
    shape = kerasish.applications.imagenet_utils._obtain_input_shape
    assert shape(None, 224, 32, "channels_last", True) == (224, 224, 3)
