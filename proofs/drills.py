"""`make drills`: Amazon fails in each of the ways it can, and a table says what that does to a shop.

Plays every drill on a few hundred listings, prints the table and puts it into docs/drills.md and docs/ja/drills.md. The
exit code is 1 when something is not as it must be: a wrong hide or price, an alert that is late or stays away.
Not for: what a drill is (ecauto_pipeline_tests/scenarios/drills.py) or how it is played (drilling.py).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ecauto_pipeline.alerts.rules import rule_label
from ecauto_pipeline_tests.pages import ROOT
from ecauto_pipeline_tests.scenarios.drilling import Outcome, play
from ecauto_pipeline_tests.scenarios.drills import BOTH_LIE, DRILLS

LISTINGS = 300
PAGES = {"en": "docs/drills.md", "ja": "docs/ja/drills.md"}
COLUMNS = (
    ("起きること", "what happens"),
    ("誤った非公開 / 価格", "wrong hides / prices"),
    ("アラート", "alert"),
    ("分", "minutes"),
    ("`ecauto capacity` の答え", "what `ecauto capacity` says"),
    ("人がすること", "what a person has to change"),
)


def main() -> int:
    """Play all, print, write the pages; 1 when something is not as it must be."""
    played = []
    for drill in DRILLS:
        with TemporaryDirectory(prefix="ecauto_drill_") as folder:
            outcome = play(drill, Path(folder), LISTINGS)
        played.append(outcome)
        print(f"{drill.name}: {', '.join(outcome.violations) or 'as it must be'}", flush=True)
    with TemporaryDirectory(prefix="ecauto_drill_") as folder:
        blind = not play(BOTH_LIE, Path(folder), LISTINGS, pauses=(0.0,)).wrong_hides
    print(f"{BOTH_LIE.name}: {'its wrong hides were NOT seen' if blind else 'its wrong hides were seen'}", flush=True)
    print(f"\n{table(played, 'en')}")
    for language, name in PAGES.items():
        page = ROOT / name
        prose = [line for line in page.read_text(encoding="utf-8").splitlines() if not line.startswith("|")]
        page.write_text("\n".join([*prose, table(played, language)]), encoding="utf-8", newline="\n")
    return int(blind or any(outcome.violations for outcome in played))


def table(played: Sequence[Outcome], language: str) -> str:
    """A line for each drill, in markdown."""
    english = language == "en"
    heads = [words[english] for words in COLUMNS]
    lines = [heads, ["---"] * len(heads), *(_row(one, language) for one in played)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _row(one: Outcome, language: str) -> list[str]:
    english = language == "en"
    minutes = "–" if one.minutes is None else f"{max(1, math.ceil(one.minutes))}"
    if one.drill.shape and one.minutes is not None:
        minutes += f" ({one.asins} ASIN)"
    alert = f"[{rule_label(one.alert, language)}](runbook.md#{one.alert})" if one.alert else "–"
    said = (one.drill.what[english], f"{one.wrong_hides} / {one.wrong_prices}", alert, minutes)
    return [*said, one.told[english], one.drill.person[english]]


if __name__ == "__main__":
    sys.exit(main())
