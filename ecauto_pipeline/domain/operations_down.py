"""An operation of Amazon's that is down, in words: which, for whom, since when, why, and what is asked instead.

Status, the run's summary, the alert, doctor and capacity say the same sentence. Not for: when it counts as down
(operation_health.py) or the words of a reason (call_failures.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.call_failures import CALL_FAILURES, failure_of
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.reasons import said

_NOBODY = {
    Role.SWEEP: ("代わりはありません", "nothing is asked instead"),
    Role.DETAIL: (
        "代わりはなく、価格も公開状態も変えません。情報は古くなっていきます",
        "nothing is asked instead: prices and visibility stay as they are, and age",
    ),
    Role.CONFIRM: ("疑わしい回答は保留のままです", "doubted answers stay in doubt"),
    Role.OPINION: ("代わりはありません", "nothing is asked instead"),
    Role.CATALOGUE: ("商品情報は今のままです", "catalogue text stays as it is"),
}


@dataclass(frozen=True, slots=True)
class OperationDown:
    """One operation, of `accounts` (() = all there are). `since` None: the owner has switched it off, for no `reason`.

    `instead`: the operations that do its work meanwhile.
    """

    operation: str
    role: Role
    since: datetime | None = None
    reason: str = ""
    http_status: int | None = None
    accounts: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()

    def why(self, language: str = "ja") -> str:
        """The reason and its remedy, as everybody says them."""
        english = language == "en"
        if self.since is None:
            return "switched off ([sp_api] without)" if english else "使わない設定（[sp_api] without）"
        known = failure_of(self.reason)
        if known is None and self.http_status == 400:
            known = CALL_FAILURES["call_refused"]
        return said(self.reason, language) if known is None else known.sentence(language)

    def sentence(self, language: str = "ja") -> str:
        """Which, since when, why, and what is asked instead."""
        english = language == "en"
        whose = f" ({', '.join(self.accounts)})" if self.accounts else ""
        names = ", ".join(self.instead)
        instead_ja, instead_en = (f"代わりに {names}", f"{names} instead") if names else _NOBODY[self.role]
        if self.since is None:
            return f"{self.operation}: {self.why(language)}; {instead_en if english else instead_ja}"
        at = f"{jst(self.since):%m-%d %H:%M}"
        if english:
            return f"{self.operation}{whose} is down since {at}; {instead_en}: {self.why(language)}"
        return f"{self.operation}{whose} は {at} から使えません（{instead_ja}）。{self.why(language)}"
