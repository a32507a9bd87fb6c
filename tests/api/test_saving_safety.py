"""Saves that are killed or find no room, and damaged files: in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX")


def run(script, *arguments, **variables):
    found = subprocess.run(
        [sys.executable, HERE / script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), **variables},
        capture_output=True, text=True,
    )  # fmt: skip
    assert found.returncode == 0, f"{script} {arguments} {variables}: {found.stderr[-3000:]}"
    return found.stdout


FORMATS = ["model.keras", "model.weights.h5", "model.h5", "model.weights.json"]


def test_a_killed_save_leaves_the_old_file_or_the_new():
    run("killed_saves.py", "model.weights.json", 5)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_hundred_killed_saves(name):
    kills, middle = (int(word) for word in run("killed_saves.py", name, 100).split() if
                     word.isdigit())  # fmt: skip
    assert kills == 100 and middle > 0


def test_a_full_disk_is_named_and_the_old_file_survives(tmp_path):
    assert "survived" in run("full_disk.py", tmp_path)


def loads(kind, first, count, folder):
    """Fails with the seeds of all files that did not load and ended in no clear error."""
    progress = folder / "seed"  # named if the process dies
    found = json.loads(run("damaged_files.py", kind, first, count, PROGRESS=str(progress)))
    assert not found["failures"], found["failures"]
    assert found["loaded"] + found["refused"] == count
    assert found["refused"] > found["loaded"] > 0


@pytest.mark.parametrize("kind", ["keras", "weights.h5", "h5"])
def test_damaged_files_end_in_an_error_or_load(kind, tmp_path):
    loads(kind, 0, 24, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 10_000, 2000))
@pytest.mark.parametrize("kind", ["keras", "weights.h5", "h5"])
def test_ten_thousand_damaged_files(kind, first, tmp_path):
    loads(kind, first, 2000, tmp_path)
