"""The papers are true: every command, option, setting and alert is in them, nothing in them is made up, links lead
somewhere, and the Japanese page says what the English one says.
"""

from __future__ import annotations

import re
import shlex
import tomllib
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from ecauto_pipeline import errors
from ecauto_pipeline.alerts.rules import OUTSIDE_RULES, RULES
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import load, parse
from ecauto_pipeline.views.run_figures import ACCOUNT, ANSWERS, SEVEN
from ecauto_pipeline_tests import commands_page, configuration_page
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.examples import EXAMPLES
from ecauto_pipeline_tests.pages import ROOT, read

PAPERS = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_TYPED = re.compile(r"(?<!-u)(?:^|[\s/])ecauto ([^|>&;<]*)")
_COMMAND = re.compile(r"(?:^|[`\s/])ecauto((?: [a-z][\w-]*)+)", re.MULTILINE)


def code_blocks(text: str) -> list[tuple[str, str]]:
    """(language, code) of every fenced block, comments in the code left out: they are in the page's language."""
    return [
        (language, "\n".join(re.sub(r"\s+#.*$", "", line) for line in code.splitlines() if not line.startswith("#")))
        for language, code in _FENCE.findall(text)
    ]


def prose(text: str) -> str:
    return _FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """The anchors that the headings of a page make."""
    headings = [title for _, title in _HEADING.findall(prose(text))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in headings}


@pytest.fixture(scope="module")
def commands() -> list[commands_page.Entry]:
    return commands_page.entries()


def test_the_configuration_page_is_what_the_settings_say() -> None:
    """Keys, defaults and meanings change in settings/; the page is printed from there."""
    assert configuration_page.page() == read("docs/configuration.md"), (
        "run: python -m ecauto_pipeline_tests.configuration_page"
    )


def test_every_setting_is_on_the_configuration_page() -> None:
    """Also when the generator forgets one: each key stands in the section of its table."""
    sections = dict(re.findall(r"^## `?([^`\n]+)`?\n(.*?)(?=^## |\Z)", read("docs/configuration.md"), re.M | re.S))
    missing = [
        f"{key.table} {key.name}"
        for key in configuration_page.all_keys()
        if f"| `{key.name}` |" not in sections.get(key.table or "Top of the file", "")
    ]
    assert [] == missing


@pytest.mark.parametrize("paper", ["README.md", "README.ja.md"])
def test_the_short_table_of_settings_is_true(paper: str) -> None:
    """Keys and defaults in the README's own table are those of the program, in the order they are named."""
    known = {(key.table, key.name): key.default.strip("`") for key in configuration_page.all_keys()}
    rows = re.findall(r"^\| `\[(\w+)\] (\w+)`((?:, `\w+`)*) \| (`.+?`) \|", read(paper), re.M)
    assert len(rows) >= 10
    for section, first, others, defaults in rows:
        names = [first, *re.findall(r"`(\w+)`", others)]
        assert [known[f"[{section}]", name] for name in names] == re.findall(r"`([^`]+)`", defaults)


def test_the_commands_page_is_what_the_command_line_says() -> None:
    """Commands, options and their help change in cli/; the page is printed from there."""
    assert commands_page.page() == read("docs/commands.md"), "run: python -m ecauto_pipeline_tests.commands_page"


def test_every_command_and_option_is_documented(commands: list[commands_page.Entry]) -> None:
    """A command that stands in no paper does not exist for an owner."""
    papers = read("README.md") + read("docs/commands.md")
    missing = [entry.path for entry in commands if entry.path not in papers]
    sections = dict(re.findall(r"^## (ecauto .+?)\n(.*?)(?=^## |\Z)", papers, re.M | re.S))
    missing += [
        f"{entry.path} {name}"
        for entry in commands
        for name in entry.option_names
        if f"`{name}" not in sections.get(entry.path, "") and f" {name}" not in sections.get(entry.path, "")
    ]
    assert [] == missing
    assert [] == [entry.path for entry in commands if not entry.help]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_in_the_papers_exists(paper: Path, commands: list[commands_page.Entry]) -> None:
    """A reader can type what is written: no command of yesterday, none of tomorrow."""
    known = {entry.path.removeprefix("ecauto ") for entry in commands}
    groups = {name.split(" ")[0] for name in known if " " in name}
    strangers = set()
    for words in _COMMAND.findall(paper.read_text(encoding="utf-8")):
        named = words.split()
        if named[0] in groups:
            if len(named) > 1 and " ".join(named[:2]) not in known:
                strangers.add(" ".join(named[:2]))
        elif named[0] not in known:
            strangers.add(named[0])
    assert set() == strangers


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_options_in_the_papers_exist(paper: Path, commands: list[commands_page.Entry]) -> None:
    """Every `ecauto ...` line of a code block parses: command and options are known to the command line."""
    options = {entry.path: set(entry.option_names) for entry in commands}
    wrong = []
    for language, code in code_blocks(paper.read_text(encoding="utf-8")):
        for line in code.splitlines() if language in ("", "sh", "console", "crontab") else []:
            typed = _TYPED.search(line)
            if typed is None:
                continue
            words = ["ecauto", *shlex.split(typed[1], comments=True)]
            path = next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in options), None)
            used = {word.split("=")[0] for word in words if word.startswith("--")}
            if path is None or not used <= options[path] | {"--help"}:
                wrong.append(line)
    assert [] == wrong


@pytest.mark.parametrize("paper", ["docs/services.md", "docs/ja/services.md"])
def test_where_cron_begins_the_runs_prices_go_with_each(
    paper: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the schedules' runs nothing else would correct what sells at a loss until the next night."""
    lines = [line for language, code in code_blocks(read(paper)) if language == "crontab" for line in code.splitlines()]
    begun: list[object] = []

    def begin(settings: object, job: str, hour: str, shares: list[dict[str, object]], said: bool) -> int:
        begun.append((job, {share["include_price"] for share in shares}))
        return 0

    monkeypatch.setattr("ecauto_pipeline.cli.sync.run_lanes_and_show", begin)
    for line in lines:
        typed = _TYPED.search(line)
        assert typed is not None, line
        assert 0 == type_command(monkeypatch, capsys, *shlex.split(typed[1]))[0]
    assert [("full_sync", {"all"})] == begun


def test_every_alert_is_in_the_runbook() -> None:
    """Whoever gets a message finds what it means, where to look first and what to do."""
    runbook = read("docs/runbook.md")
    headings = " ".join(title for _, title in _HEADING.findall(runbook))
    assert [] == [rule for rule in (*RULES, *OUTSIDE_RULES) if rule not in headings and f"`{rule}`" not in runbook]


def test_everything_that_starts_by_itself_is_in_the_papers() -> None:
    """A schedule or sensor that nobody described is a surprise at night."""
    from ecauto_pipeline.definitions import defs

    page = read("docs/ui.md")
    names = [one.name for one in (*(defs.schedules or ()), *(defs.sensors or ()))]
    assert len(names) >= 8
    assert [] == [name for name in names if f"`{name}`" not in page]


def test_the_papers_count_the_assets_right() -> None:
    """Six in the flow, one by itself: in both READMEs and on the page of the UI, in both languages."""
    from ecauto_pipeline.definitions import defs

    graph = defs.resolve_asset_graph()
    alone = [key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).group_name == "capacity"]
    assert (["capacity"], 7) == (alone, len(graph.get_all_asset_keys()))
    for page, words in {
        "README.md": "six assets in a flow and a seventh, `capacity`",
        "README.ja.md": "流れの6つと単独の `capacity` の7つ",
        "docs/ui.md": "The six assets of the flow are joined by arrows; a seventh, `capacity`",
        "docs/ja/ui.md": "流れの6つのアセットが矢印でつながっています。7つめの `capacity`",
    }.items():
        assert words in read(page), page


def test_every_error_is_in_the_papers() -> None:
    """Whoever reads an error's name in a log finds what is done about it."""
    classes = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]
    documented = read("docs/architecture.md")
    assert len(classes) > 10
    assert [] == [name for name in classes if f"| `{name}` |" not in documented]


def test_the_japanese_readme_has_the_shape_of_the_english_one() -> None:
    """Same headings by level, same code, same links: equal in content, so that neither goes stale alone."""
    english, japanese = read("README.md"), read("README.ja.md")
    assert english
    assert [level for level, _ in _HEADING.findall(prose(english))] == [
        level for level, _ in _HEADING.findall(prose(japanese))
    ]
    assert code_blocks(english) == code_blocks(japanese)
    other = {"README.md", "README.ja.md"}
    assert [link for link in _LINK.findall(english) if link not in other] == [
        link.replace("docs/ja/", "docs/") for link in _LINK.findall(japanese) if link not in other
    ]
    assert len(re.findall(r"^\|", english, re.M)) == len(re.findall(r"^\|", japanese, re.M))
    assert len(re.findall(r"^\* ", english, re.M)) == len(re.findall(r"^\* ", japanese, re.M))


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(paper: Path) -> None:
    """No dead link inside the repository, neither to a page nor to a heading of one."""
    dead = []
    for link in _LINK.findall(paper.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (paper.parent / target).resolve() if target else paper
        if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            dead.append(link)
    assert [] == dead


def test_every_paper_is_within_reach_of_the_readme() -> None:
    """A page that nothing links to is a page that nobody reads."""
    seen: set[Path] = set()
    queue = [ROOT / "README.md"]
    while queue:
        page = queue.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(page.read_text(encoding="utf-8")))
        queue += [(page.parent / link).resolve() for link in links if link and not re.match(r"[a-z]+:", link)]
    assert [] == [paper.relative_to(ROOT).as_posix() for paper in PAPERS if paper not in seen]


def test_tests_and_papers_name_the_make_targets_that_exist() -> None:
    """`make X` in a paper is a target of the Makefile."""
    targets = set(re.findall(r"^([\w-]+):", read("Makefile"), re.M))
    named = {name for paper in PAPERS for name in re.findall(r"`make ([\w-]+)`", paper.read_text(encoding="utf-8"))}
    named |= {
        name for paper in PAPERS for name in re.findall(r"^make ([\w-]+)", paper.read_text(encoding="utf-8"), re.M)
    }
    assert named <= targets, named - targets


def test_what_is_tried_where_is_what_the_paper_says() -> None:
    """The files of docs/architecture.md, "Tests and proofs", and how many examples and moments each tries."""
    told = read("docs/architecture.md").split("## Tests and proofs")[1]
    files = re.findall(r"`(\S+\.py)`", told)
    assert len(files) == 8
    assert [] == [file for file in files if not (ROOT / file).is_file()]
    thorough = settings.get_profile("thorough").max_examples
    assert f"| {EXAMPLES} examples | {thorough:,} examples |" in told
    assert "at twelve of each command" in told
    assert "MOMENTS = 12\n" in read("proofs/test_ctrl_c.py")


def test_settings_in_the_papers_exist() -> None:
    """TOML shown in the papers is read by the program itself."""
    shown = [
        (paper.name, code)
        for paper in PAPERS
        for language, code in _FENCE.findall(paper.read_text(encoding="utf-8"))
        if language == "toml"
    ]
    assert shown
    for name, code in shown:
        parse(tomllib.loads(code), ROOT, name=name)


def test_the_recording_of_the_demo_shows_what_the_demo_says() -> None:
    """Every label of a run's summary is in the picture, and where to look next; it asks no address for anything."""
    picture = read("docs/images/demo.svg")
    letters = "".join("".join(ElementTree.fromstring(picture).itertext()).split())
    labels = [ja for (ja, _), _ in (*SEVEN, *ANSWERS, *ACCOUNT)]
    assert [] == [label for label in (*labels, "店主の画面", "http://127.0.0.1:3001") if label not in letters]
    assert [] == re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg|127\.0\.0\.1:300[01])", picture)


def test_the_tour_shows_an_asin_of_the_demo_world() -> None:
    """`ecauto explain` of the README answers right after `ecauto demo`."""
    world = load(ROOT / "ecauto.toml", {}).emulator
    shown = re.findall(r"ecauto explain (B0\w{8})", read("README.md"))
    with EmulatorServer(
        clock=ManualClock(datetime(2026, 11, 23, tzinfo=UTC)),
        seed=world.seed,
        listings=world.listings,
        accounts=world.accounts,
        speed=world.speed,
        data=None,
    ) as emulator:
        offered = {row["asin"] for row in emulator.control.register_rows()["listings"] if row["status"] == "listed"}
    assert shown
    assert set(shown) <= offered
