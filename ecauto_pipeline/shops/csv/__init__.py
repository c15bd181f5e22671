"""Shops whose cart takes files: it exports its products as CSV, and imports a CSV of what should change."""

PLATFORM = "csv"
ALSO_CALLED: tuple[str, ...] = ()
