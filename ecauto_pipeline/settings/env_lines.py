"""Lines of a .env that python-dotenv would pass over: a secret in one of them would be missing without a word of ours.

Not for: the values (python-dotenv), or the file (cli, migrate).
"""

from __future__ import annotations

import io


def readable_lines(text: str) -> tuple[str, list[int]]:
    """The text without those that are neither NAME=value nor a comment, and their numbers, from 1, in order."""
    from dotenv.parser import parse_stream

    lines = list(parse_stream(io.StringIO(text)))
    readable = "".join(line.original.string for line in lines if not line.error)
    return readable, [line.original.line for line in lines if line.error]
