"""What the desk works with: the settings as they are now, tools that read and decide, commands it has started.

The tools are opened at the first look and opened anew when ecauto.toml has changed; a locked state.db makes a look
fail, not the desk. Not for: what a page shows (pages/), or who may come in (gate.py).
"""

from __future__ import annotations

import getpass
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Literal

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.desk.commands import Commands
from ecauto_pipeline.desk.pictures import Pictures
from ecauto_pipeline.desk.sessions import Sessions, password_of
from ecauto_pipeline.desk.shared_looks import SharedLooks
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings, config_path, load
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.wiring.open import open_tools

BUSY_TIMEOUT_S = 2.0
"""A page waits no longer for a state.db that somebody holds; a run would wait a minute."""
CACHE_KB = 1_024
"""Of state.db each connection keeps no more in memory: a desk has several, and a page reads little."""
WAITED_FOR_S = 1.0
"""So soon after state.db could not be opened nobody waits for it again: the questions of one page wait together."""
LOG_NAME = "desk"


class Office:
    """One for each process of the desk. Safe to share between threads."""

    def __init__(self, port: int = 0, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """`port`: another one than `[desk] port`. Raises SettingsError."""
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.Lock()
        self._opened: tuple[Settings, Tools] | None = None
        self._failed: tuple[Settings, float, Exception] | None = None
        self._stack = ExitStack()
        self._read = load()
        self._stamp = _stamp()
        self.host, self.port = self._read.desk.host, port or self._read.desk.port
        self.sessions = Sessions(password_of(self._read.desk, os.environ), SystemClock())
        self.looks = SharedLooks()
        self.commands = Commands(self._read.data_dir / "desk")
        self.pictures = Pictures(self._read.data_dir / "pictures")

    @property
    def settings(self) -> Settings:
        """ecauto.toml as it is now. Raises SettingsError where somebody has just broken it."""
        with self._lock:
            stamp = _stamp()
            if stamp != self._stamp:
                self._read, self._stamp = load(), stamp
            return self._read

    @property
    def language(self) -> Literal["ja", "en"]:
        """The owner's, for an address that names none; also while ecauto.toml is broken."""
        with suppress(SettingsError):
            return self.settings.alerts.language
        return self._read.alerts.language

    @property
    def who(self) -> str:
        """Whose word it is that is given here, as it stands beside what was approved or stopped."""
        return f"{getpass.getuser()} (desk)"

    @contextmanager
    def tools(self) -> Iterator[Tools]:
        """Tools without shops and SP-API accounts: nothing is contacted. Raises SettingsError."""
        settings = self.settings
        with self._lock:
            if self._opened is None or self._opened[0] is not settings:
                failed = self._failed
                if failed is not None and failed[0] is settings and time.monotonic() - failed[1] < WAITED_FOR_S:
                    raise failed[2]
                try:
                    tools = self._stack.enter_context(
                        open_tools(
                            settings,
                            offline=True,
                            log_name=LOG_NAME,
                            busy_timeout_s=self._busy_timeout_s,
                            cache_kb=CACHE_KB,
                        )
                    )
                except Exception as error:
                    self._failed = settings, time.monotonic(), error
                    raise
                self._opened = settings, tools
            tools = self._opened[1]
        yield tools

    @property
    def address(self) -> str:
        """Where people open it."""
        return self.settings.desk.address_at(self.port) or f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Give back what is open. Commands that run go on: what they began has to end well."""
        self.pictures.close()
        self._stack.close()


def _stamp() -> tuple[str, int, int] | None:
    config = config_path()
    if config is None or not config.is_file():
        return None
    found = config.stat()
    return str(config), found.st_mtime_ns, found.st_size
