"""Searches name what was shown; refusals are counted by caller and minute."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from serment.adapters.memory.packs import MemoryPacks
from serment.app.protect.receiver import SealedReceiver
from serment.app.watch.refusals import MAX_CALLERS, MAX_REASONS, OTHERS, Refusals
from serment.app.watch.searches import MAX_NAMED, MAX_REMEMBERED, Searches, named
from serment.core.crypto.merkle import leaf_hash, root
from serment.core.journal.entries import EventKind
from serment.errors import AccessDenied

VAULT = "0123456789abcdef"
WHO = {"session": "s1", "member": "m1", "level": "study"}


def test_a_search_names_what_was_shown(store, clock, written) -> None:
    Searches(store, clock).note(**WHO, envelopes=["a", "b"], peer="192.0.2.7", local="l", tls=True)
    (entry,) = written()
    assert (entry.kind, entry.actor) == (EventKind.SEARCHED, "m1")
    assert entry.details == {
        "session": "s1",
        "level": "study",
        "count": 2,
        "envelopes": ["a", "b"],
        "others_root": None,
        "peer": "192.0.2.7",
        "local": "l",
        "tls": True,
    }


def test_a_search_that_found_nothing_is_noted_too(store, clock, details) -> None:
    Searches(store, clock).note(**WHO, envelopes=[])
    assert details()[0]["count"] == 0


def test_a_list_that_refreshes_itself_is_one_entry(store, clock) -> None:
    searches = Searches(store, clock)
    for _ in range(60):
        searches.note(**WHO, envelopes=["a", "b"])
        clock.advance(10)
    assert store.journal_size() == 1
    searches.note(**WHO, envelopes=["a", "b"])
    assert store.journal_size() == 2


def test_another_answer_is_another_entry(store, clock) -> None:
    searches = Searches(store, clock)
    searches.note(**WHO, envelopes=["a", "b"])
    for other in ({"session": "s2"}, {"level": "series"}, {"envelopes": ["ab"]}):
        searches.note(**{**WHO, "envelopes": ["a", "b"], **other})
    assert store.journal_size() == 4


def test_a_long_answer_is_counted_and_bound() -> None:
    ids = [f"{n:032x}" for n in range(MAX_NAMED + 3)]
    said = named(ids)
    assert (said["count"], len(said["envelopes"])) == (MAX_NAMED + 3, MAX_NAMED)
    assert said["others_root"] == root(leaf_hash(i.encode()) for i in ids[-3:]).hex()


def test_remembered_answers_are_bounded(store, clock) -> None:
    searches = Searches(store, clock)
    for n in range(100):
        searches._remember(n.to_bytes(4, "big"), clock.now())
    assert len(searches._answers) == 100
    for n in range(MAX_REMEMBERED + 50):
        searches._remember(n.to_bytes(4, "big"), clock.now())
    assert len(searches._answers) == MAX_REMEMBERED


def test_a_thousand_refusals_of_a_minute_are_one_entry(store, clock, written) -> None:
    refusals = Refusals(store, clock)
    for _ in range(1000):
        refusals.note(
            "192.0.2.7",
            "no device has this title",
            calling="CT9",
            called="SERMENT",
            local="192.0.2.1:11112",
            tls=True,
        )
        clock.advance(0.05)
    assert store.journal_size() == 0
    refusals.flush()
    assert store.journal_size() == 0
    clock.advance(10)
    refusals.flush()
    (entry,) = written()
    assert (entry.kind, entry.actor) == (EventKind.REFUSED, "receiver")
    assert entry.details == {
        "peer": "192.0.2.7",
        "calling": "CT9",
        "called": "SERMENT",
        "local": "192.0.2.1:11112",
        "tls": True,
        "count": 1000,
        "first": "2026-01-05T08:00:00+00:00",
        "last": "2026-01-05T08:00:49.950000+00:00",
        "reasons": {"no device has this title": 1000},
    }


def test_the_next_minute_writes_the_one_before(store, clock, details) -> None:
    refusals = Refusals(store, clock)
    for _ in range(3):
        refusals.note("192.0.2.7", "unknown")
        refusals.note("192.0.2.8", "unknown")
        clock.advance(60)
    assert [d["peer"] for d in details()] == ["192.0.2.7", "192.0.2.8"] * 2
    refusals.flush(final=True)
    refusals.flush(final=True)
    assert len(details()) == 6


def test_memory_is_bounded(store, clock, details) -> None:
    refusals = Refusals(store, clock)
    for n in range(5000):
        refusals.note(f"198.51.{n // 250}.{n % 250}", f"reason {n % 50}")
    refusals.flush(final=True)
    found = details()
    assert len(found) == MAX_CALLERS + 1
    assert found[-1]["peer"] == OTHERS
    assert found[-1]["count"] == 5000 - MAX_CALLERS
    assert len(found[-1]["reasons"]) == MAX_REASONS


def test_texts_of_a_peer_are_made_plain_and_short(store, clock, details) -> None:
    refusals = Refusals(store, clock)
    refusals.note("192.0.2.7" + "9" * 1000, "unknown", calling="A\r\nB\x1b[31mÉ" + "C" * 99)
    refusals.flush(final=True)
    (found,) = details()
    assert found["calling"] == "A??B?[31m?CCCCCC"
    assert len(found["peer"]) == 64


def test_the_receiver_says_which_address_of_ours_was_called(store, clock, details) -> None:
    receiver = SealedReceiver(VAULT, store, MemoryPacks(), clock, nullcontext)
    with pytest.raises(AccessDenied):
        receiver.admit("CT9", "SERMENT", "192.0.2.7", "192.0.2.1:11112", True)
    receiver.refused("", "", "192.0.2.7", "too slow", "192.0.2.1:11113", False)
    receiver.flush(final=True)
    assert [(d["peer"], d["local"], d["tls"]) for d in details()] == [
        ("192.0.2.7", "192.0.2.1:11112", True),
        ("192.0.2.7", "192.0.2.1:11113", False),
    ]
