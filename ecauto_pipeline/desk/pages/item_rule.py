"""The rules of one item on its page: what holds, and the form that writes one line of the owner's file.

Saved through the function that `ecauto rules set` calls; the effect is shown before. Not for: whole files (rules.py).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from nicegui import ui

from ecauto_pipeline.desk.parts.asking import sure, tell, tell_refused
from ecauto_pipeline.desk.parts.cards import card, nothing
from ecauto_pipeline.desk.parts.folded import folded
from ecauto_pipeline.desk.parts.tables import Column, table
from ecauto_pipeline.desk.parts.text import note, short, yen
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.sync.people.rule_edits import Target, set_rule, unset_rule
from ecauto_pipeline.views.item import ItemNow, ListingNow
from ecauto_pipeline.views.rule_effect import Effect, effects_of, effects_of_unset
from ecauto_pipeline.views.rule_words import CHOICES, LABELS, cell_said, holding

LOG = logging.getLogger("ecauto_pipeline")
AMOUNTS = ("fixed_price_jpy", "min_price_jpy", "max_price_jpy", "markup_ratio", "extra_cost_jpy")
Form = dict[str, ui.input | ui.select]


def rules_of_item(visit: Visit, item: ItemNow, again: Callable[[], Awaitable[None]]) -> None:
    """What holds, and a form for each line that is about this item alone. `again`: draws the page's new state."""
    with card(visit.told("この商品の規則", "Rules of this item")):
        _what_holds(visit, item)
        targets: dict[str, tuple[Target, Mapping[str, str], str]] = {}
        if item.asin:
            name = visit.told(f"ASIN {item.asin} のすべての出品", f"every listing of ASIN {item.asin}")
            targets[name] = (item.asin, item.own, item.note)
        for one in item.listings:
            name = visit.told(
                f"{one.shop} の商品 {one.key.item_id} だけ", f"item {one.key.item_id} of {one.shop} alone"
            )
            targets[name] = (one.key, one.own, one.note)
        folded(visit.told("規則を変える", "Change the rules"), lambda: _forms(visit, targets, again), icon="edit")


def _forms(
    visit: Visit, targets: Mapping[str, tuple[Target, Mapping[str, str], str]], again: Callable[[], Awaitable[None]]
) -> None:
    chosen = ui.select(list(targets), value=next(iter(targets)), label=visit.told("どれの規則か", "whose rule"))
    chosen.props("outlined dense options-dense").classes("desk-field-wide")
    body = ui.element("div")

    def draw() -> None:
        body.clear()
        with body:
            _form(visit, *targets[str(chosen.value)], again)

    chosen.on_value_change(draw)
    draw()


def _what_holds(visit: Visit, item: ItemNow) -> None:
    rows = [
        (
            f"{one.shop} {one.key.item_id}",
            visit.told(*LABELS[column]),
            cell_said(column, _plain(one, column, value), visit.language),
            visit.told(f"{line}行目", f"line {line}"),
        )
        for one in item.listings
        for column, value, line in holding(one.rule, visit.language)
    ]
    if not rows:
        nothing(visit.told("この商品に当たる規則はありません。", "No rule is about this item."))
        return
    heads = [
        Column(visit.told(*pair))
        for pair in (("出品", "listing"), ("規則", "rule"), ("内容", "says"), ("rules.csv の行", "line of rules.csv"))
    ]
    table(heads, rows, label=visit.told("当たっている規則", "rules that hold"))


def _plain(one: ListingNow, column: str, shown: str) -> str:
    value = getattr(one.rule, column)
    return ("yes" if value else "no") if isinstance(value, bool) else shown


def _form(
    visit: Visit, target: Target, cells: Mapping[str, str], remark: str, again: Callable[[], Awaitable[None]]
) -> None:
    form: Form = {}
    with ui.element("div").classes("desk-form"):
        for column in ("exclude", "never_sell"):
            form[column] = _choice(visit, column, cells.get(column, ""))
        for column in AMOUNTS:
            unit = "" if column == "markup_ratio" else visit.told("（円）", " (yen)")
            made = ui.input(visit.told(*LABELS[column]) + unit, value=cells.get(column, ""))
            form[column] = made.props("outlined dense inputmode=decimal")
        form["by_hand"] = _choice(visit, "by_hand", cells.get("by_hand", ""))
        until = ui.input(visit.told("期限（この日まで有効）", "last day"), value=cells.get("until", ""))
        form["until"] = until.props("outlined dense type=date stack-label")
        form["note"] = ui.input(visit.told("メモ", "note"), value=remark).props("outlined dense maxlength=200")
    note(
        visit.told(
            "空欄の項目は何も決めません。下限・利益などの安全の制限は、規則があっても守られます。",
            "An empty field decides nothing. The floor, the least profit and the other limits hold all the same.",
        )
    )
    with ui.element("div").classes("desk-buttons"):
        save = ui.button(visit.told("効果を見て保存", "See the effect, then save"))
        save.props("no-caps unelevated").on_click(partial(_save, visit, target, dict(cells), form, again))
        if cells:
            gone = ui.button(visit.told("この規則を消す", "Take this rule away"), color="negative")
            gone.props("no-caps outline").on_click(partial(_take_away, visit, target, dict(cells), again))


def _choice(visit: Visit, column: str, value: str) -> ui.select:
    words = {word: visit.told(*said_as) for word, said_as in CHOICES[column].items()}
    made = ui.select(
        {"": visit.told("（決めない）", "(not said)")} | words, value=value, label=visit.told(*LABELS[column])
    )
    return made.props("outlined dense options-dense")


async def _save(
    visit: Visit, target: Target, seen: dict[str, str], form: Form, again: Callable[[], Awaitable[None]]
) -> None:
    columns: dict[str, str | None] = {name: str(field.value or "").strip() or None for name, field in form.items()}
    if not any(value for name, value in columns.items() if name in LABELS):
        if seen:
            await _take_away(visit, target, seen, again)
        else:
            tell(visit, "決めることを1つは入れてください", "say at least one thing", "warning")
        return
    effects = await visit.read(lambda tools: effects_of(tools, target, columns))
    if isinstance(effects, Unknown):
        tell_refused(visit, effects)
        return
    question = visit.told("この規則を保存しますか？", "Save this rule?")
    if not await sure(visit, question, _said(visit, effects), visit.told("保存する", "Save")):
        return
    done = await visit.do(lambda tools: set_rule(tools, target, columns, visit.office.who, seen=seen))
    if isinstance(done, Unknown):
        tell_refused(visit, done)
        return
    LOG.info("rule of %s set by %s: %s", target, visit.office.who, {k: v for k, v in columns.items() if v})
    tell(visit, "規則を保存しました。次の同期から使われます。", "The rule is saved; the next sync goes by it.")
    await again()


async def _take_away(visit: Visit, target: Target, seen: dict[str, str], again: Callable[[], Awaitable[None]]) -> None:
    effects = await visit.read(lambda tools: effects_of_unset(tools, target))
    if isinstance(effects, Unknown):
        tell_refused(visit, effects)
        return
    question = visit.told("この規則を消しますか？", "Take this rule away?")
    if not await sure(visit, question, _said(visit, effects), visit.told("消す", "Take away"), danger=True):
        return
    done = await visit.do(lambda tools: unset_rule(tools, target, visit.office.who, seen=seen))
    if isinstance(done, Unknown):
        tell_refused(visit, done)
        return
    LOG.info("rule of %s taken away by %s", target, visit.office.who)
    tell(visit, "規則を消しました。次の同期から使われません。", "The rule is gone from the next sync on.")
    await again()


def _said(visit: Visit, effects: tuple[Effect, ...]) -> list[str]:
    """A line a listing: the price now and then, what is left, whether it is on show, and why not where it is not."""
    if not effects:
        return [visit.told("同期の対象になっている出品はありません。", "No listing of it takes part in the sync.")]
    return [_effect_said(visit, one) for one in effects]


def _effect_said(visit: Visit, one: Effect) -> str:
    shown = {True: ("公開", "on show"), False: ("非公開", "hidden"), None: ("不明", "unknown")}
    parts = [
        visit.told("価格 ", "price ")
        + _moved(visit, yen(one.now.price_jpy, visit.language), yen(one.then.price_jpy, visit.language)),
        visit.told("利益 ", "profit ")
        + _moved(visit, yen(one.now.profit_jpy, visit.language), yen(one.then.profit_jpy, visit.language)),
    ]
    if one.now.on_show != one.then.on_show:
        parts.append(_moved(visit, visit.told(*shown[one.now.on_show]), visit.told(*shown[one.then.on_show])))
    if one.held:
        parts.append(visit.told("確認待ちになります", "waits for your approval"))
    parts += [short(said(reason, visit.language)) for reason in one.reasons if not one.held]
    return f"{one.key.account_id} {one.key.item_id}: " + visit.told("、", ", ").join(parts)


def _moved(visit: Visit, before: str, after: str) -> str:
    if before == after:
        return before + visit.told("（変わりません）", " (as it is)")
    return f"{before} → {after}"
