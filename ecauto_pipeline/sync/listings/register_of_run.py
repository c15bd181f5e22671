"""What a run asks of master.db: all that it says, or, where it is what it was when each shop was joined with all of it,
the few rows of which it has to know something.

All of it is read once a day, by `--all`, where its name is another or can't be told (register/stamp.py), where anything
else that joining goes by is another, where it was not read or not believed last, and as soon as anything is asked about
a listing that was not joined plainly before: a new item, one that is not of one ASIN beyond doubt, a row that is not
what it was. Not for: what is believed (register_watch.py) or joining (joining.py). Why:
docs/decisions/read-the-register-when-it-changed.md.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.joining import BAD_ASIN, LISTED, NO_REGISTER
from ecauto_pipeline.errors import RegisterError, RegisterMissing
from ecauto_pipeline.shops.platforms import platform_named
from ecauto_pipeline.state import joined_listings, register_looks, shop_accounts
from ecauto_pipeline.state.joined_listings import JoinedAs
from ecauto_pipeline.state.register_looks import RegisterLook
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.listings.blocklist import Blocklist
from ecauto_pipeline.sync.listings.register_index import Sides, folded, side_of
from ecauto_pipeline.sync.listings.register_watch import RegisterNow, is_believed, read_register
from ecauto_pipeline.sync.program_text import digest, digest_of_program
from ecauto_pipeline.sync.register_report import RegisterReport

WHOLE_EVERY = timedelta(hours=23, minutes=30)
JOINED_BY = ("domain/selling/joining.py", "domain/selling/sku.py", "register", "shops", "sync/listings")
"""The parts of this program that make of a row of the register what stands beside a listing."""
Looks = Mapping[AccountKey, RegisterLook]


class RegisterOfRun:
    """Safe to share between threads. Raises RegisterMissing as it is made, and what concerns everybody."""

    def __init__(self, context: Context, blocklist: Blocklist) -> None:
        self._context, self._reading = context, threading.Lock()
        forbidden = None if blocklist.asins is None else digest(sorted(blocklist.asins))
        scope = "" if context.lane.whole else context.lane.id
        self._terms = [digest_of_program(JOINED_BY), forbidden, scope]
        self._now: RegisterNow | None = None
        self._begun = False
        self._looks = self._still()
        if not self._looks:
            self.all()
        self._begun = True

    @property
    def unchanged(self) -> bool:
        """Whether it is what it was, and nothing so far had to be asked of all of it."""
        return self._now is None

    @property
    def looks(self) -> Looks:
        """With what each shop was joined last, while it is unchanged."""
        return self._looks

    @property
    def report(self) -> RegisterReport:
        """What was seen of it, now or then."""
        if self._now is not None:
            return self._now.report
        first = next(iter(self._looks.values()))
        return RegisterReport(
            counts={self._context.name_of(account): look.counts for account, look in self._looks.items()},
            odd=first.odd,
            odd_examples=first.odd_examples,
            unchanged_since=min(look.at for look in self._looks.values()),
        )

    def all(self) -> RegisterNow:
        """Everything it says, read once in a run."""
        with self._reading:
            if self._now is None:
                self._now = read_register(self._context, under_way=self._begun)
            return self._now

    def of(self, account: AccountKey, items: Sequence[str], *, to_join: bool = False) -> Sides:
        """The register's side of these items of a shop, by item_id; where all of it was read, of its others besides.
        `to_join`: also whether it is of one ASIN beyond doubt has to be known. Not within a transaction of state."""
        if self._now is None:
            found = self._rows(account, items, to_join)
            if found is not None:
                return found
        return self.all().of(account)

    def terms(self, connection: Connection, account: AccountKey) -> str:
        """What a shop's listings are joined by besides the register, as it stands now."""
        return digest([*self._terms, shop_accounts.was_read_whole(connection, account)])

    def look_of(self, connection: Connection, account: AccountKey, at: datetime) -> RegisterLook | None:
        """To be kept of a shop that was joined with all of it; None where nothing can be concluded from it later."""
        now = self.all()
        if not now.stamp or account not in now.believed:
            return None
        report = now.report
        terms = self.terms(connection, account)
        return RegisterLook(now.stamp, terms, at, now.counts[account], report.odd, report.odd_examples)

    def _still(self) -> Looks:
        """The looks at it that still say what it is; none where it has to be read."""
        context, now = self._context, self._context.clock.now()
        if context.run.judge_all:
            return {}
        with context.state.read() as connection:
            looks = register_looks.load(connection, context.accounts)
            same = all(
                account in looks and looks[account].terms == self.terms(connection, account)
                for account in context.accounts
            )
        stamps = {look.stamp for look in looks.values()}
        in_time = all(look.at <= now < look.at + WHOLE_EVERY for look in looks.values())
        if not (same and in_time and len(stamps) == 1):
            return {}
        try:
            still = context.register.is_still(*stamps)
        except RegisterMissing:
            raise
        except Exception:  # whoever reads it meets it too, and says what it is
            return {}
        return looks if still and is_believed(context, {one: look.counts for one, look in looks.items()}) else {}

    def _rows(self, account: AccountKey, items: Sequence[str], to_join: bool) -> Sides | None:
        """The rows that these items were joined with, as they stand; None where that is not all there is to know."""
        with self._context.state.read() as connection:
            known = joined_listings.joined_as(connection, account.platform, account.account_id, items)
        numbers: dict[int, str] = {}
        for item in items:
            one = known.get(item)
            if one is None or not _plain(one, to_join):
                return None
            if one.register_id is not None:
                numbers[one.register_id] = item
        try:
            rows = self._context.register.listing_rows(numbers)
        except RegisterError:
            return None
        sides = {}
        for row in rows:
            of = folded(AccountKey(platform_named(row.platform), row.account_id))
            if (of, row.item_id) != (folded(account), numbers[row.register_id]):
                return None
            sides[row.item_id] = side_of(row)
        return sides if len(sides) == len(numbers) else None


def _plain(one: JoinedAs, to_join: bool) -> bool:
    """Whether the one row that a listing was joined with, or that there was none, says all there is to say of it."""
    if one.register_id is None:
        return one.orphan == NO_REGISTER
    if not to_join:
        return one.read_at is not None
    if one.present == 0 or one.register_status != LISTED:
        return True
    return one.orphan == BAD_ASIN or (one.listed == 1 and one.orphan == "")
