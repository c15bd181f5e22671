"""Our own emulator as the other side of emulated mode: starting it, its well-known values, the register it brings.

Not for: choosing it (connections.py) or what it answers (emulator/).
"""

from __future__ import annotations

from filelock import FileLock

from ecauto_pipeline.emulator import credentials, process
from ecauto_pipeline.emulator.credentials import BaseApp, SpAccount
from ecauto_pipeline.errors import RegisterError, SettingsError
from ecauto_pipeline.settings import Settings

authorize_as_owner = process.authorize_as_owner


def start(settings: Settings, parent_pid: int | None = None) -> str:
    """The address of this installation's emulator, started where none answers. Raises SettingsError.

    One that is started for `parent_pid` lives as long as that process.
    """
    world = settings.emulator
    try:
        return process.ensure(
            settings.data_dir / "emulator",
            seed=world.seed,
            listings=world.listings,
            accounts=world.accounts,
            speed=world.speed,
            parent_pid=parent_pid,
        )
    except process.EmulatorFailed as error:
        raise SettingsError(
            str(error),
            ja=f"エミュレーターを起動できません（{type(error).__name__}）。data/emulator のログを見てください",
        ) from None


def stop(settings: Settings) -> None:
    """End this installation's emulator; one that a person started is left alone."""
    process.stop_if_started_here(settings.data_dir / "emulator")


def shop_ids(count: int) -> tuple[str, ...]:
    """The ids of the emulator's first `count` shops."""
    return tuple(credentials.base_account_id(number) for number in range(1, count + 1))


def sp_account(number: int) -> SpAccount:
    """The well-known selling account in place `number` (0 ..); the last one for all beyond."""
    return credentials.SP_ACCOUNTS[min(number, len(credentials.SP_ACCOUNTS) - 1)]


def shop_application(account_id: str, place: int) -> BaseApp:
    """The application of a shop: by its id where that is one of the emulator's, else by its place (1 ..)."""
    try:
        return credentials.base_app(account_id)
    except ValueError:
        return credentials.base_app(credentials.base_account_id(place))


def seed_register(settings: Settings, world_url: str) -> None:
    """An emulated world brings its register along where there is none yet. Raises RegisterError where it does not.

    What lies in its place and is no file stays, and `listings` says so: a step that failed can be taken up.
    """
    from ecauto_pipeline.wiring.register_place import register_of, seed

    register = register_of(settings)
    if register.is_there() or (not settings.register_url and settings.master_db.exists()):
        return
    settings.master_db.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.data_dir / "seed.lock"):
        if register.is_there():
            return
        rows = process.register_rows(world_url)
        if rows is None:
            raise RegisterError(
                f"{register.name}: no such file, and this world brings none along",
                ja=f"{register.name} がありません。このエミュレーターは台帳を用意しません",
            )
        seed(settings, rows)
