"""Requests that read or file: each within one session of the member named."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from serment.app.protect import filing
from serment.app.protect.opening import Session
from serment.app.protect.reading import no_key
from serment.app.protect.searching import LEVELS, FoundStudy, Searching
from serment.core.access.rights import Act, check_may
from serment.core.dicom.query import Query, parse_text
from serment.core.dicom.uids import is_uid
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, ObjectState, StoredObject
from serment.entrypoints.desk.desk import Answer, Desk
from serment.entrypoints.desk.request import Request
from serment.errors import N_, AccessDenied, Conflict, NotFound, UsageError
from serment.ports import InstanceRow, Matches

T = TypeVar("T")


def search(desk: Desk, request: Request) -> Answer:
    """`serment search`: a list with DICOM keywords as keys."""
    level = request.maybe("level") or "study"
    if level not in LEVELS:
        raise UsageError(
            N_("there is no level {level}"), hint=N_("study, series or instance"), level=level
        )
    query = parse_text(str(request.options.get("query") or ""))
    limit = int(request.options.get("limit") or 1000)
    with desk.session(request) as session:
        return _search(desk.searching(session), replace(query, limit=limit), level)


def _search(searching: Searching, query: Query, level: str) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in query.alternatives():
        for row in _at_level(searching, Matches(**one.matches()), level):
            found.setdefault((_uid(row, level), row["Envelopes"][0]), row)
    return list(found.values())[: query.limit]


def _at_level(searching: Searching, matches: Matches, level: str) -> list[dict[str, Any]]:
    if level == "series":
        return searching.series(matches)
    if level == "instance":
        return searching.instances(matches)
    return [study_answer(study) for study in searching.studies(matches)]


def study_answer(study: FoundStudy) -> dict[str, Any]:
    """A study as JSON: its attributes, and the random ids that name it here."""
    first = study.rows[0]
    return {
        **study.attributes(),
        "Envelopes": [row.envelope for row in study.rows],
        "Patient": next((row.patient for row in study.rows if row.patient), None),
        "Circle": first.circle,
    }


def _uid(row: dict[str, Any], level: str) -> str:
    keyword = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID"}
    return str(row[keyword.get(level, "Object")])


def show(desk: Desk, request: Request) -> Answer:
    """`serment show`: what this session may know of one patient, study or instance."""
    wanted = request.text("id")
    with desk.session(request) as session:
        searching = desk.searching(session)
        if not is_uid(wanted):
            study = searching.study(wanted)
            return study_answer(study) if study else _patient(desk, session, searching, wanted)
        studies = searching.studies(Matches(study_uids=(wanted,)))
        if studies:
            return study_answer(_only(studies))
        instances = searching.instances(Matches(instance_uids=(wanted,)))
        if instances:
            envelopes = (envelope for row in instances for envelope in row["Envelopes"])
            _only(set(searching.people(envelopes).values()))
            return instances[0]
    raise _nothing()


def _only(found: Collection[T]) -> T:
    """The only one; `Conflict` when one UID stands for something of several patients."""
    if len(found) > 1:
        raise Conflict(
            N_("several patients have something under this UID"),
            hint=N_("show the patient, or one of the Envelopes, that `serment search` lists"),
        )
    return next(iter(found))


def _nothing() -> NotFound:
    return NotFound(
        N_("nothing of that id can be opened here"), hint=N_("find it with `serment search`")
    )


def _patient(desk: Desk, session: Session, searching: Searching, patient: str) -> dict[str, Any]:
    studies = searching.studies(Matches(patient=patient))
    if not studies:
        raise _nothing()
    identity = filing_of(desk, session).identity(patient)
    return {
        "Patient": patient,
        "PatientName": identity.name,
        "PatientBirthDate": identity.birth_date,
        "PatientSex": identity.sex,
        "Identifiers": [i.value for i in identity.identifiers],
        "Studies": [study.uid for study in studies],
    }


def fetch(desk: Desk, request: Request) -> Iterator[bytes]:
    """`serment fetch`: the object's bytes, once the journal names it and says that it left."""
    session = desk.open(request)
    try:
        check_may(session.member.roles, Act.EXPORT_CLINICAL, session.ring.circles)
        reading = desk.reading(session)
        desk.practice.refresh()
        wanted = request.text("uid")
        row = reading.instance(wanted) if is_uid(wanted) else reading.object_row(wanted)
        (reader,) = reading.open([row], "object")
        _note_export(desk, session, row)
    except BaseException as error:
        if isinstance(error, AccessDenied):
            desk.refused.note(desk.house, session, error)
        desk.practice.lock(session, "command done")
        raise
    return Leaving(desk, session, reader.stream())


def _note_export(desk: Desk, session: Session, row: InstanceRow) -> None:
    envelope = desk.house.store.get(Envelope, row.envelope)
    details = {
        "session": session.id,
        "what": "object",
        "count": 1,
        "objects": [row.object],
        "envelope": row.envelope,
        "patient": envelope.patient if envelope else None,
        "peer": session.peer.address,
        "local": session.peer.local,
        "tls": session.peer.tls,
    }
    now = desk.house.clock.now()
    desk.house.store.record(Entry(EventKind.EXPORTED, now, session.member.id, details))


class Leaving(Iterator[bytes]):
    """The bytes of an object on their way out. Its session is locked after the last of them, or
    with `close`, also when nobody took the first: a generator would not notice that."""

    def __init__(self, desk: Desk, session: Session, chunks: Iterator[bytes]) -> None:
        self._desk, self._session, self._chunks = desk, session, chunks

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except BaseException:  # the end among them
            self.close()
            raise

    def close(self) -> None:
        self._desk.practice.lock(self._session, "command done")


def filing_of(desk: Desk, session: Session) -> filing.Filing:
    """The filing of the identity circle this session holds."""
    circle = session.identity
    if circle is None:
        raise no_key()
    return desk.practice.filing(circle)


def waiting(desk: Desk, request: Request) -> Answer:
    """Arrivals that a person must file, with whom they may belong to and what differs."""
    with desk.session(request) as session:
        check_may(session.member.roles, Act.FILE, session.ring.circles)
        found = filing_of(desk, session).waiting()
        desk.searches.note(
            session=session.id,
            member=session.member.id,
            level="patient",
            envelopes=[one.row.envelope for one in found],
            peer=session.peer.address,
            local=session.peer.local,
            tls=session.peer.tls,
        )
        return [_waiting_answer(one) for one in found]


def _waiting_answer(one: filing.Waiting) -> dict[str, Any]:
    return {
        "envelope": one.row.envelope,
        "PatientName": one.identity.name,
        "PatientBirthDate": one.identity.birth_date,
        "missing": [field.value for field in one.ask.missing],
        "candidates": [
            {
                "patient": candidate.patient,
                "differs": [field.value for field in candidate.differs],
            }
            for candidate in one.ask.candidates
        ],
    }


def file(desk: Desk, request: Request) -> Answer:
    """A person files an arrival; {"patient"}."""
    with desk.session(request) as session:
        check_may(session.member.roles, Act.FILE, session.ring.circles)
        patient = filing_of(desk, session).file(
            session.member.id, request.text("envelope"), request.maybe("patient")
        )
        desk.practice.settle(session)
    return {"patient": patient}


def unfile(desk: Desk, request: Request) -> Answer:
    """A person takes an arrival off its patient."""
    with desk.session(request) as session:
        check_may(session.member.roles, Act.FILE, session.ring.circles)
        filing_of(desk, session).unfile(session.member.id, request.text("envelope"))
        desk.practice.settle(session)
    return {"unfiled": True}


def against_vault(desk: Desk, request: Request) -> Answer:
    """Who asks, and of the objects named how many were there already: decided with the session's
    keys."""
    states = {ObjectState.DUPLICATE: 0, ObjectState.CONFLICT: 0}
    with desk.session(request) as session:
        desk.practice.refresh()
        for object_id in request.options.get("objects", ()):
            row = desk.house.store.get(StoredObject, str(object_id))
            if row is not None and row.state in states:
                states[row.state] += 1
    return {
        "member": session.member.id,
        "duplicates": states[ObjectState.DUPLICATE],
        "conflicts": states[ObjectState.CONFLICT],
    }
