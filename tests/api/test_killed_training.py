"""A run killed in the middle of an epoch and started again ends as if it had not been killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL")


def train(folder, *after):
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, HERE / "killed_training.py", folder, *map(str, after)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True, text=True,
    )  # fmt: skip


def finish(folder, kills):
    for after in kills:
        assert train(folder, after).returncode == -signal.SIGKILL
    found = train(folder)
    assert found.returncode == 0, found.stderr[-3000:]
    return np.load(folder / "result.npz")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("whole"), [])


# Seven batches an epoch; the second of two kills is counted from where the run goes on.
@pytest.mark.parametrize(
    "kills",
    [
        [10],
        *(pytest.param([n], marks=pytest.mark.slow) for n in (1, 3, 7, 14, 19, 30, 41)),
        pytest.param([25, 10], marks=pytest.mark.slow),
        pytest.param([4, 9, 9, 2], marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_bits_are_those_of_a_run_never_killed(kills, whole, tmp_path):
    again = finish(tmp_path / "again", kills)
    assert whole.files == again.files
    for name in whole.files:
        np.testing.assert_array_equal(again[name], whole[name], err_msg=name)
