"""What every adapter of packs promises: records come back, in order, whole or not at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.packing import append, refill

from serment.core.crypto.entropy import new_id, random_bytes
from serment.core.records.pack import MAX_AGE, MAX_HEADER
from serment.errors import Conflict, FormatError, IntegrityError
from serment.ports import PackRecord, Packs, Place

ENVELOPE = "e" * 32


def put(packs: Packs, data: bytes, identity: bytes = b"", clinical: bytes = b"c") -> PackRecord:
    object_id, digest = new_id(), hashlib.sha256(data).digest()
    place = append(packs, object_id, ENVELOPE, data, digest, identity, clinical)
    return PackRecord(object_id, ENVELOPE, place, identity, clinical)


def content(packs: Packs, place: Place) -> bytes:
    return packs.read(place.pack, place.offset, place.size)


@pytest.mark.parametrize("size", [0, 1, 5000])
def test_a_record_comes_back_as_it_was(packs: Packs, size: int) -> None:
    data = random_bytes(size)
    record = put(packs, data, b"identity", b"clinical")
    packs.sync()
    assert content(packs, record.place) == data
    assert record.place.size == size
    assert record.place.sha256 == hashlib.sha256(data).digest()
    assert list(packs.records()) == [record]
    assert packs.verify(record.place)
    assert packs.check(record.place.pack) == []


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_room_is_used_again_whatever_the_size_of_what_came_before(
    packs: Packs, one_by_one: bool
) -> None:
    room = packs.room(one_by_one)
    files = [random_bytes(size) for size in (3000, 0, 5, 2_500_000, 4096, 10)]
    places = [refill(room, file) for file in files]
    packs.sync()
    assert [content(packs, place) for place in places] == files
    assert sorted(r.place.offset for r in packs.records()) == sorted(p.offset for p in places)
    assert all(packs.verify(place) for place in places)
    assert all(packs.check(name) == [] for name in packs.names())


def test_a_room_tells_what_is_in_it_until_it_is_cleared(packs: Packs) -> None:
    room = packs.room()
    assert (len(room), bytes(room.content())) == (0, b"")
    room.extend(3)[:] = b"abc"
    room.extend(2)[:] = b"de"
    assert (len(room), bytes(room.content())) == (5, b"abcde")
    room.clear()
    assert (len(room), bytes(room.content())) == (0, b"")


def test_a_room_is_empty_after_each_record_also_one_that_was_refused(packs: Packs) -> None:
    room = packs.room()
    refill(room, b"first")
    assert len(room) == 0
    room.extend(5)[:] = b"other"
    with pytest.raises(FormatError):
        room.keep("short", ENVELOPE, hashlib.sha256(b"other").digest(), b"", b"")
    assert len(room) == 0
    place = refill(room, b"second")
    assert content(packs, place) == b"second"
    assert packs.verify(place)


def test_records_of_a_pack_are_in_order_and_packs_are_rotated(packs: Packs) -> None:
    put_in = [put(packs, random_bytes(1000), clinical=bytes([n])) for n in range(12)]
    packs.sync()
    names = packs.names()
    assert len(names) == 4
    assert {r.place.pack for r in put_in} == set(names)
    for name in names:
        assert list(packs.records(name)) == [r for r in put_in if r.place.pack == name]
    assert sorted(packs.records(), key=str) == sorted(put_in, key=str)


def test_a_record_larger_than_a_pack_has_one_of_its_own(packs: Packs) -> None:
    small, big = put(packs, b"small"), put(packs, random_bytes(20_000))
    assert small.place.pack != big.place.pack
    assert content(packs, big.place) != b""
    assert packs.verify(big.place)


def test_a_part_of_a_record_can_be_read(packs: Packs) -> None:
    record = put(packs, b"0123456789")
    assert packs.read(record.place.pack, record.place.offset + 3, 4) == b"3456"
    assert packs.read(record.place.pack, record.place.offset, 0) == b""


def test_reading_beyond_the_end_or_nowhere_is_an_integrity_error(packs: Packs) -> None:
    record = put(packs, b"data")
    with pytest.raises(IntegrityError):
        packs.read(record.place.pack, record.place.offset, 10_000)
    for name in ("0" * 32, "../../etc/passwd", "", "E" * 32):
        with pytest.raises(IntegrityError):
            packs.read(name, 0, 1)
        with pytest.raises(IntegrityError):
            list(packs.records(name))
        assert not packs.verify(replace(record.place, pack=name))


def test_a_digest_that_does_not_fit_is_found(packs: Packs) -> None:
    record = put(packs, b"data")
    assert not packs.verify(replace(record.place, sha256=bytes(32)))
    assert not packs.verify(replace(record.place, offset=record.place.offset + 1))


def test_what_does_not_fit_the_format_is_refused(packs: Packs) -> None:
    good = hashlib.sha256(b"").digest()
    with pytest.raises(FormatError):
        append(packs, "short", ENVELOPE, b"", good, b"", b"")
    with pytest.raises(FormatError):
        append(packs, "A" * 32, ENVELOPE, b"", good, b"", b"")
    with pytest.raises(FormatError):
        append(packs, new_id(), ENVELOPE, b"", b"short", b"", b"")
    with pytest.raises(FormatError):
        append(packs, new_id(), ENVELOPE, b"", good, bytes(MAX_HEADER + 1), b"")
    with pytest.raises(FormatError):
        append(packs, new_id(), ENVELOPE, bytes(MAX_AGE + 1), good, b"", b"")
    assert list(packs.records()) == []


def test_a_large_object_streams_to_a_pack_of_its_own(packs: Packs) -> None:
    chunks = [random_bytes(3000) for _ in range(5)]
    object_id = new_id()
    large = packs.large(object_id, ENVELOPE)
    other = put(packs, b"meanwhile")
    for chunk in chunks:
        large.write(memoryview(chunk))
    data = b"".join(chunks)
    assert large.digest() == hashlib.sha256(data).digest()
    place = large.finish(b"identity", b"clinical")
    packs.sync()
    assert place.pack != other.place.pack
    assert content(packs, place) == data
    assert packs.verify(place)
    expected = PackRecord(object_id, ENVELOPE, place, b"identity", b"clinical")
    assert list(packs.records(place.pack)) == [expected]
    large.abort()
    assert packs.verify(place)


def test_an_empty_large_object(packs: Packs) -> None:
    place = packs.large(new_id(), ENVELOPE).finish(b"", b"")
    packs.sync()
    assert place.size == 0
    assert packs.verify(place)
    assert len(list(packs.records(place.pack))) == 1


def test_an_aborted_large_object_leaves_nothing(packs: Packs) -> None:
    large = packs.large(new_id(), ENVELOPE)
    large.write(b"data")
    large.abort()
    large.abort()
    assert packs.names() == []
    with pytest.raises(Conflict):
        large.write(b"more")
    with pytest.raises(Conflict):
        large.finish(b"", b"")


def test_an_unfinished_large_object_is_no_record(packs: Packs) -> None:
    large = packs.large(new_id(), ENVELOPE)
    large.write(b"data")
    assert list(packs.records()) == []
    large.abort()


def test_nothing_to_repair_in_what_was_closed(make_packs: Callable[[], Packs]) -> None:
    packs = make_packs()
    record = put(packs, b"data")
    large = packs.large(new_id(), ENVELOPE)
    place = large.finish(b"", b"")
    packs.close()
    again = make_packs()
    assert again.recover() == []
    assert content(again, record.place) == b"data"
    assert again.verify(place)
    assert len(list(again.records())) == 2


def test_a_closed_pack_never_changes_again(make_packs: Callable[[], Packs]) -> None:
    packs = make_packs()
    first = put(packs, b"before")
    packs.close()
    again = make_packs()
    second = put(again, b"after")
    again.sync()
    assert second.place.pack != first.place.pack
    assert list(again.records(first.place.pack)) == [first]
    again.close()


def test_threads_append_at_once(packs: Packs) -> None:
    found: list[PackRecord] = []

    def work(worker: int) -> None:
        for number in range(20):
            record = put(packs, bytes([worker]) * (number * 7), clinical=bytes([worker, number]))
            packs.sync()
            found.append(record)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 120
    assert sorted(packs.records(), key=str) == sorted(found, key=str)
    assert all(packs.verify(record.place) for record in found)
    assert all(packs.check(name) == [] for name in packs.names())


def test_sync_with_nothing_to_sync(packs: Packs) -> None:
    packs.sync()
    packs.sync()
    assert packs.names() == []
