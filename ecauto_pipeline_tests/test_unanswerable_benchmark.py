"""What benchmarks.unanswerable makes of its figures: a ratio is told from a limit only as far as the seeds allow."""

from __future__ import annotations

from benchmarks.unanswerable import Cost, Ratio, report


def _costs(*wrong: float, exposed: float = 0.5, share: float = 0.013, longest_h: float = 24.0) -> list[Cost]:
    return [Cost(one, share, longest_h, exposed) for one in wrong]


def test_a_ratio_is_of_the_pairs_and_has_the_error_of_their_mean() -> None:
    """Worlds differ by far more than the two plays of one: ratios are taken seed by seed, then their mean."""
    found = Ratio.of([1.1, 1.8, 4.0], [1.0, 2.0, 4.0])
    assert (1.0, 3) == (round(found.mean, 9), found.seeds)
    assert round(0.1 / 3**0.5, 9) == round(found.error, 9)


def test_what_lies_within_two_errors_of_a_limit_is_not_told() -> None:
    """1.032 of two seeds that differ by a fifth says nothing of 1.03; it takes a sure mean to keep or to miss it."""
    assert Ratio(1.032, 0.05, 2).within(1.03) is None
    assert Ratio.of([1.0], [1.0]).within(1.03) is None
    assert Ratio(1.00, 0.01, 40).within(1.03) is True
    assert Ratio(1.06, 0.01, 40).within(1.03) is False
    assert 45 == Ratio(1.00, 0.05, 4).seeds_to_tell(1.03)


def test_where_the_orders_can_t_tell_the_looks_decide_and_it_is_said() -> None:
    """Two seeds apart by a fifth: no fault while the looks are as old as without the silent ones, one when they are
    older; what is sure of the orders is never outvoted."""
    base = _costs(2.0, 2.0)
    _, remarks, faults = report("budget", base, _costs(1.8, 2.2))
    assert (1, []) == (len(remarks), faults)
    assert [] != report("budget", base, _costs(1.8, 2.2, exposed=0.6))[2]
    assert [] != report("budget", base, _costs(2.4, 2.4))[2]
    _, remarks, faults = report("budget", base, _costs(2.0, 2.0, share=0.03, longest_h=30.0))
    assert (0, 2) == (len(remarks), len(faults))
