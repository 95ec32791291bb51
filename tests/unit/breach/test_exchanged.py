"""Somebody exchanged a circle's public key: what arrived until it was noticed is his to read, whichever
way he came to the files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.breach.conftest import HOUR, Practice, evidence, found, ids
from tests.unit.breach.test_windows import SCANNER, arrive
from tests.unit.protect.thief import write

from serment.app import circles
from serment.core.breach.evidence import Fact
from serment.core.breach.exposure import Exposure
from serment.core.breach.radius import Inquiry, Radius
from serment.core.breach.vectors import Copy, Stolen
from serment.core.crypto.keys import new_seed, public_key
from serment.core.journal.entries import LoggedEntry
from serment.core.journal.verify import Verdict
from serment.core.records.vault import Circle
from serment.errors import IntegrityError

READABLE, UNINTELLIGIBLE = Exposure.READABLE, Exposure.UNINTELLIGIBLE


def readable(said: Radius) -> int:
    """How many patients, and arrivals filed with nobody."""
    return len(ids(said, READABLE)) + said.numbers.unfiled[READABLE]


def exchange(practice: Practice, name: str = "care") -> Circle:
    """What was there before."""
    old = circles.current(practice.world.house.store)[name]
    write(practice.world, [replace(old, public_key=public_key(new_seed()))])
    practice.wait()
    return old


def notice(practice: Practice, *logins: str) -> None:
    """They sign in, and see it."""
    for login in logins:
        with suppress(IntegrityError), practice.world.signed_in(login):
            practice.wait()
        practice.wait()


def before_and_after(practice: Practice, name: str = "care") -> tuple[str, datetime]:
    """One arrival that a session saw, then the exchange, then one for each care circle; the first
    patient, and when."""
    first = practice.bring(1)
    practice.visit("docteur", "chirurgien", "secretaire")
    exchange(practice, name)
    practice.bring(2)
    practice.bring(3, "chirurgie")
    practice.wait(2 * HOUR)
    return practice.patient_of(first), practice.wait()


def test_what_came_before_it_was_noticed_is_readable_to_a_thief(practice: Practice) -> None:
    first, at = before_and_after(practice)
    assert practice.stolen(at).harmless, "nobody could know"
    notice(practice, "docteur", "chirurgien")
    for what in ("disk", "backup"):
        said = practice.stolen(at, what=what)
        assert not said.harmless
        assert first in ids(said, UNINTELLIGIBLE)
        assert readable(said) == 1
        told = evidence(said)
        assert told[Fact.CIRCLE_STOPPED].count == told[Fact.SEALED_MEANWHILE].count == 1
        assert told[Fact.CIRCLE_STOPPED].entries is not None
        assert told[Fact.SEALED_MEANWHILE].entries is not None
        assert told[Fact.SEALED_MEANWHILE].entries < told[Fact.CIRCLE_STOPPED].entries
    # The same for files that were reached later, and by who controlled the server.
    assert readable(practice.stolen(practice.now)) == 1
    said = practice.ask(server=True, start=at, end=at)
    assert readable(said) == 1 and not said.harmless
    assert Fact.SEALED_MEANWHILE in evidence(said)


@pytest.mark.parametrize("name", ["recovery", "secretariat"])
def test_a_key_that_every_arrival_is_sealed_to(practice: Practice, name: str) -> None:
    first, at = before_and_after(practice, name)
    notice(practice, "secretaire")
    said = practice.stolen(at)
    assert first in ids(said, UNINTELLIGIBLE)
    assert evidence(said)[Fact.SEALED_MEANWHILE].count == 2
    assert readable(said) == 2


def test_a_theft_before_the_last_session_that_vouched_is_no_matter(practice: Practice) -> None:
    practice.bring(1)
    at = practice.wait(2 * HOUR)
    practice.visit("docteur")
    exchange(practice)
    practice.bring(2)
    notice(practice, "docteur")
    said = practice.stolen(at)
    assert said.harmless and Fact.CIRCLE_STOPPED not in evidence(said)


def test_who_holds_another_circle_vouches_for_nothing(practice: Practice) -> None:
    practice.visit("docteur")
    exchange(practice)
    practice.bring(2)
    practice.visit("dpo", "admin")
    practice.bring(4)
    at = practice.now
    notice(practice, "docteur")
    assert evidence(practice.stolen(at))[Fact.SEALED_MEANWHILE].count == 2


def test_what_came_since_it_was_put_right_is_sealed_to_the_circle(practice: Practice) -> None:
    practice.visit("docteur")
    old = exchange(practice)
    practice.bring(2)
    notice(practice, "docteur")
    write(practice.world, [old])
    practice.visit("docteur")
    last = practice.bring(4)
    practice.visit("docteur")
    practice.wait(2 * HOUR)
    said = practice.stolen(practice.now)
    assert practice.patient_of(last) in ids(said, UNINTELLIGIBLE)
    assert evidence(said)[Fact.SEALED_MEANWHILE].count == 1


def test_who_only_listened_or_acted_as_a_member_learns_of_it(practice: Practice) -> None:
    practice.visit("docteur")
    start = practice.now
    arrive(practice, 1, tls=True)
    practice.visit("docteur")
    exchange(practice)
    arrive(practice, 2, tls=True)
    notice(practice, "docteur")
    later = practice.now
    for question in ({"listeners": (SCANNER,)}, {"accounts": ("secretaire",)}):
        said = practice.ask(**question, start=start)
        assert not said.harmless and Fact.CIRCLE_STOPPED in evidence(said)
        assert Fact.SEALED_MEANWHILE not in evidence(said), "no files, nothing sealed"
        afterwards = practice.ask(**question, start=later)
        assert Fact.CIRCLE_STOPPED not in evidence(afterwards)
    assert found(practice.ask(listeners=(SCANNER,), start=later)).get("readable") is None


def test_an_entry_that_cannot_be_read_is_never_harmless() -> None:
    """Even where every digest is right."""
    vector = Stolen(Copy.BACKUP, datetime(2026, 11, 20, tzinfo=UTC))
    for body, harmless in ((None, True), (b"{}", False)):
        inquiry = Inquiry([vector])
        inquiry.feed(LoggedEntry(0, b"", b"", body))
        said = inquiry.conclude(Verdict(1, True, 0, None, ""))
        assert said.harmless is harmless and (Fact.UNREADABLE in evidence(said)) is not harmless
