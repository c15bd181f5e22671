"""The machine: versions as pinned, room on the disk, folders that can be written, services in reach, the clock.

Not for: what the program keeps (files.py, state_book.py).
"""

from __future__ import annotations

import re
import shutil
import sys
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path

import requests
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from ecauto_pipeline.alerts.rules.silence import disk_low
from ecauto_pipeline.doctor.credentials import private
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.doctor.rights import folder_fault, hindrance

DISTRIBUTION = "ecauto-pipeline"
NO_ROOM = 256 * 1024**2
"""Bytes below which no run can keep what it learns, whatever ecauto.toml says."""

CLOCK_WARN_S, CLOCK_BAD_S = 30.0, 240.0
"""Access tokens are renewed 5 minutes early by our clock; beyond 4 minutes that is no margin any more."""

REACH_S = 5.0


def python(chart: Chart, here: Installation) -> None:
    """Python is of a version that this program was made for."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    try:
        need = str(metadata.metadata(DISTRIBUTION)["Requires-Python"] or "")
    except metadata.PackageNotFoundError:
        need = ""  # said by the next line
    if SpecifierSet(need).contains(found, prereleases=True):
        chart.ok("python", found, found)
    else:
        text, do_ja, do_en = (
            f"{found} ({need})",
            f"Python {need} で入れ直してください",
            f"install it with Python {need}",
        )
        chart.bad("python", text, text, do_ja, do_en)


def packages(chart: Chart, here: Installation) -> None:
    """Every package as this program was made for."""
    try:
        needs = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        do = "pip install --no-build-isolation --no-deps -e ."
        chart.bad("packages", f"{DISTRIBUTION} が未導入です", f"{DISTRIBUTION} is not installed", do, do)
        return
    wrong = []
    for line in needs:
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate():
            continue
        try:
            found = _version(need.name)
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


def _version(package: str) -> str:
    """Of its headers alone: what a package says of itself besides is long, and metadata.version reads all of it.

    Raises PackageNotFoundError.
    """
    found = metadata.distribution(package)
    text_of = found.read_text  # by the name of one of its files
    head = (text_of("METADATA") or "").partition("\n\n")[0]
    said = re.search(r"^Version:[ \t]*(\S+)", head, re.MULTILINE)
    return said[1] if said else found.version


def disk(chart: Chart, here: Installation) -> None:
    """Room where the data folder is, or will be: at least `[alerts] min_free_gb`, as the alert has it."""
    free = shutil.disk_usage(_existing(here.settings.data_dir)).free
    verdict = disk_low(free, here.settings.alerts.min_free_gb)
    ja, en = verdict.message("ja"), verdict.message("en")
    if verdict.passed and free >= NO_ROOM:
        chart.ok("disk", ja, en)
    else:
        do_ja, do_en = "空きを増やすか data を移してください", "make room, or move the data folder (ECAUTO_DATA_DIR)"
        chart.bad("disk", ja, en, do_ja, do_en)


def data_folder(chart: Chart, here: Installation) -> None:
    """The data folder, and each folder in it, can be read and written."""
    if found := folder_fault(here.settings.data_dir):
        place, fault = found
        chart.fault("data folder", fault, str(place))
    else:
        chart.ok("data folder", "書き込めます", "can be written")


def env_file(chart: Chart, here: Installation) -> None:
    """Secrets are for their owner alone."""
    private(chart, ".env", here.settings.root / ".env")


def dagster_home(chart: Chart, here: Installation) -> None:
    """Where DAGSTER_HOME is set it is a folder that can be used; said only where it is not."""
    home = here.environ.get("DAGSTER_HOME", "")
    if not home:
        return
    if not (Path(home).is_absolute() and Path(home).is_dir()):
        chart.bad(
            "DAGSTER_HOME",
            "絶対パスの既存フォルダーではありません",
            "is no absolute path of a folder that exists",
            "フォルダーを作るか、変数を消してください",
            "create the folder or unset the variable",
        )
    elif fault := hindrance(Path(home)):
        chart.fault("DAGSTER_HOME", fault)


def reach(chart: Chart, here: Installation) -> None:
    """Each endpoint answers at all (any HTTP status). No secret is sent."""
    for name, url in here.endpoints.items():
        try:
            status, there = _ask(url)
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
            here.skews_s.append((here.clock.now() - there).total_seconds())


def clock(chart: Chart, here: Installation) -> None:
    """Our clock agrees with that of the services; said only where one of them told theirs."""
    if not here.skews_s:
        return
    skew_s = min(here.skews_s, key=abs)
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
    return next((one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir()), Path.cwd())
