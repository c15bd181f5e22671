"""ecauto.toml as a whole: found, read, and what is wrong in it said in one line.

Not for: secrets' values (wiring asks the environment for them) or the tables (the modules beside this one).
`load()` gives `Settings` or raises `SettingsError` with one line that names the key, the value's place and, for an
unknown key, the nearest known one.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings.amazon import Offers, SpAccount, SpApi, Tiers, Ttl
from ecauto_pipeline.settings.fleet import Fleet
from ecauto_pipeline.settings.history import History
from ecauto_pipeline.settings.lanes import LaneTable, wrong_in
from ecauto_pipeline.settings.problems import unknown_key, unreadable, wrong_value
from ecauto_pipeline.settings.running import Alerts, Desk, Emulator, Logs, Paths, Schedules, Slices, State
from ecauto_pipeline.settings.section import Section
from ecauto_pipeline.settings.selling import Guards, Pricing
from ecauto_pipeline.settings.shops import BaseAccount, BaseShops, CsvShops, ShopAccount, Shops


class Settings(Section):
    """ecauto.toml as a whole, plus the folder it stands in."""

    mode: Literal["emulated", "live"] = Field("emulated", description='"live" talks to the real Amazon and BASE')
    timezone: Literal["Asia/Tokyo"] = Field("Asia/Tokyo", description="the shop's clock; there is one")
    paths: Paths = Paths()
    state: State = State()
    sp_api: SpApi = SpApi()
    base: BaseShops = BaseShops()
    csv: CsvShops = CsvShops()
    lanes: tuple[LaneTable, ...] = Field((), description="shops and selling accounts by lane; none = one with all")
    ttl: Ttl = Ttl()
    tiers: Tiers = Tiers()
    offers: Offers = Offers()
    pricing: Pricing = Pricing()
    guards: Guards = Guards()
    slices: Slices = Slices()
    schedules: Schedules = Schedules()
    alerts: Alerts = Alerts()
    desk: Desk = Desk()
    fleet: Fleet = Fleet()
    history: History = History()
    logs: Logs = Logs()
    emulator: Emulator = Emulator()

    root: Path = Field(Path("."), exclude=True, description="folder that relative paths start from")
    data_override: str = Field("", exclude=True)

    @property
    def data_dir(self) -> Path:
        return self._path(self.data_override or self.paths.data)

    @property
    def master_db(self) -> Path:
        """The register's file; where the register is in PostgreSQL, the place for a copy of it."""
        return self.data_dir / "master.db" if self.register_url else self._in_data(self.paths.master_db)

    @property
    def register_url(self) -> str:
        """Where the register is in PostgreSQL; "" = it is the file `master_db`."""
        return self.paths.master_db if "://" in self.paths.master_db else ""

    @property
    def blocklist(self) -> Path:
        return self._in_data(self.paths.blocklist)

    @property
    def rules(self) -> Path:
        return self._in_data(self.paths.rules)

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

    @property
    def shares_state(self) -> bool:
        """Whether other machines may work on the same state: it is no file beside these settings."""
        return not self.state_url().startswith("sqlite")

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

    @model_validator(mode="after")
    def _lanes_share_out_everything(self) -> Settings:
        if not self.base.accounts and self.own_base:
            return self  # the shops are our emulator's: whoever knows them looks (wiring/lanes.py)
        shops = self.shop_accounts().items()
        named = {f"{platform}:{shop.id}": shop.active for platform, of_it in shops for shop in of_it}
        wrong = wrong_in(self.lanes, named, [account.id for account in self.sp_api.accounts or (SpAccount(),)])
        if wrong is not None:
            raise PydanticCustomError("said", "{en}", {"en": wrong[0], "ja": wrong[1]})
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


def places(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What `environ` says of where ecauto.toml and the data folder are, for a program that begins in another folder."""
    config, data = config_path(environ), environ.get("ECAUTO_DATA_DIR")
    found = {"ECAUTO_CONFIG": str(config)} if config is not None else {}
    return found | ({"ECAUTO_DATA_DIR": str(Path(data).expanduser().absolute())} if data else {})


def load(
    path: Path | None = None, environ: Mapping[str, str] = os.environ, changes: Mapping[str, Any] | None = None
) -> Settings:
    """Read ecauto.toml (`path`, else `config_path`); without any file every default holds. Raises SettingsError.

    `changes`: values by dotted key ("pricing.markup_ratio") that count instead of the file's, as if it said so.
    """
    path = path or config_path(environ)
    document: dict[str, Any] = {}
    if path is not None:
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            english, japanese = unreadable(path, error)
            raise SettingsError(english, ja=japanese) from None
    root = path.parent if path is not None else Path.cwd()
    for key, value in (changes or {}).items():
        document = _with(document, key.split("."), value)
    return parse(document, root, environ.get("ECAUTO_DATA_DIR", ""), name=path.name if path else "ecauto.toml")


def _with(document: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """The document with one value set; whatever stands in the way is replaced, and refused as what it then is."""
    inner = document.get(path[0])
    rest = _with(inner if isinstance(inner, Mapping) else {}, path[1:], value) if len(path) > 1 else value
    return {**document, path[0]: rest}


def parse(document: Mapping[str, Any], root: Path, data_override: str = "", name: str = "ecauto.toml") -> Settings:
    """Settings from a parsed document. Raises SettingsError with the first thing that is wrong."""
    for reserved in ("root", "data_override"):
        if reserved in document:
            english, japanese = unknown_key(reserved, reserved, _public_keys(Settings))
            raise SettingsError(f"{name}: {english}", ja=f"{name}: {japanese}")
    override = str(Path(data_override).expanduser().absolute()) if data_override else ""
    try:
        return Settings.model_validate({**_tuples(document), "root": root, "data_override": override})
    except RecursionError:  # tomllib takes dotted keys of any depth
        raise SettingsError(
            f"{name}: keys are nested deeper than any setting", ja=f"{name}: キーの入れ子が深すぎます"
        ) from None
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
    if problem["type"] == "said":
        return problem["msg"], wrong_value("said", problem["ctx"])
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
