"""A walk over the owner's desk in a real browser, desktop and phone, Japanese and English, light and dark.

The screenshots of docs/desk.md are taken on the way. Every page: no request leaves loopback, the browser complains of
nothing, nothing is wider than the screen, axe-core finds no serious fault.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline_tests.pages import ROOT
from proofs.desk_shop import BusyShop, made_busy
from proofs.desk_walk import WIDTHS, Desk, a_desk, browsing, faults_of, keep_picture, settle
from proofs.screens import browser_path, draws_emoji, draws_japanese

IMAGES = ROOT / "docs" / "images"
ON_A_PHONE = ("today", "hold", "items")
"""Of these docs/desk.md shows the phone too."""
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    assert browser_path() is not None, "install Chromium first (Debian: apt-get install chromium)"
    assert draws_japanese(), "install a Japanese font first (Debian: apt-get install fonts-noto-cjk)"
    assert draws_emoji(), "install an emoji font first (Debian: apt-get install fonts-noto-color-emoji)"
    with a_desk(tmp_path_factory.mktemp("desk")) as served:
        yield served


@pytest.fixture(scope="module", autouse=True)
def shop(desk: Desk) -> BusyShop:
    """The demo's shop once something has happened in it."""
    return made_busy(desk)


@pytest.fixture(scope="module")
def addresses(desk: Desk, shop: BusyShop) -> dict[str, str]:
    """Name of a page -> its address behind the language: every page, and a held change opened by its link."""
    runs, held = desk.known("runs", "list"), desk.known("holds", "list")
    named = {
        "/items/{named}": str(held[1]["item_id"]),
        "/runs/{named}": str(max(runs, key=lambda run: run["changed"] or 0)["run_id"]),
    }
    found = {_name(one.path): one.path.replace("{named}", named.get(one.path, "")).rstrip("/") for one in PAGES}
    return found | {"hold": f"/holds?id={held[1]['diff_id'][:12]}"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_whole(desk: Desk, addresses: dict[str, str], width: str, language: str, dark: bool) -> None:
    """Each page in each width, language and scheme; one picture each of the light Japanese ones is kept."""
    wrong: dict[str, list[str]] = {}
    with browsing(WIDTHS[width], language, dark=dark) as (view, noted):
        for name, address in addresses.items():
            view.goto(f"{desk.url}/{language}{address}")
            settle(view)
            found = faults_of(view)
            wide = view.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                found.append(f"{wide} px wider than the screen")
            found += noted.complaints + noted.outside
            noted.complaints.clear()
            noted.outside.clear()
            if found:
                wrong[name] = found
            if (
                not dark
                and language == "ja"
                and name in (ON_A_PHONE if width == "phone" else set(addresses) - {"hold"})
            ):
                keep_picture(view, IMAGES / f"desk-{name}{'-phone' if width == 'phone' else ''}.png")
    assert {} == wrong


@pytest.mark.parametrize(("width", "language"), [("desktop", "ja"), ("phone", "ja"), ("phone", "en")])
def test_a_hold_is_approved_with_the_second_click_from_its_message(desk: Desk, width: str, language: str) -> None:
    """The first click is the link in the message; who gave the word is told, the command knows it too."""
    hold = desk.known("holds", "list")[0]["diff_id"]
    with walking(desk, width, f"/{language}/holds?id={hold[:12]}") as view:
        view.get_by_role("button", name={"ja": "承認", "en": "Approve"}[language], exact=True).click()
        expect(view.get_by_text({"ja": "1件を承認しました", "en": "1 approved"}[language])).to_be_visible()
    assert "approved" == desk.known("holds", "show", hold)["state"]


def test_a_yes_is_taken_back_before_it_is_sent(desk: Desk) -> None:
    """By the list of what was approved; it is a no then, and the command knows it."""
    hold = desk.known("holds", "list")[0]["diff_id"]
    assert 0 == desk.ecauto("holds", "approve", hold).returncode
    title = desk.known("holds", "show", hold)["title"]
    with walking(desk, "desktop", "/ja/holds") as view:
        view.get_by_role("link", name=re.compile("^承認済みで送信前の")).click()
        view.get_by_role("button", name=f"承認を取り消す: {title}"[:40]).first.click()
        expect(view.get_by_role("dialog")).to_contain_text("同じ変更は二度と提案しません")
        view.get_by_role("dialog").get_by_role("button", name="はい、取り消します").click()
        expect(view.get_by_text("1件の承認を取り消し、却下しました")).to_be_visible()
    assert "rejected" == desk.known("holds", "show", hold)["state"]


def test_what_is_approved_is_sent_at_once(desk: Desk, shop: BusyShop) -> None:
    """By the button under the approval: the run of `ecauto holds send` is told to its end, the shop shows the price."""
    hold = desk.known("holds", "list")[0]
    with walking(desk, "desktop", f"/ja/holds?id={hold['diff_id'][:12]}") as view:
        view.get_by_role("button", name="承認", exact=True).click()
        view.get_by_role("button", name="次の同期を待たずに今すぐ送る").click()
        expect(view.get_by_text("完了しました")).to_be_visible()
    assert hold["wanted"] == shop.item(hold["account_id"], hold["item_id"])["price_jpy"]
    assert hold["diff_id"] not in {one["diff_id"] for one in desk.known("holds", "list", "--approved")}


def test_a_hold_is_rejected(desk: Desk) -> None:
    """In the list the effect is told first, and asked for once."""
    hold = desk.known("holds", "list")[0]
    with walking(desk, "desktop", f"/ja/holds?q={hold['asin']}") as view:
        view.get_by_role("button", name="却下: ").first.click()
        expect(view.get_by_role("dialog")).to_contain_text("同じ変更は二度と提案しません")
        view.get_by_role("dialog").get_by_role("button", name="却下する").click()
        expect(view.get_by_text("1件を却下しました")).to_be_visible()
    assert "rejected" == desk.known("holds", "show", hold["diff_id"])["state"]


def test_the_price_that_is_shown_can_be_kept(desk: Desk) -> None:
    """A rule fixes it, and the row is rejected."""
    hold = desk.known("holds", "list")[0]
    with walking(desk, "desktop", f"/ja/holds?q={hold['asin']}") as view:
        view.get_by_role("button", name="この価格のままにする").first.click()
        view.get_by_role("dialog").get_by_role("button", name="固定する").click()
        expect(view.get_by_text(f"売価を {hold['shown']:,}円 に固定しました")).to_be_visible()
    assert "rejected" == desk.known("holds", "show", hold["diff_id"])["state"]
    assert str(hold["shown"]) in [row["decides"].get("fixed_price_jpy") for row in desk.known("rules", "list")["rows"]]


def test_some_holds_are_chosen_and_approved_together(desk: Desk) -> None:
    """Those that were ticked, and no other."""
    before = [one["diff_id"] for one in desk.known("holds", "list")]
    with walking(desk, "desktop", "/ja/holds") as view:
        for number in (0, 1):
            view.get_by_role("checkbox").nth(number).click()
        view.get_by_role("button", name="選んだ2件を承認").click()
        view.get_by_role("dialog").get_by_role("button", name="承認する").click()
        expect(view.get_by_text("2件を承認しました")).to_be_visible()
    after = [one["diff_id"] for one in desk.known("holds", "list")]
    assert (2, set()) == (len(before) - len(after), set(after) - set(before))


def test_a_hold_is_approved_by_the_keyboard_alone(desk: Desk) -> None:
    """Tab leads to the first row's button, Enter presses it, Tab leads to the answer in the dialog."""
    before = len(desk.known("holds", "list"))
    with walking(desk, "desktop", "/ja/holds") as view:
        _tab_to(view, "承認: ")
        view.keyboard.press("Enter")
        expect(view.get_by_role("dialog")).to_be_visible()
        _tab_to(view, "承認する")
        view.keyboard.press("Enter")
        expect(view.get_by_text("1件を承認しました")).to_be_visible()
    assert before - 1 == len(desk.known("holds", "list"))


def test_items_are_found_filtered_and_saved(desk: Desk, shop: BusyShop) -> None:
    """Typing finds one; a filter shows as many as the command counts, and the file has a line for each."""
    with walking(desk, "desktop", "/ja/items") as view:
        view.get_by_label("商品名・ASIN・商品ID・商品コード").fill(shop.moved[1])
        expect(view.get_by_text("1件のうち 1–1")).to_be_visible()
        view.goto(f"{desk.url}/ja/items")
        view.get_by_role("link", name=re.compile("^非公開 ")).click()
        number = desk.known("items", "--filter", "hidden")["total"]
        expect(view.get_by_text(re.compile(f"^{number}件のうち"))).to_be_visible()
        with view.expect_download() as saved:
            view.get_by_role("link", name="CSVで保存").click()
        assert number == len(saved.value.path().read_text(encoding="utf-8-sig").splitlines()) - 1


def test_a_rule_of_one_item_is_set_and_lifted(desk: Desk, shop: BusyShop) -> None:
    """Each time what it does is told before."""
    asin = next(one for one in desk.known("items", shop.moved[1])["items"])["asin"]
    with walking(desk, "desktop", f"/ja/items/{shop.moved[1]}") as view:
        view.get_by_role("button", name="規則を変える").click()
        view.get_by_label("固定価格（円）").fill("11990")
        view.get_by_role("button", name="効果を見て保存").click()
        expect(view.get_by_role("dialog")).to_contain_text("→ 11,990円")
        view.get_by_role("dialog").get_by_role("button", name="保存する").click()
        expect(view.get_by_text("規則を保存しました").first).to_be_visible()
        assert {"fixed_price_jpy": "11990"} in _rules_of(desk, asin)
        settle(view)
        view.get_by_role("button", name="規則を変える").click()
        view.get_by_role("button", name="この規則を消す").click()
        view.get_by_role("dialog").get_by_role("button", name="消す").click()
        expect(view.get_by_text("規則を消しました").first).to_be_visible()
    assert [] == _rules_of(desk, asin)


def _run_that_moved(desk: Desk, item_id: str) -> str:
    """The latest run that edited this item."""
    changed = [one["run_id"] for one in desk.known("runs", "list") if one["changed"]]
    moved: str = next(
        run for run in changed if item_id in [edit["item_id"] for edit in desk.known("runs", "show", run)["edits"]]
    )
    return moved


def test_a_run_is_undone(desk: Desk, shop: BusyShop) -> None:
    """After it was told what goes back: the shop shows the price of before."""
    account, item_id, before = shop.moved
    assert before != shop.item(account, item_id)["price_jpy"]
    run = _run_that_moved(desk, item_id)
    with walking(desk, "desktop", "/ja/runs") as view:
        view.locator(f"a[href='/ja/runs/{run}']").first.click()  # the latest stands above the list too
        view.get_by_role("button", name="元に戻すとどうなるか見る").click()
        view.get_by_role("button", name="元に戻す", exact=True).click()
        view.get_by_role("dialog").get_by_role("button", name="はい、元に戻す").click()
        expect(view.get_by_text(re.compile("件を元に戻しました"))).to_be_visible()
    assert before == shop.item(account, item_id)["price_jpy"]


def test_a_file_of_rules_is_checked_before_it_counts(desk: Desk) -> None:
    """One with a mistake is refused by its line, a good one is taken in after its effect was told."""
    good, bad = desk.folder / "good.csv", desk.folder / "bad.csv"
    bad.write_text("item_id,fixed_price_jpy\n1001,0\n", encoding="utf-8")
    good.write_text("brand,never_sell,note\nソニー,yes,新しいファイル\n", encoding="utf-8")
    before = desk.known("rules", "list")["rows"]
    with walking(desk, "desktop", "/ja/rules") as view:
        for path, said in ((bad, "誤りが1か所あります"), (good, "誤りはありません")):
            with view.expect_file_chooser() as chooser:
                view.get_by_role("button", name="CSVファイルを選ぶ").click()
            chooser.value.set_files(path)
            expect(view.get_by_text(said)).to_be_visible()
            assert before == desk.known("rules", "list")["rows"]
        view.get_by_role("button", name="保存して使う").click()
        view.get_by_role("dialog").get_by_role("button", name="採用する").click()
        expect(view.get_by_text("新しいファイル")).to_be_visible()
    assert ["新しいファイル"] == [one["note"] for one in desk.known("rules", "list")["rows"]]


@pytest.mark.parametrize(("width", "language"), [("desktop", "ja"), ("phone", "ja"), ("phone", "en")])
def test_all_pushing_is_stopped_and_resumed(desk: Desk, width: str, language: str) -> None:
    """Every page says so meanwhile."""
    words = {
        "ja": ("すべての送信を止める", "はい、止めます", "送信を再開する", "はい、再開します"),
        "en": ("Stop all pushing", "Yes, stop it", "Resume pushing", "Yes, resume it"),
    }[language]
    with walking(desk, width, f"/{language}") as view:
        view.get_by_role("button", name=words[0]).click()
        view.get_by_role("dialog").get_by_role("button", name=words[1]).click()
        expect(view.locator(".desk-stopped")).to_be_visible()
        assert all(one["stopped"] for one in desk.known("status")["accounts"])
        view.goto(f"{desk.url}/{language}/money")
        expect(view.locator(".desk-stopped")).to_be_visible()
        view.locator(".desk-stopped a").click()
        view.get_by_role("button", name=words[2]).click()
        view.get_by_role("dialog").get_by_role("button", name=words[3]).click()
        expect(view.locator(".desk-stopped")).to_have_count(0)
    assert not any(one["stopped"] for one in desk.known("status")["accounts"])


def test_a_dry_run_is_started_and_followed_to_its_end(desk: Desk) -> None:
    """How far it has come is shown until it has ended."""
    with walking(desk, "desktop", "/ja") as view:
        view.get_by_role("button", name="試しに実行（送信なし）").click()
        view.get_by_role("dialog").get_by_role("button", name="試す").click()
        expect(view.get_by_role("button", name=re.compile("^この(実行|処理)を中止"))).to_be_visible()
        expect(view.get_by_role("link", name="この実行を見る")).to_be_visible()
    newest = desk.known("runs", "list")[0]
    assert (True, "SUCCESS") == (newest["dry_run"], newest["end"])


def test_the_language_and_the_menu_of_a_phone(desk: Desk) -> None:
    """The switch keeps the page and what it was asked; the menu leads to every page."""
    with walking(desk, "phone", "/ja/items?filter=hidden") as view:
        view.get_by_role("link", name="English").click()
        expect(view).to_have_url(f"{desk.url}/en/items?filter=hidden")
        view.get_by_role("link", name="日本語").click()
        expect(view).to_have_url(f"{desk.url}/ja/items?filter=hidden")
        view.get_by_role("button", name="メニュー").click()
        view.get_by_role("link", name="お金").click()
        expect(view.get_by_role("heading", name="お金", level=1)).to_be_visible()


@contextmanager
def walking(desk: Desk, width: str, address: str) -> Iterator[Page]:
    """A page of the desk in a browser that complains of nothing and asks nobody else until the end."""
    with browsing(WIDTHS[width], address[1:3]) as (view, noted):
        view.goto(desk.url + address)
        settle(view)
        yield view
        assert ([], []) == (noted.complaints, noted.outside)


def _tab_to(view: Page, name: str) -> None:
    """Press Tab until something of this name has the focus."""
    said = "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '').trim()"
    for _ in range(60):
        view.keyboard.press("Tab")
        if view.evaluate(said).startswith(name):
            return
    raise AssertionError(f"Tab does not lead to {name}")


def _rules_of(desk: Desk, asin: str) -> list[dict[str, str]]:
    return [row["decides"] for row in desk.known("rules", "list")["rows"] if asin == row["about"].get("asin")]


def _name(path: str) -> str:
    first, _, rest = path.strip("/").partition("/")
    return f"{first[:-1]}" if rest else first or "today"


def test_the_setup_examines_and_reckons(desk: Desk) -> None:
    """The doctor looks again; the slider is moved by the keyboard."""
    with walking(desk, "desktop", "/ja/setup") as view:
        view.get_by_role("button", name="もう一度調べる").click()
        expect(view.get_by_role("cell", name="master.db", exact=True)).to_be_visible()
        slider = view.get_by_role("slider", name="ASINの数")
        slider.locator("[tabindex]").focus()  # Quasar's own place for the keyboard is within
        for many in ("100", "300", "1,000"):
            slider.press("ArrowRight")
            expect(view.get_by_text(f"ASINの数: {many}", exact=True)).to_be_visible()
        expect(view.get_by_role("cell", name="1,000", exact=True)).to_be_visible()


def test_a_forged_title_is_text_in_a_browser(desk: Desk) -> None:
    """One from the shop's register, one from Amazon's catalogue: both stand there as they are, nothing of them is an
    element or runs."""
    forged = '<script>window.forged=1</script><img src=x onerror="window.forged=1">{{ 7*7 }}'
    registered, told = desk.known("items", "--limit", "2")["items"]
    with sqlite3.connect(desk.folder / "data" / "master.db") as register:
        titles = dict(register.execute("SELECT asin, title_ja FROM products").fetchall())
        for one, title in ((registered, f"R {forged}"), (told, None)):
            register.execute("UPDATE products SET title_ja = ?, title_en = NULL WHERE asin = ?", (title, one["asin"]))
    with sqlite3.connect(desk.folder / "data" / "state.db") as state:
        state.execute("INSERT OR IGNORE INTO catalogue (asin) VALUES (?)", (told["asin"],))
        state.execute("UPDATE catalogue SET title = ? WHERE asin = ?", (f"A {forged}", told["asin"]))
    try:
        for source, one in (("R", registered), ("A", told)):
            for address in (f"/ja/items?q={one['asin']}", f"/en/items/{one['item_id']}"):
                with walking(desk, "desktop", address) as view:
                    expect(view.get_by_text(f"{source} <script>window.forged=1").first).to_be_visible()
                    assert 0 == view.locator("img[src='x'], script:text('forged')").count()
                    assert view.evaluate("window.forged") is None
    finally:
        with sqlite3.connect(desk.folder / "data" / "master.db") as register:
            for one in (registered, told):
                register.execute("UPDATE products SET title_ja = ? WHERE asin = ?", (titles[one["asin"]], one["asin"]))
