"""What is sent, before any channel dresses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """A title of one line, a plain text, and the same as data for programs (JSON values only)."""

    title: str
    body: str
    document: Mapping[str, object] = field(default_factory=dict)
