"""Which listings a judging step looks at again, and what is carried over of the others: a run costs what changed.

Looked at again is a listing that changed, or whose ASIN, rules or edits did (state/revisions.py), whose verdict only
held until now (domain/selling/holds_until.py), about which something stands (a push not sent, a hold, a person's word),
and whatever every run has to say anew. All of a shop is judged once a day, when somebody asks for it, and when the
terms are others: the settings, this program, what the shop can take, whether it can be written to. When in doubt a
listing is judged. A dry run, and one of some best sellers, judges all of its own and remembers nothing.
Not for: judging (evaluate.py) or what becomes of a verdict (decide.py). Every input that there is:
docs/decisions/judge-what-changed.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.selling.corrections import FAILED_CORRECTIONS
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import judged
from ecauto_pipeline.state.decisions import Target
from ecauto_pipeline.state.judged import KINDS, Judged, JudgingStep, Seen, WholeLook
from ecauto_pipeline.state.of_accounts import ItemsOf
from ecauto_pipeline.state.owner_files import BLOCKLIST, RULES, is_unknown
from ecauto_pipeline.state.shop_accounts import ShopAccount, load_accounts
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.program_text import digest, digest_of_program

WHOLE_EVERY = timedelta(hours=23, minutes=30)
ELSEWHERE = frozenset(
    {"mode", "timezone", "paths", "state", "sp_api", "lanes", "slices", "schedules", "alerts", "desk", "fleet"}
    | {"history", "logs", "emulator"}
)
"""Tables of ecauto.toml that no rule of selling reads: where things lie, who is told, when and how much is asked."""
DECIDED_BY = ("domain", "settings", "state", "shops", "sync/diffs", "sync/selling_terms.py")
"""The parts of this program that a verdict is made by."""
SAID_ANEW = frozenset({*FAILED_CORRECTIONS, "rejected"})
"""Skips that every run states anew: what the pushing step looks up, and a person's word."""
Carried = Mapping[tuple[AccountKey, Kind, str], int]
"""How many listings stand as they were: by shop, kind and word ("" = unchanged, else why it is skipped)."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one step judges: `seen`, all of a shop in `whole`; and what is carried over of the rest of them.

    `at`: when; `before`: the last look at all of each shop, as it was read; `terms`: what each is judged by now;
    `asins_seen`: up to which change its ASINs were looked at.
    """

    step: JudgingStep
    at: datetime
    seen: Mapping[ListingKey, Seen]
    whole: frozenset[AccountKey]
    carried: Carried
    before: Mapping[AccountKey, WholeLook]
    terms: Mapping[AccountKey, str]
    asins_seen: int | None

    @property
    def items(self) -> ItemsOf:
        """The items to judge of each shop that is not judged as a whole."""
        found: dict[AccountKey, list[str]] = {one: [] for one in self.terms if one not in self.whole}
        for key in self.seen:
            if key.account in found:
                found[key.account].append(key.item_id)
        return found


def choose(
    context: Context,
    connection: Connection,
    step: JudgingStep,
    now: datetime,
    fixed: Mapping[AccountKey, frozenset[Kind]],
    closed: Mapping[AccountKey, str],
    touched: Iterable[Target],
) -> Chosen | None:
    """What this run's step looks at, the listings of `touched` in any case; None where it judges all it works on and
    nothing is to be remembered."""
    if context.run.dry_run or context.run.max_items is not None:
        return None
    terms = _terms(context, connection, step, fixed, closed)
    before = judged.whole_looks(connection, context.accounts, step)
    whole = _whole(context, terms, before, now)
    stands: dict[AccountKey, set[str]] = defaultdict(set)
    for key, _kind in touched:
        stands[key.account].add(key.item_id)
    partly = [account for account in context.accounts if account not in whole]
    seen = judged.unsettled(connection, {account: before[account] for account in partly}, step, now)
    for account in context.accounts:
        if account in whole:
            found = judged.seen_of(connection, account, step, now)
        else:
            others = {item for item in stands[account] if ListingKey(*account, item) not in seen}
            found = judged.seen_of(connection, account, step, now, others) if others else []
        seen |= {ListingKey(*account, one.item_id): one for one in found}
    carried = _carried(connection, partly, step, seen)
    return Chosen(step, now, seen, whole, carried, before, terms, judged.asin_changes(connection))


def judged_whole(
    context: Context,
    connection: Connection,
    step: JudgingStep,
    now: datetime,
    fixed: Mapping[AccountKey, frozenset[Kind]],
    closed: Mapping[AccountKey, str],
) -> frozenset[AccountKey]:
    """The shops of which `choose` would look at every listing, where it chooses."""
    terms = _terms(context, connection, step, fixed, closed)
    return _whole(context, terms, judged.whole_looks(connection, context.accounts, step), now)


def _whole(
    context: Context, terms: Mapping[AccountKey, str], before: Mapping[AccountKey, WholeLook], now: datetime
) -> frozenset[AccountKey]:
    return frozenset(
        account for account, now_by in terms.items() if context.run.judge_all or _due(before.get(account), now_by, now)
    )


def remember(
    context: Context,
    connection: Connection,
    chosen: Chosen,
    found: Iterable[Diff],
    judged_keys: Iterable[ListingKey],
    until: Mapping[ListingKey, datetime | None],
    settles: Iterable[ListingKey],
) -> int:
    """Keep what was decided of the listings of `judged_keys`; of those in `settles` alone it is not said again until
    something changes. `found`: every verdict but UNCHANGED; `until`: how long each holds, None = for good.

    In the transaction that stores the decisions. Returns how many verdicts that stood a look at all of a shop found to
    be others: 0 unless an input of a decision has no mark.
    """
    now = chosen.at
    latest = judged.whole_looks(connection, context.accounts, chosen.step)
    words = {(diff.key, diff.kind): _word(diff) for diff in found}
    settled, kinds = set(settles), KINDS[chosen.step]
    rows: dict[AccountKey, list[Judged]] = defaultdict(list)
    others = 0
    for key in judged_keys:
        seen = chosen.seen[key]
        said = tuple(words.get((key, kind), "") for kind in kinds)
        if key not in settled or None in said:
            said = (None,) * len(kinds)
        if key.account in chosen.whole and seen.holds:
            if said == seen.said and seen.until_ms == _ms(until.get(key)):
                continue
            same = key.account in chosen.before and chosen.before[key.account].terms == chosen.terms[key.account]
            others += same and key in settled and said != seen.said
        rows[key.account].append(Judged(seen.item_id, seen.revision, seen.asin_revision, until.get(key), said))
    looks: dict[AccountKey, WholeLook] = {}
    for account, terms in chosen.terms.items():
        last = latest.get(account)
        if last != chosen.before.get(account):
            continue  # another process has judged it meanwhile, all of it by terms that may be others, or after changes
        judged.save(connection, account, chosen.step, rows[account], now)
        whole_at = now if account in chosen.whole or last is None else last.at
        judged_at = now if last is None or last.judged_at is None else max(now, last.judged_at)
        look = WholeLook(terms, whole_at, chosen.asins_seen, judged_at)
        if look != last or (rows[account] and judged_at != last.judged_at):
            looks[account] = look
    judged.save_looks(connection, chosen.step, looks)
    return others


def _due(before: WholeLook | None, terms: str, now: datetime) -> bool:
    if before is None or before.terms != terms:
        return True
    return not before.at <= now < before.at + WHOLE_EVERY


def _carried(
    connection: Connection, accounts: list[AccountKey], step: JudgingStep, seen: Mapping[ListingKey, Seen]
) -> Carried:
    if not accounts:
        return {}
    counts = Counter(judged.count_said(connection, accounts, step))
    for key, one in seen.items():
        for kind, word in zip(KINDS[step], one.said, strict=True):
            counts[key.account, kind, word] -= 1
    return {(account, kind, word): n for (account, kind, word), n in counts.items() if word is not None and n > 0}


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _word(diff: Diff) -> str | None:
    """None: every run has to say it anew."""
    if diff.decision is not Decision.SKIPPED or diff.reason in SAID_ANEW:
        return None
    return diff.reason


def _terms(
    context: Context,
    connection: Connection,
    step: JudgingStep,
    fixed: Mapping[AccountKey, frozenset[Kind]],
    closed: Mapping[AccountKey, str],
) -> dict[AccountKey, str]:
    """What each shop is judged by, as a digest."""
    unknown = [name for name in (BLOCKLIST, RULES) if is_unknown(connection, name)]
    shops = load_accounts(connection)
    of_all = [digest_of_program(DECIDED_BY), _settings(context.settings), step, context.run.include_price, unknown]
    return {
        account: digest([*of_all, _closed(closed.get(account, ""), shops.get(account)), sorted(fixed.get(account, ()))])
        for account in context.accounts
    }


def _closed(reason: str, shop: ShopAccount | None) -> tuple[str, str]:
    """Why a shop can't be written to, and since when: then each change that it can't take is said once more."""
    since = shop.breaker_since if shop is not None and reason else None
    return reason, "" if since is None else since.isoformat()


def _settings(settings: Settings) -> str:
    said = settings.model_dump(mode="json", exclude=set(ELSEWHERE))
    return digest(said)
