"""Fuzz target: everything one peer may send, through the whole provider, without a network."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from serment.adapters.memory.receiver import MemoryReceiver
from serment.entrypoints.dimse.association import Association, Ends
from serment.entrypoints.dimse.limits import Limits
from serment.entrypoints.dimse.wire import PeerGone

CT, EXPLICIT, VERIFICATION = (
    b"1.2.840.10008.5.1.4.1.1.2",
    b"1.2.840.10008.1.2.1",
    b"1.2.840.10008.1.1",
)
ENDS = Ends("192.0.2.1", "192.0.2.1:4000", "127.0.0.1:11112")


class Wire:
    """A connection that holds all the peer will ever say, and keeps what it is told."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0
        self.sent = b""
        self.longest = 0

    @property
    def taken(self) -> int:
        """How many bytes the provider has read."""
        return self._position

    def now(self) -> float:
        return 0.0

    def read_into(self, view: memoryview, deadline: float, idle: bool = False) -> None:
        self.longest = max(self.longest, len(view))
        piece = self._data[self._position : self._position + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        if len(piece) < len(view):
            raise PeerGone

    def quick_ack(self) -> None:
        pass

    def send(self, data: bytes) -> None:
        self.sent += data

    def finish(self) -> None:
        pass


def unit(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(body)) + body


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def data(number: int, control: int, value: bytes) -> bytes:
    return unit(4, struct.pack(">IBB", len(value) + 2, number, control) + value)


def request() -> bytes:
    fixed = struct.pack(">H2x16s16s32x", 1, b"SERMENT".ljust(16), b"CT1".ljust(16))
    contexts = b"".join(
        item(0x20, bytes([number, 0, 0, 0]) + item(0x30, kind) + item(0x40, EXPLICIT))
        for number, kind in ((1, VERIFICATION), (3, CT))
    )
    user = item(0x50, item(0x51, struct.pack(">I", 16384)))
    return unit(1, fixed + item(0x10, b"1.2.840.10008.3.1.1.1") + contexts + user)


def command(field: int, kind: bytes, has_data: bool) -> bytes:
    kind += b"\0" * (len(kind) % 2)
    flag = b"\1\0" if has_data else b"\1\1"
    values = {2: kind, 0x100: struct.pack("<H", field), 0x110: b"\7\0", 0x800: flag}
    if has_data:
        values[0x1000] = b"2.25.1"
    return b"".join(struct.pack("<HHI", 0, n, len(v)) + v for n, v in values.items())


def data_set() -> bytes:
    def element(number: int, value: bytes) -> bytes:
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HH2sH", 8, number, b"UI", len(value)) + value

    return element(0x16, CT) + element(0x18, b"2.25.1")


def seeds() -> Iterator[bytes]:
    """An echo, a store in pieces and a release; and an abort in the middle of a store."""
    store = data(3, 3, command(1, CT, True))
    halves = data(3, 0, data_set()[:20]) + data(3, 2, data_set()[20:])
    echo = data(1, 3, command(0x30, VERIFICATION, False))
    yield request() + echo + store + halves + unit(5, bytes(4))
    yield request() + store + halves[:30] + unit(7, bytes(4))


def fuzz_one(sent: bytes) -> None:
    """Nothing escapes, every reception is closed once, and no read is longer than one unit."""
    receiver, wire = MemoryReceiver(), Wire(sent)
    limits = Limits(request_bytes=2048, command_bytes=1024)  # what short inputs reach
    Association(wire, ENDS, receiver, limits, lambda: False).run()  # type: ignore[arg-type]
    assert all(reception.closed for reception in receiver.receptions)
    assert wire.longest <= limits.unit_bytes + 16
    if int.from_bytes(sent[2:6], "big") > limits.request_bytes:
        assert wire.taken <= 6
    answers = 0
    position = 0
    while position < len(wire.sent):
        kind, length = struct.unpack_from(">BxI", wire.sent, position)
        assert kind in (2, 3, 4, 6, 7)
        answers += kind == 4
        position += 6 + length
    assert position == len(wire.sent)
    assert len(receiver.kept) <= answers
    for reception in receiver.receptions:
        assert len(reception.kept) <= reception.steps.count("sync") <= answers
