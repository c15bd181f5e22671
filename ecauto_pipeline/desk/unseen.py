"""Pages that were built and never looked at: a download of the address, a browser that went away before it opened its
socket. NiceGUI keeps each for a minute; here a few are enough, so that whoever asks again and again fills no memory.

Not for: pages whose browser has lost its socket (NiceGUI waits for it).
"""

from __future__ import annotations

from collections import OrderedDict

from nicegui import Client

MOST_UNSEEN = 4
"""A person opens no more tabs at once; a browser whose page has gone loads it again by itself."""


class UnseenPages:
    """Those of one desk, the oldest first. For one thread: the one that builds pages."""

    def __init__(self, most: int = MOST_UNSEEN) -> None:
        self._most = most
        self._unseen: OrderedDict[str, Client] = OrderedDict()

    def built(self, client: Client) -> None:
        """A page is on its way to a browser; the oldest that none has opened goes where there are too many."""
        self._unseen[client.id] = client
        client.on_connect(lambda: self._gone(client))
        client.on_delete(lambda: self._gone(client))
        while len(self._unseen) > self._most:
            _, oldest = self._unseen.popitem(last=False)
            oldest.delete()

    def _gone(self, client: Client) -> None:
        self._unseen.pop(client.id, None)
