"""What spreadsheets save as CSV: bytes made text, and the spellings of one value made one.

Not for: what the columns mean (freshness/views_file.py, selling/rules_file.py) or opening files (sync/).
"""

from __future__ import annotations

import unicodedata


def decode(content: bytes) -> str:
    """UTF-8 with or without a mark, else the encoding of Japanese spreadsheets (cp932). Raises UnicodeError."""
    if b"\0" in content:
        raise UnicodeError("no text of one of these: UTF-16, or no text at all")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp932")


def plain(text: str) -> str:
    """Full-width letters and digits as ordinary ones (NFKC), every run of blanks as one, none at the ends."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).split())


def folded(text: str) -> str:
    """As `plain`, upper and lower case alike: for comparing words of people."""
    return plain(text).casefold()
