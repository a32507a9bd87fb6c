"""Scripts for earlier releases that read data sets, images and texts: they run, and they learn.

Each script of `scripts_with_data/` says in comments after its docstring

- `# generation:` of which Keras it is, which must be what is guessed from its text;
- `# needs:` files of the data folder that it finds in the cache of downloads (and `cifar10`, for a
  part of CIFAR-10 in the form of its archive);
- `# shows:` the figure that it prints last, the bound that it must reach, and about what an
  untrained model would print.
"""

from __future__ import annotations

import operator
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kerasish
from kerasish.compat.generation import guess

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "tests" / "compat" / "scripts_with_data").glob("*.py"))
COMPARE = {">=": operator.ge, "<=": operator.le}
SHOWN = re.compile(r"(.+) (>=|<=) ([-\d.]+) \(untrained ([-\d.]+)\)")


def header(path):
    """The comments of a script that say how it is tested."""
    found = re.findall(r"^# (generation|needs|shows): (.+)$", path.read_text(), re.MULTILINE)
    return {"needs": "", **dict(found)}


def prepare(needs, home, data_dir):
    """Put the files that a script needs into the cache of downloads."""
    datasets = home / "datasets"
    datasets.mkdir(parents=True)
    for name in needs.replace(",", " ").split():
        if name == "cifar10":
            part_of_cifar10(datasets / "cifar-10-batches-py", data_dir)
            continue
        source = data_dir / name
        if not source.is_file():
            pytest.fail(f"{name} is not in the data folder", pytrace=False)
        shutil.copyfile(source, datasets / name)


def part_of_cifar10(folder, data_dir):
    """The pictures that there are, in the files of CIFAR-10's archive."""
    folder.mkdir()
    with np.load(data_dir / "cifar10_subset.npz") as file:
        found = {name: file[name] for name in file.files}
    parts = {
        f"data_batch_{i + 1}": (found["x_train"][i::5], found["y_train"][i::5]) for i in range(5)
    }
    for name, (x, y) in {**parts, "test_batch": (found["x_test"], found["y_test"])}.items():
        rows = np.ascontiguousarray(x.transpose(0, 3, 1, 2)).reshape(len(x), -1)
        batch = {b"data": rows, b"labels": y.tolist()}
        (folder / name).write_bytes(pickle.dumps(batch))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_generation(path):
    """What is guessed of a script is what it was written for."""
    told = header(path)
    found = guess(path.read_text())
    assert found.generation == int(told["generation"]), found.reasons
    figure, compare, bound, untrained = SHOWN.fullmatch(told["shows"]).groups()
    assert not COMPARE[compare](float(untrained), float(bound)), f"{figure}: nothing to learn"


# One of each kind for every run: the others take minutes together.
QUICK = {"fit_generator_first", "hdf5_matrix", "merge_first_functional", "text_one_hot"}


@pytest.mark.learning
@pytest.mark.parametrize(
    "path",
    [p if p.stem in QUICK else pytest.param(p, marks=pytest.mark.slow) for p in SCRIPTS],
    ids=lambda path: path.stem,
)
def test_script(path, data_dir, tmp_path):
    told = header(path)
    prepare(told["needs"], tmp_path / "home", data_dir)
    environment = {
        **os.environ, "KERAS_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(Path(kerasish.__file__).parents[1]),  # what is tested: maybe installed
        "MPLBACKEND": "agg",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "kerasish", str(path)], cwd=tmp_path, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    figure, compare, bound, _ = SHOWN.fullmatch(told["shows"]).groups()
    last = done.stdout.strip().rsplit("\n", 1)[-1]
    assert last.startswith(figure + " "), done.stdout[-2000:]
    assert COMPARE[compare](float(last.removeprefix(figure)), float(bound)), last
