"""The lines of the doctor, once, in the order in which a person would repair things: causes before symptoms.

The program, its settings, the machine, the services, the shops' tokens, the files, what waits in them, who is told.
A line that rests on another is not judged while that one is bad. A test makes the faults of each line declared here.
Not for: looking (the module of each) or going through them (examine.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ecauto_pipeline.doctor import credentials, files, machine, servers, set_up, sp_api, state_book
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.installation import Installation


@dataclass(frozen=True, slots=True)
class Line:
    """`look` writes what it finds into the chart, nothing where there is nothing to say; `about`: at what, (ja, en).

    `after`: lines that this one rests on. `file`: what it reads, which rests on the data folder where it lies in it.
    """

    name: str
    look: Callable[[Chart, Installation], None]
    about: tuple[str, str]
    after: tuple[str, ...] = ()
    file: Callable[[Installation], Path | None] = lambda _here: None

    def causes(self, here: Installation) -> tuple[str, ...]:
        """The lines that this one rests on in this installation."""
        return (*self.after, "data folder") if here.in_data_folder(self.file(here)) else self.after


LINES = (
    Line("python", machine.python, ("Pythonの版", "the version of Python")),
    Line("packages", machine.packages, ("パッケージの版が指定どおりか", "every package is as pinned")),
    Line("mode", set_up.mode, ("モードと、それに合う接続先", "the mode, and addresses that go with it")),
    Line("shops", set_up.shops, ("有効なショップがあるか", "there is an active shop")),
    Line("spending", set_up.spending, ("呼び出しの使い方を選んだか", "how calls to Amazon are spent has been chosen")),
    Line("secrets", credentials.secrets, ("必要な環境変数がそろっているか", "every variable that is needed is set")),
    Line("state", set_up.state_url, ("[state] url が使えるか", "[state] url names a database that lasts")),
    Line("disk", machine.disk, ("空きが [alerts] min_free_gb 以上あるか", "room: at least [alerts] min_free_gb")),
    Line(
        "data folder",
        machine.data_folder,
        ("data とその下のフォルダーを読み書きできるか", "data and each folder in it can be read and written"),
    ),
    Line(".env", machine.env_file, (".env を本人だけが読めるか", ".env is for its owner alone")),
    Line("DAGSTER_HOME", machine.dagster_home, ("設定されていれば、使えるフォルダーか", "where set: a usable folder")),
    Line("endpoint", machine.reach, ("接続先が応答するか", "each service answers")),
    Line("clock", machine.clock, ("時計が接続先と合っているか", "our clock agrees with theirs")),
    Line(
        "PostgreSQL",
        servers.postgresql,
        (
            "複数台: 通信が暗号化されているか、Dagsterの記録につながるか",
            "a fleet: what goes there is encrypted, Dagster's records can be reached",
        ),
    ),
    Line(
        "Redis",
        servers.redis,
        ("複数台: 応答し、パスワードを求めるか", "a fleet: it answers, and wants a password"),
    ),
    Line(
        "object storage",
        servers.object_storage,
        (
            "履歴のバケットを一覧できるか。--ask なら書いて消せるか",
            "history's bucket can be listed; --ask: written and removed from",
        ),
    ),
    Line(
        "token",
        credentials.tokens,
        ("各ショップのトークンのファイルと残り日数", "each shop's token file, and how long it lives"),
        after=("data folder", "clock"),
    ),
    Line(
        "master.db",
        files.register,
        ("master.db が壊れておらず、列がそろい、書き戻せるか", "master.db is sound, whole, and can be written back to"),
        file=lambda here: here.settings.master_db,
    ),
    Line(
        "master.db rows",
        files.register_rows,
        ("master.db の値が意味の通る形か", "every value of master.db makes sense"),
        after=("master.db",),
    ),
    Line(
        "rules",
        files.rules,
        ("商品ごとの規則のファイルに誤りがないか", "the file of rules per item has no mistake"),
        file=lambda here: here.settings.rules,
    ),
    Line(
        "state.db",
        state_book.state,
        ("state.db が壊れておらず、読み書きできるか", "state.db is sound, and can be read and written"),
        after=("state",),
        file=lambda here: here.state_file,
    ),
    Line(
        "history",
        files.history,
        ("history.duckdb を開けるか", "history.duckdb can be opened"),
        file=lambda here: here.settings.data_dir,
    ),
    Line(
        "SP-API",
        sp_api.calls,
        (
            "Amazonへの前回の呼び出しの結果。--ask なら今、聞いてみる",
            "what the last calls to Amazon met; --ask: asked now",
        ),
        after=("secrets", "state.db"),
    ),
    Line("holds", state_book.holds, ("人の確認を待つ変更", "changes that wait for a person"), after=("state.db",)),
    Line("journal", state_book.unsettled, ("結果のわからない送信", "edits without an outcome"), after=("state.db",)),
    Line("budget", state_book.budgets, ("BASEの呼び出しの残り", "calls left at BASE"), after=("state.db", "clock")),
    Line("stop", state_book.stopped, ("人が止めた送信", "pushing that a person has stopped"), after=("state.db",)),
    Line("shop", state_book.breakers, ("停止中のショップと理由", "shops left alone, and why"), after=("state.db",)),
    Line(
        "master.db listings",
        state_book.register_falls,
        (
            "master.db の出品や商品名が急に減っていないか",
            "no shop lost too much of master.db at once",
        ),
        after=("state.db",),
    ),
    Line("alert channels", credentials.channels, ("通知先があるか", "somebody will be told")),
    Line("alert channel", state_book.each_channel, ("各通知先の設定と前回の結果", "each one is set up and works")),
)
