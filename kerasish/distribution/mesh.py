"""Devices in a grid, and which axes of a tensor are spread over which of the grid's."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from .devices import list_devices

__all__ = ["DeviceMesh", "LayoutMap", "TensorLayout"]


class DeviceMesh:
    """Devices in a grid with named axes.

    Args:
        shape: Sizes of the grid.
        axis_names: A name for each of them.
        devices: Their names; all devices by default.

    Raises:
        ValueError: Numbers do not fit.

    Source: https://keras.io/api/distribution/layout_map/
    """

    def __init__(self, shape: Any, axis_names: Any, devices: Any = None) -> None:
        if not shape or not axis_names:
            raise ValueError(
                "Shape and axis_names cannot be empty. Received: "
                f"shape={shape}, axis_names={axis_names}"
            )
        if len(shape) != len(axis_names):
            raise ValueError(
                "Shape and axis_names should have same size. "
                f"Received: shape={shape}, axis_names={axis_names}"
            )
        names = np.array(list_devices() if devices is None else devices)
        if math.prod(shape) != names.size:
            raise ValueError(
                "Shape does not match the number of devices. "
                f"Received: shape={shape}; devices.shape={names.shape}"
            )
        self._shape, self._axis_names = shape, axis_names
        self._devices = names.reshape(shape)

    @property
    def shape(self) -> Any:
        """The grid's sizes."""
        return self._shape

    @property
    def axis_names(self) -> Any:
        """The names of the grid's axes."""
        return self._axis_names

    @property
    def devices(self) -> Any:
        """The devices' names as an array of the grid's shape."""
        return self._devices

    @property
    def backend_mesh(self) -> DeviceMesh:
        """The mesh itself: nothing is beneath it."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} shape={self.shape}, axis_names={self.axis_names}>"


class TensorLayout:
    """Which axes of a tensor are spread over a mesh.

    Args:
        axes: For each axis of the tensor the mesh's axis that it is spread over, or None.
        device_mesh: The mesh; may be set once later.

    Raises:
        ValueError: A name that the mesh does not have.
    """

    def __init__(self, axes: Any, device_mesh: DeviceMesh | None = None) -> None:
        self._axes, self._device_mesh = tuple(axes), device_mesh
        self._check()

    def _check(self) -> None:
        if self._device_mesh is not None:
            known = set(self._device_mesh.axis_names)
            named = {axis for axis in self._axes if axis is not None}
            if named - known:
                raise ValueError(
                    f"Invalid axis names for Layout. Valid axis names: {known}, Got {named}"
                )

    @property
    def axes(self) -> tuple[Any, ...]:
        """The mesh's axes, one for each of the tensor's."""
        return self._axes

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh, or None if it was not set yet."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, device_mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise ValueError(
                f"Cannot override device mesh value. Existing value is {self._device_mesh}"
            )
        self._device_mesh = device_mesh
        self._check()

    @property
    def backend_layout(self) -> TensorLayout:
        """The layout itself: nothing is beneath it.

        Raises:
            ValueError: It has no mesh.
        """
        if self._device_mesh is None:
            raise ValueError("Cannot create sharding when device mesh is not set for TensorLayout.")
        return self

    def parts(self) -> tuple[int, ...]:
        """Into how many parts each axis is cut."""
        mesh = self.backend_layout.device_mesh
        assert mesh is not None
        sizes = dict(zip(mesh.axis_names, mesh.shape, strict=True))
        return tuple(1 if axis is None else sizes[axis] for axis in self._axes)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} axes={self.axes}, device_mesh={self.device_mesh}>"


class LayoutMap(MutableMapping[str, Any]):
    """Layouts by path: keys are paths, or regular expressions that whole paths match.

    Args:
        device_mesh: Of the layouts that are given as tuples.

    >>> from kerasish.distribution import DeviceMesh, LayoutMap
    >>> layouts = LayoutMap(DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"]))
    >>> layouts[".*dense.*kernel"] = (None, "model")
    >>> layouts["model/dense_1/kernel"].axes
    (None, 'model')
    """

    def __init__(self, device_mesh: DeviceMesh) -> None:
        self._layouts: dict[str, TensorLayout] = {}
        self._device_mesh = device_mesh

    @property
    def device_mesh(self) -> DeviceMesh:
        """The mesh."""
        return self._device_mesh

    def __getitem__(self, key: str) -> Any:
        """The layout of a path, or None.

        Raises:
            ValueError: Several expressions match.
        """
        if key in self._layouts:
            return self._layouts[key]
        matching = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"Path '{key}' matches multiple layout specification keys: {matching}. Please "
                "make sure each tensor/variable path only matches at most one layout "
                "specification key in the LayoutMap."
            )
        return self._layouts[matching[0]] if matching else None

    def __setitem__(self, key: str, layout: Any) -> None:
        """Enter a layout, or a tuple of the mesh's axes.

        Raises:
            ValueError: The key is there already, or it is no layout.
        """
        if key in self._layouts:
            raise ValueError(
                f"{key} already exist in the LayoutMap with value {self._layouts[key]}. Please "
                "make sure to not use duplicated keys."
            )
        if isinstance(layout, tuple):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ValueError(f"{layout} should be a TensorLayout type, got {type(layout)}")
        if layout.device_mesh is None:
            layout.device_mesh = self._device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)
