"""What TensorBoard shows, as values of a summary: scalars, histograms, images, Keras's graph.

Source: the layouts of `summary.proto` and `tensor.proto`, and the pages of TensorBoard's plugins
(https://github.com/tensorflow/tensorboard/tree/master/tensorboard/plugins).
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

from . import wire

__all__ = ["histogram", "image", "keras_graph", "scalar"]

_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # types of tensors
_SCALAR, _TENSOR, _BLOBS = 1, 2, 3  # how TensorBoard stores a series
_BUCKETS = 30
_MOST_IMAGES = 3
_COLOURS = {1: 0, 3: 2, 4: 6}  # channels to PNG's type of colour


def _tensor(kind: int, shape: tuple[int, ...], *, raw: bytes = b"", strings: Any = ()) -> bytes:
    sizes = b"".join(wire.data(2, wire.integer(1, n)) for n in shape)
    content = wire.data(4, raw) if raw else b""
    content += b"".join(wire.data(8, s) for s in strings)
    return wire.integer(1, kind) + wire.data(2, sizes) + content


def _value(tag: str, tensor: bytes, plugin: str, data_class: int, content: bytes = b"") -> bytes:
    of_plugin = wire.text(1, plugin) + (wire.data(2, content) if content else b"")
    metadata = wire.data(1, of_plugin) + (wire.integer(4, data_class) if data_class else b"")
    return wire.text(1, tag) + wire.data(8, tensor) + wire.data(9, metadata)


def scalar(tag: str, value: float) -> bytes:
    """One number."""
    return _value(tag, _tensor(_FLOAT, (), raw=struct.pack("<f", value)), "scalars", _SCALAR)


def buckets(values: Any) -> np.ndarray:
    """Rows of (left edge, right edge, count) of 30 buckets of equal width.

    Equal values are all in the last bucket; no values give zeros.
    """
    values = np.asarray(values, "float64").ravel()
    if not values.size:
        return np.zeros((_BUCKETS, 3))
    low, high = values.min(), values.max()
    if low == high or not np.isfinite(high - low):
        counts = np.zeros(_BUCKETS)
        counts[-1] = values.size
        return np.stack([np.full(_BUCKETS, low), np.full(_BUCKETS, high), counts], axis=1)
    places = np.floor((values - low) / ((high - low) / _BUCKETS)).astype(int)
    counts = np.bincount(np.minimum(places, _BUCKETS - 1), minlength=_BUCKETS)
    edges = np.linspace(low, high, _BUCKETS + 1)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


def histogram(tag: str, values: Any) -> bytes:
    """How often values fall into buckets."""
    rows = buckets(values).astype("<f8")
    return _value(tag, _tensor(_DOUBLE, rows.shape, raw=rows.tobytes()), "histograms", _TENSOR)


def png(pixels: np.ndarray) -> bytes:
    """A picture of bytes [height, width, 1 | 3 | 4] as a PNG file.

    Source: https://www.w3.org/TR/png-3/, sections 5 and 11.
    """
    height, width, channels = pixels.shape

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = pixels.reshape(height, width * channels)
    unfiltered = np.pad(rows, ((0, 0), (1, 0)))  # each row begins with its filter: 0, none
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    return b"".join([
        b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(unfiltered.tobytes())), chunk(b"IEND", b""),
    ])  # fmt: skip


def image(tag: str, pictures: Any) -> bytes:
    """The first three of some pictures [count, height, width, channels] of values from 0 to 1."""
    pictures = np.asarray(pictures, "float64")
    _, height, width, _ = pictures.shape
    # Values outside of the range are cut off.
    pixels = np.clip(np.nan_to_num(pictures[:_MOST_IMAGES]) * 255.5, 0, 255).astype("uint8")
    strings = [str(width).encode(), str(height).encode(), *(png(p) for p in pixels)]
    return _value(tag, _tensor(_STRING, (len(strings),), strings=strings), "images", _BLOBS)


def keras_graph(tag: str, config: str) -> bytes:
    """A model's JSON, which TensorBoard draws as a graph of layers."""
    tensor = _tensor(_STRING, (), strings=[config.encode()])
    return _value(tag, tensor, "graph_keras_model", 0, b"1")
