"""Whose browser may ask the desk."""

from __future__ import annotations

from pathlib import Path

import pytest
from nicegui.testing import User

from ecauto_pipeline_tests.desk.visitor import a_project, with_visitor

ASKED_WITH: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 200),
    ({"host": "localhost:3001"}, 200),
    ({"host": "shop.example:3001"}, 403),
    ({"host": "127.0.0.1:3001.shop.example"}, 403),
    ({"host": ""}, 403),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),  # a link in a message
)
"""Headers, and the code that they are answered with."""


def test_only_who_names_the_desk_gets_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign name that resolves to this machine is refused (DNS rebinding), and so is embedding by another site."""
    a_project(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        for headers, code in ASKED_WITH:
            answer = await visitor.http_client.get("/ja", headers=headers)
            assert code == answer.status_code, headers
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], headers

    with_visitor(scene)


def test_no_answer_may_load_anything_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by what the answer allows nor by what stands in the page, also behind a proxy that names a prefix."""
    a_project(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        answer = await visitor.http_client.get("/ja", headers={"x-forwarded-prefix": "//evil.example"})
        assert "evil.example" not in answer.text
        assert "http" not in answer.headers["content-security-policy"]
        assert [] == [line for line in answer.text.splitlines() if "://" in line and "w3.org" not in line]

    with_visitor(scene)
