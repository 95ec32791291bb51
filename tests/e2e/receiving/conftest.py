"""A peer made by hand: it says exactly the bytes a test wants, right or wrong."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from serment.adapters.memory.receiver import MemoryReceiver
from serment.core.dicom import dimse
from serment.core.records.vault import Device
from serment.entrypoints.dimse.limits import Limits
from serment.entrypoints.dimse.server import DicomServer

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
CONTEXTS = [(1, dimse.VERIFICATION, [IMPLICIT]), (3, CT, [EXPLICIT]), (5, MR, [EXPLICIT])]


class Clock:
    """Real time, for deadlines."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def device(ae_title: str = "CT1", called: str = "SERMENT", address: str = "127.0.0.1") -> Device:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return Device("d" * 32, "Scanner", ae_title, called, address, "care", b"", when)


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def unit(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(body)) + body


def context(number: int, abstract: str, transfer: list[str]) -> bytes:
    names = item(0x30, abstract.encode()) + b"".join(item(0x40, t.encode()) for t in transfer)
    return item(0x20, bytes([number, 0, 0, 0]) + names)


def request(
    contexts: list[tuple[int, str, list[str]]] | None = None,
    *,
    called: bytes = b"SERMENT",
    calling: bytes = b"CT1",
    version: int = 1,
    application: bytes = b"1.2.840.10008.3.1.1.1",
    max_length: int = 16384,
    user: bytes = b"",
) -> bytes:
    """An A-ASSOCIATE-RQ."""
    fixed = struct.pack(">H2x16s16s32x", version, called.ljust(16), calling.ljust(16))
    items = item(0x10, application)
    items += b"".join(context(*c) for c in (CONTEXTS if contexts is None else contexts))
    items += item(0x50, item(0x51, struct.pack(">I", max_length)) + user)
    return unit(1, fixed + items)


def fragment(number: int, control: int, data: bytes) -> bytes:
    return struct.pack(">IBB", len(data) + 2, number, control) + data


def element(number: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0, number, len(value)) + value


def command(
    field_value: int = 1,
    sop_class: str = CT,
    instance: str = "2.25.1",
    data_set: bool = True,
    message: int = 7,
) -> bytes:
    """A C-STORE-RQ command set, unless told otherwise."""
    body = element(2, sop_class.encode() + b"\0" * (len(sop_class) % 2))
    body += element(0x100, struct.pack("<H", field_value))
    body += element(0x110, struct.pack("<H", message))
    body += element(0x700, struct.pack("<H", 0))
    body += element(0x800, struct.pack("<H", 1 if data_set else 0x101))
    if instance:
        body += element(0x1000, instance.encode() + b"\0" * (len(instance) % 2))
    return element(0, struct.pack("<I", len(body))) + body


def data_set(instance: str = "2.25.1", sop_class: str = CT, pixels: int = 64) -> bytes:
    """Explicit VR little endian, as small as the vault takes."""

    def text(group: int, number: int, vr: bytes, value: str) -> bytes:
        raw = value.encode()
        raw += (b"\0" if vr == b"UI" else b" ") * (len(raw) % 2)
        return struct.pack("<HH2sH", group, number, vr, len(raw)) + raw

    return (
        text(8, 0x16, b"UI", sop_class)
        + text(8, 0x18, b"UI", instance)
        + text(0x10, 0x10, b"PN", "ESSAI^FICTIF")
        + text(0x20, 0x0D, b"UI", "2.25.10")
        + text(0x20, 0x0E, b"UI", "2.25.11")
        + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, pixels)
        + bytes(range(256)) * (pixels // 256)
        + bytes(pixels % 256)
    )


def pieces(data: bytes, size: int, number: int = 3, control: int = 0) -> Iterator[bytes]:
    """Units of one fragment each."""
    for start in range(0, len(data), size):
        last = 2 if start + size >= len(data) else 0
        yield unit(4, fragment(number, control | last, data[start : start + size]))


@dataclass
class Peer:
    """One connection to the server under test."""

    socket: socket.socket

    def send(self, *data: bytes) -> None:
        self.socket.sendall(b"".join(data))

    def unit(self) -> tuple[int, bytes] | None:
        """The next unit as (type, body); None when the server has closed."""
        head = self._exactly(6)
        if head is None:
            return None
        kind, length = struct.unpack(">BxI", head)
        body = self._exactly(length)
        assert body is not None, "the server closed in the middle of a unit"
        return kind, body

    def _exactly(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionError:
                more = b""
            if not more:
                return None
            data += more
        return data

    def associate(self, **wanted: Any) -> bytes:
        """Send a request that must be accepted; the body of the answer."""
        self.send(request(**wanted))
        answer = self.unit()
        assert answer is not None
        assert answer[0] == 2, answer
        return answer[1]

    def response(self) -> dict[int, bytes]:
        """The elements of the next response, and its context id under -1."""
        data, last, number = b"", False, 0
        while not last:
            found = self.unit()
            assert found is not None, "the server closed instead of answering"
            assert found[0] == 4, found
            length, number, control = struct.unpack_from(">IBB", found[1])
            assert control & 1
            assert length == len(found[1]) - 4
            data, last = data + found[1][6:], bool(control & 2)
        elements = {-1: bytes([number])}
        while data:
            _, tag, length = struct.unpack_from("<HHI", data)
            elements[tag], data = data[8 : 8 + length], data[8 + length :]
        return elements

    def status(self) -> int:
        return int(struct.unpack("<H", self.response()[0x900])[0])

    def store(self, data: bytes, size: int = 16000, **kwargs: Any) -> int:
        """One C-STORE; the status answered."""
        number = kwargs.pop("number", 3)
        self.send(unit(4, fragment(number, 3, command(**kwargs))), *pieces(data, size, number))
        return self.status()

    def release(self) -> None:
        self.send(unit(5, bytes(4)))
        assert self.unit() == (6, bytes(4))
        self.socket.close()  # the peer closes first (PS3.8 9.2, Sta13)

    def aborted(self) -> tuple[int, int]:
        """(source, reason) of the A-ABORT that must come next, and then the end."""
        found = self.unit()
        assert found is not None, "closed without A-ABORT"
        assert found[0] == 7, found
        self.socket.close()  # the peer closes first (PS3.8 9.2, Sta13)
        return found[1][2], found[1][3]

    def rejected(self) -> tuple[int, int, int]:
        """(result, source, reason) of the A-ASSOCIATE-RJ that must come next."""
        found = self.unit()
        assert found is not None, "closed without an answer"
        assert found[0] == 3, found
        self.socket.close()  # the peer closes first (PS3.8 9.2, Sta13)
        return found[1][1], found[1][2], found[1][3]


@dataclass
class Running:
    """A server, what it received, and how to call it."""

    server: DicomServer
    receiver: MemoryReceiver
    address: tuple[str, int]
    faults: list[Exception]
    peers: list[Peer]

    def call(self) -> Peer:
        peer = Peer(socket.create_connection(self.address, timeout=20))
        self.peers.append(peer)
        return peer


Serve = Callable[..., Running]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(receiver, **limits)` starts a server; it must not have met a fault at the end."""
    started: list[Running] = []

    def start(receiver: MemoryReceiver | None = None, **limits: Any) -> Running:
        receiver = receiver or MemoryReceiver()
        faults: list[Exception] = []
        server = DicomServer(receiver, Clock(), Limits(**limits), faults.append)
        running = Running(server, receiver, server.start("127.0.0.1", 0), faults, [])
        started.append(running)
        return running

    yield start
    for running in started:
        for peer in running.peers:
            peer.socket.close()
        running.server.stop()
        assert running.faults == []
        assert running.server.active == 0


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so; a bound only for a server that never gets there."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.01)

    return wait


@pytest.fixture
def made() -> Any:
    """The functions of this file, for tests that build units themselves."""
    import types

    names = "unit item fragment pieces command data_set request element device CT MR EXPLICIT IMPLICIT CONTEXTS Clock"
    return types.SimpleNamespace(**{name: globals()[name] for name in names.split()})
