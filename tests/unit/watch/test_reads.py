"""Reads: one entry for ten minutes, and none served before it is named."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import pytest

from serment.app.watch import reads as module
from serment.app.watch.reads import NAMED_AT_ONCE, Reads
from serment.core.journal.entries import EventKind
from serment.errors import NoSpace

WHO = {"session": "s1", "member": "m1", "envelope": "e1", "kind": "image"}


@pytest.fixture
def reads(store, clock) -> Reads:
    return Reads(store, clock)


def test_the_first_read_is_named(reads, written) -> None:
    reads.allow(**WHO, objects=["a", "b"], patient="p1", peer="192.0.2.7", local="x", tls=True)
    (entry,) = written()
    assert (entry.kind, entry.actor) == (EventKind.READ, "m1")
    assert entry.details == {
        "session": "s1",
        "envelope": "e1",
        "study": "e1",
        "patient": "p1",
        "kind": "image",
        "objects": ["a", "b"],
        "count": 2,
        "more": False,
        "peer": "192.0.2.7",
        "local": "x",
        "tls": True,
    }


def test_the_same_again_within_ten_minutes_is_no_further_entry(reads, clock, store) -> None:
    for _ in range(20):
        reads.allow(**WHO, objects=["a", "b"])
        reads.allow(**WHO, objects=["b"])
        clock.advance(29)
    assert store.journal_size() == 1
    clock.advance(20)
    reads.allow(**WHO, objects=["a"])
    assert store.journal_size() == 2


def test_an_object_not_named_makes_a_further_entry(reads, details) -> None:
    reads.allow(**WHO, objects=["a"])
    reads.allow(**WHO, objects=["a", "b", "b"])
    assert [(d["objects"], d["more"]) for d in details()] == [(["a"], False), (["b"], True)]


@pytest.mark.parametrize("other", [{"session": "s2"}, {"envelope": "e2"}, {"kind": "report"}])
def test_sessions_studies_and_kinds_are_named_apart(reads, store, other: dict[str, str]) -> None:
    reads.allow(**WHO, objects=["a"])
    reads.allow(**{**WHO, **other}, objects=["a"])
    assert store.journal_size() == 2


def test_envelopes_of_one_study_are_one_reading(reads, details) -> None:
    reads.allow(**WHO, objects=["a"], study="st")
    reads.allow(**{**WHO, "envelope": "e2"}, objects=["b"], study="st")
    assert [(d["envelope"], d["more"]) for d in details()] == [("e1", False), ("e2", True)]


def test_a_study_stands_by_the_envelope_that_was_read_first(reads, monkeypatch) -> None:
    assert [reads.study_of("s1", "1.2", e, "p1") for e in ("e1", "e2")] == ["e1", "e1"]
    assert reads.study_of("s2", "1.2", "e2", "p1") == "e2"
    assert reads.study_of("s1", "1.3", "e3", "p1") == "e3"
    assert reads.study_of("s1", "1.2", "e4", "p2") == "e4"  # another patient under the same UID
    assert reads.study_of("s1", "1.2", "e5", None) == "e5"  # of nobody yet
    monkeypatch.setattr(module, "MAX_STUDIES", 5)
    for number in range(20):
        reads.study_of("s1", f"2.{number}", "e", "p1")
    assert len(reads._studies) == 5


def test_what_is_named_is_known(reads, clock) -> None:
    def known(session: str = "s1", envelope: str = "e1", kind: str = "image") -> bool:
        return reads.names(session, envelope, "a", kind)

    assert not known()
    reads.allow(**WHO, objects=["a"])
    assert known()
    assert not known(session="s2")
    assert not known(envelope="e2")
    assert not known(kind="report")
    assert not reads.names("s1", "e1", "b", "image")
    clock.advance(599)
    assert known()
    clock.advance(1)
    assert not known()


def test_many_objects_are_all_named(reads, details) -> None:
    objects = [f"o{n}" for n in range(NAMED_AT_ONCE * 2 + 1)]
    reads.allow(**WHO, objects=objects)
    found = details()
    assert [d["count"] for d in found] == [NAMED_AT_ONCE, NAMED_AT_ONCE, 1]
    assert [o for d in found for o in d["objects"]] == objects
    reads.allow(**WHO, objects=objects)
    assert len(details()) == 3


class FullStore:
    """A store whose disk is full."""

    def record(self, entry: Any) -> None:
        raise NoSpace("full")


def test_nothing_is_allowed_that_could_not_be_written(store, clock) -> None:
    reads = Reads(FullStore(), clock)
    with pytest.raises(NoSpace):
        reads.allow(**WHO, objects=["a"])
    reads._store = store
    reads.allow(**WHO, objects=["a"])
    assert store.journal_size() == 1


def test_memory_is_bounded_and_forgetting_only_writes_more(
    reads, clock, details, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_NAMED", 50)
    for n in range(30):
        reads.allow(**{**WHO, "session": f"s{n}"}, objects=[f"o{i}" for i in range(10)])
        assert reads._count <= 60
    assert reads._count == sum(len(n.objects) for n in reads._named.values())
    before = len(details())
    reads.allow(**{**WHO, "session": "s0"}, objects=["o1"])
    assert len(details()) == before + 1
    clock.advance(600)
    reads.allow(**WHO, objects=["a"])
    assert reads._count == 1


def test_a_clock_set_back_makes_a_new_entry(reads, clock, store) -> None:
    reads.allow(**WHO, objects=["a"])
    clock.advance(-3600)
    reads.allow(**WHO, objects=["a"])
    assert store.journal_size() == 2


def test_the_lock_is_held_while_writing(store, clock) -> None:
    held: list[str] = []

    class Lock:
        @contextmanager
        def _hold(self):
            held.append("held")
            yield
            held.append(f"{store.journal_size()} written")

        def __enter__(self):
            self.now = self._hold()
            return self.now.__enter__()

        def __exit__(self, *error):
            return self.now.__exit__(*error)

    Reads(store, clock, Lock()).allow(**WHO, objects=["a"])
    assert held == ["held", "1 written"]
