"""How training is spread: rows of each batch, and (as layouts) parts of variables."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import kerasish_core as core

from .. import shard
from ..ops.symbolic import KerasTensor
from .devices import list_devices
from .mesh import DeviceMesh, LayoutMap, TensorLayout
from .mpi import connect

__all__ = [
    "DataParallel", "Distribution", "ModelParallel", "distribute_tensor", "distribution",
    "set_distribution",
]  # fmt: skip

_BATCH = "batch"


class Distribution:
    """The base of all distributions.

    Args:
        device_mesh: The devices.
        batch_dim_name: The mesh's axis over which batches are spread.
        auto_shard_dataset: Whether all processes are given the same data, of which each takes its
            rows; otherwise each is given its own.
    """

    def __init__(
        self, device_mesh: DeviceMesh, batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
    ) -> None:  # fmt: skip
        self._device_mesh, self._batch_dim_name = device_mesh, batch_dim_name
        self._auto_shard_dataset = auto_shard_dataset
        found = connect()
        self._num_processes, self._process_id = found.size, found.rank
        self._replicas: core.Replicas | None = None

    @property
    def device_mesh(self) -> DeviceMesh:
        """The devices."""
        return self._device_mesh

    @property
    def batch_dim_name(self) -> str | None:
        """The mesh's axis over which batches are spread."""
        return self._batch_dim_name

    @property
    def auto_shard_dataset(self) -> bool:
        """Whether all processes are given the same data."""
        return self._auto_shard_dataset

    @auto_shard_dataset.setter
    def auto_shard_dataset(self, auto_shard_dataset: bool) -> None:
        self._auto_shard_dataset = auto_shard_dataset

    @property
    def num_processes(self) -> int:
        """How many processes train together."""
        return self._num_processes

    @property
    def num_model_replicas(self) -> int:
        """How many copies of the model there are."""
        raise NotImplementedError

    @property
    def replicas(self) -> core.Replicas | None:
        """This process's GPUs once the distribution was set, where it trains on several."""
        return self._replicas

    @property
    def data_shard_id(self) -> int:
        """The number of the part of each batch that is this process's."""
        if self.num_model_replicas >= self.num_processes:
            return self._process_id
        return self._process_id // (self.num_processes // self.num_model_replicas)

    def get_data_layout(self, data_shape: Any) -> TensorLayout:
        """The layout of a batch: its first axis is spread."""
        rest = [None] * (len(data_shape) - 1)
        return TensorLayout([self.batch_dim_name, *rest], self.device_mesh)

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """The layout of a variable: its own, else every device has it whole."""
        own: TensorLayout | None = getattr(variable, "_layout", None)
        if own is not None:
            return own
        return TensorLayout([None] * len(variable.shape), self.device_mesh)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout of what a layer returns, by the layer's path; None leaves it as it is."""
        return None

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """A block in which it is the distribution."""
        before = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            shard.set_distribution(before)  # checked when it was set

    def distribute_dataset(self, dataset: Any) -> Any:
        """The data set as `fit` takes it: as it is, since `fit` takes this process's rows."""
        return dataset

    def distribute_tf_dataset(self, dataset: Any) -> Any:
        """The same for a data set of TensorFlow."""
        return self.distribute_dataset(dataset)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Every device has the whole model and some rows of each batch.

    A program that is started once trains on all GPUs of its machine, or on those that it names.
    `mpirun -n 4 python train.py` runs it on four processes (extra `mpi`) of one or several
    machines, with a device each. In `fit`, `evaluate`, `train_on_batch` and `test_on_batch` the
    results are those of one device with whole batches: gradients are summed over the devices (one
    call a step), moments of `BatchNormalization` are those of the whole batch, and so are losses
    and metrics. `predict` runs on one device, in each process on all it is given. Weights, seeds
    and orders of rows are those of the first process. A random tensor whose first axis is that of a
    device's rows is its part of what the whole batch would get; all others are equal on all
    devices. `add_loss` counts as a mean over rows, and so does a float that a step of your own
    returns; state that a layer makes from its own rows is that of the first device. Layers built
    for a fixed number of rows (`stateful=True`) do not fit a part of them. Rows that are fewer than
    processes are computed by all of them, those that are fewer than the GPUs of one process by its
    first GPU, and so are steps that run eagerly.

    Args:
        device_mesh: The devices; of several axes the first is that of batches.
        devices: Names of devices, instead of a mesh. By default all there are.
        auto_shard_dataset: Whether all processes are given the same data, of which each takes its
            rows of every batch; otherwise each is given its own part of the data, and batches of
            all together make up a step.

    Sums go from GPU to GPU by NCCL (extra `nccl12` or `nccl13`), as a part of the compiled step;
    without NCCL, or where processes share a GPU, by way of the host. Of several processes each
    takes the GPU of its number on its machine. Variables live on the first GPU, and the others
    have copies; that one is the device on which new arrays are made.

    Raises:
        ImportError: Several processes were started, and mpi4py is missing.
        ValueError: When it is set: it is over other devices than there are.

    Source: https://keras.io/api/distribution/data_parallel/

    >>> import kerasish
    >>> kerasish.distribution.DataParallel().num_model_replicas
    1
    """

    def __init__(
        self, device_mesh: Any = None, devices: Any = None, auto_shard_dataset: bool = True
    ) -> None:
        if device_mesh and not isinstance(device_mesh, DeviceMesh):
            raise ValueError(
                "Expect `mesh` to be an instance of `DeviceMesh`. "
                f"Received: mesh={device_mesh} (of type {type(device_mesh)})"
            )
        if not device_mesh:
            names = np.array(devices or list_devices())
            device_mesh = DeviceMesh(names.shape, [_BATCH], names)
        super().__init__(device_mesh, device_mesh.axis_names[0], auto_shard_dataset)
        if device_mesh.devices.ndim != 1:
            warnings.warn(
                "Expect the input mesh to be 1D, but received "
                f"mesh.devices.ndim={device_mesh.devices.ndim}. The first axis will be used for "
                "data-parallel sharding.",
                stacklevel=2,
            )

    @property
    def num_model_replicas(self) -> int:
        return int(self.device_mesh.devices.size)


class ModelParallel(Distribution):
    """Layouts of variables by their paths, beside rows of each batch.

    Keeping parts of a variable on several devices is not there yet: the mesh must have one device
    along every axis but that of batches, where this is `DataParallel` with layouts to look up.

    Args:
        layout_map: Layouts by path.
        batch_dim_name: The mesh's axis over which batches are spread; its first by default.
        auto_shard_dataset: As of `DataParallel`.

    Raises:
        ValueError: `layout_map` is missing or none.

    Source: https://keras.io/api/distribution/model_parallel/
    """

    def __init__(
        self, *, layout_map: Any = None, batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True, **kwargs: Any,
    ) -> None:  # fmt: skip
        if layout_map is None:
            raise ValueError("You must specify a layout_map argument.")
        if not isinstance(layout_map, LayoutMap):
            raise ValueError(
                "Argument `layout_map` must be a `LayoutMap` instance. "
                f"Received: layout_map={layout_map}"
            )
        mesh = layout_map.device_mesh
        super().__init__(mesh, batch_dim_name or mesh.axis_names[0], auto_shard_dataset)
        self._layout_map = layout_map

    @property
    def num_model_replicas(self) -> int:
        mesh = self.device_mesh
        return int(mesh.shape[list(mesh.axis_names).index(self.batch_dim_name)])

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        own: TensorLayout | None = getattr(variable, "_layout", None)
        return own or self._layout_map[variable.path] or super().get_variable_layout(variable)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        found: TensorLayout | None = self._layout_map[path]
        return found


def distribution() -> Distribution | None:
    """The distribution that is set, or None."""
    found: Distribution | None = shard.distribution()
    return found


def set_distribution(value: Distribution | None) -> None:
    """Set how training is spread over devices; None: not at all.

    Raises:
        ValueError: It is no distribution, or one over other devices than there are.
        NotImplementedError: It cuts models into parts.
    """
    if value is not None:
        if not isinstance(value, Distribution):
            raise ValueError(
                f"A DataParallel or ModelParallel is needed, or None. Received: {value}"
            )
        value._replicas = _replicas_of(value)
    shard.set_distribution(value)


def _replicas_of(value: Distribution) -> core.Replicas | None:
    """The GPUs over which this process spreads its steps.

    Raises:
        ValueError: It is one over other devices than there are.
        NotImplementedError: It cuts models into parts.
    """
    devices = value.device_mesh.devices.size
    if isinstance(value, ModelParallel) and value.num_model_replicas != devices:
        raise NotImplementedError(
            f"{value} cuts the model into {devices // value.num_model_replicas} parts: parts of "
            "variables on several devices are not there yet. Give the mesh one device along every "
            f"axis but '{value.batch_dim_name}', or use DataParallel."
        )
    if devices == value.num_processes:
        return None
    names, there = [str(d) for d in value.device_mesh.devices.flat], list_devices()
    if value.num_processes > 1 or len(there) == 1:
        raise ValueError(
            f"{value} is over {devices} devices, but each process has one and there are "
            f"{value.num_processes}. Start as many: `mpirun -n {devices} python train.py`."
        )
    first = core.current_device()
    if len(set(names)) < devices or not {first, *names} <= {*there} or first not in names:
        raise ValueError(
            f"{value} is over {names}; they must be different devices of {there}, and {first}, "
            f"where new arrays are made, one of them. Another one is made that by "
            f"KERASISH_DEVICE={names[0]}."
        )
    names.remove(first)
    return core.replicas_on((first, *names))


def distribute_tensor(tensor: Any, layout: Any) -> Any:
    """The tensor, if it can have this layout. Values are whole in every process, so they stay.

    Args:
        tensor: Tensor, array or symbolic tensor.
        layout: A `TensorLayout` with a mesh.

    Raises:
        ValueError: The layout has no mesh, or an axis can't be cut into equal parts.
    """
    if isinstance(tensor, KerasTensor):
        return tensor
    found = core.convert(tensor)
    parts = layout.parts()
    if len(parts) > found.ndim or any(n % p for n, p in zip(found.shape, parts, strict=False)):
        raise ValueError(
            f"{layout} cuts the axes of a tensor into {parts} equal parts, which {found.spec} "
            "can't be cut into."
        )
    return found
