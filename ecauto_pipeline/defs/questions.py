"""Questions that people ask in the UI: why this price, why hidden. They read what is kept and leave no trace of a run.

Nothing is connected to, no row of `runs` or `run_metrics` is written: the answer is all there is. Not for: jobs that
change something (by_hand.py) or working the answer out (explain/).
"""

import dagster as dg
from pydantic import Field

from ecauto_pipeline.defs.by_hand import form
from ecauto_pipeline.defs.failures import in_words, moment_of, refused
from ecauto_pipeline.explain.story import explain as story_of
from ecauto_pipeline.explain.words import as_markdown
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools


class ExplainConfig(dg.Config):
    """What to explain."""

    key: str = Field(description="an ASIN or a BASE item id")
    as_of: str = Field("", description='a moment of the past, JST: "2026-11-23 18:00"; empty = now')


@dg.op(description="Why this price, why hidden: what Amazon said, what was decided, what was sent.")
@in_words
def explain_op(context: dg.OpExecutionContext, config: ExplainConfig) -> None:
    from ecauto_pipeline.explain.picture import history_png  # matplotlib and DuckDB: not for every run
    from ecauto_pipeline.history.questions import HistoryReader
    from ecauto_pipeline.reports.drawing import as_markdown as picture_markdown

    key, moment = config.key.strip(), moment_of("as_of", config.as_of) if config.as_of else None
    with open_tools(load(), offline=True) as tools:
        reader, now = HistoryReader(tools.history), tools.clock.now()
        story = story_of(reader, tools.settings, key, now, as_of=moment, state=tools.state)
    if not story.found:
        raise refused(f"{key!r}: ASINとしても商品IDとしても記録がありません", f"nothing is known about {key!r}")
    language = tools.settings.alerts.language
    context.add_output_metadata(
        {
            "explanation": dg.MetadataValue.md(as_markdown(story, language)),
            "picture": dg.MetadataValue.md(picture_markdown(key, history_png(story, language))),
        }
    )


@dg.job(
    description="価格と公開状態の説明: why this price, why hidden. The answer: explain_op > Output > explanation.",
    config=form("explain_op", key="", as_of=""),
)
def explain() -> None:
    explain_op()


QUESTIONS = [explain]
