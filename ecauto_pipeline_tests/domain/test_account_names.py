"""What people call a shop."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.account_names import accounts_named, name_of
from ecauto_pipeline.domain.model import AccountKey, ListingKey

_KEYS = st.builds(AccountKey, st.sampled_from(["base", "csv"]), st.sampled_from(["shop_1", "shop_2", "shop_3"]))


def test_a_shop_is_called_by_its_id_while_that_is_enough() -> None:
    """The platform is said only where two platforms have a shop of the same id."""
    base, csv, other = AccountKey("base", "tokyo"), AccountKey("csv", "tokyo"), AccountKey("csv", "osaka")
    assert "tokyo" == name_of(base, [base, other])
    assert ["base:tokyo", "csv:tokyo", "osaka"] == [name_of(key, [base, csv, other]) for key in (base, csv, other)]


def test_a_name_that_fits_two_shops_names_both() -> None:
    """Nobody guesses which of two shops was meant."""
    base, csv = AccountKey("base", "tokyo"), AccountKey("csv", "tokyo")
    assert [base, csv] == accounts_named("tokyo", [csv, base])
    assert ([csv], []) == (accounts_named("csv:tokyo", [base, csv]), accounts_named("kyoto", [base, csv]))


@given(st.sets(_KEYS, min_size=1))
def test_every_shop_is_found_under_what_it_is_called(known: set[AccountKey]) -> None:
    """The names that reports show can be typed back, and mean the same shop."""
    for account in known:
        assert [account] == accounts_named(name_of(account, known), known)
        assert [account] == accounts_named(str(account), known)


def test_a_listing_knows_its_shop() -> None:
    """A listing's key holds its shop's."""
    assert AccountKey("csv", "tokyo") == ListingKey("csv", "tokyo", "77").account
