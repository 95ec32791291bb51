"""Receiving: sealed with public keys, refused with a reason, the same again, what a restart mends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import Field, fields, replace
from pathlib import Path

import pytest
from tests.practices import World, disk_world, memory_world, patient, report, study
from tests.sealing import keep
from tests.unit.protect.thief import opened_by, write

from serment.adapters.packs.local import LocalPacks
from serment.app.circles import current
from serment.app.protect import devices, members
from serment.app.protect import reception as limits
from serment.app.protect.arrivals import parse_arrival
from serment.app.protect.mending import mend
from serment.core.crypto.keys import new_seed, public_key
from serment.core.dicom import uids
from serment.core.dicom.fictional import Place, pdf_document, radiograph
from serment.core.dicom.part10 import build_meta, read_meta
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records import names
from serment.core.records.vault import (
    Envelope,
    EnvelopeKind,
    IdentityHeader,
    ObjectState,
    Patient,
    Role,
    StoredObject,
    Wrap,
    WrapKind,
)
from serment.errors import AccessDenied, FormatError, Mismatch, NoSpace, NotFound
from serment.ports import Matches, Source


def test_without_a_doctor_it_is_refused_with_that_reason() -> None:
    world = memory_world()
    with pytest.raises(AccessDenied, match="no doctor yet"):
        world.receive([report(study(patient()))])
    world.add("docteur", Role.DOCTOR)
    assert len(world.receive([report(study(patient()))])) == 1


def test_it_comes_back_byte_for_byte(world: World) -> None:
    data = report(study(patient()))
    (receipt,) = world.receive([data])
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        (reader,) = reading.open([reading.instance(receipt.sop_instance)], "report")
        assert reader.all() == data


def test_only_the_study_that_the_request_names_is_taken(world: World) -> None:
    wanted, other = study(patient()), study(patient(), 2)
    source = Source("stow", None, None, "", "", study=wanted.uid)
    reception = world.receiver().open(source)
    receipt = keep(reception, report(wanted))
    assert receipt.study == wanted.uid
    with pytest.raises(Mismatch, match="another study"):
        keep(reception, report(other))
    stream = reception.start()
    with pytest.raises(Mismatch, match="another study"):
        stream.write(report(other, text="imaginaire " * 600_000)[: 5 << 20])
    stream.abort()
    reception.close()
    assert world.house.store.count(StoredObject) == 1


def test_a_large_object_streams_and_comes_back(world: World) -> None:
    data = report(study(patient()), text="imaginaire " * 600_000)  # about 6.6 MB
    reception = world.receiver().open(Source("import", None, None, "", ""))
    stream = reception.start()
    for start in range(0, len(data), 1 << 20):
        stream.write(data[start : start + (1 << 20)])
    receipt = stream.finish()
    reception.sync()
    reception.close()
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        (reader,) = reading.open([reading.instance(receipt.sop_instance)], "report")
        assert b"".join(reader.stream()) == data


def test_wraps_and_envelope_are_there_before_the_first_object(world: World) -> None:
    reception = world.receiver().open(Source("dicom", None, None, "p", "l"))
    keep(reception, report(study(patient())))
    (envelope,) = world.house.store.find(Envelope)
    kinds = {(w.kind, w.recipient) for w in world.house.store.find(Wrap) if "envelope" in w.subject}
    assert envelope.kind is EnvelopeKind.REPORT
    assert kinds == {
        (WrapKind.ENVELOPE_SEED, "circle:care"),
        (WrapKind.ENVELOPE_SEED, "recovery"),
        (WrapKind.ENVELOPE_IDENTITY, "circle:secretariat"),
        (WrapKind.ENVELOPE_IDENTITY, "circle:dpo"),
        (WrapKind.ENVELOPE_IDENTITY, "recovery"),
    }
    reception.close()


def test_one_association_with_two_patients_makes_two_envelopes(world: World) -> None:
    world.receive(
        [report(study(patient(1))), report(study(patient(2), 2)), report(study(patient(1)), 2)]
    )
    assert len(world.house.store.find(Envelope)) == 2
    assert len(world.house.store.find(StoredObject)) == 3


def test_nonsense_is_refused_and_the_reception_goes_on(world: World) -> None:
    reception = world.receiver().open(Source("stow", None, None, "p", "l"))
    for nonsense in (b"", b"x" * 500, bytes(128) + b"DICM", bytes(4096)):
        with pytest.raises(FormatError):
            keep(reception, nonsense)
    keep(reception, report(study(patient())))
    reception.close()
    assert len(world.house.store.find(StoredObject)) == 1


def _with_zeros(data: bytes, *uids: str) -> bytes:
    """The same object whose UIDs have a component that begins with zeros, as old devices write."""
    for uid in uids:
        data = data.replace(uid.encode(), b"2.25.000" + uid[8:].encode())
    return data


def test_uids_with_leading_zeros_are_kept_and_found(world: World) -> None:
    """PS3.5 9.1 forbids them; losing the images of a device that sends them would be worse."""
    of = study(patient())
    data = report(of)
    attributes = parse_arrival(data, None).clinical
    instance, series = attributes["SOPInstanceUID"], attributes["SeriesInstanceUID"]
    odd = _with_zeros(data, instance, series, of.uid)
    assert odd != data
    (receipt,) = world.receive([odd])
    assert receipt.sop_instance.startswith("2.25.000")
    with world.signed_in("docteur") as session:
        found = world.searching(session).instances(Matches(study_uids=(receipt.study,)))
        assert [row["SOPInstanceUID"] for row in found] == [receipt.sop_instance]
        reading = world.reading(session)
        (reader,) = reading.open([reading.instance(receipt.sop_instance)], "report")
        assert reader.all() == odd


def test_what_is_no_uid_at_all_is_refused(world: World) -> None:
    data = report(study(patient()))
    instance = parse_arrival(data, None).clinical["SOPInstanceUID"]
    for odd in ("x" * len(instance), "." * len(instance), "2.25." + " " * (len(instance) - 5)):
        with pytest.raises(FormatError):
            world.receive([data.replace(instance.encode(), odd.encode())])


@pytest.mark.parametrize("name", ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])
@pytest.mark.parametrize("odd", [b"\0", b"\x01", b"\t", b"\n", b"\x1b", b"\x7f", b"\xa0"])
def test_a_uid_with_something_in_it_is_not_taken_for_one_without(
    world: World, name: str, odd: bytes
) -> None:
    """PS3.5 9.1: digits and points. Were a control character left out, two objects would have one
    UID; refused, nothing is acknowledged that a search by what its sender wrote does not find."""
    data = report(study(patient()))
    uid = str(parse_arrival(data, None).clinical[name]).encode()
    at = data.rindex(uid)  # of the data set, not of group 2 in front of it
    inside = data[: at + 10] + odd + data[at + 11 :]
    with pytest.raises(FormatError):
        world.receive([inside])
    with pytest.raises(FormatError):
        world.receive([inside.replace(uid, inside[at : at + len(uid)])])  # announced so, too
    assert not world.house.store.find(StoredObject)
    world.receive([data])


def test_the_padding_of_a_uid_is_none_of_it() -> None:
    """Trailing NULL by the standard, trailing or leading spaces by old devices."""
    data = report(study(patient()))
    uid = str(parse_arrival(data, None).clinical["SeriesInstanceUID"])
    short = uid[:-2]
    for padded in (f"{short}\0\0", f"{short}  ", f" {short}\0"):
        found = parse_arrival(data.replace(uid.encode(), padded.encode()), None)
        assert found.clinical["SeriesInstanceUID"] == short


def test_uids_made_here_have_no_leading_zero() -> None:
    for random_id in ("0" * 31 + "7", "f" * 32, "0a" * 16):
        numbers = uids.new_uid(random_id).split(".")
        assert all(number == str(int(number)) for number in numbers)


def test_announced_uids_must_be_those_of_the_data_set(world: World) -> None:
    data = report(study(patient()))
    meta = read_meta(data)
    lying = build_meta(meta.sop_class, "2.25.1", meta.transfer_syntax) + data[meta.dataset_offset :]
    reception = world.receiver().open(Source("dicom", None, None, "p", "l"))
    with pytest.raises(Mismatch):
        keep(reception, lying)
    reception.close()


def test_the_same_again_is_kept_once_and_other_content_is_flagged(world: World) -> None:
    first, other = report(study(patient())), report(study(patient()), text="Autre contenu.")
    for data in (first, first, other):
        world.receive([data])
    with world.signed_in("docteur") as session:
        rows = world.practice.tables["care"].table.instances(Matches())
        assert [row.state for row in rows] == ["kept", "conflict"]
        reading = world.reading(session)
        readers = reading.open(rows, "report")
        assert [reader.all() for reader in readers] == [first, other]  # nothing overwritten
    states = [row.state for row in world.house.store.find(StoredObject)]
    assert states == [ObjectState.KEPT, ObjectState.DUPLICATE, ObjectState.CONFLICT]


def test_a_document_goes_to_its_patient(world: World) -> None:
    world.receive([report(study(patient()))])
    with world.signed_in("docteur"):
        (known,) = world.house.store.find(Patient)
    reception = world.receiver().open(Source("web", None, None, "p", "l"))
    with pytest.raises(NotFound):
        reception.document(iter([b"%PDF-1.7 x"]), "0" * 32, "Lettre")
    with pytest.raises(FormatError):
        reception.document(iter([b"<html>"]), known.id, "Lettre")
    receipt = reception.document(iter([b"%PDF-1.7 ", b"imaginaire"]), known.id, "Lettre")
    reception.sync()
    reception.close()
    with world.signed_in("docteur") as session:
        rows = [e for e in world.house.store.find(Envelope) if e.kind is EnvelopeKind.DOCUMENT]
        assert [e.patient for e in rows] == [known.id]
        reading = world.reading(session)
        (reader,) = reading.open([reading.object_row(receipt.object_id)], "document")
        assert reader.all() == b"%PDF-1.7 imaginaire"


def test_the_journal_says_what_came(world: World) -> None:
    world.receive([report(study(patient()), n) for n in (1, 2, 3)])
    entries = [entry_of(row) for row in world.house.store.journal()]
    opened = [e for e in entries if e and e.kind is EventKind.RECEPTION_OPENED]
    closed = [e for e in entries if e and e.kind is EventKind.RECEPTION_CLOSED]
    assert len(opened[0].details["wraps_made"]) == 5
    (came,) = closed[0].details["envelopes"].values()
    assert (came["objects"], came["kinds"]) == (3, {"report": 3})


def test_the_journal_says_what_each_object_was(world: World) -> None:
    examination = study(patient())
    mixed = [
        radiograph(examination, Place(1, 1, "Face")),
        pdf_document(examination, Place(2, 2, "Courrier"), "Courrier fictif", ["Imaginaire."]),
        *(report(examination, number) for number in (3, 4)),
    ]
    world.receive(mixed)
    entries = [entry_of(row) for row in world.house.store.journal()]
    (closed,) = [e for e in entries if e and e.kind is EventKind.RECEPTION_CLOSED]
    (came,) = closed.details["envelopes"].values()
    assert came["kinds"] == {"image": 1, "document": 1, "report": 2}


def test_a_restart_indexes_what_was_not_and_closes_what_was_open(world: World) -> None:
    reception = world.receiver().open(Source("dicom", None, None, "p", "l"))
    keep(reception, report(study(patient()), 1))
    reception.sync()
    keep(reception, report(study(patient()), 2))
    reception.sync()  # acknowledged, its row still in memory: then the process dies
    indexed = world.house.store.count(StoredObject)
    assert indexed < 2
    repairs = mend(world.house.store, world.house.packs, world.house.clock)
    assert world.house.store.count(StoredObject) == 2
    assert any("interrupted" in line for line in repairs)
    assert all(e.closed for e in world.house.store.find(Envelope))
    assert mend(world.house.store, world.house.packs, world.house.clock) == []


def test_a_caller_that_mixes_patients_makes_no_memory_grow(world: World) -> None:
    """Envelopes are completed meanwhile; what comes again for their patients gets new ones."""
    count = limits.OPEN_AT_ONCE + 5
    open_one = world.receiver().open(Source("dicom", None, None, "p", "l"))
    for number in [*range(count), 0]:
        keep(open_one, report(study(patient(number), number), len(str(number))))
        waiting = world.house.store.find(Envelope, closed=False)
        assert len(waiting) <= limits.OPEN_AT_ONCE
    open_one.close()
    assert len(world.house.store.find(Envelope, closed=True)) == count + 1
    assert world.house.store.count(StoredObject) == count + 1
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        assert len({row.study_uid for row in reading.instances(Matches())}) == count


def test_an_endless_variety_of_headers_makes_no_memory_grow(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEADERS_AT_MOST", 3)
    whole = study(patient())
    world.receive(report(replace(whole, physician=f"DURAND^{n}"), n + 1) for n in range(7))
    held = Counter(row.envelope for row in world.house.store.find(IdentityHeader))
    assert sorted(held.values()) == [1, 3, 3]
    assert world.house.store.count(StoredObject) == 7


def test_what_a_full_disk_took_is_neither_listed_nor_counted(tmp_path: Path) -> None:
    """Another sender's write fails, and what this one had written behind it goes with it."""
    world = disk_world(tmp_path)
    world.add("docteur", Role.DOCTOR)
    reception = world.receiver().open(Source("dicom", None, None, "p", "l"))
    kept = keep(reception, report(study(patient()), 1))
    reception.sync()
    fail = another_senders_write(world)
    keep(reception, report(study(patient()), 2))
    fail()
    with pytest.raises(NoSpace):
        reception.sync()
    reception.close()
    assert read_back(world) == [kept.sop_instance]
    assert what_came(world) == [1]
    reception = world.receiver().open(Source("dicom", None, None, "p", "l"))
    keep(reception, report(study(patient()), 2))
    reception.sync()
    reception.close()
    assert len(read_back(world)) == 2


def test_a_loss_found_while_an_envelope_is_put_away_is_told_at_the_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stored before must not take the next sync for his own."""
    monkeypatch.setattr(limits, "OPEN_AT_ONCE", 1)
    world = disk_world(tmp_path)
    world.add("docteur", Role.DOCTOR)
    reception = world.receiver().open(Source("dicom", None, None, "p", "l"))
    fail = another_senders_write(world)
    keep(reception, report(study(patient())))
    fail()
    other = report(study(patient(2), 2))
    with pytest.raises(NoSpace):
        keep(reception, other)
    with pytest.raises(NoSpace):
        reception.sync()
    kept = keep(reception, other)
    reception.sync()
    reception.close()
    assert read_back(world) == [kept.sop_instance]
    assert what_came(world) == [0, 1]
    assert world.house.store.count(Envelope, closed=False) == 0


def another_senders_write(world: World) -> Callable[[], None]:
    """Begin a write to the present pack; what is returned lets it fail."""
    packs = world.house.packs
    assert isinstance(packs, LocalPacks)
    slot = packs._group._reserve(100)
    return lambda: packs._group._failed(slot, NoSpace("full"))


def read_back(world: World) -> list[str]:
    """SOP Instance UIDs of all that is listed; each opens."""
    with world.signed_in("docteur") as session:
        reading = world.reading(session)
        rows = reading.instances(Matches())
        assert all(reader.all() for reader in reading.open(rows, "report"))
        return [row.instance_uid for row in rows]


def what_came(world: World) -> list[int]:
    """How many objects the journal says came, envelope by envelope."""
    entries = [entry_of(row) for row in world.house.store.journal()]
    closed = [e for e in entries if e is not None and e.kind is EventKind.RECEPTION_CLOSED]
    return [came["objects"] for e in closed for came in e.details["envelopes"].values()]


def test_a_removed_device_sends_nothing_more(world: World) -> None:
    with world.signed_in("admin") as session:
        device = devices.add(world.house, session.member, "ct", "CT1", "127.0.0.1").row
        association = world.receiver().open(Source("dicom", device.id, None, "p", "l"))
        keep(association, report(study(patient()), 1))
        devices.remove(world.house, session.member, "ct")
    world.house.clock.advance(limits.LOOK_AGAIN_SECONDS)  # type: ignore[attr-defined]
    for number in (2, 3):  # and the next one, without a second in between
        with pytest.raises(AccessDenied, match="removed"):
            keep(association, report(study(patient()), number))
    association.close()
    assert world.house.store.count(StoredObject) == 1


def _look_again(world: World) -> None:
    world.house.clock.advance(limits.LOOK_AGAIN_SECONDS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["dicom", "import"])
@pytest.mark.parametrize("name", ["care", "secretariat", "recovery"])
def test_what_is_under_way_stops_with_its_circle(world: World, name: str, kind: str) -> None:
    """The envelope it has is one that a stranger opens: nothing more comes into it."""
    seed = new_seed()
    write(world, [replace(current(world.house.store)[name], public_key=public_key(seed))])
    association = world.receiver().open(Source(kind, None, None, "p", "l"))
    keep(association, report(study(patient()), 1))
    stream = association.start()
    stream.write(report(study(patient()), 2, text="imaginaire " * 600_000)[: 5 << 20])
    write(world, [replace(current(world.house.store)[name], stopped=True)])
    _look_again(world)
    with pytest.raises(AccessDenied, match="stopped"):
        stream.finish()
    for number in (3, 4):
        with pytest.raises(AccessDenied, match="stopped"):
            keep(association, report(study(patient()), number))
    write(world, [replace(current(world.house.store)[name], stopped=False)])
    keep(association, report(study(patient()), 5))
    association.close()
    assert world.house.store.count(StoredObject) == 2


@pytest.mark.parametrize(
    ("name", "keys"), [("care", 1), ("secretariat", 1), ("dpo", 1), ("recovery", 2)]
)
def test_another_key_means_another_envelope(world: World, name: str, keys: int) -> None:
    """Also where it only was put right again: what is open to a stranger gets nothing more, and the
    reception goes on."""
    right, seed = current(world.house.store)[name], new_seed()
    write(world, [replace(right, public_key=public_key(seed))])
    association = world.receiver().open(Source("dicom", None, None, "p", "l"))
    keep(association, report(study(patient()), 1))
    write(world, [right])
    _look_again(world)
    for number in (2, 3):
        keep(association, report(study(patient()), number))
    association.close()
    rows = Counter(row.envelope for row in world.house.store.find(StoredObject))
    assert sorted(rows.values()) == [1, 2]
    assert opened_by(world, names.circle(name), seed, 1) == keys  # of the first envelope
    assert all(envelope.closed for envelope in world.house.store.find(Envelope))


def test_a_new_epoch_means_another_envelope(world: World) -> None:
    """A doctor left while a device sends: what it sends next is sealed to those who remain."""
    world.add("confrere", Role.DOCTOR)
    association = world.receiver().open(Source("dicom", None, None, "p", "l"))
    keep(association, report(study(patient()), 1))
    with world.signed_in("admin") as session:
        members.remove(world.house, session.member, "confrere")
    with world.signed_in("docteur"):
        _look_again(world)
        for number in (2, 3):
            keep(association, report(study(patient()), number))
    association.close()
    rows = Counter(row.envelope for row in world.house.store.find(StoredObject))
    epochs = {
        rows[wrap.subject.removeprefix("envelope:")]: wrap.epoch
        for wrap in world.house.store.find(Wrap, kind=WrapKind.ENVELOPE_SEED)
        if wrap.recipient == "circle:care"
    }
    assert epochs[2] == 2


def test_an_envelope_lasts_as_long_as_nothing_changes(world: World) -> None:
    association = world.receiver().open(Source("dicom", None, None, "p", "l"))
    for number in (1, 2, 3):
        keep(association, report(study(patient()), number))
        _look_again(world)
    association.close()
    assert world.house.store.count(Envelope) == 1


def test_what_came_twice_has_nothing_in_common_but_its_size(world: World) -> None:
    """Until it is filed, nothing stored says that it is the same image or the same person."""
    for _ in range(2):
        world.receive([report(study(patient()))])
        world.house.clock.advance(1)  # type: ignore[attr-defined]
    one, other = world.house.store.find(StoredObject)
    files = [world.house.packs.read(row.pack, row.offset, row.size) for row in (one, other)]
    assert len(files[0]) == len(files[1])
    intro = files[0].index(b" ", 30)  # the format's version and the recipient's type
    windows = [{file[at : at + 8] for at in range(intro, len(file) - 8)} for file in files]
    assert not windows[0] & windows[1]
    assert _shared(one, other) == {"pack", "size", "state"}
    assert _shared(*world.house.store.find(Envelope)) == {
        *("kind", "circle", "device", "source", "closed"),
        *("patient", "compartment", "decided_by", "summary"),  # nothing yet
    }
    assert _shared(*world.house.store.find(IdentityHeader)) == {"number"}


def _shared(one: object, other: object) -> set[str]:
    return {field.name for field in fields(one) if _of(one, field) == _of(other, field)}  # type: ignore[arg-type]


def _of(row: object, field: Field[object]) -> object:
    return getattr(row, field.name)


def test_what_was_made_ready_serves_one_object_of_its_envelope(world: World) -> None:
    """A file key used twice, or sealed to another envelope, would open what it must not."""
    reception = world.receiver().open(Source("dicom", None, None, "p", "l"))
    reception.prepare()
    keep(reception, report(study(patient(1)), 1))
    for _ in range(2):
        reception.prepare()
    keep(reception, report(study(patient(2), 2), 2))
    reception.prepare()
    for number in (3, 4):
        keep(reception, report(study(patient(1)), number))
    reception.sync()
    reception.close()
    files = [
        world.house.packs.read(row.pack, row.offset, row.size)
        for row in world.house.store.find(StoredObject)
    ]
    assert len({file[100:1000] for file in files}) == len(files) == 4
    assert len(read_back(world)) == 4


@pytest.mark.parametrize("kind", ["dicom", "stow", "import", "upload"])
def test_only_c_store_waits_for_the_disk_after_each_object(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The others share a flush, and leave their bytes to the system's cache until then."""
    asked: list[bool] = []
    adapter = type(world.house.packs)
    room = adapter.room
    monkeypatch.setattr(
        adapter, "room", lambda packs, one_by_one: asked.append(one_by_one) or room(packs)
    )
    reception = world.receiver().open(Source(kind, None, None, "p", "l"))
    keep(reception, report(study(patient(1)), 1))
    reception.sync()
    reception.close()
    assert asked == [kind == "dicom"]
