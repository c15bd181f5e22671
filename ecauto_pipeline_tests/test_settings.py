"""The laws of ecauto.toml: its defaults, its strictness, its words when something is wrong, and that it holds no
secret.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import BaseAccount, Settings, config_path, load, parse
from ecauto_pipeline.settings.values import parse_duration
from ecauto_pipeline.wiring.connections import Secrets
from ecauto_pipeline.wiring.open import check, open_tools
from ecauto_pipeline_tests.configuration_page import all_keys, duration

PROMISED = {
    "mode": '"emulated"',
    "timezone": '"Asia/Tokyo"',
    "[paths].data": '"data"',
    "[paths].master_db": '"data/master.db"',
    "[paths].blocklist": '"data/blocked_asins.json"',
    "[paths].views": '"data/views.csv"',
    "[state].url": '""',
    "[sp_api].endpoint": '"https://sellingpartnerapi-fe.amazon.com"',
    "[sp_api].lwa_endpoint": '"https://api.amazon.com"',
    "[sp_api].marketplace_id": '"A1VC38T7YXB528"',
    "[[sp_api.accounts]].refresh_token_env": '"SP_API_REFRESH_TOKEN"',
    "[[sp_api.accounts]].lwa_app_id_env": '"LWA_APP_ID"',
    "[[sp_api.accounts]].lwa_client_secret_env": '"LWA_CLIENT_SECRET"',
    "[base].endpoint": '"https://api.thebase.in/1"',
    "[[base.accounts]].active": "true",
    "[base.limits].per_hour": "5000",
    "[base.limits].per_day": "100000",
    "[base.limits].min_interval_s": "0.0",
    "[ttl].basic": '"7d"',
    "[ttl].category": '"30d"',
    "[ttl].price": '"24h"',
    "[ttl].stock": '"1h"',
    "[tiers].high_sold_within": '"7d"',
    "[tiers].high_every": '"1h"',
    "[tiers].medium_viewed_within": '"30d"',
    "[tiers].medium_every": '"6h"',
    "[tiers].low_every": '"24h"',
    "[tiers].spend": '"due"',
    "[offers].max_ship_hours": "72",
    "[offers].free_shipping_only": "true",
    "[offers].filtered_out": '"hide"',
    "[offers].confirm_after": '"1h"',
    "[pricing].strategy": '"simple"',
    "[pricing].markup_ratio": "1.3",
    "[pricing].round_to_jpy": "10",
    "[pricing].min_diff_jpy": "100",
    "[pricing].min_diff_ratio": "0.0",
    "[pricing].extra_cost_jpy": "0",
    "[pricing].min_profit_jpy": "0",
    "[pricing].min_profit_ratio": "0.0",
    "[pricing].endings": "[]",
    "[base.fees].plan": '"standard"',
    "[base.fees].rounding": '"up"',
    "[guards].min_price_jpy": "500",
    "[guards].max_price_jpy": "100000",
    "[guards].min_markup_ratio": "1.05",
    "[guards].max_markup_ratio": "2.0",
    "[guards].max_move_ratio": "0.5",
    "[guards].move_window": '"24h"',
    "[guards].max_account_fall": "0.1",
    "[guards].max_hide_share": "0.2",
    "[guards].max_hide_rows": "50",
    "[guards].hide_window": '"24h"',
    "[guards].max_zero_share": "0.2",
    "[guards].max_delist_share": "0.01",
    "[guards].max_delist_rows": "20",
    "[guards].max_register_fall": "0.2",
    "[slices].minutes": "10.0",
    "[schedules].stock": '"0 * * * *"',
    "[schedules].price": '"0 2 * * *"',
    "[alerts].sp_api_error_rate": "0.1",
    "[alerts].base_error_rate": "0.05",
    "[alerts].cache_hit_rate": "0.8",
    "[alerts].duration_factor": "2.0",
    "[alerts].min_attempts": "20",
    "[alerts].language": '"ja"',
}
"""Keys and defaults that owners rely on; a change here is a change of the promise."""


def read(text: str, folder: Path, **environ: str) -> Settings:
    path = folder / "ecauto.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ)


def _opened(settings: Settings) -> None:
    with open_tools(settings, offline=True):
        pass


def refusal(text: str, folder: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        read(text, folder)
    return str(caught.value)


def test_promised_keys_keep_their_names_and_defaults() -> None:
    """What is not in the file has the promised default, key by key."""
    found = {f"{key.table}.{key.name}".lstrip("."): key.default.strip("`") for key in all_keys()}
    assert PROMISED == {name: found.get(name) for name in PROMISED}


def test_no_file_at_all_means_every_default(tmp_path: Path) -> None:
    """An empty file and no settings at all are the same."""
    assert Settings().model_dump() == read("", tmp_path).model_dump()


def test_every_key_says_what_it_is() -> None:
    """A key without a description would be a riddle on the reference page."""
    assert [] == [f"{key.table} {key.name}" for key in all_keys() if not key.description]


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("[pricing]\nmarkup_ration = 1.4", "pricing.markup_ration", "markup_ratio"),
        ("[prising]\nmarkup_ratio = 1.4", "prising", "pricing"),
        ("mood = 'live'", "mood", "mode"),
        ('[[base.accounts]]\nid = "a"\nactiv = true', "activ", "active"),
        ("[base.limits]\nper_our = 1", "base.limits.per_our", "per_hour"),
        ("root = '/tmp'", "root", ""),
    ],
)
def test_unknown_key_names_the_nearest_known_one(tmp_path: Path, text: str, key: str, nearest: str) -> None:
    """A typo is never a silent default: the line names the key, its place and what was probably meant."""
    line = refusal(text, tmp_path)
    assert "\n" not in line
    assert "unknown key" in line
    assert key in line
    assert nearest in line.split("nearest")[-1]


UNKNOWN_OPERATION = (
    "ecauto.toml: unknown operation 'sp_api.limits.getItemOfferBatch'; the nearest known one is 'getItemOffersBatch'"
)


def test_unknown_operation_names_the_nearest_one(tmp_path: Path) -> None:
    """Limits are given by operation; one that does not exist has none: no command and no run begins with it."""
    settings = read("[sp_api.limits.getItemOfferBatch]\nbatch = 5", tmp_path)
    for refuse in (lambda: check(settings, {}), lambda: build_defs(settings), lambda: _opened(settings)):
        with pytest.raises(SettingsError) as caught:
            refuse()
        assert UNKNOWN_OPERATION == str(caught.value)
    assert [tmp_path / "ecauto.toml"] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[pricing]\nmarkup_ratio = "1.3"', "pricing.markup_ratio"),
        ("[pricing]\nround_to_jpy = 10.5", "pricing.round_to_jpy"),
        ("[pricing]\nmarkup_ratio = nan", "pricing.markup_ratio"),
        ("[pricing]\nmarkup_ratio = 0", "pricing.markup_ratio"),
        ("[guards]\nmin_price_jpy = true", "guards.min_price_jpy"),
        ("[offers]\nfree_shipping_only = 1", "offers.free_shipping_only"),
        ('[offers]\nsellers_only = ["A1"]\nsellers_never = ["a1"]', "offers"),
        ('[offers]\nsellers_never = [""]', "offers"),
        ("[offers]\nmin_offers = 0", "offers.min_offers"),
        ("[ttl]\nstock = 60", "ttl.stock"),
        ('[ttl]\nstock = "an hour"', "ttl.stock"),
        ('mode = "Live"', "mode"),
        ("[alerts]\ncache_hit_rate = 80", "alerts.cache_hit_rate"),
        ('[base]\nendpoint = "api.thebase.in"', "base.endpoint"),
        ("[[base.accounts]]\nactive = true", "base.accounts.0.id"),
        ('[[base.accounts]]\nid = "../../etc"', "base.accounts.0.id"),
        ("[slices]\nminutes = 60", "slices.minutes"),
        ('[base.fees]\nplan = "light"', "base.fees.plan"),
        ('[base.fees]\nplan = "custom"\npayment_ratio = 3.6', "base.fees.payment_ratio"),
        ("[pricing]\nmin_profit_ratio = 0.5", "pricing.min_profit_ratio"),
        ("[pricing]\nendings = [80, -1]", "pricing.endings.1"),
        ("[pricing]\nendings = [10000]", "pricing.endings.0"),
        ('[pricing]\nendings = ["80"]', "pricing.endings.0"),
    ],
)
def test_wrong_type_or_value_is_one_line_that_names_the_key(tmp_path: Path, text: str, key: str) -> None:
    """Nothing is converted in silence, and the message can be acted upon."""
    line = refusal(text, tmp_path)
    assert "\n" not in line
    assert f"ecauto.toml: {key}: " in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[guards]\nmin_price_jpy = 2000\nmax_price_jpy = 1000", "min_price_jpy is above max_price_jpy"),
        ("[guards]\nmin_markup_ratio = 2.5", "min_markup_ratio is above max_markup_ratio"),
        ("[pricing]\ntiers = [{markup_ratio = 1.4}, {max_price_jpy = 9, markup_ratio = 1.2}]", "only the last one"),
        (
            "[pricing]\ntiers = [{max_price_jpy = 9, markup_ratio = 1.4}, {max_price_jpy = 5, markup_ratio = 1.2}]",
            "must rise",
        ),
        ('[[base.accounts]]\nid = "a"\n[[base.accounts]]\nid = "a"', "the same id twice"),
        ('[base.fees]\nplan = "custom"\npayment_ratio = 0.03', "needs payment_fixed_jpy, service_ratio too"),
        ("[pricing]\nendings = [80, 980, 80]", "endings: the same one twice"),
        ("[base.fees]\nservice_ratio = 0.0", 'count with plan = "custom" alone'),
        ('[base.fees]\nplan = "growth"\nrounding = "down"', 'count with plan = "custom" alone'),
    ],
)
def test_keys_that_contradict_each_other_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """Each key may be fine and the file still make no sense."""
    assert words in refusal(text, tmp_path)


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    """A syntax error gives line and column."""
    assert "line 1" in refusal("mode = emulated", tmp_path)


def test_a_key_nested_a_thousand_deep_is_refused_by_name(tmp_path: Path) -> None:
    """Valid TOML, and no setting is nested so: refused in words, no error of Python."""
    path = tmp_path / "ecauto.toml"
    path.write_text("a." * 3_000 + "b = 1", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"ecauto\.toml: .*nested") as refused:
        load(path, {})
    assert "ecauto.toml" in refused.value.said("ja")


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """ECAUTO_CONFIG that points nowhere must not mean "all defaults"."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load(environ={"ECAUTO_CONFIG": str(tmp_path / "nowhere.toml")})


def test_the_nearest_file_above_is_found(tmp_path: Path) -> None:
    """Commands work from any folder of the project."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "ecauto.toml").write_text("", encoding="utf-8")
    assert tmp_path / "ecauto.toml" == config_path({}, start=deep)


@given(st.integers(0, 10_000), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_durations_are_a_number_and_a_unit(number: int, unit: tuple[str, int]) -> None:
    """Any whole number of seconds, minutes, hours or days, and writing one down gives the same duration back."""
    letter, seconds = unit
    parsed = parse_duration(f"{number}{letter}")
    assert timedelta(seconds=number * seconds) == parsed
    assert parsed == parse_duration(duration(timedelta(seconds=number * seconds)))


@pytest.mark.parametrize("text", ["", "60", "1.5h", "-1h", "1w", "1h30m", "h", 60, None])
def test_anything_else_is_no_duration(text: Any) -> None:
    """A number without a unit could be seconds or hours: refused."""
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_data_dir_moves_everything_that_lives_in_it(tmp_path: Path) -> None:
    """ECAUTO_DATA_DIR takes master.db, blocklist, views, tokens and state along; a path elsewhere stays."""
    moved = tmp_path / "elsewhere"
    settings = read('[paths]\nblocklist = "lists/blocked.json"', tmp_path, ECAUTO_DATA_DIR=str(moved))
    account = BaseAccount(id="shop")
    assert moved == settings.data_dir
    assert moved / "master.db" == settings.master_db
    assert moved / "views.csv" == settings.views
    assert moved / "tokens" / "shop_token.json" == settings.token_file(account)
    assert f"sqlite:///{(moved / 'state.db').as_posix()}" == settings.state_url()
    assert tmp_path / "lists" / "blocked.json" == settings.blocklist


def test_paths_are_relative_to_the_file_not_to_the_folder_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A schedule, a service and a person in another folder all mean the same files."""
    settings = read("", tmp_path)
    monkeypatch.chdir("/")
    assert tmp_path / "data" / "master.db" == settings.master_db
    assert tmp_path / "data" == settings.data_dir


@pytest.mark.parametrize(
    ("text", "own_sp_api", "own_lwa", "own_base"),
    [
        ("", True, True, True),
        ('[sp_api]\nendpoint = "http://127.0.0.1:9"', False, False, True),
        ('[sp_api]\nlwa_endpoint = "http://127.0.0.1:9"', True, False, True),
        ('[base]\nendpoint = "http://127.0.0.1:9"', True, True, False),
        ('mode = "live"', False, False, False),
    ],
)
def test_our_own_emulator_stands_in_only_where_no_endpoint_is_set(
    tmp_path: Path, text: str, own_sp_api: bool, own_lwa: bool, own_base: bool
) -> None:
    """Each endpoint on its own: a set one is honoured in both modes; live mode never means the emulator."""
    settings = read(text, tmp_path)
    assert (own_sp_api, own_lwa, own_base) == (settings.own_sp_api, settings.own_lwa, settings.own_base)


def test_settings_are_read_once_and_never_changed() -> None:
    """Nobody can turn emulated into live half way through a run."""
    with pytest.raises(ValueError, match="frozen"):
        setattr(Settings(), "mode", "live")  # noqa: B010 - what mypy forbids is what is tried


def test_secrets_stand_in_no_setting_and_in_no_repr(tmp_path: Path) -> None:
    """Settings hold names of variables; the values have a holder that shows nothing."""
    settings = read('[[sp_api.accounts]]\nid = "s"', tmp_path, SP_API_REFRESH_TOKEN="Atzr|hush")
    assert "hush" not in repr(settings) + settings.model_dump_json()
    assert "hush" not in repr(Secrets({"SP_API_REFRESH_TOKEN": "Atzr|hush"}))


def test_a_wrong_value_beside_a_secret_does_not_show_it(tmp_path: Path) -> None:
    """The message shows the value that is wrong, and only where it is plain text or a number."""
    line = refusal('[[base.accounts]]\nid = "a"\nclient_secret = "hush"', tmp_path)
    assert "hush" not in line


def test_a_shops_variables_follow_its_id() -> None:
    """Where no variable is named, the account id says which one it is."""
    account = BaseAccount(id="base_account-1")
    assert "BASE_ACCOUNT_1_CLIENT_ID" == account.client_id_variable()
    assert "BASE_ACCOUNT_1_CLIENT_SECRET" == account.client_secret_variable()


def test_the_committed_file_is_valid_and_emulated() -> None:
    """A fresh clone touches no real shop."""
    settings = load(Path(__file__).parents[1] / "ecauto.toml", {})
    assert "emulated" == settings.mode
    assert parse({}, Path("."), "").pricing == settings.pricing


def test_what_the_committed_file_keeps_in_comments_is_right(tmp_path: Path) -> None:
    """An owner takes the # away and it holds: every key there is one, with a value it takes."""
    text = (Path(__file__).parents[1] / "ecauto.toml").read_text(encoding="utf-8")
    switched_on = "\n".join(line[2:] for line in text.splitlines() if re.match(r"# (\[[a-z.]+\]$|[a-z_]+ = )", line))
    settings = read(switched_on, tmp_path)
    assert ("growth", 300, 100, (80, 980)) == (
        settings.base.fees.plan,
        settings.pricing.extra_cost_jpy,
        settings.pricing.min_profit_jpy,
        settings.pricing.endings,
    )


def test_a_fresh_file_spends_every_call_and_corrects_every_price() -> None:
    """What replay earned; a file that says nothing keeps the owner's literal policy of asking about nothing fresh."""
    fresh, silent = load(Path(__file__).parents[1] / "ecauto.toml", {}), parse({}, Path("."))
    assert ("budget", "due") == (fresh.tiers.spend, silent.tiers.spend)
    assert ("all", "all") == (fresh.schedules.include_price, silent.schedules.include_price)


def test_the_register_is_a_file_or_an_address(tmp_path: Path) -> None:
    """An address is never taken for a path; beside it the file has its usual place, for a copy."""
    address = "postgresql+psycopg://me:secret@db.example/shop"
    settings = parse({"paths": {"master_db": address}}, tmp_path)
    assert (address, tmp_path / "data" / "master.db") == (settings.register_url, settings.master_db)
    assert "" == parse({"paths": {"master_db": "elsewhere/master.db"}}, tmp_path).register_url
