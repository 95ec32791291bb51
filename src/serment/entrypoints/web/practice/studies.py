"""The worklist, and one study as the viewer shows it.

What the clinical key alone opens is empty or None without it; ids of envelopes address studies,
ids of objects address what is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from serment.app.protect.reading import no_key
from serment.app.protect.searching import FoundStudy
from serment.core.access.rights import Act
from serment.core.dicom.criteria import has_wildcard, pattern
from serment.core.dicom.query import fold
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
from serment.ports import InstanceRow, Matches

PAGE = 50


# The worklist


def worklist(visit: Visit, query: StudyQuery, known: Iterable[str]) -> Worklist:
    """One page of studies; `known` are the modalities there are."""
    matches = _matches(visit, query)
    version = visit.version()
    total = visit.searching.count(matches)
    pages = max(1, -(-total // PAGE))
    page = min(query.page, pages)
    found = visit.searching.studies(replace(matches, limit=PAGE, offset=(page - 1) * PAGE))
    sources = brought_by(visit, [one.first.envelope for one in found])
    lines = [_line(visit, one, sources) for one in found]
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
        envelopes=_waiting(visit) if query.to_file else None,
    )


def _digits(value: date | None) -> str | None:
    return None if value is None else value.strftime("%Y%m%d")


def _waiting(visit: Visit) -> tuple[str, ...]:
    """What is not filed yet."""
    return tuple(envelope.id for envelope in visit.store.find(Envelope, patient=None))


def has_key(visit: Visit, study: FoundStudy) -> bool:
    """Whether a care key of this session opens something of it."""
    return any(row.circle in visit.session.care for row in study.rows)


def _line(visit: Visit, one: FoundStudy, sources: Mapping[str, str]) -> StudyLine:
    first, attributes, summary = one.first, one.attributes(), one.summary
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
        key=has_key(visit, one),
    )
    if summary is None or not line.key:
        return line
    return replace(
        line,
        description=summary.description or _title(visit, one),
        series=summary.series,
        images=summary.images,
        conflicts=summary.conflicts,
        thumbnail=summary.picture,
    )


def _title(visit: Visit, one: FoundStudy) -> str:
    """What a document handed over in the pages is called; it has no study description."""
    if one.first.kind != EnvelopeKind.DOCUMENT:
        return ""
    return next((title_of(row) for row in instances(visit, one)), "")


# One study


def find_study(visit: Visit, ref: str) -> FoundStudy:
    """The study one of whose envelopes has that id; absent and denied look alike."""
    found = visit.searching.study(ref)
    if found is None:
        raise no_key()
    return found


def study(visit: Visit, ref: str) -> StudyView:
    """What the viewer shows; without the key, no series."""
    one = find_study(visit, ref)
    rows = instances(visit, one)
    if rows:
        visit.reading.allow(rows, "metadata")
    attributes, summary, key = one.attributes(), one.summary, has_key(visit, one)
    return StudyView(
        ref=ref,
        who=who(identity_of(visit, one.first)),
        patient=one.first.patient,
        date=day(attributes.get("StudyDate")),
        time=hour(attributes.get("StudyTime")),
        modalities=modalities(attributes),
        accession=str(attributes.get("AccessionNumber", "")),
        description=summary.description if summary and key else "",
        key=key,
        holders=tuple(sorted({row.circle for row in one.rows})),
        series=tuple(series_of(rows)),
    )


def instances(visit: Visit, one: FoundStudy) -> list[InstanceRow]:
    """What this session's care keys open of a study, in the order to show it."""
    if not has_key(visit, one):
        return []
    return visit.reading.instances(Matches(envelopes=one.envelopes))
