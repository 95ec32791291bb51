"""What happened over a span: an account used, a server controlled, a listener heard; what was asked
that cannot be answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.practices import PASSWORD, patient, report, study
from tests.sealing import keep
from tests.unit.breach.conftest import HOUR, Practice, evidence, found, ids

from serment.app.protect import members
from serment.app.protect.kit import open_with
from serment.app.protect.opening import Peer
from serment.app.watch.expiry import expire
from serment.app.watch.refusals import Refusals
from serment.core.breach.evidence import Fact
from serment.core.breach.exposure import Category, Exposure
from serment.errors import AccessDenied, NotFound, UsageError
from serment.ports import Matches, Source

READ, READABLE, UNINTELLIGIBLE = Exposure.READ, Exposure.READABLE, Exposure.UNINTELLIGIBLE
WEB, SCANNER = "192.0.2.1:8443", "192.0.2.1:11112"


def several(practice: Practice) -> tuple[str, str, str]:
    """Two patients of the one circle, one of the other."""
    envelopes = practice.bring(1), practice.bring(2), practice.bring(3, "chirurgie")
    practice.visit("docteur", "chirurgien")
    practice.wait(2 * HOUR)
    first, second, third = map(practice.patient_of, envelopes)
    return first, second, third


def open_one(practice: Practice, login: str, peer: Peer | None = None) -> str:
    """That member opens the first report he may; whose it is."""
    world = practice.world
    session = world.practice.sign_in(login, PASSWORD, "", peer or Peer(), need_code=False)
    reading = world.reading(session)
    (row, *_) = reading.instances(Matches())
    reading.open([row], "report")
    practice.wait()
    world.practice.lock(session)
    return practice.patient_of(row.envelope)


# An account


def test_an_account_read_what_the_journal_names(practice: Practice) -> None:
    first, second, third = several(practice)
    start = practice.now
    opened = open_one(practice, "docteur")
    open_one(practice, "chirurgien")
    said = practice.ask(accounts=("docteur",), start=start)
    assert ids(said, READ) == {opened}
    assert ids(said, READABLE) == {first, second, third} - {opened}
    reports = said.numbers.categories[Category.REPORTS]
    assert [reports[each].patients for each in (READ, READABLE, UNINTELLIGIBLE)] == [1, 1, 1]
    assert [reports[each].objects for each in (READ, READABLE, UNINTELLIGIBLE)] == [1, 1, 1]
    told = evidence(said)
    assert told[Fact.SHOWN].count == 1 and told[Fact.ACCOUNT_SESSIONS].count == 1
    assert told[Fact.SHOWN].entries is not None
    assert not said.metadata.readable


def test_a_list_shows_identities_only(practice: Practice) -> None:
    several(practice)
    start = practice.now
    with practice.world.signed_in("secretaire") as session:
        practice.world.searching(session).studies(Matches())
        practice.wait()
    said = practice.ask(accounts=("secretaire",), start=start)
    assert found(said) == {"read": 3}
    identity, reports = (
        said.numbers.categories[each] for each in (Category.IDENTITY, Category.REPORTS)
    )
    assert identity[READ].patients == 3
    assert reports[UNINTELLIGIBLE].patients == 3
    assert evidence(said)[Fact.FOUND].count == 1


def test_before_and_after_the_span_nothing_was_read(practice: Practice) -> None:
    several(practice)
    open_one(practice, "docteur")
    practice.wait(HOUR)
    said = practice.ask(accounts=("docteur",), start=practice.now - HOUR / 2)
    assert found(said) == {"readable": 3}


def test_a_removed_account_is_answered_for_its_time(practice: Practice) -> None:
    practice.world.add("remplacant", *practice.member("chirurgien").roles, care="chirurgie")
    with practice.world.signed_in("chirurgien") as session:
        house = practice.world.house
        members.admit(house, session.member, session.ring, "remplacant")
    several(practice)
    start, end = practice.now, practice.wait()
    with practice.world.signed_in("admin") as session:
        members.remove(house, session.member, "remplacant")
    practice.wait()
    assert found(practice.ask(accounts=("remplacant",), start=start, end=end)) == {"readable": 3}
    assert found(practice.ask(accounts=("remplacant",), start=practice.now)) == {
        "unintelligible": 3
    }


# The server


def test_only_sessions_open_meanwhile_were_in_the_memory(practice: Practice) -> None:
    first, second, third = several(practice)
    start = practice.now
    said = practice.ask(server=True, start=start)
    assert found(said) == {"unintelligible": 3}
    with practice.world.signed_in("secretaire"):
        practice.wait()
    said = practice.ask(server=True, start=start)
    assert ids(said, READABLE) == {first, second, third}
    assert said.numbers.categories[Category.REPORTS][UNINTELLIGIBLE].patients == 3
    assert evidence(said)[Fact.SESSIONS_OVERLAP].count == 1
    opened = open_one(practice, "chirurgien")
    said = practice.ask(server=True, start=start)
    assert opened == third and ids(said, READ) == {third}
    assert said.numbers.categories[Category.REPORTS][UNINTELLIGIBLE].patients == 2


def test_a_session_that_overlaps_the_beginning_counts(practice: Practice) -> None:
    several(practice)
    with practice.world.signed_in("docteur"):
        practice.wait()
        start = practice.now
        practice.wait()
        said = practice.ask(server=True, start=start, end=start)
    assert found(said) == {"readable": 3}


def test_what_arrived_meanwhile_passed_through_the_memory(practice: Practice) -> None:
    several(practice)
    start = practice.now
    practice.bring(4)
    said = practice.ask(server=True, start=start)
    assert said.numbers.unfiled == {READABLE: 1}
    assert evidence(said)[Fact.PASSED].count == 1
    assert not practice.ask(server=True, start=practice.now).numbers.unfiled[READABLE]


def test_the_kit_used_on_the_server_opens_everything(practice: Practice) -> None:
    several(practice)
    start = practice.now
    open_with(practice.world.house, practice.world.founded.shares[:2])
    practice.wait()
    said = practice.ask(server=True, start=start)
    assert found(said) == {"readable": 3}
    assert evidence(said)[Fact.KIT_USED].count == 1


def test_who_was_signed_in_long_ago_is_not_known_any_more(practice: Practice) -> None:
    several(practice)
    start = practice.now
    practice.wait(timedelta(days=500))
    house = practice.world.house
    assert expire(house.store, house.clock, practice.world.founded.journal_key, house.vault)
    said = practice.ask(server=True, start=start, end=start + HOUR)
    assert found(said) == {"readable": 3}, "a bound: everybody may have been signed in"
    told = evidence(said)
    assert Fact.EXPIRED in told and Fact.SESSIONS_EXPIRED in told
    assert said.trust.complete_since is not None and said.trust.expired
    # What was stolen then needs no accesses to be answered.
    theft = practice.stolen(start)
    assert theft.harmless and Fact.SESSIONS_UNKNOWN in evidence(theft)
    assert Fact.EXPIRED not in evidence(practice.ask(server=True, start=practice.now))


# A listener


def arrive(practice: Practice, number: int, *, tls: bool, local: str = SCANNER) -> None:
    who = patient(number, f"ARRIVÉE{number}^Fictive", f"19{50 + number}0401")
    source = Source("dicom", None, "care", "192.0.2.7:40000", local, tls)
    reception = practice.world.receiver().open(source)
    keep(reception, report(study(who, number)))
    reception.sync()
    reception.close()
    practice.wait()


def test_what_crossed_in_clear_counts_as_read(practice: Practice) -> None:
    several(practice)
    start = practice.now
    arrive(practice, 4, tls=False)
    arrive(practice, 5, tls=True)
    practice.visit("docteur")
    said = practice.ask(listeners=(SCANNER,), start=start)
    assert found(said) == {"read": 1, "unintelligible": 4}
    told = evidence(said)
    assert told[Fact.CROSSED_CLEAR].count == told[Fact.CROSSED_TLS].count == 1
    assert Fact.ONLY_RECEIVES in told
    assert practice.ask(listeners=("192.0.2.1",), start=start).numbers == said.numbers
    for unheard in ("192.0.2.1:104", "192.0.2", "local"):
        with pytest.raises(NotFound):
            practice.ask(listeners=(unheard,), start=start)


def test_a_session_in_clear_gave_its_password_away(practice: Practice) -> None:
    several(practice)
    start = practice.now
    open_one(practice, "chirurgien", Peer("192.0.2.9:50000", WEB, True))
    said = practice.ask(listeners=(WEB,), start=start)
    assert found(said) == {"unintelligible": 3}
    assert evidence(said)[Fact.SESSIONS_TLS].count == 1 and Fact.ANSWERS in evidence(said)
    opened = open_one(practice, "docteur", Peer("192.0.2.9:50000", WEB, False))
    said = practice.ask(listeners=(WEB,), start=start)
    assert found(said) == {"read": 1, "readable": 2}
    assert ids(said, READ) == {opened}, "what was shown crossed in clear as well"
    assert evidence(said)[Fact.SESSIONS_CLEAR].count == 1


def test_refusals_at_the_address_are_counted(practice: Practice) -> None:
    several(practice)
    start = practice.now
    refusals = Refusals(practice.world.house.store, practice.world.house.clock)
    for _ in range(7):
        refusals.note("192.0.2.66", "no device", local=SCANNER)
    refusals.flush(final=True)
    said = practice.ask(listeners=(SCANNER,), start=start)
    assert evidence(said)[Fact.REFUSED].count == 7


# Several, and none


def test_of_several_answers_the_worst_counts(practice: Practice) -> None:
    first, second, third = several(practice)
    start = practice.now
    opened = open_one(practice, "chirurgien")
    assert opened == third
    both = practice.ask(
        stolen="disk", at=practice.now, known=("secretaire",), accounts=("chirurgien",), start=start
    )
    assert ids(both, READ) == {third}
    assert ids(both, READABLE) == {first, second}
    reports = both.numbers.categories[Category.REPORTS]
    assert [reports[each].patients for each in (READ, READABLE, UNINTELLIGIBLE)] == [1, 0, 2]
    assert [reports[each].objects for each in (READ, READABLE, UNINTELLIGIBLE)] == [1, 0, 2]
    identities = both.numbers.categories[Category.IDENTITY]
    assert [identities[each].envelopes for each in (READ, READABLE, UNINTELLIGIBLE)] == [1, 2, 0]


def test_an_account_opens_the_files_that_were_stolen_later(practice: Practice) -> None:
    """One breach: what came after he had used it lay in the files, under keys that he had."""
    first = practice.bring(1)
    practice.visit("docteur")
    used = {"start": practice.wait(), "end": practice.wait()}
    practice.wait(2 * HOUR)
    second, other = practice.bring(2), practice.bring(3, "chirurgie")
    practice.visit("docteur", "chirurgien")
    practice.wait(2 * HOUR)
    patients = {practice.patient_of(each) for each in (first, second, other)}
    assert practice.stolen(practice.now).harmless
    assert found(practice.ask(accounts=("docteur",), **used)) == {"readable": 1}
    for at in (practice.now, used["start"]):
        files = practice.ask(stolen="disk", at=at, accounts=("docteur",), **used)
        alone = practice.stolen(at, "docteur")
        assert files.numbers.patients == alone.numbers.patients
        assert files.numbers.categories == alone.numbers.categories
        told = evidence(files)[Fact.KNOWN_ELSEWHERE]
        assert told.values == {"member": f"member:{practice.member('docteur').id}"}
    both = practice.ask(stolen="backup", at=practice.now, accounts=("docteur",), **used)
    assert ids(both, READABLE) == patients
    # Who is known anyway needs no other way.
    said = practice.ask(
        stolen="disk", at=practice.now, known=("docteur",), accounts=("docteur",), **used
    )
    assert Fact.KNOWN_ELSEWHERE not in evidence(said)


def test_who_was_signed_in_on_a_controlled_server_opens_the_stolen_files(
    practice: Practice,
) -> None:
    practice.bring(1)
    start = practice.now
    practice.visit("docteur")
    end = practice.wait(2 * HOUR)
    later = practice.bring(2)
    practice.visit("docteur")
    practice.wait(2 * HOUR)
    said = practice.ask(stolen="backup", at=practice.now, server=True, start=start, end=end)
    assert practice.patient_of(later) in ids(said, READABLE)
    assert Fact.KNOWN_ELSEWHERE in evidence(said)


def test_who_signed_in_in_clear_opens_the_stolen_files(practice: Practice) -> None:
    start = practice.now
    practice.bring(1)
    practice.visit("docteur")
    open_one(practice, "docteur", Peer("192.0.2.9:50000", WEB, False))
    end = practice.wait(2 * HOUR)
    later = practice.bring(2)
    practice.visit("docteur")
    said = practice.ask(stolen="disk", at=practice.now, listeners=(WEB,), start=start, end=end)
    assert practice.patient_of(later) in ids(said, READABLE)


# Sign-ins that came to nothing


def knock(practice: Practice, peer: Peer) -> None:
    """The password is right, but from elsewhere it opens nothing alone."""
    with pytest.raises(AccessDenied):
        practice.world.practice.sign_in("docteur", PASSWORD, "", peer)
    practice.wait()


def test_a_right_password_that_was_refused_was_in_the_memory(practice: Practice) -> None:
    several(practice)
    start = practice.now
    knock(practice, Peer("192.0.2.9:50000", WEB, True))
    said = practice.ask(server=True, start=start)
    assert found(said) == {"readable": 3}
    told = evidence(said)[Fact.SIGN_IN_FAILED]
    assert told.count == 1 and told.entries is not None
    assert told.values == {"member": f"member:{practice.member('docteur').id}"}
    assert practice.ask(server=True, start=practice.now).harmless


def test_a_right_password_that_was_refused_crossed_in_clear(practice: Practice) -> None:
    several(practice)
    start = practice.now
    knock(practice, Peer("192.0.2.9:50000", WEB, True))
    assert practice.ask(listeners=(WEB,), start=start).harmless
    knock(practice, Peer("192.0.2.9:50000", WEB, False))
    said = practice.ask(listeners=(WEB,), start=start)
    assert found(said) == {"readable": 3}
    assert evidence(said)[Fact.SIGN_IN_FAILED].count == 1
    assert evidence(said)[Fact.REFUSED].count == 2


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"stolen": "disk"},
        {"stolen": "phone", "at": 0},
        {"at": 0},
        {"server": True},
        {"stolen": "disk", "at": 0, "start": 0},
        {"stolen": "disk", "at": 60},
        {"stolen": "disk", "at": -(10**9)},
        {"server": True, "start": 0, "end": -60},
        {"accounts": ("docteur",), "known": ("docteur",), "start": 0},
        {"listeners": (WEB,), "known": ("docteur",), "start": 0},
        {"server": True, "start": -(10**9), "end": -(10**9) + 1},
    ],
)
def test_what_cannot_be_asked(practice: Practice, question: dict[str, object]) -> None:
    times = {
        key: practice.now + timedelta(seconds=value) if type(value) is int else value
        for key, value in question.items()
    }
    with pytest.raises(UsageError):
        practice.ask(**times)


def test_a_login_that_never_was(practice: Practice) -> None:
    with pytest.raises(NotFound):
        practice.ask(accounts=("personne",), start=practice.now)
    with pytest.raises(NotFound):
        practice.stolen(practice.now, "personne")
