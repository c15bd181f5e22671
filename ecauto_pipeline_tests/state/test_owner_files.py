"""What is kept of the owner's files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.owner_files import RULES, is_unknown, keep_well, note_broken, read_owner_file

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)


def test_a_file_is_unknown_while_it_is_broken_and_never_was_well(tmp_path: Path) -> None:
    """Asked without its content or with it, the answer is the same in every state of a file."""
    state, seen = Database(f"sqlite:///{tmp_path / 'state.db'}"), []
    steps = (
        lambda connection: None,
        lambda connection: note_broken(connection, RULES, NOW),
        lambda connection: keep_well(connection, RULES, "a rule", NOW),
        lambda connection: note_broken(connection, RULES, NOW),
        lambda connection: keep_well(connection, RULES, None, NOW),
    )
    for step in steps:
        with state.write() as connection:
            step(connection)
            whole = read_owner_file(connection, RULES).unknown
            assert whole == is_unknown(connection, RULES)
        seen.append(whole)
    state.close()
    assert [False, True, False, False, False] == seen
