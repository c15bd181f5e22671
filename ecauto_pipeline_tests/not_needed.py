"""What takes the place of a collaborator that a test never reaches: using it is an error that names it."""

from typing import Any, NoReturn


class NotNeeded:
    """Stands where tools want a history, a register or the like that the test has nothing to do with."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"this test needs no such thing, and yet asks it for {name!r}")


NOT_NEEDED: Any = NotNeeded()
