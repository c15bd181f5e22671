"""A cart that takes files, played in a folder: exports what it shows, imports what we wrote. Not for: laws."""

from __future__ import annotations

import csv
import io
import os
from datetime import datetime
from pathlib import Path
from typing import Any

HEADER = ("item_id", "sku", "title", "price", "visible", "stock")


class FileCart:
    """`rows` by item id, each a row of the export as text."""

    def __init__(self, folder: Path, encoding: str = "utf-8") -> None:
        self.items, self.updates, self.encoding = folder / "products.csv", folder / "updates", encoding
        self.updates.mkdir(parents=True, exist_ok=True)
        self.rows: dict[str, dict[str, str]] = {}

    def account(self, account_id: str = "store") -> dict[str, Any]:
        """Its table in ecauto.toml."""
        return {"id": account_id, "items": str(self.items), "updates": str(self.updates)}

    def put(self, item_id: str, price: object, visible: object = 1, stock: object = 1, sku: str = "") -> None:
        self.rows[item_id] = {
            "item_id": item_id,
            "sku": sku,
            "title": f"商品 {item_id}",
            "price": str(price),
            "visible": str(visible),
            "stock": str(stock),
        }

    def export(self, at: datetime) -> None:
        """Write the product file; it counts as made at `at`."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, HEADER)
        writer.writeheader()
        writer.writerows(self.rows.values())
        self.write(text.getvalue().encode(self.encoding), at)

    def write(self, data: bytes, at: datetime) -> None:
        """Any bytes as the product file."""
        self.items.write_bytes(data)
        os.utime(self.items, (at.timestamp(), at.timestamp()))

    def files(self) -> list[Path]:
        """The update files, oldest first."""
        return sorted(self.updates.glob("*.csv"))

    def told(self) -> list[list[dict[str, str]]]:
        """What each update file says, row by row."""
        return [list(csv.DictReader(io.StringIO(self._text(path), newline=""))) for path in self.files()]

    def take_in(self) -> None:
        """Import every update file, as the owner does, and clear the folder."""
        for rows in self.told():
            for row in rows:
                self.rows[row["item_id"]] |= {name: value for name, value in row.items() if value}
        for path in self.files():
            path.unlink()

    def _text(self, path: Path) -> str:
        return path.read_bytes().decode("utf-8-sig" if self.encoding.startswith("utf-8") else self.encoding)
