"""Snapshots: an opening starts from one, never believes it, and shows nothing whose key is gone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.practices import PASSWORD, World, disk_world, memory_world, patient, report, study

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.search import MemorySearchTable
from serment.app.keyring import Keyring
from serment.app.protect import members, snapshots, upkeep
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import (
    Circle,
    Envelope,
    IdentityHeader,
    Patient,
    Role,
    Snapshot,
    StoredObject,
    Wrap,
)
from serment.errors import FormatError, IntegrityError
from serment.ports import InstanceRow, Matches, StudyRow


def _rows(world: World) -> tuple[list[StudyRow], list[InstanceRow]]:
    """What a doctor sees; the practice is opened and locked again."""
    with world.signed_in("docteur"):
        studies = world.practice.tables["secretariat"].table.studies(Matches())
        return studies, world.practice.tables["care"].table.instances(Matches())


def _closed(world: World) -> World:
    """Three studies of two patients, filed; a snapshot of each of the doctor's circles."""
    for of, number in ((1, 1), (1, 2), (2, 3)):
        someone = patient(of, name=("LEFÈVRE^Hélène", "ROUX^Paul")[of - 1])
        world.receive([report(study(someone, number), n) for n in (1, 2)])
    _rows(world)
    assert {s.circle for s in world.house.store.find(Snapshot)} == {"care", "secretariat"}
    return world


@pytest.fixture
def closed(world: World) -> World:
    return _closed(world)


def _change(world: World, *rows: object, delete: bool = False) -> None:
    entry = Entry(EventKind.REPAIRED, world.house.clock.now(), "test")
    with world.house.store.change(entry) as tx:
        for row in rows:
            (tx.delete if delete else tx.put)(row)  # type: ignore[arg-type]


def _damage_headers(world: World) -> None:
    """From now on nothing opens from the headers: what is shown is of the snapshot."""
    headers = [replace(h, sealed=bytes(60)) for h in world.house.store.find(IdentityHeader)]
    objects = [replace(o, header=bytes(60)) for o in world.house.store.find(StoredObject)]
    _change(world, *headers, *objects)


def test_an_opening_starts_from_the_snapshot(closed: World) -> None:
    before = _rows(closed)
    assert (len(before[0]), len(before[1])) == (3, 6)
    _damage_headers(closed)
    assert _rows(closed) == before


def test_what_came_since_is_added(closed: World) -> None:
    first = report(study(patient(1), 1), 1)
    closed.receive([first, report(study(patient(3, "GARÇON^Zoé", "19700101"), 9))])
    studies, instances = _rows(closed)
    assert len(studies) == 5
    assert all(row.patient for row in studies)
    assert len({row.patient for row in studies}) == 3
    assert len(instances) == 7  # the same again is left out
    states = [row.state.value for row in closed.house.store.find(StoredObject)]
    assert states.count("duplicate") == 1


def test_a_change_of_state_since_is_seen(closed: World) -> None:
    instances = _rows(closed)[1]
    row = closed.house.store.get(StoredObject, instances[0].object)
    assert row is not None
    details = {"duplicates": [row.id]}
    entry = Entry(EventKind.REPEATS_FOUND, closed.house.clock.now(), "test", details)
    with closed.house.store.change(entry) as tx:
        tx.put(replace(row, state=type(row.state)("duplicate")))
    assert _rows(closed)[1] == instances[1:]


def test_a_patient_whose_keys_were_deleted_does_not_come_back(closed: World) -> None:
    studies = _rows(closed)[0]
    gone = studies[-1].patient
    wraps = [w for w in closed.house.store.find(Wrap) if w.subject == f"patient:{gone}"]
    _change(closed, *wraps, delete=True)
    assert wraps
    assert {row.patient for row in _rows(closed)[0]} == {row.patient for row in studies} - {gone}


def test_rows_go_while_the_circle_is_open_too(closed: World) -> None:
    with closed.signed_in("docteur") as session:
        table = closed.practice.tables["care"].table
        before = table.instances(Matches())
        envelope = before[0].envelope
        held = closed.house.store.find(Wrap, subject=f"envelope:{envelope}")
        seeds = [wrap for wrap in held if wrap.kind.value == "envelope-seed"]
        _change(closed, *seeds, delete=True)
        closed.practice.refresh()
        assert table.instances(Matches()) == [row for row in before if row.envelope != envelope]
        _change(closed, *seeds)  # a right that is given (back) brings them
        closed.practice.refresh()
        assert table.instances(Matches()) == before
        assert session.ring.envelope_seed(closed.house.store, envelope) is not None


def test_keys_that_went_without_an_entry_are_noticed(tmp_path: Path) -> None:
    world = disk_world(tmp_path)
    world.add("docteur", Role.DOCTOR)
    _closed(world)
    with sqlite3.connect(tmp_path / "vault.sqlite3") as database:
        database.execute("DELETE FROM wrap WHERE kind = 'patient-clinical'")
    assert _rows(world)[1] == []
    world.house.store.close()


def _flipped(kept: Snapshot) -> Snapshot:
    return replace(kept, sealed=kept.sealed[:-1] + bytes([kept.sealed[-1] ^ 1]))


@pytest.mark.parametrize(
    "spoil",
    [
        _flipped,
        lambda kept: replace(kept, sealed=b""),
        lambda kept: replace(kept, epoch=kept.epoch + 1),
    ],
    ids=["changed", "empty", "of another epoch"],
)
def test_an_odd_snapshot_counts_as_none(
    closed: World, spoil: Callable[[Snapshot], Snapshot]
) -> None:
    before = _rows(closed)
    for kept in closed.house.store.find(Snapshot):
        closed.house.store.keep_snapshot(spoil(kept))
    assert _rows(closed) == before


def test_the_snapshot_of_another_circle_is_not_taken(closed: World) -> None:
    before = _rows(closed)
    care = closed.house.store.get(Snapshot, "care")
    assert care is not None
    closed.house.store.keep_snapshot(replace(care, circle="secretariat"))
    assert _rows(closed) == before


def _ring(world: World) -> Keyring:
    member, seed = members.unlock(world.house, "docteur", PASSWORD)
    return members.keyring_of(world.house, member, seed)


def test_a_snapshot_that_is_ahead_of_the_journal_counts_as_none(closed: World) -> None:
    """The database is an older one: what the snapshot tells of never happened in it."""
    before, ring = _rows(closed), _ring(closed)
    kept = closed.house.store.get(Snapshot, "secretariat")
    assert kept is not None
    contents = snapshots.open_sealed(ring, kept)
    ahead = snapshots.seal(ring, "secretariat", replace(contents, entries=10**6))
    assert ahead is not None
    closed.house.store.keep_snapshot(ahead)
    assert _rows(closed) == before


def test_what_a_snapshot_says_of_itself(closed: World) -> None:
    ring = _ring(closed)
    kept = closed.house.store.get(Snapshot, "care")
    assert kept is not None
    contents = snapshots.open_sealed(ring, kept)
    assert contents.cursor == kept.cursor
    assert snapshots.open_sealed(ring, snapshots.seal(ring, "care", contents) or kept) == contents
    other = snapshots.seal(ring, "care", contents)
    assert other is not None
    assert other.sealed != kept.sealed
    with pytest.raises(IntegrityError):
        snapshots.open_sealed(ring, replace(kept, epoch=9))


def test_another_version_is_refused(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = _ring(closed)
    kept = closed.house.store.get(Snapshot, "care")
    assert kept is not None
    contents = snapshots.open_sealed(ring, kept)
    monkeypatch.setattr(snapshots, "VERSION", 2)
    newer = snapshots.seal(ring, "care", contents)
    monkeypatch.undo()
    assert newer is not None
    with pytest.raises(FormatError):
        snapshots.open_sealed(ring, newer)


def test_one_too_large_is_not_kept(closed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "LARGEST", 10)
    for kept in closed.house.store.find(Snapshot):
        _change(closed, kept, delete=True)
    before = _rows(closed)
    assert closed.house.store.find(Snapshot) == []
    assert _rows(closed) == before


def test_little_changed_makes_no_new_snapshot(closed: World) -> None:
    before = closed.house.store.find(Snapshot)
    with closed.signed_in("docteur") as session:
        closed.searching(session).studies(Matches())
    assert closed.house.store.find(Snapshot) == before


def test_a_new_epoch_deletes_what_the_old_seed_opens(closed: World) -> None:
    closed.add("confrere", Role.DOCTOR, by="docteur")
    with closed.signed_in("admin") as session:
        members.remove(closed.house, session.member, "confrere")
    before = closed.house.store.find(Snapshot)
    with closed.signed_in("docteur"):
        assert closed.house.store.find(Snapshot) == []
    after = closed.house.store.find(Snapshot)
    assert {s.epoch for s in before} == {1}
    assert {s.epoch for s in after} == {2}
    assert {c.epoch for c in closed.house.store.find(Circle) if c.id == "care"} == {1, 2}


def test_a_circle_that_stays_open_is_saved_some_minutes_apart(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "SAVE_AFTER", 1)
    clock = closed.house.clock
    assert isinstance(clock, MemoryClock)
    before = closed.house.store.find(Snapshot)
    with closed.signed_in("docteur"):
        closed.practice.tidy()
        closed.receive([report(study(patient(4, "PETIT^Luc"), 7))])
        closed.practice.refresh()
        closed.practice.tidy()
        assert closed.house.store.find(Snapshot) == before
        clock.advance(360)
        closed.practice.tidy()
        saved = closed.house.store.find(Snapshot)
        assert len(saved) == 2
        assert not {s.sealed for s in saved} & {s.sealed for s in before}
        clock.advance(360)
        closed.practice.tidy()
        assert closed.house.store.find(Snapshot) == saved  # nothing changed since
        rows = closed.practice.tables["secretariat"].table.studies(Matches())
    _damage_headers(closed)
    assert _rows(closed)[0] == rows


def test_nothing_readable_is_kept(closed: World) -> None:
    stored = b"".join(s.sealed for s in closed.house.store.find(Snapshot))
    for value in ("LEFÈVRE", "ROUX", "FICTIF0001", "19570401", "SQLite format 3"):
        assert value.encode() not in stored


def test_opening_stops_nobody_else(world: World) -> None:
    """Rows are put while another thread can take the house's lock."""
    world.receive([report(study(patient()))])
    free: list[bool] = []

    class Watched(MemorySearchTable):
        def put_studies(self, rows):  # type: ignore[no-untyped-def]
            def take() -> None:
                free.append(lock.acquire(timeout=5))
                lock.release()

            thread = threading.Thread(target=take)
            thread.start()
            thread.join()
            super().put_studies(rows)

    lock = world.house.lock
    world.practice.house = replace(world.house, tables=Watched)
    with world.signed_in("dpo"):
        assert free == [True]


def test_progress_is_told(world: World) -> None:
    for number in range(1, 4):
        someone = patient(number, name=("ROUX^Paul", "PETIT^Luc", "NOËL^Ève")[number - 1])
        world.receive([report(study(someone, number))])
    told: list[tuple[str, int]] = []

    class Told:
        def total(self, count: int) -> None:
            told.append(("total", count))

        def step(self, count: int = 1) -> None:
            told.append(("step", count))

    session = world.practice.sign_in("docteur", PASSWORD, need_code=False, progress=Told())
    world.practice.lock(session)
    done = sum(count for what, count in told if what == "step")
    totals = [count for what, count in told if what == "total"]
    assert totals == sorted(totals)
    assert done == totals[-1] > 0
    assert world.house.store.count(Patient) == 3
    assert all(e.compartment for e in world.house.store.find(Envelope))


def test_a_session_that_cannot_be_opened_leaves_nothing_open(world: World) -> None:
    world.receive([report(study(patient()))])

    class Broken(MemorySearchTable):
        def put_instances(self, rows):  # type: ignore[no-untyped-def]
            raise IntegrityError("damaged")

    world.practice.house = replace(world.house, tables=Broken)
    with pytest.raises(IntegrityError):
        world.open("docteur")
    assert world.practice.locked()
    assert world.practice.tables == {}
    last = [entry_of(row) for row in world.house.store.journal()][-2:]
    assert [entry.kind for entry in last if entry] == [EventKind.OPENED, EventKind.LOCKED]


def test_a_world_without_rows_keeps_no_snapshot() -> None:
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    with world.signed_in("docteur"):
        pass
    assert world.house.store.find(Snapshot) == []
