"""The laws of `[[lanes]]`: every active shop and every selling account is in exactly one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.cli.running import shares_of
from ecauto_pipeline.domain.lanes import WHOLE, Lane
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.wiring.connections import resolve
from ecauto_pipeline.wiring.lanes import in_lane, known_lane, lanes_of, working_lanes

TOKYO, OSAKA, CART = AccountKey("base", "tokyo"), AccountKey("base", "osaka"), AccountKey("csv", "tokyo")
EAST: dict[str, Any] = {"id": "east", "shops": ["base:tokyo", "csv:tokyo"], "sp_accounts": ["sp_1"]}
WEST: dict[str, Any] = {"id": "west", "shops": ["osaka"], "sp_accounts": ["sp_2"]}


def settings_of(folder: Path, *lanes: dict[str, Any]) -> Settings:
    """Shops tokyo, osaka and (off) nara on BASE, a cart tokyo, and two selling accounts, in these lanes."""
    cart = {"id": "tokyo", "items": "p.csv", "updates": "u"}
    shops = [{"id": "tokyo"}, {"id": "osaka"}, {"id": "nara", "active": False}]
    accounts = [{"id": "sp_1"}, {"id": "sp_2"}]
    document = {"base": {"accounts": shops}, "csv": {"accounts": [cart]}, "sp_api": {"accounts": accounts}}
    return parse({**document, "lanes": list(lanes)}, folder)


def test_without_lanes_there_is_one_with_every_shop_and_account(tmp_path: Path) -> None:
    """As it was before there were any: nothing has to be written."""
    assert (WHOLE,) == lanes_of(settings_of(tmp_path)) == working_lanes(settings_of(tmp_path))
    assert all(WHOLE.has(shop) for shop in (TOKYO, OSAKA, CART))
    assert WHOLE.asks_with("sp_2")


def test_the_names_of_a_lane_become_its_shops(tmp_path: Path) -> None:
    """In the order of the file, by id where that says which shop it is."""
    lanes = lanes_of(settings_of(tmp_path, EAST, WEST))
    assert (Lane("east", (TOKYO, CART), ("sp_1",)), Lane("west", (OSAKA,), ("sp_2",))) == lanes


def test_a_shop_that_is_off_may_be_in_a_lane_and_is_not_worked_on(tmp_path: Path) -> None:
    """A lane of such shops alone has no runs."""
    off = {"id": "off", "shops": ["nara"], "sp_accounts": ["sp_2"]}
    settings = settings_of(tmp_path, {**EAST, "shops": [*EAST["shops"], "osaka"]}, off)
    assert ["east", "off"] == [lane.id for lane in lanes_of(settings)]
    assert ["east"] == [lane.id for lane in working_lanes(settings)]
    with pytest.raises(SettingsError, match="no active shop"):
        known_lane(settings, "off")


@pytest.mark.parametrize(
    ("lanes", "words", "words_ja"),
    [
        ([EAST], "shop 'base:osaka' is in no lane", "'base:osaka' がどのレーンにもありません"),
        ([EAST, WEST, {**WEST, "id": "x"}], "shop 'base:osaka' is named twice", "'base:osaka' が2回"),
        ([EAST, {**WEST, "shops": ["osaka", "base:tokyo"]}], "'base:tokyo' is named twice", "2回"),
        ([EAST, {**WEST, "sp_accounts": ["sp_1"]}], "SP-API account 'sp_1' is named twice", "SP-APIアカウント 'sp_1'"),
        ([{**EAST, "shops": [*EAST["shops"], "osaka"]}], "SP-API account 'sp_2' is in no lane", "'sp_2' がどの"),
        ([EAST, {**WEST, "sp_accounts": ["sp_2", "sp_9"]}], "no SP-API account 'sp_9'", "'sp_9' はありません"),
        ([EAST, {**WEST, "shops": ["kobe"]}], "west.shops: 'kobe' is not one shop", "'kobe' は1つのショップを"),
        (
            [{**EAST, "shops": ["tokyo"]}, WEST],
            "'tokyo' is not one shop; there are: base:tokyo, csv:tokyo",
            "base:tokyo",
        ),
        ([EAST, {**WEST, "id": "east"}], "the id 'east' twice", "'east' が2つ"),
        ([EAST, {**WEST, "id": "all"}], "'all' means all lanes", "'all' は使えません"),
    ],
    ids=[
        *("shop_left_out", "shop_twice", "shop_twice_by_two_names", "account_twice", "account_left_out"),
        *("account_unknown", "shop_unknown", "name_of_two", "id_twice", "id_reserved"),
    ],
)
def test_what_is_wrong_is_named_in_both_languages(
    tmp_path: Path, lanes: list[dict[str, Any]], words: str, words_ja: str
) -> None:
    """Nothing is left out or done twice in silence: the file is refused as a whole."""
    with pytest.raises(SettingsError) as refused:
        settings_of(tmp_path, *lanes)
    assert words in str(refused.value)
    assert str(refused.value).startswith("ecauto.toml: lanes: ")
    assert words_ja in refused.value.ja


def test_the_emulators_own_shops_are_shared_out_too(tmp_path: Path) -> None:
    """They stand in no file; whoever resolves the connections knows them, and a run refuses."""
    lane = {"id": "one", "shops": ["base_account_1"], "sp_accounts": ["sp_1"]}
    settings = parse({"emulator": {"accounts": 3}, "lanes": [lane]}, tmp_path)
    with pytest.raises(SettingsError, match="base_account_2' is in no lane"):
        lanes_of(settings)
    assert ["shops in lanes"] == [problem.name for problem in resolve(settings, {}).problems]
    both = parse(
        {"emulator": {"accounts": 3}, "lanes": [{**lane, "shops": ["base_account_1", "base_account_2"]}]}, tmp_path
    )
    assert [] == list(resolve(both, {}).problems)
    assert 2 == len(lanes_of(both)[0].shops)


def test_what_another_lane_lacks_is_no_problem_of_this_one(tmp_path: Path) -> None:
    """A lane's run needs the secrets of its own shops and accounts."""
    document = {
        "mode": "live",
        "base": {"accounts": [{"id": "tokyo"}, {"id": "osaka"}]},
        "sp_api": {"accounts": [{"id": "sp_1", "refresh_token_env": "R1"}, {"id": "sp_2", "refresh_token_env": "R2"}]},
        "lanes": [{**EAST, "shops": ["tokyo"]}, WEST],
    }
    settings = parse(document, tmp_path)
    known = {"R1": "r", "LWA_APP_ID": "a", "LWA_CLIENT_SECRET": "s", "TOKYO_CLIENT_ID": "i", "TOKYO_CLIENT_SECRET": "s"}
    east, west = lanes_of(settings)
    found = resolve(settings, known, east)
    assert ([], ["sp_1"], ["tokyo"]) == (
        list(found.problems),
        [account.id for account in found.sp_accounts],
        [shop.id for shop in found.shops],
    )
    assert {"secrets sp_api sp_2", "secrets base osaka"} == {
        one.name for one in resolve(settings, known, west).problems
    }


def test_a_run_of_a_lane_works_on_its_shops_or_some_of_them(tmp_path: Path) -> None:
    """A shop of another lane is refused by name, an unknown lane with those there are."""
    east, west = lanes_of(settings_of(tmp_path, EAST, WEST))
    assert (east.shops, (TOKYO,), ()) == (in_lane(east, ()), in_lane(east, (TOKYO,)), in_lane(WHOLE, ()))
    with pytest.raises(SettingsError, match="base:tokyo is not in lane 'west'"):
        in_lane(west, (TOKYO,))
    with pytest.raises(SettingsError, match="there are: east, west"):
        known_lane(settings_of(tmp_path, EAST, WEST), "north")
    with pytest.raises(SettingsError, match=r"no \[\[lanes\]\]"):
        known_lane(settings_of(tmp_path), "north")


def test_a_command_makes_one_run_a_lane_for_the_shops_that_were_chosen(tmp_path: Path) -> None:
    """Where there is one lane with everything it is one run, as before; a shop brings its own lane."""
    settings = settings_of(tmp_path, EAST, WEST)
    assert [{"accounts": [], "lane": "east"}, {"accounts": [], "lane": "west"}] == shares_of(settings, "", "", None)
    assert [{"accounts": [], "lane": "west"}] == shares_of(settings, "west", "", None)
    assert [{"accounts": ["base:osaka"], "lane": "west"}] == shares_of(settings, "", "", ["osaka"])
    assert [{"accounts": ["csv:tokyo"], "lane": "east"}] == shares_of(settings, "", "csv", None)
    assert [{"accounts": []}] == shares_of(settings_of(tmp_path), "", "", None)
    with pytest.raises(SettingsError, match="base:tokyo is not in lane 'west'"):
        shares_of(settings, "west", "", ["base:tokyo"])
