"""Each way in which Amazon can fail a shop: what breaks, what has to be told, what a person has to do about it.

Not for: playing them (drilling.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BATCH = "getItemOffersBatch"
SUMMARY = "getCompetitiveSummary"


@dataclass(frozen=True, slots=True)
class Drill:
    """One way to fail. `faults`: of the emulator, without their start. `rule`: of the alert that has to fire, "" = what
    stands in for it keeps the shop fresh, so that a line of status is enough. `mended`: the emulator's faults end when
    the person has acted; else they stay, and `change` (a document of settings) is all that is done.
    """

    name: str
    faults: tuple[dict[str, Any], ...]
    what: tuple[str, str]
    person: tuple[str, str]
    rule: str = ""
    mended: bool = False
    change: dict[str, Any] = field(default_factory=dict)
    shape: bool = False


DRILLS = (
    Drill(
        "v0 gone",
        ({"kind": "gone", "family": "pricing/v0"},),
        ("Product Pricing v0 がすべて404", "everything of Product Pricing v0 answers 404"),
        ("なし。戻れば自動で続きます", "nothing: it goes on by itself when v0 is back"),
        rule="operation_down",
        mended=True,
    ),
    Drill(
        "batch gone",
        ({"kind": "gone", "operation": BATCH},),
        ("getItemOffersBatch が404", "getItemOffersBatch answers 404"),
        ("なし。getItemOffers が代わります", "nothing: getItemOffers stands in"),
        rule="operation_down",
    ),
    Drill(
        "summary gone",
        ({"kind": "gone", "operation": SUMMARY},),
        ("getCompetitiveSummary が404", "getCompetitiveSummary answers 404"),
        ("なし。getItemOffers が確かめます", "nothing: getItemOffers takes the second look"),
        rule="operation_down",
    ),
    Drill(
        "rate / 5",
        ({"kind": "rate_cut", "share": 0.2},),
        ("すべての操作の速さが5分の1", "every usage plan is cut to a fifth"),
        ("なし。遅くなるだけです", "nothing: it is slower"),
    ),
    Drill(
        "field renamed",
        ({"kind": "renamed", "operation": BATCH, "names": {"ListingPrice": "listingPrice"}},),
        ("getItemOffersBatch の項目 ListingPrice の名前が変わる", "getItemOffersBatch renames its field ListingPrice"),
        (f'`[sp_api] without = ["{BATCH}"]`', f'`[sp_api] without = ["{BATCH}"]`'),
        rule="amazon_shape",
        change={"sp_api": {"without": [BATCH]}},
        shape=True,
    ),
    Drill(
        "secret expired",
        ({"kind": "secret_expired"}, {"kind": "token_expired", "api": "sp_api"}),
        ("クライアントシークレットの期限切れ", "the client secret expires, and the tokens with it"),
        ("新しいシークレットを `.env` に", "the new secret in `.env`"),
        rule="sp_api_error_rate",
        mended=True,
    ),
    Drill(
        "role missing",
        ({"kind": "role_missing", "api": "sp_api"},),
        ("アプリケーションのロールが外れる", "the application loses its role"),
        ("ロールを付け、認可し直す", "the role, and a new authorisation"),
        rule="operation_down",
        mended=True,
    ),
)

BOTH_LIE = Drill(
    "both families lie",
    ({"kind": "false_zeros", "share": 0.12},),
    ("両方の系統が在庫切れと偽る", "both families call goods sold out that are not"),
    ("なし", "nothing"),
)
"""What nobody can see through: a judge of drills that finds no wrong hide in it is blind."""
