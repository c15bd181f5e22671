"""Text from Amazon, from BASE and from people stands on the desk's pages as text, whatever is in it."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import ecauto_pipeline.desk
from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline.sync.people.rules import import_rules
from ecauto_pipeline.sync.people.stop import stop_pushing
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import served

MARK = "m4rk"
HOSTILE = (
    f"{MARK}</script><script>{MARK}</script>${{{MARK}}}`+{MARK}+`{{{{{MARK}}}}}<img src=x onerror={MARK}>"
    f'\u202e\x00\\" onload="{MARK}" :onclick=\'{MARK}\' &#36;{{{MARK}}} javascript:{MARK}'
)
AS_TEXT = {"text", "aria-label", "alt", "label", "content", "model-value", "title", "value"}
"""What a browser shows of an element as it is; an echart draws names of its lines as text too."""
NEVER = {"html", "markdown", "run_javascript", "add_body_html", "interactive_image", "mermaid", "add_slot", "innerHTML"}
"""What would make HTML or a script of a text."""
HEADS = {("frame.py", "add_head_html")}


def every_page(desk: TestClient, shop: FilledShop) -> Iterator[tuple[str, str]]:
    """Each page's path and HTML; where a page is of one day, of that on which the shop changed."""
    for page in PAGES:
        path = f"/ja{page.path.replace('{named}', shop.dearer[1])}".rstrip("/")
        answer = desk.get(path, params={"day": shop.day.isoformat()})
        assert 200 == answer.status_code, page.path
        yield page.path, answer.text


def elements_of(html: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """The page without its elements, and the elements as a browser reads them out of their template literal."""
    found = re.search(r"parseElements\(String\.raw`([^`]*)`\), \{", html)
    assert found is not None
    raw = found[1]
    assert not set("<>$") & set(raw)
    for name, character in (("&#36;", "$"), ("&#96;", "`"), ("&gt;", ">"), ("&lt;", "<"), ("&amp;", "&")):
        raw = raw.replace(name, character)
    return html[: found.start(1)] + html[found.end(1) :], json.loads(raw)


def places(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where in an element the mark stands, keys included."""
    if isinstance(value, dict):
        for key, one in value.items():
            if MARK in str(key):
                yield (*path, "a key")
            yield from places(one, (*path, str(key)))
    elif isinstance(value, list):
        for one in value:
            yield from places(one, path)
    elif isinstance(value, str) and MARK in value:
        yield path


def told_by_everybody(shop: FilledShop, text: str) -> None:
    """Every title of master.db, brands, errors of edits and reads, who stopped, the notes of a rule."""
    with sqlite3.connect(shop.settings.master_db) as register:
        register.execute("UPDATE products SET title_ja = ?, title_en = ?, brand = ?", (text, text, text))
    with sqlite3.connect(shop.folder / "data" / "state.db") as state:
        state.execute("UPDATE journal SET error = ?", (text,))
        state.execute("UPDATE asins SET error_reason = ?, failing_reason = ?", (text, text))
        state.execute("UPDATE listings SET hidden_reason = ?", (text,))
    note = text.replace("\x00", "").replace('"', '""')
    content = f'asin,fixed_price_jpy,note\n{shop.dearer[2]},9990,"{note}"\n'
    with open_tools(shop.settings, offline=True) as tools:
        import_rules(tools, content.encode(), text)
        stop_pushing(tools, (), text)


def test_hostile_text_is_shown_as_text_on_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves neither the template literal nor the JSON in which a page's elements come, and within them it stands
    only where a browser shows what it is."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    told_by_everybody(shop, HOSTILE)
    shown = Counter[str]()
    with served() as desk:
        for path, html in every_page(desk, shop):
            rest, elements = elements_of(html)
            assert MARK not in rest, path
            for element in elements.values():
                for place in places(element):
                    shown[path] += 1
                    assert element["tag"].endswith("echart") or place[-1] in AS_TEXT, (path, element["tag"], place)
                    assert not any(key.startswith(":") for key in place), (path, place)
                    assert "events" not in place, (path, place)
    stopped_line = shown["/money"]  # stands on every page
    speaking = {path for path, count in shown.items() if count > stopped_line}
    assert {"/changes", "/holds", "/items", "/items/{named}", "/rules"} <= speaking


def test_a_title_of_a_megabyte_is_cut_on_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No page grows or slows with what somebody else wrote."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    with sqlite3.connect(shop.settings.master_db) as register:
        for one in (shop.held, shop.dearer, shop.hidden, shop.cheaper):
            register.execute("UPDATE products SET title_ja = ? WHERE asin = ?", ("商品 " * 350_000, one[2]))
    began = time.monotonic()
    with served() as desk:
        for path, html in every_page(desk, shop):
            assert len(html.encode()) < 200_000, path
    assert time.monotonic() - began < 30.0  # all of them; a page that takes its time over a title takes minutes


def test_nothing_of_the_desk_makes_html_or_a_script_of_a_text() -> None:
    """No element that takes HTML, no script but those that are written out, no property that holds an expression."""
    folder = Path(str(ecauto_pipeline.desk.__file__)).parent
    found = []
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if name in NEVER or (name == "add_head_html" and (file.name, name) not in HEADS):
                found.append(f"{file.name}:{node.lineno} {name}")  # type: ignore[attr-defined]  # both have a line
            if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("_props"):
                key = node.slice
                if not (isinstance(key, ast.Constant) and not str(key.value).startswith(":")):
                    found.append(f"{file.name}:{node.lineno} {ast.unparse(node)}")
    assert [] == found
