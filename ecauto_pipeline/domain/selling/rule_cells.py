"""One cell of the file of rules, as people and spreadsheets write it, as a value; what is none is said in words.

Full-width digits and letters count as ordinary ones. Not for: which cells go together (rules_file.py).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ecauto_pipeline.clock import JST
from ecauto_pipeline.domain.selling.sku import valid_asin
from ecauto_pipeline.domain.spreadsheets import folded, plain

MOST_YEN = 10_000_000
MOST_RATIO = 100.0
MOST_LETTERS = 200
LEAST_WORD = 2
# In cp932 the sign of the yen is a backslash.
_YEN = re.compile(r"[¥\\]?(\d{1,3}(?:,\d{3})+|\d+)円?")
_RATIO = re.compile(r"\d{1,3}(\.\d{1,6})?")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_ROUNDED = re.compile(r"\d(\.\d+)?e\+?\d+")
_BROKEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd]")
_YES, _NO = frozenset({"1", "yes", "true", "はい", "○", "〇"}), frozenset({"0", "no", "false", "いいえ", "×"})
_EXCLUDE = {"価格": "price", "公開": "visibility", "全部": "all", "すべて": "all", "なし": "none"}
_BY_HAND = {"上書き": "overwrite", "保留": "hold", "そのまま": "keep"}


class CellError(Exception):
    """A cell that means nothing; says what is wrong with it in both languages."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.ja, self.en = ja, en


def check_text(text: str) -> None:
    """`text` is not empty. Raises CellError for what a spreadsheet or a wrong encoding leaves where a value was."""
    if text[0] == "#" and text.rstrip("!?").isupper():
        raise CellError(f"表計算のエラーです: {_shown(text)}", f"an error of the spreadsheet: {_shown(text)}")
    if _BROKEN.search(text):
        raise CellError("文字化けしています", "holds broken letters")


def yen(text: str) -> int:
    """Whole yen from 1 on. Raises CellError."""
    amount = _amount(text)
    if amount == 0:
        raise CellError("0円は指定できません。制限しないなら空欄にします", "0 yen is no limit: leave it empty for none")
    return amount


def extra_yen(text: str) -> int:
    """Whole yen from 0 on. Raises CellError."""
    return _amount(text)


def ratio(text: str) -> float:
    """A ratio above 0, as 1.3. Raises CellError."""
    said = plain(text)
    if not _RATIO.fullmatch(said):
        raise CellError(f"倍率は 1.3 のように書きます: {_shown(text)}", f"a ratio is written as 1.3: {_shown(text)}")
    value = float(said)
    if not 0 < value <= MOST_RATIO:
        raise CellError(
            f"倍率は0より大きく100までです: {_shown(text)}", f"a ratio is above 0, at most 100: {_shown(text)}"
        )
    return value


def yes_or_no(text: str) -> bool:
    """Raises CellError."""
    said = folded(text)
    if said not in _YES | _NO:
        raise CellError(f"yes か no を書きます: {_shown(text)}", f"yes or no, not {_shown(text)}")
    return said in _YES


def exclude(text: str) -> str:
    """`price` | `visibility` | `all` | `none`. Raises CellError."""
    return _one_of(text, ("price", "visibility", "all", "none"), _EXCLUDE)


def by_hand(text: str) -> str:
    """`overwrite` | `hold` | `keep`. Raises CellError."""
    return _one_of(text, ("overwrite", "hold", "keep"), _BY_HAND)


def end_of_day(text: str) -> datetime:
    """A date; the moment at which that day is over in Japan. Raises CellError."""
    found = _DATE.fullmatch(plain(text))
    try:
        year, month, day = map(int, found.groups() if found else ())
        return datetime(year, month, day, tzinfo=JST) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise CellError(
            f"日付は 2026-12-31 のように書きます: {_shown(text)}", f"a date is written as 2026-12-31: {_shown(text)}"
        ) from None


def asin(text: str) -> str:
    """Raises CellError."""
    said = plain(text).upper()
    if not valid_asin(said):
        raise CellError(f"ASINの形ではありません: {_shown(text)}", f"no well-formed ASIN: {_shown(text)}")
    return said


def item_id(text: str) -> str:
    """Raises CellError for what a spreadsheet made of a long number."""
    said = plain(text)
    if _ROUNDED.fullmatch(said.lower()):
        raise CellError(
            f"表計算が商品IDを丸めています: {_shown(text)}", f"the spreadsheet has rounded the item id: {_shown(text)}"
        )
    return _short(said)


def account(text: str) -> str:
    """Raises CellError."""
    return _short(plain(text))


def words(text: str) -> str:
    """A brand or a category, folded. Raises CellError."""
    return _short(folded(text))


def title_word(text: str) -> str:
    """What a title has to contain, folded. Raises CellError for a single letter: nearly every title has it."""
    said = _short(folded(text))
    if len(said) < LEAST_WORD:
        raise CellError(f"2文字以上にします: {_shown(text)}", f"two letters at least: {_shown(text)}")
    return said


def _amount(text: str) -> int:
    said = plain(text)
    found = _YEN.fullmatch(said)
    if found is None:
        raise CellError(f"金額は円の整数です: {_shown(text)}", f"whole yen, not {_shown(text)}")
    digits = found[1].replace(",", "").lstrip("0") or "0"
    if len(digits) > len(str(MOST_YEN)) or int(digits) > MOST_YEN:  # Python reads no number of thousands of digits
        raise CellError(f"金額が大きすぎます: {_shown(text)}", f"too many yen: {_shown(text)}")
    return int(digits)


def _one_of(text: str, known: tuple[str, ...], japanese: dict[str, str]) -> str:
    said = folded(text)
    said = japanese.get(said, said)
    if said not in known:
        ja, en = "」「".join(known), ", ".join(known)
        raise CellError(f"「{ja}」のどれかです: {_shown(text)}", f"one of {en}, not {_shown(text)}")
    return said


def _short(text: str) -> str:
    if len(text) > MOST_LETTERS:
        raise CellError(f"長すぎます（{MOST_LETTERS}文字まで）", f"too long (at most {MOST_LETTERS} letters)")
    return text


def _shown(text: str) -> str:
    short = " ".join(text.split())
    return f"'{short}'" if len(short) <= 30 else f"'{short[:29]}…'"
