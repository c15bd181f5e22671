"""Finds the emulator that serves a folder, or starts one: a process of its own that ends with its parent, or by itself
when nobody calls.

For: wiring and the command line. Any number of processes may ask at once; one emulator results, found through
DIR/endpoint.json. Not for: what it answers.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from filelock import FileLock, Timeout

IDLE_EXIT_S = 900.0
_START_S = 30.0
_BEGUN = "started_by_ensure.json"
"""In the folder: the process id of the emulator that was started here, not by a person."""


class EmulatorFailed(RuntimeError):
    """The emulator did not come up; the message holds what it said."""


def ensure(
    data: Path,
    *,
    seed: int,
    listings: int,
    accounts: int,
    speed: float,
    parent_pid: int | None = None,
    start_s: float = _START_S,
) -> str:
    """The address of the emulator of `data`, started where none answers. Raises EmulatorFailed.

    One that is started here ends with `parent_pid`, or without that after `IDLE_EXIT_S` without a call. `start_s`: it
    has so long to come up, and so long is waited for somebody else who starts it.
    """
    data.mkdir(parents=True, exist_ok=True)
    url = running(data)
    if url is not None:
        return url
    starting = data / "starting.lock"
    try:
        with FileLock(starting, timeout=start_s):
            url = running(data)
            return url if url is not None else _start(data, seed, listings, accounts, speed, parent_pid, start_s)
    except Timeout:
        raise EmulatorFailed(f"somebody else has been starting the emulator for {start_s:.0f} s ({starting})") from None


def running(data: Path) -> str | None:
    """The address of the emulator that serves `data` now, None where there is none."""
    try:
        url = json.loads((data / "endpoint.json").read_text(encoding="utf-8"))["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if _answers(url) else None


def stop_if_started_here(data: Path) -> bool:
    """End the emulator of `data` where `ensure` started it. False for one that a person started, or none."""
    try:
        begun = json.loads((data / _BEGUN).read_text(encoding="utf-8"))
        serving = json.loads((data / "endpoint.json").read_text(encoding="utf-8"))["pid"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(begun == serving) and stop(data)


def stop(data: Path) -> bool:
    """End the emulator of `data`, by its process id. False where there is none."""
    if running(data) is None:
        return False
    pid = json.loads((data / "endpoint.json").read_text(encoding="utf-8"))["pid"]
    os.kill(pid, 15)
    return True


def register_rows(url: str) -> dict[str, Any] | None:
    """The owner's register as the world at `url` brings it along, None where it brings none."""
    try:
        with _direct().open(f"{url}/emulator/register", timeout=60) as answer:
            return dict(json.loads(answer.read()))
    except (OSError, ValueError):
        return None


def authorize_as_owner(authorization_url: str) -> str | None:
    """Follow the first step of an OAuth code flow as a browser would, to a world that agrees at once; its code."""
    parts = urlsplit(authorization_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        location = connection.getresponse().getheader("Location") or ""
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return parse_qs(urlsplit(location).query).get("code", [None])[0]


def _direct() -> urllib.request.OpenerDirector:
    """Without any proxy: worlds are on this machine."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answers(url: str) -> bool:
    try:
        with _direct().open(f"{url}/emulator/clock", timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _start(
    data: Path, seed: int, listings: int, accounts: int, speed: float, parent_pid: int | None, start_s: float
) -> str:
    command = [sys.executable, "-m", "ecauto_pipeline.emulator", "--data", str(data), "--seed", str(seed)]
    command += ["--listings", str(listings), "--accounts", str(accounts), "--speed", str(speed)]
    command += ["--idle-exit-s", str(IDLE_EXIT_S)] if parent_pid is None else ["--parent-pid", str(parent_pid)]
    log_path = data / "emulator.log"
    with log_path.open("ab") as log:
        detached: dict[str, Any] = (
            {"creationflags": 0x00000208} if sys.platform == "win32" else {"start_new_session": True}
        )
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **detached)
    deadline = time.monotonic() + start_s
    while time.monotonic() < deadline:
        url = running(data)
        if url is not None:
            pid = json.loads((data / "endpoint.json").read_text(encoding="utf-8"))["pid"]
            (data / _BEGUN).write_text(json.dumps(pid), encoding="utf-8")
            return url
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()  # it would go on starting with nobody who knows of it
    process.wait()
    said = log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    raise EmulatorFailed(f"the emulator did not start: {' '.join(said) or 'no word from it'}")
