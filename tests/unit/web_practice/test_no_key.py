"""The secretary's session tries every method of the pages with every id in the vault."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.unit.web_practice.conftest import Reading
from tests.unit.web_practice.pages import (
    CT_TITLE,
    HERE,
    LETTER,
    SENTENCE,
    US_TITLE,
    everything_in,
)

from serment.core.dicom.fictional import Place
from serment.core.records.vault import Envelope, Member, Patient, StoredObject
from serment.entrypoints.web.views import JournalQuery, StudyQuery
from serment.errors import AccessDenied

# What only the clinical key opens: texts of headers, of the report, of the letter, and marks of
# pictures and documents as they would come back.
CLINICAL = (SENTENCE, LETTER, US_TITLE, CT_TITLE, "Compte rendu fictif", "\x89PNG", "JFIF", "%PDF-")


def answers(reading: Reading, who: str) -> Iterator[str]:
    """Everything a session gets out of every method, called with every id there is."""
    web, session = reading.web, reading.sessions[who]
    store = reading.pages.world.house.store
    kinds = (Envelope, StoredObject, Patient, Member)
    ids = [row.id for kind in kinds for row in store.find(kind)]
    calls = [
        lambda: web.session(session, active=False, peer=HERE),
        lambda: web.pulse(session),
        lambda: web.home(session),
        lambda: web.worklist(session, StudyQuery()),
        lambda: web.patients(session, "", 1),
        lambda: web.to_file(session),
        lambda: web.journal(session, JournalQuery()),
        lambda: web.members(session),
        lambda: web.settings(session),
    ]
    for each in ids:
        calls += [
            lambda each=each: web.study(session, each),
            lambda each=each: web.thumbnail(session, each),
            lambda each=each: web.frame(session, each, 1, None, None),
            lambda each=each: web.report(session, each),
            lambda each=each: web.document(session, each),
            lambda each=each: web.patient(session, each),
            lambda each=each: web.journal(session, JournalQuery(patient=each)),
        ]
    for call in calls:
        with contextlib.suppress(AccessDenied):
            yield everything_in(call())


def found(reading: Reading, who: str) -> set[str]:
    texts = list(answers(reading, who))
    return {value for value in CLINICAL if any(value in text for text in texts)}


def test_the_doctor_finds_all_of_it(reading: Reading) -> None:
    assert found(reading, "docteur") == set(CLINICAL)


def test_the_secretary_the_dpo_and_the_administrator_find_none(reading: Reading) -> None:
    for who in ("secretaire", "dpo", "admin"):
        assert found(reading, who) == set()


def test_uids_leave_for_nobody(reading: Reading) -> None:
    uids = {
        Place(series, 1).instance_uid(study)
        for series in (1, 2, 3)
        for study in [reading.pages.studies["full"]]
    } | {reading.pages.studies["full"].uid}
    for who in ("docteur", "secretaire"):
        for text in answers(reading, who):
            if not text.startswith("%PDF-"):
                assert not any(uid in text for uid in uids)
