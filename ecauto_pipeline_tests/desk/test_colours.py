"""The desk's colours, light and dark, read out of its style: what stands on what can be read by everybody.

Not for: how a page looks (proofs/test_desk.py, in a browser).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecauto_pipeline.desk import server

STYLE = Path(server.__file__).with_name("style.css").read_text(encoding="utf-8")
AA = 4.5
"""Least contrast of text by WCAG 2.1, level AA. Source: https://www.w3.org/TR/WCAG21/#contrast-minimum."""
ON_PAPER = ("ink", "quiet", "link", "bad", "good", "doubtful")
PAIRS = (
    *((name, ground) for name in ON_PAPER for ground in ("paper", "ground")),
    *(("good", "good-ground"), ("bad", "bad-ground"), ("doubtful", "doubtful-ground"), ("ink", "plain-ground")),
)
"""Text and the ground it stands on: cards, the page, chips and banners."""


def colours(selector: str) -> dict[str, str]:
    """The variables that a rule sets, by name: "#rrggbb"."""
    found = re.search(rf"^{re.escape(selector)} \{{(.*?)\}}", STYLE, re.DOTALL | re.MULTILINE)
    assert found is not None, selector
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", found[1]))


def luminance(colour: str) -> float:
    """Relative luminance, 0 (black) to 1 (white), by WCAG."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_the_paper() -> None:
    """Black on white is 21, a colour on itself 1, whichever stands on which."""
    assert (21, 21, 1) == tuple(
        round(contrast(*pair)) for pair in (("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#a3201a", "#a3201a"))
    )


@pytest.mark.parametrize("theme", [":root", "body.body--dark"], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(theme: str) -> None:
    """In both themes, by level AA: the words of a chip, a banner, a note, a link."""
    shown = colours(theme)
    weak = {pair: round(contrast(shown[pair[0]], shown[pair[1]]), 2) for pair in PAIRS}
    assert {} == {pair: found for pair, found in weak.items() if found < AA}


def test_the_dark_theme_has_every_colour_of_the_light_one() -> None:
    """One that is forgotten stays light on dark; the door, which is dark before there is a page, takes the same."""
    light, dark = colours(":root"), colours("body.body--dark")
    assert set(light) == set(dark)
    (door,) = re.findall(r"^@media \(prefers-color-scheme: dark\) \{ \.desk-login \{(.*?)\}", STYLE, re.MULTILINE)
    of_the_door = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", door))
    assert of_the_door
    assert of_the_door == {name: dark[name] for name in of_the_door}
