"""The owner's desk: one page where the shop owner works, on loopback, beside Dagster's UI (docs/desk.md).

A page draws what `views/` tells and calls what the commands call; it holds no rule and no SQL.
"""

from ecauto_pipeline.desk import socket_library as socket_library
