"""`ecauto samples list|show|accept`: answers of Amazon's in a shape that nobody expected, for a bug report.

Not for: what a shape is (amazon/shapes.py) or when people are told (alerts/rules/shapes.py).
"""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from typing import Annotated, Any

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import fail, print_json, say, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people import amazon_shapes as shapes
from ecauto_pipeline.sync.people.amazon_shapes import Sample
from ecauto_pipeline.wiring.open import open_tools

STANDING = {
    "new": ("新しい形", "new"),
    "known": ("30日以上前からある", "known: it has been there for 30 days"),
    "accepted": ("確認済み", "accepted by a person"),
    "gone": ("なくなった", "gone: the last run that looked did not meet it"),
}
Name = Annotated[str, typer.Argument(metavar="NAME", help="名前の先頭 / its beginning")]
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="名前の先頭 / its beginning")]

COMMAND = typer.Typer(
    help="想定外の形をしたAmazonの回答。 Amazon's answers in a shape nobody expected.",
    no_args_is_help=True,
    add_completion=False,
)


@COMMAND.command("list")
def list_command(json_output: Json = False) -> None:
    """想定外の形を、今あるものから一覧します。 Every shape on record, those that stand first."""
    with open_tools(load(), offline=True) as tools:
        rows = shapes.list_samples(tools)
    if json_output:
        print_json([_document(row) for row in rows])
        return
    if not rows:
        say(told("想定外の形の回答はありません。", "no answer was of another shape than expected"))
    for row in rows:
        say(row.name, style="bold" if row.standing == "new" else None)
        count, since = row.met.answers, _time(row.met.since)
        say(f"  {row.met.operation}: {row.met.shape}")
        say("  " + told(*STANDING[row.standing]) + told(f"、{since}から {count}件", f", {count} answers since {since}"))
        if row.file is None:
            say("  " + told("例は残っていません", "no example is kept"))


@COMMAND.command("show")
def show(name: Name, json_output: Json = False) -> None:
    """1つの形を、回答の例とともに表示します。 One shape with an example, cut and without secrets."""
    with open_tools(load(), offline=True) as tools:
        row = shapes.find_sample(tools, name)
        example = shapes.example_of(tools, row)
    if json_output:
        print_json(_document(row) | {"example": example})
        return
    say(f"{row.met.operation}: {row.met.shape}", style="bold")
    say(told(*STANDING[row.standing]) + f"  {_time(row.met.since)} - {_time(row.met.last_seen_at)}")
    say(told(f"回答 {row.met.answers}件: ", f"{row.met.answers} answers: ") + ", ".join(row.met.asins))
    if example is None:
        say(told("例は残っていません", "no example is kept"))
        return
    say(str(row.file))
    say(json.dumps(example, ensure_ascii=False, indent=1))


@COMMAND.command("accept")
def accept(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="すべて / every one that stands")] = False,
    json_output: Json = False,
) -> None:
    """確認済みにします。この形ではもう知らせません。 It has been looked at: this shape is no news any more."""
    if not names and not everything:
        fail("name the samples (NAME) or --all", ja="対象を指定してください: 名前（NAME）、または --all")
    with open_tools(load(), offline=True) as tools:
        chosen = [shapes.find_sample(tools, name) for name in names or ()]
        if everything:
            chosen = [row for row in shapes.list_samples(tools) if row.met.gone_at is None]
        done = shapes.accept_samples(tools, chosen, getpass.getuser())
    if json_output:
        print_json([_document(row) | {"standing": "accepted"} for row in done])
        return
    for row in done:
        say(row.name)
    say(
        told(
            f"{len(done)} 件を確認済みにしました。次にAmazonへ問い合わせた実行から、知らせません。",
            f"{len(done)} accepted; from the next run that asks Amazon on they are no news",
        )
    )


def _document(row: Sample) -> dict[str, Any]:
    met = row.met
    return {
        "name": row.name,
        "operation": met.operation,
        "shape": met.shape,
        "standing": row.standing,
        "answers": met.answers,
        "asins": list(met.asins),
        "first_seen_at": met.first_seen_at.isoformat(),
        "since": met.since.isoformat(),
        "last_seen_at": met.last_seen_at.isoformat(),
        "gone_at": None if met.gone_at is None else met.gone_at.isoformat(),
        "accepted_at": None if met.accepted_at is None else met.accepted_at.isoformat(),
        "file": None if row.file is None else str(row.file),
    }


def _time(moment: datetime) -> str:
    return f"{jst(moment):%Y-%m-%d %H:%M}"
