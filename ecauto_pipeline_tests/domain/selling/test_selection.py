"""Which listings a limited run works on."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.selection import best_sellers

_TIMES = st.none() | st.integers(0, 44_640).map(
    lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)
_ROWS = st.dictionaries(st.integers(0, 50).map(lambda n: ListingKey("base", f"a{n % 3}", str(n))), _TIMES)


def _key(n: int) -> ListingKey:
    return ListingKey("base", "a", str(n))


def test_best_sellers_come_first_and_the_never_sold_last() -> None:
    """With room for two of three, the two sold last are taken."""
    rows = [(_key(1), None), (_key(2), datetime(2026, 1, 1, tzinfo=UTC)), (_key(3), datetime(2026, 1, 2, tzinfo=UTC))]
    assert frozenset({_key(2), _key(3)}) == best_sellers(rows, 2)


@given(_ROWS, st.integers(0, 60), st.randoms())
def test_selection_is_of_the_size_asked_and_blind_to_input_order(
    rows: dict[ListingKey, datetime | None], limit: int, chance: random.Random
) -> None:
    """The same listings are chosen whatever the order they are met in, never more than asked."""
    shuffled = list(rows.items())
    chance.shuffle(shuffled)
    chosen = best_sellers(rows.items(), limit)
    assert min(limit, len(rows)) == len(chosen)
    assert chosen == best_sellers(shuffled, limit)


def test_no_limit_means_all() -> None:
    """Without max_items nothing is left out."""
    assert frozenset({_key(1), _key(2)}) == best_sellers([(_key(1), None), (_key(2), None)], None)
