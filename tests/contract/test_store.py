"""What every store promises: rows, transactions, and the journal in the same transaction."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from serment.core.crypto.merkle import leaf_hash, root
from serment.core.journal.entries import CheckpointRow, Entry, EventKind
from serment.core.journal.keystate import WrapName
from serment.core.records.vault import (
    Circle,
    CircleKind,
    Compartment,
    Device,
    Envelope,
    EnvelopeKind,
    IdentityHeader,
    Member,
    MemberState,
    ObjectState,
    Patient,
    Role,
    Setting,
    Snapshot,
    StoredObject,
    Wrap,
    WrapKind,
    WrapMethod,
)
from serment.errors import Conflict, NotFound, SermentError
from serment.ports import OneOf, Store

NOW = datetime(2026, 11, 21, 9, 30, 15, 123456, tzinfo=UTC)


def entry(kind: EventKind = EventKind.FILED, **details: Any) -> Entry:
    return Entry(kind, NOW, "member-1", details)


def wrap(subject: str = "envelope:e1", recipient: str = "circle:care", epoch: int = 1) -> Wrap:
    return Wrap(
        WrapKind.ENVELOPE_SEED, subject, recipient, epoch, WrapMethod.HPKE, b"sealed" + bytes(60)
    )


def envelope(name: str = "e1", **more: Any) -> Envelope:
    row = Envelope(name, EnvelopeKind.IMAGE, "care", None, "dicom", NOW, b"public")
    return replace(row, **more)


def stored(name: str, of: str = "e1") -> StoredObject:
    return StoredObject(name, of, "p" * 32, 64, 1000, b"s" * 32, b"header")


ONE_OF_EACH = [
    Setting("practice", b"Cabinet"),
    Member("m1", "anne", (Role.DOCTOR, Role.DPO), ("care", "dpo"), b"k", MemberState.ACTIVE, NOW),
    Circle("care", CircleKind.CARE, 1, b"k", NOW, stopped=True),
    Device("d1", "scanner", "CT1", "SERMENT", "127.0.0.1", "care", b"hash", NOW),
    wrap(),
    Patient("p1", b"sealed", NOW),
    Compartment("c1", "p1", "care"),
    envelope(device="d1", patient="p1", compartment="c1", decided_by="m1", summary=b"s"),
    IdentityHeader("e1", 1, b"sealed"),
    replace(stored("o1"), state=ObjectState.CONFLICT),
    Snapshot("care", 1, 12, b"sealed"),
]
KEYS: list[tuple[object, ...]] = [
    ("practice",),
    ("m1",),
    ("care", 1),
    ("d1",),
    (WrapKind.ENVELOPE_SEED, "envelope:e1", "circle:care", 1),
    ("p1",),
    ("c1",),
    ("e1",),
    ("e1", 1),
    ("o1",),
    ("care",),
]


def test_every_kind_of_row_comes_back_as_it_was(store: Store) -> None:
    with store.change(entry()) as tx:
        for row in ONE_OF_EACH:
            tx.add(row)
    for row, key in zip(ONE_OF_EACH, KEYS, strict=True):
        assert store.get(type(row), *key) == row
        assert store.find(type(row)) == [row]
        assert store.count(type(row)) == 1
    assert store.check() == []


def test_times_come_back_in_utc_whatever_zone_they_came_in(store: Store) -> None:
    paris = NOW.astimezone(timezone(timedelta(hours=1)))
    with store.change(entry()) as tx:
        tx.add(Patient("p1", b"sealed", paris))
    found = store.get(Patient, "p1")
    assert found is not None
    assert found.created == NOW


def test_a_time_without_a_zone_is_refused_and_nothing_is_changed(store: Store) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError), store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
        tx.put(Patient("p1", b"sealed", naive))
    with pytest.raises(ValueError):
        store.record(replace(entry(), at=naive))
    assert store.journal_size() == 0
    assert store.get(Setting, "a") is None


def test_what_is_not_there_is_none_or_empty(store: Store) -> None:
    assert store.get(Member, "nobody") is None
    assert store.find(Wrap, subject="envelope:none") == []
    assert store.count(Envelope, closed=False) == 0


def test_find_compares_columns_and_keeps_the_order_of_insertion(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.add(Patient("p1", b"sealed", NOW))
        for name in ("e3", "e1", "e2"):
            tx.add(envelope(name))
        tx.add(envelope("e4", patient="p1", closed=True))
        tx.put(envelope("e3", source="stow"))
    assert [e.id for e in store.find(Envelope, patient=None)] == ["e3", "e1", "e2"]
    assert [e.id for e in store.find(Envelope, closed=True)] == ["e4"]
    assert [e.id for e in store.find(Envelope, source="stow", patient=None)] == ["e3"]
    assert [e.id for e in store.find(Envelope, kind=EnvelopeKind.IMAGE)] == ["e3", "e1", "e2", "e4"]
    assert [e.id for e in store.find(Envelope, arrived=NOW, patient="p1")] == ["e4"]
    assert store.count(Envelope, circle="care") == 4


def test_find_any_of_several_values(store: Store) -> None:
    with store.change(entry()) as tx:
        for number in range(100):
            tx.put(wrap(f"envelope:e{number}"))
        tx.put(replace(wrap("envelope:e3"), kind=WrapKind.ENVELOPE_IDENTITY))
        several = OneOf(["envelope:e7", "envelope:e3", "envelope:none"])
        assert [w.subject for w in tx.find(Wrap, subject=several)] == [
            "envelope:e3",
            "envelope:e7",
            "envelope:e3",
        ]
    kinds = OneOf((WrapKind.ENVELOPE_IDENTITY, WrapKind.CA_KEY))
    assert [w.subject for w in store.find(Wrap, kind=kinds)] == ["envelope:e3"]
    seeds = store.find(Wrap, kind=WrapKind.ENVELOPE_SEED, subject=several)
    assert [w.subject for w in seeds] == ["envelope:e3", "envelope:e7"]
    assert store.count(Wrap, subject=several) == 3
    assert store.find(Wrap, subject=OneOf(())) == []


def test_names_of_wraps_say_who_can_open_what(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.put(wrap())
        tx.put(wrap(recipient="recovery"))
        tx.put(replace(wrap(), kind=WrapKind.ENVELOPE_IDENTITY))
    assert sorted(store.wrap_names(WrapKind.ENVELOPE_SEED)) == [
        WrapName("envelope-seed", "envelope:e1", "circle:care", 1),
        WrapName("envelope-seed", "envelope:e1", "recovery", 1),
    ]
    assert store.wrap_names(WrapKind.CA_KEY) == []


def test_a_snapshot_is_kept_without_an_entry(store: Store) -> None:
    version = store.data_version()
    for cursor in (1, 2):
        store.keep_snapshot(Snapshot("care", 1, cursor, b"sealed"))
    assert store.find(Snapshot) == [Snapshot("care", 1, 2, b"sealed")]
    assert store.journal_size() == 0
    assert store.data_version() != version


def test_find_among_many_sees_every_later_change(store: Store) -> None:
    with store.change(entry()) as tx:
        for number in range(200):
            tx.add(wrap(f"envelope:e{number % 100}", f"circle:{number}"))
    assert store.count(Wrap, subject="envelope:e7") == 2
    with store.change(entry()) as tx:
        tx.add(wrap("envelope:e7", "recovery"))
        tx.delete(wrap("envelope:e8", "circle:8"))
    assert store.count(Wrap, subject="envelope:e7") == 3
    assert [w.recipient for w in store.find(Wrap, subject="envelope:e8")] == ["circle:108"]


def test_an_unknown_column_is_an_error(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
    with pytest.raises(TypeError):
        store.find(Setting, colour="red")


def test_the_thread_that_changes_reads_its_changes_from_the_store_too(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.put(wrap())
        assert store.find(Wrap) == [wrap()]
        assert store.get(Wrap, WrapKind.ENVELOPE_SEED, "envelope:e1", "circle:care", 1) == wrap()
        assert len(store.wrap_names(WrapKind.ENVELOPE_SEED)) == store.count(Wrap) == 1
        tx.delete(wrap())
        assert store.find(Wrap, subject=OneOf(["envelope:e1"])) == []


def test_a_change_is_seen_by_its_own_thread_only_until_it_ends(store: Store) -> None:
    seen: list[int] = []
    with store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
        assert tx.get(Setting, "a") == Setting("a", b"1")
        assert tx.find(Setting, value=b"1") == [Setting("a", b"1")]
        assert store.get(Setting, "a") == Setting("a", b"1")
        assert store.count(Setting) == 1
        other = threading.Thread(target=lambda: seen.append(store.count(Setting)))
        other.start()
        other.join()
    assert seen == [0]
    assert store.count(Setting) == 1


def test_an_exception_undoes_everything_and_journals_nothing(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
    with pytest.raises(KeyError), store.change(entry()) as tx:
        tx.put(Setting("a", b"2"))
        tx.add(wrap())
        raise KeyError("stop")
    assert store.get(Setting, "a") == Setting("a", b"1")
    assert store.count(Wrap) == 0
    assert store.journal_size() == 1


def test_a_change_cannot_be_used_after_its_end_nor_nested(store: Store) -> None:
    with store.change(entry()) as tx:
        with pytest.raises(RuntimeError), store.change(entry()):
            pass
        with pytest.raises(RuntimeError):
            store.record(entry())
        with pytest.raises(RuntimeError):
            store.add_objects([stored("o1")])
    for use in (lambda: tx.put(Setting("a", b"1")), lambda: tx.get(Setting, "a"), tx.note):
        with pytest.raises(RuntimeError):
            use()
    assert store.journal_size() == 1


def test_add_claims_and_the_second_is_refused(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.add(Compartment("c1", "p1", "care"))
        tx.add(Patient("p1", b"first", NOW))
    with pytest.raises(Conflict), store.change(entry()) as tx:
        tx.add(Patient("p1", b"second", NOW))
    with pytest.raises(Conflict), store.change(entry()) as tx:
        tx.put(Compartment("c2", "p1", "care"))
    assert store.find(Patient) == [Patient("p1", b"first", NOW)]
    assert store.journal_size() == 1


def test_a_login_is_given_once(store: Store) -> None:
    anne = Member("m1", "anne", (), (), b"", MemberState.ACTIVE, NOW)
    with store.change(entry()) as tx:
        tx.add(anne)
    with pytest.raises(Conflict), store.change(entry()) as tx:
        tx.add(replace(anne, id="m2"))
    with store.change(entry()) as tx:
        tx.put(replace(anne, state=MemberState.REMOVED))
    assert store.count(Member) == 1


def test_what_refers_to_nothing_is_refused_at_the_end_of_the_change(store: Store) -> None:
    with pytest.raises(Conflict), store.change(entry()) as tx:
        tx.add(envelope(patient="nobody"))
    with pytest.raises(Conflict), store.change(entry()) as tx:
        tx.add(IdentityHeader("e1", 1, b"sealed"))
    with store.change(entry()) as tx:
        tx.add(IdentityHeader("e1", 1, b"sealed"))
        tx.add(envelope())
    with pytest.raises(Conflict), store.change(entry()) as tx:
        tx.delete(envelope())
    with store.change(entry()) as tx:
        tx.delete(envelope())
        tx.delete(IdentityHeader("e1", 1, b""))
    assert store.count(Envelope) == 0


def test_two_threads_that_claim_at_once_make_one_row(store: Store) -> None:
    outcomes: list[str] = []

    def claim(number: int) -> None:
        try:
            with store.change(entry(by=number)) as tx:
                tx.add(Compartment(f"c{number}", "p1", "care"))
            outcomes.append("made")
        except Conflict:
            outcomes.append("refused")

    with store.change(entry()) as tx:
        tx.add(Patient("p1", b"", NOW))
    threads = [threading.Thread(target=claim, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] + ["refused"] * 5
    assert store.count(Compartment) == 1
    assert store.journal_size() == 2


# The journal


def last_details(store: Store) -> dict[str, Any]:
    return details(store)[-1]


def details(store: Store) -> list[dict[str, Any]]:
    import json

    return [json.loads(logged.body or b"{}")["details"] for logged in store.journal()]


def told(store: Store) -> dict[str, Any]:
    """The last entry's details but for the digests of rows."""
    return {name: each for name, each in last_details(store).items() if name != "rows"}


def test_an_entry_is_completed_with_wraps_and_notes(store: Store) -> None:
    with store.change(entry(envelope="e1")) as tx:
        tx.put(wrap(recipient="recovery", epoch=0))
        tx.add(wrap())
        tx.note(objects=3)
    assert told(store) == {
        "envelope": "e1",
        "objects": 3,
        "wraps_made": [
            ["envelope-seed", "envelope:e1", "recovery", 0],
            ["envelope-seed", "envelope:e1", "circle:care", 1],
        ],
    }
    with store.change(entry()) as tx:
        tx.delete(wrap())
        tx.put(replace(wrap(recipient="recovery", epoch=0), blob=b"other"))
    assert told(store) == {
        "wraps_made": [["envelope-seed", "envelope:e1", "recovery", 0]],
        "wraps_deleted": [["envelope-seed", "envelope:e1", "circle:care", 1]],
    }


def test_only_wraps_that_came_or_went_are_named(store: Store) -> None:
    name = ["envelope-seed", "envelope:e1", "circle:care", 1]
    with store.change(entry()) as tx:
        tx.delete(wrap())
    assert told(store) == {}
    with store.change(entry()) as tx:
        tx.put(wrap())
        tx.delete(wrap())
    assert told(store) == {}
    with store.change(entry()) as tx:
        tx.put(wrap())
    with store.change(entry()) as tx:
        tx.delete(wrap())
        tx.put(wrap())
    assert told(store) == {"wraps_made": [name]}
    with store.change(entry()) as tx:
        tx.put(wrap())
        tx.delete(wrap())
    assert told(store) == {"wraps_deleted": [name]}
    with store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
    assert told(store) == {}


@pytest.mark.parametrize("name", ["wraps_made", "wraps_deleted", "rows"])
def test_nobody_else_says_which_wraps_were_made(store: Store, name: str) -> None:
    with pytest.raises(ValueError), store.change(entry(**{name: []})):
        pass
    with pytest.raises(ValueError), store.change(entry()) as tx:
        tx.note(**{name: []})
    assert store.journal_size() == 0


def test_a_note_that_is_no_json_undoes_the_change(store: Store) -> None:
    with pytest.raises(TypeError), store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
        tx.note(what=object())
    assert store.count(Setting) == 0
    assert store.journal_size() == 0


def test_leaves_hash_salt_and_body_and_the_tree_follows(store: Store) -> None:
    for number in range(7):
        store.record(entry(EventKind.READ, number=number))
    logged = list(store.journal())
    assert [one.index for one in logged] == list(range(7))
    assert [d["number"] for d in details(store)] == list(range(7))
    for one in logged:
        assert one.salt is not None
        assert one.body is not None
        assert one.leaf == leaf_hash(one.salt + one.body)
        assert one.tombstone is None
    assert len({one.salt for one in logged}) == 7
    assert store.journal_size() == store.journal_tree().size == 7
    assert store.journal_tree().root() == root(one.leaf for one in logged)


def test_parts_of_the_journal(store: Store) -> None:
    for number in range(5):
        store.record(entry(number=number))
    assert [one.index for one in store.journal(2)] == [2, 3, 4]
    assert [one.index for one in store.journal(1, 3)] == [1, 2]
    assert list(store.journal(5)) == []


def test_the_tree_that_was_asked_for_is_a_copy(store: Store) -> None:
    store.record(entry())
    store.journal_tree().append(bytes(32))
    assert store.journal_tree().size == store.journal_size() == 1


def test_expired_entries_keep_their_leaf_and_a_tombstone(store: Store) -> None:
    for number in range(4):
        store.record(entry(number=number))
    before = list(store.journal())
    store.expire([0, 2], [b"zero", b"two"], entry(EventKind.EXPIRED))
    after = list(store.journal())
    for number, stone in ((0, b"zero"), (2, b"two")):
        assert after[number] == replace(before[number], salt=None, body=None, tombstone=stone)
    assert after[1] == before[1]
    assert after[4].body is not None
    assert b'"expired"' in after[4].body
    assert store.journal_tree().root() == root(one.leaf for one in after)


def test_expiring_what_is_not_there_changes_nothing(store: Store) -> None:
    store.record(entry())
    with pytest.raises(NotFound):
        store.expire([0, 9], [b"zero", b"nine"], entry(EventKind.EXPIRED))
    with pytest.raises(ValueError):
        store.expire([0], [], entry(EventKind.EXPIRED))
    assert store.journal_size() == 1
    assert [one.body is None for one in store.journal()] == [False]


def test_checkpoints_are_kept_in_order(store: Store) -> None:
    kept = [CheckpointRow(size, f"note {size}\n", NOW) for size in (1, 4, 4, 9)]
    for checkpoint in kept:
        store.add_checkpoint(checkpoint)
    assert store.checkpoints() == kept


def test_many_threads_journal_without_losing_an_entry(store: Store) -> None:
    def work(worker: int) -> None:
        for number in range(10):
            if number % 2:
                store.record(entry(worker=worker))
            else:
                with store.change(entry(worker=worker)) as tx:
                    tx.put(Setting(f"{worker}-{number}", b""))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logged = list(store.journal())
    assert [one.index for one in logged] == list(range(40))
    assert store.journal_tree().root() == root(one.leaf for one in logged)
    assert store.count(Setting) == 20


# Objects


def test_objects_come_in_the_order_they_arrived(store: Store) -> None:
    store.add_objects([stored("o2"), stored("o1")])
    store.add_objects([])
    store.add_objects([stored("o3")])
    page = store.objects_after(0, 2)
    assert [row.id for _, row in page] == ["o2", "o1"]
    rest = store.objects_after(page[-1][0], 10)
    assert [row.id for _, row in rest] == ["o3"]
    assert store.objects_after(rest[-1][0], 10) == []
    assert store.journal_size() == 0


def test_objects_already_there_stay_as_they_are(store: Store) -> None:
    marked = replace(stored("o1"), state=ObjectState.DUPLICATE)
    store.add_objects([stored("o1")])
    with store.change(entry()) as tx:
        tx.put(marked)
    store.add_objects([stored("o1"), stored("o2"), stored("o2")])
    assert [row for _, row in store.objects_after(0, 10)] == [marked, stored("o2")]
    assert store.find(StoredObject, envelope="e1") == [marked, stored("o2")]


def test_a_cursor_is_never_given_twice(store: Store) -> None:
    store.add_objects([stored("o1"), stored("o2")])
    cursor = store.objects_after(0, 10)[-1][0]
    with store.change(entry()) as tx:
        tx.delete(stored("o2"))
    store.add_objects([stored("o3")])
    assert [row.id for _, row in store.objects_after(cursor, 10)] == ["o3"]
    assert [row.id for _, row in store.objects_after(0, 10)] == ["o1", "o3"]


def test_an_object_deleted_and_added_again_arrives_again(store: Store) -> None:
    store.add_objects([stored("o1"), stored("o2")])
    cursor = store.objects_after(0, 10)[-1][0]
    with store.change(entry()) as tx:
        tx.delete(stored("o1"))
        tx.add(stored("o1"))
    assert [row.id for _, row in store.objects_after(0, 10)] == ["o2", "o1"]
    assert [row.id for _, row in store.objects_after(cursor, 10)] == ["o1"]
    assert [row.id for row in store.find(StoredObject)] == ["o2", "o1"]


def test_data_version_differs_once_something_was_committed(store: Store) -> None:
    seen = store.data_version()
    assert store.data_version() == seen
    store.count(Setting)
    assert store.data_version() == seen
    changes = (
        lambda: store.record(entry()),
        lambda: store.add_objects([stored("o1")]),
        lambda: store.add_checkpoint(CheckpointRow(1, "note", NOW)),
    )
    for change in changes:
        change()
        assert store.data_version() != seen
        seen = store.data_version()
        assert store.data_version() == seen


def test_copying_the_keys_changes_nothing(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.put(wrap())
    store.copy_keys()
    store.copy_keys()
    assert store.find(Wrap) == [wrap()]
    assert store.check() == []


def test_the_copy_of_the_keys_is_as_it_was_made_and_cannot_be_written(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.put(wrap())
    store.copy_keys()
    with store.change(entry()) as tx:
        tx.delete(wrap())
    with store.copied() as copy:
        if copy is None:
            return  # it has no file that could be lost
        assert copy.find(Wrap) == [wrap()]
        assert copy.journal_size() == store.journal_size() - 1
        assert copy.check() == []
        with pytest.raises(SermentError):
            copy.record(entry())


def test_forgetting_keeps_the_wraps_that_are_there_and_drops_snapshots(store: Store) -> None:
    with store.change(entry()) as tx:
        for number in range(5):
            tx.put(wrap(f"envelope:e{number}"))
        tx.put(Snapshot("care", 1, 12, b"sealed"))
    with store.change(entry()) as tx:
        tx.delete(wrap("envelope:e1"))
        tx.put(replace(wrap("envelope:e0"), blob=b"other"))
    before = store.find(Wrap)
    store.forget()
    assert store.find(Wrap) == before
    assert store.get(Wrap, *KEYS[4]) is None  # envelope:e1
    assert store.count(Snapshot) == 0
    assert store.journal_size() == 2
    assert store.check() == []
