"""What holds for every test: properties have no deadline, because a machine may be slow.

Not for: fixtures (they stand in the room that uses them).
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
