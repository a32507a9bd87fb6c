"""Packages written on Keras, run by `python -m kerasish`: each program prints `figure` last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.parity

PROGRAMS = Path(__file__).parent / "packages"
# Program: the least figure, which an untrained model misses.
TABLE = {"autokeras": 0.8, "keras_tuner": 0.85, "scikeras": 0.85}


def test_every_program_is_in_the_table():
    assert {path.stem for path in PROGRAMS.glob("*.py")} == set(TABLE)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_program(name, tmp_path):
    check = "import sys; import keras; assert keras.__name__ == 'kerasish', keras"
    program = PROGRAMS / f"{name}.py"
    for arguments in (("-c", check), (str(program),)):
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "kerasish", *arguments], cwd=tmp_path,
            capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr[-3000:]
    figure = float(run.stdout.splitlines()[-1].removeprefix("figure "))
    assert figure >= TABLE[name]
