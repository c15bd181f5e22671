"""Whether a port of this machine is free, and one that is. Not for: what is served there."""

from __future__ import annotations

import os
import socket


def is_free(port: int) -> bool:
    """Whether a server of ours could listen there on loopback, now."""
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere it would let us share a port that is taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
