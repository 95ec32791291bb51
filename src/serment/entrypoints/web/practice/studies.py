"""The worklist, one study, and what it holds: pictures, reports, documents.

What the clinical key alone opens is empty or None without it; ids of envelopes address studies,
ids of objects address what is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from serment.app.protect.objects import ObjectReader
from serment.app.protect.reading import no_key
from serment.app.protect.searching import FoundStudy
from serment.core.access.rights import Act
from serment.core.dicom.criteria import has_wildcard, pattern
from serment.core.dicom.documents import find_document
from serment.core.dicom.query import fold
from serment.core.dicom.sr import read_report
from serment.core.dicom.uids import kind_of
from serment.core.records.identity import read_identity
from serment.core.records.vault import Envelope, EnvelopeKind, ObjectState
from serment.entrypoints.web.practice import log
from serment.entrypoints.web.practice.identities import day, hour, identity_of, modalities, who
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import (
    Document,
    Image,
    Report,
    ReportLine,
    Series,
    StudyLine,
    StudyQuery,
    StudyView,
    Who,
    Worklist,
)
from serment.errors import N_, FormatError
from serment.ports import InstanceRow, Matches, StudyRow

PAGE = 50
MAX_REPORT_BYTES = 32 << 20
PDF = "application/pdf"


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
        raise no_key("study")
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
        series=tuple(_series(rows)),
    )


def instances(visit: Visit, one: OneStudy) -> list[InstanceRow]:
    """What this session's care keys open of a study, in the order to show it."""
    if not one.key:
        return []
    envelopes = {row.envelope for row in one.rows}
    found = visit.reading.instances(Matches(study_uids=(one.found.uid,)))
    return [row for row in found if row.envelope in envelopes]


def _series(rows: Iterable[InstanceRow]) -> Iterator[Series]:
    grouped: dict[str, list[InstanceRow]] = {}
    for row in rows:
        grouped.setdefault(row.series_uid, []).append(row)
    for group in grouped.values():
        first = group[0].attributes
        yield Series(
            number=_number(first, "SeriesNumber"),
            modality=str(first.get("Modality", "")),
            description=str(first.get("SeriesDescription") or first.get("ProtocolName") or ""),
            body_part=str(first.get("BodyPartExamined", "")),
            kind=object_kind(group[0]),
            images=tuple(_image(row) for row in group),
        )


def object_kind(row: InstanceRow) -> EnvelopeKind:
    """Image, report or document, by its SOP class."""
    return EnvelopeKind(kind_of(str(row.attributes.get("SOPClassUID", ""))))


def _image(row: InstanceRow) -> Image:
    attributes = row.attributes
    return Image(
        object=row.object,
        frames=max(1, _number(attributes, "NumberOfFrames") or 1),
        rows=_number(attributes, "Rows") or 0,
        columns=_number(attributes, "Columns") or 0,
        window=window_of(attributes),
        flagged=row.state == ObjectState.CONFLICT,
    )


def _number(attributes: Mapping[str, Any], keyword: str) -> int | None:
    value = attributes.get(keyword)
    return value if isinstance(value, int) else None


def window_of(attributes: Mapping[str, Any]) -> tuple[float, float] | None:
    """Centre and width of a grey picture: its own, or the middle of what its bits can say
    (PS3.3 C.11.2.1.2); None for colour."""
    grey = str(attributes.get("PhotometricInterpretation", "")).startswith("MONOCHROME")
    if not grey or not attributes.get("Rows"):
        return None
    centre, width = (_decimal(attributes.get(k)) for k in ("WindowCenter", "WindowWidth"))
    if centre is not None and width is not None and width > 0:
        return centre, width
    bits = min(_number(attributes, "BitsStored") or 8, 32)
    lowest = -(1 << bits - 1) if attributes.get("PixelRepresentation") == 1 else 0
    slope = abs(_decimal(attributes.get("RescaleSlope")) or 1.0)
    intercept = _decimal(attributes.get("RescaleIntercept")) or 0.0
    return (lowest + (1 << bits) / 2) * slope + intercept, (1 << bits) * slope


def _decimal(value: object) -> float | None:
    """A decimal string (PS3.5 6.2, DS), the first of several."""
    first = value[0] if isinstance(value, list) and value else value
    with suppress(ValueError, TypeError):
        found = float(str(first)[:32])
        return found if abs(found) < 1e9 else None
    return None


# What is in a study


def report(visit: Visit, object_id: str) -> Report:
    """A structured report as lines."""
    row = visit.reading.object_row(object_id)
    if object_kind(row) is not EnvelopeKind.REPORT:
        raise no_key("report")
    (reader,) = visit.reading.open([row], "report")
    if reader.size > MAX_REPORT_BYTES:
        raise FormatError(
            N_("the report is too large to be shown: {size} bytes"),
            hint=N_("fetch the object itself and open it in a viewer"),
            size=reader.size,
        )
    found = read_report(reader.all())
    lines = tuple(ReportLine(*line) for line in found.lines)
    return Report(found.title, lines, _whose(visit, row), row.envelope, visit.now)


def _whose(visit: Visit, row: InstanceRow) -> Who | None:
    """Whose an object is; None while no key here names him."""
    if not visit.may(Act.SEARCH):
        return None
    study = visit.identities().study_of(row.envelope)
    return None if study is None else who(identity_of(visit, study))


def document(visit: Visit, object_id: str) -> Document:
    """A PDF, as it was handed over or out of its DICOM object; it streams as it opens."""
    row = visit.reading.object_row(object_id)
    if object_kind(row) is not EnvelopeKind.DOCUMENT:
        raise no_key("document")
    (reader,) = visit.reading.open([row], "document")
    if "AvailableTransferSyntaxUID" not in row.attributes:
        start, length, data = 0, reader.size, None
    else:
        start, length, data = find_document(reader.read, reader.size)
    head = data[:5] if data is not None else reader.read(start, 5)
    if head != b"%PDF-":
        raise FormatError(
            N_("this document is not a PDF and cannot be shown"),
            hint=N_("fetch the object itself and open it in a viewer"),
        )
    return Document(_chunks(reader, start, length, data), length, PDF)


def _chunks(reader: ObjectReader, start: int, length: int, data: bytes | None) -> Iterator[bytes]:
    return iter([data]) if data is not None else reader.stream(start, start + length)


def title_of(row: InstanceRow) -> str:
    """What a document or study calls itself."""
    found = row.attributes.get("SeriesDescription") or row.attributes.get("StudyDescription")
    return str(found or "")
