"""What a visitor of the list of items has asked for, as it stands behind the "?" of its address, and the addresses of
what may be asked next: so that a list can be linked, kept, and left with the browser's own "back".

Not for: drawing (items.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ecauto_pipeline.desk.visit import Visit
from ecauto_pipeline.domain.account_names import accounts_named
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.views.item_filters import BITS
from ecauto_pipeline.views.items import DEFAULT_SORT, SORTS, Wanted

PAGE_ROWS = 50
LARGEST_FIRST = frozenset({"cost", "price", "age", "changed"})
"""Sorts that begin with the largest, oldest or newest."""
_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """`shop`: as it is named in the address, "" = all; `page` from 1."""

    text: str = ""
    filters: tuple[str, ...] = ()
    sort: str = DEFAULT_SORT
    shop: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        """What makes no sense in an address is left out."""
        sort, page = query.get("sort", DEFAULT_SORT), query.get("page", "1")
        return cls(
            text=query.get("q", "")[:_MOST_CHARACTERS],
            filters=tuple(name for name in query.get("filter", "").split(",") if name in BITS),
            sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
            shop=query.get("shop", ""),
            page=max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1,
        )

    def wanted(self, shops: Mapping[AccountKey, str]) -> Wanted:
        return Wanted(
            self.text, self.filters, self.sort, tuple(accounts_named(self.shop, list(shops))) if self.shop else ()
        )

    def link(self, visit: Visit, path: str = "/items", *, paged: bool = True) -> str:
        return visit.link(
            path,
            q=self.text,
            filter=",".join(self.filters),
            sort="" if self.sort == DEFAULT_SORT else self.sort,
            shop=self.shop,
            page=self.page if paged and self.page > 1 else "",
        )

    def at(self, page: int) -> Asked:
        return replace(self, page=page)

    def of_shop(self, shop: str) -> Asked:
        return replace(self, shop=shop, page=1)

    def toggled(self, name: str) -> Asked:
        """With this filter, or without it. A kind stands in the place of what it is a kind of, and the other way."""
        group, of_kind = name.partition(":")[0], ":" in name
        if name in self.filters:
            kept = tuple(one for one in self.filters if one != name)
        elif of_kind:
            kept = (*(one for one in self.filters if one != group), name)
        else:
            others = tuple(one for one in self.filters if one.partition(":")[0] != group)
            kept = others if len(others) < len(self.filters) else (*others, name)
        return replace(self, filters=kept, page=1)

    def has(self, name: str) -> bool:
        """This filter is on, or a kind of it."""
        return any(one == name or one.startswith(f"{name}:") for one in self.filters)

    def sorted_by(self, key: str) -> Asked:
        """By this column; once more, the other way round."""
        first = f"-{key}" if key in LARGEST_FIRST else key
        return replace(self, sort=self._turned(key) if self.sort.removeprefix("-") == key else first, page=1)

    def _turned(self, key: str) -> str:
        return key if self.sort.startswith("-") else f"-{key}"
