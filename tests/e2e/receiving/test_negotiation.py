"""Who is let in and what is agreed on, in the standard's own terms (PS3.8 9.3, PS3.7 D.3)."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest

from serment.adapters.memory.receiver import MemoryReceiver
from serment.core.records.vault import Device
from serment.errors import Unavailable

UNKNOWN_CLASS = "1.2.840.10008.5.1.4.1.2.2.1"  # Study Root FIND: not served here
UNKNOWN_SYNTAX = "1.2.3.4"


def items(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        kind, length = struct.unpack_from(">BxH", data)
        found.append((kind, data[4 : 4 + length]))
        data = data[4 + length :]
    return found


def test_each_context_gets_its_result_and_the_first_syntax_known(serve: Any, made: Any) -> None:
    jpeg = "1.2.840.10008.1.2.4.70"
    answer = (
        serve()
        .call()
        .associate(
            contexts=[
                (1, made.CT, [UNKNOWN_SYNTAX, jpeg, made.EXPLICIT]),
                (3, UNKNOWN_CLASS, [made.EXPLICIT]),
                (5, made.MR, [UNKNOWN_SYNTAX]),
                (7, made.MR, []),
                (255, made.CT, [made.IMPLICIT]),
            ]
        )
    )
    results = [
        (value[0], value[2], value[8:].decode())
        for kind, value in items(answer[68:])
        if kind == 0x21
    ]
    assert [(number, result) for number, result, _ in results] == [
        (1, 0),
        (3, 3),
        (5, 4),
        (7, 4),
        (255, 0),
    ]
    assert results[0][2] == jpeg
    assert results[4][2] == made.IMPLICIT


def test_the_answer_names_us_and_what_we_take(serve: Any, made: Any) -> None:
    answer = serve().call().associate()
    assert answer[:2] == b"\x00\x01"
    assert answer[4:36] == b"SERMENT         CT1             "
    found = items(answer[68:])
    assert (0x10, b"1.2.840.10008.3.1.1.1") in found
    user = dict(items(dict(found)[0x50]))
    assert struct.unpack(">I", user[0x51])[0] >= 128 * 1024
    assert user[0x52].startswith(b"2.25.")
    assert user[0x55].startswith(b"SERMENT")
    assert 0x53 not in user
    assert 0x54 not in user


def test_roles_window_identity_and_extensions_are_answered_or_ignored(
    serve: Any, made: Any
) -> None:
    def role(uid: str, scu: int, scp: int) -> bytes:
        return made.item(0x54, struct.pack(">H", len(uid)) + uid.encode() + bytes([scu, scp]))

    name, secret = b"dupont", b"secret"
    identity = struct.pack(">BBH", 2, 1, len(name)) + name + struct.pack(">H", len(secret)) + secret
    user = (
        made.item(0x52, b"1.2.3")
        + made.item(0x53, struct.pack(">HH", 8, 0))
        + role(made.CT, 1, 1)
        + role(made.MR, 0, 1)
        + role(UNKNOWN_CLASS, 1, 1)
        + made.item(0x55, b"PEER_1")
        + made.item(0x56, struct.pack(">H", len(made.CT)) + made.CT.encode() + b"\1\0\1")
        + made.item(0x57, b"whatever")
        + made.item(0x58, identity)
        + made.item(0x7F, b"not known to the standard")
    )
    running = serve()
    peer = running.call()
    answer = peer.associate(user=user)
    found = items(answer[68:])
    contexts = {value[0]: value[2] for kind, value in found if kind == 0x21}
    assert contexts == {1: 0, 3: 0, 5: 1}  # MR: it would have us send
    answered = items(dict(found)[0x50])
    assert (0x53, struct.pack(">HH", 1, 1)) in answered
    roles = {value[2:-2].decode(): tuple(value[-2:]) for kind, value in answered if kind == 0x54}
    assert roles == {made.CT: (1, 0), made.MR: (0, 0)}
    assert not {0x56, 0x57, 0x58, 0x59, 0x7F} & {kind for kind, _ in answered}
    assert peer.store(made.data_set()) == 0


@pytest.mark.parametrize(
    ("wanted", "rejection"),
    [
        ({"version": 2}, (1, 2, 2)),
        ({"application": b"1.2.3"}, (1, 1, 2)),
        ({"calling": b"\xe9cho"}, (1, 1, 3)),
        ({"calling": b""}, (1, 1, 3)),
        ({"calling": b"A\\B"}, (1, 1, 3)),
        ({"called": b""}, (1, 1, 7)),
        ({"called": b"X\x07"}, (1, 1, 7)),
    ],
)
def test_a_request_that_cannot_be_accepted_is_rejected_with_its_reason(
    serve: Any, made: Any, wanted: Any, rejection: Any
) -> None:
    running = serve()
    peer = running.call()
    peer.send(made.request(**wanted))
    assert peer.rejected() == rejection
    [refused] = running.receiver.refusals
    assert refused.reason
    assert refused.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("wanted", "rejection"),
    [
        ({"calling": b"NOBODY"}, (1, 1, 3)),
        ({"called": b"OTHER"}, (1, 1, 7)),
        ({"calling": b"FAR"}, (1, 1, 3)),
    ],
)
def test_an_unknown_caller_is_refused_before_any_data(
    serve: Any, made: Any, wanted: Any, rejection: Any
) -> None:
    running = serve(MemoryReceiver([made.device(), made.device("FAR", address="192.0.2.1")]))
    peer = running.call()
    peer.send(made.request(**wanted))
    assert peer.rejected() == rejection
    assert running.receiver.receptions == []
    [refused] = running.receiver.refusals
    assert refused.calling == wanted.get("calling", b"CT1").decode()


def test_a_known_caller_is_let_in_whatever_pads_its_titles(serve: Any, made: Any) -> None:
    running = serve(MemoryReceiver([made.device()]))
    peer = running.call()
    peer.associate(calling=b" CT1\0\0\0", called=b"  SERMENT ")
    assert peer.store(made.data_set()) == 0
    assert running.receiver.receptions[0].source.device == "d" * 32


class NotYet(MemoryReceiver):
    def admit(
        self, calling: str, called: str, address: str, local: str = "", tls: bool = False
    ) -> Device:
        raise Unavailable("no doctor yet: nobody could open what arrives")


def test_not_yet_is_a_transient_rejection(serve: Any, made: Any) -> None:
    peer = serve(NotYet()).call()
    peer.send(made.request())
    assert peer.rejected() == (2, 1, 1)


def test_more_associations_than_allowed_are_told_so(serve: Any, made: Any, eventually: Any) -> None:
    running = serve(associations=2)
    first, second, third = (running.call() for _ in range(3))
    first.associate()
    second.associate()
    third.send(made.request())
    assert third.rejected() == (2, 3, 2)
    assert [r.calling for r in running.receiver.refusals] == ["CT1"]
    second.release()
    eventually(lambda: running.server.active == 1)
    running.call().associate()
    assert first.store(made.data_set()) == 0


def test_one_address_cannot_take_every_association(serve: Any, made: Any) -> None:
    running = serve(associations_per_address=1)
    running.call().associate()
    peer = running.call()
    peer.send(made.request())
    assert peer.rejected() == (2, 3, 2)


def test_strangers_cannot_take_the_places_of_devices(serve: Any, made: Any) -> None:
    elsewhere = replace(made.device(), address="192.0.2.9")
    running = serve(MemoryReceiver([elsewhere]), associations_of_strangers=2)
    silent = [running.call() for _ in range(2)]
    peer = running.call()
    peer.send(made.request())
    assert peer.rejected() == (2, 3, 2)
    running.receiver.devices = [made.device()]  # declared now: it is no stranger any more
    running.call().associate()
    assert len(silent) == 2
