"""What several visitors ask for at once is looked up once, and never shown older than the question."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from ecauto_pipeline.desk.shared_looks import SharedLooks


def test_whoever_waits_shares_a_look_that_began_after_his_question() -> None:
    """Of five at once the first looks, the second looks for all the others; nobody sees what was so before he asked."""
    looks, begun, go_on, taken = SharedLooks(), threading.Event(), threading.Event(), []

    def slow() -> int:
        taken.append(1)
        begun.set()
        go_on.wait(10)
        return len(taken)

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(looks.take, "status", slow)
        begun.wait(10)
        others = [pool.submit(looks.take, "status", slow) for _ in range(4)]
        while looks.waiting < 5:
            pass
        go_on.set()
        assert (1, [2, 2, 2, 2]) == (first.result(10), [one.result(10) for one in others])
    assert 3 == looks.take("status", slow)


def test_another_kind_of_look_is_not_shared_and_a_failure_reaches_who_asked() -> None:
    """What one look raises is not the answer of the next."""
    looks = SharedLooks()

    def fails() -> int:
        raise OSError("no disk")

    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(looks.take, "status", fails).exception(10), OSError)
    assert ("a", "b") == (looks.take("one", lambda: "a"), looks.take("two", lambda: "b"))
