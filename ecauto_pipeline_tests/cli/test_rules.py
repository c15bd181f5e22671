"""`ecauto rules`: what a person does with the file of rules."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.item_rules import rules_in_force
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.domain.selling.malformed_rules import GOOD, HEAD, row

SHEET = "\n".join([HEAD, GOOD, row(brand="ソニー", min_price_jpy="3000"), row(asin="B000000009", never_sell="yes"), ""])
BAD = "\n".join([HEAD, GOOD, row(item_id="1002", fixed_price_jpy="0"), row(asin="B1", never_sell="maybe"), ""])


class Owner:
    """Types commands in a folder with one shop and two listings, the second of a brand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._capsys = folder, monkeypatch, capsys
        monkeypatch.setenv("ECAUTO_CONFIG", str(folder / "ecauto.toml"))
        monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
        self.speaks("ja")
        self.data = folder / "data"
        self.state = Database(f"sqlite:///{self.data}/state.db")
        Register.create(self.data / "master.db", [{"asin": "B000001002", "brand": "ソニー"}], [])
        with self.state.write() as connection:
            for number in (1001, 1002):
                key = {"platform": "base", "account_id": "shop_1", "item_id": str(number), "asin": f"B{number:09d}"}
                connection.execute(insert(listings).values(**key, present=1, listed=1))

    def speaks(self, language: str) -> None:
        text = f'[[base.accounts]]\nid = "shop_1"\n[alerts]\nlanguage = "{language}"\n'
        (self.folder / "ecauto.toml").write_text(text, encoding="utf-8")

    def saves(self, name: str, text: str, encoding: str = "utf-8") -> str:
        (self.folder / name).write_bytes(text.encode(encoding))
        return str(self.folder / name)

    def types(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, what was said, what was said as an error."""
        return type_command(self._patch, self._capsys, "rules", *arguments)

    def in_force(self) -> list[int]:
        with self.state.read() as connection:
            return list(rules_in_force(connection))

    def files(self) -> set[str]:
        return {str(path.relative_to(self.data)) for path in self.data.rglob("*") if path.suffix == ".csv"}


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Owner]:
    owner = Owner(tmp_path, monkeypatch, capsys)
    yield owner
    owner.state.close()


def test_check_says_how_many_listings_each_line_selects_and_writes_nothing(owner: Owner) -> None:
    """The lines that select none are named; nothing is in force by it."""
    file = owner.saves("new.csv", SHEET, "cp932")
    code, out, _ = owner.types("check", file, "--json")
    told = json.loads(out)
    assert (0, 3, 2) == (code, told["rules"], told["listings"])
    assert {"2": 1, "3": 1, "4": 0} == told["selects"]
    assert ([4], [], []) == (told["idle"], told["over"], told["problems"])
    assert ([], set()) == (owner.in_force(), owner.files())
    code, out, _ = owner.types("check", file)
    assert 0 == code
    assert "どの出品にも当たらない行 (1): 4" in out
    owner.speaks("en")
    assert "lines that select no listing (1): 4" in owner.types("check", file)[1]


def test_every_wrong_line_is_named_and_nothing_taken(owner: Owner) -> None:
    """By `check` and by `import` alike: exit code 2, the file in place and the rules in force as they were."""
    owner.types("import", owner.saves("new.csv", SHEET))
    before = (owner.data / "rules.csv").read_bytes()
    for command in ("check", "import"):
        code, out, _ = owner.types(command, owner.saves("bad.csv", BAD))
        assert 2 == code
        for place in ("3行目 fixed_price_jpy", "4行目 asin", "4行目 never_sell"):
            assert place in out
        code, out, _ = owner.types(command, owner.saves("bad.csv", BAD), "--json")
        assert (2, [3, 4, 4]) == (code, [one["line"] for one in json.loads(out)["problems"]])
    assert (before, [2, 3, 4]) == ((owner.data / "rules.csv").read_bytes(), owner.in_force())


def test_import_puts_the_file_in_place_and_keeps_the_one_before(owner: Owner) -> None:
    """Byte for byte; in force at once, without a run."""
    first, second = owner.saves("1.csv", SHEET, "cp932"), owner.saves("2.csv", f"{HEAD}\n{GOOD}\n")
    assert 0 == owner.types("import", first)[0]
    assert (SHEET.encode("cp932"), [2, 3, 4]) == ((owner.data / "rules.csv").read_bytes(), owner.in_force())
    assert {"rules.csv"} == owner.files()
    assert 0 == owner.types("import", second)[0]
    assert [2] == owner.in_force()
    (kept,) = owner.files() - {"rules.csv"}
    assert SHEET == (owner.data / kept).read_text(encoding="utf-8-sig")


def test_import_keeps_even_a_file_that_nobody_has_read(owner: Owner) -> None:
    """What the owner had begun in the old place is not lost, broken as it may be."""
    (owner.data / "rules.csv").write_bytes(BAD.encode("cp932"))
    assert 0 == owner.types("import", owner.saves("1.csv", SHEET))[0]
    (kept,) = owner.files() - {"rules.csv"}
    assert BAD.encode("cp932") == (owner.data / kept).read_bytes()


def test_export_gives_back_what_was_imported(owner: Owner) -> None:
    """As Excel opens it; where there are no rules, the headings to begin with."""
    file = owner.folder / "out.csv"
    assert 0 == owner.types("export", str(file))[0]
    assert HEAD.split(",") == sorted(file.read_text(encoding="utf-8-sig").strip().split(","), key=HEAD.split(",").index)
    assert 0 == owner.types("check", str(file))[0]
    owner.types("import", owner.saves("1.csv", SHEET))
    owner.types("export", str(file))
    assert (b"\xef\xbb\xbf", SHEET) == (file.read_bytes()[:3], file.read_text(encoding="utf-8-sig"))
    assert SHEET == owner.types("export")[1]


def test_show_says_what_holds_for_an_item_and_which_line_says_so(owner: Owner) -> None:
    """By item id or ASIN; an unknown one is exit code 2."""
    both = [row(item_id="1002", fixed_price_jpy="4980", note="前金"), row(brand="ソニー", min_price_jpy="3000")]
    owner.types("import", owner.saves("1.csv", "\n".join([HEAD, *both])))
    code, out, _ = owner.types("show", "B000001002", "--json")
    (told,) = json.loads(out)
    assert (0, "1002") == (code, told["item_id"])
    assert {"fixed_price_jpy": 4980, "min_price_jpy": 3000} == told["holds"]
    assert {"fixed_price_jpy": 2, "min_price_jpy": 3} == told["says"]
    assert ["前金", ""] == [one["note"] for one in told["lines"]]
    out = owner.types("show", "1002")[1]
    assert "4980  (2行目)" in out
    assert "規則はありません" in owner.types("show", "1001")[1]
    code, _, err = owner.types("show", "9999")
    assert (2, True) == (code, "9999" in err)


def test_a_file_that_is_not_there_is_said(owner: Owner) -> None:
    """Exit code 2."""
    for arguments in (("check",), ("check", "none.csv"), ("import", "none.csv")):
        code, _, err = owner.types(*arguments)
        assert (2, True) == (code, ".csv" in err)


def test_set_and_unset_write_one_line_and_history_says_who(owner: Owner) -> None:
    """With --check nothing is written; what no line may say is exit code 2 and names the column."""
    owner.types("import", owner.saves("1.csv", f"{HEAD}\n{GOOD}\n"))
    before = (owner.data / "rules.csv").read_bytes()
    assert 0 == owner.types("set", "1002", "固定価格=4980", "--check")[0]
    assert before == (owner.data / "rules.csv").read_bytes()
    code, out, _ = owner.types("set", "1002", "fixed_price_jpy=4980", "until=2030-12-31", "--json")
    assert (0, True) == (code, json.loads(out)["written"])
    assert (before, [2, 3]) == ((owner.data / "rules.csv").read_bytes()[: len(before)], owner.in_force())
    code, _, err = owner.types("set", "1002", "fixed_price_jpy=0")
    assert (2, True) == (code, "fixed_price_jpy" in err)
    assert 0 == owner.types("unset", "1002")[0]
    assert (before, 2) == ((owner.data / "rules.csv").read_bytes(), owner.types("unset", "1002")[0])
    told = json.loads(owner.types("history", "--json")[1])
    assert ["unset", "set", "import"] == [one["how"] for one in told]
    assert {getpass.getuser()} == {one["who"] for one in told}
    assert "1行を書き込み" in owner.types("history")[1]


def test_list_is_searched_and_narrowed(owner: Owner) -> None:
    """By a word of a brand; the lines that select nothing, those whose last day is past."""
    over = row(item_id="1002", min_price_jpy="900", until="2020-01-31", note="古い")
    owner.types("import", owner.saves("1.csv", SHEET + over + "\n"))
    for options, expected in (
        ((), [2, 3, 4, 5]), (("--search", "ソニ"), [3]), (("--search", "b00000"), [4]), (("--search", "%"), []),
        (("--only", "idle"), [4]), (("--only", "over"), [5]),
    ):  # fmt: skip
        found = json.loads(owner.types("list", *options, "--json")[1])
        assert (expected, 4, 1, 1) == (
            [one["line"] for one in found["rows"]],
            found["rules"],
            found["idle"],
            found["over"],
        )
    assert "ブランド: ソニー" in owner.types("list")[1]
    assert 2 == owner.types("list", "--only", "none")[0]


def test_a_check_with_its_effect_and_an_import_of_what_was_checked(owner: Owner) -> None:
    """The check names the file that stands there; once another one does, the import writes nothing: exit code 2."""
    file = owner.saves("new.csv", SHEET)
    told = json.loads(owner.types("check", file, "--effect", "--json")[1])
    assert ("", 0) == (told["instead_of"], told["effect"]["what_if"]["edits"])
    assert 0 == owner.types("import", file, "--instead-of", told["instead_of"], "--who", "hanako (desk)")[0]
    code, _, err = owner.types("import", owner.saves("2.csv", f"{HEAD}\n"), "--instead-of", told["instead_of"])
    assert (2, True, [2, 3, 4]) == (code, "その間に変更されました" in err, owner.in_force())
    (only,) = json.loads(owner.types("history", "--json")[1])
    assert "hanako (desk)" == only["who"]
