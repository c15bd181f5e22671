"""Everything sealed, taken together: what lies under which key, all of it brought under the newest, tokens moved in
from the files of one machine and out again.

Each shop's step is done in its turn, so no renewal is under way meanwhile, and by itself, so that a death leaves every
shop with tokens that one of the two places has whole. Not for: the seal (seal.py), the turn (state/turns.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecauto_pipeline.errors import AccountBlocked, SettingsError, Transport
from ecauto_pipeline.fleet.seal import Seal, SealBroken, is_sealed
from ecauto_pipeline.fleet.sealed_tokens import SealedTokenHome, seal_name
from ecauto_pipeline.shops.base.token_file_home import TokenFileHome
from ecauto_pipeline.shops.base.tokens import TokenFile, Tokens, from_document, newest
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.oauth import TokenWriteAhead

Lies = Literal["newest", "older", "unopened", "clear"]
"""Of one shop's tokens in state: sealed by the newest key, by an older one, by none that is here, or not at all."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many were sealed anew, how many lay under the newest key already, and the shops that no key here opens."""

    resealed: int
    already: int
    unopened: tuple[str, ...]


def lie(rows: TokenWriteAhead, platform: str, seal: Seal) -> dict[str, Lies]:
    """Every shop that has tokens in state, and how they lie there. Nothing is changed."""
    return {account: lies(seal, seal_name(platform, account), text) for account, text in rows.each().items()}


def lies(seal: Seal, name: str, document: str) -> Lies:
    """How this one lies, sealed for `name` or not."""
    if not is_sealed(document):
        return "clear"
    if seal.is_newest(name, document):
        return "newest"
    try:
        seal.open(name, document)
    except SealBroken:
        return "unopened"
    return "older"


def rotate(rows: TokenWriteAhead, platform: str, seal: Seal, homes: Mapping[str, SealedTokenHome]) -> Rotated:
    """Seal everything under the newest key. Done twice, or again after a death, it ends the same.

    `homes`: of the shops with tokens in state. Raises Transport `token_lock` where a machine does not give back a turn.
    """
    resealed, already, unopened = 0, 0, []
    for account in sorted(rows.each()):
        name = seal_name(platform, account)
        with homes[account].turn():
            document = rows.load(account)
            how = "newest" if document is None else lies(seal, name, document)
            if document is None or how == "newest":
                already += document is not None
            elif how == "unopened":
                unopened.append(account)
            else:
                text = document if how == "clear" else seal.open(name, document)
                resealed += rows.swap(account, document, seal.close(name, text))
    return Rotated(resealed, already, tuple(unopened))


def move_in(rows: TokenWriteAhead, home: SealedTokenHome, path: Path, account_id: str, ahead: str | None) -> bool:
    """The newest of a shop's tokens into state, sealed, and then no file of them any more; False where there are none.

    They are sought in the file, in state (in clear, from when it was one machine's), and in `ahead`: what the state of
    that machine had. Raises AccountBlocked for a file that is none, Transport where a turn does not come.
    """
    files = TokenFileHome(path, rows, account_id)
    with files.turn(), home.turn():
        stands = rows.load(account_id)
        found = [TokenFile(path).read(), _clear(ahead)]
        sealed = None
        if stands is not None and is_sealed(stands):
            sealed = home.load()
        else:
            found.append(_clear(stands))
        tokens: Tokens | None = sealed
        for other in found:
            tokens = newest(other, tokens)
        if tokens is None:
            return False
        if tokens is not sealed and not home.take_in(tokens, stands):
            raise Transport("token_lock", "somebody else wrote these tokens meanwhile; try again")
        path.unlink(missing_ok=True)
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    return True


def move_out(rows: TokenWriteAhead, home: SealedTokenHome, path: Path, account_id: str) -> bool:
    """A shop's tokens out of state into their private file, then nothing of them in state; False where there are none.

    A death between the two leaves them in both: doing it again ends it. Raises Transport `token_key`, `token_lock`.
    """
    files = TokenFileHome(path, rows, account_id)
    with files.turn(), home.turn():
        tokens, stands = home.load(), rows.load(account_id)
        if tokens is None or stands is None:
            return False
        TokenFile(path).write(tokens)
        rows.forget(account_id, stands)
    return True


def former_state(data_dir: Path, database: Database, platform: str) -> Mapping[str, str]:
    """The documents that one machine's own state.db still has beside its token files; none where that is our state."""
    path = data_dir / "state.db"
    if database.url.get_backend_name() == "sqlite" or not path.is_file():
        return {}
    former = Database(f"sqlite:///{path.as_posix()}")
    try:
        return TokenWriteAhead(former, platform).each()
    finally:
        former.close()


def _clear(document: str | None) -> Tokens | None:
    if document is None or is_sealed(document):
        return None
    try:
        return from_document(document)
    except AccountBlocked as error:
        raise SettingsError(f"tokens in state: {error}", ja="stateにあるトークンを読めません") from None
