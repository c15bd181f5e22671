"""A look before a load: has anything changed since the last one that left nothing to do? Without opening the database.

All that a load goes by (names, sizes, times and inodes of the files, and the database file itself) is drawn together
into one digest, which a load writes beside the database when it is done: `<database>.loaded`. Where it is the same,
there is nothing to load, for a few microseconds a file. A kill before it is written costs one whole load, no more.
Not for: what is loaded (loading.py).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from ecauto_pipeline.history.listing import FileMark, Listing


def files_digest(directory: Path, listings: list[Listing]) -> str:
    """All files that may count, with their marks, and those set aside; of one that vanished meanwhile the name."""
    drawn = hashlib.blake2b(digest_size=16)
    for found in listings:
        for name in sorted(found.files):
            drawn.update(f"{name}{_mark(f'{directory}/{name}')}\n".encode("utf-8", "surrogateescape"))
        for name in sorted(found.aside | found.manifests):
            drawn.update(f"{name}\n".encode("utf-8", "surrogateescape"))
    return drawn.hexdigest()


def nothing_to_load(database: Path, files: str) -> bool:
    """Whether the last load left nothing to do, and neither files nor database have changed since."""
    try:
        known = _note(database).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return known == _drawn(database, files)


def remember(database: Path, files: str) -> None:
    """Everything of `files`, a digest taken before it was loaded, is in the database, which is closed.

    Not forced to the disk: after a power cut it is missing or torn, and the next load looks at everything.
    """
    with suppress(OSError):  # a disk without room for it: the next load looks at everything
        _note(database).write_text(_drawn(database, files), encoding="utf-8")


def note_torn(database: Path) -> None:
    """Somebody who asked met a part of this file that can't be read; a load alone may never come to it."""
    with suppress(OSError):  # where nothing can be written the next who asks says it again
        _torn(database).write_text(f"{database.stat().st_ino}\n", encoding="utf-8")


def was_found_torn(database: Path) -> bool:
    """Whether that was said of the file that stands there now, and not of one before it."""
    try:
        return _torn(database).read_text(encoding="utf-8") == f"{database.stat().st_ino}\n"
    except (OSError, UnicodeDecodeError):
        return False


def forget_torn(database: Path) -> None:
    """It was set aside."""
    with suppress(OSError):
        _torn(database).unlink(missing_ok=True)


def _torn(database: Path) -> Path:
    return database.with_name(database.name + ".found_torn")


def _drawn(database: Path, files: str) -> str:
    log = _mark(f"{database}.wal")
    return f"{files} {_mark(str(database))} {log}\n"


def _mark(path: str) -> str:
    try:
        mark = FileMark.of(path)
    except FileNotFoundError:
        return "-"
    return f" {mark.size} {mark.mtime_ns} {mark.inode}"


def _note(database: Path) -> Path:
    return database.with_name(database.name + ".loaded")
