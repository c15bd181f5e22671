"""The papers that an owner reads are there in Japanese too, and say what the English ones say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecauto_pipeline_tests.pages import ROOT, read
from ecauto_pipeline_tests.test_docs import code_blocks, prose

DOCS = ROOT / "docs"
JAPANESE = sorted((DOCS / "ja").glob("*.md"))
FOR_OWNERS = {"desk.md", "going-live.md", "glossary.md", "moving.md", "runbook.md", "services.md", "ui.md"}
PAIRS = [(DOCS / page.name, page) for page in JAPANESE] + [(ROOT / "README.md", ROOT / "README.ja.md")]

_HEADING = re.compile(r"^(#+) ", re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s#]+)")
_MARKED = re.compile(r"(?<!!)\[(?!English\])[^\]]*\]\(([^)\s#]+\.md)[^)\s]*\)(\(英語\))?")
_CODE = re.compile(r"`([^`\n]+)`")
_TABLE = re.compile(r"^\[\[?[a-z_.]+\]\]?(?: [a-z_]+)?$")


def _names(text: str) -> set[str]:
    """Commands, settings and tables of ecauto.toml that a page names."""
    spoken = set(_CODE.findall(prose(text)))
    return {one for one in spoken if one.startswith("ecauto ") or _TABLE.match(one)}


@pytest.mark.parametrize(("english", "japanese"), PAIRS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_two_languages_say_the_same(english: Path, japanese: Path) -> None:
    """Headings level by level, code, commands, settings, rows of tables and bullets: neither goes stale alone."""
    ours, theirs = english.read_text(encoding="utf-8"), japanese.read_text(encoding="utf-8")
    assert _HEADING.findall(prose(ours)) == _HEADING.findall(prose(theirs))
    assert code_blocks(ours) == code_blocks(theirs)
    assert _names(ours) == _names(theirs)
    for row in (r"^\|", r"^\* ", r"^\d+\. "):
        assert len(re.findall(row, ours, re.M)) == len(re.findall(row, theirs, re.M)), row


def test_what_an_owner_reads_is_there_in_japanese() -> None:
    """Step by step, the desk, the pages of the UI, the service, the move, the runbook and the words."""
    assert set() == FOR_OWNERS - {page.name for page in JAPANESE}


@pytest.mark.parametrize("page", [ROOT / "README.ja.md", *JAPANESE], ids=lambda page: page.name)
def test_a_link_leads_to_a_page_in_the_reader_s_language(page: Path) -> None:
    """Where there is a Japanese page, a Japanese page links to it; only the switch of language leads to English."""
    there = {one.name for one in JAPANESE}
    targets = [
        (page.parent / link).resolve() for link in _LINK.findall(page.read_text(encoding="utf-8")) if ":" not in link
    ]
    switch = (DOCS / page.name).resolve()
    assert [] == [str(one) for one in targets if one.parent == DOCS and one.name in there and one != switch]


@pytest.mark.parametrize("page", [ROOT / "README.ja.md", *JAPANESE], ids=lambda page: page.name)
def test_a_page_that_is_there_in_english_alone_is_marked(page: Path) -> None:
    """Nobody is led into another language unawares."""
    marked = {
        link: mark for link, mark in _MARKED.findall(page.read_text(encoding="utf-8")) if not re.match(r"[a-z]+:", link)
    }
    english = {link for link in marked if "ja" not in (page.parent / link).resolve().relative_to(ROOT).parts}
    assert english == {link for link, mark in marked.items() if mark}


@pytest.mark.parametrize("page", sorted({*DOCS.glob("*.md"), ROOT / "README.md"}), ids=lambda page: page.name)
def test_an_english_page_leads_to_japanese_by_the_switch_alone(page: Path) -> None:
    """As above, the other way round."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    switch = "README.ja.md" if page.name == "README.md" else f"ja/{page.name}"
    assert [] == [link for link in links if re.search(r"(^|/)ja/|\.ja\.md", link) and link != switch]


@pytest.mark.parametrize("page", JAPANESE, ids=lambda page: page.name)
def test_each_page_leads_to_the_other_language(page: Path) -> None:
    """Whoever lands on the wrong one is a click away from the right one."""
    assert f"](../{page.name})" in page.read_text(encoding="utf-8")
    assert f"](ja/{page.name})" in read(f"docs/{page.name}")
