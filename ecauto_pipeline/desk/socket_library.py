"""The library of NiceGUI's sockets, without what only its clients need.

python-socketio imports its clients beside its server, and one of them imports aiohttp: 9 MB that no page needs. It does
without where aiohttp can't be imported, so that is what it meets here. Comes before nicegui (desk/__init__.py).
Not for: requests, which the other client imports: the desk fetches pictures with it.
"""

from __future__ import annotations

import sys

_UNUSED = "aiohttp"

if _UNUSED not in sys.modules:
    sys.modules[_UNUSED] = None  # type: ignore[assignment]  # what the import system takes for "not there"
    try:
        import engineio  # noqa: F401
        import socketio  # noqa: F401
    finally:
        del sys.modules[_UNUSED]  # for whoever does want it later
