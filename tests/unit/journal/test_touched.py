"""What must be looked at again after an entry, and what need not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.touched import Touched, tells_of_a_change, touched_by
from serment.core.records.names import NameKind

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SEED = "envelope-seed"


def of(kind: EventKind, **details: Any) -> Touched:
    body = Entry(kind, NOW, "m1", details).encode()
    return touched_by([LoggedEntry(0, b"", b"", body)])


def test_named_envelopes_whatever_the_form() -> None:
    assert of(EventKind.RECEPTION_OPENED, envelope="e1").envelopes == {"e1"}
    assert of(EventKind.RECEPTION_CLOSED, envelopes={"e1": {"objects": 2}}).envelopes == {"e1"}
    assert of(EventKind.FILED, envelopes=["e1", "e2"]).envelopes == {"e1", "e2"}


def test_accesses_change_nothing() -> None:
    assert not of(EventKind.READ, envelope="e1", objects=["o1"])
    assert not of(EventKind.SEARCHED, envelopes=["e1"])


def test_repeats_and_identity_records() -> None:
    touched = of(EventKind.REPEATS_FOUND, duplicates=["o1"], conflicts=["o2"])
    assert touched.objects == {"o1", "o2"}
    assert of(EventKind.FILED, learnt=["p1"]).patients == {"p1"}


def test_keys_count_when_others_can_open_them() -> None:
    moved = of(
        EventKind.KEYS_MOVED,
        wraps_made=[[SEED, "envelope:e1", "compartment:c1", 0]],
        wraps_deleted=[[SEED, "envelope:e1", "circle:care", 1]],
    )
    assert moved.keys == {"envelope:e1"}
    gone = of(EventKind.REPAIRED, wraps_deleted=[["patient-identity", "patient:p1", "recovery", 1]])
    assert gone.keys == {"patient:p1"}
    assert gone.named(NameKind.PATIENT) == {"p1"}
    assert gone.named(NameKind.ENVELOPE) == set()


def test_a_new_epoch_of_the_same_reader_is_no_other_reader() -> None:
    renewed = of(
        EventKind.KEYS_MOVED,
        wraps_made=[[SEED, "envelope:e1", "circle:care", 2]],
        wraps_deleted=[[SEED, "envelope:e1", "circle:care", 1]],
    )
    assert not renewed


def test_an_arrival_takes_no_key_from_anybody() -> None:
    made = [[SEED, "envelope:e1", "circle:care", 1]]
    assert of(EventKind.RECEPTION_OPENED, envelope="e1", wraps_made=made).keys == set()


def test_what_cannot_be_read_tells_nothing() -> None:
    assert not of(EventKind.RECOVERED, envelopes=12)
    assert not of(EventKind.FILED, wraps_made=["nonsense"])
    assert not of(EventKind.FILED, wraps_made=[[SEED, "nonsense", "recovery", 1]])
    assert not touched_by([LoggedEntry(0, b"", b"", b"{"), LoggedEntry(1, b"", None, None)])


def test_what_is_more_than_a_look() -> None:
    def tells(body: bytes | None) -> bool:
        return tells_of_a_change(LoggedEntry(0, b"", b"", body))

    assert tells(Entry(EventKind.DEVICE_ADDED, NOW, "m1").encode())
    assert tells(b"{")
    assert not tells(Entry(EventKind.READ, NOW, "m1").encode())
    assert not tells(None)
