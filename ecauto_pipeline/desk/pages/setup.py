"""設定 / Setup: the way to a live shop and how far it is gone, the doctor's lines, trial alerts, what the limits bear.

Secrets are told by name alone and typed nowhere here. Not for: finding any of it out (views/, doctor/, reports/).
"""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from ecauto_pipeline.alerts.announce import try_channels
from ecauto_pipeline.alerts.channels.sending import SendResult
from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.setup_capacity import capacity_card
from ecauto_pipeline.desk.pages.setup_checkup import Checkup
from ecauto_pipeline.desk.parts.asking import sure, tell, tell_refused
from ecauto_pipeline.desk.parts.cards import Mood, banner, cannot_know, card, chip, nothing
from ecauto_pipeline.desk.parts.tables import Column, table
from ecauto_pipeline.desk.parts.text import note
from ecauto_pipeline.desk.visit import LOG, Unknown, Visit
from ecauto_pipeline.doctor.dagster_files import dagster_home
from ecauto_pipeline.views.going_live import SecretNamed, Step, secrets_named, steps

STATES: dict[str, tuple[tuple[str, str], Mood]] = {
    "done": (("済", "done"), "good"),
    "open": (("次はこれ", "next"), "doubtful"),
    "later": (("まだ", "later"), "plain"),
}


async def draw(visit: Visit) -> None:
    found = await visit.read(lambda tools: steps(tools, dagster_home()))
    named = await visit.read(lambda tools: secrets_named(tools.settings))
    with card(visit.told("本番までの手順", "The way to a live shop")):
        _steps(visit, found)
    with card(visit.told("秘密の情報（名前だけ）", "Secrets, by name alone")):
        _secrets(visit, named)
    with card(visit.told("診断", "Checkup")):
        Checkup(visit).draw()
    with card(visit.told("通知の試験", "Trial of the alerts")):
        _alerts(visit)
    await capacity_card(visit)


def _steps(visit: Visit, found: Sequence[Step] | Unknown) -> None:
    if isinstance(found, Unknown):
        cannot_know(visit, found)
        return
    english = visit.language == "en"
    following = next((one for one in found if one.state == "open"), None)
    if following is None:
        banner(visit.told("すべて済んでいます。", "All steps are done."), "good")
    else:
        text = f"{following.number}. {following.title[english]}: {following.to_do[english]}"
        banner(visit.told(f"次にすること　{text}", f"To do next: {text}"), "doubtful")
    columns = (
        Column(visit.told("手順", "step"), wide=True),
        Column(visit.told("状態", "state")),
        Column(visit.told("いま", "now"), wide=True),
        Column(visit.told("コマンド", "command"), wide=True),
    )
    rows = [
        (
            f"{one.number}. {one.title[english]}",
            lambda one=one: chip(visit.told(*STATES[one.state][0]), STATES[one.state][1]),
            one.is_now[english],
            one.command,
        )
        for one in found
    ]
    table(columns, rows, label=visit.told("本番までの手順", "the way to a live shop"))
    note(visit.told("くわしくは docs/ja/going-live.md", "more in docs/going-live.md"))


def _secrets(visit: Visit, named: Sequence[SecretNamed] | Unknown) -> None:
    if isinstance(named, Unknown):
        cannot_know(visit, named)
        return
    english = visit.language == "en"
    columns = (
        Column(visit.told("環境変数", "variable"), wide=True),
        Column(visit.told("何の", "of")),
        Column(visit.told("状態", "state")),
    )

    def state(one: SecretNamed) -> None:
        if one.stands_in:
            chip(visit.told("エミュレーターのもの", "the emulator's"), "plain")
        elif one.is_set:
            chip(visit.told("あり", "set"), "good")
        else:
            chip(visit.told("なし", "missing"), "bad")

    rows = [(one.variable, one.about[english], lambda one=one: state(one)) for one in named]
    table(columns, rows, label=visit.told("秘密の情報", "secrets"))
    note(
        visit.told(
            "値はこの画面に表示されず、ここで入力もできません。ecauto.toml の横の .env に書いてください。",
            "values are neither shown nor typed here; write them into .env beside ecauto.toml",
        )
    )


def _alerts(visit: Visit) -> None:
    channels = visit.settings.alerts.channels
    if not channels:
        nothing(
            visit.told(
                "通知先がありません。ecauto.toml の [[alerts.channels]] に書いてください。",
                "nobody would be told: write [[alerts.channels]] into ecauto.toml",
            )
        )
        return
    outcome = ui.column().classes("w-full")

    async def send() -> None:
        effects = [
            visit.told(
                f"{len(channels)}件の通知先に、試しのお知らせを1通ずつ送ります。",
                f"one trial message to each of {len(channels)} channels",
            )
        ]
        if not await sure(
            visit, visit.told("通知を試しますか", "Try the alerts?"), effects, visit.told("はい、送ります", "Yes, send")
        ):
            return
        LOG.info("desk: %s tries the alert channels", visit.office.who)
        results = await visit.do(try_channels)
        if isinstance(results, Unknown):
            tell_refused(visit, results)
            return
        outcome.clear()
        with outcome:
            _results(visit, results)
        if all(one.ok for one in results):
            tell(visit, "送りました", "sent")
        else:
            tell(visit, "届かない通知先があります", "not every channel took it", "negative")

    ui.button(visit.told("試しに送る", "Send a trial message"), on_click=send).props("outline no-caps")


def _results(visit: Visit, results: Sequence[SendResult]) -> None:
    columns = (
        Column(visit.told("通知先", "channel")),
        Column(visit.told("結果", "outcome")),
        Column(visit.told("理由", "why"), wide=True),
    )
    rows = [
        (
            one.channel,
            lambda one=one: chip("OK" if one.ok else visit.told("失敗", "failed"), "good" if one.ok else "bad"),
            one.said(visit.language),
        )
        for one in results
    ]
    table(columns, rows, label=visit.told("通知の試験の結果", "outcome of the trial"))


PAGE = Page("/setup", ("設定", "Setup"), "build", draw)
