"""Fixtures shared by all tests."""

import importlib
import os
import shutil
from pathlib import Path

import pytest
import standin_cuda
import standin_cupy
import standin_gpu

import kerasish_core as core
from kerasish.dtype_policies import policy
from kerasish.random.seed_generator import global_seed_state, set_global_seed
from kerasish_core import device
from kerasish_core.executors import cuda
from kerasish_core.executors.cuda import homes


def pytest_addoption(parser):
    parser.addoption(
        "--standin-gpu", action="store_true", help="run on a GPU that is a stand-in of CuPy"
    )


def pytest_configure(config):
    if config.getoption("--standin-gpu"):
        standin_gpu.start(config)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--standin-gpu"):
        standin_gpu.leave_out(config, items)


# Read when the published Keras is imported, by parity tests only. The judge runs on JAX.
os.environ.setdefault("KERAS_BACKEND", "jax")

# Files that `datasets.*.load_data()` and `get_word_index()` look for under `KERAS_HOME/datasets`.
DATASET_FILES = (
    "mnist.npz",
    "imdb.npz",
    "imdb_word_index.json",
    "reuters.npz",
    "reuters_word_index.json",
    "boston_housing.npz",
    "california_housing.npz",
)


def _missing(message):
    """Fails in CI, where the data must be there; skips on a contributor's machine."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(autouse=True)
def _own_policy():
    """A dtype policy that a test sets is forgotten after it: `set_floatx` yields to it."""
    yield
    policy.STATE.policy = None


@pytest.fixture(scope="session")
def data_dir():
    """Folder of the real data: `$KERASISH_TEST_DATA`, or `../shared/data` beside the clone."""
    named = os.environ.get("KERASISH_TEST_DATA")
    if named:
        folder = Path(named).expanduser()
        if not folder.is_dir():
            _missing(f"KERASISH_TEST_DATA names {named!r}, which is not a folder")
        return folder.resolve()
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        _missing("real data needed: set KERASISH_TEST_DATA to the folder that holds it")
    return folder


@pytest.fixture
def keras_home(request, data_dir, tmp_path, monkeypatch):
    """A fresh `KERAS_HOME` whose `datasets/` holds copies of the real data.

    All of `DATASET_FILES` by default; a test that needs one names it:
    `@pytest.mark.parametrize("keras_home", [("mnist.npz",)], indirect=True)`.
    """
    datasets = tmp_path / "keras_home" / "datasets"
    datasets.mkdir(parents=True)
    for name in getattr(request, "param", DATASET_FILES):
        source = data_dir / name
        if not source.is_file():
            _missing(f"{name} is not in the data folder")
        shutil.copyfile(source, datasets / name)  # not copy(): the originals may be read-only
    monkeypatch.setenv("KERAS_HOME", str(datasets.parent))
    return datasets.parent


@pytest.fixture
def native():
    """The native library; its instruction set and number of threads are put back afterwards.

    CI must have built it. A contributor builds it by `python setup.py build_ext --inplace`.
    """
    try:
        library = importlib.import_module("kerasish_core.executors.native._native")
    except ImportError as error:
        _missing(f"the native library was not built: {error}")
    chosen, threads = library.instruction_set(), library.threads()
    yield library
    library.set_instruction_set(chosen)
    library.set_threads(threads)


@pytest.fixture
def instruction_sets(native):
    """Names of the instruction sets that this build and machine have, the best first."""
    found = []
    for name in ("avx512", "avx2", "plain"):
        try:
            native.set_instruction_set(name)
        except ValueError:
            continue
        found.append(name)
    assert found[-1] == "plain"
    native.set_instruction_set(found[0])
    return found


@pytest.fixture
def cupy():
    """CuPy's stand-in (`standin_cupy.py`), and the first GPU as the current device."""
    globals_ = core.ops.collective._ORDER, global_seed_state()
    before = [v._tensor for v in globals_]
    kept = (device._checked.cache_clear, device._KEPT.clear, homes._BUFFERS.clear,
            homes._EQUAL.clear)  # fmt: skip
    for clear in kept:
        clear()
    with standin_cupy.installed() as module, core.device_scope("gpu:0"):
        yield module
    for clear in kept:
        clear()
    for variable, tensor in zip(globals_, before, strict=True):
        variable._tensor = tensor
    if global_seed_state() is not globals_[1]:  # one of the GPU's
        set_global_seed(0)


@pytest.fixture(scope="session")
def cublaslt():
    """cuBLASLt's stand-in, built once."""
    return standin_cuda.Library()


@pytest.fixture
def gpu(cupy, monkeypatch, tmp_path_factory, cublaslt):
    """CuPy's stand-in with streams, graphs, modules and cuBLASLt: steps run as `CudaProgram`."""
    standin_cuda.install(cupy, monkeypatch, cublaslt, tmp_path_factory.mktemp("kernels"))
    monkeypatch.setattr(standin_cuda, "LAUNCHED", [])
    forget = cuda._room("cublas").CublasLt.of.cache_clear
    forget()
    yield cupy
    forget()
