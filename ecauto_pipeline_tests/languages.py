"""Which language a text is in, and where two are mixed in one.

Not for: what has to be said (test_words.py).
"""

from __future__ import annotations

import re

JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
_CODE = re.compile(
    r"(?:ecauto|pip|sudo|chmod|make|docker)\s[\x21-\x7e \t]*"  # commands
    r"|\[[^\]]*\]\s?\w*"  # [settings] keys
    r"|\([\x20-\x7e]*\)|（[\x20-\x7e]*）"  # codes and places beside the words
    r"|[\x21-\x7e]*[/\\=_.:][\x21-\x7e]*"  # paths, addresses, names of files and variables
    r"|'[^']*'|\"[^\"]*\"|「[^」]*」"  # what is quoted
)
_WORDS = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b")
_SENTENCE = re.compile(r"(?:\b[a-z][a-z']+[ ,;]+){2,}[a-z][a-z']+\b")


def half_english(text: str) -> str:
    """The English words in a row in a Japanese text, "" where there are none; commands, codes and names are none."""
    bare = _CODE.sub(" 。 ", text)
    found = _SENTENCE.search(bare)
    if found:
        return found[0]
    found = None if JAPANESE.search(text) else _WORDS.search(bare)
    return found[0] if found else ""


def half_japanese(text: str) -> str:
    """The Japanese letters in an English text."""
    return "".join(JAPANESE.findall(text))
