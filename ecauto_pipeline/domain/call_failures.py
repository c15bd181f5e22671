"""Why calls to Amazon fail as a whole, in words, with what a person does about it: the one table of it.

The run's summary, status, doctor, the alert and its check in the UI take the same sentence from here. A reason that is
not in it is an ASIN's own, or has no cause that a person can remove.
Not for: finding out which it is (amazon/wire.py), or reasons of rows (reasons.py, which has these words too).
Source: Amazon, "Connect to the SP-API" and "SP-API errors"; RFC 6749, 5.2, for what LWA answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CallFailure:
    """One reason: what it is, and what to do (`do_*`), each in Japanese and English."""

    code: str
    ja: str
    en: str
    do_ja: str
    do_en: str

    def what(self, language: str = "ja") -> str:
        """The words and the code."""
        return f"{self.en if language == 'en' else self.ja} ({self.code})"

    def remedy(self, language: str = "ja") -> str:
        return self.do_en if language == "en" else self.do_ja

    def sentence(self, language: str = "ja") -> str:
        """What it is and what to do, as everybody says it."""
        return f"{self.what(language)}{'; ' if language == 'en' else '。'}{self.remedy(language)}"


_ALL = (
    CallFailure(
        "lwa_invalid_client",
        "Amazonがクライアントシークレットを受け付けない(期限切れ、または誤り)",
        "Amazon refuses the client secret: it has expired, or is not the one of this application",
        "シークレットを更新し、新しいものを .env に入れてください (docs/ja/going-live.md の手順1)",
        "renew the secret and put the new one into .env (docs/going-live.md, step 1)",
    ),
    CallFailure(
        "lwa_invalid_grant",
        "Amazonでの認可が取り消された(リフレッシュトークンが無効)",
        "the authorisation at Amazon was revoked: the refresh token is not valid any more",
        "もう一度認可し、新しいリフレッシュトークンを .env に入れてください (docs/ja/going-live.md の手順1)",
        "authorise the application again and put the new refresh token into .env (docs/going-live.md, step 1)",
    ),
    CallFailure(
        "lwa_unauthorized_client",
        "Amazonがこのアプリケーションにトークンを出さない",
        "Amazon gives this application no token: it is not allowed to ask for one like this",
        "クライアントID、シークレット、リフレッシュトークンが同じ本番アプリケーションのものか確かめてください"
        " (docs/ja/going-live.md の手順1)",
        "see that client id, secret and refresh token are of one production application (docs/going-live.md, step 1)",
    ),
    CallFailure(
        "role_missing",
        "Amazonがアクセスを拒否している: アプリケーションにロールが足りない",
        "Amazon denies access to the resource: the application lacks a role",
        "ロール「価格設定」(Pricing)と「商品の出品」(Product Listing)を付け、もう一度認可してください"
        " (docs/ja/going-live.md の手順1)",
        "give it the roles Pricing and Product Listing, then authorise it again (docs/going-live.md, step 1)",
    ),
    CallFailure(
        "token_expired",
        "取り直してもアクセストークンが期限切れと言われる",
        "Amazon calls the access token expired, a fresh one too",
        "この機械の時計を確かめてください。合っていて続くなら、認可し直してください (docs/ja/going-live.md の手順1)",
        "look at the clock of this machine; if it is right and this stays, authorise anew (docs/going-live.md, step 1)",
    ),
    CallFailure(
        "unauthorized",
        "Amazonがアクセストークンを受け付けない",
        "Amazon refuses the access token",
        "アプリケーションの地域とロールを確かめ、もう一度認可してください (docs/ja/going-live.md の手順1)",
        "look at the region and the roles of the application, then authorise it again (docs/going-live.md, step 1)",
    ),
    CallFailure(
        "quota_exceeded",
        "Amazonの呼び出し上限",
        "Amazon's quota",
        "同じアプリケーションを使うほかのプログラムを止めてください。速さは自動で戻ります",
        "stop whatever else uses the same application; the pace recovers by itself",
    ),
    CallFailure(
        "name_not_resolved",
        "接続先の名前のアドレスが分からない(DNS)",
        "the name of the server can't be resolved (DNS)",
        "ネットワークとDNSの設定、[sp_api] の接続先のつづりを確かめてください",
        "look at the network, its DNS, and the spelling of the endpoints under [sp_api]",
    ),
    CallFailure(
        "tls_failed",
        "安全な接続(TLS)ができない: 証明書を信用できない",
        "no secure connection (TLS): the certificate can't be trusted",
        "時計と、通信の途中に入るウイルス対策やプロキシを確かめてください",
        "look at the clock, and at a virus scanner or proxy that opens the connection on its way",
    ),
    CallFailure(
        "proxy_refused",
        "プロキシが接続を通さない",
        "the proxy does not let the connection through",
        "環境変数 HTTPS_PROXY と NO_PROXY、プロキシの利用者名とパスワードを確かめてください",
        "look at HTTPS_PROXY and NO_PROXY in the environment, and at the proxy's user and password",
    ),
    CallFailure(
        "connection_failed",
        "接続先につながらない",
        "the server can't be reached",
        "ネットワーク、ファイアウォール、プロキシ(環境変数 HTTPS_PROXY)を確かめてください",
        "look at the network, the firewall, and the proxy (HTTPS_PROXY in the environment)",
    ),
    CallFailure(
        "timeout",
        "時間内に返事がない",
        "no answer in time",
        "続くときはネットワークを確かめてください。次の実行でもう一度試します",
        "if this stays, look at the network; the next run tries again",
    ),
    CallFailure(
        "server_trouble",
        "接続先の障害(HTTP 5xx)",
        "trouble at the other side (HTTP 5xx)",
        "待ってください。次の実行でもう一度試します",
        "wait; the next run tries again",
    ),
    CallFailure(
        "operation_gone",
        "Amazonにその操作がない(HTTP 404): 廃止されたか、移された",
        "Amazon does not know the operation (HTTP 404): it was removed or moved",
        "このプログラムの新しい版を入れてください。なければ [sp_api] without でその操作を止めておけます",
        "install a newer version of this program; where there is none, [sp_api] without can leave the operation out",
    ),
    CallFailure(
        "call_refused",
        "Amazonが呼び出しの形を受け付けない(HTTP 400): どのASINでも同じ",
        "Amazon refuses the call as such (HTTP 400), whatever ASIN it is about",
        "[sp_api] marketplace_id を確かめてください。合っていれば、このプログラムの新しい版を入れてください",
        "look at [sp_api] marketplace_id; if it is right, install a newer version of this program",
    ),
)
CALL_FAILURES: Final[dict[str, CallFailure]] = {one.code: one for one in _ALL}
"""Every one, by code."""

SHUT_OUT: Final = frozenset({"role_missing", "token_expired", "unauthorized"})
"""What Amazon says to who may not ask at all, besides whatever LWA says (`lwa_...`)."""


def failure_of(reason: str) -> CallFailure | None:
    """The failure that a reason of a call is; the same of LWA and of the SP-API. None: none of these."""
    bare = reason.removeprefix("lwa_")
    for code in (reason, bare):
        if code in CALL_FAILURES:
            return CALL_FAILURES[code]
    if bare.startswith("http_5"):
        return CALL_FAILURES["server_trouble"]
    if bare.startswith("http_404") and reason == bare:
        return CALL_FAILURES["operation_gone"]
    if bare == "http_429":
        return CALL_FAILURES["quota_exceeded"]
    return CALL_FAILURES["unauthorized"] if bare in ("http_401", "http_403") else None


@dataclass(frozen=True, slots=True)
class CallsMet:
    """What the calls of one run met: `failed` of `calls` did, `failure` is the commonest reason of it."""

    failure: CallFailure
    failed: int
    calls: int

    @property
    def all_failed(self) -> bool:
        return self.failed >= self.calls

    def counted(self, language: str = "ja") -> str:
        """How many failed, before the sentence that says why."""
        if language == "en":
            return f"{self.failed:,} of {self.calls:,} calls to Amazon failed:"
        return f"Amazonへの呼び出し {self.calls:,}回のうち {self.failed:,}回が失敗:"

    @property
    def share(self) -> float:
        return min(1.0, self.failed / self.calls) if self.calls else 1.0


def commonest(failed: Iterable[tuple[str, int]], calls: int) -> CallsMet | None:
    """From (reason, calls that failed for it), of `calls` in all. Ties go to the one further up in the table."""
    counts = dict.fromkeys(CALL_FAILURES, 0)
    for reason, number in failed:
        found = failure_of(reason)
        if found is not None:
            counts[found.code] += number
    code = max(counts, key=lambda one: counts[one])
    return CallsMet(CALL_FAILURES[code], sum(counts.values()), calls) if counts[code] else None
