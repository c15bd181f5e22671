"""What lies in the folder of one table, in one pass: its files, and what compactions, killed writers and damage left.

Every load and every question begins with it, so it costs a few microseconds a file: names as text, no path is made.
Which of the files count is decided in one place, `present_files`, because a compaction may be under way.
Not for: writing a file or what is in it (parquet.py).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ecauto_pipeline.history.tables import Table

DAMAGED = ".damaged"
MANIFEST = ".manifest.json"
PULLED = ".pulled"
"""In the copy of object storage once it was whole."""
DIGEST = r"\.[0-9a-f]{16}"
"""What a file that is an object too has in its name, before `.parquet`: the beginning of its content's SHA-256."""
_DIGEST_SUFFIX = re.compile(rf"{DIGEST}\.parquet$")
_ASIDE = re.compile(r"\.parquet(-\d+)?\.damaged$")


@dataclass(frozen=True, slots=True)
class FileMark:
    """What tells one content of a file from another without reading it: size, time of change, inode."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path | str) -> FileMark:
        """Raises FileNotFoundError."""
        found = os.stat(path)
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True, slots=True)
class Listing:
    """Names of one table's folder, as paths below the directory. `files`: Parquet under its final name, whether it
    counts or not; `aside`: damaged files; `temporaries`: what a writer has not finished, or was killed over."""

    files: frozenset[str]
    manifests: frozenset[str]
    aside: frozenset[str]
    temporaries: frozenset[str]

    def unreplaced(self) -> list[str]:
        """The damaged files in whose place no other stands, sorted."""
        return sorted(name for name in self.aside if place_of_damaged_name(name) not in self.files)


def list_table(directory: Path, table: Table) -> Listing:
    """One pass over the folder. What vanishes meanwhile is not listed."""
    files, manifests, aside, temporaries = [], [], [], []
    for folder, inside in _folders(directory, table.name):
        for name in _names(f"{directory}/{folder}"):
            below = f"{folder}/{name}"
            if name.startswith("."):
                if name.endswith(".tmp"):
                    temporaries.append(below)
            elif name.endswith(".parquet"):
                files.append(below)
            elif name.endswith(DAMAGED):
                aside.append(below)
            elif name.endswith(MANIFEST) and inside == "month":
                manifests.append(below)
    return Listing(frozenset(files), frozenset(manifests), frozenset(aside), frozenset(temporaries))


def _folders(directory: Path, table: str) -> Iterator[tuple[str, str]]:
    """(folder below the directory, "hour" or "month"), the hours first: a compaction removes from them what it has
    named in a month by then, so that whoever lists meanwhile meets rows twice, never not at all."""
    for outer in sorted(_names(f"{directory}/{table}")):
        if outer.startswith("month="):
            yield f"{table}/{outer}", "month"
        elif outer.startswith("dt="):
            for inner in _names(f"{directory}/{table}/{outer}"):
                if inner.startswith("hour="):
                    yield f"{table}/{outer}/{inner}", "hour"


def _names(folder: str) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return os.listdir(folder)
    return []


def present_files(directory: Path, table: Table) -> list[str]:
    """Every file that counts, as paths below the directory, in the order in which they are loaded: by month, compacted
    first, then by hour and name.

    While a compaction is being finished its sources don't count, the merged file does (under either name).
    """
    while True:
        found = list_table(directory, table)
        superseded, merged = _superseded(directory, table, found)
        if not found.manifests or list_table(directory, table) == found:
            return sorted((found.files - superseded) | merged, key=load_order)


def _superseded(directory: Path, table: Table, found: Listing) -> tuple[set[str], set[str]]:
    superseded: set[str] = set()
    merged: set[str] = set()
    for manifest in found.manifests:
        try:
            plan = json.loads((directory / manifest).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        final, temporary = (f"{table.name}/{plan[name]}" for name in ("merged", "temporary"))
        there = [name for name in (final, temporary) if (directory / name).exists()]
        if there:
            superseded |= {f"{table.name}/{source['path']}" for source in plan["sources"]}
            merged.add(there[0])
    return superseded, merged


def load_order(name: str) -> tuple[str, str, str]:
    """Sorts paths below the directory as they are loaded."""
    period = period_of(name)
    return period[:7], "" if len(period) == 7 else period, name.rpartition("/")[2]


def period_of(name: str) -> str:
    """`2026-11` of a compacted file, `2026-11-23T07` (JST) of an hour's: sorts by time as text."""
    _, outer, *inner = name.split("/")
    if outer.startswith("month="):
        return outer.removeprefix("month=")
    return f"{outer.removeprefix('dt=')}T{inner[0].removeprefix('hour=')}"


def is_small(name: str) -> bool:
    """Whether this file is one of an hour's, as a run wrote it, not one that a compaction made."""
    return "/hour=" in name


def plain_name(name: str) -> str:
    """The name of a file without its content's digest: the same for every content of one run and part."""
    return _DIGEST_SUFFIX.sub(".parquet", name)


def place_of_damaged_name(name: str) -> str:
    """Where a file that was set aside as `name` lay, and where a sound copy of it belongs."""
    return _ASIDE.sub(".parquet", name)
