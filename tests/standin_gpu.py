"""`pytest --standin-gpu`: tests of the API on a GPU that is not there.

CuPy's stand-in is installed as CuPy, and its first GPU is the device of the whole session. Eager
operations run as strictly as CuPy would, compiled steps as generated kernels on the host. Tests
that choose a device themselves, or check what only the CPU has (marker `cpu`), are left out.
"""

import sys
import tempfile
from pathlib import Path

import pytest
import standin_cuda
import standin_cupy
import standin_nccl

from kerasish_core import device

_CHOOSE = {"cupy", "native", "instruction_sets", "programs"}


def start(config):
    """Make it the device of the session, until the session ends."""
    cupy, patch, folder = standin_cupy.module(), pytest.MonkeyPatch(), tempfile.TemporaryDirectory()
    patch.setitem(sys.modules, "cupy", cupy)
    patch.setitem(sys.modules, "cupy.cuda.nccl", standin_nccl)
    patch.setitem(sys.modules, "cupyx", standin_cupy.cupyx())
    standin_cuda.install(cupy, patch, standin_cuda.Library(), Path(folder.name))
    patch.setattr(device, "_default_device", lambda: "gpu:0")
    device._checked.cache_clear()
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(patch.undo)


def leave_out(config, items):
    """Deselect what is not for it."""
    kept, left = [], []
    for item in items:
        chooses = _CHOOSE & set(getattr(item, "fixturenames", ()))
        (left if chooses or item.get_closest_marker("cpu") else kept).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept
