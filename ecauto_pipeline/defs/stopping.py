"""The jobs `stop_pushing` and `resume_pushing`: `ecauto stop` and `ecauto resume` for people who are at the UI.

They go before everything else in the queue, connect to nothing and leave no row of `runs`. Not for: what a stop does
(sync/people/stop.py) or jobs that send something (by_hand.py).
"""

import dagster as dg
from pydantic import Field

from ecauto_pipeline.defs.by_hand import form
from ecauto_pipeline.defs.failures import in_words, refused
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.state.stops import Stop
from ecauto_pipeline.sync.people import stop as people
from ecauto_pipeline.wiring.accounts import known_accounts, shop_accounts
from ecauto_pipeline.wiring.open import open_tools

FIRST = {"dagster/priority": "100"}


class StopConfig(dg.Config):
    """Which shops, and who says so."""

    accounts: list[str] = Field(description="shops by id, refused unless known and active; [] = every shop")
    who: str = Field("", description="who says so; kept with the stop and shown wherever it is named")


def _chosen(settings: Settings, config: StopConfig) -> tuple[AccountKey, ...]:
    try:
        return known_accounts(settings, config.accounts)
    except SettingsError as error:
        raise refused(error.said("ja"), error.said("en")) from error


def _named(found: tuple[Stop, ...]) -> list[str]:
    return [str(one.account or "every shop") for one in found]


@dg.op(description="Nothing more is sent to these shops, not by runs under way either, until they are resumed.")
@in_words
def stop_pushing_op(context: dg.OpExecutionContext, config: StopConfig) -> None:
    settings = load()
    accounts = _chosen(settings, config)
    with open_tools(settings, offline=True) as tools:
        found = people.stop_pushing(tools, accounts, config.who or "UI")
    context.add_output_metadata({"stopped": _named(found)})


@dg.op(description="What was stopped may be sent again; the next run judges anew what waited.")
@in_words
def resume_pushing_op(context: dg.OpExecutionContext, config: StopConfig) -> None:
    settings = load()
    accounts = _chosen(settings, config)
    with open_tools(settings, offline=True) as tools:
        ended = people.resume_pushing(tools, accounts, tuple(shop_accounts(settings)), config.who or "UI")
    if not ended:
        raise refused("送信は止まっていません", "pushing is not stopped")
    context.add_output_metadata({"resumed": _named(ended)})


@dg.job(
    description="送信の停止(すべて、または選んだショップ): stop all pushing at once, in runs under way too.",
    config=form("stop_pushing_op", accounts=[], who=""),
    tags=FIRST,
)
def stop_pushing() -> None:
    stop_pushing_op()


@dg.job(
    description="送信の再開: let pushing go on.",
    config=form("resume_pushing_op", accounts=[], who=""),
    tags=FIRST,
)
def resume_pushing() -> None:
    resume_pushing_op()


STOPPING = [stop_pushing, resume_pushing]
