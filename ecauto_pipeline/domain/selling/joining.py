"""Whether an item of a shop and a row of the register are one listing that takes part, and of which ASIN.

The register's word wins; where the item's own code names another ASIN, nobody guesses: the listing is an orphan, is
reported and takes no part. Not for: reading either side.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecauto_pipeline.domain.selling.sku import asin_of, valid_asin

LISTED = "listed"
NO_REGISTER, NO_ITEM, ASIN_MISMATCH, BAD_ASIN = "no_register", "no_item", "asin_mismatch", "bad_asin"
"""Why a listing is an orphan."""


@dataclass(frozen=True, slots=True)
class RegisterSide:
    """The register's row of one item. `ambiguous`: other listed rows give the same item another ASIN."""

    register_id: int
    asin: str
    status: str
    visible: bool | None
    price_jpy: int | None
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """The outcome. `orphan`: "" | no_register | no_item | asin_mismatch | bad_asin."""

    asin: str | None
    orphan: str
    listed: bool


def join(identifier: str, present: bool, proven_absent: bool, register: RegisterSide | None) -> Joined:
    """One item (`present` in the shop, with its code) and its row of the register (None: there is none).

    `proven_absent`: a whole reading of the shop did not find it; without that, absence is not known.
    """
    said = asin_of(identifier)
    if register is None:
        return Joined(said, NO_REGISTER if present else "", False)
    if not present:
        absent = proven_absent and register.status == LISTED
        return Joined(register.asin or said, NO_ITEM if absent else "", False)
    if register.status != LISTED:
        return Joined(register.asin or said, "", False)
    if not valid_asin(register.asin):
        return Joined(None, BAD_ASIN, False)
    if register.ambiguous or (said is not None and said != register.asin):
        return Joined(register.asin, ASIN_MISMATCH, False)
    return Joined(register.asin, "", True)
