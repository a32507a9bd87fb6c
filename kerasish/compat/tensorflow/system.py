"""Devices, strategies of one device, errors, logging: what programs ask of the system."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from ... import summary
from .control import in_function
from .values import plain

__all__ = ["PhysicalDevice", "Strategy", "get_logger", "print_"]


def nothing(*_: Any, **__: Any) -> None:
    """Nothing to set: it has no effect here."""


def no(*_: Any, **__: Any) -> bool:
    """No."""
    return False


def yes(*_: Any, **__: Any) -> bool:
    """Yes."""
    return True


def zero() -> int:
    """0: the system chooses."""
    return 0


def empty() -> str:
    """No mode."""
    return ""


# -- devices


class PhysicalDevice(NamedTuple):
    """A device of this machine."""

    name: str
    device_type: str


class DeviceConfiguration(NamedTuple):
    """What a program wishes of a device, which has no effect."""

    memory_limit: Any = None
    experimental_priority: Any = None


def _devices(kind: Any, form: str) -> list[PhysicalDevice]:
    found = [PhysicalDevice(f"{form}CPU:0", "CPU")]
    found += [PhysicalDevice(f"{form}GPU:{i}", "GPU") for i in range(core.gpu_count())]
    return [d for d in found if kind is None or d.device_type == str(kind).upper()]


def list_physical_devices(device_type: Any = None) -> list[PhysicalDevice]:
    """The devices that arrays can be on."""
    return _devices(device_type, "/physical_device:")


def list_logical_devices(device_type: Any = None) -> list[PhysicalDevice]:
    """The same under the names of blocks `with tf.device(name)`."""
    return _devices(device_type, "/device:")


get_visible_devices = list_physical_devices


def get_device_details(device: Any) -> dict[str, Any]:
    """Nothing is known of it."""
    return {}


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether there is a GPU that arrays can be on."""
    return core.gpu_count() > 0


def gpu_device_name() -> str:
    """The name of the first GPU; "" if there is none."""
    return "/device:GPU:0" if core.gpu_count() else ""


class ReduceOp(Enum):
    """How the results of replicas are joined."""

    SUM = "SUM"
    MEAN = "MEAN"


class Strategy:
    """A strategy of one replica: the program as it is.

    Raises:
        ValueError: More than one device is named. `keras.distribution` trains on several.
    """

    num_replicas_in_sync = 1

    def __init__(
        self, devices: Any = None, cross_device_ops: Any = None, device: Any = None
    ) -> None:
        if isinstance(devices, list | tuple) and len(devices) > 1:
            raise ValueError(
                f"Strategy: {list(devices)} are several devices, and tf.distribute has one here. "
                "keras.distribution.DataParallel trains on several."
            )

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """A block that changes nothing."""
        yield self

    def run(self, fn: Any, args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        """`fn` of the arguments."""
        return fn(*args, **(kwargs or {}))

    def reduce(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        """The value of the one replica; along an axis its sum or mean."""
        if axis is None:
            return value
        mean = "MEAN" in str(getattr(reduce_op, "value", reduce_op)).upper()
        return (core.ops.mean if mean else core.ops.sum)(core.convert(value), axis)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """The data set itself."""
        return dataset

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """The value of the one replica."""
        return (value,)

    def gather(self, value: Any, axis: int) -> Any:
        """The value of the one replica."""
        return value


class TPUClusterResolver:
    """There are no TPUs.

    Raises:
        ValueError: Always, as in TensorFlow where it finds none.
    """

    def __init__(self, tpu: Any = None, *_: Any, **__: Any) -> None:
        raise ValueError("Please provide a TPU Name to connect to.")


class LocalDevice(NamedTuple):
    """A device of this machine."""

    name: str
    device_type: str


def list_local_devices(session_config: Any = None) -> list[LocalDevice]:
    """The processor, and the GPUs that arrays can be on."""
    found = [LocalDevice("/device:CPU:0", "CPU")]
    return found + [LocalDevice(f"/device:GPU:{i}", "GPU") for i in range(core.gpu_count())]


_DEFAULT = Strategy()


def get_strategy() -> Strategy:
    """The one there is."""
    return _DEFAULT


# -- errors


class UnconnectedGradients(Enum):
    """What a tape gives for a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


class OpError(Exception):
    """What TensorFlow's errors are."""

    def __init__(self, node_def: Any = None, op: Any = None, message: Any = None, *_: Any) -> None:
        super().__init__(node_def if message is None else message)
        self.message = node_def if message is None else message


class InvalidArgumentError(OpError, ValueError):
    """An argument has a wrong value."""


class NotFoundError(OpError, FileNotFoundError):
    """A file is not there."""


class OutOfRangeError(OpError, StopIteration):
    """There is nothing more to come."""


class AlreadyExistsError(OpError, FileExistsError):
    """It is there already."""


class PermissionDeniedError(OpError, PermissionError):
    """It is not allowed."""


class ResourceExhaustedError(OpError, MemoryError):
    """There is not enough memory."""


class UnimplementedError(OpError, NotImplementedError):
    """It is not there."""


class AbortedError(OpError):
    """It was ended."""


class DataLossError(OpError):
    """Data is damaged."""


class DeadlineExceededError(OpError):
    """It took too long."""


class FailedPreconditionError(OpError):
    """Something must be done first."""


class InternalError(OpError):
    """An error of the library."""


class UnavailableError(OpError):
    """It is not there now."""


class UnknownError(OpError):
    """Another error."""


# -- saying


def get_logger() -> logging.Logger:
    """The logger named "tensorflow"."""
    return logging.getLogger("tensorflow")


DEBUG, INFO, WARN, ERROR, FATAL = 10, 20, 30, 40, 50


def set_verbosity(v: Any) -> None:
    """The least level that is logged."""
    get_logger().setLevel(v)


def get_verbosity() -> int:
    """The least level that is logged."""
    return get_logger().getEffectiveLevel()


def _level(name: str) -> Any:
    def say(msg: Any, *args: Any, **kwargs: Any) -> None:
        getattr(get_logger(), name)(msg, *args, **kwargs)

    say.__name__, say.__doc__ = name, f"Log at level {name}."
    return say


debug, info, warning, error, fatal = map(_level, ("debug", "info", "warning", "error", "critical"))


@plain
def print_(
    *inputs: Any, output_stream: Any = None, summarize: Any = 3, sep: str = " ", end: str = "\n"
) -> None:
    """Print values, or shapes where they are not known yet; to the error stream by default."""
    if core.is_abstract():
        return  # only shapes are wanted of what runs
    stream = output_stream if output_stream is not None else sys.stderr
    if isinstance(stream, str):
        path = stream.removeprefix("file://")
        with open(path, "a", encoding="utf-8") as file:
            print(*map(_shown, inputs), sep=sep, end=end, file=file)
        return
    print(*map(_shown, inputs), sep=sep, end=end, file=stream)


def _shown(x: Any) -> str:
    try:
        return str(np.asarray(x)) if isinstance(x, core.Tensor | core.Variable) else str(x)
    except core.TraceError:
        if in_function():
            raise  # it runs eagerly then, and prints what was asked for
        return f"<{x.spec}, while the function is traced>"


# -- summaries


def create_file_writer(
    logdir: Any, max_queue: Any = None, flush_millis: Any = None, filename_suffix: Any = None,
    experimental_trackable: bool = False,
) -> Any:  # fmt: skip
    """A writer of summaries to a folder."""
    return summary.create_file_writer(os.fspath(logdir))


def _step(step: Any) -> int:
    found = summary.current_step() if step is None else step
    if found is None:
        raise ValueError("No step is set: pass step=..., or writer.as_default(step=...).")
    return int(found)


def summary_scalar(name: str, data: Any, step: Any = None, description: Any = None) -> None:
    """Write a number."""
    summary.scalar(name, data, _step(step))


def summary_histogram(
    name: str, data: Any, step: Any = None, buckets: Any = None, description: Any = None
) -> None:
    """Write how values are distributed."""
    summary.histogram(name, data, _step(step))


def summary_image(
    name: str, data: Any, step: Any = None, max_outputs: int = 3, description: Any = None
) -> None:
    """Write the first pictures of a batch."""
    summary.image(name, np.asarray(data)[:max_outputs], _step(step))


def flush(writer: Any = None) -> None:
    """Let readers see what was written."""
    if writer is not None:
        writer.flush()
