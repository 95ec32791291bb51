"""A stolen disk, or a backup: what its passwords, the kit and the keys of that time open."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.practices import patient, report, study
from tests.sealing import keep
from tests.unit.breach.conftest import HOUR, NAMES, Practice, evidence, found, ids

from serment.app.protect import members
from serment.app.protect.mending import mend
from serment.core.access.passwords import RULE_NAME
from serment.core.access.strength import Strength
from serment.core.breach.evidence import Fact
from serment.core.breach.exposure import Category, Exposure
from serment.core.crypto.password import STANDARD, Cost
from serment.core.dicom.fictional import Place, pdf_document, radiograph
from serment.core.journal.copies import FORGOTTEN, RESTORED
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Wrap
from serment.ports import Source

READABLE, UNINTELLIGIBLE = Exposure.READABLE, Exposure.UNINTELLIGIBLE


def two(practice: Practice) -> tuple[str, str]:
    """A patient of each care circle, filed and moved under their keys."""
    first, second = practice.bring(1), practice.bring(2, "chirurgie")
    practice.visit("docteur", "chirurgien")
    return practice.patient_of(first), practice.patient_of(second)


def test_nothing_is_readable_without_a_password(practice: Practice) -> None:
    two(practice)
    for what in ("disk", "backup"):
        said = practice.stolen(practice.now, what=what)
        assert found(said) == {"unintelligible": 2}
        assert said.harmless
        assert said.metadata.readable
    assert said.weakest == Strength(RULE_NAME, STANDARD)
    weakest = evidence(said)[Fact.PASSWORD_WEAKEST]
    assert weakest.count == 5 and weakest.entries is not None


def test_a_known_password_opens_what_its_owner_could(practice: Practice) -> None:
    first, second = two(practice)
    said = practice.stolen(practice.now, "docteur")
    # He has the names of all, the reports of his own circle only.
    assert ids(said, READABLE) == {first, second}
    reports = said.numbers.categories[Category.REPORTS]
    assert (reports[READABLE].patients, reports[UNINTELLIGIBLE].patients) == (1, 1)
    assert (reports[READABLE].objects, reports[UNINTELLIGIBLE].objects) == (1, 1)
    assert said.numbers.categories[Category.IDENTITY][READABLE].patients == 2
    assert evidence(said)[Fact.PASSWORD_KNOWN].values == {
        "member": f"member:{practice.member('docteur').id}"
    }
    assert not said.harmless
    # An administrator has no key to anybody.
    assert found(practice.stolen(practice.now, "admin")) == {"unintelligible": 2}


def test_whom_data_concern_is_known_by_todays_filing(practice: Practice) -> None:
    practice.bring(1)
    at = practice.wait()
    assert found(practice.stolen(at)) == {}
    assert practice.stolen(at).numbers.unfiled == {UNINTELLIGIBLE: 1}
    practice.visit("docteur")
    said = practice.stolen(at, "docteur")
    assert found(said) == {"readable": 1}
    assert not said.numbers.unfiled
    assert found(practice.stolen(at)) == {"unintelligible": 1}


def test_what_arrived_later_was_not_there(practice: Practice) -> None:
    two(practice)
    at = practice.wait()
    practice.bring(3)
    practice.visit("docteur")
    assert found(practice.stolen(at, "docteur")) == {"readable": 2}
    assert found(practice.stolen(practice.now, "docteur")) == {"readable": 3}


def test_arrivals_filed_with_nobody_are_counted_apart(practice: Practice) -> None:
    two(practice)
    practice.bring(1, name="AUTREMENT^Écrit")
    practice.visit("docteur")
    said = practice.stolen(practice.now, "docteur")
    assert found(said) == {"readable": 2}
    assert said.numbers.unfiled == {READABLE: 1}
    assert evidence(said)[Fact.UNFILED].count == 1


def test_an_unfiled_patient_leaves_the_count(practice: Practice) -> None:
    first = practice.bring(1)
    practice.visit("docteur")
    at = practice.wait(2 * HOUR)
    with practice.world.signed_in("docteur") as session:
        practice.world.practice.filing("secretariat").unfile(session.member.id, first)
    said = practice.stolen(at, "docteur")
    # The record made of him was there; his report waits for another patient.
    assert found(said) == {"readable": 1}
    assert said.numbers.unfiled == {READABLE: 1}


def test_a_removed_members_password_opens_nothing_an_hour_later(practice: Practice) -> None:
    _, second = two(practice)
    before = practice.wait()
    house = practice.world.house
    practice.world.add("remplacant", *practice.member("chirurgien").roles, care="chirurgie")
    with practice.world.signed_in("chirurgien") as session:
        members.admit(house, session.member, session.ring, "remplacant")
    practice.wait(2 * HOUR)
    with practice.world.signed_in("admin") as session:
        members.remove(house, session.member, "chirurgien")
    removed = practice.wait()
    practice.visit("remplacant")
    assert second in ids(practice.stolen(before, "chirurgien"), READABLE)
    shortly = practice.stolen(removed, "chirurgien")
    assert second in ids(shortly, READABLE), "the second copy of the keys may have held his wraps"
    practice.wait(2 * HOUR)
    with practice.world.signed_in("remplacant"):
        practice.world.practice.tidy()  # the next epoch's wraps, the old ones deleted
    practice.wait(2 * HOUR)
    practice.bring(3)
    assert found(practice.stolen(practice.now, "chirurgien")).get("readable") is None
    assert second in ids(practice.stolen(practice.now, "remplacant"), READABLE)


def test_an_erased_patient_counts_until_his_wraps_were_gone(practice: Practice) -> None:
    first, second = two(practice)
    before = practice.wait(2 * HOUR)
    store = practice.world.house.store
    gone = [
        wrap
        for wrap in store.find(Wrap)
        if wrap.subject == f"patient:{first}" or wrap.recipient == f"patient:{first}"
    ]
    assert gone
    envelopes = {wrap.subject for wrap in gone if wrap.subject.startswith("envelope:")}
    gone += [w for w in store.find(Wrap) if w.subject in envelopes and w not in gone]
    with store.change(Entry(EventKind.REPAIRED, practice.now, "erasure", {})) as tx:
        for wrap in gone:
            tx.delete(wrap)
    practice.wait(2 * HOUR)
    practice.bring(3)
    assert ids(practice.stolen(before, "docteur"), READABLE) == {first, second}
    assert first not in ids(practice.stolen(practice.now, "docteur"), *Exposure)


OLDER = Strength("cnil-2017-012", STANDARD)
CHEAPER = Strength(RULE_NAME, Cost(19 * 1024, 2, 1))


@pytest.mark.parametrize(
    ("strength", "fact"),
    [
        (OLDER, Fact.PASSWORD_OLD),
        (CHEAPER, Fact.PASSWORD_OLD),
        (None, Fact.PASSWORD_UNRECORDED),
    ],
)
def test_a_password_under_another_rule_does_not_protect(
    practice: Practice, strength: Strength | None, fact: Fact
) -> None:
    two(practice)
    practice.set_password("docteur", strength)
    said = practice.stolen(practice.now)
    assert found(said) == {"readable": 2}
    assert evidence(said)[fact].values["member"] == f"member:{practice.member('docteur').id}"
    if strength is not None:
        assert said.weakest == strength
    # A new password heals it, once no copy holds the old wrap.
    practice.set_password("docteur", Strength(RULE_NAME, STANDARD))
    kept = practice.stolen(practice.now)
    assert found(kept) == {"readable": 2}
    assert evidence(kept)[Fact.PASSWORD_KEPT].count == 2, "the first one and the weak one"
    practice.wait(2 * HOUR)
    practice.bring(3)
    assert "readable" not in found(practice.stolen(practice.now))


def repaired(practice: Practice, what: str) -> None:
    practice.world.house.store.record(
        Entry(EventKind.REPAIRED, practice.now, "doctor", {"what": what})
    )


def test_a_damaged_database_in_the_folder_keeps_what_is_deleted_since(practice: Practice) -> None:
    two(practice)
    practice.set_password("docteur", OLDER)
    practice.wait(2 * HOUR)
    repaired(practice, RESTORED)
    practice.set_password("docteur", Strength(RULE_NAME, STANDARD))
    practice.wait(24 * HOUR)
    practice.bring(3)
    said = practice.stolen(practice.now)
    assert ids(said, READABLE), "the weak wrap stands in what was put aside"
    assert evidence(said)[Fact.DAMAGED_KEPT].entries is not None
    before = practice.now
    practice.wait(HOUR)
    repaired(practice, FORGOTTEN)
    practice.wait(2 * HOUR)
    practice.bring(4)
    assert ids(practice.stolen(before), READABLE), "it was there then, whatever came later"
    now = practice.stolen(practice.now)
    assert "readable" not in found(now)
    assert Fact.DAMAGED_KEPT not in evidence(now)


def test_what_was_deleted_long_before_is_not_in_the_damaged_database(practice: Practice) -> None:
    two(practice)
    practice.set_password("docteur", OLDER)
    practice.set_password("docteur", Strength(RULE_NAME, STANDARD))
    practice.wait(2 * HOUR)
    repaired(practice, RESTORED)
    practice.bring(3)
    assert "readable" not in found(practice.stolen(practice.now))


def test_a_dearer_derivation_is_no_weakness(practice: Practice) -> None:
    two(practice)
    practice.set_password("docteur", replace(OLDER, rule=RULE_NAME, cost=Cost(128 * 1024, 4, 4)))
    assert practice.stolen(practice.now).harmless


def test_two_shares_on_the_machine_open_everything(practice: Practice) -> None:
    two(practice)
    practice.machine.shares = 2
    said = practice.stolen(practice.now)
    assert found(said) == {"readable": 2}
    assert evidence(said)[Fact.KIT_HERE].message == "A thief reads everything: the kit is here."
    assert evidence(said)[Fact.KIT_NOW].count == 2
    # They lie beside the vault, not in a copy of its folder.
    assert practice.stolen(practice.now, what="backup").harmless
    practice.machine.shares = 1
    assert practice.stolen(practice.now).harmless


def test_sessions_that_were_open_are_told(practice: Practice) -> None:
    two(practice)
    with practice.world.signed_in("docteur"):
        practice.wait()
        at = practice.wait()
    said = practice.stolen(at)
    assert said.harmless, "the machine may have been off"
    assert evidence(said)[Fact.SESSIONS_OPEN].count == 1
    practice.wait(HOUR)
    assert Fact.SESSIONS_OPEN not in evidence(practice.stolen(practice.now))


def test_a_journal_that_was_changed_proves_nothing(practice: Practice) -> None:
    two(practice)
    practice.sign()
    store = practice.world.house.store
    row = store._log[4]  # type: ignore[attr-defined]
    store._log[4] = replace(row, body=row.body.replace(b"2026", b"2025"))  # type: ignore[attr-defined]
    said = practice.stolen(practice.now)
    assert not said.trust.whole and not said.harmless
    assert evidence(said)[Fact.NOT_WHOLE].entries == (4, 4)
    store._log[5] = replace(store._log[5], body=b"{}")  # type: ignore[attr-defined]
    assert evidence(practice.stolen(practice.now))[Fact.UNREADABLE].count == 1


def test_each_object_counts_as_what_it_is(practice: Practice) -> None:
    examination = study(patient(1, f"{NAMES[1]}^Fictive", "19510401"))
    practice.world.receive(
        [
            radiograph(examination, Place(1, 1, "Face")),
            pdf_document(examination, Place(2, 2, "Courrier"), "Courrier fictif", ["Imaginaire."]),
            *(report(examination, number) for number in (3, 4)),
        ]
    )
    practice.visit("docteur")
    said = practice.stolen(practice.now, "docteur")
    objects = {c: amounts[READABLE].objects for c, amounts in said.numbers.categories.items()}
    assert objects == {
        Category.IDENTITY: 0,
        Category.IMAGES: 1,
        Category.REPORTS: 2,
        Category.DOCUMENTS: 1,
    }
    assert Fact.KINDS_UNKNOWN not in evidence(said)


def test_what_a_repair_counted_is_told_as_such(practice: Practice) -> None:
    examination, house = study(patient(1, f"{NAMES[1]}^Fictive", "19510401")), practice.world.house
    reception = practice.world.receiver().open(Source("dicom", None, None, "p", "l"))
    keep(reception, radiograph(examination, Place(1, 1, "Face")))
    keep(reception, report(examination, 2))
    reception.sync()  # then the process dies
    mend(house.store, house.packs, house.clock)
    said = practice.stolen(practice.now)
    images = said.numbers.categories[Category.IMAGES]
    assert (images[UNINTELLIGIBLE].envelopes, images[UNINTELLIGIBLE].objects) == (1, 2)
    assert evidence(said)[Fact.KINDS_UNKNOWN].count == 1
