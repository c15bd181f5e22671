"""Whether this process may use the files and folders it keeps things in, as their rights stand. Nothing is written.

Asked by the doctor and by `ecauto status`, which has no second to lose. Not for: what an error meant that was raised
(disk_errors.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from ecauto_pipeline.atomic_file import on_read_only_disk
from ecauto_pipeline.doctor.disk_errors import Fault
from ecauto_pipeline.settings import Settings


def hindrance(path: Path, *, write: bool = True) -> Fault | None:
    """What keeps this process from using a file or folder that is there, as its rights stand; None where nothing does.

    Nothing is written to find out. A folder is asked for the right to enter it, too.
    """
    wanted = os.R_OK | (os.W_OK if write else 0) | (os.X_OK if path.is_dir() else 0)
    if os.access(path, wanted):
        return None
    return "read_only" if os.access(path, wanted & ~os.W_OK) and on_read_only_disk(path) else "forbidden"


def folder_fault(folder: Path) -> tuple[Path, Fault] | None:
    """What keeps us from writing into a folder that we make where it is missing, or into one of those in it, and where;
    None where nothing does. Raises PermissionError where not even that can be seen.
    """
    stands = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not stands.is_dir():
        return stands, "in_the_way"
    inner = sorted(one for one in folder.iterdir() if one.is_dir()) if stands == folder.absolute() else []
    return next(((one, fault) for one in (stands, *inner) if (fault := hindrance(one))), None)


def state_file(settings: Settings) -> Path | None:
    """Where state.db is or will be; None where [state] url names a server, or memory."""
    url = settings.state_url()
    if not url.startswith("sqlite") or ":memory:" in url or "///" not in url:
        return None
    return Path(url.partition("///")[2].partition("?")[0])


def state_fault(path: Path | None) -> tuple[Path, Fault] | None:
    """What keeps us from writing to state.db, or to what SQLite keeps beside it, and which file it is."""
    files = [Path(f"{path}{end}") for end in ("", "-wal", "-shm")] if path is not None else []
    return next(((one, fault) for one in files if one.exists() and (fault := hindrance(one))), None)
