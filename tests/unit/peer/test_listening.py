"""The helper on a socket: codes, strangers, replays, crowds; what it keeps and what it tells."""

from __future__ import annotations

import contextlib
import re
import socket
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.peer.helpers import HOST, Scene

from serment.adapters.network.line import Ended, Line
from serment.adapters.peer import listening
from serment.adapters.peer.limits import CALLERS_PER_ADDRESS
from serment.adapters.peer.wire import call, hear, hear_helper, line_of, say
from serment.core.exposure.peer import visit
from serment.core.exposure.peer.frames import HEAD, Kind, Why, build
from serment.core.exposure.peer.pairing import CODE_LIFE, CODE_TRIES, new_code
from serment.core.exposure.peer.rules import PAUSE
from serment.core.exposure.peer.visit import Order, Purpose
from serment.entrypoints.cli.scan_peer import SAID
from serment.errors import AccessDenied, Busy, Conflict, NotFound, Unavailable, UsageError


def refused(line: Line) -> int:
    """The one byte of a refusal."""
    _, message = hear(line, Kind.REFUSED)
    return message[0]


def test_a_code_pairs_one_practice(scene: Scene) -> None:
    code = scene.helper.offer("cabinet")
    scene.peers.pair("colleague", scene.place, code.lower().replace("-", " "))
    (ours,), (theirs,) = scene.ours.entries(), scene.theirs.entries()
    assert (ours.name, ours.place, theirs.name, theirs.place) == (
        "colleague", scene.place, "cabinet", "",
    )  # fmt: skip
    assert ours.bond.id == theirs.bond.id
    assert ours.bond.secret == theirs.bond.secret
    with pytest.raises(AccessDenied):
        scene.peers.pair("again", scene.place, code)
    assert scene.told == [("paired", "cabinet"), ("wrong code", "")]
    assert [each.name for each in scene.peers.known()] == ["colleague"]


def test_no_code_is_shown_no_pairing(scene: Scene) -> None:
    with pytest.raises(AccessDenied):
        scene.peers.pair("colleague", scene.place, new_code())
    assert scene.theirs.entries() == ()


def test_a_wrong_code_is_refused_and_a_few_of_them_end_it(scene: Scene) -> None:
    code = scene.helper.offer("cabinet")
    for _ in range(CODE_TRIES):
        with pytest.raises(AccessDenied):
            scene.peers.pair("colleague", scene.place, new_code())
    with pytest.raises(AccessDenied):
        scene.peers.pair("colleague", scene.place, code)
    assert scene.theirs.entries() == ()
    assert scene.ours.entries() == ()
    assert scene.told == [("wrong code", "")] * (CODE_TRIES + 1)


def test_a_code_is_good_until_the_last_try(scene: Scene) -> None:
    code = scene.helper.offer("cabinet")
    for _ in range(CODE_TRIES - 1):
        with pytest.raises(AccessDenied):
            scene.peers.pair("colleague", scene.place, new_code())
    scene.peers.pair("colleague", scene.place, code)


@pytest.mark.parametrize(("late", "fits"), [(timedelta(seconds=1), True), (timedelta(), False)])
def test_a_code_ends(scene: Scene, late: timedelta, fits: bool) -> None:
    code = scene.helper.offer("cabinet")
    scene.pass_time(CODE_LIFE - late)
    with contextlib.nullcontext() if fits else pytest.raises(AccessDenied):
        scene.peers.pair("colleague", scene.place, code)


def test_names_are_checked_before_a_code_is_spent(scene: Scene) -> None:
    scene.pair()
    code = scene.helper.offer("second")
    with pytest.raises(Conflict):
        scene.peers.pair("colleague", scene.place, code)
    with pytest.raises(Conflict):
        scene.helper.offer("colleague")
    with pytest.raises(UsageError):
        scene.helper.offer("two\nlines")
    scene.peers.pair("other", scene.place, code)


def test_this_machine_is_a_shared_address_and_costs_no_hour(scene: Scene) -> None:
    """Loopback is nobody's address on the Internet: the practice sees it and does not even ask."""
    scene.pair()
    for _ in range(2):
        assert scene.peers.look("colleague", (104,), ()).shared
    (entry,) = scene.theirs.entries()
    assert entry.used == {}
    assert scene.told == [("paired", "colleague")]


@contextlib.contextmanager
def challenged(scene: Scene):  # type: ignore[no-untyped-def]
    """A line on which the paired practice was challenged."""
    (entry,) = scene.ours.entries()
    with call(scene.place, 5.0) as line:
        say(line, Kind.HELLO, entry.bond.id)
        yield line, entry.bond, visit.parse_challenge(entry.bond, hear_helper(line, Kind.CHALLENGE))


def test_whoever_asks_all_the_same_is_told_that_it_is_shared(scene: Scene) -> None:
    scene.pair()
    with challenged(scene) as (line, bond, to):
        assert to.address == HOST
        order = Order(Purpose.LOOK, (scene.port,))
        say(line, Kind.ASK, visit.ask(bond, to, order))
        outcome = visit.parse_answer(bond, to, order, hear_helper(line, Kind.ANSWER))
    assert outcome.status is visit.Status.SHARED
    assert outcome.tried == ()
    assert scene.told[-1] == ("shared address", "colleague")


def test_a_recorded_order_is_refused_on_every_other_line(scene: Scene) -> None:
    scene.pair()
    with challenged(scene) as (line, bond, to):
        recorded = visit.ask(bond, to, Order(Purpose.LOOK, (104,)))
        say(line, Kind.ASK, recorded)
        hear_helper(line, Kind.ANSWER)
        with pytest.raises(Ended):  # one request a connection
            say(line, Kind.ASK, recorded)
            hear(line, Kind.ANSWER)
    with challenged(scene) as (line, _, _):
        say(line, Kind.ASK, recorded)
        assert refused(line) == Why.UNKNOWN
    assert scene.told[-1] == ("refused", "colleague")


def test_an_order_that_waits_too_long_is_refused(scene: Scene) -> None:
    scene.pair()
    with challenged(scene) as (line, bond, to):
        scene.pass_time(visit.WINDOW + timedelta(seconds=2))
        say(line, Kind.ASK, visit.ask(bond, to, Order(Purpose.LOOK, (104,))))
        assert refused(line) == Why.UNKNOWN


def test_a_pairing_that_was_forgotten_is_unknown(scene: Scene) -> None:
    scene.pair()
    scene.theirs.forget("colleague")
    with pytest.raises(AccessDenied):
        scene.peers.look("colleague", (104,), ())
    scene.peers.forget("colleague")
    with pytest.raises(NotFound):
        scene.peers.look("colleague", (104,), ())


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0" * 100,
        build(Kind.TOKEN, bytes(64)),
        build(Kind.HELLO, bytes(99)),
    ],
    ids=["http", "zeros", "token", "long"],
)
def test_strangers_are_refused_from_their_first_bytes(scene: Scene, said: bytes) -> None:
    with line_of(socket.create_connection((HOST, scene.port)), 5.0) as line:
        line.send(said)
        assert refused(line) == Why.NONSENSE


def test_an_unknown_pairing_is_refused(scene: Scene) -> None:
    with line_of(socket.create_connection((HOST, scene.port)), 5.0) as line:
        say(line, Kind.HELLO, bytes(16))
        assert refused(line) == Why.UNKNOWN


def test_who_says_nothing_is_let_go_and_who_comes_too_often_is_turned_away(scene: Scene) -> None:
    with contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection((HOST, scene.port)))
            for _ in range(CALLERS_PER_ADDRESS)
        ]
        silent[0].sendall(b"SRM1")  # half a head
        with line_of(socket.create_connection((HOST, scene.port)), 5.0) as line:
            assert refused(line) == Why.BUSY
        for each in silent:
            each.settimeout(30)
            assert each.recv(1) == b""  # cut in time
    for _ in range(100):  # the helper forgets them one after the other
        with contextlib.suppress(Busy):
            scene.pair()
            break
        time.sleep(0.1)
    assert scene.told == [("paired", "colleague")]


def test_a_helper_that_refuses_a_crowd_says_busy(scene: Scene) -> None:
    scene.pair()
    with contextlib.ExitStack() as stack:
        for _ in range(CALLERS_PER_ADDRESS):
            stack.enter_context(socket.create_connection((HOST, scene.port)))
        with pytest.raises((Busy, Unavailable)):  # as much of it as still arrives
            scene.peers.look("colleague", (104,), ())


def test_the_hour_is_marked_once_however_many_come_at_once(scene: Scene) -> None:
    scene.pair()
    (entry,) = scene.theirs.entries()
    waits: list[timedelta] = []

    def claim() -> None:
        waits.append(scene.theirs.claim(entry.bond.id, Purpose.LOOK, scene.clock.now()))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(waits) == [timedelta(), *[PAUSE] * 5]
    assert scene.theirs.claim(entry.bond.id, Purpose.PROVE, scene.clock.now()) == timedelta()
    scene.pass_time(PAUSE - timedelta(minutes=1))
    assert scene.theirs.claim(entry.bond.id, Purpose.LOOK, scene.clock.now()) == timedelta(
        minutes=1
    )
    scene.pass_time(timedelta(minutes=1))
    assert scene.theirs.claim(entry.bond.id, Purpose.LOOK, scene.clock.now()) == timedelta()


def test_it_tells_and_keeps_no_address_port_or_result(scene: Scene) -> None:
    scene.pair()
    with challenged(scene) as (line, bond, to):
        say(line, Kind.ASK, visit.ask(bond, to, Order(Purpose.LOOK, (45_454,))))
        hear_helper(line, Kind.ANSWER)
    kept = scene.theirs._path.read_text()
    assert HOST not in kept
    assert "45454" not in kept + repr(scene.told)
    assert HOST not in repr(scene.told)


def test_a_message_of_the_longest_head_is_not_waited_for(scene: Scene) -> None:
    with line_of(socket.create_connection((HOST, scene.port)), 5.0) as line:
        line.send(HEAD.pack(b"SRM1", Kind.PAIR, 65_535))
        assert refused(line) == Why.NONSENSE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_helper_that_cannot_keep_the_hour_looks_at_nobody(scene: Scene) -> None:
    scene.pair()
    scene.theirs._path.chmod(0o644)
    with pytest.raises(Unavailable):
        scene.peers.look("colleague", (104,), ())
    assert scene.told[-1] == ("unable", "")


def test_each_thing_it_tells_has_its_words() -> None:
    source = Path(listening.__file__).read_text(encoding="utf-8")
    told = set(
        re.findall(r'"([a-z ]+)"(?: if [^"]+ else "([a-z ]+)")?, (?:entry\.name|name|"")', source)
    )
    assert {word for pair in told for word in pair if word} == set(SAID)
