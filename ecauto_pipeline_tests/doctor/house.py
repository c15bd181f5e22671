"""A house in which all is well: an installation in live mode, with a server that answers, in real files and folders.

Not for: what is made wrong in it (made_faults.py).
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import duckdb

from ecauto_pipeline.clock import ManualClock, jst
from ecauto_pipeline.doctor.examine import examine
from ecauto_pipeline.doctor.findings import Finding
from ecauto_pipeline.doctor.lines import LINES, Line
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.database import Database

NOW = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
PLACE = {"platform": "base", "account_id": "shop_1"}
NOBODY = 65534


@dataclass(slots=True)
class House:
    """An installation in live mode; a fault changes what it is made of. `skew_s`: the service's clock less ours."""

    folder: Path
    document: dict[str, Any] = field(
        default_factory=lambda: {
            "mode": "live",
            "base": {"accounts": [{"id": "shop_1"}]},
            "tiers": {"spend": "budget"},
            "alerts": {"channels": [{"kind": "slack", "url_env": "SLACK"}], "min_free_gb": 0.0},
        }
    )
    environ: dict[str, str] = field(
        default_factory=lambda: {
            **dict.fromkeys(("SP_API_REFRESH_TOKEN", "LWA_APP_ID", "LWA_CLIENT_SECRET"), "secret"),
            **dict.fromkeys(("SHOP_1_CLIENT_ID", "SHOP_1_CLIENT_SECRET", "SLACK"), "secret"),
        }
    )
    skew_s: float = 0.0
    endpoints: dict[str, str] = field(default_factory=dict)
    import_path: list[str] = field(default_factory=list)
    no_rights: bool = False
    held: sqlite3.Connection | None = None
    other: subprocess.Popen[str] | None = None

    def file(self, name: str) -> Path:
        return self.folder / name

    def kept(self, statement: Any, **values: object) -> None:
        """One row in state.db."""
        state = Database(f"sqlite:///{self.folder}/data/state.db")
        with state.write() as connection:
            connection.execute(statement.insert().values(**values))
        state.close()

    def register(self, statement: str) -> None:
        with closing(sqlite3.connect(self.file("data/master.db"))) as database:
            database.execute(statement)
            database.commit()

    def examined(self, language: str = "en", lines: Sequence[Line] = LINES) -> list[Finding]:
        settings = parse(self.document, self.folder)
        sys.path[:0] = self.import_path
        try:
            rights = without_rights() if self.no_rights else nullcontext()
            with rights:
                clock = ManualClock(NOW)
                return examine(settings, self.environ, clock, language=language, endpoints=self.endpoints, lines=lines)
        finally:
            del sys.path[: len(self.import_path)]


def build(folder: Path) -> Path:
    """The files of a house in which all is well: token, register, state, history, .env."""
    folder.mkdir()
    write_token(folder / "data/tokens/shop_1_token.json", NOW - timedelta(days=2))
    Register.create(folder / "data" / "master.db", [], [])
    Database(f"sqlite:///{folder}/data/state.db").close()
    with duckdb.connect(str(folder / "data/history.duckdb")) as history:
        history.execute("CREATE TABLE snapshots (a INTEGER)")
    (folder / ".env").write_text("A=1", encoding="utf-8")
    (folder / ".env").chmod(0o600)
    return folder


@contextmanager
def house(template: Path) -> Iterator[House]:
    """A copy of a built one, with a service whose clock is ours."""
    outside = Path(tempfile.mkdtemp(prefix="house_"))  # pytest's own folders are closed to a user without rights
    outside.chmod(0o755)
    made = House(shutil.copytree(template, outside / "house"))
    try:
        with _service(made) as url:
            made.endpoints = {"base": url}
            yield made
    finally:
        if made.held is not None:
            made.held.close()
        if made.other is not None:
            made.other.communicate()
        remove(outside)


def remove(folder: Path) -> None:
    """A folder and all in it, also where rights were taken away."""
    folder.chmod(0o755)
    for one in folder.iterdir():
        remove(one) if one.is_dir() else one.unlink()
    folder.rmdir()


def write_token(path: Path, obtained: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "access_token": "a",
        "refresh_token": "r",
        "obtained_at": jst(obtained).replace(tzinfo=None).isoformat(),
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    path.chmod(0o600)


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user who owns nothing here and may write nothing; what others may read, they may."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@contextmanager
def _service(made: House) -> Iterator[str]:
    """Answers 404 to everything, and says what time it takes it to be."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(404)
            self.send_header("Date", format_datetime(NOW + timedelta(seconds=made.skew_s), usegmt=True))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
