"""The intake socket: bodies, files and documents handed to the receiver by the two clients."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serment.adapters.memory.receiver import MemoryReceiver
from serment.core.dicom.part10 import build_meta
from serment.entrypoints.intake import framing
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.intake.client import IntakeClient
from serment.entrypoints.intake.server import IntakeLimits, IntakeServer
from serment.errors import AccessDenied, Busy, FormatError, NoSpace, NotFound, Unavailable
from serment.ports import Source

MIB = 1024 * 1024
SOURCE = Source("stow", "d" * 32, "care", "192.0.2.7:4000", "127.0.0.1:8443", tls=True)
TYPE = 'multipart/related; type="application/dicom"; boundary=BBB'

Start = Callable[..., Path]


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Start]:
    started: list[tuple[IntakeServer, list[Exception]]] = []

    def start(receiver: MemoryReceiver, **limits: Any) -> Path:
        faults: list[Exception] = []
        server = IntakeServer(receiver, IntakeLimits(**limits), faults.append)
        path = tmp_path / f"intake-{len(started)}"
        server.start(path)
        started.append((server, faults))
        return path

    yield start
    for server, faults in started:
        server.stop()
        assert faults == []
        assert server.active == 0


def part10(made: Any, instance: str = "2.25.1", pixels: int = 64) -> bytes:
    meta = build_meta(made.CT, instance, made.EXPLICIT)
    return bytes(meta + made.data_set(instance, pixels=pixels))


def body(*parts: bytes, kind: str = "application/dicom") -> bytes:
    return (
        b"".join(
            b"--BBB\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + p + b"\r\n" for p in parts
        )
        + b"--BBB--\r\n"
    )


async def chunks(data: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def stow(path: Path, data: bytes, size: int = 65536, kind: str = TYPE) -> list[framing.Result]:
    return asyncio.run(AsyncIntakeClient(path).stow(SOURCE, kind, chunks(data, size)))


@pytest.mark.parametrize("size", [1, 100, 65536, 3 * MIB])
def test_a_stow_body_is_stored_part_by_part_with_one_sync(
    intake: Start, made: Any, size: int
) -> None:
    receiver = MemoryReceiver()
    parts = [part10(made, f"2.25.{n}", 100 if size == 1 else 100_000) for n in range(1, 6)]
    results = stow(intake(receiver), body(*parts), size)
    assert [r.sop_instance for r in results] == [f"2.25.{n}" for n in range(1, 6)]
    assert all(r.ok and r.object_id for r in results)
    [reception] = receiver.receptions
    assert [k.data for k in reception.kept] == parts
    assert reception.steps == ["store"] * 5 + ["sync", "close"]
    assert reception.source == SOURCE
    assert not reception.interrupted


def test_a_large_part_streams(intake: Start, made: Any) -> None:
    receiver = MemoryReceiver()
    large = part10(made, pixels=9 * MIB)
    results = stow(intake(receiver), body(large, part10(made, "2.25.2")))
    assert [r.ok for r in results] == [True, True]
    assert receiver.kept[0].data == large


def test_much_is_made_durable_as_it_comes(intake: Start, made: Any) -> None:
    receiver = MemoryReceiver()
    parts = [part10(made, f"2.25.{n}", 40_000) for n in range(1, 11)]
    results = stow(intake(receiver, flush_bytes=100_000), body(*parts))
    assert len(results) == 10
    assert receiver.receptions[0].steps.count("sync") == 4


def test_a_refused_part_has_its_reason_and_the_next_goes_on(intake: Start, made: Any) -> None:
    receiver = MemoryReceiver()
    wrong = build_meta(made.CT, "2.25.9", made.EXPLICIT) + made.data_set("2.25.8")
    results = stow(
        intake(receiver, object_bytes=5 * MIB),
        body(
            part10(made, "2.25.1"),
            b"rubbish",
            wrong,
            b"",
            part10(made, "2.25.3", 6 * MIB),
            part10(made, "2.25.2"),
        ),
    )
    assert [r.status for r in results] == [0, 0xC000, 0xA900, 0xC000, 0xA700, 0]
    assert [r.sop_instance for r in results] == ["2.25.1", "", "2.25.9", "", "2.25.3", "2.25.2"]
    assert results[2].sop_class == made.CT
    assert all(r.reason for r in results if not r.ok)
    assert len(receiver.kept) == 2


def test_parts_of_another_type_are_not_understood(intake: Start, made: Any) -> None:
    receiver = MemoryReceiver()
    data = body(part10(made), kind="application/dicom+json")
    [result] = stow(intake(receiver), data)
    assert result.status == 0xC000
    assert receiver.kept == []


def test_a_full_disk_refuses_each_part(intake: Start, made: Any) -> None:
    receiver = MemoryReceiver(capacity=150_000)
    parts = [part10(made, f"2.25.{n}", 100_000) for n in range(1, 4)]
    results = stow(intake(receiver), body(*parts))
    assert [r.status for r in results] == [0, 0xA700, 0xA700]


def test_what_cannot_be_synced_is_not_acknowledged(intake: Start, made: Any) -> None:
    receiver = MemoryReceiver()
    opened = receiver.open

    def open_(source: Source) -> Any:
        reception = opened(source)

        def sync() -> None:
            raise NoSpace("full")

        return _Failing(reception, sync)

    receiver.open = open_  # type: ignore[method-assign]
    results = stow(intake(receiver), body(part10(made), b"rubbish"))
    assert [r.status for r in results] == [0xA700, 0xC000]
    assert results[0].sop_instance == "2.25.1"
    assert not results[0].object_id


class _Failing:
    def __init__(self, reception: Any, sync: Callable[[], None]) -> None:
        self._reception, self.sync = reception, sync

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reception, name)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"--BBB\r\n\r\nx", TYPE),
        (b"nothing", TYPE),
        (b"", TYPE),
        (b"--BBBx", TYPE),
        (b"--BBB--", "multipart/form-data; boundary=BBB"),
    ],
)
def test_bad_framing_fails_the_request(intake: Start, data: bytes, kind: str) -> None:
    receiver = MemoryReceiver()
    path = intake(receiver)
    with pytest.raises(FormatError):
        stow(path, data, kind=kind)
    [reception] = receiver.receptions
    assert (reception.closed, reception.interrupted) == (True, True)
    [refused] = receiver.refusals
    assert refused.address == "192.0.2.7"


def test_an_early_refusal_stops_the_sender(intake: Start, made: Any) -> None:
    """The body is endless: the answer must come although it is never over."""
    path = intake(MemoryReceiver())

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB

    with pytest.raises(FormatError):
        asyncio.run(AsyncIntakeClient(path).stow(SOURCE, TYPE, endless()))


def test_a_body_that_breaks_off_interrupts(intake: Start, made: Any, eventually: Any) -> None:
    receiver = MemoryReceiver()
    path = intake(receiver)

    async def broken() -> AsyncIterator[bytes]:
        yield body(part10(made), part10(made, "2.25.2", 200_000))[:-100_000]
        raise ConnectionResetError("the browser is gone")

    with pytest.raises(ConnectionResetError):
        asyncio.run(AsyncIntakeClient(path).stow(SOURCE, TYPE, broken()))
    eventually(lambda: bool(receiver.receptions and receiver.receptions[0].closed))
    assert receiver.receptions[0].interrupted
    assert "sync" not in receiver.receptions[0].steps


def test_the_sender_goes_no_faster_than_the_receiver(intake: Start, made: Any) -> None:
    receiver = MemoryReceiver(keeps=False)
    hold, given = threading.Event(), 0
    opened = receiver.open

    def open_(source: Source) -> Any:
        hold.wait(20)
        return opened(source)

    receiver.open = open_  # type: ignore[method-assign]
    path = intake(receiver)

    async def run() -> list[framing.Result]:
        nonlocal given
        data = body(*(part10(made, f"2.25.{n}", MIB) for n in range(1, 17)))

        async def counted() -> AsyncIterator[bytes]:
            nonlocal given
            async for chunk in chunks(data):
                given += len(chunk)
                yield chunk

        task = asyncio.ensure_future(AsyncIntakeClient(path).stow(SOURCE, TYPE, counted()))
        before = -1
        while given != before:
            before = given
            await asyncio.sleep(0.05)
        assert 0 < given < 4 * MIB
        hold.set()
        return await task

    assert len(asyncio.run(run())) == 16


def test_files_come_back_one_by_one(intake: Start, made: Any) -> None:
    receiver = MemoryReceiver()
    client = IntakeClient(intake(receiver))

    def file(number: int) -> Iterator[bytes]:
        data = part10(made, f"2.25.{number}", 1000)
        if number == 3:
            yield data[:500]
            raise FormatError("the archive is damaged")
        if number == 5:
            data = b"rubbish"
        yield data[:200]
        yield data[200:]

    results = list(client.instances(SOURCE, (file(n) for n in range(1, 400))))
    assert len(results) == 399
    assert [n for n, r in enumerate(results, 1) if not r.ok] == [3, 5]
    assert results[2].reason == "the archive is damaged"
    assert results[399 - 1].sop_instance == "2.25.399"
    [reception] = receiver.receptions
    assert reception.steps.count("sync") == 4
    assert len(reception.kept) == 397


def test_results_come_while_files_go(intake: Start, made: Any) -> None:
    """An import of any length needs little memory: results are read as files are sent."""
    client = IntakeClient(intake(MemoryReceiver(keeps=False)))
    sent = 0

    def files() -> Iterator[list[bytes]]:
        nonlocal sent
        for number in range(1, 3001):
            sent += 1
            yield [part10(made, f"2.25.{number}", 2000)]

    ahead = max(sent - got for got, _ in enumerate(client.instances(SOURCE, files()), 1))
    assert sent == 3000
    assert ahead < 1500


def test_an_empty_upload(intake: Start) -> None:
    assert list(IntakeClient(intake(MemoryReceiver())).instances(SOURCE, [])) == []


def test_files_from_a_page(intake: Start, made: Any) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise FormatError("unreadable")

    async def files() -> AsyncIterator[AsyncIterator[bytes]]:
        yield chunks(part10(made, "2.25.1", 100_000), 1000)
        yield broken()
        yield chunks(part10(made, "2.25.2"))

    client = AsyncIntakeClient(intake(MemoryReceiver()))
    results = asyncio.run(client.instances(SOURCE, files()))
    assert [r.ok for r in results] == [True, False, True]
    assert results[1].reason == "unreadable"


def test_documents(intake: Start) -> None:
    receiver = MemoryReceiver()
    path = intake(receiver)
    pdf = b"%PDF-1.7 " + bytes(2 * MIB)
    result = IntakeClient(path).document(SOURCE, "p" * 32, "Ordonnance d'été", [pdf[:9], pdf[9:]])
    assert result.ok
    again = asyncio.run(AsyncIntakeClient(path).document(SOURCE, "p" * 32, "x", chunks(pdf)))
    assert again.ok
    assert [k.data for k in receiver.kept] == [pdf, pdf]
    assert receiver.receptions[0].steps == ["document", "sync", "close"]
    with pytest.raises(FormatError):
        IntakeClient(path).document(SOURCE, "p" * 32, "x", [b"not a PDF"])


def test_a_document_is_no_larger_than_an_object_may_be(intake: Start) -> None:
    receiver = MemoryReceiver()
    path = intake(receiver, object_bytes=MIB)
    pdf = b"%PDF-1.7 " + bytes(MIB)
    with pytest.raises(Unavailable, match="larger than"):
        IntakeClient(path).document(SOURCE, "p" * 32, "x", [pdf])
    assert receiver.kept == []
    assert receiver.receptions[0].interrupted
    assert IntakeClient(path).document(SOURCE, "p" * 32, "x", [pdf[:MIB]]).ok


@pytest.mark.parametrize(
    "error",
    [
        AccessDenied("no"),
        NotFound("there is no patient {patient}", hint="look", patient="a1"),
        Unavailable("later"),
    ],
)
def test_an_error_crosses_the_socket_whole(intake: Start, error: Any) -> None:
    path = intake(MemoryReceiver(refusal=error))
    with pytest.raises(type(error)) as caught:
        IntakeClient(path).document(SOURCE, "p", "t", [b"%PDF-", bytes(3 * MIB)])
    assert (str(caught.value), caught.value.advice) == (str(error), error.advice)


def test_the_socket_is_private_and_any_path_will_do(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 20) / ("path" * 20)
    deep.mkdir(parents=True)
    path = deep / "intake"
    server = IntakeServer(MemoryReceiver())
    server.start(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(IntakeClient(path).instances(SOURCE, [])) == []
    with pytest.raises(Unavailable) as taken:
        IntakeServer(MemoryReceiver()).start(path)
    assert taken.value.advice
    server.stop()
    assert not path.exists()


def test_a_socket_left_by_the_dead_is_replaced_but_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "intake"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    server = IntakeServer(MemoryReceiver())
    server.start(path)
    server.stop()
    path.write_text("something else")
    with pytest.raises(Unavailable):
        IntakeServer(MemoryReceiver()).start(path)
    assert path.read_text() == "something else"


def test_no_receiver_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="not running"):
        list(IntakeClient(tmp_path / "nobody").instances(SOURCE, []))
    with pytest.raises(Unavailable, match="not running"):
        stow(tmp_path / "nobody", b"")


def test_too_many_uploads(intake: Start) -> None:
    path = intake(MemoryReceiver(), requests=1)
    first = socket.socket(socket.AF_UNIX)
    first.connect(str(path))
    first.sendall(framing.encode_request(framing.Request("instances", SOURCE)))
    with pytest.raises(Busy):
        list(IntakeClient(path).instances(SOURCE, []))
    first.close()


def test_too_many_objects_in_one_upload(intake: Start, made: Any) -> None:
    path = intake(MemoryReceiver(), parts=2)
    with pytest.raises(FormatError, match="2"):
        stow(path, body(*[part10(made)] * 3))


def test_a_silent_sender_is_let_go(intake: Start, eventually: Any) -> None:
    receiver = MemoryReceiver()
    path = intake(receiver, idle_seconds=0.1)
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    client.sendall(framing.encode_request(framing.Request("instances", SOURCE)))
    answer = client.makefile("rb").readline()
    with pytest.raises(Unavailable):
        framing.parse_answer(answer)
    client.close()
    eventually(lambda: receiver.receptions[0].closed)
    assert receiver.receptions[0].interrupted


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        b'{"op": "stow"}\n',
        b'{"op": "other", "source": {}}\n',
        json.dumps({"op": "nothing", "source": {"kind": "x"}}).encode() + b"\n",
        b"[" * 60_000 + b"\n",
        b"x" * 70_000,
    ],
)
def test_what_is_not_a_request_is_refused(intake: Start, line: bytes) -> None:
    path = intake(MemoryReceiver())
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    client.sendall(line)
    with pytest.raises(FormatError):
        framing.parse_answer(client.makefile("rb").readline())
    client.close()


@pytest.mark.parametrize(
    "frames",
    [
        b"D\xff\xff\xff\xff",
        b"N\0\0\0\1x",
        b"?\0\0\0\0",
        b"D\0\0\0\1xE\0\0\0\0",
    ],
)
def test_bad_frames_are_refused(intake: Start, frames: bytes) -> None:
    receiver = MemoryReceiver()
    path = intake(receiver)
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    client.sendall(framing.encode_request(framing.Request("instances", SOURCE)) + frames)
    with pytest.raises(FormatError):
        framing.parse_answer(client.makefile("rb").readline())
    client.close()
    assert receiver.receptions[0].interrupted


def test_stopping_ends_between_two_objects(tmp_path: Path, made: Any, eventually: Any) -> None:
    receiver = MemoryReceiver()
    server = IntakeServer(receiver, IntakeLimits(stop_seconds=5))
    server.start(tmp_path / "intake")
    stopper = threading.Thread(target=server.stop)

    def files() -> Iterator[list[bytes]]:
        yield [part10(made, "2.25.1")]
        eventually(lambda: len(receiver.kept) == 1)
        stopper.start()
        eventually(server._stopping.is_set)
        for number in range(2, 5):
            yield [part10(made, f"2.25.{number}")]

    results: list[framing.Result] = []
    with pytest.raises(Unavailable, match="stopping"):
        results.extend(IntakeClient(tmp_path / "intake").instances(SOURCE, files()))
    stopper.join()
    [reception] = receiver.receptions
    assert reception.interrupted
    # What came was made durable before the end was told; the one begun may have come too.
    assert reception.steps[-2:] == ["sync", "close"]
    assert len(reception.kept) <= 2
