"""Refreshes catalogue text (title, description, pictures, brand, category) on its own ages, twenty ASINs a call.

What Amazon does not say leaves what is known as it is: nothing here ever makes a text empty. The answers are kept in
table `catalogue` first and carried to master.db after, so that a busy master.db, a crash or a dry run costs no second
question; what another program has emptied there is carried again. Not for: price or stock, which this operation does
not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import cycle, product

from ecauto_pipeline.amazon.client import NOT_ASKED
from ecauto_pipeline.amazon.operations.catalog_items import CatalogueAnswer
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Role, Status
from ecauto_pipeline.errors import RegisterBusy, RegisterError
from ecauto_pipeline.register.rows import CatalogueUpdate
from ecauto_pipeline.register.texts import CATALOGUE
from ecauto_pipeline.state import catalogue as texts
from ecauto_pipeline.sync.catalogue_calls import CatalogueCalls
from ecauto_pipeline.sync.catalogue_section import CatalogueReport
from ecauto_pipeline.sync.context import Context, Progress
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sp_api_snapshots.odd_shapes import end_of_asking, keep_examples, note_shapes


def refresh(context: Context, limit_s: float | None = None) -> CatalogueReport:
    """Ask about everything whose text is older than it may be, oldest first, for at most `limit_s`.

    Raises Stopped; what was answered until then is kept.
    """
    settings, now = context.settings, context.clock.now()
    with context.state.read() as connection:
        total = texts.count_taking_part(connection, context.run.accounts)
        oldest_allowed = (to_ms(now - settings.ttl.basic), to_ms(now - settings.ttl.category))
        due = texts.due(connection, *oldest_allowed, accounts=context.run.accounts, limit=context.run.max_items)
    _note_what_was_emptied(context)
    written = _carry(context)
    last, counts, told_of = dict[str, Status](), Counter[Status](), dict[str, set[str]]()
    operations = context.operations.under(settings).of(Role.CATALOGUE)
    if context.run.fetch and context.sp_accounts and operations:
        deadline = None if limit_s is None else context.clock.monotonic() + limit_s
        turns = cycle(product(context.sp_accounts, operations))
        calls = CatalogueCalls(due)
        while True:
            context.go_on()
            if deadline is not None and context.clock.monotonic() >= deadline:
                break
            account, operation = next(turns)
            asked = calls.next(operation.batch)
            if not asked:
                break
            answers = account.call(operation, asked, context.run.run_id, deadline)
            given = [answer for answer in answers if answer.reason != NOT_ASKED]
            with context.state.write() as connection:
                texts.keep(connection, [_text(answer) for answer in calls.came(given)], context.clock.now())
                account.ledger.flush(connection)
                note_shapes(connection, account, context.clock.now())
            for answer in given:
                counts[answer.status] += 1
                counts[last.get(answer.asin, answer.status)] -= answer.asin in last  # a call is made again in halves
                last[answer.asin] = answer.status
                if answer.status is Status.SUCCESS:
                    told_of.setdefault(operation.name, set()).add(answer.asin)
            context.progress(Progress("catalogue", len(last), len(due), details={"found": counts[Status.SUCCESS]}))
        if calls.given_up:
            context.log.warning("Amazon refuses the catalogue's calls, whatever they are about (HTTP 400)")
        written += _carry(context)
    keep_examples(context)
    with context.state.write() as connection:
        waiting = texts.count_waiting(connection)
        report = CatalogueReport(
            total_asins=total,
            due=len(due),
            asked=len(last),
            found=counts[Status.SUCCESS],
            not_found=counts[Status.NOT_FOUND],
            failed=counts[Status.API_ERROR],
            left_over=len(due) - len(last) if context.run.fetch else 0,
            written=written,
            waiting=waiting,
            odd_shapes=end_of_asking(context, connection, told_of),
        )
        keep(connection, context.run.run_id, "catalog_refresh", report)
    return report


def _text(answer: CatalogueAnswer) -> Mapping[str, object]:
    said = {"title": answer.title, "description": answer.description, "brand": answer.brand}
    return {"asin": answer.asin, **said, "category": answer.category, "images": answer.images}


def _note_what_was_emptied(context: Context) -> None:
    """Text that another program took out of master.db, and that is kept here, is carried there again by this run."""
    if context.run.dry_run:
        return
    try:
        empty = context.register.without_text()
    except RegisterError as error:
        context.log.warning("what master.db lacks was not looked at: %s", error)
        return
    names = dict(zip(CATALOGUE, texts.TEXTS, strict=True))
    with context.state.write() as connection:
        again = texts.carry_again(connection, {asin: [names[one] for one in lacks] for asin, lacks in empty.items()})
    if again:
        context.log.warning("master.db has lost catalogue text of %d products: written back from what is kept", again)


def _carry(context: Context) -> int:
    """Carry to master.db what is newer here; a dry run carries nothing. Returns rows of master.db written."""
    if context.run.dry_run:
        return 0
    with context.state.read() as connection:
        waiting = texts.waiting(connection)
    if not waiting:
        return 0
    try:
        written = context.register.write_catalogue(
            CatalogueUpdate(text.asin, text.title, text.description, text.brand, text.category, text.images)
            for text in waiting
        )
    except RegisterBusy as error:
        context.log.warning("catalogue text waits: %s", error)
        return 0
    with context.state.write() as connection:
        texts.mark_carried(connection, waiting)
    return written
