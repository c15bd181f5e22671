"""How a loss on show is counted (losses.py): by hand, so that a proof that counts none has something to stand on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from proofs.losses import Loss, Seen, losses

_START = datetime(2026, 6, 1, tzinfo=UTC)
_KEY = ("shop", "1")


def _at(minutes: float) -> datetime:
    return _START + timedelta(minutes=minutes)


def test_a_loss_lasts_from_the_answer_to_the_edit() -> None:
    """1,300 yen leave 1,300 - 47 - 40 - 39 = 1,174: that cost loses nothing, 1,175 a yen, until the price is 1,400."""
    happened = [
        Seen(_at(1), of_cost=True, cost_jpy=1174),
        Seen(_at(2), of_cost=True, cost_jpy=1175),
        Seen(_at(5), of_cost=True, cost_jpy=1180),
        Seen(_at(12), price_jpy=1400),
    ]
    assert [Loss(_KEY, _at(2), _at(12), -6)] == losses(_KEY, 1300, True, happened, _at(60))


def test_what_is_hidden_or_gone_loses_nothing() -> None:
    """A hide ends a loss, and so does an answer that there is nothing to buy; shown again at a loss it is a new one."""
    happened = [
        Seen(_at(0), of_cost=True, cost_jpy=2000),
        Seen(_at(1), visible=False),
        Seen(_at(2), visible=True),
        Seen(_at(3), of_cost=True, cost_jpy=None),
        Seen(_at(4), of_cost=True, cost_jpy=2000),
    ]
    spans = [(one.began, one.ended) for one in losses(_KEY, 1300, True, happened, _at(60))]
    assert [(_at(0), _at(1)), (_at(2), _at(3)), (_at(4), _at(60))] == spans


def test_the_night_of_the_shop_does_not_count() -> None:
    """Of a loss only the time in which the shop takes edits counts: the part before the night and the part after."""
    loss = Loss(_KEY, _at(0), _at(60), -1)
    assert timedelta(minutes=25) == loss.lasted((_at(10), _at(45)))
    assert timedelta(minutes=15) == loss.lasted((_at(-30), _at(45)))
    assert timedelta(minutes=60) == loss.lasted((_at(90), _at(120)))
