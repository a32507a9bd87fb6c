"""Downloads into Keras's cache."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..config import keras_home

__all__ = ["get_file", "hash_of", "unpack", "validate_file"]


def hash_of(path: Any, algorithm: str = "sha256") -> str:
    """The hash of a file's bytes in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def validate_file(path: Any, file_hash: str, algorithm: str = "auto") -> bool:
    """Whether a file has this hash.

    Args:
        path: Of the file.
        file_hash: Hexadecimal digits.
        algorithm: "sha256", "md5", or "auto": by the number of digits.
    """
    if algorithm == "auto":
        algorithm = "sha256" if len(file_hash) == 64 else "md5"
    return hash_of(path, algorithm) == file_hash.lower()


def get_file(
    fname: str | None = None, origin: str | None = None, untar: bool = False,
    md5_hash: str | None = None, file_hash: str | None = None, cache_subdir: str = "datasets",
    hash_algorithm: str = "auto", extract: bool = False, archive_format: Any = "auto",
    cache_dir: Any = None, force_download: bool = False,
) -> str:  # fmt: skip
    """The path of a file in the cache, downloaded if it is not there.

    Args:
        fname: Its name in the cache; that of the URL by default.
        origin: The URL.
        untar: Older name of `extract`.
        md5_hash: Older name of `file_hash`.
        file_hash: What the file's SHA-256 or MD5 must be.
        cache_subdir: Folder within the cache.
        hash_algorithm: "auto", "sha256" or "md5".
        extract: Whether it is an archive to be unpacked; the path is then that of the folder.
        archive_format: "auto", "tar", "zip", None for neither, or a list of them.
        cache_dir: The cache, `~/.keras` (or KERAS_HOME) by default.
        force_download: Whether to download even if it is there.

    Raises:
        ValueError: No URL, the download's hash is wrong, or the archive can't be unpacked.
        OSError: The download failed; the message names the URL.

    Source: https://keras.io/api/utils/python_utils/
    """
    if not origin:
        raise ValueError(
            'Please specify the "origin" argument (URL of the file to download). '
            f"Received: {origin}"
        )
    name = fname or os.path.basename(urlsplit(origin).path)
    if not name or name == ".." or os.sep in name:
        raise ValueError(
            f"Invalid `fname`: {name!r}. It is the name of a file in the cache, not a path: pass "
            "the folder as `cache_subdir` or `cache_dir`."
        )
    folder = Path(cache_dir or keras_home()).expanduser()
    if folder.exists() and not os.access(folder, os.W_OK):
        folder = Path(tempfile.gettempdir()) / ".keras"
    folder = folder / cache_subdir
    expected, algorithm = file_hash or md5_hash, hash_algorithm
    if md5_hash is not None and file_hash is None:
        algorithm = "md5"
    if untar:
        extract, archive_format = True, "tar"
    # The names that Keras gives, so that both share a cache.
    path, unpacked = folder / name, folder / name
    if extract and fname and "." in name:
        unpacked = folder / f"{name[: name.index('.')]}_extracted"
    elif extract:
        path = folder / f"{name}_archive"
    have = path.exists() and (expected is None or validate_file(path, expected, algorithm))
    fresh = force_download or not have
    if fresh:
        _download(origin, path, expected, algorithm)
    if not extract:
        return str(path)
    if fresh or not unpacked.exists():
        unpack(path, unpacked, archive_format)
    return str(unpacked)


def _download(origin: str, path: Path, expected: str | None, algorithm: str) -> None:
    """Download to a name beside, check, and put in place."""
    import urllib.error
    import urllib.request

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        urllib.request.urlretrieve(origin, temporary)
        if expected is not None and not validate_file(temporary, expected, algorithm):
            raise ValueError(
                f"Incomplete or corrupted file detected: the file downloaded from {origin} has "
                f"another hash than expected ({expected}). It was damaged on the way or changed. "
                "Try again."
            )
        os.replace(temporary, path)
    except urllib.error.URLError as error:
        raise OSError(
            f"URL fetch failure on {origin}: {error}. Without a network, put the file at {path}."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _extract_tar(members: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        members.extractall(folder, filter="data")
        return
    # Python before 3.11.4 has no filters.
    root = folder.resolve()
    for member in members:
        inside = (root / member.name).resolve().is_relative_to(root)
        if not inside or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name!r} would land outside of {folder}.")
    members.extractall(folder)


def unpack(archive: Path, folder: Path, archive_format: Any) -> None:
    """Unpack an archive; members that would land outside of the folder are refused."""
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format
    formats = [formats] if isinstance(formats, str) else list(formats or [])
    if "tar" in formats and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as members:
            _extract_tar(members, folder)
    elif "zip" in formats and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as members:
            members.extractall(folder)
    elif formats:
        raise ValueError(f"{archive} is no archive of the formats {formats}.")
