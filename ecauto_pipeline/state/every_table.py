"""All tables of state.db, whichever module declares them: what is created, looked through and described.

Not for: the tables (schema.py and the modules named after it).
"""

from __future__ import annotations

from ecauto_pipeline.state import schema, schema_calls, schema_decisions, schema_notes, schema_runs

PARTS = (schema, schema_calls, schema_decisions, schema_notes, schema_runs)
"""Importing one declares its tables in schema.py's metadata."""

every_table = schema.metadata
