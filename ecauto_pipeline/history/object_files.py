"""A run's rows as a file of object storage: named after what it holds, in the place of what stood for it before.

Not for: files of this machine alone (parquet.py), or the copy of what others put (mirror.py).
"""

from __future__ import annotations

import secrets
from pathlib import Path

import pyarrow as pa

from ecauto_pipeline.atomic_file import make_folder
from ecauto_pipeline.history.mirror import Mirror
from ecauto_pipeline.history.parquet import full_disk_as_error, refuse_strangers, sha256_of, write_rows


def write_object(mirror: Mirror, path: Path, content: pa.Table, run_id: str, part: str) -> Path:
    """As write_file (parquet.py), into object storage and its copy here, named after its content; returns the copy.

    What stood for `path` with another content goes afterwards: killed in between both are there, and of two rows of a
    key one counts. Raises ObjectStorageAway too; nothing is there then, or all of it.
    """
    earlier = mirror.versions(path.relative_to(mirror.directory).parts[0], path.name)
    for one in earlier:
        refuse_strangers(one, run_id, part)
    path = earlier[0].with_name(path.name) if earlier else path
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with full_disk_as_error(path.parent):
            write_rows(temporary, content, run_id, part)
        named = path.with_name(f"{path.stem}.{sha256_of(temporary)[:16]}.parquet")
        mirror.put(temporary, named.relative_to(mirror.directory).as_posix())
    finally:
        temporary.unlink(missing_ok=True)
    mirror.remove(one.relative_to(mirror.directory).as_posix() for one in earlier if one != named)
    return named
