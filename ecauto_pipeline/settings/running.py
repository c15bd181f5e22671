"""The tables about the program itself: folders, schedules, alerts, logs, the emulated world.

Not for: anything about a shop or about Amazon.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ecauto_pipeline.settings.section import Section
from ecauto_pipeline.settings.values import Share


class Paths(Section):
    """Where files live; relative to the folder of ecauto.toml."""

    data: str = Field("data", description="folder of everything the program keeps (ECAUTO_DATA_DIR overrides)")
    master_db: str = Field(
        "data/master.db", description="the owner's register: an SQLite file, or an SQLAlchemy URL of PostgreSQL"
    )
    blocklist: str = Field("data/blocked_asins.json", description="ASINs that must never be public")
    rules: str = Field("data/rules.csv", description="optional rules per item (docs/rules.md)")
    views: str = Field("data/views.csv", description="optional page views: asin or item_id, viewed_at, count")


class State(Section):
    """What must survive a crash and be shared by processes."""

    url: str = Field("", description='"" = SQLite data/state.db; else an SQLAlchemy URL of SQLite or PostgreSQL')


class Slices(Section):
    """An hour is worked in slices, so that what is found early reaches the shop early."""

    minutes: float = Field(10.0, gt=0, le=55, description="API time of one run")


class Schedules(Section):
    """When the jobs run by themselves (live mode)."""

    stock: str = Field("0 * * * *", description="cron line of the stock run, Japanese time")
    price: str = Field("0 2 * * *", description="cron line of the price run, Japanese time")
    catalog: str = Field(
        "30 4 * * *", description="cron line of the catalogue run, Japanese time; asks what is too old"
    )
    include_price: Literal["never", "floor", "all"] = Field(
        "all", description='prices that the hourly run sends: "floor" = losses alone, the others wait for the price run'
    )


CHANNEL_KINDS = ("chatwork", "slack", "discord", "line", "email", "webhook")


class Channel(Section):
    """Where alerts go; every secret by the name of its environment variable."""

    kind: Literal["chatwork", "slack", "discord", "line", "email", "webhook"] = Field(description="the service")
    url_env: str = Field("", description="variable of the address (slack, discord, webhook; mail server for email)")
    token_env: str = Field("", description="variable of the token (chatwork, line)")
    room_id: str = Field("", description="the room (chatwork)")
    to: str = Field("", description="the recipient (line, email)")
    endpoint: str = Field("", description="another address of the service (a proxy, a test receiver)")


class Alerts(Section):
    """When to tell people, and how."""

    sp_api_error_rate: Share = Field(0.10, description="alert above this share of asked ASINs without an answer")
    base_error_rate: Share = Field(0.05, description="alert above this share of failed BASE calls")
    cache_hit_rate: Share = Field(0.80, description="alert below this share of ASINs fresh when a run looks")
    duration_factor: float = Field(2.0, gt=0, description="alert when a run takes longer than this times its plan")
    unconfirmed_factor: float = Field(
        3.0, ge=1, description="alert about what is on show and older than this times its tier's age"
    )
    min_free_gb: float = Field(2.0, ge=0, description="alert below this much room on the disk of the data folder (GiB)")
    min_attempts: int = Field(20, ge=1, description="under this many attempts a rate is shown, not judged")
    language: Literal["ja", "en"] = Field("ja", description="language of the messages")
    quiet_hours: str = Field(
        "", pattern=r"^(\d{2}:\d{2}-\d{2}:\d{2})?$", description='"23:00-07:00" JST: held back till the end'
    )
    daily_digest: str = Field("", pattern=r"^(\d{2}:\d{2})?$", description='"08:00" JST: one summary a day')
    ui_url: str = Field("http://127.0.0.1:3000", description="where Dagster's UI is, for the links in messages")
    heartbeat_url_env: str = Field(
        "", description="variable with the address asked after each good sync, with /fail after a bad one"
    )
    channels: tuple[Channel, ...] = Field((), description="where messages go; none is itself a warning")


_EVERY_ADDRESS = ("0.0.0.0", "::")


class Desk(Section):
    """The shop owner's page, beside Dagster's UI."""

    host: str = Field("127.0.0.1", min_length=1, description="address it listens on; any but loopback needs a password")
    port: int = Field(3001, ge=1, le=65535, description="its port")
    url: str = Field(
        "", description='its address for people, where a tunnel or proxy serves it ("" = the one it listens on)'
    )
    password_env: str = Field("", description="variable of the password; with one, everybody has to give it")
    metrics_token_env: str = Field(
        "", description="variable of the token by which Prometheus reads /metrics of a desk with a password"
    )

    @property
    def address(self) -> str:
        """Where people open it, as far as that is known: "" where it listens on every address and has no `url`."""
        return self.address_at(self.port)

    def address_at(self, port: int) -> str:
        """The same, were it served on another port."""
        if self.url or self.host in _EVERY_ADDRESS:
            return self.url.rstrip("/")
        return f"http://[{self.host}]:{port}" if ":" in self.host else f"http://{self.host}:{port}"


class Logs(Section):
    """data/logs, and Dagster's own records in data/dagster."""

    keep_days: int = Field(30, ge=1, description="log files older than this are removed")
    keep_runs: int = Field(3_000, ge=10, description="Dagster's records of runs kept (0.7 MB each); history stays")


class Emulator(Section):
    """The world of emulated mode."""

    seed: int = Field(1, description="another number, another world")
    listings: int = Field(1000, ge=0, description="listings in all its shops")
    accounts: int = Field(3, ge=1, le=20, description="shops; the last of several is switched off")
    speed: float = Field(60.0, gt=0, description="multiplies the rates it advertises and enforces")
