"""Files of rules that nobody can act on: what Excel, an editor or a hand made of them, and the lines at fault.

Not for: what happens to such a file (sync/listings/test_item_rules.py) or the tests of reading (test_rules_file.py).
"""

from __future__ import annotations

HEAD = "account_id,item_id,asin,category,brand,title_contains,exclude,fixed_price_jpy,min_price_jpy,max_price_jpy,"
HEAD += "markup_ratio,extra_cost_jpy,never_sell,by_hand,until,note"
GOOD = ",1001,,,,,,1980,,,,,,,,"


def row(**cells: str) -> str:
    """A line under HEAD."""
    return ",".join(cells.get(name, "") for name in HEAD.split(","))


def _file(*rows: str, head: str = HEAD) -> bytes:
    return "\r\n".join([head, GOOD, *rows, ""]).encode("utf-8")


MALFORMED: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "empty": (b"", (1,)),
    "blank lines alone": (b"\r\n\r\n", (1,)),
    "no headings": (GOOD.encode(), (1,)),
    "semicolons": (HEAD.replace(",", ";").encode(), (1,)),
    "tabs": (HEAD.replace(",", "\t").encode(), (1,)),
    "a heading misspelt": (_file(head=HEAD.replace("min_price_jpy", "min_price_yen")), (1,)),
    "a heading twice": (_file(head=HEAD.replace("note", "asin")), (1,)),
    "nobody selected": (_file(row(fixed_price_jpy="1980")), (3,)),
    "nothing decided": (_file(row(item_id="1002")), (3,)),
    "a note alone": (_file(row(item_id="1002", note="あとで決める")), (3,)),
    "an end alone": (_file(row(item_id="1002", until="2026-12-31")), (3,)),
    "a value under no heading": (_file(row(item_id="1002", fixed_price_jpy="1980") + ",x"), (3,)),
    "a comma in a price, not quoted": (_file(",1002,,,,,,1,980,,,,,,,,"), (3,)),
    "a quotation mark never closed": (_file(row(item_id="1002", never_sell="yes", note='"あ'), GOOD), (3,)),
    "a quotation mark within": (_file(row(item_id="1002", never_sell="yes", note='"あ"い')), (3,)),
    "letters for a price": (_file(row(item_id="1002", fixed_price_jpy="千円")), (3,)),
    "a price of nothing": (_file(row(item_id="1002", fixed_price_jpy="0")), (3,)),
    "a floor of nothing": (_file(row(item_id="1002", min_price_jpy="０円")), (3,)),
    "a price below nothing": (_file(row(item_id="1002", min_price_jpy="-100")), (3,)),
    "a part of a yen": (_file(row(item_id="1002", max_price_jpy="1980.5")), (3,)),
    "thousands that are none": (_file(row(item_id="1002", fixed_price_jpy='"1,98"')), (3,)),
    "a price out of this world": (_file(row(item_id="1002", fixed_price_jpy="99999999")), (3,)),
    "a ratio in percent": (_file(row(brand="ソニー", markup_ratio="130%")), (3,)),
    "a ratio with a comma": (_file(row(brand="ソニー", markup_ratio='"1,3"')), (3,)),
    "a ratio of nothing": (_file(row(brand="ソニー", markup_ratio="0")), (3,)),
    "not a number": (_file(row(brand="ソニー", markup_ratio="nan")), (3,)),
    "an ASIN too short": (_file(row(asin="B00000001", never_sell="yes")), (3,)),
    "an item id rounded by Excel": (_file(row(item_id="1.23E+08", never_sell="yes")), (3,)),
    "an error of Excel": (_file(row(item_id="1002", fixed_price_jpy="#VALUE!")), (3,)),
    "a name that Excel lost": (_file(row(brand="#N/A", never_sell="yes")), (3,)),
    "an unknown exclusion": (_file(row(item_id="1002", exclude="prices")), (3,)),
    "neither yes nor no": (_file(row(item_id="1002", never_sell="maybe")), (3,)),
    "an unknown word by hand": (_file(row(item_id="1002", by_hand="ignore")), (3,)),
    "no date": (_file(row(item_id="1002", never_sell="yes", until="来月")), (3,)),
    "a day that is none": (_file(row(item_id="1002", never_sell="yes", until="2026-02-30")), (3,)),
    "a date without its year": (_file(row(item_id="1002", never_sell="yes", until="12/31")), (3,)),
    "one letter of a title": (_file(row(title_contains="の", never_sell="yes")), (3,)),
    "a name without end": (_file(row(brand="あ" * 201, never_sell="yes")), (3,)),
    "broken letters": (_file(row(brand="\ufffd\ufffdー", never_sell="yes")), (3,)),
    "a floor above the ceiling": (_file(row(item_id="1002", min_price_jpy="3000", max_price_jpy="2000")), (3,)),
    "a fixed price below its floor": (_file(row(item_id="1002", fixed_price_jpy="1980", min_price_jpy="2000")), (3,)),
    "a fixed price and a ratio": (_file(row(item_id="1002", fixed_price_jpy="1980", markup_ratio="1.3")), (3,)),
    "a price of what is left alone": (_file(row(item_id="1002", exclude="all", fixed_price_jpy="1980")), (3,)),
    "never sold and left alone": (_file(row(item_id="1002", exclude="visibility", never_sell="yes")), (3,)),
    "the same items twice": (
        _file(row(item_id="1002", never_sell="yes"), row(item_id="１００２", exclude="all")),
        (4,),
    ),
    "the same brand in other letters": (
        _file(row(brand="SONY", never_sell="yes"), row(brand="ｓｏｎｙ", markup_ratio="1.4")),
        (4,),
    ),
    "two lines at once": (
        _file(
            row(item_id="1002", fixed_price_jpy="x"), row(item_id="1003", never_sell="1"), row(asin="B1", exclude="?")
        ),
        (3, 5, 5),
    ),
    "UTF-16": (HEAD.encode("utf-16"), (1,)),
    "no text": (b"\x80\x81\xff\xfe", (1,)),
}
"""What is wrong with it, its bytes, the lines that have to be named. GOOD stands in line 2 where there are headings."""
