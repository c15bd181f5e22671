"""What the generated pages of docs/ share: where the repository is, cells of a table, writing and comparing a page.

Not for: what a page says (configuration_page.py, commands_page.py).
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def cell(text: object) -> str:
    """Text that can't end its cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(cell(entry) for entry in row)} |" for row in rows)])


def write(name: str, text: str) -> None:
    """Writes docs/<name>, whole or not at all."""
    path = ROOT / "docs" / name
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, path)


def read(name: str) -> str:
    """A page of the repository by its path, "" where it is not."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""
