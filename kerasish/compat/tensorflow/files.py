"""`tf.io` and the pictures in files: reading, writing, `tf.io.gfile`."""

from __future__ import annotations

import builtins
import csv
import glob as patterns
import io
import os
import shutil
from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from ... import ops
from ...text_arrays import Text
from ...utils.from_directory import read_wav
from ...utils.images import pillow
from .dtypes import name_of
from .system import AlreadyExistsError, InvalidArgumentError, NotFoundError

__all__ = ["GFile", "decode_image", "read_file", "write_file"]


def _path(name: Any) -> str:
    if isinstance(name, np.ndarray):
        name = name.item()
    name = os.fspath(name)
    return name.decode() if isinstance(name, bytes) else str(name)


def _contents(contents: Any) -> bytes:
    if isinstance(contents, np.ndarray):
        contents = contents.item()
    return contents.encode() if isinstance(contents, str) else bytes(contents)


def read_file(filename: Any) -> Any:
    """The bytes of a file, as a text of no axes.

    Raises:
        NotFoundError: It is not there.
    """
    try:
        with builtins.open(_path(filename), "rb") as file:
            return Text(np.array(file.read(), object))
    except FileNotFoundError as error:
        raise NotFoundError(f"{_path(filename)}; {error.strerror}") from None


def write_file(filename: Any, contents: Any) -> None:
    """Write a file, and the folders that it is in."""
    path = _path(filename)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with builtins.open(path, "wb") as file:
        file.write(_contents(contents))


def matching_files(pattern: Any) -> Any:
    """The names of the files that match a pattern, sorted."""
    return Text(np.array(glob(pattern), object))


def decode_raw(
    input_bytes: Any, out_type: Any, little_endian: bool = True, fixed_length: Any = None
) -> Any:
    """The numbers whose bytes these are."""
    dtype = core.dtypes.as_dtype(name_of(out_type))
    kind = dtype if little_endian else dtype.newbyteorder(">")
    if isinstance(input_bytes, list | tuple):
        input_bytes = np.array(input_bytes, object)
    if isinstance(input_bytes, np.ndarray) and input_bytes.ndim:
        rows = [np.frombuffer(_contents(v), kind).astype(dtype) for v in input_bytes.flat]
        return core.constant(np.stack(rows).reshape(*input_bytes.shape, -1))
    return core.constant(np.frombuffer(_contents(input_bytes), kind).astype(dtype))


def decode_csv(
    records: Any, record_defaults: Any, field_delim: str = ",", use_quote_delim: bool = True,
    na_value: str = "", select_cols: Any = None,
) -> list[Any]:  # fmt: skip
    """The columns of lines of values: a default's type is the column's, its value stands for
    what is missing."""
    texts = Text(np.asarray(records, object))
    quoting = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    lines = [str(t) for t in texts.flat]
    rows = [next(csv.reader([v], delimiter=field_delim, quoting=quoting)) for v in lines]
    if select_cols is not None:
        rows = [[row[i] for i in select_cols] for row in rows]
    found = []
    for column, default in enumerate(record_defaults):
        values = [row[column] for row in rows]
        found.append(_column(values, default, na_value, texts.shape))
    return found


def _column(values: list[str], default: Any, missing: str, shape: Any) -> Any:
    kind = str(default) if isinstance(default, str) and hasattr(default, "is_integer") else None
    given = None if kind else np.asarray(default).reshape(-1)
    if kind is None:
        text = given.dtype.kind in "OUS"
        kind = "string" if text else core.convert(default).dtype.name
    number = {"s": str, "i": int}.get(kind[0], float)
    chosen = []
    for value in values:
        if value in ("", missing):
            if given is None or not given.size:
                raise InvalidArgumentError("decode_csv: a field is required but missing.")
            chosen.append(given[0])
        else:
            chosen.append(number(value))
    if kind == "string":
        return Text(np.array(chosen, object).reshape(shape))
    return core.constant(np.array(chosen, core.dtypes.as_dtype(kind)).reshape(shape))


# -- pictures

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def _frames(contents: Any, channels: Any, name: str) -> Any:
    image = pillow(name)
    try:
        picture = image.open(io.BytesIO(_contents(contents)))
    except OSError:
        raise InvalidArgumentError(
            f"{name}: the bytes are no picture that Pillow can read."
        ) from None
    frames = []
    for i in range(getattr(picture, "n_frames", 1)):
        picture.seek(i)
        mode = _MODES.get(int(channels or 0))
        wide = picture.mode.startswith("I;16") or picture.mode == "I"
        if mode is None:
            mode = "I" if wide else picture.mode if picture.mode in _MODES.values() else "RGB"
        if mode == "L" and picture.format == "PNG" and picture.mode in ("RGB", "RGBA", "P"):
            array = np.asarray(picture.convert("RGB")).astype("int64")  # as libpng weighs them
            array = ((array @ [9798, 19235, 3735]) >> 15).astype("uint8")
        else:
            array = np.asarray(picture if wide and mode in ("I", "L") else picture.convert(mode))
        frames.append(array[..., None] if array.ndim == 2 else array)
    return np.stack(frames)


def _typed(pixels: Any, dtype: Any) -> Any:
    kind = name_of(dtype)
    if kind == "uint8":
        return core.constant(np.ascontiguousarray(pixels.astype("uint8")))
    if kind == "uint16":
        scale = 257 if pixels.dtype == np.uint8 else 1
        return core.constant((pixels.astype("uint32") * scale).astype("uint16"))
    most = 255.0 if pixels.dtype == np.uint8 else 65535.0
    return ops.cast(core.constant((pixels / most).astype("float32")), kind)


def decode_image(
    contents: Any, channels: Any = None, dtype: Any = "uint8", expand_animations: bool = True
) -> Any:
    """A picture `(height, width, channels)`; a GIF `(frames, height, width, 3)`.

    Args:
        contents: The bytes of a BMP, GIF, JPEG or PNG.
        channels: 1, 3 or 4; 0 or None for those of the file.
        dtype: uint8, uint16, or a floating dtype for values from 0 to 1.
        expand_animations: Whether a GIF has an axis for its frames, else the first is taken.
    """
    animated = _contents(contents)[:3] == b"GIF"
    if animated:
        channels = 3
    frames = _frames(contents, channels, "decode_image")
    return _typed(frames if animated and expand_animations else frames[0], dtype)


def decode_png(contents: Any, channels: int = 0, dtype: Any = "uint8") -> Any:
    """A picture `(height, width, channels)`."""
    return _typed(_frames(contents, channels, "decode_png")[0], dtype)


def decode_jpeg(
    contents: Any, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True,
    try_recover_truncated: bool = False, acceptable_fraction: float = 1, dct_method: str = "",
) -> Any:  # fmt: skip
    """A picture `(height, width, channels)` of bytes."""
    return _typed(_frames(contents, channels, "decode_jpeg")[0], "uint8")


def decode_bmp(contents: Any, channels: int = 0) -> Any:
    """A picture `(height, width, channels)` of bytes."""
    return _typed(_frames(contents, channels, "decode_bmp")[0], "uint8")


def decode_gif(contents: Any) -> Any:
    """Pictures `(frames, height, width, 3)` of bytes."""
    return _typed(_frames(contents, 3, "decode_gif"), "uint8")


def _encoded(image: Any, form: str, **options: Any) -> Any:
    pixels = np.asarray(image)
    buffer = io.BytesIO()
    flat = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    pillow(f"encode_{form}").fromarray(flat).save(buffer, form, **options)
    return Text(np.array(buffer.getvalue(), object))


def encode_png(image: Any, compression: int = -1) -> Any:
    """The bytes of a PNG of a picture of bytes."""
    return _encoded(image, "png")


def encode_jpeg(image: Any, format: str = "", quality: int = 95, **_: Any) -> Any:
    """The bytes of a JPEG of a picture of bytes."""
    return _encoded(image, "jpeg", quality=quality)


def is_jpeg(contents: Any) -> bool:
    """Whether the bytes are those of a JPEG."""
    return _contents(contents)[:3] == b"\xff\xd8\xff"


# -- gfile


class GFile:
    """A file to read or write, as of Python's `open`."""

    def __init__(self, name: Any, mode: str = "r") -> None:
        self.name, self.mode = _path(name), mode
        try:
            encoding = None if "b" in mode else "utf-8"
            self._file = builtins.open(self.name, mode, encoding=encoding)  # noqa: SIM115
        except FileNotFoundError as error:
            raise NotFoundError(f"{self.name}; {error.strerror}") from None

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def __iter__(self) -> Any:
        return iter(self._file)

    def read(self, n: int = -1) -> Any:
        """So many characters or bytes; all by default."""
        return self._file.read(n)

    def size(self) -> int:
        """Bytes of the file."""
        return os.path.getsize(self.name)

    def __getattr__(self, name: str) -> Any:
        if name == "_file":
            raise AttributeError(name)
        return getattr(self._file, name)


def exists(path: Any) -> bool:
    """Whether there is such a file or folder."""
    return os.path.exists(_path(path))


def isdir(path: Any) -> bool:
    """Whether it is a folder."""
    return os.path.isdir(_path(path))


def glob(pattern: Any) -> list[str]:
    """The names that match a pattern (or one of several), sorted."""
    several = isinstance(pattern, list | tuple) or (
        isinstance(pattern, np.ndarray) and pattern.ndim
    )
    asked = list(pattern) if several else [pattern]
    return sorted(name for one in asked for name in patterns.glob(_path(one)))


def listdir(path: Any) -> list[str]:
    """The names in a folder.

    Raises:
        NotFoundError: It is not there.
    """
    if not isdir(path):
        raise NotFoundError(f"Could not find directory {_path(path)}")
    return sorted(os.listdir(_path(path)))


def makedirs(path: Any) -> None:
    """Make a folder and those that it is in."""
    os.makedirs(_path(path), exist_ok=True)


def mkdir(path: Any) -> None:
    """Make a folder."""
    os.mkdir(_path(path))


def remove(path: Any) -> None:
    """Remove a file."""
    try:
        os.remove(_path(path))
    except FileNotFoundError as error:
        raise NotFoundError(f"{_path(path)}; {error.strerror}") from None


def rmtree(path: Any) -> None:
    """Remove a folder with what is in it."""
    shutil.rmtree(_path(path))


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copy a file."""
    _free(dst, overwrite)
    shutil.copyfile(_path(src), _path(dst))


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Rename a file or folder."""
    _free(dst, overwrite)
    os.replace(_path(src), _path(dst))


def _free(path: Any, overwrite: bool) -> None:
    if not overwrite and exists(path):
        raise AlreadyExistsError(f"file already exists: {_path(path)}")


def stat(path: Any) -> os.stat_result:
    """Size and times of a file."""
    return os.stat(_path(path))


def walk(top: Any, topdown: bool = True, onerror: Any = None) -> Any:
    """Folders with the names of those and of the files in each."""
    return os.walk(_path(top), topdown, onerror)


class Audio(NamedTuple):
    """Samples `(samples, channels)` from -1 to 1, and how many there are in a second."""

    audio: Any
    sample_rate: Any


def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1) -> Audio:
    """The samples of a WAV file of 16 bits; cut, or filled with zeros, to a number of them."""
    samples, rate = read_wav(io.BytesIO(_contents(contents)))
    channels, count = int(desired_channels), int(desired_samples)
    if channels > 0:
        have = samples.shape[1]
        samples = np.repeat(samples, channels, 1) if have == 1 else samples[:, :channels]
        if samples.shape[1] != channels:
            raise InvalidArgumentError(f"decode_wav: {have} channels, {channels} are wanted.")
    if count > 0:
        samples = np.pad(samples[:count], ((0, max(0, count - len(samples))), (0, 0)))
    return Audio(core.constant(samples.copy()), core.constant(np.asarray(rate, "int32")))
