"""Counts over a span of the past, for pictures and reports: answers, calls and updates by hour and kind, freshness.

Not for: single rows (questions.py), or figures a decision waits for (state.db).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from ecauto_pipeline.domain.day_sales import DAY_MS, JST_AHEAD_MS, DaySales
from ecauto_pipeline.history.asked_rows import Row
from ecauto_pipeline.history.database import later_first
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.tables import (
    API_CALLS,
    AUTHORITATIVE,
    DIFFS,
    ORDERS,
    RUN_METRICS,
    SNAPSHOTS,
    UPDATES,
    Table,
)

_STATUSES = ", ".join(f"'{status}'" for status in AUTHORITATIVE)
_LINES = "\n"
"""Between names in one text: none has it in it."""


class HistorySummaries(HistoryReader):
    """Counts; every span is start <= time < end, hours begin at the full hour, each key counts once."""

    def answers_by_hour(self, start: datetime, end: datetime) -> list[Row]:
        """Rows: at, status, count."""
        query = (
            "SELECT epoch_us(date_trunc('hour', observed_at)) AS at, status, count(DISTINCT snapshot_id) AS count "
            "FROM <source> WHERE observed_at >= ? AND observed_at < ? GROUP BY ALL ORDER BY ALL"
        )
        return self._counted(SNAPSHOTS, query, start, end)

    def calls_by_hour(self, start: datetime, end: datetime) -> list[Row]:
        """Rows: at, api, operation, account, count, failed (calls whose outcome is not "ok")."""
        query = (
            "SELECT epoch_us(date_trunc('hour', started_at)) AS at, api, operation, account, "
            "count(DISTINCT call_id) AS count, count(DISTINCT call_id) FILTER (WHERE outcome <> 'ok') AS failed "
            "FROM <source> WHERE started_at >= ? AND started_at < ? GROUP BY ALL ORDER BY ALL"
        )
        return self._counted(API_CALLS, query, start, end)

    def updates_by_kind(self, start: datetime, end: datetime) -> list[Row]:
        """Rows: kind, outcome, count; an update loaded twice counts as it ended last."""
        query = (
            "SELECT kind, outcome, count(*) AS count FROM (SELECT kind, outcome FROM <source> "
            "WHERE attempted_at >= ? AND attempted_at < ? "
            "QUALIFY row_number() OVER (PARTITION BY update_id "
            f"ORDER BY {later_first(UPDATES, 'load_order', 'load_position')}) = 1) "
            "GROUP BY ALL ORDER BY ALL"
        )
        return self._counted(UPDATES, query, start, end)

    def left_of_sales(self, start: datetime, end: datetime, runs: Sequence[str]) -> list[Row]:
        """One row, of what these runs decided to send: `prices`, with `mean_left_jpy` and `least_left_jpy` of a sale at
        them (None = no price); `hidden`: listings whose price shown was a loss that could not be corrected.
        """
        query = (
            "SELECT count(*) FILTER (WHERE kind = 'price' AND profit_jpy IS NOT NULL) AS prices, "
            "CAST(round(avg(profit_jpy) FILTER (WHERE kind = 'price')) AS BIGINT) AS mean_left_jpy, "
            "min(profit_jpy) FILTER (WHERE kind = 'price') AS least_left_jpy, "
            "count(*) FILTER (WHERE kind = 'visibility' AND reason IN ('price_blocked', 'price_held')) AS hidden "
            "FROM (SELECT DISTINCT ON (diff_id) * FROM <source> "
            "WHERE decided_at >= ? AND decided_at < ? AND decision = 'push' "
            "AND run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))))"
        )
        return self._ask(DIFFS, query, [start, end, list(runs)], start)

    def moves_by_day(self, start: datetime, end: datetime, operations: Sequence[str]) -> list[Row]:
        """What was known of each ASIN at the end of each Japanese day, where it differs from the day before.

        Rows: day (a count of days), asin, status, price_jpy; by day and ASIN. Only answers of these operations that
        Amazon did give, a success with its price.
        """
        query = (
            "WITH said AS (SELECT asin, (epoch_ms(observed_at) + 32400000) // 86400000 AS day, "
            "max_by({'status': status, 'price_jpy': price_jpy}, observed_at) AS last FROM <source> "
            f"WHERE observed_at >= ? AND observed_at < ? AND status IN ({_STATUSES}) "
            "AND (status <> 'success' OR price_jpy IS NOT NULL) "
            "AND operation IN (SELECT unnest(CAST(? AS VARCHAR[]))) GROUP BY ALL) "
            "SELECT day, asin, last.status AS status, last.price_jpy AS price_jpy FROM said "
            "QUALIFY lag(last) OVER (PARTITION BY asin ORDER BY day) IS DISTINCT FROM last ORDER BY day, asin"
        )
        return self._ask(SNAPSHOTS, query, [start, end, list(operations)], start)

    def orders_between(self, start: datetime, end: datetime) -> list[Row]:
        """The order rows of the span, oldest first; each once, as it was settled last."""
        return self._rows(ORDERS, "sold_at >= ? AND sold_at < ?", [start, end], since=start)

    def sales_by_day(self, start: datetime, end: datetime) -> list[DaySales]:
        """The same of the span as sums by Japanese day, oldest first; a day without an order is left out."""
        query = (
            f"SELECT (epoch_ms(sold_at) + {JST_AHEAD_MS}) // {DAY_MS} AS day, count(*) AS rows, "
            "CAST(sum(amount) AS BIGINT) AS pieces, CAST(sum(coalesce(price_jpy, 0) * amount) AS BIGINT) AS sales_jpy, "
            "CAST(coalesce(sum(profit_jpy), 0) AS BIGINT) AS profit_jpy, count(*) FILTER (WHERE profit_jpy < 0) "
            "AS losses, count(*) FILTER (WHERE profit_jpy IS NULL) AS unknown FROM (SELECT * FROM <source> "
            "WHERE sold_at >= ? AND sold_at < ? QUALIFY row_number() OVER (PARTITION BY order_id "
            f"ORDER BY {later_first(ORDERS, 'load_order', 'load_position')}) = 1) "
            "WHERE amount > 0 GROUP BY ALL ORDER BY ALL"
        )
        return [DaySales(*cast("Iterable[int]", row.values())) for row in self._ask(ORDERS, query, [start, end], start)]

    def runs_between(self, start: datetime, end: datetime) -> list[Row]:
        """The figures of the runs begun in the span, oldest first."""
        return self._rows(RUN_METRICS, "started_at >= ? AND started_at < ?", [start, end], since=start)

    def fresh_by_hour(
        self, start: datetime, end: datetime, tiers: Mapping[str, str], max_age: Mapping[str, timedelta]
    ) -> list[Row]:
        """Rows: at, tier, fresh: ASINs whose last authoritative answer was within the tier's `max_age` at each hour.

        `tiers`: tier by ASIN, as it is now; the hours are start, start + 1 h, ... <= end; those without any are left
        out. At each hour an ASIN is counted for its last answer before, so from each answer to the next, or to its age:
        memory goes with the answers, whatever the hours. The ASINs go in one text: as 100,000 values of their own the
        query took 170 MB before it began.
        """
        oldest = start - max(max_age.values(), default=timedelta(0))
        of_tier: dict[str, list[str]] = {tier: [] for tier in max_age}
        for asin, tier in tiers.items():
            if tier in of_tier:
                of_tier[tier].append(asin)
        named = [(_LINES.join(asins), tier) for tier, asins in sorted(of_tier.items()) if asins]
        if not named:
            return []
        each = "SELECT unnest(string_split(?, chr(10))) AS asin, ? AS tier, ? AS age_s"
        query = (
            f"WITH tier_of AS ({' UNION ALL '.join([each] * len(named))}), "
            "said AS (SELECT asin, tier, age_s, epoch_us(date_trunc('minute', observed_at)) // 1000000 - ? AS at_s "
            "FROM <source> JOIN tier_of USING (asin) "
            f"WHERE observed_at >= ? AND observed_at < ? AND status IN ({_STATUSES})), "
            "spans AS (SELECT tier, at_s AS since_s, least(at_s + age_s, "
            "coalesce(lead(at_s) OVER (PARTITION BY asin ORDER BY at_s), at_s + age_s)) AS until_s FROM said), "
            "hours AS (SELECT tier, greatest(0, (since_s + 3599) // 3600) AS first, "
            "greatest(0, (until_s + 3599) // 3600) AS past FROM spans), "
            "steps AS (SELECT tier, hour, sum(step) AS step FROM (SELECT tier, unnest([first, past]) AS hour, "
            "unnest([1, -1]) AS step FROM hours WHERE first < past) GROUP BY ALL) "
            "SELECT (marks.hour * 3600 + ?) * 1000000 AS at, tier, CAST(sum(step) AS BIGINT) AS fresh "
            "FROM (SELECT unnest(range(? + 1)) AS hour) AS marks JOIN steps ON steps.hour <= marks.hour "
            "GROUP BY ALL HAVING sum(step) > 0 ORDER BY ALL"
        )
        start_s, last = int(start.timestamp()), int((end - start).total_seconds()) // 3600
        values: list[object] = []
        for names, tier in named:
            values += [names, tier, int(max_age[tier].total_seconds())]
        return self._ask(SNAPSHOTS, query, [*values, start_s, oldest, end, start_s, last], oldest)

    def _counted(self, table: Table, query: str, start: datetime, end: datetime) -> list[Row]:
        return self._ask(table, query, [start, end], start)
