"""Whether master.db is still what it was: a name for its content, and our own writes told from everybody else's.

The name is made of what every writer changes: SQLite counts its commits in the file's own header, or in the log beside
it; whoever copies a file over it changes its number, its size or its times. A file that was written to this very moment
might be written to again within the same tick of its clock, so that its name is not yet one to go by. Not for: reading
the register (master.py), or what follows from its being the same (sync/listings/register_watch.py).

Source: https://www.sqlite.org/fileformat2.html (file change counter, hot journals, the header of a WAL file);
https://www.sqlite.org/pragma.html#pragma_data_version.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ecauto_pipeline.register.statements import Statements

SETTLES_AFTER_S = 3.0
"""The coarsest clocks of file systems tick every two seconds (FAT)."""
_HEADER = 100
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")


@dataclass(frozen=True, slots=True)
class Stamp:
    """`text`: another one for another content. `settled`: written to so long ago that the next write gives another."""

    text: str
    settled: bool


def stamp_of(path: Path, now_s: float) -> Stamp | None:
    """Of the file as it stands; None where it can't be told: it is not there, or a write to it is under way or was cut
    off. `now_s`: by this machine's clock, which the file's times are of. Takes no lock."""
    try:
        if _begins(path.with_name(f"{path.name}-journal"), len(_JOURNAL_MAGIC)) == _JOURNAL_MAGIC:
            return None
        log = path.with_name(f"{path.name}-wal")
        begins, said = _begins(log, 32), []
        times = []
        for file in (path, log) if begins else (path,):
            seen = os.stat(file)
            changed = seen.st_ctime_ns if file is path else 0  # of a log SQLite moves it by opening it
            said += [seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, changed]
            times.append(max(seen.st_mtime_ns, changed))
        header = _begins(path, _HEADER)
    except OSError:
        return None
    counted = header[24:28].hex(), header[92:96].hex(), begins.hex()
    return Stamp(" ".join([*map(str, said), *counted]), now_s - max(times) / 1e9 >= SETTLES_AFTER_S)


def _begins(path: Path, size: int) -> bytes:
    """b"" where there is no such file: also where a log or journal is left empty, which says as much."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(size)
    except FileNotFoundError:
        return b""


@dataclass(slots=True)
class OwnWrites:
    """From which stamp to which our own writes took the register; "" where others may have written in between, or where
    a trigger of the owner's may have written what we did not. To be handed to write_back()."""

    before: str = ""
    after: str = ""
    _broken: bool = False

    def began(self, database: Statements, path: Path) -> int:
        """At the beginning of a transaction that nobody else writes in. Returns what `ended` is to be told."""
        found = stamp_of(path, 0.0)
        triggers = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger' LIMIT 1").fetchone()
        if found is None or triggers or (self.after and self.after != found.text):
            self.broken()
        elif not self.before and not self._broken:
            self.before = found.text
        return _version(database)

    def ended(self, database: Statements, path: Path, version: int) -> None:
        """After its commit: SQLite itself says whether another one has committed anything since it began."""
        found = stamp_of(path, 0.0)
        if found is None or _version(database) != version:
            self.broken()
        elif not self._broken:
            self.after = found.text

    def broken(self) -> None:
        """What is in the register now is not only what it was and what we wrote."""
        self._broken, self.before, self.after = True, "", ""

    @property
    def known(self) -> bool:
        """Whether anything was written, and all that changed was that."""
        return not self._broken and self.before != "" and self.after != ""


def _version(database: Statements) -> int:
    return int(database.execute("PRAGMA data_version").fetchone()[0])
