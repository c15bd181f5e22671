"""A cart that takes files, by docs/csv-shop.md alone: it exports its products, and imports files of changes.

Its export has columns that nobody asked for, in an order of its own, Shift_JIS and CRLF. An import is taken whole or
not at all; an empty cell leaves a figure as it is. Not for: what should stand in a file.
"""

from __future__ import annotations

import csv
import io
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("商品コード", "商品名", "カテゴリー", "公開状態", "在庫数", "販売価格", "商品番号")
CHANGEABLE = {"販売価格": r"[1-9][0-9]*", "公開状態": "表示|非表示", "在庫数": "[0-9]+"}


@dataclass
class Product:
    """One article of the cart."""

    code: str
    title: str
    price_jpy: int
    visible: bool
    stock: int

    @property
    def shown(self) -> tuple[int, int, int]:
        """Price, visible, stock."""
        return self.price_jpy, int(self.visible), self.stock


class Cart:
    """Products by id. `taken_in`: the rows of each file that was imported, by id."""

    def __init__(self, account: str, items: Path, updates: Path, products: dict[str, Product]) -> None:
        self.account, self.items, self.updates, self.products = account, items, updates, products
        self.taken_in: list[dict[str, dict[str, str]]] = []

    def export(self, ago_s: float) -> None:
        """Write the product file, as its owner did so long ago."""
        text = io.StringIO(newline="")
        rows = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_ALL)
        rows.writeheader()
        for item_id, product in self.products.items():
            known = {"商品番号": item_id, "商品コード": product.code, "商品名": product.title, "カテゴリー": "雑貨, 他"}
            shown = {"公開状態": "表示" if product.visible else "非表示", "在庫数": product.stock}
            rows.writerow(known | shown | {"販売価格": product.price_jpy})
        self.items.write_bytes(text.getvalue().encode("cp932"))
        made_s = time.time() - ago_s
        os.utime(self.items, (made_s, made_s))

    def waiting(self) -> list[Path]:
        """The files that were not imported yet, oldest first. Whatever else lies in the folder counts too."""
        return sorted(self.updates.iterdir())

    def take_in(self) -> None:
        """Import what waits, and clear it away."""
        for path in self.waiting():
            name = rf"{re.escape(self.account)}_\d{{8}}-\d{{9}}_[A-Za-z0-9-]+\.csv"
            assert re.fullmatch(name, path.name), path.name
            rows = self._read(path.read_bytes().decode("cp932"))
            for item_id, row in rows.items():
                product = self.products[item_id]
                product.price_jpy = int(row.get("販売価格") or product.price_jpy)
                product.stock = int(row.get("在庫数") or product.stock)
                product.visible = {"表示": True, "非表示": False}.get(row.get("公開状態", ""), product.visible)
            self.taken_in.append(rows)
            path.unlink()

    def _read(self, text: str) -> dict[str, dict[str, str]]:
        header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        assert header[0] == "商品番号", header
        assert set(header[1:]) <= set(CHANGEABLE), header
        assert len(set(header)) == len(header) > 1, header
        found: dict[str, dict[str, str]] = {}
        for line in lines:
            assert len(line) == len(header), line
            row = dict(zip(header[1:], line[1:], strict=True))
            assert line[0] in self.products, f"no product {line[0]}"
            assert line[0] not in found, f"{line[0]} twice in a file"
            assert any(row.values()), f"nothing changes: {line}"
            for name, cell in row.items():
                assert not cell or re.fullmatch(CHANGEABLE[name], cell), line
            found[line[0]] = row
        assert found, "a file without a row"
        return found
