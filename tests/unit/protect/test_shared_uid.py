"""Two patients under one Study Instance UID, down to the same instances: a device's mistake, or a
forgery. They are two studies for whoever searches, reads, or reads the journal of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.practices import World, patient, report, study
from tests.unit.protect.test_searching import two_teams

from serment.app.protect.opening import Session
from serment.app.protect.searching import FoundStudy
from serment.core.dicom.fictional import Place
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope, Patient
from serment.errors import AccessDenied, Conflict
from serment.ports import InstanceRow, Matches

MINE = study(patient(1), 1)
THEIRS = replace(MINE, patient=patient(2, "AUTRE^Personne", "19620202", "M"))
UNDER = Matches(study_uids=(MINE.uid,))


@pytest.fixture(params=["filed", "waiting"])
def shared(request: pytest.FixtureRequest) -> World:
    """Two reports of one patient for one team, three of another for the other team, under the
    same UIDs; once with the other waiting for a person to file him."""
    world, theirs = two_teams(), THEIRS
    if request.param == "waiting":
        theirs = replace(THEIRS, patient=replace(THEIRS.patient, birth_date=""))
    world.receive((report(MINE, n) for n in (1, 2)), "care")
    world.receive((report(theirs, n, "Tout autre chose.") for n in (1, 2, 3)), "chirurgie")
    with world.signed_in("docteur"):
        assert world.house.store.count(Patient) == (2 if request.param == "filed" else 1)
    return world


def both(world: World, session: Session, matches: Matches = UNDER) -> dict[str, FoundStudy]:
    found = world.searching(session).studies(matches)
    names = {str(each.attributes()["PatientName"]): each for each in found}
    assert len(names) == len(found)
    return names


def entries(world: World, kind: EventKind) -> list[dict[str, Any]]:
    entries = map(entry_of, world.house.store.journal())
    return [e.details for e in entries if e is not None and e.kind is kind]


def of(rows: list[InstanceRow], found: FoundStudy) -> list[InstanceRow]:
    return [row for row in rows if row.envelope in found.envelopes]


def test_a_search_finds_two_studies_each_with_what_is_its_own(shared: World) -> None:
    with shared.signed_in("docteur") as session:
        found = both(shared, session)
        mine, theirs = found[MINE.patient.name], found[THEIRS.patient.name]
        assert {mine.uid, theirs.uid} == {MINE.uid}
        counts = [each.attributes()["NumberOfStudyRelatedInstances"] for each in (mine, theirs)]
        assert counts == [2, 3]
        assert set(mine.envelopes).isdisjoint(theirs.envelopes)
        searching = shared.searching(session)
        assert searching.count(UNDER) == 2
        assert searching.study(theirs.first.envelope) == theirs


def test_who_searches_for_one_is_not_shown_the_other_and_the_journal_says_so(shared: World) -> None:
    with shared.signed_in("docteur") as session:
        (found,) = shared.searching(session).studies(Matches(name="LEFEVRE*"))
        assert found.attributes()["PatientName"] == MINE.patient.name
        assert entries(shared, EventKind.SEARCHED)[-1]["envelopes"] == list(found.envelopes)


@pytest.mark.parametrize("level", ["series", "instance"])
def test_below_the_study_too(shared: World, level: str) -> None:
    with shared.signed_in("docteur") as session:
        searching = shared.searching(session)
        search = searching.series if level == "series" else searching.instances
        every = search(UNDER)
        assert len(every) == (2 if level == "series" else 5)
        if level == "series":
            assert sorted(row["NumberOfSeriesRelatedInstances"] for row in every) == [2, 3]
        assert searching.any(replace(UNDER, offset=len(every) - 1), level)
        assert not searching.any(replace(UNDER, offset=len(every)), level)
        theirs = both(shared, session)[THEIRS.patient.name]
        for wanted in (Matches(name="AUTRE*"), replace(UNDER, identifier="FICTIF0002")):
            rows = search(wanted)
            assert {each for row in rows for each in row["Envelopes"]} == set(theirs.envelopes)


def test_one_half_does_not_open_the_other(shared: World) -> None:
    """The surgeon holds the key of one patient's half only."""
    with shared.signed_in("docteur") as session:
        every = shared.reading(session).instances(UNDER)
        mine = of(every, both(shared, session)[MINE.patient.name])
    with shared.signed_in("chirurgien") as session:
        found, reading = both(shared, session), shared.reading(session)
        assert found[MINE.patient.name].summary is None
        summary = found[THEIRS.patient.name].summary
        assert summary is not None
        assert summary.instances == 3
        assert of(reading.instances(UNDER), found[MINE.patient.name]) == []
        (series,) = shared.searching(session).series(UNDER)
        assert series["NumberOfSeriesRelatedInstances"] == 3
        for row in mine:
            with pytest.raises(AccessDenied):
                reading.object_row(row.object)
            with pytest.raises(AccessDenied):
                reading.open([row], "report")
    assert not entries(shared, EventKind.READ)


def test_the_journal_tells_whose_study_was_read(shared: World) -> None:
    """What a breach's radius is drawn from: one patient's reading never stands for the other's."""
    with shared.signed_in("docteur") as session:
        reading = shared.reading(session)
        found, rows = both(shared, session), reading.instances(UNDER)
        for name in (MINE.patient.name, THEIRS.patient.name):
            reading.open_one_of_series(of(rows, found[name])[0], "report")
    one, other = entries(shared, EventKind.READ)
    for entry, name, count in ((one, MINE.patient.name, 2), (other, THEIRS.patient.name, 3)):
        assert entry["study"] == entry["envelope"] in found[name].envelopes
        envelope = shared.house.store.get(Envelope, entry["envelope"])
        assert envelope is not None
        assert entry["patient"] == envelope.patient
        assert set(entry["objects"]) == {row.object for row in of(rows, found[name])}
        assert entry["count"] == count
    assert not one["more"]
    assert not other["more"]


def test_an_instance_of_two_patients_is_asked_for_by_its_own_id(shared: World) -> None:
    instance = Place(1, 1).instance_uid(MINE)
    with shared.signed_in("docteur") as session:
        reading = shared.reading(session)
        with pytest.raises(Conflict):
            reading.instance(instance)
        assert reading.instance(Place(1, 3).instance_uid(MINE)).instance_uid == Place(
            1, 3
        ).instance_uid(MINE)
    with shared.signed_in("chirurgien") as session:  # there is but one for her
        assert shared.reading(session).instance(instance).instance_uid == instance
