"""`tf.strings`: functions of text, element by element. Text is an array of objects here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

from ...layers.preprocessing.hashes import fingerprint
from ...text_arrays import Text
from .dtypes import name_of

__all__ = ["join", "length", "lower", "regex_replace", "split", "strip", "substr"]

# Without an encoding only ASCII has two cases, and only its spaces are space.
_LOWER = {i: i + 32 for i in range(ord("A"), ord("Z") + 1)}
_UPPER = {i + 32: i for i in _LOWER}
_SPACE = " \t\n\v\f\r"


def _text(x: Any) -> Any:
    """An array of `str` objects (bytes only where they are no text)."""
    return x if type(x) is Text else Text(np.asarray(x, None if _is_array(x) else object))


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray)


def _each(function: Callable[[Any], Any], x: Any) -> Any:
    texts = _text(x)
    found = np.empty(texts.shape, object)
    for i, v in enumerate(texts.flat):
        found.flat[i] = function(v)
    return found.view(Text)


def _bytes(text: Any) -> bytes:
    return text.encode() if isinstance(text, str) else text


def lower(input: Any, encoding: str = "") -> Any:
    """Small letters: of ASCII, or of all with encoding "utf-8"."""
    return _each(str.lower if encoding else lambda t: t.translate(_LOWER), input)


def upper(input: Any, encoding: str = "") -> Any:
    """Capital letters: of ASCII, or of all with encoding "utf-8"."""
    return _each(str.upper if encoding else lambda t: t.translate(_UPPER), input)


def strip(input: Any) -> Any:
    """Without white space at both ends."""
    return _each(lambda t: t.strip(_SPACE), input)


def length(input: Any, unit: str = "BYTE") -> Any:
    """The number of bytes, or of characters ("UTF8_CHAR")."""
    count = len if unit == "UTF8_CHAR" else lambda t: len(_bytes(t))
    return core.constant(_each(count, input).astype("int32").view(np.ndarray))


def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE") -> Any:
    """A part: from `pos` (from the end if negative), at most `len` bytes or characters."""
    texts, pos, size = np.broadcast_arrays(_text(input), np.asarray(pos), np.asarray(len))
    found = np.empty(texts.shape, object)
    for i, (t, p, n) in enumerate(zip(texts.flat, pos.flat, size.flat)):
        whole = t if unit == "UTF8_CHAR" else _bytes(t)
        start = int(p) + whole.__len__() if p < 0 else int(p)
        if not 0 <= start <= whole.__len__():
            raise ValueError(f"substr: position {int(p)} is outside of {t!r}.")
        found.flat[i] = whole[start : start + int(n)]
    return Text(found)


def join(inputs: Any, separator: str = "") -> Any:
    """Texts of several arrays one after the other."""
    parts = np.broadcast_arrays(*[np.asarray(_text(x)) for x in inputs])
    found = np.empty(parts[0].shape, object)
    for i, texts in enumerate(zip(*[p.flat for p in parts])):
        found.flat[i] = separator.join(texts)
    return Text(found)


def reduce_join(inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "") -> Any:
    """The texts along axes (all by default) one after the other."""
    texts = np.asarray(_text(inputs))
    axes = tuple(range(texts.ndim)) if axis is None else np.atleast_1d(np.asarray(axis))
    for axis in sorted((int(a) % texts.ndim for a in axes), reverse=True):
        moved = np.moveaxis(texts, axis, -1)
        found = np.empty(moved.shape[:-1], object)
        for place in np.ndindex(found.shape):
            found[place] = separator.join(moved[place])
        texts = np.expand_dims(found, axis) if keepdims else found
    return Text(texts)


def _rows(function: Callable[[str], list[Any]], x: Any) -> Any:
    """One text's parts as an array; for a vector an array of arrays, one for each text."""
    texts = _text(x)
    if not texts.ndim:
        return Text(np.array(function(texts.item()), object))
    found = np.empty(len(texts), object)
    for i, row in enumerate(texts):
        found[i] = _rows(function, row)
    return Rows(found)


class Rows:
    """Rows of different lengths, which is what texts are split into."""

    def __init__(self, rows: Any) -> None:
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Any:
        return iter(self._rows)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            first, rest = key[0], key[1:]
            found = self[first]
            if isinstance(first, slice):
                return Rows([row[rest] for row in found]).regular()
            return found[rest]
        return Rows(self._rows[key]) if isinstance(key, slice) else self._rows[key]

    @property
    def shape(self) -> tuple[Any, ...]:
        """The number of rows, and None."""
        return (len(self._rows), None)

    def to_list(self) -> list[Any]:
        """Lists of bytes."""
        return [r.to_list() if isinstance(r, Rows) else r.numpy().tolist() for r in self._rows]

    def regular(self) -> Any:
        """An array, if the rows are equally long."""
        shapes = {np.shape(row) for row in self._rows}
        if len(shapes) == 1 and not isinstance(self._rows[0], Rows):
            return Text(np.stack([np.asarray(row, object) for row in self._rows]))
        return self

    def to_tensor(self, default_value: Any = "", shape: Any = None) -> Any:
        """An array of text with short rows filled up, cut or filled to `shape`."""
        width = max(map(len, self._rows), default=0)
        width = shape[-1] if shape is not None and shape[-1] is not None else width
        found = np.full((len(self._rows), int(width)), default_value or "", object)
        for target, row in zip(found, self._rows):
            target[: len(row)] = np.asarray(row)[: int(width)]
        return Text(found)

    def row_lengths(self) -> Any:
        """How long each row is."""
        return core.constant(np.array([len(row) for row in self._rows], "int64"))

    @property
    def flat_values(self) -> Any:
        """All texts one after the other."""
        return Text(np.concatenate([np.asarray(row, object) for row in self._rows]))

    values = flat_values

    def __repr__(self) -> str:
        return f"<Rows {self.to_list()}>"


def split(input: Any, sep: Any = None, maxsplit: int = -1) -> Any:
    """The parts between separators (white space by default)."""
    if not sep:
        white = re.compile(f"[{_SPACE}]+")

        def parts(text: str) -> list[str]:
            text = text.strip(_SPACE) if maxsplit < 0 else text.lstrip(_SPACE)
            found = white.split(text, maxsplit=max(maxsplit, 0)) if text else []
            return [part for part in found if part]

        return _rows(parts, input)
    mark = _text(sep).item()
    return _rows(lambda text: text.split(mark, maxsplit), input)


def bytes_split(input: Any) -> Any:
    """Each byte by itself."""
    return _rows(lambda text: [_bytes(text)[i : i + 1] for i in range(len(_bytes(text)))], input)


def unicode_split(
    input: Any, input_encoding: str = "UTF-8", errors: str = "replace",
    replacement_char: int = 65533,
) -> Any:  # fmt: skip
    """Each character by itself."""
    return _rows(list, input)


def _pattern(pattern: Any) -> re.Pattern[str]:
    text = _text(pattern).item()
    # RE2's classes of ASCII, which `re` has other names for.
    classes = {
        "[:punct:]": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), "[:alpha:]": "A-Za-z",
        "[:digit:]": "0-9", "[:alnum:]": "A-Za-z0-9", "[:space:]": r"\t\n\v\f\r ",
        "[:lower:]": "a-z", "[:upper:]": "A-Z",
    }  # fmt: skip
    for name, members in classes.items():
        text = text.replace(name, members)
    text = text.replace(r"\pP", r"!-#%-*,-/:;?@\[-\]_{}").replace(r"\z", r"\Z")
    return re.compile(text, re.ASCII)


def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True) -> Any:
    r"""What matches a pattern replaced; `\1` is what its first group matched."""
    found = _pattern(pattern)
    # Only \0 to \9 and \\ mean something in RE2's rewriting.
    parts = re.split(r"\\([0-9\\])", _text(rewrite).item())

    def written(match: re.Match[str]) -> str:
        return "".join(
            part if i % 2 == 0 else "\\" if part == "\\" else match.group(int(part)) or ""
            for i, part in enumerate(parts)
        )

    return _each(lambda t: found.sub(written, t, count=0 if replace_global else 1), input)


def regex_full_match(input: Any, pattern: Any) -> Any:
    """Whether the whole text matches a pattern."""
    found = _pattern(pattern)
    matches = _each(lambda t: found.fullmatch(t) is not None, input)
    return core.constant(matches.astype(bool).view(np.ndarray))


def to_number(input: Any, out_type: Any = "float32") -> Any:
    """The numbers that texts tell."""
    kind = name_of(out_type)
    number = int if kind.startswith("int") else float
    numbers = _each(number, input)
    return core.constant(numbers.astype(core.dtypes.as_dtype(kind)).view(np.ndarray))


def as_string(
    input: Any, precision: int = -1, scientific: bool = False, shortest: bool = False,
    width: int = -1, fill: str = "",
) -> Any:  # fmt: skip
    """Numbers as text: six places by default, or `precision` of them."""
    if not isinstance(input, core.Tensor | core.Variable):
        input = core.convert(input)
    array = np.asarray(input)
    size = f"{fill}{width}" if width >= 0 else ""
    form = "e" if scientific else "g" if shortest else "f"
    places = f".{precision}" if precision >= 0 else ""

    def shown(value: Any) -> str:
        if array.dtype.kind == "b":
            return "true" if value else "false"
        return f"%{size}d" % value if array.dtype.kind in "iu" else f"%{size}{places}{form}" % value

    found = np.empty(array.shape, object)
    for i, v in enumerate(array.flat):
        found.flat[i] = shown(v)
    return Text(found)


def format_(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3) -> Any:
    """A template with values in place of `{}`."""
    values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    found = template
    for value in values:
        array = np.asarray(value)
        shown = str(array) if array.ndim else str(array.item())
        if array.dtype.kind == "O":
            shown = '"' + shown + '"'
        found = found.replace(placeholder, shown, 1)
    return Text(np.array(found, object))


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Text as bytes."""
    is_bytes = isinstance(bytes_or_text, bytes)
    return bytes_or_text if is_bytes else bytes_or_text.encode(encoding)


def as_str(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Bytes as text."""
    is_bytes = isinstance(bytes_or_text, bytes)
    return bytes_or_text.decode(encoding) if is_bytes else str(bytes_or_text)


def to_hash_bucket_fast(input: Any, num_buckets: int) -> Any:
    """A number below `num_buckets` for each text: its FarmHash fingerprint modulo it."""
    count = int(num_buckets)
    array = np.asarray(_text(input))
    hashes = fingerprint([_bytes(t) for t in array.reshape(-1)])
    return core.constant((np.asarray(hashes, "uint64") % np.uint64(count)).astype("int64")
                         .reshape(array.shape))  # fmt: skip
