"""BASE (thebase.in): shops with an API."""

PLATFORM = "base"
ALSO_CALLED = ("base_main",)
"""What the owner's old scripts wrote into master.db."""
