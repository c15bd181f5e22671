"""Looks for secrets in whatever a fleet leaves behind: as they are, quoted for an address, in base64 or hexadecimal.

What is packed is unpacked first: Parquet, and what Dagster compresses in its tables. Not for: which secrets there are,
or where to look (test_secrets.py).
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import pyarrow.parquet as pq


def forms(secret: str) -> set[bytes]:
    """Every way of writing it that is looked for. In base64 it has three, by where in a longer text it stands."""
    plain = secret.encode()
    found = {plain, quote(secret, safe="").encode(), quote_plus(secret).encode(), plain.hex().encode()}
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + plain + b"\0" * ((-before - len(plain)) % 3))
        inside = coded[(before * 8 + 5) // 6 : (before + len(plain)) * 8 // 6]  # what depends on the secret alone
        found |= {inside, inside.replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Search:
    """`secrets`: by a name that may be shown. What is found is told by name and place, never itself."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = {name: forms(secret) for name, secret in secrets.items()}
        self.looked_at: dict[str, int] = {}
        self.found: list[tuple[str, str]] = []

    def look(self, place: str, content: bytes) -> None:
        """`place`: "kind: which one"; counts by kind."""
        kind = place.partition(":")[0]
        self.looked_at[kind] = self.looked_at.get(kind, 0) + 1
        for name, ways in self._forms.items():
            if any(way in content for way in ways):
                self.found.append((place, name))

    def look_into(self, kind: str, folder: Path, without: Iterable[str] = ()) -> None:
        """Every file below, but for those of these names."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in without:
                self.look(f"{kind}: {path.relative_to(folder)}", path.read_bytes())


def parquet_text(content: bytes) -> bytes:
    """Every value of a Parquet file, in text."""
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    return "\n".join(str(row) for row in rows).encode()


def unpacked(columns: Iterable[str]) -> Iterator[bytes]:
    """Columns of bytes as psql shows them (`\\x...`), decompressed where they are compressed."""
    for one in columns:
        raw = bytes.fromhex(one.removeprefix("\\x"))
        try:
            yield zlib.decompress(raw)
        except zlib.error:
            yield raw
