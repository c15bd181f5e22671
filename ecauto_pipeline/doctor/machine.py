"""The machine: room on the disk, folders that can be written, versions as pinned, services in reach, the clock.

Not for: what the program keeps (files.py).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path

import requests
from packaging.requirements import Requirement

from ecauto_pipeline.doctor.credentials import private
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.settings import Settings

DISTRIBUTION = "ecauto-pipeline"
LITTLE_ROOM, NO_ROOM = 2 * 1024**3, 256 * 1024**2
CLOCK_WARN_S, CLOCK_BAD_S = 30.0, 240.0
"""Access tokens are renewed 5 minutes early by our clock; beyond 4 minutes that is no margin any more."""

REACH_S = 5.0
Ask = Callable[[str], "tuple[int, datetime | None]"]


def disk(chart: Chart, settings: Settings) -> None:
    """Free bytes where the data folder is, or will be."""
    folder = _existing(settings.data_dir)
    free = shutil.disk_usage(folder).free
    text_ja, text_en = f"空き {free / 1024**3:.1f} GiB", f"{free / 1024**3:.1f} GiB free"
    do_ja, do_en = "空きを増やすか data を移してください", "make room, or move the data folder (ECAUTO_DATA_DIR)"
    if free < NO_ROOM:
        chart.bad("disk", text_ja, text_en, do_ja, do_en)
    elif free < LITTLE_ROOM:
        chart.warn("disk", text_ja, text_en, do_ja, do_en)
    else:
        chart.ok("disk", text_ja, text_en)


def permissions(chart: Chart, settings: Settings, environ: Mapping[str, str]) -> None:
    """The data folder can be written, .env is private, DAGSTER_HOME is usable where it is set."""
    folder = _existing(settings.data_dir)
    if os.access(folder, os.W_OK | os.X_OK):
        chart.ok("data folder", "書き込めます", "can be written")
    else:
        chart.bad(
            "data folder",
            "書き込めません",
            "can't be written",
            "フォルダーの権限を直してください",
            "give the user that runs ecauto the right to write",
        )
    private(chart, ".env", settings.root / ".env")
    home = environ.get("DAGSTER_HOME", "")
    if home and not (Path(home).is_absolute() and Path(home).is_dir()):
        chart.bad(
            "DAGSTER_HOME",
            "絶対パスの既存フォルダーではありません",
            "is no absolute path of a folder that exists",
            "フォルダーを作るか、変数を消してください",
            "create the folder or unset the variable",
        )


def versions(chart: Chart) -> None:
    """Python and every package against what this program was made for."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    chart.ok("python", python, python)
    wrong = []
    for line in metadata.requires(DISTRIBUTION) or []:
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate():
            continue
        try:
            found = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{need.name} (-)")
            continue
        if not need.specifier.contains(found, prereleases=True):
            wrong.append(f"{need.name} {found} ({need.specifier})")
    if wrong:
        do = "pip install --require-hashes -r requirements.txt"
        chart.bad("packages", ", ".join(wrong), ", ".join(wrong), do, do)
    else:
        chart.ok("packages", "指定どおりです", "as pinned")


def reach(chart: Chart, endpoints: Mapping[str, str], now: Callable[[], datetime], ask: Ask | None = None) -> None:
    """Each endpoint answers at all (any HTTP status), and our clock agrees with theirs. No secret is sent."""
    skews = []
    for name, url in endpoints.items():
        try:
            status, there = (ask or _ask)(url)
        except requests.RequestException as error:
            reason = type(error).__name__
            chart.bad(
                f"endpoint {name}",
                f"接続できません: {reason}",
                f"no answer: {reason}",
                "ネットワークと ecauto.toml の endpoint を確認してください",
                "check the network and the endpoint in ecauto.toml",
            )
            continue
        chart.ok(f"endpoint {name}", f"応答あり (HTTP {status})", f"answers (HTTP {status})")
        if there is not None:
            skews.append((now() - there).total_seconds())
    if skews:
        _clock(chart, min(skews, key=abs))


def _clock(chart: Chart, skew_s: float) -> None:
    text_ja, text_en = f"ずれ {skew_s:+.0f}秒", f"{skew_s:+.0f} s off"
    do_ja, do_en = "時刻同期 (NTP) を有効にしてください", "switch on time synchronisation (NTP)"
    if abs(skew_s) > CLOCK_BAD_S:
        chart.bad("clock", text_ja, text_en, do_ja, do_en)
    elif abs(skew_s) > CLOCK_WARN_S:
        chart.warn("clock", text_ja, text_en, do_ja, do_en)
    else:
        chart.ok("clock", text_ja, text_en)


def _ask(url: str) -> tuple[int, datetime | None]:
    answer = requests.get(url, timeout=(REACH_S, REACH_S), allow_redirects=False, stream=True)
    with answer:
        date = answer.headers.get("Date")
    try:
        return answer.status_code, parsedate_to_datetime(date) if date else None
    except ValueError:
        return answer.status_code, None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    for one in (folder.absolute(), *folder.absolute().parents):
        if one.is_dir():
            return one
    return Path.cwd()
