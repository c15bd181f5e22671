"""The account of a run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import Decision, Diff, Kind
from ecauto_pipeline.domain.selling.row_counts import RowCounts, count_rows
from ecauto_pipeline_tests.domain.selling.listings_and_facts import a_diff

some_diffs = st.lists(
    st.builds(
        a_diff,
        st.integers(0, 99),
        st.sampled_from(Kind),
        st.none(),
        st.none(),
        decision=st.sampled_from(Decision),
        reason=st.sampled_from(["stale_price", "not_read"]),
    )
)


def test_numbers_that_do_not_add_up_are_not_a_success() -> None:
    """11 targets and nothing done with any of them was once reported as "nothing to update"."""
    assert not RowCounts(targets=11).adds_up()
    assert RowCounts(targets=11, skipped=11).adds_up()
    assert not RowCounts(targets=0, pushed=-1, failed=1).adds_up()
    assert RowCounts().adds_up()


@given(some_diffs, some_diffs)
def test_one_verdict_a_target_adds_up(first: list[Diff], second: list[Diff]) -> None:
    """Any verdicts give an account that adds up, and the account of two lists is the sum of theirs."""
    assert count_rows(first).adds_up()
    assert count_rows(first) + count_rows(second) == count_rows([*first, *second])
    assert len(first) == count_rows(first).targets
