"""What ecauto.toml says of the whole: the mode and the addresses that go with it, the shops, where state is kept.

Not for: a file that is wrong in itself: no command starts with it (settings/ecauto_toml.py says what is wrong).
"""

from __future__ import annotations

from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state.database import check_url
from ecauto_pipeline.wiring.accounts import shop_accounts


def mode(chart: Chart, here: Installation) -> None:
    """Emulated or live, and no address of the other kind."""
    if here.settings.mode == "emulated":
        chart.ok("mode", "エミュレーター（本番には接続しません）", "emulated: the real services are never called")
    else:
        chart.ok("mode", "本番", "live")
    problems(chart, here, "endpoint ")


def shops(chart: Chart, here: Installation) -> None:
    """At least one that is active."""
    named = shop_accounts(here.settings)
    active = ", ".join(name_of(key, named) for key, shop in named.items() if shop.active)
    if active:
        chart.ok("shops", active, active)
    problems(chart, here, "shops")


def spending(chart: Chart, here: Installation) -> None:
    """How calls to Amazon are spent is the owner's choice: said until he has made it, whatever it is; the demo needs
    none."""
    spend = here.settings.tiers.spend
    if "spend" in here.settings.tiers.model_fields_set or here.settings.mode == "emulated":
        chart.ok("spending", f'[tiers] spend = "{spend}"', f'[tiers] spend = "{spend}"')
        return
    chart.warn(
        "spending",
        '[tiers] spend が書かれていないので "due": 余った呼び出しは使いません',
        '[tiers] spend is not written, hence "due": calls that are left over stay unused',
        "ecauto capacity で比べ、[tiers] spend に書いてください",
        "compare with ecauto capacity, then write [tiers] spend",
    )


def state_url(chart: Chart, here: Installation) -> None:
    """[state] url names a database that can be opened and outlives the run; said only where it does not."""
    do_ja, do_en = "[state] url を直してください", "correct [state] url in ecauto.toml"
    url = here.settings.state_url()
    if here.settings.mode == "live" and here.state_file is None and url.startswith("sqlite"):
        ja, en = "メモリー上の state は失われます", "state kept in memory is lost at the end"
        chart.bad("state", ja, en, do_ja, do_en)
        return
    try:
        check_url(url)
    except SettingsError as error:
        chart.bad("state", error.said("ja"), error.said("en"), do_ja, do_en)


def problems(chart: Chart, here: Installation, beginning: str) -> None:
    """What a run would refuse for, of the lines whose names begin so."""
    for one in here.connections.problems:
        if one.name.startswith(beginning):
            chart.bad(one.name, one.ja, one.en, one.do_ja, one.do_en)
