"""What happened: every answer, decision, update, call and run, kept for questions about the past.

Immutable Parquet files are the proof, `history.duckdb` is the place to ask and can be rebuilt from them at any time.
Not for: anything a decision waits for (that is state.db), or the owner's register (master.db).
"""

import os

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
"""Before Arrow is loaded, which looks there once: what its own allocator was once given, 60 MB in a load of 100,000
rows, it keeps to the end of the process."""
os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
"""Before DuckDB is: what it frees it gives back at once. 20 MB less in the same load, for a second more."""
