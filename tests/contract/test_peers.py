"""Every `Peers` keeps the same promises: helpers of memory, and helpers over TCP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.unit.peer.helpers import scene

from serment.adapters.memory.peers import MemoryPeers
from serment.errors import AccessDenied, Conflict, NotFound
from serment.ports.peer import Peers

WRONG = "0000-0000-0000-0000"
NAME, HERE = "colleague", "127.0.0.1"


@contextmanager
def memory(_: Path) -> Iterator[tuple[Peers, str, str]]:
    yield MemoryPeers(HERE, code="1111-1111-1111-1111"), "127.0.0.1:7311", "1111-1111-1111-1111"


@contextmanager
def over_tcp(folder: Path) -> Iterator[tuple[Peers, str, str]]:
    with scene(folder) as found:
        yield found.peers, found.place, found.helper.offer("cabinet")


@pytest.fixture(params=[memory, over_tcp], ids=lambda each: each.__name__)
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Peers, str, str]]:
    """The helpers, where one listens, and the code it shows."""
    with request.param(tmp_path) as found:
        yield found


def test_a_helper_is_known_once_it_is_paired_and_until_it_is_forgotten(
    side: tuple[Peers, str, str],
) -> None:
    peers, place, code = side
    assert peers.known() == ()
    with pytest.raises(AccessDenied):
        peers.pair(NAME, place, WRONG)
    assert peers.known() == ()
    made = peers.pair(NAME, place, code)
    assert peers.known() == (made,)
    assert (made.name, made.place) == (NAME, place)
    assert made.since.tzinfo is not None
    with pytest.raises(Conflict):
        peers.pair(NAME, place, code)
    peers.forget(NAME)
    assert peers.known() == ()


def test_nobody_else_can_be_asked(side: tuple[Peers, str, str]) -> None:
    peers, _, _ = side
    with pytest.raises(NotFound):
        peers.look(NAME, (104,), ())
    with pytest.raises(NotFound):
        peers.prove(NAME, "203.0.113.7", 7312)
    with pytest.raises(NotFound):
        peers.forget(NAME)


def test_an_address_of_nobody_is_shared(side: tuple[Peers, str, str]) -> None:
    peers, place, code = side
    peers.pair(NAME, place, code)
    looked = peers.look(NAME, (104, 11112), ("203.0.113.7",))
    assert (looked.by, looked.address, looked.shared, looked.sights) == (NAME, HERE, True, ())


def test_another_address_is_not_proved(side: tuple[Peers, str, str]) -> None:
    peers, place, code = side
    peers.pair(NAME, place, code)
    with pytest.raises(AccessDenied):
        peers.prove(NAME, "203.0.113.7", 7312)
