"""Zip archives unpacked with distrust: nothing leaves the folder, nothing swells without bound."""

from __future__ import annotations

import contextlib
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

__all__ = ["unzipped"]

# A member may grow by this factor over what is stored: weights hardly shrink, JSON tenfold.
_EXPANSION = 100
_SMALL = 16 << 20
_MEMBERS = 100_000


@contextlib.contextmanager
def unzipped(path: Path, tops: Collection[str]) -> Iterator[Path]:
    """A temporary folder with the members of an archive that are at or under the names `tops`.

    Raises:
        ValueError: It is no zip archive or a damaged one; or a member's name leads out of the
            folder, is a link, or claims an implausible size.
    """
    with tempfile.TemporaryDirectory(prefix="kerasish-") as scratch:
        folder = Path(scratch)
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
                if len(members) > _MEMBERS:
                    raise ValueError(f"it has {len(members)} members, more than {_MEMBERS}")
                for member in members:
                    _check(member)
                for member in members:
                    if member.filename.split("/")[0] in tops:
                        archive.extract(member, folder)
        except (
            zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError,
            RuntimeError, UnicodeError, OverflowError,
        ) as error:  # fmt: skip
            raise ValueError(
                f"{path} is no readable `.keras` file: {error}. It may be cut off or damaged; "
                "save it again or use a backup."
            ) from error
        yield folder


def _check(member: zipfile.ZipInfo) -> None:
    name = member.filename
    path = PurePosixPath(name.replace("\\", "/"))
    if ".." in path.parts or path.is_absolute() or PureWindowsPath(name).drive:
        raise ValueError(f"the name of its member {name!r} leads out of the archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"its member {name!r} is a link")
    if member.file_size > max(_EXPANSION * member.compress_size, _SMALL):
        raise ValueError(
            f"its member {name!r} claims {member.file_size} bytes of {member.compress_size} stored"
        )
