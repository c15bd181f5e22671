"""PostgreSQL, Redis and an S3 server on loopback, for tests: each in a folder of its own, ended by its own pid.

PostgreSQL (15 or newer) and Redis come from the system (Debian and Ubuntu: the packages `postgresql` and
`redis-server`), the S3 server from the package moto. Each can be killed and started again with what it kept, which is
what the tests of deaths do: PostgreSQL keeps everything, Redis what `keeps_data` says, the S3 server nothing.
Not for: the program's own processes (machines.py) or fixtures (conftest.py).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from ecauto_pipeline.wiring.ports import free_port

STARTS_WITHIN_S = 30.0
ENDS_WITHIN_S = 10.0
MAX_CONNECTIONS = 100
"""PostgreSQL's own default: what a fleet has to live with."""


class Server:
    """One process that listens on a loopback port; the port stays the same from start to start."""

    end_signal = signal.SIGTERM
    packages = ""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"ecauto-{type(self).__name__.lower()}-"))
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it takes work now."""
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers. Raises RuntimeError with what it printed where it does not."""
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                [*_ends_with_us(self.end_signal), *self.command()],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.folder,
            )
        wait_for(lambda: self.answers() or self._ended(), STARTS_WITHIN_S, f"{type(self).__name__} to answer")
        if self._ended():
            raise RuntimeError((self.folder / "output.log").read_text(encoding="utf-8", errors="replace")[-2000:])

    def stop(self) -> None:
        """Asked to end, and waited for."""
        self._end(self.end_signal)

    def kill(self) -> None:
        """-9: nothing is said or saved."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Ended, and its folder gone."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _end(self, number: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(ENDS_WITHIN_S)


class PostgreSQL(Server):
    """A cluster with one superuser `ecauto`, trusted on loopback; data survive kill() and start().

    fsync is off: the tests end processes, never the computer, and what a process wrote the kernel keeps. `password`:
    stands in its addresses, though it lets everybody in.
    """

    end_signal = signal.SIGINT  # "fast": clients are cut off
    packages = "postgresql"

    def __init__(self, password: str = "") -> None:
        super().__init__()
        self._user = f"ecauto:{password}" if password else "ecauto"
        self._data = self.folder / "data"
        if os.geteuid() == 0:  # it refuses to run as root
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
        made = [_postgresql("initdb"), "-D", str(self._data), "-U", "ecauto", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*_as_postgres(), *made, "--no-locale"], check=True, capture_output=True, cwd=self.folder)

    def command(self) -> Sequence[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": MAX_CONNECTIONS,
            "fsync": "off",
        }
        given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        as_postgres = [*_as_postgres(), *_ends_with_us(self.end_signal)]  # a change of user forgets the latter
        return [*as_postgres, _postgresql("postgres"), "-D", str(self._data), *given]

    def answers(self) -> bool:
        ready = [_postgresql("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def kill(self) -> None:
        """-9 to every process of the server: one left behind would keep the next start from its memory."""
        children = _children(self.pid)
        super().kill()
        for pid in children:
            _kill(pid)
        wait_for(lambda: not any(_alive(pid) for pid in children), ENDS_WITHIN_S, "PostgreSQL's processes to end")

    def new_database(self) -> str:
        """An empty database of its own; returns its name."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.sql(f'CREATE DATABASE "{name}"')
        return name

    def drop_database(self, name: str) -> None:
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url(self, database: str, driver: str = "psycopg") -> str:
        """For SQLAlchemy; Dagster's own storage wants `driver="psycopg2"`."""
        return f"postgresql+{driver}://{self._user}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints of a statement, unaligned, without headings."""
        told = [_postgresql("psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        told += ["-U", "ecauto", "-d", database, "-c", statement]
        return subprocess.run(told, check=True, capture_output=True, text=True, cwd=self.folder).stdout.strip()


class Redis(Server):
    """`keeps_data`: whether a start after kill() finds what was there (every write is in its file) or nothing.
    `password` "" = whoever reaches it is let in."""

    packages = "redis-server"

    def __init__(self, keeps_data: bool = True, password: str = "") -> None:
        super().__init__()
        self.keeps_data, self._password = keeps_data, password

    def command(self) -> Sequence[str]:
        kept = ["--appendonly", "yes", "--appendfsync", "always"] if self.keeps_data else ["--appendonly", "no"]
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        options += ["--requirepass", self._password] if self._password else []
        return [_program("redis-server", self.packages), *options, *kept]

    def start(self) -> None:
        if not self.keeps_data:
            shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        super().start()

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) in (b"+PONG", b"-NOAU")  # "-LOADING" while it reads its file
        except OSError:
            return False

    def url(self, database: int = 0) -> str:
        guard = f":{self._password}@" if self._password else ""
        return f"redis://{guard}127.0.0.1:{self.port}/{database}"


@dataclass(frozen=True, slots=True)
class S3Bucket:
    """A bucket of its own and how to reach it; the keys are those of a test, secret to nobody."""

    endpoint: str
    bucket: str
    access_key: str = "testing-access"
    secret_key: str = field(default="testing-secret", repr=False)
    region: str = "us-east-1"

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that pyarrow and boto3 know, and boto3's for the endpoint."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def url(self, prefix: str = "history") -> str:
        return f"s3://{self.bucket}/{prefix}"


class S3(Server):
    """moto's S3 in memory: what it held is lost with its process; pause() and resume() are an outage that keeps it."""

    packages = "moto[server] of requirements-fleet-dev.txt"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def pause(self) -> None:
        """Nothing is answered any more; connections stay open, as to a machine that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        if not self._ended() and self._process is not None:
            self.resume()
        super().stop()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def new_bucket(self) -> S3Bucket:
        import boto3  # of the extra: whoever starts other servers alone needs none of it

        made = S3Bucket(self.endpoint, f"test-{uuid.uuid4().hex[:12]}")
        client = boto3.client(
            "s3",
            endpoint_url=made.endpoint,
            aws_access_key_id=made.access_key,
            aws_secret_access_key=made.secret_key,
            region_name=made.region,
        )
        client.create_bucket(Bucket=made.bucket)
        client.close()
        return made


def wait_for(happened: Callable[[], bool], within_s: float, what: str, every_s: float = 0.05) -> None:
    """Raises TimeoutError, which names `what`, where it has not happened in time."""
    until = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {within_s:g} s for {what}")
        time.sleep(every_s)


def _postgresql(program: str) -> str:
    """Debian keeps the server's programs out of PATH, by version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    for folder in reversed(versions):
        if (folder / program).is_file():
            return str(folder / program)
    return _program(program, PostgreSQL.packages)


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is not installed (Debian and Ubuntu: apt-get install {package})")
    return found


def _as_postgres() -> Sequence[str]:
    if os.geteuid() != 0:
        return ()
    return ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups")


def _ends_with_us(number: signal.Signals) -> Sequence[str]:
    """Whatever ends the tests, no server stays behind."""
    return ("setpriv", "--pdeathsig", number.name.removeprefix("SIG"))


def _children(pid: int) -> Sequence[int]:
    return [child.pid for child in psutil.Process(pid).children(recursive=True)] if _alive(pid) else []


def _alive(pid: int) -> bool:
    return bool(psutil.pid_exists(pid))


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
