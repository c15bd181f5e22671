"""The owner's desk beside Dagster's servers: a process of its own that `ecauto dev` starts, looks after and ends.

Where it can't be served (its port is taken, it does not start) that is said, and everything else goes on without it.
Not for: what it serves (desk/), or the desk alone (desk.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from ecauto_pipeline.cli.console import say, told
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.wiring.ports import is_free

STARTS_WITHIN_S = 30.0
"""Longer than this nobody waits for its first answer; its address is said all the same."""
_ENTRY = "from ecauto_pipeline.cli import main; main()"


class DeskBeside:
    """`ecauto desk` as a child of this process. `log`: where it says what goes wrong."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._port, self._log = settings.desk.port, log
        self._address = settings.desk.address or f"http://127.0.0.1:{self._port}"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; where its port is taken that is said, and nothing is started."""
        if not is_free(self._port):
            say(
                told(
                    f"店主の画面は起動しません: ポート {self._port} は別のプログラムが使っています ([desk] port)",
                    f"no desk: port {self._port} is in use by another program ([desk] port)",
                ),
                style="yellow",
            )
            return
        command = [sys.executable, "-c", _ENTRY, "desk", "--parent-pid", str(os.getpid())]
        with self._log.open("ab") as output:
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def say_address(self) -> None:
        """Once it answers; that it did not start, where it has ended."""
        waited = 0.0
        while self._child is not None and waited < STARTS_WITHIN_S and not _answers(f"http://127.0.0.1:{self._port}"):
            if has_ended(self._child, 0.2):
                say(
                    told(
                        f"店主の画面は起動できませんでした。ログを見てください: {self._log}",
                        f"the owner's desk did not start; its log: {self._log}",
                    ),
                    style="yellow",
                )
                self._child = None
            waited += 0.2
        if self._child is not None:
            say(told(f"店主の画面: {self._address}", f"the owner's desk: {self._address}"))

    def look_after(self) -> None:
        """Start it again if it has ended: whoever works there would look at a dead page."""
        if self._child is not None and self._child.poll() is not None and is_free(self._port):
            self.start()

    def end(self) -> None:
        """End it; what it has started (a sync) goes on to its end."""
        if self._child is None:
            return
        with suppress(ProcessLookupError):
            self._child.terminate()
        if not has_ended(self._child, 10):
            self._child.kill()
            self._child.wait()


def _answers(url: str) -> bool:
    """Whether anybody serves people there; that they have to log in, or to come by another name, is an answer."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/desk.css", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def has_ended(child: subprocess.Popen[bytes], within_s: float) -> bool:
    """Whether it has ended, at the latest when so many seconds are over."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(within_s)
    return child.poll() is not None
