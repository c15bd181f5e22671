"""Another file in the place of the owner's file of rules, and in force: whole, judged before, nobody's words lost.

The file that is replaced is compared with the one that the new one was made from, under state.db's write lock: of two
people, or a person and whoever saves the file by hand, the second one starts again from what the first one left.
Not for: what the new file says (rules.py, rule_edits.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.domain.spreadsheets import decode
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.shops.platforms import shop_keys
from ecauto_pipeline.state.item_rules import rules_in_force
from ecauto_pipeline.state.owner_files import RULES, read_owner_file
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.file_trouble import RulesReport
from ecauto_pipeline.sync.listings.item_rules import of_bytes, take_up
from ecauto_pipeline.sync.listings.rules_history import Said, keep_former
from ecauto_pipeline.sync.listings.shared_files import bring_file

MOST_TRIES = 20


def place_rules(tools: Tools, make: Callable[[bytes | None], bytes], said: Said) -> RulesReport:
    """Put what `make` makes of the file (None = there is none) in its place and in force.

    `make` is called again where the file has changed meanwhile. A `trouble` in the report: it was refused, and nothing
    was written. Raises NotOnRecord where the file does not stand still, and whatever `make` raises.
    """
    path, accounts = tools.settings.rules, sorted(shop_keys(tools.settings))
    for _ in range(MOST_TRIES):
        with tools.state.read() as connection:
            known, in_force = read_owner_file(connection, RULES), rules_in_force(connection)
        if tools.settings.fleet.on and known.content is not None:
            bring_file(tools.settings, "rules", known.content)  # of another machine's word, the newest
        before = content_of(path)
        content = make(before)
        unread = before is not None and before != content and text_of(before) != known.content

        def put(before: bytes | None = before, content: bytes = content, unread: bool = unread) -> bool:
            if content_of(path) != before:
                return False
            if unread and before is not None:
                keep_former(tools, before)  # nobody has taken it up, so that nobody else would keep it
            replace_file(path, content)
            return True

        report = take_up(tools, accounts, known, in_force, of_bytes(content), said, put)
        if report is not None:
            return report
    raise NotOnRecord(
        f"{path.name} keeps changing; try again", ja=f"{path.name} が変わり続けています。もう一度お試しください"
    )


def text_of(content: bytes) -> str | None:
    """None = it is no text of ours. What is in force is equal to it where a run has taken this very file up."""
    try:
        return decode(content)
    except UnicodeError:
        return None


def content_of(path: Path) -> bytes | None:
    """None = there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
