"""Object storage (S3 and what speaks like it) through pyarrow.fs: list, get, put, copy, remove whole objects.

A put is whole or not there: the bytes go in one request, or in parts that count only once the last one is
acknowledged; nobody can see half an object, and a kill leaves none (parts of a killed put are invisible, and a rule of
the bucket removes them). There is no rename and no lock. Credentials come from the environment by AWS's own names
alone, and no message holds one. Not for: what is kept where, or a copy on this machine (mirror.py).
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs as pafs

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.history.errors import HistoryError
from ecauto_pipeline.history.tables import TABLES

CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 10.0
ATTEMPTS = 2
_PIECE = 8 << 20
_PROBE = "doctor"
_NAME = re.compile(
    rf"({'|'.join(TABLES)})/(dt=\d{{4}}-\d\d-\d\d/hour=\d\d|month=\d{{4}}-\d\d)/[A-Za-z0-9][A-Za-z0-9_.-]*"
)
_AWS = re.compile(r"AWS Error (\w+) during (\w+)")


class ObjectStorageAway(HistoryError):
    """Object storage can't be reached or refuses us: come back later, nothing is lost. Says which call, no secret."""


@dataclass(frozen=True, slots=True)
class ObjectMark:
    """What a listing says of an object: its size, and when it was put."""

    size: int
    mtime_ns: int


class ObjectStore:
    """The objects below `root` (`bucket/prefix`) of a file system of pyarrow; names are paths below it."""

    def __init__(self, filesystem: pafs.FileSystem, root: str) -> None:
        self.filesystem = filesystem
        self.root = root.rstrip("/")

    def listing(self) -> dict[str, ObjectMark]:
        """Every object whose name is one of history's, one request a thousand. Raises ObjectStorageAway.

        A bucket that isn't there is away, not empty: an empty history would take the place of the whole copy.
        """
        found: dict[str, ObjectMark] = {}
        self._require_bucket()
        for table in TABLES:
            folder = pafs.FileSelector(f"{self.root}/{table}", recursive=True, allow_not_found=True)
            with _away("list"):
                infos = self.filesystem.get_file_info(folder)
            for info in infos:
                name = info.path.removeprefix(f"{self.root}/")
                if info.type == pafs.FileType.File and _NAME.fullmatch(name):
                    found[name] = ObjectMark(info.size, info.mtime_ns)
        return found

    def look(self) -> None:
        """That the bucket is there and lets us list below the prefix: two requests, however much there is. Raises
        ObjectStorageAway."""
        self._require_bucket()
        with _away("list"):
            self.filesystem.get_file_info(pafs.FileSelector(f"{self.root}/{_PROBE}", allow_not_found=True))

    def try_to_put(self) -> None:
        """That an object can be put below the prefix and taken away again; after a death in between it lies there, and
        nobody counts it as history. Raises ObjectStorageAway."""
        name = f"{_PROBE}/{secrets.token_hex(8)}"
        with _away("put"), self.filesystem.open_output_stream(self._path(name)) as stream:
            stream.write(b"ecauto doctor")
        self.remove(name)
        self.drop_empty(_PROBE)

    def get(self, name: str, target: Path) -> None:
        """The object's bytes into the file `target`. Raises FileNotFoundError, ObjectStorageAway."""
        with _away("get"):
            stream = self.filesystem.open_input_stream(self._path(name))
        with stream, target.open("wb") as file:
            while True:
                with _away("get"):
                    piece = stream.read(_PIECE)
                if not piece:
                    return
                file.write(piece)

    def put(self, source: Path, name: str) -> ObjectMark:
        """The file's bytes as the object `name`, in whose place another may stand. Raises ObjectStorageAway.

        In a thread of its own: an interrupt of this one must not end a put early, which would then count as whole.
        """
        with ThreadPoolExecutor(1) as alone:
            return alone.submit(self._put, source, name).result()

    def _put(self, source: Path, name: str) -> ObjectMark:
        content = source.read_bytes()
        with _away("put"):
            stream = self.filesystem.open_output_stream(self._path(name))
            stream.write(content)
            stream.close()
            info = self.filesystem.get_file_info(self._path(name))
        if info.size != len(content):
            raise ObjectStorageAway(
                f"object storage: {name} is not as it was put", ja=f"オブジェクトストレージ: {name} を書けませんでした"
            )
        return ObjectMark(info.size, info.mtime_ns)

    def remove(self, name: str) -> None:
        """Take it away; it may be gone already. Raises ObjectStorageAway."""
        try:
            with _away("remove"):
                self.filesystem.delete_file(self._path(name))
        except FileNotFoundError:
            return

    def drop_empty(self, folder: str) -> None:
        """Take away what a removal leaves of a "folder" that holds no object any more. Raises ObjectStorageAway."""
        path = self._path(folder)
        with _away("remove"):
            inside = self.filesystem.get_file_info(pafs.FileSelector(path, recursive=True, allow_not_found=True))
            if self.filesystem.get_file_info(path).type == pafs.FileType.Directory and not any(
                info.type == pafs.FileType.File for info in inside
            ):
                self.filesystem.delete_dir(path)

    def _require_bucket(self) -> None:
        bucket = self.root.split("/")[0]
        with _away("list"):
            there = not bucket or self.filesystem.get_file_info(bucket).type == pafs.FileType.Directory
        if not there:
            raise ObjectStorageAway(
                "object storage can't list: there is no such bucket",
                ja="オブジェクトストレージを使えません: そのバケットはありません",
            )

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"


def check_url(url: str, endpoint: str = "") -> None:
    """Raises SettingsError where `url` is none of `""`, `file:///folder` and `s3://bucket/prefix`, or holds more than
    that; so too for `endpoint`. Never repeats it: somebody may have written a key into it."""
    parts, other = urlsplit(url), urlsplit(endpoint)
    folder, bucket = parts.scheme == "file" and not parts.netloc and parts.path, parts.scheme == "s3" and parts.netloc
    if url and (not (folder or bucket) or "@" in url or parts.query or parts.fragment):
        raise SettingsError(
            'history.url: "", "file:///folder" or "s3://bucket/prefix" wanted, with no key in it'
            " (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY are variables of the environment)",
            ja='history.url: ""、"file:///フォルダー"、"s3://バケット/プレフィックス" のいずれかを書いてください。'
            "鍵は書かず、環境変数 AWS_ACCESS_KEY_ID と AWS_SECRET_ACCESS_KEY に置いてください",
        )
    if endpoint and (other.scheme not in ("http", "https") or not other.netloc or "@" in endpoint or other.query):
        raise SettingsError(
            "history.endpoint: an address like https://host:port wanted, with no key in it",
            ja="history.endpoint: https://ホスト:ポート の形で、鍵を入れずに書いてください",
        )


def open_objects(url: str, endpoint: str = "", environ: Mapping[str, str] = os.environ) -> ObjectStore:
    """The object storage of an `s3://bucket/prefix`; asks nobody yet. Raises SettingsError.

    `endpoint` ("" = AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else Amazon's own) is the address of another one that speaks
    S3. Region and credentials: as the AWS tools find them (AWS_REGION, AWS_ACCESS_KEY_ID, AWS_PROFILE, the machine's).
    """
    endpoint = endpoint or environ.get("AWS_ENDPOINT_URL_S3", "") or environ.get("AWS_ENDPOINT_URL", "")
    check_url(url, endpoint)
    parts, other = urlsplit(url), urlsplit(endpoint)
    filesystem = pafs.S3FileSystem(
        region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None,
        endpoint_override=other.netloc or None,
        scheme=other.scheme or "https",
        connect_timeout=CONNECT_TIMEOUT_S,
        request_timeout=REQUEST_TIMEOUT_S,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        allow_bucket_creation=False,
    )
    return ObjectStore(filesystem, f"{parts.netloc}/{parts.path.strip('/')}")


@contextmanager
def _away(doing: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as wrong:
        said = _AWS.search(str(wrong))
        why = f"{said[1]} during {said[2]}" if said else type(wrong).__name__
        raise ObjectStorageAway(
            f"object storage can't {doing}: {why}", ja=f"オブジェクトストレージを使えません（{doing}: {why}）"
        ) from None
