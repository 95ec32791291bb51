"""Peers that lie, dawdle or break off: they are aborted with a reason and nothing stays behind."""

from __future__ import annotations

import socket
import struct
import tracemalloc
from typing import Any

import pytest

from serment.entrypoints.dimse.server import DicomServer
from serment.errors import Unavailable

MIB = 1024 * 1024
NOT_SPECIFIED, UNRECOGNIZED, UNEXPECTED, UNEXPECTED_PARAMETER, INVALID = 0, 1, 2, 5, 6


@pytest.mark.parametrize("length", [0xFFFFFFFF, 300 * MIB, MIB + 1])
def test_an_announced_length_is_never_allocated(serve: Any, made: Any, length: int) -> None:
    running = serve()
    peer = running.call()
    tracemalloc.start()
    peer.send(struct.pack(">BxI", 1, length))
    assert peer.aborted() == (2, INVALID)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MIB
    assert len(running.receiver.refusals) == 1


def test_300_mib_before_association_are_not_read(serve: Any, made: Any) -> None:
    peer = serve().call()
    tracemalloc.start()
    peer.send(struct.pack(">BxI", 1, 300 * MIB))
    with pytest.raises(ConnectionError):
        for _ in range(300):
            peer.send(bytes(MIB))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MIB


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", UNRECOGNIZED),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", UNRECOGNIZED),  # TLS hello
        (bytes(64), UNRECOGNIZED),
        (struct.pack(">BxI", 4, 100) + bytes(100), UNEXPECTED),  # data first
        (struct.pack(">BxI", 5, 4) + bytes(4), UNEXPECTED),  # release first
        (struct.pack(">BxI", 1, 0), INVALID),
        (struct.pack(">BxI", 1, 67) + bytes(67), INVALID),
    ],
)
def test_what_is_not_an_association_request_is_aborted(
    serve: Any, data: bytes, reason: int
) -> None:
    running = serve()
    peer = running.call()
    peer.send(data)
    assert peer.aborted() == (2, reason)
    [refused] = running.receiver.refusals
    assert refused.reason


@pytest.mark.parametrize(
    "contexts",
    [
        [],
        [(2, "1.2", ["1.2"])],  # even
        [(1, "1.2", ["1.2"]), (1, "1.3", ["1.2"])],  # twice
    ],
)
def test_bad_presentation_contexts(serve: Any, made: Any, contexts: Any) -> None:
    peer = serve().call()
    peer.send(made.request(contexts))
    assert peer.aborted() == (2, INVALID)


def test_items_that_do_not_fit(serve: Any, made: Any) -> None:
    good = made.request()
    for position in (74, 76, 77, len(good) - 8):
        bad = bytearray(good)
        bad[position] = 0xFF
        peer = serve().call()
        peer.send(bytes(bad))
        found = peer.unit()
        assert found is not None
        assert found[0] in (2, 3, 7)


@pytest.mark.parametrize("cut", [0, 1, 5, 6, 40, 100])
def test_a_peer_that_leaves_before_association(
    serve: Any, made: Any, cut: int, eventually: Any
) -> None:
    running = serve()
    peer = running.call()
    peer.send(made.request()[:cut])
    peer.socket.shutdown(socket.SHUT_WR)
    assert peer.unit() is None
    eventually(lambda: running.server.active == 0)
    assert running.receiver.receptions == []


def bad_units(made: Any) -> dict[str, tuple[bytes, int]]:
    fragment, unit, command = made.fragment, made.unit, made.command()
    whole = unit(4, fragment(3, 3, command))
    data = made.data_set()
    return {
        "context not proposed": (unit(4, fragment(99, 3, command)), INVALID),
        "context refused": (unit(4, fragment(7, 3, command)), INVALID),
        "context changed in a command": (
            unit(4, fragment(3, 1, command[:20])) + unit(4, fragment(5, 3, command[20:])),
            INVALID,
        ),
        "context changed in a data set": (whole + unit(4, fragment(5, 2, data)), INVALID),
        "data before command": (unit(4, fragment(3, 2, data)), UNEXPECTED_PARAMETER),
        "command inside data": (
            whole + unit(4, fragment(3, 0, data[:10])) + whole,
            UNEXPECTED_PARAMETER,
        ),
        "fragment of 1": (unit(4, struct.pack(">IBB", 1, 3, 3) + bytes(8)), INVALID),
        "fragment longer than its unit": (
            unit(4, struct.pack(">IBB", 0xFFFFFFFF, 3, 3) + bytes(8)),
            INVALID,
        ),
        "fragment shorter than its unit": (unit(4, fragment(3, 3, command) + bytes(3)), INVALID),
        "unit longer than agreed": (struct.pack(">BxII", 4, 200_000, 199_996) + b"\3\3", INVALID),
        "unit of 4 GiB": (struct.pack(">BxII", 4, 0xFFFFFFFF, 0xFFFFFFFB) + b"\3\3", INVALID),
        "empty unit": (unit(4, b"") + bytes(4), INVALID),
        "empty fragments of a command": (unit(4, fragment(3, 1, b"")), INVALID),
        "empty command": (unit(4, fragment(3, 3, b"")), INVALID),
        "command of rubbish": (unit(4, fragment(3, 3, b"\xff" * 40)), INVALID),
        "command too long": (
            b"".join(unit(4, fragment(3, 1, bytes(60_000))) for _ in range(2)),
            INVALID,
        ),
        "a response": (unit(4, fragment(3, 3, made.command(0x8001))), UNEXPECTED_PARAMETER),
        "a second request": (made.request(), UNEXPECTED),
        "an acceptance": (unit(2, bytes(100)), UNEXPECTED),
        "a release reply": (unit(6, bytes(4)), UNEXPECTED),
        "unknown unit": (unit(9, bytes(4)), UNRECOGNIZED),
    }


NAMES = [
    "context not proposed",
    "context refused",
    "context changed in a command",
    "context changed in a data set",
    "data before command",
    "command inside data",
    "fragment of 1",
    "fragment longer than its unit",
    "fragment shorter than its unit",
    "unit longer than agreed",
    "unit of 4 GiB",
    "empty unit",
    "empty fragments of a command",
    "empty command",
    "command of rubbish",
    "command too long",
    "a response",
    "a second request",
    "an acceptance",
    "a release reply",
    "unknown unit",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_that_breaks_the_rules_is_aborted_with_its_reason(
    serve: Any, made: Any, eventually: Any, name: str
) -> None:
    data, reason = bad_units(made)[name]
    running = serve()
    peer = running.call()
    contexts = [*made.CONTEXTS, (7, "1.2.3.4", [made.EXPLICIT])]
    peer.associate(contexts=contexts)
    assert peer.store(made.data_set("2.25.5"), instance="2.25.5") == 0
    peer.send(data)
    assert peer.aborted() == (2, reason)
    eventually(lambda: running.server.active == 0)
    [reception] = running.receiver.receptions
    assert (reception.closed, reception.interrupted) == (True, True)
    assert len(reception.kept) == 1
    assert len(running.receiver.refusals) == 1


def test_every_bad_unit_is_tried(made: Any) -> None:
    assert sorted(bad_units(made)) == sorted(NAMES)


@pytest.mark.parametrize("ending", ["abort", "close", "release"])
def test_an_instance_cut_short_leaves_nothing_and_interrupts(
    serve: Any, made: Any, eventually: Any, ending: str
) -> None:
    running = serve()
    peer = running.call()
    peer.associate()
    assert peer.store(made.data_set("2.25.5"), instance="2.25.5") == 0
    data = made.data_set(pixels=6 * MIB)
    units = list(made.pieces(data, 100_000))
    peer.send(made.unit(4, made.fragment(3, 3, made.command())), *units[:-1])
    if ending == "abort":
        peer.send(made.unit(7, bytes(4)))
    elif ending == "release":
        peer.send(made.unit(5, bytes(4)))
        assert peer.unit() == (6, bytes(4))
    peer.socket.close()
    eventually(lambda: running.server.active == 0)
    [reception] = running.receiver.receptions
    assert reception.interrupted
    assert [k.receipt.sop_instance for k in reception.kept] == ["2.25.5"]
    assert "abort" in reception.steps


def test_a_caller_that_says_nothing_is_let_go(serve: Any) -> None:
    running = serve(association_seconds=0.1)
    peer = running.call()
    assert peer.aborted() == (2, NOT_SPECIFIED)
    refused = running.receiver.refusals[0]
    assert "slow" in refused.reason
    called = "{}:{}".format(*running.address)
    assert (refused.local, refused.tls) == (called, False)


def test_a_request_drop_by_drop_is_let_go(serve: Any, made: Any) -> None:
    running = serve(association_seconds=0.5)
    peer = running.call()
    with pytest.raises(ConnectionError):
        for byte in made.request() * 1000:
            peer.send(bytes([byte]))
            peer.socket.settimeout(0.02)
            try:
                if not peer.socket.recv(100):
                    raise ConnectionResetError
            except TimeoutError:
                continue
    assert "slow" in running.receiver.refusals[0].reason


def test_an_idle_association_is_let_go(serve: Any) -> None:
    running = serve(idle_seconds=0.1)
    peer = running.call()
    peer.associate()
    assert peer.aborted() == (2, NOT_SPECIFIED)


def test_a_unit_that_never_ends_is_let_go(serve: Any, made: Any) -> None:
    running = serve(unit_seconds=0.1)
    peer = running.call()
    peer.associate()
    peer.send(made.unit(4, made.fragment(3, 3, made.command()))[:-5])
    assert peer.aborted() == (2, NOT_SPECIFIED)


def test_a_data_set_drop_by_drop_is_let_go(serve: Any, made: Any) -> None:
    running = serve(unit_seconds=0.3, slowest_rate=1_000_000)
    peer = running.call()
    peer.associate()
    peer.send(made.unit(4, made.fragment(3, 3, made.command())))
    peer.socket.settimeout(0.02)
    answer = b""
    for _ in range(1000):
        try:
            peer.send(made.unit(4, made.fragment(3, 0, b"x")))
            answer = peer.socket.recv(10)
            break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    assert answer[:1] in (b"\x07", b"")
    assert "slow" in running.receiver.refusals[0].reason


def test_slow_callers_do_not_keep_others_out(serve: Any, made: Any) -> None:
    running = serve(associations=8, associations_per_address=8)
    for _ in range(7):
        running.call().send(made.request()[:20])
    peer = running.call()
    peer.associate()
    assert peer.store(made.data_set()) == 0


def test_stopping_ends_what_waits_and_lets_an_instance_end(
    serve: Any, made: Any, eventually: Any
) -> None:
    import threading

    running = serve()
    idle, busy, new = running.call(), running.call(), running.call()
    idle.associate()
    busy.associate()
    data = made.data_set(pixels=300_000)
    units = list(made.pieces(data, 100_000))
    busy.send(made.unit(4, made.fragment(3, 3, made.command())), units[0])
    eventually(lambda: running.server.active == 3)
    eventually(lambda: any(r.source for r in running.receiver.receptions))
    stopping = threading.Thread(target=running.server.stop)
    stopping.start()
    assert idle.aborted() == (0, 0)
    assert new.aborted() == (0, 0)
    busy.send(*units[1:])
    assert busy.status() == 0
    assert busy.aborted() == (0, 0)
    stopping.join()
    assert len(running.receiver.kept) == 1
    with pytest.raises(ConnectionError):
        running.call()


def test_stopping_cuts_what_does_not_end(serve: Any, made: Any) -> None:
    running = serve(stop_seconds=0.2)
    peer = running.call()
    peer.associate()
    peer.send(made.unit(4, made.fragment(3, 3, made.command())))
    peer.send(made.unit(4, made.fragment(3, 0, b"xx")))
    running.server.stop()
    assert running.server.active == 0


def test_a_peer_that_does_not_close_is_closed(serve: Any, made: Any) -> None:
    peer = serve().call()
    peer.send(made.request(version=2))
    found = peer.unit()
    assert found is not None
    assert found[0] == 3
    assert peer.unit() is None


def test_a_port_in_use_is_said_plainly(serve: Any, made: Any) -> None:
    running = serve()
    other = DicomServer(running.receiver, made.Clock())
    with pytest.raises(Unavailable) as refusal:
        other.start(*running.address)
    assert str(running.address[1]) in str(refusal.value)
    assert refusal.value.advice
    other.stop()


def test_a_fault_of_ours_ends_one_association_only(serve: Any, made: Any, eventually: Any) -> None:
    class Broken(Exception):
        pass

    running = serve()

    def fail(source: Any) -> Any:
        raise Broken

    running.receiver.open = fail
    peer = running.call()
    peer.associate()
    peer.send(made.unit(4, made.fragment(3, 3, made.command())))
    assert peer.unit() is None
    del running.receiver.open
    eventually(lambda: len(running.faults) == 1)
    assert [type(fault) for fault in running.faults] == [Broken]
    running.faults.clear()
    good = running.call()
    good.associate()
    assert good.store(made.data_set()) == 0
