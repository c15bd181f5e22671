"""Ending a run under way, after a question: from the first page and from the list of runs alike.

Not for: ending it (sync/people/stop_run.py).
"""

from __future__ import annotations

from ecauto_pipeline.desk.parts.asking import sure, tell, tell_refused
from ecauto_pipeline.desk.visit import LOG, Unknown, Visit
from ecauto_pipeline.sync.people.stop_run import stop_run
from ecauto_pipeline.views.run_words import job_words


async def end_run(visit: Visit, run_id: str, job: str) -> bool:
    """Whether the person meant it; what became of it is told."""
    name = job_words(job, visit.language)
    effects = (
        visit.told("送信中の変更は最後まで送り、結果を記録します", "what is in flight is finished and noted"),
        visit.told(
            "Amazonの回答は残り、次の実行が続きから始めます", "answers are kept; the next run goes on from there"
        ),
        visit.told(
            "Dagsterには「中止」と記録され、自動で再実行されません",
            "Dagster shows it as cancelled; nothing tries it again",
        ),
    )
    question = visit.told(f"「{name}」を中止しますか", f"End this {name}?")
    if not await sure(visit, question, effects, visit.told("中止する", "End it"), danger=True):
        return False
    who = visit.office.who
    LOG.info("desk: %s ends run %s", who, run_id)
    done = await visit.do(lambda tools: stop_run(tools, run_id, who))
    if isinstance(done, Unknown):
        tell_refused(visit, done)
    else:
        tell(visit, "中止を伝えました。数秒で終わります", "It was told to end, which takes some seconds", "info")
    return True
