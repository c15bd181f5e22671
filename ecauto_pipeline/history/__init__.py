"""What happened: every answer, decision, update, call and run, kept for questions about the past.

Immutable Parquet files are the proof, `history.duckdb` is the place to ask and can be rebuilt from them at any time.
Not for: anything a decision waits for (that is state.db), or the owner's register (master.db).
"""
