"""Laws of a line to BASE that breaks: an edit is repeated only where surely nothing of it had left."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import OutcomeUnknown, Transport
from ecauto_pipeline.shops.base.tokens import TokenFile, Tokens
from ecauto_pipeline_tests.shops.base.broken_lines import AFTER_THE_REQUEST, BrokenLine, broken_line
from ecauto_pipeline_tests.shops.base.shops_at_hand import NOON, Hands, set_up


def hands_at(folder: Path, line: BrokenLine, *, proxy: str = "", url: str = "", trusted: bool = True) -> Hands:
    """A shop at the other end of this line, or behind it where the line is a proxy's."""
    hands = set_up(folder, url or line.url, ManualClock(NOON))
    TokenFile(hands.token_path).write(Tokens("a", "r", NOON, NOON + timedelta(hours=1)))
    session = hands.wire._session
    session.verify = str(line.certificate) if trusted else True
    session.proxies = {"https": proxy} if proxy else {}
    return hands


def hide(hands: Hands) -> None:
    hands.shop.edit("1", Kind.VISIBILITY, 0)


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize("breaks", [*AFTER_THE_REQUEST, "redirect"])
def test_a_line_that_breaks_under_the_answer_leaves_an_edit_unknown(tmp_path: Path, breaks: str, proxied: bool) -> None:
    """BASE has the whole request and may have acted: one call, and the caller is told, with a proxy between or not."""
    with broken_line(tmp_path, breaks) as line:
        hands = hands_at(tmp_path, line, proxy=line.url.replace("https", "http") if proxied else "")
        with pytest.raises(OutcomeUnknown):
            hide(hands)
    assert ["item_id=1&visible=0"] == line.requests
    assert ["unknown"] == [row["outcome"] for row in hands.calls.of("items_edit")]


@pytest.mark.parametrize("breaks", [*AFTER_THE_REQUEST, "hello"])
def test_a_read_is_tried_again_however_the_line_breaks(tmp_path: Path, breaks: str) -> None:
    """It changes nothing: three tries, then Transport."""
    with broken_line(tmp_path, breaks) as line, pytest.raises(Transport):
        hands_at(tmp_path, line).shop.item("1")
    assert 3 == line.connections


def test_a_handshake_that_breaks_may_have_been_the_answer(tmp_path: Path) -> None:
    """What is raised is the same for both, so an edit counts as unknown and is read back."""
    with broken_line(tmp_path, "hello") as line, pytest.raises(OutcomeUnknown):
        hide(hands_at(tmp_path, line))
    assert (1, []) == (line.connections, line.requests)


def _a_certificate_of_nobody(folder: Path, line: BrokenLine) -> Hands:
    return hands_at(folder, line, trusted=False)


def _a_certificate_of_another(folder: Path, line: BrokenLine) -> Hands:
    return hands_at(folder, line, url=line.url.replace("127.0.0.1", "localhost"))


def _no_proxy(folder: Path, line: BrokenLine) -> Hands:
    return hands_at(folder, line, proxy=f"http://127.0.0.1:{a_free_port()}")


def _a_proxy_without_a_way(folder: Path, line: BrokenLine) -> Hands:
    return hands_at(folder, line, proxy=line.url.replace("https", "http"), url="https://shop.test")


def _nobody_there(folder: Path, line: BrokenLine) -> Hands:
    return hands_at(folder, line, url=f"https://127.0.0.1:{a_free_port()}")


@pytest.mark.parametrize(
    ("meets", "breaks"),
    [
        (_a_certificate_of_nobody, "end"),
        (_a_certificate_of_another, "end"),
        (_no_proxy, "end"),
        (_a_proxy_without_a_way, "tunnel"),
        (_nobody_there, "end"),
    ],
)
def test_an_edit_of_which_surely_nothing_left_is_tried_again(
    tmp_path: Path, meets: Callable[[Path, BrokenLine], Hands], breaks: str
) -> None:
    """Three tries, then Transport, and no request arrived."""
    with broken_line(tmp_path, breaks) as line:
        hands = meets(tmp_path, line)
        with pytest.raises(Transport) as failure:
            hide(hands)
    assert ("connect", 3, []) == (failure.value.reason, len(hands.calls.of("items_edit")), line.requests)
