"""`ecauto keys`: the key that seals a fleet's tokens and its own secrets, and their way into the seal and out again.

Not for: authorising a shop (auth.py), or what a seal is (fleet/seal.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ecauto_pipeline.cli.console import USAGE, WITH_ERRORS, fail, language, print_json, say, table, told
from ecauto_pipeline.domain.words import sentence_of
from ecauto_pipeline.errors import CallError
from ecauto_pipeline.settings import BaseAccount, Settings, load
from ecauto_pipeline.shops import base
from ecauto_pipeline.state import salts
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.wiring.accounts import base_accounts, known_accounts
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline.wiring.shop_tokens import seal, sealed_home

if TYPE_CHECKING:
    from ecauto_pipeline.fleet.seal import Seal
    from ecauto_pipeline.fleet.sealed_tokens import SealedTokenHome

COMMAND = typer.Typer(
    help="複数台で動かすときの、トークンを封印する鍵。 The key that seals a fleet's tokens.",
    no_args_is_help=True,
    add_completion=False,
)
_LIES = {
    "newest": ("新しい鍵で封印済み", "sealed by the newest key"),
    "older": ("古い鍵で封印 (ecauto keys rotate)", "sealed by an older key (ecauto keys rotate)"),
    "unopened": ("手元の鍵では開けません", "no key of this machine opens it"),
    "clear": ("封印されていません (ecauto keys seal)", "not sealed (ecauto keys seal)"),
    "none": ("トークンがありません", "no tokens in state"),
}
_SECRETS = {salts.ORDERS: ("注文の識別", "names of orders")}
"""The installation's own secrets, as people call them."""
_Account = Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="ショップ(省略: すべて) / one shop; else all")]
_Yes = Annotated[bool, typer.Option("--yes", help="確認せずに行う / do not ask")]


@COMMAND.callback()
def _keys() -> None:
    """封印の鍵。 The key of the seal."""


@COMMAND.command("new")
def new() -> None:
    """新しい鍵を1度だけ表示します。どこにも保存しません。 Print a fresh key, once; it is kept nowhere."""
    try:
        from ecauto_pipeline.fleet.seal import new_key
    except ModuleNotFoundError as error:
        name = error.name
        fail(
            f"this needs the Python package {name}: install ecauto-pipeline[fleet]",
            ja=f"Python のパッケージ {name} が必要です（ecauto-pipeline[fleet]）",
        )
    say(new_key())


@COMMAND.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="JSONで出力 / as JSON")] = False) -> None:
    """どのショップのトークンがどの鍵で封印されているかを示します。 Under which key each shop's tokens lie."""
    from ecauto_pipeline.fleet import keys, sealed_salts

    with _opened() as here:
        how = {name: "none" for name in here.shops} | dict(keys.lie(here.rows, base.PLATFORM, here.seal))
        own = sealed_salts.lie(here.tools.state, here.seal)
    if as_json:
        print_json({"tokens": how, "secrets": own})
        return
    columns = (told("ショップ", "shop"), told("状態", "state"))
    rows = [(name, _LIES[one][language() != "ja"]) for name, one in how.items()]
    rows += [(_named(name), _LIES[one][language() != "ja"]) for name, one in own.items()]
    table(told("封印", "Seals"), columns, rows)


@COMMAND.command("rotate")
def rotate() -> None:
    """すべてを新しい鍵で封印し直し、その件数を示します。途中で止まっても、もう一度実行すれば続きから終わります。

    Seal everything under the newest key; says how many. Whenever it dies, running it again ends it.
    """
    from ecauto_pipeline.fleet import keys, sealed_salts

    with _opened() as here, _calls():
        own = sealed_salts.rotate(here.tools.state, here.seal)
        done = keys.rotate(here.rows, base.PLATFORM, here.seal, {name: here.home(name) for name in here.rows.each()})
    resealed, already = done.resealed + own.resealed, done.already + own.already
    en = f"{resealed} sealed anew, {already} lay under the newest key already"
    say(told(f"{resealed}件を封印し直しました(すでに新しい鍵のもの {already}件)。", f"{en}."))
    if done.unopened or own.unopened:
        names = ", ".join([*done.unopened, *map(_named, own.unopened)])
        fail(
            f"no key here opens: {names}; keep the old keys",
            WITH_ERRORS,
            ja=f"開けないもの: {names}。古い鍵は消さないでください",
        )
    say(told("古い鍵は消してかまいません。", "The old keys may go."))


@COMMAND.command("seal")
def seal_files(account: _Account = "") -> None:
    """トークンのファイルを封印してstateに移し、ファイルを消します。 Token files into state, sealed."""
    from ecauto_pipeline.fleet import keys, sealed_salts

    with _opened() as here, _calls():
        sealed_salts.rotate(here.tools.state, here.seal)
        former = keys.former_state(here.settings.data_dir, here.tools.state, base.PLATFORM)
        for name in here.named(account):
            path = here.settings.token_file(here.shops[name])
            moved = keys.move_in(here.rows, here.home(name), path, name, former.get(name))
            said = ("封印しました", "sealed") if moved else ("トークンがありません", "has no tokens")
            say(f"{name}: {told(*said)}")


@COMMAND.command("unseal")
def unseal(account: _Account = "", yes: _Yes = False) -> None:
    """1台に戻すとき: stateのトークンをファイル(本人だけが読める)に移し、stateから消します。

    Back to one machine: tokens out of state into private files of this machine, then none of them in state.
    """
    from ecauto_pipeline.fleet import keys, sealed_salts

    with _opened() as here, _calls():
        ask = told(
            "ほかのマシンはこのショップを更新できなくなります。よろしいですか",
            "No other machine can work on these shops then. Go on",
        )
        _asked(ask, yes)
        for name in here.named(account):
            moved = keys.move_out(here.rows, here.home(name), here.settings.token_file(here.shops[name]), name)
            said = (
                ("ファイルに移しました", "moved into its file") if moved else ("トークンがありません", "has no tokens")
            )
            say(f"{name}: {told(*said)}")
        if not account:
            sealed_salts.unseal(here.tools.state, here.seal)


@COMMAND.command("forget")
def forget(
    account: Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="ショップ / the shop")] = "",
    orders: Annotated[bool, typer.Option("--orders", help="注文を識別する秘密 / the secret that names orders")] = False,
    yes: _Yes = False,
) -> None:
    """鍵をなくしたとき: 開けないトークンをstateから消します。あとで認可し直します。

    The key is lost for good: drop tokens that no key opens; then `ecauto auth base`. --orders drops the secret behind
    the names of orders: the next run makes another, and orders of the last minutes may be told of once more.
    """
    if bool(account) == orders:
        fail("name one ACCOUNT, or --orders", ja="ACCOUNT か --orders のどちらか一つを指定してください")
    with _opened() as here:
        if orders:
            _forget_orders(here, yes)
            return
        (name,) = here.named(account)
        document = here.rows.load(name)
        if document is None:
            fail(f"{name} has no tokens in state", ja=f"{name}: stateにトークンがありません")
        ask = told(
            "認可し直すまでこのショップは止まります。よろしいですか",
            "The shop stops until it is authorised anew. Go on",
        )
        _asked(ask, yes)
        here.rows.forget(name, document)
    say(told(f"{name}: 消しました。次: ecauto auth base {name}", f"{name}: dropped; next: ecauto auth base {name}"))


def _forget_orders(here: _Here, yes: bool) -> None:
    from ecauto_pipeline.fleet import sealed_salts

    _asked(
        told(
            "直近の注文がもう一度通知され、数えられることがあります。よろしいですか",
            "Orders of the last minutes may be told of and counted once more. Go on",
        ),
        yes,
    )
    name = _named(salts.ORDERS)
    if not sealed_salts.forget(here.tools.state, salts.ORDERS):
        fail(f"state has no secret for: {name}", ja=f"stateに秘密がありません: {name}")
    say(told(f"{name}: 消しました。次の実行が作り直します。", f"{name}: dropped; the next run makes another."))


def _named(secret: str) -> str:
    return told(*_SECRETS.get(secret, (secret, secret)))


@dataclass(frozen=True, slots=True)
class _Here:
    """What every one of them works on."""

    settings: Settings
    tools: Tools
    shops: Mapping[str, BaseAccount]
    seal: Seal

    @property
    def rows(self) -> TokenWriteAhead:
        return TokenWriteAhead(self.tools.state, base.PLATFORM)

    def home(self, account: str) -> SealedTokenHome:
        return sealed_home(self.settings, account, self.tools.state, self.tools.clock, self.seal, time.sleep)

    def named(self, account: str) -> list[str]:
        """The shop of this name, or all, those that are switched off too: their tokens are secrets as well."""
        if account:
            known_accounts(self.settings, (account,), base.PLATFORM)
        return [account] if account else list(self.shops)


@contextmanager
def _opened() -> Iterator[_Here]:
    """Raises SettingsError where there is no fleet, or no key."""
    settings = load()
    if not settings.fleet.on:
        fail(
            "[fleet] on is false: this machine's tokens are in files, and nothing is sealed",
            ja="[fleet] on が false です。1台ではトークンはファイルにあり、封印するものはありません",
        )
    shops = {shop.id: shop for shop in base_accounts(settings)}
    with open_tools(settings, offline=True) as tools:
        yield _Here(settings, tools, shops, seal(settings))


@contextmanager
def _calls() -> Iterator[None]:
    try:
        yield
    except CallError as error:
        fail(str(error), WITH_ERRORS, ja=error.ja or sentence_of(error))


def _asked(question: str, yes: bool) -> None:
    if not yes and not typer.confirm(question):
        raise typer.Exit(USAGE)
