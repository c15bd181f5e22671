"""Moving from the older scripts: their accounts, tokens, prices, alerts and blocklist, in our files.

Not for: their JSON cache (`ecauto cache import`) or their register, which is used where it stands.
"""

from ecauto_pipeline.migrate.import_settings import LegacyReport, Step, import_legacy

__all__ = ["LegacyReport", "Step", "import_legacy"]
