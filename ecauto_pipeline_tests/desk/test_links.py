"""Where messages lead on the desk."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ecauto_pipeline.alerts.rules import OUTSIDE_RULES, RULES
from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline.doctor.trouble import DESK, Trouble
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.views.item_filters import FILTERS

PATHS = {page.path for page in PAGES if page.icon}


def leads_nowhere(address: str) -> bool:
    """It is no page of the menu, or names a filter of the items that there is none of."""
    parts = urlsplit(address)
    filters = parse_qs(parts.query).get("filter", [])
    return parts.path not in PATHS or not set(filters) <= set(FILTERS)


def test_every_alert_leads_to_a_page_of_the_desk() -> None:
    """The page on which it is settled or seen, as its rule declares it."""
    elsewhere = [one.name for one in (*RULES.values(), *OUTSIDE_RULES.values()) if leads_nowhere(one.desk)]
    assert [] == elsewhere


def test_every_trouble_of_the_first_line_leads_to_a_page_of_the_desk() -> None:
    """An alert that stands to that of its rule; what nobody knows a page for leads nowhere, and says its command."""
    assert [] == [code for code, page in DESK.items() if leads_nowhere(page)]
    alert = Trouble("alert", "", "", "ecauto doctor", rule="unconfirmed_on_sale")
    assert "/items?filter=unconfirmed" == alert.desk
    assert "" == Trouble("unheard_of", "", "", "").desk


def test_the_desks_address_is_one_that_people_can_open(tmp_path: Path) -> None:
    """The one they are given, else the one it listens on; nobody can open "every address"."""

    def address(**desk: object) -> str:
        settings: Settings = parse({"desk": desk}, tmp_path)
        return settings.desk.address

    assert "http://127.0.0.1:3001" == address()
    assert "http://[::1]:3002" == address(host="::1", port=3002)
    assert "https://desk.example.jp" == address(host="0.0.0.0", url="https://desk.example.jp/", password_env="DESK")
    assert "" == address(host="0.0.0.0", password_env="DESK")
