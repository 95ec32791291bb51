"""Every wait has an end and every read a bound."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from serment.adapters.network.line import Budget, Cut, Gone, Line, Silent


class Hours:
    """A clock that moves when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_reads_stop_at_their_bounds(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    line = Line(ours, Budget(5, 0.05), limit=10)
    theirs.sendall(b"one\ntwo\nthree")
    assert line.until(b"\n") == b"one\n"
    assert line.exactly(2) == b"tw"
    with pytest.raises(Cut):
        line.exactly(1000)
    assert line.peek(2) == b"o\n"
    with pytest.raises(Cut):  # the bound of the whole connection is used up
        line.until(b"!", limit=1000)
    assert line.budget.heard == 10


def test_silence_and_closing_are_told_apart(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    line = Line(ours, Budget(5, 0.02))
    with pytest.raises(Silent):
        line.some()
    theirs.close()
    assert line.some() == b""
    with pytest.raises(Gone):
        line.exactly(1)
    assert line.rest(10) == b""


def test_a_mark_that_does_not_come_is_not_waited_for(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.sendall(b"a" * 5000)
    with pytest.raises(Cut):
        Line(ours, Budget(5, 0.05)).until(b"\n", limit=100)


def test_a_budget_ends() -> None:
    clock = Hours()
    budget = Budget(3, 1, clock)
    assert budget.wait() == 1
    clock.now = 2.5
    assert budget.wait() == 0.5
    with budget.within(0.2):
        assert budget.wait() == pytest.approx(0.2)
    with budget.within(100):
        assert budget.wait() == 0.5
    clock.now = 3
    with pytest.raises(Cut):
        budget.wait()
