"""The copy of object storage on this machine: what every load, question and check reads, made equal by size and time.

A name says the content: a file written here is named after its bytes (`<run>-<part>.<16 hex>.parquet`), so that the
same rows put twice, by whomever, are one object, and a listing alone tells what is new. A file of the copy has the time
of its object; pyarrow's listing has no ETag, and needs none. What this machine may lose at any moment is the copy.
Only one publisher at a time puts or removes (the lease "publish" of state.db); anybody may read.
Not for: single requests (objects.py) or what is loaded (loading.py).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from ecauto_pipeline.atomic_file import make_folder, rename
from ecauto_pipeline.history.listing import PULLED, is_small, list_table, place_of_damaged_name, plain_name
from ecauto_pipeline.history.objects import ObjectMark, ObjectStore
from ecauto_pipeline.history.parquet import full_disk_as_error, merged_from, sha256_of
from ecauto_pipeline.history.tables import TABLES

_AT_ONCE = 8
"""Objects fetched side by side: a first copy is thousands of small ones, each a round trip."""


class Mirror:
    """The objects of `store`, copied into `directory`."""

    def __init__(self, directory: Path, store: ObjectStore) -> None:
        self.directory = directory
        self.store = store
        self._there: dict[str, ObjectMark] = {}

    @property
    def ever_pulled(self) -> bool:
        """Whether the copy was whole once; before that, what is missing from it was never looked at."""
        return self._note.exists()

    def pull(self) -> None:
        """Make the copy equal to the store: what is new or changed is fetched, what is gone there goes here.

        Fetched first, removed then: a compaction's rows are met twice meanwhile, never not at all. Raises
        ObjectStorageAway, DiskFull; the copy is then part old, part new, and every file of it whole.
        """
        here = self._marks()  # before the store is listed: what is put meanwhile is no leftover
        there = self.store.listing()
        wanted = [name for name, mark in there.items() if here.get(name) != mark]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for fetched in [pool.submit(self._fetch, name, there[name]) for name in wanted]:
                fetched.result()
        for name in here.keys() - there.keys():
            self._forget(name)
        self._there = there
        self._note.touch()

    def look(self) -> None:
        """What there is, without fetching it: all that a publisher has to know. Raises ObjectStorageAway."""
        self._there = self.store.listing()

    def versions(self, table: str, file_name: str) -> list[Path]:
        """Where the copies of what stands for this file name lie or would lie, whatever its hour and content; each is
        fetched if it is not here. By the last look or pull. Raises ObjectStorageAway."""
        found = []
        for name in sorted(self._there):
            if name.startswith(f"{table}/dt=") and plain_name(name.rpartition("/")[2]) == file_name:
                if not (self.directory / name).exists():
                    self._fetch(name, self._there[name])
                found.append(self.directory / name)
        return found

    def put(self, temporary: Path, name: str) -> Path:
        """A finished file of this machine becomes object and copy; `temporary` is gone then. Raises ObjectStorageAway.

        Killed in between the object is there and the next pull fetches it.
        """
        mark = self.store.put(temporary, name)
        self._there[name] = mark
        return self._settle(temporary, name, mark)

    def remove(self, names: Iterable[str]) -> None:
        """Take objects and copies away; they may be gone already. Raises ObjectStorageAway."""
        folders = set()
        for name in names:
            self.store.remove(name)
            self._there.pop(name, None)
            self._forget(name)
            folders.add(str(PurePosixPath(name).parent.parent if is_small(name) else PurePosixPath(name).parent))
        for folder in sorted(folders):
            self.store.drop_empty(folder)

    def remove_merged_sources(self) -> None:
        """What a killed compaction left: sources of a merged file that are still there. Raises ObjectStorageAway.

        Only those whose name says their content: another may have been written again since.
        """
        for table in TABLES.values():
            files = list_table(self.directory, table).files
            merged = [name for name in files if not is_small(name)]
            left = {source for name in merged for source in merged_from(self.directory / name)} & files
            self.remove(sorted(name for name in left if plain_name(name) != name))

    def examine(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """Files that a load set aside here: (whose copy alone was bad, and is fetched anew; whose object is damaged).

        Raises ObjectStorageAway.
        """
        mended, damaged = [], []
        for name in names:
            aside = self._aside_of(name)
            with self._temporary(name) as fresh:
                try:
                    self.store.get(name, fresh)
                except FileNotFoundError:
                    continue  # a compaction took it: its rows are elsewhere
                if aside is None or sha256_of(fresh) == sha256_of(aside):
                    damaged.append(name)
                    continue
                aside.unlink()
                self._settle(fresh, name, self._there[name])
                mended.append(name)
        return mended, damaged

    def give_up(self, names: Iterable[str]) -> None:
        """Damaged objects that are another's to see to: the next pull fetches them again."""
        for name in names:
            aside = self._aside_of(name)
            if aside is not None:
                aside.unlink()
            self._forget(name)

    def set_objects_aside(self, names: Iterable[str]) -> None:
        """Damaged objects get the name that their copy has here; in their place comes what was rescued, or nothing.

        Killed in between the object is still there, still damaged, and the next load does it again.
        """
        for name in names:
            aside = self._aside_of(name)
            if aside is not None:
                self._put_copy(aside.relative_to(self.directory).as_posix())
            if (self.directory / name).exists():
                self._put_copy(name)
            else:
                self.remove([name])

    def put_rescued(self) -> None:
        """Files that were written again in the place of damaged ones, and are not in the store yet."""
        for table in TABLES.values():
            found = list_table(self.directory, table)
            places = {place_of_damaged_name(name) for name in found.aside} & found.files
            for name in sorted(places - self._there.keys()):
                self._put_copy(name)

    def _put_copy(self, name: str) -> None:
        path = self.directory / name
        mark = self.store.put(path, name)
        self._there[name] = mark
        os.utime(path, ns=(mark.mtime_ns, mark.mtime_ns))

    def _marks(self) -> dict[str, ObjectMark]:
        found = {}
        for table in TABLES.values():
            listing = list_table(self.directory, table)
            for name in listing.files | listing.aside:
                with suppress(FileNotFoundError):
                    known = os.stat(f"{self.directory}/{name}")
                    found[name] = ObjectMark(known.st_size, known.st_mtime_ns)
        return found

    def _fetch(self, name: str, mark: ObjectMark) -> None:
        gone = suppress(FileNotFoundError)  # since it was listed: the next pull knows
        with gone, full_disk_as_error(self.directory), self._temporary(name) as temporary:
            self.store.get(name, temporary)
            self._settle(temporary, name, mark)

    def _settle(self, temporary: Path, name: str, mark: ObjectMark) -> Path:
        """Not forced to the disk: a copy that a power cut tore is found by the load, and fetched anew."""
        path = self.directory / name
        os.utime(temporary, ns=(mark.mtime_ns, mark.mtime_ns))
        rename(temporary, path, durable=False)
        return path

    @contextmanager
    def _temporary(self, name: str) -> Iterator[Path]:
        path = self.directory / name
        make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _aside_of(self, name: str) -> Path | None:
        """The copy of this file that was set aside last."""
        path = self.directory / name
        found = [one for one in path.parent.glob(f"{path.name}*") if place_of_damaged_name(one.name) == path.name]
        asides = [one for one in found if one != path]
        return max(asides, key=lambda one: (len(one.name), one.name), default=None)

    def _forget(self, name: str) -> None:
        path = self.directory / name
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if not folder.name.startswith(("hour=", "dt=", "month=")):
                return
            try:
                folder.rmdir()
            except OSError:
                return  # others lie there

    @property
    def _note(self) -> Path:
        return self.directory / PULLED
