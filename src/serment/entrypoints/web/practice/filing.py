"""Arrivals that wait for a person, what was filed lately, and documents handed over by members."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from serment.app.protect.filing import AUTOMATIC, Waiting
from serment.core.access.rights import Act
from serment.core.journal.entries import EventKind
from serment.core.records.filing import Candidate as Compared
from serment.core.records.vault import Compartment, Envelope, EnvelopeKind
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.web.practice import log
from serment.entrypoints.web.practice.identities import day, identity_of, modalities, who
from serment.entrypoints.web.practice.studies import brought_by
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Agreement, Arrival, Candidate, Filed, ToFile
from serment.errors import FormatError
from serment.ports import Matches, Source

SHOWN = 100  # arrivals at once, oldest first
LATELY = 20  # filings that can still be undone from the page
FAR_BACK = 20_000  # entries looked through for them


def to_file(visit: Visit) -> ToFile:
    """What waits, beside each patient it may belong to."""
    visit.check(Act.FILE)
    visit.practice.refresh()
    with visit.house.lock:
        waiting = visit.filing().waiting()[:SHOWN]
    sources = brought_by(visit, [one.row.envelope for one in waiting])
    arrivals = [_arrival(visit, one, sources.get(one.row.envelope, "")) for one in waiting]
    filed = _filed(visit)
    visit.note("patient", _shown(visit, waiting, filed))
    return ToFile(tuple(arrivals), tuple(filed))


def _shown(visit: Visit, waiting: Iterable[Waiting], filed: Iterable[Filed]) -> list[str]:
    """Envelopes of everybody whose identity is about to be shown."""
    table = visit.identities()
    patients = {c.patient for one in waiting for c in one.ask.candidates}
    known = [row.envelope for p in patients for row in table.studies(Matches(patient=p))]
    return [*known, *(one.row.envelope for one in waiting), *(line.envelope for line in filed)]


def _arrival(visit: Visit, one: Waiting, source: str) -> Arrival:
    row, attributes = one.row, one.row.attributes
    return Arrival(
        envelope=row.envelope,
        kind=EnvelopeKind(row.kind),
        who=who(one.identity),
        date=day(attributes.get("StudyDate")),
        modalities=modalities(attributes),
        accession=str(attributes.get("AccessionNumber", "")),
        device=source,
        circle=row.circle,
        arrived=row.arrived,
        candidates=tuple(_candidate(visit, c) for c in one.ask.candidates),
    )


def _candidate(visit: Visit, compared: Compared) -> Candidate:
    rows = visit.identities().studies(Matches(patient=compared.patient))
    with visit.house.lock:
        identity = visit.filing().identity(compared.patient)
    return Candidate(
        compared.patient,
        who(identity),
        len({row.study_uid for row in rows}),
        {field.value: Agreement(value) for field, value in compared.agreement.items()},
    )


def _filed(visit: Visit) -> list[Filed]:
    """The last filings that still stand, newest first."""
    found: list[Filed] = []
    seen: set[str] = set()
    logins = visit.logins()
    for each in log.newest_first(visit.store, b'"filed"', limit=FAR_BACK):
        entry = each.entry
        if entry.kind is not EventKind.FILED:
            continue
        by = "" if entry.details.get("how") == AUTOMATIC else logins.get(entry.actor, "")
        for envelope, patient in reversed(entry.details.get("filed", [])):
            line = None if envelope in seen else _line(visit, envelope, patient, by, entry.at)
            seen.add(envelope)
            if line is not None:
                found.append(line)
            if len(found) >= LATELY:
                return found
    return found


def _line(visit: Visit, envelope: str, patient: str, by: str, at: datetime) -> Filed | None:
    """None when it is filed elsewhere now."""
    row = visit.identities().study_of(envelope)
    if row is None or row.patient != patient:
        return None
    return Filed(
        envelope,
        patient,
        who(identity_of(visit, row)),
        modalities(row.attributes),
        day(row.attributes.get("StudyDate")),
        by,
        at,
    )


def file(visit: Visit, envelope: str, patient: str | None) -> str:
    """A person attaches an arrival to a patient, or makes a new one (None)."""
    visit.check(Act.FILE)
    with visit.house.lock:
        chosen = visit.filing().file(visit.session.member.id, envelope, patient)
        visit.practice.settle(visit.session)
    return chosen


def unfile(visit: Visit, envelope: str) -> None:
    """A person takes an arrival off its patient."""
    visit.check(Act.FILE)
    with visit.house.lock:
        visit.filing().unfile(visit.session.member.id, envelope)
        visit.practice.settle(visit.session)


# Documents


def upload_source(visit: Visit, patient: str) -> Source:
    """Where a document comes from and who will be able to open it: the uploader's own care
    circle, else the one that already has something of this patient.

    Raises:
        AccessDenied: this session cannot attach anything.
        NotFound: there is no such patient for it.
    """
    visit.check(Act.ATTACH)
    with visit.house.lock:
        visit.filing().identity(patient)
    peer = visit.session.peer
    return Source(
        "web",
        None,
        _receiving_circle(visit, patient),
        peer.address,
        peer.local,
        peer.tls,
        visit.session.member.id,
    )


def _receiving_circle(visit: Visit, patient: str) -> str | None:
    theirs = sorted(c.circle for c in visit.store.find(Compartment, patient=patient))
    theirs += sorted(e.circle for e in visit.store.find(Envelope, patient=patient))
    mine = visit.session.care
    shared = [circle for circle in theirs if circle in mine]
    return next(iter([*shared, *mine, *theirs]), None)


async def upload(
    intake: AsyncIntakeClient,
    source: Source,
    patient: str,
    title: str,
    body: AsyncIterator[bytes],
) -> str:
    """Hand a PDF to the receiver as it comes; its object id once it is durable.

    Raises:
        SermentError: it was not kept, and why.
    """
    result = await intake.document(source, patient, title, body)
    if not result.ok:
        raise FormatError(result.reason, hint=result.hint, **result.values)
    return result.object_id
