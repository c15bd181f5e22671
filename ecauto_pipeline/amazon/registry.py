"""Which operations there are: every file of operations/, found and not listed, in an order that is always the same.

Settings, rates, the planner's channels, workers, queues, figures and `ecauto capacity` all ask here, so a new operation
is a new file and nothing else. Not for: one operation (its own file) or calling (client.py).
"""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from ecauto_pipeline.amazon import operations as package
from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.freshness.capacity import UsagePlan
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.offers.knowledge import Fact
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings

_NEEDED = {
    Role.SWEEP: frozenset({Fact.STOCK, Fact.BUY_BOX}),
    Role.DETAIL: frozenset({Fact.PRICE, Fact.STOCK}),
    Role.CONFIRM: frozenset({Fact.PRICE, Fact.STOCK}),
    Role.OPINION: frozenset({Fact.STOCK, Fact.OFFERS}),
    Role.CATALOGUE: frozenset({Fact.TEXT}),
}


@dataclass(frozen=True, slots=True)
class Operations:
    """Operations by role, then name. `under(settings)` gives the same ones under the owner's rule and limits."""

    all: tuple[Operation[Any], ...]

    def __iter__(self) -> Iterator[Operation[Any]]:
        return iter(self.all)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.all)

    @property
    def usage_plans(self) -> tuple[UsagePlan, ...]:
        return tuple(one.usage_plan for one in self.all)

    def of(self, *roles: Role) -> tuple[Operation[Any], ...]:
        """Those of these roles, in order."""
        return tuple(one for one in self.all if one.role in roles)

    def under(self, settings: Settings) -> Operations:
        """Without those that are switched off (`[sp_api] without`)."""
        return Operations(tuple(one.under(settings) for one in self.all if one.name not in settings.sp_api.without))

    def check(self, settings: Settings) -> None:
        """Raises SettingsError when `[sp_api.limits]` or `[sp_api] without` names an operation that is not here."""
        named = [(f"sp_api.limits.{name}", name) for name in settings.sp_api.limits]
        for key, name in (*named, *((f"sp_api.without: {name}", name) for name in settings.sp_api.without)):
            if name not in self.names:
                near = difflib.get_close_matches(name, sorted(self.names), n=1, cutoff=0.0)
                hint = f"; the nearest known one is {near[0]!r}" if near else ""
                raise SettingsError(
                    f"ecauto.toml: unknown operation '{key}'{hint}",
                    ja=f"ecauto.toml: 知らない操作 '{key}' です"
                    + (f"（いちばん近いのは {near[0]!r}）" if near else ""),
                )


def registered(extra: Iterable[Operation[Any]] = ()) -> Operations:
    """The operations of the program, and `extra` ones that have their files elsewhere.

    Raises ValueError for two of one name, and for one that can't know what its role is asked for.
    """
    order = list(Role)
    found = sorted([*_discovered(), *extra], key=lambda one: (order.index(one.role), one.name))
    names = [one.name for one in found]
    for one in found:
        if names.count(one.name) > 1:
            raise ValueError(f"{one.name}: two operations of this name")
        if missing := _NEEDED[one.role] - one.knows:
            raise ValueError(f"{one.name}: a {one.role} has to know {', '.join(sorted(missing))}")
    return Operations(tuple(found))


@cache
def _discovered() -> tuple[Operation[Any], ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(import_module(f"{package.__name__}.{name}").OPERATION for name in names)
