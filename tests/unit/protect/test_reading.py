"""Reading: bound to what was sealed, journalled first, and never longer than a key leads there."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from tests.practices import World, disk_world, patient, report, study
from tests.sealing import keep, seal_bytes

from serment.adapters.packs import files
from serment.app.protect.objects import PIECE, WHOLE, ObjectReader
from serment.core.crypto.age import HybridRecipient
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope, Role, StoredObject, Wrap, WrapKind
from serment.errors import AccessDenied, IntegrityError, NotFound, VaultLocked
from serment.ports import InstanceRow, Matches, Source


def _entries(world: World) -> list[Entry]:
    entries = (entry_of(entry) for entry in world.house.store.journal())
    return [entry for entry in entries if entry is not None]


def _kinds(world: World) -> list[EventKind]:
    return [entry.kind for entry in _entries(world)]


def _large(text: str = "x") -> bytes:
    return report(study(patient()), text=(text * 100 + " imaginaire ") * 100_000)


def _receive_large(world: World, data: bytes) -> str:
    reception = world.receiver().open(Source("import", None, None, "", ""))
    stream = reception.start()
    stream.write(data[: 1 << 20])
    stream.write(data[1 << 20 :])
    receipt = stream.finish()
    reception.sync()
    reception.close()
    return receipt.sop_instance


def _forge(world: World, row: StoredObject, data: bytes) -> StoredObject:
    """What somebody who can write to the disk puts in the place of an object: sealed to the
    public key that lies there. Returns the row that leads to it under the old digest."""
    envelope = world.house.store.get(Envelope, row.envelope)
    assert envelope is not None
    file = bytes(seal_bytes(data, HybridRecipient(envelope.public_key)))
    record = world.house.packs.large(row.id, row.envelope)
    record.write(file)
    place = record.finish(b"x", b"y")
    return replace(row, pack=place.pack, offset=place.offset, size=place.size)


@pytest.mark.parametrize("large", [False, True])
def test_another_file_sealed_to_the_same_key_is_not_believed(world: World, large: bool) -> None:
    data = _large() if large else report(study(patient()))
    assert (len(data) > WHOLE) is large
    uid = _receive_large(world, data)
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        (reader,) = reading.open([reading.instance(uid)], "report")
        forged = _forge(world, reader.row, data)
        seed = session.ring.envelope_seed(world.house.store, forged.envelope)
        assert seed is not None
        with pytest.raises(IntegrityError, match="not the one that was sealed"):
            ObjectReader(world.house, forged, seed).read(0, 1)
        # nor when the row is changed to fit: the index record is bound to the digest
        pieces = [
            world.house.packs.read(forged.pack, forged.offset + at, min(PIECE, forged.size - at))
            for at in range(0, forged.size, PIECE)
        ]
        fitting = replace(forged, sha256=hashlib.sha256(b"".join(pieces)).digest())
        with pytest.raises(IntegrityError):
            ObjectReader(world.house, fitting, seed).size  # noqa: B018 - opens it
        assert b"".join(reader.stream()) == data
        # once opened, the session reads it by the key found then: another file does not open
        remembered = ObjectReader(world.house, forged, seed, session.remembered)
        with pytest.raises(IntegrityError):
            remembered.read(0, 1)


@pytest.mark.parametrize("large", [False, True])
def test_any_part_of_it_comes_back(world: World, large: bool) -> None:
    data = _large() if large else report(study(patient()), text="imaginaire " * 30_000)
    uid = _receive_large(world, data)
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        for _ in range(2):  # opened, then remembered
            (reader,) = reading.open([reading.instance(uid)], "report")
            assert reader.read(0, 10) == data[:10]
            assert reader.read(len(data) - 5, 100) == data[-5:]
            assert reader.read(65_530, 70_000) == data[65_530:135_530]
            assert reader.read(len(data), 1) == b""
            assert reader.size == len(data)
            assert b"".join(reader.stream(3, 200_000)) == data[3:200_000]
            pieces = list(reader.stream())
            assert b"".join(pieces) == data
            assert max(map(len, pieces)) <= PIECE


def test_many_objects_of_an_envelope_are_read_once_each(world: World) -> None:
    one = study(patient())
    data = {n: report(one, n, f"Texte {n}.") for n in range(1, 21)}
    world.receive(data.values())
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        for _ in range(2):
            rows = reading.instances(Matches(study_uids=(one.uid,)))
            readers = reading.open(rows, "report")
            assert [reader.all() for reader in readers] == list(data.values())
    assert _kinds(world).count(EventKind.READ) == 1


def test_a_series_is_named_at_its_first_image(world: World) -> None:
    one, other = study(patient()), study(patient(), 2)
    world.receive([report(one, n) for n in range(1, 6)] + [report(other)])
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        rows = reading.instances(Matches(study_uids=(one.uid,)))
        for row in (rows[2], rows[4], rows[0]):
            assert reading.open_one_of_series(row, "frames").all()
        (read,) = [e for e in map(entry_of, world.house.store.journal()) if e.kind == "read"]
        assert set(read.details["objects"]) == {row.object for row in rows}
        (second,) = reading.instances(Matches(study_uids=(other.uid,)))
        reading.open_one_of_series(second, "frames")
    assert _kinds(world).count(EventKind.READ) == 2


def test_a_series_is_named_at_its_first_object(world: World) -> None:
    one = study(patient())
    receipts = world.receive([report(one, n) for n in range(1, 6)])
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        for receipt in receipts:
            reader = reading.open_one_of_series(reading.object_row(receipt.object_id), "image")
            assert reader.read(128, 4) == b"DICM"
        reading.allow_series(reading.object_row(receipts[2].object_id), "image")
    entries = [entry_of(row) for row in world.house.store.journal()]
    (read,) = [entry for entry in entries if entry and entry.kind is EventKind.READ]
    assert set(read.details["objects"]) == {receipt.object_id for receipt in receipts}


def test_a_study_that_came_in_two_parts_is_one_reading(world: World) -> None:
    of = study(patient())
    for number in (1, 2):
        world.receive([report(of, number)])
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        rows = reading.instances(Matches())
        for row in (*rows, *rows):
            reading.allow([row], "image")
    first, second = [e.details for e in _entries(world) if e.kind is EventKind.READ]
    assert len({row.envelope for row in rows}) == 2
    assert first["study"] == second["study"] == first["envelope"] != second["envelope"]
    assert (first["more"], second["more"]) == (False, True)
    assert of.uid not in str((first, second))


def test_a_missing_row_is_said(world: World) -> None:
    (receipt,) = world.receive([report(study(patient()))])
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        row = reading.instance(receipt.sop_instance)
        gone = InstanceRow("0" * 32, *[getattr(row, n) for n in InstanceRow.__slots__[1:]])
        with pytest.raises(NotFound, match="missing"):
            reading.open([gone], "report")


def test_a_right_taken_back_counts_from_the_next_read_on(world: World) -> None:
    (receipt,) = world.receive([report(study(patient()))])
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        row = reading.instance(receipt.sop_instance)
        (reader,) = reading.open([row], "report")
        assert reader.read(0, 1)
        store = world.house.store
        entry = Entry(EventKind.KEYS_MOVED, world.house.clock.now(), "test")
        with store.change(entry) as tx:
            for wrap in store.find(Wrap, kind=WrapKind.ENVELOPE_SEED):
                if wrap.subject == f"envelope:{row.envelope}":
                    tx.delete(wrap)
        with pytest.raises(AccessDenied, match="no key"):
            reading.open([row], "report")


def test_locking_stops_what_is_being_read(world: World) -> None:
    data = _large()
    uid = _receive_large(world, data)
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        (reader,) = reading.open([reading.instance(uid)], "report")
        pieces = reader.stream()
        assert next(pieces) == data[:PIECE]
    with pytest.raises(VaultLocked):
        next(pieces)


def test_reading_again_writes_nothing_and_looks_for_nothing(world: World) -> None:
    (receipt,) = world.receive([report(study(patient()))])
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        row = reading.instance(receipt.sop_instance)
        reading.open([row], "report")
        before = world.house.store.journal_size()
        assert world.practice.refresh() is False  # its own entry is no news
        reading.open([row], "report")
        assert world.house.store.journal_size() == before


def test_what_comes_while_open_is_seen(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = disk_world(tmp_path_factory.mktemp("world"))
    world.add("docteur", Role.DOCTOR)
    one = study(patient())
    with world.signed_in("docteur") as session:
        searching = world.searching(session)
        for number in (1, 2):
            world.receive([report(one, number)])
            assert len(searching.instances(Matches(study_uids=(one.uid,)))) == number
        # an object row may come after the entry that announced its envelope
        reception = world.receiver().open(Source("import", None, None, "", ""))
        keep(reception, report(one, 3))
        assert len(searching.instances(Matches(study_uids=(one.uid,)))) == 2
        reception.sync()
        assert len(searching.instances(Matches(study_uids=(one.uid,)))) == 3
        reception.close()
    world.house.store.close()


def test_a_damaged_repeat_does_not_keep_the_practice_shut(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("world")
    world = disk_world(folder)
    world.add("docteur", Role.DOCTOR)
    data = report(study(patient()))
    (first,) = world.receive([data])
    world.receive([data])
    row = world.house.store.get(StoredObject, first.object_id)
    assert row is not None
    path = files.path_of(folder / "packs", row.pack)
    with path.open("r+b") as pack:
        pack.seek(row.offset + row.size - 1)
        pack.write(b"\xaa\xbb")
    with world.signed_in("docteur") as session:
        assert len(world.searching(session).instances(Matches())) == 2
    world.house.store.close()


def test_a_damaged_key_of_one_patient_keeps_nobody_out(world: World) -> None:
    """What came for him since stays readable as it arrived."""
    exams = [study(patient(1), 1), study(patient(2, "PETIT^Luc", "19700203", "M"), 2)]
    world.receive(report(exam, 1) for exam in exams)
    with world.signed_in("docteur"):
        pass  # files both, and moves their keys under those of the patients
    store = world.house.store
    wrap, _ = store.find(Wrap, kind=WrapKind.PATIENT_CLINICAL, recipient="circle:care")
    entry = Entry(EventKind.REPAIRED, world.house.clock.now(), "test", {})
    with store.change(entry) as tx:
        tx.put(replace(wrap, blob=wrap.blob[:-1] + bytes([wrap.blob[-1] ^ 1])))
    world.receive(report(exam, 2) for exam in exams)
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        rows = reading.instances(Matches())
        assert len(rows) == 3  # only what needed the damaged key is out of reach
        assert all(reader.all() for reader in reading.open(rows, "report"))
