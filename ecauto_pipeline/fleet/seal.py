"""The seal over secrets that lie in a database which others can read: Fernet, with a key that no database holds.

A seal names what it is for, so that one shop's tokens put in another's place are no tokens. The newest key seals, every
key opens. Not for: where sealed things lie (sealed_tokens.py) or when keys are changed (keys.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ecauto_pipeline.errors import EcautoError, SettingsError

MARK = "sealed:"
"""What a sealed text begins with; nothing in clear does."""


class SealBroken(EcautoError):
    """None of the keys at hand opens it, or it was sealed for something else."""


class Seal:
    """Seals and opens texts. The keys never show."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: newest first. Raises SettingsError for one that is none, without showing it."""
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise _no_key() from None
        self._newest, self._all = fernets[0], MultiFernet(fernets)

    def close(self, name: str, text: str) -> str:
        """`text` sealed for `name` under the newest key."""
        return MARK + self._newest.encrypt(f"{name}\n{text}".encode()).decode("ascii")

    def open(self, name: str, sealed: str) -> str:
        """The text again. Raises SealBroken."""
        return self._opened(self._all, name, sealed)

    def is_newest(self, name: str, sealed: str) -> bool:
        """Whether it lies under the newest key."""
        try:
            self._opened(self._newest, name, sealed)
        except SealBroken:
            return False
        return True

    def _opened(self, fernet: Fernet | MultiFernet, name: str, sealed: str) -> str:
        try:
            text = fernet.decrypt(sealed.removeprefix(MARK).encode()).decode()
        except (InvalidToken, UnicodeError):
            raise SealBroken(f"{name}: no key at hand opens its seal", ja=f"{name}: 手元の鍵では開けません") from None
        whose, _, content = text.partition("\n")
        if whose != name:
            raise SealBroken(f"{name}: sealed for {whose}", ja=f"{name}: {whose} のものです")
        return content


def is_sealed(text: str) -> bool:
    return text.startswith(MARK)


def new_key() -> str:
    """A fresh key, as the variable wants it: 44 characters."""
    return Fernet.generate_key().decode("ascii")


def seal_of(environ: Mapping[str, str], key_env: str, old_keys_env: str) -> Seal:
    """The seal of this installation. Raises SettingsError where a variable is missing or holds what is no key."""
    keys = _words(environ.get(key_env, ""))
    if len(keys) != 1:
        raise SettingsError(
            f"[fleet] key_env: {key_env} has to hold one key (a new one: ecauto keys new)",
            ja=f"[fleet] key_env: {key_env} に鍵を1つ入れてください（新しい鍵: ecauto keys new）",
        )
    old = _words(environ.get(old_keys_env, ""))
    for variable, named in ((key_env, keys), (old_keys_env, old)):
        if named and not all(map(_is_key, named)):
            raise _no_key(variable)
    return Seal([*keys, *old])


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _is_key(word: str) -> bool:
    try:
        Fernet(word)
    except ValueError:
        return False
    return True


def _no_key(variable: str = "a key") -> SettingsError:
    return SettingsError(
        f"{variable} is none that `ecauto keys new` makes",
        ja=f"{variable} の内容は ecauto keys new で作る鍵ではありません",
    )
