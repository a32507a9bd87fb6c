"""Summaries for TensorBoard, under the names of `tf.summary`: event files without TensorFlow.

>>> writer = summary.create_file_writer("logs")
>>> with writer.as_default():
...     summary.scalar("loss", 0.5, step=1)
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from .training.events import EventWriter, summaries

__all__ = ["FileWriter", "create_file_writer", "graph", "histogram", "image", "scalar"]

_LOCAL = threading.local()


class FileWriter:
    """Writes summaries to one new event file of a folder.

    Args:
        logdir: The folder, made where it does not exist.
    """

    def __init__(self, logdir: Any) -> None:
        self._events = EventWriter(logdir)

    @contextlib.contextmanager
    def as_default(self, step: int | None = None) -> Iterator[FileWriter]:
        """Within it this thread's summaries go to this writer; leaving it flushes.

        Args:
            step: That of summaries which name none (`tf.summary`'s).
        """
        before = getattr(_LOCAL, "writer", None), current_step()
        _LOCAL.writer, _LOCAL.step = self, before[1] if step is None else int(step)
        try:
            yield self
        finally:
            _LOCAL.writer, _LOCAL.step = before
            self.flush()

    def write(self, value: bytes, step: int) -> None:
        """Append an encoded value."""
        self._events.add(value, step)

    def flush(self) -> None:
        """Let readers see what was written."""
        self._events.flush()

    close = flush

    @property
    def path(self) -> Any:
        """The event file."""
        return self._events.path


def current_step() -> int | None:
    """The step of the block `with writer.as_default(step)`, if there is one."""
    return getattr(_LOCAL, "step", None)


def create_file_writer(logdir: Any) -> FileWriter:
    """A writer of summaries to a folder."""
    return FileWriter(logdir)


def scalar(name: str, data: Any, step: int) -> None:
    """Write a number.

    Args:
        name: Of the curve.
        data: A number, or an array or tensor of one element.
        step: Where on the curve.

    Raises:
        ValueError: There is more than one element, or no writer is the default one.
    """
    values = np.asarray(data)
    if values.size != 1:
        raise ValueError(f"scalar: {name!r} has shape {values.shape}; one number is needed.")
    _default().write(summaries.scalar(name, float(values.reshape(()))), step)


def histogram(name: str, data: Any, step: int) -> None:
    """Write how values are distributed."""
    _default().write(summaries.histogram(name, np.asarray(data)), step)


def image(name: str, data: Any, step: int) -> None:
    """Write pictures: `(pictures, height, width, channels)`, floats of [0, 1] or bytes."""
    pictures = np.asarray(data)
    pictures = pictures / 255.0 if pictures.dtype == np.uint8 else pictures
    _default().write(summaries.image(name, pictures), step)


def graph(model: Any, step: int = 0) -> None:
    """Write the layers of a model, which TensorBoard draws."""
    _default().write(summaries.keras_graph("keras", model.to_json()), step)


def _default() -> FileWriter:
    writer = getattr(_LOCAL, "writer", None)
    if writer is None:
        raise ValueError(
            "No summary writer is in use: wrap the call in "
            "`with kerasish.summary.create_file_writer(folder).as_default():`."
        )
    return writer
