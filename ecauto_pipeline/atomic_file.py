"""A file that is whole or not there: written beside its place, forced to the disk, then renamed over it.

Every file that a reader or the next run may meet half-written goes through here: tokens, .env, exports, plan files,
Parquet, a new register. A kill or power cut leaves the old content or the new one, and at worst a `.<name>.<hex>.tmp`
beside it, which nobody reads. Not for: locks (two writers at once: the last one stays) or what a full disk means.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600
"""Readable by its owner alone, from the first byte."""
AS_USUAL = 0o666
"""As any new file: what the process's umask leaves of it."""
DISK_IS_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""`errno` of what concerns every file: no room, or a disk that takes nothing. Else it is one file's own trouble."""


def on_read_only_disk(path: Path) -> bool:
    """Whether what holds this file or folder is mounted so that nobody can write there; rights do not help then."""
    return hasattr(os, "statvfs") and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def replace_file(path: Path, content: str | bytes, mode: int = AS_USUAL) -> None:
    """Replace `path` whole; text as UTF-8 with the line ends it has. Missing folders are made.

    What is there and is no regular file (a pipe, /dev/stdout) is written to directly. Raises OSError, `path` is then
    as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    with replacing(path, mode) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(path: Path, mode: int = AS_USUAL) -> Iterator[Path]:
    """An empty file to fill by whatever writer; at the end of the block it takes the place of `path`.

    A link keeps standing, what it points to is replaced. Whatever is raised in the block leaves `path` as it was and
    no temporary file.
    """
    target = Path(os.path.realpath(path))
    make_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        yield temporary
        sync_file(temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def remove_leftovers(path: Path) -> None:
    """Drop what killed writers of `path` left beside it (`.<name>.*`). Only for who holds the lock of `path`."""
    target = Path(os.path.realpath(path))
    for left in target.parent.iterdir() if target.parent.is_dir() else ():
        if left.name.startswith(f".{target.name}."):
            left.unlink(missing_ok=True)


def rename(source: Path, target: Path, durable: bool = True) -> None:
    """Give a file that is on the disk already its place; what had that name is gone.

    `durable` False: for what can be had again, a power cut may lose the new name or tear the file.
    """
    os.replace(source, target)
    if durable:
        sync_folder(target.parent)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create `folder` with its parents and make their names durable; `mode` is for the last one."""
    missing = []
    wanted = folder
    while not wanted.exists():
        missing.append(wanted)
        wanted = wanted.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True, mode=mode if new == folder else 0o777)
        sync_folder(new.parent)


def sync_file(path: Path) -> None:
    """Force the bytes of `path` to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force the names in `folder` to the disk (a rename is durable only then). Windows has no such thing."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
