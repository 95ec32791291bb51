"""The worklist, and one study as the viewer shows it.

What the clinical key alone opens is empty or None without it; ids of envelopes address studies,
ids of objects address what is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from serment.app.protect.reading import no_key
from serment.app.protect.searching import FoundStudy
from serment.core.access.rights import Act
from serment.core.dicom.criteria import has_wildcard, pattern
from serment.core.dicom.query import fold
from serment.core.records.identity import read_identity
from serment.core.records.vault import Envelope, EnvelopeKind
from serment.entrypoints.web.practice import log
from serment.entrypoints.web.practice.identities import day, hour, identity_of, modalities, who
from serment.entrypoints.web.practice.series import series_of, title_of
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import (
    StudyLine,
    StudyQuery,
    StudyView,
    Worklist,
)
from serment.ports import InstanceRow, Matches, StudyRow

PAGE = 50


@dataclass(frozen=True, slots=True)
class OneStudy:
    """The envelopes of one study that belong to one person, and whether their key is here."""

    rows: tuple[StudyRow, ...]
    found: FoundStudy
    whole: bool  # they are all the study has: what is known of the study as a whole is theirs
    key: bool

    @property
    def first(self) -> StudyRow:
        return min(self.rows, key=lambda row: (row.arrived, row.envelope))

    @property
    def attributes(self) -> dict[str, Any]:
        return FoundStudy(self.found.uid, self.rows, None).attributes()


# The worklist


def worklist(visit: Visit, query: StudyQuery, known: Iterable[str]) -> Worklist:
    """One page of studies; `known` are the modalities there are."""
    matches = _matches(visit, query)
    version = visit.version()
    total = visit.searching.count(matches)
    pages = max(1, -(-total // PAGE))
    page = min(query.page, pages)
    found = visit.searching.studies(replace(matches, limit=PAGE, offset=(page - 1) * PAGE))
    people = [one for study in found for one in apart(visit, study)]
    sources = brought_by(visit, [one.first.envelope for one in people])
    lines = [_line(visit, one, sources) for one in people]
    return Worklist(tuple(lines), total, page, pages, tuple(known), version)


def brought_by(visit: Visit, envelopes: list[str]) -> dict[str, str]:
    """Who or what brought each envelope: a device's name, the login of a member who handed a
    document over, else how it came ("import")."""
    devices = visit.devices()
    rows = [row for row in (visit.store.get(Envelope, each) for each in envelopes) if row]
    handed = log.brought(visit, {row.id for row in rows if row.source == "web"})
    return {
        row.id: devices.get(row.device or "") or handed.get(row.id) or row.source for row in rows
    }


def _matches(visit: Visit, query: StudyQuery) -> Matches:
    """The search as the tables understand it; a name is matched from its beginning."""
    visit.check(Act.SEARCH)
    name = pattern("name", fold(query.name))
    if name is not None and not has_wildcard(name):
        name += "*"
    return Matches(
        name=name,
        identifier=pattern("identifier", query.identifier),
        birth_date=_digits(query.birth_date),
        date_from=_digits(query.date_from),
        date_to=_digits(query.date_to),
        modality=query.modality.upper() or None,
        accession=pattern("accession", query.accession),
        study_uids=_waiting(visit) if query.to_file else None,
    )


def _digits(value: date | None) -> str | None:
    return None if value is None else value.strftime("%Y%m%d")


def _waiting(visit: Visit) -> tuple[str, ...]:
    """The studies of which something is not filed yet."""
    table = visit.identities()
    rows = (table.study_of(envelope.id) for envelope in visit.store.find(Envelope, patient=None))
    return tuple({row.study_uid: None for row in rows if row is not None})


def apart(visit: Visit, study: FoundStudy) -> list[OneStudy]:
    """A study, one for each person: two people never share one here, whatever a device numbers."""
    people: dict[tuple[str, ...], list[StudyRow]] = {}
    for row in study.rows:
        people.setdefault(_person(row), []).append(row)
    care = set(visit.session.care)
    return [
        OneStudy(tuple(rows), study, len(people) == 1, any(row.circle in care for row in rows))
        for rows in people.values()
    ]


def _person(row: StudyRow) -> tuple[str, ...]:
    if row.patient is not None:
        return (row.patient,)
    identity = read_identity(row.attributes)
    return ("", identity.folded_name, identity.birth_date or "", identity.sex or "")


def _line(visit: Visit, one: OneStudy, sources: Mapping[str, str]) -> StudyLine:
    first, attributes = one.first, one.attributes
    line = StudyLine(
        ref=first.envelope,
        who=who(identity_of(visit, first)),
        patient=first.patient,
        date=day(attributes.get("StudyDate")),
        time=hour(attributes.get("StudyTime")),
        modalities=modalities(attributes),
        accession=str(attributes.get("AccessionNumber", "")),
        arrived=first.arrived,
        device=sources.get(first.envelope, ""),
        key=one.key,
    )
    summary = one.found.summary
    if summary is None or not one.whole or not one.key:
        return line
    return replace(
        line,
        description=summary.description or _title(visit, one),
        series=summary.series,
        images=summary.images,
        conflicts=summary.conflicts,
        thumbnail=summary.picture,
    )


def _title(visit: Visit, one: OneStudy) -> str:
    """What a document handed over in the pages is called; it has no study description."""
    if one.first.kind != EnvelopeKind.DOCUMENT:
        return ""
    return next((title_of(row) for row in instances(visit, one)), "")


# One study


def find_study(visit: Visit, ref: str) -> OneStudy:
    """The study one of whose envelopes has that id; absent and denied look alike."""
    row = visit.identities().study_of(ref)
    if row is None:
        raise no_key()
    (study,) = visit.searching.studies(Matches(study_uids=(row.study_uid,)))
    return next(one for one in apart(visit, study) if row in one.rows)


def study(visit: Visit, ref: str) -> StudyView:
    """What the viewer shows; without the key, no series."""
    one = find_study(visit, ref)
    rows = instances(visit, one)
    if rows:
        visit.reading.allow(rows, "metadata")
    attributes, summary = one.attributes, one.found.summary
    return StudyView(
        ref=ref,
        who=who(identity_of(visit, one.first)),
        patient=one.first.patient,
        date=day(attributes.get("StudyDate")),
        time=hour(attributes.get("StudyTime")),
        modalities=modalities(attributes),
        accession=str(attributes.get("AccessionNumber", "")),
        description=summary.description if summary and one.key else "",
        key=one.key,
        holders=tuple(sorted({row.circle for row in one.rows})),
        series=tuple(series_of(rows)),
    )


def instances(visit: Visit, one: OneStudy) -> list[InstanceRow]:
    """What this session's care keys open of a study, in the order to show it."""
    if not one.key:
        return []
    envelopes = {row.envelope for row in one.rows}
    found = visit.reading.instances(Matches(study_uids=(one.found.uid,)))
    return [row for row in found if row.envelope in envelopes]
