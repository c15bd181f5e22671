"""What a file or database error means for a person: which of a few things is wrong, and the next step, in one line.

Told apart by the system's and SQLite's own codes, never by their texts, which are in the system's language.
Not for: errors of the services (errors.py), or history's files (history/).
"""

from __future__ import annotations

import errno
import sqlite3
import traceback
from collections.abc import Mapping
from typing import Literal

from ecauto_pipeline.domain.words import sentence_of
from ecauto_pipeline.errors import EcautoError, RegisterBusy

Fault = Literal["full", "read_only", "forbidden", "in_the_way", "damaged", "busy", "io"]

_BY_ERRNO: Mapping[int, Fault] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read_only",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.EEXIST: "in_the_way",
    errno.ENOTDIR: "in_the_way",
    errno.EISDIR: "in_the_way",
    errno.EIO: "io",
}
_BY_SQLITE: Mapping[int, Fault] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "forbidden",
    sqlite3.SQLITE_CANTOPEN: "forbidden",
    sqlite3.SQLITE_PERM: "forbidden",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_IOERR: "io",
}
WORDS: Mapping[Fault, tuple[str, str]] = {
    "full": ("ディスクがいっぱいです", "the disk is full"),
    "read_only": ("読み取り専用の場所です", "the place is read-only"),
    "forbidden": ("書き込み・読み取りが許可されていません", "the right to read or write it is missing"),
    "in_the_way": ("フォルダーがあるはずの場所に別のものがあります", "something else stands where a folder belongs"),
    "damaged": ("ファイルが壊れています", "the file is damaged"),
    "busy": ("他のプログラムが使用中です", "another program is using it"),
    "io": ("ディスクの読み書きに失敗しました", "the disk failed to read or write"),
}
NEXT: Mapping[Fault, tuple[str, str]] = {
    "full": ("空きを増やしてもう一度実行してください", "make room, then run it again"),
    "read_only": (
        "書き込める場所に data を移してください (ECAUTO_DATA_DIR)",
        "move data to a place that can be written (ECAUTO_DATA_DIR)",
    ),
    "forbidden": (
        "フォルダーの持ち主と権限を直してください",
        "give the user that runs ecauto the right to its folder",
    ),
    "in_the_way": ("それを別の名前に変えてください", "give it another name"),
    "damaged": (
        "ecauto doctor で確認し、バックアップから戻してください",
        "look with ecauto doctor, restore it from a backup",
    ),
    "busy": ("そのプログラムを閉じるか、少し待ってください", "close that program, or wait a little"),
    "io": (
        "ディスクの空きと状態（接続、故障）を確認してください",
        "look whether the disk has room, is there and is sound",
    ),
}


def fault_of(error: BaseException) -> Fault | None:
    """The fault behind an error or one of its causes, None where it is none of these."""
    seen: BaseException | None = error
    while seen is not None:
        for one in (seen, getattr(seen, "orig", None)):
            code = getattr(one, "sqlite_errorcode", None)
            if isinstance(code, int) and code & 0xFF in _BY_SQLITE:
                return _BY_SQLITE[code & 0xFF]
            if isinstance(one, OSError) and one.errno is not None and one.errno in _BY_ERRNO:
                return _BY_ERRNO[one.errno]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


def sentence(error: BaseException, place: str = "", language: str = "ja") -> str:
    """The fault and the next step in one line, in "ja" or "en"; "" where the error is none of these."""
    fault = fault_of(error)
    if fault is None:
        return ""
    name = place or str(getattr(error, "filename", None) or "")
    where = f"{name}: " if name else ""
    if language == "en":
        return f"{where}{WORDS[fault][1]}; {NEXT[fault][1]}"
    return f"{where}{WORDS[fault][0]}。{NEXT[fault][0]}"


def told(error: BaseException, language: str = "ja") -> str:
    """What is wrong and the next step, in one line: our own errors speak for themselves, and a fault of the disk
    behind one is added. "" where the error is neither.
    """
    said = " ".join(sentence_of(error, language).split()) if isinstance(error, EcautoError) else ""
    if isinstance(error, RegisterBusy):  # which says by itself when it goes on
        return said
    return " → ".join(part for part in (said, sentence(error, "" if said else _place(error), language)) if part)


def _place(error: BaseException) -> str:
    """The file that the error is about: as it says itself; else the database of whoever asked, Dagster or we."""
    if name := getattr(error, "filename", None):
        return str(name)
    if not hasattr(error, "orig"):
        return ""
    modules = [
        str(frame.f_globals.get("__name__")).partition(".")[0] for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    asked = [name for name in modules if name in ("dagster", "ecauto_pipeline")]
    return "data/dagster" if asked[-1:] == ["dagster"] else "state.db"
