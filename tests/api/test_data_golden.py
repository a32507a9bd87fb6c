"""Folders and series as data sets: the elements that Keras on TensorFlow makes, from a file."""

import json
from pathlib import Path

import numpy as np
import pytest

from kerasish import utils

FOLDER = Path(__file__).parents[1] / "golden/data_folders"
CASES = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
KINDS = sorted({case["function"] for case in CASES})
# TensorFlow cuts the gray of a colour to an integer, which Pillow rounds, and reads the weights of
# cubic interpolation from a table of 1024 places. Its figures are written to 4 digits.
ERRORS = {"grayscale": 1.0, "bicubic": 0.1}


def dataset_of(case):
    call, options = getattr(utils, case["function"]), dict(case["options"])
    if case["function"].startswith("timeseries"):
        data = np.arange(40.0, dtype="float32").reshape(20, 2)
        targets = {None: None, "same length": data[:, 0] * 10, "shorter": data[:17]}
        return call(data, targets[case["place"]], **options)
    if "image_size" in options:
        options["image_size"] = tuple(options["image_size"])
    return call(FOLDER / case["place"], **options)


def check(found, expected, error):
    if isinstance(expected, list):
        assert isinstance(found, tuple) and len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            check(a, b, error)
        return
    found = np.asarray(found)
    assert list(found.shape) == expected["shape"]
    if expected["dtype"] == "string":
        assert found.ravel().tolist() == expected["value"]
        return
    assert found.dtype == expected["dtype"]
    np.testing.assert_allclose(found.ravel(), expected["value"], rtol=1e-5, atol=error)


@pytest.mark.parametrize("kind", KINDS)
def test_elements(kind):
    for case in CASES:
        if case["function"] != kind:
            continue
        shown = (case["place"], case["options"])
        if "error" in case:
            with pytest.raises(Exception) as caught:
                list(dataset_of(case))
            assert caught.type.__name__ == case["error"], shown
            continue
        dataset = dataset_of(case)
        found = list(dataset)
        assert len(found) == len(case["elements"]), shown
        options = set(map(str, case["options"].values()))
        error = max((ERRORS[name] for name in ERRORS if name in options), default=1e-3)
        for a, b in zip(found, case["elements"], strict=True):
            check(a, b, error)
        if "class_names" in case:
            assert dataset.class_names == case["class_names"], shown
        if "files" in case:
            files = [str(Path(p).relative_to(FOLDER)) for p in dataset.file_paths]
            assert files == case["files"], shown


def test_there_are_many_cases():
    assert len(CASES) == 60 and len(KINDS) == 4
