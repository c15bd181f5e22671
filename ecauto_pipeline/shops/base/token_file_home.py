"""Where the tokens of a shop live on one machine: a private file, a write-ahead in state, one lock for all processes.

The file is the older programs' (tokens.py); state has the new pair first. Not for: when to refresh (oauth.py), or a
fleet's tokens (fleet/sealed_tokens.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ecauto_pipeline.errors import AccountBlocked, Transport
from ecauto_pipeline.shops.base.ports import WriteAhead
from ecauto_pipeline.shops.base.tokens import TokenFile, Tokens, from_document, newest, to_document

LOCK_TIMEOUT_S = 120.0


class TokenFileHome:
    """The tokens of one shop in `path` and, ahead of it, in state."""

    def __init__(self, path: Path, write_ahead: WriteAhead, account_id: str) -> None:
        self._file, self._write_ahead, self._account_id = TokenFile(path), write_ahead, account_id
        self._lock_path = path.with_name(path.name + ".lock")
        self.problem = ""

    @contextmanager
    def turn(self) -> Iterator[Callable[[], bool]]:
        """Raises Transport `token_lock` where another process holds the lock for two minutes. It ends with its block or
        its process, and never by itself."""
        lock = FileLock(self._lock_path, timeout=LOCK_TIMEOUT_S, mode=0o600)
        try:
            self._lock_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except Timeout:
            raise Transport("token_lock", "another process holds the token's lock") from None
        except OSError as error:
            text = f"{self._lock_path.name} can't be made or locked ({type(error).__name__})"
            raise AccountBlocked("token", text) from None
        try:
            yield lambda: True
        finally:
            lock.release()

    def current(self) -> Tokens | None:
        """The newer of the two."""
        return newest(self._file.read(), self._ahead())

    def at_hand(self) -> None:
        """A file may be behind state: that is seen and healed in turn."""

    def load(self) -> Tokens | None:
        """The newest tokens; a file that a crash left behind is healed."""
        ahead = self._ahead()
        try:
            in_file = self._file.read()
        except AccountBlocked:
            if ahead is None:
                raise
            in_file = None
        tokens = newest(in_file, ahead)
        if tokens is not None and (in_file is None or tokens.refresh_token != in_file.refresh_token):
            self._write_file(tokens)
        return tokens

    def keep(self, tokens: Tokens) -> None:
        """State first: a death between the two loses nothing."""
        assert tokens.obtained_at is not None
        try:
            self._write_ahead.save(self._account_id, to_document(tokens), tokens.obtained_at)
        finally:  # the pair before is dead: where state can't be written the file is all there is
            self._write_file(tokens)

    def _ahead(self) -> Tokens | None:
        document = self._write_ahead.load(self._account_id)
        return None if document is None else from_document(document)

    def _write_file(self, tokens: Tokens) -> None:
        """State holds them already: a scanner, a sync client or a lost permission must not stop the shop."""
        try:
            self._file.write(tokens)
        except OSError as error:
            self.problem = f"{self._file.path.name}: {type(error).__name__}"
        else:
            self.problem = ""
