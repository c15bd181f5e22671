"""One process that edits shops or asks Amazon as a run does, and counts what that costs it; prints JSON.

    python benchmarks/pushing_client.py edits|calls CONFIG ITEMS.json

Run as a file, so that `--before` of benchmarks.pushing can put another checkout of the program under it: nothing here
is used that the program did not always have. Not for: the world it works in, or what the figures mean (pushing.py).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert

from ecauto_pipeline.clock import SystemClock, to_ms
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import locks, migrations, plans
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.plans import Target
from ecauto_pipeline.state.schema import asins, listings, shop_accounts
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.context import Context, Run, Tools
from ecauto_pipeline.sync.diffs import price
from ecauto_pipeline.sync.run_record import begin_run
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins.plan import scope_of
from ecauto_pipeline.wiring.open import open_tools

COST_JPY, SHOWN_JPY = 1984, 2000  # the rules want 2580
CLOCK = SystemClock()


def measured(tools: Tools, work: Callable[[], int]) -> dict[str, float]:
    """What `work` cost this process; it returns how much it did."""
    commits = [0]
    event.listen(tools.state.engine, "commit", lambda _connection: commits.__setitem__(0, commits[0] + 1))
    cpu_s, began_s = time.process_time(), time.monotonic()
    done = work()
    seconds = time.monotonic() - began_s
    return {"done": done, "cpu_s": time.process_time() - cpu_s, "seconds": seconds, "commits": commits[0]}


def a_run(run_id: str) -> Run:
    return Run(run_id, "full_sync", ("2026-06-01-12:00",), CLOCK.now(), slice_s=3600.0)


def edits(tools: Tools, items: dict[str, list[str]]) -> dict[str, float]:
    """Every item of every shop shows a price that is too low; pushed, nothing else."""
    now = to_ms(CLOCK.now())
    rows: list[dict[str, Any]] = []
    with tools.state.write() as connection:
        for account, ids in items.items():
            key = {"platform": "base", "account_id": account}
            connection.execute(insert(shop_accounts).values(**key, read_at=now))
            shown = {"shown_price_jpy": SHOWN_JPY, "shown_visible": 1, "shown_stock": 1, "read_at": now}
            rows += [
                {
                    **key,
                    "item_id": item,
                    "asin": f"B{item:0>9}",
                    "register_id": None,
                    **shown,
                    "present": 1,
                    "listed": 1,
                }
                for item in ids
            ]
        connection.execute(insert(listings), rows)
        facts = {"status": "success", "price_jpy": COST_JPY, "in_stock": 1, "price_at": now, "stock_at": now}
        answers = [{"asin": row["asin"], "snapshot_id": row["asin"], **facts} for row in rows]
        connection.execute(insert(asins), answers)
    context = tools.for_run(a_run("run"))
    begin_run(context)
    price.run(context)
    return measured(tools, lambda: push.run(context).account.pushed)


def calls(tools: Tools, items: dict[str, list[str]]) -> dict[str, float]:
    """Every ASIN is known, and asked about once more in detail."""
    fetch.run(planned(tools, "first", items["asins"]))
    context = planned(tools, "again", items["asins"])

    def again() -> int:
        made = fetch.run(context).calls
        return sum(number for operation, number in made.items() if not operation.endswith("lwaToken"))

    return measured(tools, again)


def planned(tools: Tools, run_id: str, wanted: list[str]) -> Context:
    context = tools.for_run(replace(a_run(run_id), started_at=CLOCK.now() - timedelta(milliseconds=1)))
    run = context.run
    with tools.state.write() as connection:
        run_book.begin(connection, run.run_id, run.job, run.partition_key, run.started_at, run.dry_run)
        targets = [Target(seq, asin, "detail", "stock_due", "low") for seq, asin in enumerate(wanted)]
        plans.write_plan(
            *(connection, run.run_id, run.partition_key, run.lane, scope_of(run), run.started_at), targets, left_over=0
        )
    return context


def main() -> None:
    what, config, wanted = sys.argv[1:4]
    items = json.loads(Path(wanted).read_text(encoding="utf-8"))
    settings = load(Path(config), {})
    if settings.state_url().startswith("postgresql"):
        database = Database(settings.state_url(), unmigrated=True)
        with database.write(locks.schema()) as connection:
            migrations.migrate_postgresql(connection)
        database.close()
    with open_tools(settings, environ={}, clock=CLOCK, run_id="run") as tools:
        print(json.dumps({"edits": edits, "calls": calls}[what](tools, items)))


if __name__ == "__main__":
    main()
