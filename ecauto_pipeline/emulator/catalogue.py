"""What goods are called: titles, brands, categories, pictures, descriptions, all made up and fixed by a number.

For: catalogue answers and the seeded shops. Titles carry what real ones do (emoji, squared units, full-width forms).
Not for: prices and offers (world, offers).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ecauto_pipeline.emulator.chance import integer, mix

_BRANDS = (
    "ハルカゼ工房",
    "北斗キッチン",
    "Tsukimi",
    "MORINOTE",
    "あおぞら堂",
    "カワセミ",
    "Kumo&Co",
    "SUZUNE",
    "光陽ツール",
)
_GOODS: tuple[tuple[str, str], ...] = (
    ("電動コーヒーミル", "ホーム＆キッチン"),
    ("加湿空気清浄機 18㎥対応", "家電＆カメラ"),
    ("折りたたみデスク", "ホーム＆キッチン"),
    ("猫用ブラシ", "ペット用品"),
    ("登山用ボトル 750㎖", "スポーツ＆アウトドア"),
    ("ワイヤレスイヤホン", "家電＆カメラ"),
    ("木製パズル", "おもちゃ"),
    ("シャンプー 詰替 1.2ℓ", "ビューティー"),
    ("六角レンチ ９本組", "DIY・工具"),
    ("万年筆 細字", "文房具・オフィス用品"),
    ("ベビー毛布 70×100㎝", "ベビー＆マタニティ"),
    ("有機ほうじ茶 ５００g", "食品・飲料"),
)
_FLOURISHES = (
    "",
    "",
    "",
    " 🎁ギフト対応",
    " ✨新モデル✨",
    " 【正規品】",
    " ㊗記念",
    " ～送料無料～",
    " 🐈",
    " (ﾈｺﾎﾟｽ可)",
)
_COLOURS = ("ブラック", "ホワイト", "藍色", "ネイビー", "桜", "シルバー", "生成り")


@dataclass(frozen=True, slots=True)
class Goods:
    """The catalogue entry of one ASIN."""

    title: str
    brand: str
    category: str
    images: tuple[str, ...]
    description: str
    bullet_points: tuple[str, ...]
    list_price_factor: float


@lru_cache(maxsize=20_000)
def goods(seed: int, number: int) -> Goods:
    """The goods with this number in the world of this seed."""
    key = mix(seed, number, 0xCA7A)
    brand = _BRANDS[integer(len(_BRANDS), key, 1)]
    name, category = _GOODS[integer(len(_GOODS), key, 2)]
    colour = _COLOURS[integer(len(_COLOURS), key, 3)]
    flourish = _FLOURISHES[integer(len(_FLOURISHES), key, 4)]
    code = f"{mix(key, 5) % 36**4:05d}"
    pictures = 1 + integer(4, key, 6)
    return Goods(
        title=f"{brand} {name} {colour} {code}{flourish}",
        brand=brand,
        category=category,
        images=tuple(f"https://images.example.invalid/{key:016x}/{n}.jpg" for n in range(1, pictures + 1)),
        description=f"{brand}の{name}({colour})です。型番 {code}。",
        bullet_points=(f"色: {colour}", f"型番: {code}", f"{category}の定番品"),
        list_price_factor=1.1 + 0.4 * integer(100, key, 7) / 100,
    )
