"""Everything that is policy, read from ecauto.toml; secrets only by the name of their environment variable.

Not for: secrets' values (wiring asks the environment for them) or facts about an API (they stand beside its operation).
`load()` gives `Settings` or raises `SettingsError` with one line that names the key, the value's place and, for an
unknown key, the nearest known one.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings_problems import unknown_key, unreadable, wrong_value
from ecauto_pipeline.settings_values import Duration, DurationOrNever, Share


class Section(BaseModel):
    """A table of ecauto.toml: no unknown keys, no silent conversions, unchangeable once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)


class Paths(Section):
    """Where files live; relative to the folder of ecauto.toml."""

    data: str = Field("data", description="folder of everything the program keeps (ECAUTO_DATA_DIR overrides)")
    master_db: str = Field("data/master.db", description="the owner's register (SQLite)")
    blocklist: str = Field("data/blocked_asins.json", description="ASINs that must never be public")
    views: str = Field("data/views.csv", description="optional page views: asin or item_id, viewed_at, count")


class State(Section):
    """What must survive a crash and be shared by processes."""

    url: str = Field("", description='"" = SQLite data/state.db; else an SQLAlchemy URL of SQLite or PostgreSQL')


class SpAccount(Section):
    """One selling account and application; each has its own buckets."""

    id: str = Field("sp_1", min_length=1, description="a name of your choice, shown in records")
    refresh_token_env: str = Field("SP_API_REFRESH_TOKEN", description="variable that holds the refresh token")
    lwa_app_id_env: str = Field("LWA_APP_ID", description="variable that holds the application's client id")
    lwa_client_secret_env: str = Field("LWA_CLIENT_SECRET", description="variable that holds its client secret")


class OperationLimits(Section):
    """Start values of a bucket; what the API advertises afterwards wins. None = the documented default."""

    rate_per_s: float | None = Field(None, gt=0, description="calls a second")
    burst: float | None = Field(None, ge=1, description="calls that may be made at once after a pause")
    batch: int | None = Field(None, ge=1, le=20, description="ASINs in one call, never above what Amazon takes")


class SpApi(Section):
    """Amazon's side. In emulated mode an endpoint that is not set is our own emulator; LWA follows a set SP-API."""

    endpoint: str = Field(
        "https://sellingpartnerapi-fe.amazon.com", pattern=r"^https?://", description="the Selling Partner API"
    )
    lwa_endpoint: str = Field(
        "https://api.amazon.com", pattern=r"^https?://", description="Login with Amazon, where tokens come from"
    )
    marketplace_id: str = Field("A1VC38T7YXB528", description="Amazon.co.jp")
    accounts: tuple[SpAccount, ...] = Field((), description="selling accounts; none = one with the default names")
    limits: Mapping[str, OperationLimits] = Field(  # by operation; their names are checked where they are known
        default_factory=dict, description="usage plans that differ from the documented ones"
    )
    without: tuple[str, ...] = Field((), description="operations that are not used: getCompetitiveSummary")
    timeout_s: float = Field(30.0, gt=0, description="longest wait for one answer")


class ShopAccount(Section):
    """One shop, whatever its platform."""

    id: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$", description="account_id in master.db")
    active: bool = Field(True, description="false: neither read nor written, its ASINs cost no calls")
    strategy: Literal["simple", "tiered"] | None = Field(None, description="pricing strategy of this shop alone")
    markup_ratio: float | None = Field(None, gt=0, description="markup of this shop alone")


class Shops(Section):
    """A platform's table: its shops are its `accounts`."""

    accounts: tuple[ShopAccount, ...] = ()


class BaseAccount(ShopAccount):
    """One shop on BASE."""

    client_id_env: str = Field("", description='variable of the client id; "" = <ID>_CLIENT_ID')
    client_secret_env: str = Field("", description='variable of the client secret; "" = <ID>_CLIENT_SECRET')
    redirect_uri: str = Field("", description="the callback address registered with the BASE application")
    token_file: str = Field("", description='"" = data/tokens/<id>_token.json')

    def client_id_variable(self) -> str:
        return self.client_id_env or f"{_variable(self.id)}_CLIENT_ID"

    def client_secret_variable(self) -> str:
        return self.client_secret_env or f"{_variable(self.id)}_CLIENT_SECRET"


def _variable(account_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", account_id).upper()


class BaseLimits(Section):
    """What BASE allows one shop; the hour starts at minute 00, the day at midnight JST."""

    per_hour: int = Field(5000, ge=1, description="calls of one shop in a clock hour")
    per_day: int = Field(100_000, ge=1, description="calls of one shop in a day")
    min_interval_s: float = Field(0.0, ge=0, description="pause between two calls of one shop")


class BaseShops(Shops):
    """BASE's side. In emulated mode an endpoint that is not set means our own emulator."""

    endpoint: str = Field("https://api.thebase.in/1", pattern=r"^https?://", description="the BASE API")
    accounts: tuple[BaseAccount, ...] = Field((), description="the shops; none in emulated mode = the emulator's")
    limits: BaseLimits = BaseLimits()
    timeout_s: float = Field(30.0, gt=0, description="longest wait for one answer")


class CsvAccount(ShopAccount):
    """One shop whose cart takes files."""

    items: str = Field(min_length=1, description="the product file that the cart exports")
    updates: str = Field(min_length=1, description="an existing folder: one update file a run is written there")


class CsvColumns(Section):
    """What the columns are called in the product file and in the update files; "" = the cart has none."""

    item_id: str = Field(
        "item_id", min_length=1, description="the item's id in the cart (platform_item_id in master.db)"
    )
    sku: str = Field("sku", description="the owner's own code; compared with the ASIN in master.db")
    title: str = Field("title", description="the name of the item")
    price: str = Field("price", description="selling price in whole yen")
    visible: str = Field("visible", description="public or hidden")
    stock: str = Field("stock", description="pieces")
    modified: str = Field(
        "", description="time of the last change; only where the cart counts a sale as one (a reading may end early)"
    )


class CsvShops(Shops):
    """Shops whose cart takes files: read from a product file, changed by update files. No API, no orders."""

    accounts: tuple[CsvAccount, ...] = Field((), description="the shops")
    columns: CsvColumns = CsvColumns()
    encoding: Literal["utf-8", "utf-8-sig", "cp932"] = Field(
        "utf-8", description="of both files (cp932 = Windows' Shift_JIS); a UTF-8 mark in the product file is heeded"
    )
    visible_value: str = Field("1", min_length=1, description="what the column says of a public item")
    hidden_value: str = Field("0", min_length=1, description="what it says of a hidden one")
    quiet: Duration = Field(
        timedelta(seconds=10), description="a product file younger than this is still being written"
    )

    @model_validator(mode="after")
    def _check_ids_unique(self) -> CsvShops:
        if self.visible_value == self.hidden_value:
            raise ValueError("visible_value and hidden_value are the same")
        names = [name for name in self.columns.model_dump().values() if name]
        if len(set(names)) != len(names):
            raise ValueError("columns: the same name twice")
        return self


class Ttl(Section):
    """How old a field of an ASIN may get before it is asked for again."""

    basic: Duration = Field(timedelta(days=7), description="title, description, images")
    category: Duration = Field(timedelta(days=30), description="category and brand")
    price: Duration = Field(timedelta(hours=24), description="price; an older one is never pushed")
    stock: Duration = Field(timedelta(hours=1), description="stock")


class Tiers(Section):
    """Best sellers more often: how old the stock of an ASIN may get, by what it sells."""

    high_sold_within: Duration = Field(timedelta(days=7), description="high tier: sold within this time")
    high_every: Duration = Field(timedelta(hours=1), description="maximum age of stock, high tier")
    medium_viewed_within: Duration = Field(timedelta(days=30), description="medium tier: viewed within this time")
    medium_every: Duration = Field(timedelta(hours=6), description="maximum age of stock, medium tier")
    low_every: Duration = Field(timedelta(hours=24), description="maximum age of stock, all others")
    low_may_come_early: Duration = Field(
        timedelta(0), description="how early a low-tier check may come to reach its home hour; 0 = never early"
    )
    spend: Literal["due", "budget"] = Field(
        "due", description='"due": ask only about what is too old; "budget": leave no call unused (large shops)'
    )

    @model_validator(mode="after")
    def _early_is_a_part(self) -> Tiers:
        if self.low_may_come_early > self.low_every / 2:
            raise ValueError("low_may_come_early: at most half of low_every")
        return self


class Offers(Section):
    """Which offer on Amazon counts."""

    max_ship_hours: int = Field(72, ge=0, description="longest time to ship")
    free_shipping_only: bool = Field(True, description="only offers without a shipping fee")
    filtered_out: Literal["hide", "keep"] = Field(
        "hide", description="what to do with a listing whose offers all fail the rule, twice in a row"
    )
    confirm_after: Duration = Field(timedelta(minutes=60), description="least time between those two answers")


class PriceTier(Section):
    """One step of strategy "tiered"."""

    max_price_jpy: int | None = Field(None, gt=0, description="up to this cost; the last tier leaves it out")
    markup_ratio: float = Field(gt=0, description="selling price = cost x this")


class Pricing(Section):
    """From cost to selling price: truncated to yen, then rounded half up."""

    strategy: Literal["simple", "tiered"] = Field("simple", description='"simple": one ratio; "tiered": by cost')
    markup_ratio: float = Field(1.3, gt=0, description='selling price = cost x this (strategy "simple")')
    round_to_jpy: int = Field(10, ge=1, description="prices are multiples of this")
    min_diff_jpy: int = Field(100, ge=0, description="smaller changes are not sent")
    min_diff_ratio: float = Field(0.0, ge=0, le=1, description="changes of this share are sent too; 0 = off")
    tiers: tuple[PriceTier, ...] = Field(
        (
            PriceTier(max_price_jpy=1000, markup_ratio=1.4),
            PriceTier(max_price_jpy=5000, markup_ratio=1.3),
            PriceTier(max_price_jpy=10000, markup_ratio=1.25),
            PriceTier(markup_ratio=1.2),
        ),
        description='cost limits and ratios (strategy "tiered"), rising',
    )

    @model_validator(mode="after")
    def _tiers_rise(self) -> Pricing:
        bounds = [tier.max_price_jpy for tier in self.tiers]
        limits = [bound for bound in bounds if bound is not None]
        if not bounds or None in bounds[:-1]:
            raise ValueError("tiers: only the last one may leave max_price_jpy out")
        if sorted(set(limits)) != limits:
            raise ValueError("tiers: max_price_jpy must rise")
        return self


class Guards(Section):
    """Limits that block a price, and shares past which rows wait for a person. Nothing is ever clamped."""

    min_price_jpy: int = Field(500, ge=1, description="a wanted price below is blocked")
    max_price_jpy: int = Field(100_000, ge=1, description="a wanted price above is blocked")
    min_markup_ratio: float = Field(1.05, gt=0, description="the margin floor: below cost x this is blocked")
    max_markup_ratio: float = Field(2.0, gt=0, description="above cost x this is blocked")
    max_move_ratio: float = Field(0.5, gt=0, description="a price that moves by more is held")
    max_hide_share: Share = Field(0.2, description="hides are held past this share of an account ...")
    max_hide_rows: int = Field(50, ge=0, description="... and at least this many rows, counted ...")
    hide_window: Duration = Field(
        timedelta(hours=24), gt=timedelta(0), le=timedelta(days=3), description="... over this time, at most 3 days"
    )
    hide_unconfirmed_after: DurationOrNever = Field(
        None, description='what Amazon has not confirmed for so long is hidden until it does; "" = never'
    )
    max_zero_share: Share = Field(0.2, description="a sweep with more zeros than this against yesterday is doubted")
    max_delist_share: Share = Field(0.01, description="delisting past this share of an account is held ...")
    max_delist_rows: int = Field(20, ge=0, description="... or past this many rows")
    max_register_fall: Share = Field(
        0.2, description="a shop's listings or titles in master.db that fall by more, and by 20 rows, are not believed"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Guards:
        if self.min_price_jpy > self.max_price_jpy:
            raise ValueError("min_price_jpy is above max_price_jpy")
        if self.min_markup_ratio > self.max_markup_ratio:
            raise ValueError("min_markup_ratio is above max_markup_ratio")
        return self


class Slices(Section):
    """An hour is worked in slices, so that what is found early reaches the shop early."""

    minutes: float = Field(10.0, gt=0, le=55, description="API time of one run")


class Schedules(Section):
    """When the jobs run by themselves (live mode)."""

    stock: str = Field("0 * * * *", description="cron line of the stock run, Japanese time")
    price: str = Field("0 2 * * *", description="cron line of the price run, Japanese time")
    catalog: str = Field(
        "30 4 * * *", description="cron line of the catalogue run, Japanese time; asks what is too old"
    )
    include_price: Literal["never", "floor", "all"] = Field("floor", description="what the hourly run does to prices")


CHANNEL_KINDS = ("chatwork", "slack", "discord", "line", "email", "webhook")


class Channel(Section):
    """Where alerts go; every secret by the name of its environment variable."""

    kind: Literal["chatwork", "slack", "discord", "line", "email", "webhook"] = Field(description="the service")
    url_env: str = Field("", description="variable of the address (slack, discord, webhook; mail server for email)")
    token_env: str = Field("", description="variable of the token (chatwork, line)")
    room_id: str = Field("", description="the room (chatwork)")
    to: str = Field("", description="the recipient (line, email)")
    endpoint: str = Field("", description="another address of the service (a proxy, a test receiver)")


class Alerts(Section):
    """When to tell people, and how."""

    sp_api_error_rate: Share = Field(0.10, description="alert above this share of asked ASINs without an answer")
    base_error_rate: Share = Field(0.05, description="alert above this share of failed BASE calls")
    cache_hit_rate: Share = Field(0.80, description="alert below this share of ASINs fresh when a run looks")
    duration_factor: float = Field(2.0, gt=0, description="alert when a run takes longer than this times its plan")
    unconfirmed_factor: float = Field(
        3.0, ge=1, description="alert about what is on show and older than this times its tier's age"
    )
    min_free_gb: float = Field(2.0, ge=0, description="alert below this much room on the disk of the data folder (GiB)")
    min_attempts: int = Field(20, ge=1, description="under this many attempts a rate is shown, not judged")
    language: Literal["ja", "en"] = Field("ja", description="language of the messages")
    quiet_hours: str = Field(
        "", pattern=r"^(\d{2}:\d{2}-\d{2}:\d{2})?$", description='"23:00-07:00" JST: held back till the end'
    )
    daily_digest: str = Field("", pattern=r"^(\d{2}:\d{2})?$", description='"08:00" JST: one summary a day')
    ui_url: str = Field("http://127.0.0.1:3000", description="where Dagster's UI is, for the links in messages")
    heartbeat_url_env: str = Field(
        "", description="variable with the address asked after each good sync, with /fail after a bad one"
    )
    channels: tuple[Channel, ...] = Field((), description="where messages go; none is itself a warning")


class Logs(Section):
    """data/logs, and Dagster's own records in data/dagster."""

    keep_days: int = Field(30, ge=1, description="log files older than this are removed")
    keep_runs: int = Field(3_000, ge=10, description="Dagster's records of runs kept (0.7 MB each); history stays")


class Emulator(Section):
    """The world of emulated mode."""

    seed: int = Field(1, description="another number, another world")
    listings: int = Field(1000, ge=0, description="listings in all its shops")
    accounts: int = Field(3, ge=1, le=20, description="shops; the last of several is switched off")
    speed: float = Field(60.0, gt=0, description="multiplies the rates it advertises and enforces")


class Settings(Section):
    """ecauto.toml as a whole, plus the folder it stands in."""

    mode: Literal["emulated", "live"] = Field("emulated", description='"live" talks to the real Amazon and BASE')
    timezone: Literal["Asia/Tokyo"] = Field("Asia/Tokyo", description="the shop's clock; there is one")
    paths: Paths = Paths()
    state: State = State()
    sp_api: SpApi = SpApi()
    base: BaseShops = BaseShops()
    csv: CsvShops = CsvShops()
    ttl: Ttl = Ttl()
    tiers: Tiers = Tiers()
    offers: Offers = Offers()
    pricing: Pricing = Pricing()
    guards: Guards = Guards()
    slices: Slices = Slices()
    schedules: Schedules = Schedules()
    alerts: Alerts = Alerts()
    logs: Logs = Logs()
    emulator: Emulator = Emulator()

    root: Path = Field(Path("."), exclude=True, description="folder that relative paths start from")
    data_override: str = Field("", exclude=True)

    @property
    def data_dir(self) -> Path:
        return self._path(self.data_override or self.paths.data)

    @property
    def master_db(self) -> Path:
        return self._in_data(self.paths.master_db)

    @property
    def blocklist(self) -> Path:
        return self._in_data(self.paths.blocklist)

    @property
    def views(self) -> Path:
        return self._in_data(self.paths.views)

    def shop_accounts(self) -> dict[str, tuple[ShopAccount, ...]]:
        """The shops by platform, as this file names them; a platform's name is the name of its table."""
        tables = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: table.accounts for name, table in tables.items() if isinstance(table, Shops)}

    @property
    def own_sp_api(self) -> bool:
        """True where the SP-API is our own emulator (emulated mode, endpoint not set)."""
        return self.mode == "emulated" and "endpoint" not in self.sp_api.model_fields_set

    @property
    def own_lwa(self) -> bool:
        """True where tokens come from our own emulator (emulated mode, neither endpoint of Amazon's side set)."""
        return self.own_sp_api and "lwa_endpoint" not in self.sp_api.model_fields_set

    @property
    def own_base(self) -> bool:
        """True where BASE is our own emulator (emulated mode, endpoint not set)."""
        return self.mode == "emulated" and "endpoint" not in self.base.model_fields_set

    def file(self, text: str) -> Path:
        """A path of ecauto.toml: relative to its folder; one that starts with the data folder follows that."""
        return self._in_data(text)

    def token_file(self, account: BaseAccount) -> Path:
        return (
            self._path(account.token_file)
            if account.token_file
            else self.data_dir / "tokens" / f"{account.id}_token.json"
        )

    def state_url(self) -> str:
        return self.state.url or f"sqlite:///{(self.data_dir / 'state.db').as_posix()}"

    def _path(self, text: str) -> Path:
        path = Path(text).expanduser()
        return path if path.is_absolute() else self.root / path

    def _in_data(self, text: str) -> Path:
        """A path that starts with the data folder follows it where ECAUTO_DATA_DIR puts it."""
        prefix = self.paths.data.rstrip("/") + "/"
        if text.startswith(prefix):
            return self.data_dir / text[len(prefix) :]
        return self._path(text)

    @model_validator(mode="after")
    def _unique_ids(self) -> Settings:
        shops = {f"{platform}.accounts": accounts for platform, accounts in self.shop_accounts().items()}
        named: dict[str, tuple[ShopAccount | SpAccount, ...]] = {**shops, "sp_api.accounts": self.sp_api.accounts}
        for name, accounts in named.items():
            ids = [account.id for account in accounts]
            if len(set(ids)) != len(ids):
                raise ValueError(f"{name}: the same id twice")
        return self


def config_path(environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Path | None:
    """The ecauto.toml in force: ECAUTO_CONFIG, else the nearest one at or above the current folder, else None."""
    if environ.get("ECAUTO_CONFIG"):
        return Path(environ["ECAUTO_CONFIG"]).expanduser().absolute()
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / "ecauto.toml").is_file():
            return folder / "ecauto.toml"
    return None


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read ecauto.toml (`path`, else `config_path`); without any file every default holds. Raises SettingsError."""
    path = path or config_path(environ)
    document: dict[str, Any] = {}
    if path is not None:
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            english, japanese = unreadable(path, error)
            raise SettingsError(english, ja=japanese) from None
    root = path.parent if path is not None else Path.cwd()
    return parse(document, root, environ.get("ECAUTO_DATA_DIR", ""), name=path.name if path else "ecauto.toml")


def parse(document: Mapping[str, Any], root: Path, data_override: str = "", name: str = "ecauto.toml") -> Settings:
    """Settings from a parsed document. Raises SettingsError with the first thing that is wrong."""
    for reserved in ("root", "data_override"):
        if reserved in document:
            english, japanese = unknown_key(reserved, reserved, _public_keys(Settings))
            raise SettingsError(f"{name}: {english}", ja=f"{name}: {japanese}")
    override = str(Path(data_override).expanduser().absolute()) if data_override else ""
    try:
        return Settings.model_validate({**_tuples(document), "root": root, "data_override": override})
    except ValidationError as error:
        english, japanese = _first_problem(error)
        raise SettingsError(f"{name}: {english}", ja=f"{name}: {japanese}") from None


def _tuples(value: Any) -> Any:
    """TOML arrays as tuples (the model is strict), ints as floats are left to pydantic."""
    if isinstance(value, Mapping):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(inner) for inner in value)
    return value


def _first_problem(error: ValidationError) -> tuple[str, str]:
    """The first thing that is wrong, in English and in Japanese."""
    problems = error.errors(include_url=False)
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    place = ".".join(str(part) for part in problem["loc"]) or "the file"
    if problem["type"] == "extra_forbidden":
        return unknown_key(place, str(problem["loc"][-1]), _known_keys(problem["loc"][:-1]))
    got = problem.get("input")
    simple = isinstance(got, str | int | float | bool)
    shown, shown_ja = (f" (got {got!r})", f"（今は {got!r}）") if simple else ("", "")
    english = f"{place}: {problem['msg'].removeprefix('Value error, ')}{shown}"
    return english, f"{place}: {wrong_value(problem['type'], problem.get('ctx', {}))}{shown_ja}"


def _public_keys(model: type[BaseModel]) -> list[str]:
    return [name for name in model.model_fields if name not in ("root", "data_override")]


def _known_keys(place: tuple[int | str, ...]) -> list[str]:
    model: Any = Settings
    for part in place:
        if isinstance(part, int):
            continue
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = _section_of(model.model_fields[part].annotation)
        # a key of a mapping (an operation's name) does not change the model
    return _public_keys(model) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _section_of(inner)
        if found is not None:
            return found
    return None
