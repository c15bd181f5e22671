"""What the file of rules said before: a copy each time another one takes its place, the newest hundred kept.

Not for: deciding that it does (item_rules.py).
"""

from __future__ import annotations

from itertools import count

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.clock import jst
from ecauto_pipeline.sync.context import Tools

FOLDER = "rules-history"
KEPT = 100
BOM = "\ufeff"
"""Excel takes a CSV for cp932 without it."""


def keep_former(tools: Tools, text: str | bytes) -> None:
    """Keep what stood there until now, under the time at which it ends (text as Excel opens it, bytes as they are); the
    same as the newest copy is not kept again."""
    folder = tools.settings.data_dir / FOLDER
    copies = sorted(folder.glob("rules-*.csv")) if folder.is_dir() else []
    content = text if isinstance(text, bytes) else (BOM + text).encode("utf-8")
    if copies and copies[-1].read_bytes() == content:
        return
    stem = f"rules-{jst(tools.clock.now()):%Y%m%d-%H%M%S}"
    names = (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv" for number in count(1))
    replace_file(next(folder / name for name in names if not (folder / name).exists()), content)
    for old in copies[: max(0, len(copies) + 1 - KEPT)]:
        old.unlink(missing_ok=True)
