"""Downloads into Keras's cache."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from ..config import keras_home

__all__ = ["get_file"]


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file's bytes in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _fits(path: Path, expected: str | None) -> bool:
    if expected is None:
        return True
    return file_hash(path, "sha256" if len(expected) == 64 else "md5") == expected.lower()


def get_file(
    fname: str | None = None, origin: str | None = None, file_hash: str | None = None,
    md5_hash: str | None = None, cache_subdir: str = "datasets", cache_dir: Any = None,
    force_download: bool = False, **kwargs: Any,
) -> str:  # fmt: skip
    """The path of a file in the cache, downloaded if it is not there.

    Args:
        fname: Its name in the cache; that of the URL by default.
        origin: The URL.
        file_hash, md5_hash: What the file's SHA-256 or MD5 must be.
        cache_subdir: Folder within the cache.
        cache_dir: The cache, `~/.keras` (or KERAS_HOME) by default.
        force_download: Whether to download even if it is there.

    Raises:
        ValueError: No URL, or the download's hash is wrong.
        OSError: The download failed; the message names the URL.
    """
    import urllib.error
    import urllib.request

    if origin is None:
        raise ValueError(f'Please specify the "origin" argument (URL of the file). Received: {origin}')
    name = fname or os.path.basename(origin)
    folder = Path(cache_dir or keras_home()) / cache_subdir
    path = folder / name
    expected = file_hash or md5_hash
    if path.exists() and not force_download and _fits(path, expected):
        return str(path)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        urllib.request.urlretrieve(origin, temporary)
        if not _fits(temporary, expected):
            raise ValueError(
                f"The file downloaded from {origin} has another hash than expected ({expected}): it "
                "was damaged on the way or changed. Try again."
            )
        os.replace(temporary, path)
    except urllib.error.URLError as error:
        raise OSError(f"Download of {origin} to {path} failed: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return str(path)
