"""Training spread over devices and processes."""

from .devices import get_device_count, initialize, list_devices
from .mesh import DeviceMesh, LayoutMap, TensorLayout
from .strategies import (
    DataParallel,
    ModelParallel,
    distribute_tensor,
    distribution,
    set_distribution,
)  # fmt: skip

__all__ = [
    "DataParallel",
    "DeviceMesh",
    "LayoutMap",
    "ModelParallel",
    "TensorLayout",
    "distribute_tensor",
    "distribution",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]
