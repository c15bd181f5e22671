"""Times and spans are 64 bits wide in what PostgreSQL is asked, as they are in its tables; SQLite would not notice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import psycopg

from ecauto_pipeline.domain.freshness.ages import Policy
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.unconfirmed import is_unconfirmed


def test_a_time_that_is_reckoned_with_is_no_32_bit_number(tmp_path: Path) -> None:
    """Milliseconds since 1970 in a difference: typed as PostgreSQL would take them, every one."""
    settings = parse({}, tmp_path)
    policy = Policy.of(settings.ttl, settings.tiers, settings.offers)
    dialect = psycopg.dialect()  # type: ignore[no-untyped-call]  # of SQLAlchemy's own
    asked = is_unconfirmed(datetime(2026, 11, 26, tzinfo=UTC), policy, 3.0).compile(dialect=dialect)
    wide = {name: bind.type for name, bind in asked.binds.items() if abs(int(bind.effective_value or 0)) >= 2**31}
    assert len(wide) >= 3
    assert {} == {name: kind for name, kind in wide.items() if not isinstance(kind, BigInteger)}
