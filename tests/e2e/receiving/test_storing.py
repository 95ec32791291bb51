"""C-ECHO and C-STORE as a peer made by hand sees them: what is stored, when it is acknowledged."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from serment.adapters.memory.receiver import MemoryReceiver
from serment.core.dicom.part10 import read_meta
from serment.errors import AccessDenied, FormatError, Mismatch, NoSpace, Unavailable

MIB = 1024 * 1024


def test_an_echo_is_answered_and_opens_no_reception(serve: Any, made: Any) -> None:
    running = serve()
    peer = running.call()
    peer.associate()
    echo = made.command(0x30, "1.2.840.10008.1.1", "", data_set=False)
    peer.send(made.unit(4, made.fragment(1, 3, echo)))
    answer = peer.response()
    assert answer[0x100] == struct.pack("<H", 0x8030)
    assert answer[0x120] == struct.pack("<H", 7)
    assert answer[0x900] == bytes(2)
    peer.release()
    assert running.receiver.receptions == []


def test_a_data_set_is_stored_as_it_came_and_synced_before_the_answer(
    serve: Any, made: Any
) -> None:
    running = serve()
    peer = running.call()
    peer.associate()
    data = made.data_set(pixels=100_000)
    peer.send(made.unit(4, made.fragment(3, 3, made.command())), *made.pieces(data, 16000))
    answer = peer.response()
    [reception] = running.receiver.receptions
    assert reception.steps == ["store", "sync"]
    assert answer[-1] == b"\x03"
    assert answer[0x900] == bytes(2)
    assert answer[0x1000] == b"2.25.1"
    [kept] = reception.kept
    meta = read_meta(kept.data)
    assert (meta.sop_class, meta.sop_instance, meta.transfer_syntax) == (
        made.CT,
        "2.25.1",
        made.EXPLICIT,
    )
    assert kept.data[meta.dataset_offset :] == data
    peer.release()
    assert (reception.closed, reception.interrupted) == (True, False)
    source = reception.source
    assert (source.kind, source.circle, source.tls) == ("dicom", "care", False)
    assert source.local == f"127.0.0.1:{running.address[1]}"
    assert source.peer.startswith("127.0.0.1:")


@pytest.mark.parametrize("whole_reads", [True, False])
@pytest.mark.parametrize("size", [1, 7, 5000, 131_066])
def test_any_fragmentation_gives_the_same_object(
    serve: Any, made: Any, size: int, whole_reads: bool
) -> None:
    running = serve(whole_reads=whole_reads)
    peer = running.call()
    peer.associate()
    data = made.data_set(pixels=1000 if size < 10 else 300_000)
    command = made.command()
    step = min(size, 50)
    peer.send(*made.pieces(command, step, control=1), *made.pieces(data, size))
    assert peer.status() == 0
    assert running.receiver.kept[0].data.endswith(data)


def test_command_and_data_set_may_share_a_unit(serve: Any, made: Any) -> None:
    running = serve()
    peer = running.call()
    peer.associate()
    data = made.data_set()
    both = made.fragment(3, 3, made.command()) + made.fragment(3, 0, data[:40])
    peer.send(made.unit(4, both + made.fragment(3, 2, data[40:])))
    assert peer.status() == 0
    assert running.receiver.kept[0].data.endswith(data)


@pytest.mark.parametrize("size", [4 * MIB - 1000, 4 * MIB, 4 * MIB + 1, 9 * MIB + 123])
def test_a_large_object_streams_and_is_the_same(serve: Any, made: Any, size: int) -> None:
    running = serve()
    peer = running.call()
    peer.associate()
    data = made.data_set(pixels=size)
    assert peer.store(data, 131_000) == 0
    small = made.data_set("2.25.2")
    assert peer.store(small, instance="2.25.2") == 0
    first, second = running.receiver.kept
    assert first.data.endswith(data)
    assert second.data.endswith(small)


def test_many_instances_of_two_classes_on_one_association(serve: Any, made: Any) -> None:
    running = serve()
    peer = running.call()
    peer.associate()
    for number in range(40):
        kind, at = (made.CT, 3) if number % 2 else (made.MR, 5)
        uid = f"2.25.{number}"
        data = made.data_set(uid, kind)
        assert peer.store(data, number=at, sop_class=kind, instance=uid) == 0
    peer.release()
    [reception] = running.receiver.receptions
    assert [k.receipt.sop_instance for k in reception.kept] == [f"2.25.{n}" for n in range(40)]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NoSpace("the disk that holds the vault is full"), 0xA700),
        (Unavailable("later"), 0xA700),
        (Mismatch("not that"), 0xA900),
        (FormatError("what is this"), 0xC000),
        (
            AccessDenied("no doctor yet: nobody could open what arrives, évidemment, or ever"),
            0x0124,
        ),
    ],
)
@pytest.mark.parametrize("size", [64, 6 * MIB])
def test_a_refusal_has_the_standard_status_and_says_why(
    serve: Any, made: Any, error: Any, status: int, size: int
) -> None:
    running = serve(MemoryReceiver(refusal=error))
    peer = running.call()
    peer.associate()
    data = made.data_set(pixels=size)
    peer.send(made.unit(4, made.fragment(3, 3, made.command())), *made.pieces(data, 131_000))
    answer = peer.response()
    assert answer[0x900] == struct.pack("<H", status)
    comment = answer[0x902].decode("ascii")
    assert 1 <= len(comment) <= 64
    assert str(error).startswith(comment.strip()[:15])
    # The association goes on: the next one may succeed.
    running.receiver.refusal = None
    assert peer.store(made.data_set()) == 0
    assert len(running.receiver.kept) == 1


def test_an_object_that_fills_the_disk_half_way_leaves_nothing(serve: Any, made: Any) -> None:
    running = serve(MemoryReceiver(capacity=6 * MIB))
    peer = running.call()
    peer.associate()
    assert peer.store(made.data_set(pixels=9 * MIB), 131_000) == 0xA700
    assert peer.store(made.data_set(pixels=1000)) == 0
    [reception] = running.receiver.receptions
    assert "abort" in reception.steps
    assert len(reception.kept) == 1


def test_an_object_over_the_limit_is_refused_in_bounded_memory(serve: Any, made: Any) -> None:
    running = serve(object_bytes=5 * MIB)
    peer = running.call()
    peer.associate()
    assert peer.store(made.data_set(pixels=8 * MIB), 131_000) == 0xA700
    assert peer.store(made.data_set()) == 0
    assert len(running.receiver.kept) == 1


def test_the_data_set_must_be_what_the_command_says(serve: Any, made: Any) -> None:
    peer = serve().call()
    peer.associate()
    assert peer.store(made.data_set("2.25.1"), instance="2.25.999") == 0xA900
    assert peer.store(made.data_set("2.25.1", made.MR)) == 0xA900
    assert peer.store(b"\xff" * 100) == 0xC000


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.4"}, 0x0122),  # not the context's class
        ({"sop_class": "not a uid"}, 0x0122),
        ({"instance": ""}, 0x0117),
        ({"instance": "../../etc"}, 0x0117),
        ({"field_value": 0x20}, 0x0211),  # C-FIND
        ({"field_value": 0x21}, 0x0211),  # C-MOVE
        ({"field_value": 0x130}, 0x0211),  # N-ACTION
        ({"field_value": 0x30}, 0x0211),  # C-ECHO on a storage context
    ],
)
def test_a_command_that_cannot_be_is_refused_with_its_own_status(
    serve: Any, made: Any, command: Any, status: int
) -> None:
    running = serve()
    peer = running.call()
    peer.associate()
    assert peer.store(made.data_set(), **command) == status
    assert running.receiver.kept == []
    assert peer.store(made.data_set()) == 0


def test_a_store_without_data_set_and_a_cancel(serve: Any, made: Any) -> None:
    peer = serve().call()
    peer.associate()
    peer.send(made.unit(4, made.fragment(3, 3, made.command(data_set=False))))
    assert peer.status() == 0xC000
    peer.send(made.unit(4, made.fragment(3, 3, made.command(0x0FFF, data_set=False))))
    assert peer.store(made.data_set()) == 0  # the cancel had no answer


@pytest.mark.parametrize("max_length", [7, 16, 40, 0])
def test_answers_respect_the_longest_unit_the_peer_takes(
    serve: Any, made: Any, max_length: int
) -> None:
    peer = serve().call()
    peer.associate(max_length=max_length)
    peer.send(made.unit(4, made.fragment(3, 3, made.command())), *made.pieces(made.data_set(), 500))
    first = peer.unit()
    assert first is not None
    assert len(first[1]) <= (max_length or 1000)
    assert bool(first[1][5] & 2) == (max_length == 0)


def test_four_associations_at_once(serve: Any, made: Any) -> None:
    running = serve()
    peers = [running.call() for _ in range(4)]
    for peer in peers:
        peer.associate()
    for number in range(10):
        for index, peer in enumerate(peers):
            uid = f"2.25.{index + 1}{number:03}"
            peer.send(
                made.unit(4, made.fragment(3, 3, made.command(instance=uid))),
                *made.pieces(made.data_set(uid), 100),
            )
        assert [peer.status() for peer in peers] == [0] * 4
    for peer in peers:
        peer.release()
    assert len({k.receipt.sop_instance for k in running.receiver.kept}) == 40
    assert [r.interrupted for r in running.receiver.receptions] == [False] * 4
