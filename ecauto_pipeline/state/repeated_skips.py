"""Which skips of a run say again what is on record: a skip is stored when it differs from the last of its target.

A shop whose runs come every minute would else store the same thousands of rows in each of them. What is on record
leaves after its three days; then its listing is judged again (revisions.py) and the skip stored again.
Not for: storing (decisions.py), or the counts of a run, which hold every target (sync/run_record.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.selling.corrections import FAILED_CORRECTIONS
from ecauto_pipeline.state.decisions import SHUT, Target
from ecauto_pipeline.state.of_accounts import FEW, of_accounts
from ecauto_pipeline.state.schema_decisions import diffs
from ecauto_pipeline.state.shop_accounts import load_accounts

_TARGET = (diffs.c.platform, diffs.c.account_id, diffs.c.item_id, diffs.c.kind)
_SAID = (diffs.c.decision, diffs.c.reason, diffs.c.shown, diffs.c.wanted, diffs.c.evidence)


def without_repeated(connection: Connection, run_id: str, found: Sequence[Diff]) -> list[Diff]:
    """What has to be stored: all but the skips that the last decision stored about their target says already.

    Of a change that its shop can't take, since the shop was closed, or read last where nothing closed it. What the
    pushing step of this run looks up is stored by every run: corrections that failed, and skips beside a price that is
    about to be sent.
    """
    skips = [diff for diff in found if diff.decision is Decision.SKIPPED and diff.reason not in FAILED_CORRECTIONS]
    if not skips:
        return list(found)
    last = _last_said(connection, skips)
    closed = {key: shop.breaker_since or shop.read_at for key, shop in load_accounts(connection).items()}
    sending = _prices_sent(connection, run_id)
    repeated = {id(diff) for diff in skips if diff.key not in sending and _is_said(diff, last, closed)}
    return [diff for diff in found if id(diff) not in repeated]


_Said = tuple[datetime, tuple[object, ...]]


def _last_said(connection: Connection, skips: Collection[Diff]) -> dict[Target, _Said]:
    """By target, of these shops and kinds: when it was last decided about, and what."""
    accounts, kinds = {diff.key.account for diff in skips}, sorted({diff.kind.value for diff in skips})
    query = select(*_TARGET, diffs.c.decided_at, *_SAID).where(of_accounts(diffs, accounts), diffs.c.kind.in_(kinds))
    items = {diff.key.item_id for diff in skips}
    query = query.where(diffs.c.item_id.in_(items)) if len(items) <= FEW else query
    rows = connection.execute(query.order_by(diffs.c.decided_at, diffs.c.diff_id))
    return {
        (ListingKey(platform, account, item), Kind(kind)): (from_ms(at), tuple(said))
        for platform, account, item, kind, at, *said in rows
    }


def _prices_sent(connection: Connection, run_id: str) -> set[ListingKey]:
    pushed = (diffs.c.run_id == run_id, diffs.c.kind == Kind.PRICE, diffs.c.decision == Decision.PUSH)
    return {ListingKey(*row) for row in connection.execute(select(*_TARGET[:3]).where(*pushed))}


def _is_said(diff: Diff, last: Mapping[Target, _Said], closed: Mapping[AccountKey, datetime | None]) -> bool:
    found = last.get((diff.key, diff.kind))
    if found is None:
        return False
    at, said = found
    since = closed.get(diff.key.account)
    if diff.reason in SHUT and since is not None and at < since:
        return False
    return said == (diff.decision.value, diff.reason, diff.shown, diff.wanted, diff.evidence)
