"""What a run would connect to: endpoints, accounts and secrets, worked out once from settings and environment.

Nothing is contacted, started or written here. What is missing or wrong is a list of problems in words: a run refuses
for the first of them (open.py), the doctor shows them all, and so the two can't disagree. Not for: opening anything
(open.py) or the process of our own emulator (emulated.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ecauto_pipeline.domain.lanes import WHOLE, Lane
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.emulator.credentials import BaseApp
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import BaseAccount, Settings, SpAccount
from ecauto_pipeline.shops import base
from ecauto_pipeline.wiring import emulated
from ecauto_pipeline.wiring.accounts import base_accounts, shop_accounts, sp_accounts, wrong_lanes

SETTING_OF = {"sp_api": "sp_api.endpoint", "lwa": "sp_api.lwa_endpoint", "base": "base.endpoint"}
"""The key of ecauto.toml behind each endpoint's short name."""

REAL_HOSTS = ("amazon.com", "thebase.in")
"""The real services, with every host below them; emulated mode never names one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something missing or wrong. `name` is the doctor's line; texts in Japanese and English, `do_*`: what to do."""

    name: str
    ja: str
    en: str
    do_ja: str
    do_en: str

    def __str__(self) -> str:
        return f"{self.name}: {self.ja} / {self.en}; {self.do_en}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the APIs are reached; "" = our own emulator, whose address is known once it runs."""

    sp_api: str
    lwa: str
    base: str

    @property
    def needs_emulator(self) -> bool:
        return not (self.sp_api and self.lwa and self.base)

    def with_emulator(self, url: str) -> Endpoints:
        """The same, with our own emulator at `url`."""
        return Endpoints(self.sp_api or url, self.lwa or url, self.base or f"{url}/1")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by the name of the variable they came from; never shown."""

    values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, name: str) -> str:
        return self.values[name]


@dataclass(frozen=True, slots=True)
class AccountSecrets:
    """How one account's variables were filled. `missing`: of those it needs; `stands_in`: the emulator's are used."""

    name: str
    variables: tuple[str, ...]
    missing: tuple[str, ...]
    stands_in: bool


@dataclass(frozen=True, slots=True)
class Connections:
    """Endpoints, accounts and secrets of one installation. `shops`: those on BASE, switched-off ones too."""

    endpoints: Endpoints
    sp_accounts: tuple[SpAccount, ...]
    shops: tuple[BaseAccount, ...]
    secrets: Secrets
    account_secrets: tuple[AccountSecrets, ...]
    problems: tuple[Problem, ...]

    @property
    def active_shops(self) -> tuple[BaseAccount, ...]:
        return tuple(shop for shop in self.shops if shop.active)

    def outside(self) -> dict[str, str]:
        """The endpoints that are not our own emulator's: short name (`sp_api`, `lwa`, `base`) -> address."""
        found = {"sp_api": self.endpoints.sp_api, "lwa": self.endpoints.lwa, "base": self.endpoints.base}
        return {name: url for name, url in found.items() if url}

    def require(self, *beginnings: str) -> None:
        """Raises SettingsError with the first problem: a person mends ecauto.toml or .env.

        `beginnings`: only problems whose name begins so count; none = every one.
        """
        for first in self.problems:
            if beginnings and not first.name.startswith(beginnings):
                continue
            raise SettingsError(str(first), ja=f"{first.name}: {first.ja}。{first.do_ja}")


def resolve(settings: Settings, environ: Mapping[str, str] = os.environ, lane: Lane = WHOLE) -> Connections:
    """The connections of these settings. Never raises; whatever is wrong stands in `problems`.

    `lane`: its accounts and shops alone, so that what another lane lacks is no problem of this one.
    """
    endpoints = _endpoints(settings)
    shops = tuple(one for one in base_accounts(settings) if lane.has(AccountKey(base.PLATFORM, one.id)))
    numbered = [(number, one) for number, one in enumerate(sp_accounts(settings)) if lane.asks_with(one.id)]
    values: dict[str, str] = {}
    filled = [_fill_sp(settings, environ, number, account, values) for number, account in numbered]
    filled += [_fill_shop(settings, environ, shop, values) for shop in shops if shop.active]
    missing = [*_fleet_key(settings, environ, values), *(_missing(one) for one in filled if one.missing)]
    problems = [*_real_hosts(settings), *_no_shop(settings), *_lanes(settings), *missing]
    accounts = tuple(account for _, account in numbered)
    return Connections(endpoints, accounts, shops, Secrets(values), tuple(filled), tuple(problems))


def redirect_uri(settings: Settings, shop: BaseAccount) -> str:
    """The callback address registered with the shop's application; the emulator's own where none is set."""
    if settings.mode == "emulated" and not shop.redirect_uri:
        return _application(settings, shop).redirect_uri
    return shop.redirect_uri


def _endpoints(settings: Settings) -> Endpoints:
    sp_api = "" if settings.own_sp_api else settings.sp_api.endpoint.rstrip("/")
    follows = settings.mode == "emulated" and "lwa_endpoint" not in settings.sp_api.model_fields_set
    lwa = sp_api if follows else settings.sp_api.lwa_endpoint.rstrip("/")
    return Endpoints(sp_api, lwa, "" if settings.own_base else settings.base.endpoint.rstrip("/"))


def _fill_sp(
    settings: Settings, environ: Mapping[str, str], number: int, account: SpAccount, values: dict[str, str]
) -> AccountSecrets:
    known = emulated.sp_account(number)
    rows = (
        (account.refresh_token_env, known.refresh_token, "refresh_token_env" in account.model_fields_set),
        (account.lwa_app_id_env, known.client_id, "lwa_app_id_env" in account.model_fields_set),
        (account.lwa_client_secret_env, known.client_secret, "lwa_client_secret_env" in account.model_fields_set),
    )
    return _fill(settings, environ, f"secrets sp_api {account.id}", rows, settings.own_lwa, values)


def _fill_shop(
    settings: Settings, environ: Mapping[str, str], shop: BaseAccount, values: dict[str, str]
) -> AccountSecrets:
    known = _application(settings, shop)
    rows = (
        (shop.client_id_variable(), known.client_id, bool(shop.client_id_env)),
        (shop.client_secret_variable(), known.client_secret, bool(shop.client_secret_env)),
    )
    return _fill(settings, environ, f"secrets base {shop.id}", rows, settings.own_base, values)


def _fill(
    settings: Settings,
    environ: Mapping[str, str],
    name: str,
    rows: tuple[tuple[str, str, bool], ...],
    own: bool,
    values: dict[str, str],
) -> AccountSecrets:
    """Rows: (variable, the emulator's well-known value, named in ecauto.toml).

    The well-known values stand in always for our own emulator, and in emulated mode for somebody else's server where
    ecauto.toml does not name the variable itself and the environment does not have it.
    """
    missing, stands_in = [], own
    for variable, known, named in rows:
        given = environ.get(variable, "").strip()
        if own or (not given and settings.mode == "emulated" and not named):
            values[variable], stands_in = known, True
        elif given:
            values[variable] = given
        else:
            missing.append(variable)
    return AccountSecrets(name, tuple(variable for variable, _, _ in rows), tuple(missing), stands_in)


def _application(settings: Settings, shop: BaseAccount) -> BaseApp:
    place = [one.id for one in base_accounts(settings)].index(shop.id) + 1
    return emulated.shop_application(shop.id, place)


def _missing(filled: AccountSecrets) -> Problem:
    names = ", ".join(filled.missing)
    return Problem(
        filled.name,
        f"環境変数がありません: {names}",
        f"environment variables missing: {names}",
        ".env に追加してください",
        "add them to .env",
    )


def _fleet_key(settings: Settings, environ: Mapping[str, str], values: dict[str, str]) -> list[Problem]:
    """A fleet's key beside the other secrets; the old keys where there are any."""
    if not settings.fleet.on:
        return []
    key, old = settings.fleet.key_env, settings.fleet.old_keys_env
    values.update({name: environ.get(name, "").strip() for name in (key, old)})
    if values[key]:
        return []
    ja, en = f"トークンを封印する鍵がありません: {key}", f"the key that seals the tokens is missing: {key}"
    do_ja = "ecauto keys new で作り、どのマシンの環境にも同じものを入れてください"
    do_en = "make one with `ecauto keys new`, and give every machine the same"
    return [Problem("secrets fleet", ja, en, do_ja, do_en)]


def _no_shop(settings: Settings) -> list[Problem]:
    if any(shop.active for shop in shop_accounts(settings).values()):
        return []
    do_ja, do_en = "ecauto.toml に [[base.accounts]] を追加してください", "add [[base.accounts]] to ecauto.toml"
    return [Problem("shops", "有効なショップがありません", "no active shop", do_ja, do_en)]


def _lanes(settings: Settings) -> list[Problem]:
    wrong = wrong_lanes(settings)
    if wrong is None:
        return []
    en, ja = (said.removeprefix("lanes: ") for said in wrong)
    do_ja, do_en = "ecauto.toml の [[lanes]] を直してください", "mend [[lanes]] in ecauto.toml"
    return [Problem("shops in lanes", ja, en, do_ja, do_en)]


def _real_hosts(settings: Settings) -> list[Problem]:
    """Emulated mode whose endpoint is set to a real service: which of the two was meant only a person knows."""
    if settings.mode != "emulated":
        return []
    problems = []
    for name, url in Connections(_endpoints(settings), (), (), Secrets({}), (), ()).outside().items():
        host = (urlsplit(url).hostname or "").rstrip(".")
        if any(host == real or host.endswith(f".{real}") for real in REAL_HOSTS):
            ja = f"エミュレーターモードで本番 {host} を指しています"
            en = f'mode = "emulated", and {SETTING_OF[name]} names the real {host}'
            do_ja = f'{SETTING_OF[name]} を消すか、mode = "live" にしてください'
            do_en = f'remove {SETTING_OF[name]}, or say mode = "live"'
            problems.append(Problem(f"endpoint {name}", ja, en, do_ja, do_en))
    return problems
