"""Examples of answers whose shape nobody expected: one JSON file a shape, without secrets, cut to a sane size.

For a bug report and for whoever has to say what Amazon changed. A folder of at most MOST files, each readable by its
owner alone; that none can be written (a full disk, no rights) is no error of a run. Not for: what is odd about an
answer (shapes.py), since when and how often (state/amazon_shapes.py), or telling people (alerts/).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ecauto_pipeline.atomic_file import PRIVATE, make_folder, replace_file

MOST: Final = 50
"""Files kept; the oldest leave."""
LONGEST_BYTES: Final = 24_000
_LONGEST_TEXT = 200
_LONGEST_LISTS = (20, 3, 1)  # tried in this order until the example is short enough
_DEEPEST = 12
_SECRET = re.compile(r"token|secret|password|authorization|credential|cookie|signature|api.?key|client.?id", re.I)
_SECRET_TEXT = re.compile(r"Atz[ar]\|\S*|amzn1\.\S*|Bearer \S+|eyJ[\w-]{10,}\S*|[^\s@]+@[^\s@]+\.[^\s@]+")
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Example:
    """One answer of that shape. `body`: the part of it that is about `asin`, cut; `seen_at`: ISO, aware."""

    operation: str
    shape: str
    asin: str
    body: Any
    sp_account: str = ""
    seen_at: str = ""
    http_status: int | None = None
    request_id: str = ""

    @property
    def name(self) -> str:
        return sample_name(self.operation, self.shape)


def sample_name(operation: str, shape: str) -> str:
    """The name of the example of this shape, for people and as a file: words, and a few digits that tell it apart."""
    told_apart = hashlib.sha256(f"{operation}\0{shape}".encode()).hexdigest()[:6]
    words = re.sub(r"[^a-z0-9]+", "-", shape.lower()).strip("-")[:48].strip("-")
    return f"{operation}-{words}-{told_apart}"


def part_about(payload: object, asin: str) -> object:
    """The smallest entry of a list in this answer that names the ASIN; the whole answer where none does."""
    for entries in _lists(payload):
        for entry in entries:
            if isinstance(entry, dict) and asin and any(asin == text for text in _texts(entry)):
                return entry
    return payload


def without_secrets(value: object, longest_list: int, depth: int = 0) -> Any:
    """The same, cut: long texts and lists, what is too deep, whatever may be a secret or an address of a person."""
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, dict):
        return {
            _cut(str(name)): _HIDDEN if _SECRET.search(str(name)) else without_secrets(inner, longest_list, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        kept = [without_secrets(entry, longest_list, depth + 1) for entry in value[:longest_list]]
        return kept if len(value) <= longest_list else [*kept, f"... {len(value) - longest_list} more"]
    return _cut(value) if isinstance(value, str) else value


def as_text(example: Example) -> str:
    """The file's content, at most LONGEST_BYTES of UTF-8."""
    for longest_list in _LONGEST_LISTS:
        document = asdict(example) | {"body": without_secrets(example.body, longest_list)}
        text = json.dumps(document, ensure_ascii=False, indent=1, default=str)
        if len(text.encode("utf-8", "replace")) <= LONGEST_BYTES:
            return text + "\n"
    begin = json.dumps(without_secrets(example.body, 1), ensure_ascii=True, default=str)[: LONGEST_BYTES // 4]
    return json.dumps(asdict(example) | {"body": begin + " ..."}, ensure_ascii=True, indent=1) + "\n"


class SampleFolder:
    """The examples in one folder, at most so many. That they can't be read or written is no error here."""

    def __init__(self, folder: Path, most: int = MOST) -> None:
        self.folder, self._most = folder, most

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def names(self) -> frozenset[str]:
        """Of the examples that are there."""
        try:
            return frozenset(file.stem for file in self.folder.glob("*.json") if not file.name.startswith("."))
        except OSError:
            return frozenset()

    def read(self, name: str) -> dict[str, Any] | None:
        """One example; None where there is none that can be read."""
        try:
            document = json.loads(self.path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def keep(self, example: Example) -> str:
        """Write this example unless its shape has one, and let the oldest go. Returns "" or why it could not be."""
        try:
            if self.path(example.name).exists():
                return ""
            make_folder(self.folder, 0o700)
            replace_file(self.path(example.name), as_text(example), PRIVATE)
            self._prune(example.name)
        except (OSError, ValueError) as error:  # ValueError: a text that is no UTF-8
            return getattr(error, "strerror", None) or type(error).__name__
        return ""

    def _prune(self, newest: str) -> None:
        files = [file for file in self.folder.iterdir() if file.name.endswith((".json", ".tmp"))]
        by_age = sorted(files, key=lambda file: (file.stem == newest, file.stat().st_mtime, file.name))
        for file in by_age[: -self._most]:
            file.unlink(missing_ok=True)


def _lists(value: object, depth: int = 0) -> Iterator[list[Any]]:
    """The lists of a document, the outermost first, down to those of one item."""
    if depth > 2:
        return
    if isinstance(value, list):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _lists(inner, depth + 1)


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < _DEEPEST and isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner, depth + 1)


def _cut(text: str) -> str:
    shown = _SECRET_TEXT.sub(_HIDDEN, text[: 2 * _LONGEST_TEXT]).encode("utf-8", "replace").decode("utf-8")
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}..."
