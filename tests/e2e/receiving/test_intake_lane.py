"""The web's connection to the receiver: bodies in memory that both see, several requests in one
reception."""

from __future__ import annotations

import array
import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request as HttpRequest

from serment.adapters.memory.receiver import MemoryReceiver
from serment.core.dicom.part10 import build_meta
from serment.entrypoints import bodies
from serment.entrypoints.intake import aclient, framing, shared
from serment.entrypoints.intake.aclient import AHEAD, KEPT_AT_MOST, AsyncIntakeClient
from serment.entrypoints.intake.framing import Request, Result
from serment.entrypoints.intake.server import IntakeServer
from serment.errors import FormatError
from serment.ports import Source

SOURCE = Source("stow", "d" * 32, "care", "192.0.2.7:4000", "127.0.0.1:8443", tls=True)
OTHER = Source("stow", "d" * 32, "care", "192.0.2.7:4001", "127.0.0.1:8443", tls=True)
TYPE = 'multipart/related; type="application/dicom"; boundary=BBB'
PATIENCE = 0.2  # seconds
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory with a size of its own: Linux")

Run = Callable[[MemoryReceiver], AsyncIntakeClient]


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Callable[[MemoryReceiver], Path]]:
    servers: list[IntakeServer] = []
    faults: list[Exception] = []

    def start(receiver: MemoryReceiver) -> Path:
        servers.append(IntakeServer(receiver, on_fault=faults.append))
        path = tmp_path / f"intake-{len(servers)}"
        servers[-1].start(path)
        return path

    yield start
    for server in servers:
        server.stop()
    assert faults == []


def part10(made: Any, instance: str, pixels: int) -> bytes:
    meta = build_meta(made.CT, instance, made.EXPLICIT)
    return bytes(meta + made.data_set(instance, pixels=pixels))


def body(*parts: bytes) -> bytes:
    heads = (b"--BBB\r\nContent-Type: application/dicom\r\n\r\n" + p + b"\r\n" for p in parts)
    return b"".join(heads) + b"--BBB--\r\n"


async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
        await asyncio.sleep(0)


async def stow(
    client: AsyncIntakeClient, source: Source, data: bytes, **more: bool
) -> list[Result]:
    return await client.stow(source, TYPE, chunks(data, 100_000), **more)


@pytest.mark.parametrize("through", ["memory", "socket"])
@pytest.mark.parametrize("size", [777, shared.SLOT - 1, shared.SLOT, 3 * shared.SLOT + 1])
def test_every_byte_arrives_in_its_place(
    intake: Any, made: Any, monkeypatch: pytest.MonkeyPatch, through: str, size: int
) -> None:
    if through == "socket":
        monkeypatch.setattr(shared, "make", lambda: None)
    receiver = MemoryReceiver()
    pixels = 40_000 if size < 1000 else 3 * shared.SLOTS * shared.SLOT // 5
    parts = [part10(made, f"2.25.{n}", pixels + n) for n in range(1, 6)]
    client = AsyncIntakeClient(intake(receiver))
    results = asyncio.run(client.stow(SOURCE, TYPE, chunks(body(*parts), size)))
    assert [r.ok for r in results] == [True] * 5
    assert [kept.data for kept in receiver.kept] == parts


class Slow(MemoryReceiver):
    """Has something else to do first."""

    def open(self, source: Source) -> Any:
        time.sleep(4 * PATIENCE)
        return super().open(source)


@pytest.mark.parametrize("through", ["memory", "socket"])
def test_a_slow_receiver_is_not_held_against_the_sender(
    intake: Any, made: Any, monkeypatch: pytest.MonkeyPatch, through: str
) -> None:
    """A body without announced length comes at once, and waits here."""
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", PATIENCE)
    if through == "socket":
        monkeypatch.setattr(shared, "make", lambda: None)
    data = body(part10(made, "2.25.1", 4 * AHEAD))
    rest = [data[at : at + 100_000] for at in range(0, len(data), 100_000)]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": rest.pop(0), "more_body": bool(rest)}

    request = HttpRequest({"type": "http", "headers": []}, receive)
    client = AsyncIntakeClient(intake(Slow()))
    coming = client.stow(SOURCE, TYPE, lambda lane: bodies.in_time(bodies.straight(request, lane)))
    assert [r.ok for r in asyncio.run(coming)] == [True]


@LINUX
def test_what_ended_is_not_shared_any_more(
    intake: Any, made: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, whoever still knows the connection; and not only when the collector comes."""
    made_here: list[shared.Memory] = []
    make = shared.make

    def remembered() -> shared.Memory | None:
        memory = make()
        made_here.extend([memory] if memory else [])
        return memory

    async def cut() -> AsyncIterator[bytes]:
        yield body(part10(made, "2.25.2", 900_000))[:-100_000]
        raise ConnectionResetError("the caller is gone")

    async def three(client: AsyncIntakeClient) -> None:
        await stow(client, SOURCE, body(part10(made, "2.25.1", 100)))
        assert [memory.closed for memory in made_here] == [True]
        with pytest.raises(ConnectionResetError):
            await client.stow(SOURCE, TYPE, cut())
        assert [memory.closed for memory in made_here] == [True, True]
        with pytest.raises(FormatError):
            await stow(client, SOURCE, b"garbage" * 200_000)
        assert [memory.closed for memory in made_here] == [True, True, True]

    monkeypatch.setattr(shared, "make", remembered)
    asyncio.run(three(AsyncIntakeClient(intake(MemoryReceiver()))))
    eventually(lambda: "serment-intake" not in Path("/proc/self/maps").read_text())  # nor there


def test_requests_of_one_caller_share_a_reception(intake: Any, made: Any, eventually: Any) -> None:
    receiver = MemoryReceiver()
    client = AsyncIntakeClient(intake(receiver))

    async def three() -> None:
        for number in range(3):
            [result] = await stow(
                client, SOURCE, body(part10(made, f"2.25.{number}", 1_000_000)), more=True
            )
            assert result.ok
            assert receiver.receptions[0].steps[-2:] == ["sync", "settle"]
            assert not receiver.receptions[0].closed
        client.close()

    asyncio.run(three())
    eventually(lambda: receiver.receptions[0].closed)
    [reception] = receiver.receptions
    assert not reception.interrupted
    assert reception.steps == ["store", "sync", "settle"] * 3 + ["close"]


def test_while_nothing_comes_as_much_is_made_ready_as_the_last_request_brought(
    intake: Any, made: Any, eventually: Any
) -> None:
    receiver = MemoryReceiver()
    client = AsyncIntakeClient(intake(receiver))
    parts = [part10(made, f"2.25.{number}", 100) for number in range(1, 4)]

    async def three_in_one() -> None:
        await stow(client, SOURCE, body(*parts), more=True)
        client.close()

    asyncio.run(three_in_one())
    eventually(lambda: receiver.receptions[0].closed)
    assert receiver.receptions[0].steps[-3:] == ["settle", "prepare 3", "close"]


def test_nobody_shares_with_another_caller(intake: Any, made: Any) -> None:
    receiver = MemoryReceiver()
    client = AsyncIntakeClient(intake(receiver))

    async def both() -> None:
        for source in (SOURCE, OTHER, SOURCE):
            await stow(client, source, body(part10(made, "2.25.1", 100)), more=True)
        client.close()

    asyncio.run(both())
    assert [each.source for each in receiver.receptions] == [SOURCE, OTHER]
    assert [len(each.kept) for each in receiver.receptions] == [2, 1]


def test_a_reception_ends_a_moment_after_the_last_request(
    intake: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aclient, "KEPT_SECONDS", 0.05)
    receiver = MemoryReceiver()
    client = AsyncIntakeClient(intake(receiver))

    async def one() -> None:
        await stow(client, SOURCE, body(part10(made, "2.25.1", 100)), more=True)
        async with asyncio.timeout(20):
            while not receiver.receptions[0].closed:
                await asyncio.sleep(0.01)
        await stow(client, SOURCE, body(part10(made, "2.25.2", 100)))

    asyncio.run(one())
    assert [(each.closed, each.interrupted) for each in receiver.receptions] == [(True, False)] * 2


def test_only_a_few_connections_are_kept(intake: Any, made: Any) -> None:
    receiver = MemoryReceiver()
    client = AsyncIntakeClient(intake(receiver))
    callers = KEPT_AT_MOST + 3

    async def many() -> None:
        for number in range(callers):
            source = Source("stow", None, "care", f"192.0.2.7:{number}", "")
            await stow(client, source, body(part10(made, "2.25.1", 100)), more=True)
        async with asyncio.timeout(20):
            while sum(not each.closed for each in receiver.receptions) > KEPT_AT_MOST:
                await asyncio.sleep(0.01)
        client.close()

    asyncio.run(many())
    assert len(receiver.receptions) == callers


def test_a_body_that_breaks_off_interrupts_what_is_shared(
    intake: Any, made: Any, eventually: Any
) -> None:
    receiver = MemoryReceiver()
    client = AsyncIntakeClient(intake(receiver))

    async def broken() -> AsyncIterator[bytes]:
        yield body(part10(made, "2.25.2", 900_000))[:-100_000]
        raise ConnectionResetError("the caller is gone")

    async def two() -> None:
        await stow(client, SOURCE, body(part10(made, "2.25.1", 100)), more=True)
        with pytest.raises(ConnectionResetError):
            await client.stow(SOURCE, TYPE, broken(), more=True)

    asyncio.run(two())
    eventually(lambda: receiver.receptions[0].closed)
    [reception] = receiver.receptions
    assert reception.interrupted
    assert [kept.receipt.sop_instance for kept in reception.kept] == ["2.25.1"]


def test_a_connection_the_receiver_left_is_not_used_again(
    intake: Any, made: Any, tmp_path: Path
) -> None:
    receiver = MemoryReceiver()
    server = IntakeServer(receiver)
    server.start(tmp_path / "again")
    client = AsyncIntakeClient(tmp_path / "again")

    async def two() -> list[Result]:
        nonlocal server
        await stow(client, SOURCE, body(part10(made, "2.25.1", 100)), more=True)
        [[lane, _timer]] = client._kept.values()
        await asyncio.to_thread(server.stop)
        async with asyncio.timeout(20):
            while not lane.lost:
                await asyncio.sleep(0.01)
        server = IntakeServer(receiver)
        server.start(tmp_path / "again")
        return await stow(client, SOURCE, body(part10(made, "2.25.2", 100)))

    try:
        assert [r.ok for r in asyncio.run(two())] == [True]
    finally:
        server.stop()


def _said(path: Path, line: bytes, descriptors: list[int]) -> bytes:
    """The first line the receiver answers to a line that came with these files."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        connection.sendmsg([line], rights if descriptors else [])
        with connection.makefile("rb") as answers:
            return answers.readline()


@LINUX
@pytest.mark.parametrize("size", [shared.SLOTS * shared.SLOT, 4096])
def test_memory_that_could_shrink_is_refused(intake: Any, size: int) -> None:
    """Reading what was cut off would end the receiver."""
    receiver = MemoryReceiver()
    path = intake(receiver)
    descriptor = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    line = framing.encode_request(Request("stow", SOURCE, TYPE))
    with pytest.raises(FormatError):
        framing.parse_answer(_said(path, line, [descriptor]))
    os.close(descriptor)
    assert receiver.receptions == []


@pytest.mark.parametrize("length", [1, shared.SLOT + 1])
def test_a_slot_of_no_memory_is_refused(intake: Any, length: int) -> None:
    receiver = MemoryReceiver()
    line = framing.encode_request(Request("stow", SOURCE, TYPE))
    frame = framing.HEAD.pack(framing.SHARED, length)
    with pytest.raises(FormatError):
        framing.parse_answer(_said(intake(receiver), line + frame, []))
    assert receiver.receptions[0].interrupted


def test_another_source_does_not_follow(intake: Any) -> None:
    """What one caller brings never counts as another's."""
    receiver = MemoryReceiver()
    path = intake(receiver)
    end = framing.HEAD.pack(framing.END, 0)
    first = framing.encode_request(Request("instances", SOURCE, more=True)) + end
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(first + framing.encode_request(Request("instances", OTHER)) + end)
        with connection.makefile("rb") as answers:
            assert framing.parse_answer(answers.readline()) is None
            with pytest.raises(FormatError):
                framing.parse_answer(answers.readline())
    [reception] = receiver.receptions
    assert (reception.source, reception.interrupted) == (SOURCE, True)
