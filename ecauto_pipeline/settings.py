"""Everything that is policy, read from ecauto.toml; secrets only by the name of their environment variable.

Not for: secrets' values (wiring asks the environment for them) or facts about an API (they stand beside its operation).
`load()` gives `Settings` or raises `SettingsError` with one line that names the key, the value's place and, for an
unknown key, the nearest known one.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ecauto_pipeline.errors import SettingsError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> object:
    """'90s', '60m', '24h' or '7d' as a timedelta; other values pass through to be judged by the model."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+)([smhd])", value.strip())
        if not match:
            raise ValueError('a duration looks like "90s", "60m", "24h" or "7d"')
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError('a duration is text like "90s", "60m", "24h" or "7d"')


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Share = Annotated[float, Field(ge=0, le=1)]
OPERATIONS = ("getItemOffersBatch", "getItemOffers", "getCompetitivePricing", "searchCatalogItems")


class Section(BaseModel):
    """A table of ecauto.toml: no unknown keys, no silent conversions, unchangeable once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Paths(Section):
    """Where files live; relative to the folder of ecauto.toml."""

    data: str = Field("data", description="folder of everything the program keeps (ECAUTO_DATA_DIR overrides)")
    master_db: str = Field("data/master.db", description="the owner's register (SQLite)")
    blocklist: str = Field("data/blocked_asins.json", description="ASINs that must never be public")
    views: str = Field("data/views.csv", description="optional page views: asin or item_id, viewed_at, count")


class State(Section):
    url: str = Field("", description='"" = SQLite data/state.db; else an SQLAlchemy URL of SQLite or PostgreSQL')


class SpAccount(Section):
    """One selling account and application; each has its own buckets."""

    id: str = Field("sp_1", min_length=1)
    refresh_token_env: str = "SP_API_REFRESH_TOKEN"
    lwa_app_id_env: str = "LWA_APP_ID"
    lwa_client_secret_env: str = "LWA_CLIENT_SECRET"


class OperationLimits(Section):
    """Start values of a bucket; what the API advertises afterwards wins. None = the documented default."""

    rate_per_s: float | None = Field(None, gt=0)
    burst: float | None = Field(None, ge=1)
    batch: int | None = Field(None, ge=1, le=20)


class SpApi(Section):
    endpoint: str = Field("https://sellingpartnerapi-fe.amazon.com", pattern=r"^https?://")
    lwa_endpoint: str = Field("https://api.amazon.com", pattern=r"^https?://")
    marketplace_id: str = "A1VC38T7YXB528"
    accounts: tuple[SpAccount, ...] = ()
    limits: Mapping[
        Literal["getItemOffersBatch", "getItemOffers", "getCompetitivePricing", "searchCatalogItems"], OperationLimits
    ] = Field(default_factory=dict)
    timeout_s: float = Field(30.0, gt=0, description="longest wait for one answer")


class BaseAccount(Section):
    """One shop on BASE."""

    id: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$")
    active: bool = True
    client_id_env: str = ""
    client_secret_env: str = ""
    redirect_uri: str = ""
    token_file: str = Field("", description='"" = data/tokens/<id>_token.json')
    strategy: Literal["simple", "tiered"] | None = Field(None, description="pricing strategy of this shop alone")
    markup_ratio: float | None = Field(None, gt=0, description="markup of this shop alone")

    def client_id_variable(self) -> str:
        return self.client_id_env or f"{_variable(self.id)}_CLIENT_ID"

    def client_secret_variable(self) -> str:
        return self.client_secret_env or f"{_variable(self.id)}_CLIENT_SECRET"


def _variable(account_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", account_id).upper()


class BaseLimits(Section):
    per_hour: int = Field(5000, ge=1)
    per_day: int = Field(100_000, ge=1)
    min_interval_s: float = Field(0.0, ge=0)


class BaseShops(Section):
    endpoint: str = Field("https://api.thebase.in/1", pattern=r"^https?://")
    accounts: tuple[BaseAccount, ...] = ()
    limits: BaseLimits = BaseLimits()
    timeout_s: float = Field(30.0, gt=0)


class Ttl(Section):
    """How old a field of an ASIN may get (DESIGN 4 of the project's docs/freshness)."""

    basic: Duration = timedelta(days=7)
    category: Duration = timedelta(days=30)
    price: Duration = timedelta(hours=24)
    stock: Duration = timedelta(hours=1)


class Tiers(Section):
    high_sold_within: Duration = timedelta(days=7)
    high_every: Duration = timedelta(hours=1)
    medium_viewed_within: Duration = timedelta(days=30)
    medium_every: Duration = timedelta(hours=6)
    low_every: Duration = timedelta(hours=24)
    spend: Literal["due", "budget"] = "due"


class Offers(Section):
    max_ship_hours: int = Field(72, ge=0)
    free_shipping_only: bool = True
    filtered_out: Literal["hide", "keep"] = "hide"
    confirm_after: Duration = timedelta(minutes=60)


class PriceTier(Section):
    max_price_jpy: int | None = Field(None, gt=0, description="up to this cost; the last tier leaves it out")
    markup_ratio: float = Field(gt=0)


class Pricing(Section):
    strategy: Literal["simple", "tiered"] = "simple"
    markup_ratio: float = Field(1.3, gt=0)
    round_to_jpy: int = Field(10, ge=1)
    min_diff_jpy: int = Field(100, ge=0)
    min_diff_ratio: float = Field(0.0, ge=0, le=1)
    tiers: tuple[PriceTier, ...] = (
        PriceTier(max_price_jpy=1000, markup_ratio=1.4),
        PriceTier(max_price_jpy=5000, markup_ratio=1.3),
        PriceTier(max_price_jpy=10000, markup_ratio=1.25),
        PriceTier(markup_ratio=1.2),
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
    min_price_jpy: int = Field(500, ge=1)
    max_price_jpy: int = Field(100_000, ge=1)
    min_markup_ratio: float = Field(1.05, gt=0)
    max_markup_ratio: float = Field(2.0, gt=0)
    max_move_ratio: float = Field(0.5, gt=0)
    max_hide_share: Share = 0.2
    max_hide_rows: int = Field(50, ge=0)
    max_zero_share: Share = 0.2
    max_delist_share: Share = 0.01
    max_delist_rows: int = Field(20, ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Guards:
        if self.min_price_jpy > self.max_price_jpy:
            raise ValueError("min_price_jpy is above max_price_jpy")
        if self.min_markup_ratio > self.max_markup_ratio:
            raise ValueError("min_markup_ratio is above max_markup_ratio")
        return self


class Slices(Section):
    minutes: float = Field(10.0, gt=0, le=55, description="API time of one run")


class Schedules(Section):
    stock: str = "0 * * * *"
    price: str = "0 2 * * *"
    include_price: Literal["never", "floor", "all"] = Field("floor", description="what the hourly run does to prices")


CHANNEL_KINDS = ("chatwork", "slack", "discord", "line", "email", "webhook")


class Channel(Section):
    """Where alerts go; every secret by the name of its environment variable."""

    kind: Literal["chatwork", "slack", "discord", "line", "email", "webhook"]
    url_env: str = ""
    token_env: str = ""
    room_id: str = ""
    to: str = ""
    endpoint: str = Field("", description="another address of the service (a proxy, a test receiver)")


class Alerts(Section):
    sp_api_error_rate: Share = 0.10
    base_error_rate: Share = 0.05
    cache_hit_rate: Share = 0.80
    duration_factor: float = Field(2.0, gt=0)
    min_attempts: int = Field(20, ge=1)
    language: Literal["ja", "en"] = "ja"
    quiet_hours: str = Field(
        "", pattern=r"^(\d{2}:\d{2}-\d{2}:\d{2})?$", description='"23:00-07:00" JST: held back till the end'
    )
    daily_digest: str = Field("", pattern=r"^(\d{2}:\d{2})?$", description='"08:00" JST: one summary a day')
    channels: tuple[Channel, ...] = ()


class Logs(Section):
    keep_days: int = Field(30, ge=1)


class Emulator(Section):
    """The world of emulated mode."""

    seed: int = 1
    listings: int = Field(1000, ge=0)
    accounts: int = Field(3, ge=1, le=20)
    speed: float = Field(60.0, gt=0, description="multiplies the rates it advertises and enforces")


class Settings(Section):
    """ecauto.toml as a whole, plus the folder it stands in."""

    mode: Literal["emulated", "live"] = "emulated"
    timezone: Literal["Asia/Tokyo"] = "Asia/Tokyo"
    paths: Paths = Paths()
    state: State = State()
    sp_api: SpApi = SpApi()
    base: BaseShops = BaseShops()
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

    @property
    def own_sp_api(self) -> bool:
        """True where the SP-API is our own emulator (emulated mode, endpoint not set)."""
        return self.mode == "emulated" and not {"endpoint", "lwa_endpoint"} & self.sp_api.model_fields_set

    @property
    def own_base(self) -> bool:
        """True where BASE is our own emulator (emulated mode, endpoint not set)."""
        return self.mode == "emulated" and "endpoint" not in self.base.model_fields_set

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
        for name, accounts in (("base.accounts", self.base.accounts), ("sp_api.accounts", self.sp_api.accounts)):
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
        except FileNotFoundError:
            raise SettingsError(f"{path}: no such file (ECAUTO_CONFIG names it)") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path.name}: not valid TOML: {error}") from None
        except OSError as error:
            raise SettingsError(f"{path}: can't be read: {error.strerror}") from None
    root = path.parent if path is not None else Path.cwd()
    return parse(document, root, environ.get("ECAUTO_DATA_DIR", ""), name=path.name if path else "ecauto.toml")


def parse(document: Mapping[str, Any], root: Path, data_override: str = "", name: str = "ecauto.toml") -> Settings:
    """Settings from a parsed document. Raises SettingsError with the first thing that is wrong."""
    for reserved in ("root", "data_override"):
        if reserved in document:
            raise SettingsError(f"{name}: unknown key {reserved!r}{_nearest(reserved, _public_keys(Settings))}")
    override = str(Path(data_override).expanduser().absolute()) if data_override else ""
    try:
        return Settings.model_validate({**_tuples(document), "root": root, "data_override": override})
    except ValidationError as error:
        raise SettingsError(f"{name}: {_first_problem(error)}") from None


def _tuples(value: Any) -> Any:
    """TOML arrays as tuples (the model is strict), ints as floats are left to pydantic."""
    if isinstance(value, Mapping):
        return {key: _tuples(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(inner) for inner in value)
    return value


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    place = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "the file"
    if problem["type"] == "extra_forbidden":
        key = str(problem["loc"][-1])
        return f"unknown key {place!r}{_nearest(key, _known_keys(problem['loc'][:-1]))}"
    if "limits" in problem["loc"] and problem["loc"][-1] == "[key]":
        return f"unknown operation {place!r}{_nearest(str(problem['loc'][-2]), list(OPERATIONS))}"
    got = problem.get("input")
    shown = f" (got {got!r})" if isinstance(got, str | int | float | bool) else ""
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}{shown}"


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    return f"; the nearest known one is {near[0]!r}" if near else ""


def _public_keys(model: type[BaseModel]) -> list[str]:
    return [name for name in model.model_fields if name not in ("root", "data_override")]


def _known_keys(place: tuple[int | str, ...]) -> list[str]:
    model: Any = Settings
    for part in place:
        if isinstance(part, int) or part == "[key]":
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
