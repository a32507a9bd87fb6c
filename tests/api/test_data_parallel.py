"""Training on two processes under MPI equals training in one, in the same program."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from parallel_program import X, Y, dense

import kerasish
import kerasish_core as core
from kerasish import shard

HERE = Path(__file__).parent
PROGRAM = HERE / "parallel_program.py"
# The folder that this process has the package from, and whatever else was named.
OURS = os.pathsep.join(
    [str(Path(kerasish.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
).rstrip(os.pathsep)
TIGHT, LOOSE = 2e-5, 5e-3
FEW = ["fitted", "images"]
CASES = [
    "eagerly", "one_row_left", "masked", "several_outputs", "own_step", "half", "made_in_python",
    "own_parts",
]  # fmt: skip
# MPI comes with that extra, which CI installs.
needs_mpi = pytest.mark.parity


def launch(count, *arguments, check=True):
    """The program on some processes."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    if count > 1:
        beside = Path(sys.executable).parent / "mpirun"
        mpirun = str(beside) if beside.exists() else shutil.which("mpirun")
        assert mpirun, "mpirun is missing: install the extra `mpi`"
        assert importlib.util.find_spec("mpi4py"), "mpi4py is missing: install the extra `mpi`"
        command = [mpirun, "-n", str(count), *command]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": OURS}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def values(folder, name, rank):
    with np.load(folder / f"{name}.{rank}.npz") as found:
        return [found[key] for key in found]


def as_one(count, names, tmp_path, how="run"):
    """The cases on some processes: all of them hold what one process holds."""
    folders = [tmp_path / name for name in ("alone", "together")]
    for processes, folder in zip((1, count), folders, strict=True):
        folder.mkdir()
        launch(processes, how, folder, ",".join(names))
    for name in names:
        alone = values(folders[0], name, 0)
        first, *others = (values(folders[1], name, rank) for rank in range(count))
        tolerance = LOOSE if name == "half" else TIGHT
        assert len(alone) > 3
        for i, (a, b) in enumerate(zip(alone, first, strict=True)):
            assert np.isfinite(a).all()
            np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance, err_msg=f"{name} {i}")
            for other in others:
                np.testing.assert_array_equal(other[i], b)


@needs_mpi
def test_two_processes_are_as_one(tmp_path):
    as_one(2, FEW, tmp_path)


@needs_mpi
def test_two_gpus_are_as_one(tmp_path):
    """Over stand-ins of CuPy and of NCCL, which sums between the processes."""
    as_one(2, ["several_outputs"], tmp_path, "on_gpus")


@needs_mpi
@pytest.mark.slow
def test_programs_on_two_gpus_are_as_one(tmp_path):
    """CUDA programs with the sum among their launches, their text run on the host."""
    as_one(2, ["simple"], tmp_path, "as_cuda")


@needs_mpi
@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_are_as_one(tmp_path, count):
    as_one(count, CASES, tmp_path)


@needs_mpi
@pytest.mark.slow
def test_a_process_that_fails_ends_all():
    done = launch(2, "fail", check=False)
    assert done.returncode != 0 and "this process has a mistake" in done.stderr


@needs_mpi
@pytest.mark.slow
def test_different_numbers_of_batches():
    done = launch(2, "differ")
    assert done.stdout.count("equally many batches, they have [2, 4]") == 2


def test_without_mpi4py(tmp_path):
    blocked = tmp_path / "mpi4py.py"
    blocked.write_text("raise ImportError('not here')")
    code = "import kerasish; kerasish.distribution.DataParallel()"
    run = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{OURS}"}
    alone = subprocess.run(
        [sys.executable, "-c", code], env=run, capture_output=True, text=True, check=False
    )
    assert alone.returncode == 0, alone.stderr
    several = subprocess.run(
        [sys.executable, "-c", code], env={**run, "PMI_SIZE": "2"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert "pip install 'kerasish[mpi]'" in several.stderr


def test_gradients_and_metrics_take_one_sum_each(monkeypatch):
    """Counted in a trace: whatever the number of variables and metrics."""

    class Two(core.Alone):
        size = 2

        def all_reduce(self, array):
            return array * array.dtype.type(2)

        def all_gather(self, value):
            return [value, value]

    monkeypatch.setattr("kerasish_core.collective._current", Two())
    monkeypatch.setattr(shard, "_distribution", _Whole())
    model = dense(metrics=["accuracy", "sparse_top_k_categorical_accuracy"])
    model.fit(X[:16], Y[:16], batch_size=16, verbose=0)
    text = model.explain("train", "optimized")
    sums = text.count("all_reduce ") + text.count("all_reduce(")
    # BatchNormalization: count, mean, variance, and the gradients of the last two; then all
    # gradients; then all metrics.
    assert sums == 7, text


class _Whole:
    auto_shard_dataset = True


class _Own:
    auto_shard_dataset = False


def test_all_trace_anew_when_the_rows_of_one_change(monkeypatch):
    """Else one would capture a sum in a graph while the others run it at once."""
    rows = [(3, 2, 1), (3, 1, 2)]

    class Three(core.Alone):
        size, rank = 3, 0

        def all_gather(self, value):
            return list(rows[0])

    monkeypatch.setattr("kerasish_core.collective._current", Three())
    monkeypatch.setattr(shard, "_distribution", _Own())
    first, _ = shard.own_part(np.zeros((3, 2)))
    again, _ = shard.own_part(np.zeros((3, 2)))
    assert first == again and (first.start, first.rows, first.total) == (0, 3, 6)
    rows.pop(0)
    other, _ = shard.own_part(np.zeros((3, 2)))
    assert other != first and (other.start, other.rows, other.total) == (0, 3, 6)
