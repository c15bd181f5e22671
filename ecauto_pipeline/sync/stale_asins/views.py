"""Brings the owner's page views (data/views.csv) into the demand that tiers and periods follow.

Not for: what a line means (domain/freshness/views_file.py) or how counts fade (state/demand.py).
"""

from __future__ import annotations

from ecauto_pipeline.domain.freshness import views_file
from ecauto_pipeline.domain.spreadsheets import decode
from ecauto_pipeline.state import demand
from ecauto_pipeline.state.owner_files import VIEWS, keep_well, note_broken, read_owner_file
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.file_trouble import FileTrouble
from ecauto_pipeline.sync.run_record import recent_plans
from ecauto_pipeline.sync.sections import ViewsReport

_WORST = 20
_RUNS = 10


def read_views(context: Context) -> ViewsReport:
    """Count what is new in the file; no file is no views, nor is one that a run before this one has read.

    A file of which nothing can be read is a trouble, not an end: the views counted before stand, and the tiers with
    them.
    """
    path, now = context.settings.views, context.clock.now()
    try:
        state = path.stat()
        version = f"{state.st_mtime_ns}:{state.st_size}"
        with context.state.read() as connection:
            if any(plan.views.version == version for plan in recent_plans(connection, _RUNS)):
                return ViewsReport(version=version)
        found = views_file.parse(decode(path.read_bytes()), now)
    except FileNotFoundError:
        _well(context)
        return ViewsReport()
    except UnicodeError:
        ja, en = "文字コードがUTF-8でもShift_JISでもありません", "is in neither UTF-8 nor Shift_JIS"
        return _trouble(context, ja, en, ())
    except OSError as error:
        name = type(error).__name__
        return _trouble(context, f"閲覧数のファイルを読めません（{name}）", f"can't be read ({name})", ())
    for line, why in found.problems[:_WORST]:
        context.log.warning("%s line %d: %s", path.name, line, why)
    if found.problems and not found.views:
        line, why = found.problems[0]
        ja, en = f"読める行がありません（{line}行目: {why}）", f"has no line that can be read (line {line}: {why})"
        return _trouble(context, ja, en, found.problems)
    with context.state.write() as connection:
        known = demand.asins_of_items(connection, (view.item_id for view in found.views if view.item_id))
        placed = [(view.asin or known.get(view.item_id, ""), view.viewed_at, view.count) for view in found.views]
        counted = demand.record_views(connection, (row for row in placed if row[0]), now)
    _well(context)
    return ViewsReport(
        read=len(found.views),
        counted=counted,
        unknown=sum(not asin for asin, _, _ in placed),
        problems=found.problems,
        version=version if all(row[0] for row in placed) else "",  # an item may be listed later: read it again then
    )


def _trouble(context: Context, ja: str, en: str, problems: tuple[tuple[int, str], ...]) -> ViewsReport:
    name = context.settings.views.name
    context.log.warning("%s %s", name, en)
    with context.state.write() as connection:
        since = note_broken(connection, VIEWS, context.clock.now())
    trouble = FileTrouble(name, f"{name}: {ja}", f"{name}: {en}", since)
    return ViewsReport(problems=problems or ((0, en),), trouble=trouble)


def _well(context: Context) -> None:
    with context.state.read() as connection:
        broken = read_owner_file(connection, VIEWS).broken_since is not None
    if broken:
        with context.state.write() as connection:
            keep_well(connection, VIEWS, None, context.clock.now())
