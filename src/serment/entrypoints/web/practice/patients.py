"""Patients: the list, one file with its timeline, and who opened it."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

from serment.app.protect.reading import no_key
from serment.app.protect.searching import FoundStudy
from serment.core.access.rights import Act
from serment.core.dicom.criteria import has_wildcard, pattern
from serment.core.dicom.query import fold
from serment.core.records.identity import Identity, fold_identifier
from serment.core.records.vault import Compartment, EnvelopeKind
from serment.entrypoints.web.practice import readers
from serment.entrypoints.web.practice.identities import day, modalities, who
from serment.entrypoints.web.practice.series import title_of
from serment.entrypoints.web.practice.studies import (
    brought_by,
    has_key,
    instances,
)
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Item, PatientLine, PatientList, PatientView
from serment.errors import NotFound
from serment.ports import Matches

PAGE = 50


def patients(visit: Visit, text: str, page: int) -> PatientList:
    """Patients by the beginning of a name, or of a part of it, or of an identifier."""
    visit.check(Act.SEARCH)
    wanted = _wanted(text)
    filing = visit.filing()
    filing.learn()
    with visit.house.lock:
        known = [(patient, filing.book.get(patient)) for patient in filing.book]
    found = [
        (identity.folded_name, patient, identity)
        for patient, identity in known
        if identity is not None and wanted(identity)
    ]
    found.sort(key=lambda each: each[:2])
    pages = max(1, -(-len(found) // PAGE))
    page = min(page, pages)
    shown = [(patient, who_) for _, patient, who_ in found[(page - 1) * PAGE : page * PAGE]]
    return PatientList(lines(visit, shown), len(found), page, pages)


def _wanted(text: str) -> Callable[[Identity], bool]:
    """The test that a search typed by a person makes of an identity."""
    name = pattern("name", fold(text))
    if name is None:
        return lambda identity: True
    if has_wildcard(name):
        expression = re.compile(translate(name.replace("[", "[[]") + "*"))
        return lambda identity: expression.match(identity.folded_name) is not None
    number = fold_identifier(text)
    return lambda identity: (
        f" {name}" in f" {identity.folded_name}"
        or any(fold_identifier(i.value).startswith(number) for i in identity.identifiers)
    )


def lines(visit: Visit, shown: list[tuple[str, Identity]]) -> tuple[PatientLine, ...]:
    """These patients as a list shows them, journalled."""
    table, found, envelopes = visit.identities(), list[PatientLine](), list[str]()
    for patient, identity in shown:
        rows = table.studies(Matches(patient=patient))
        days = [d for d in (day(row.attributes.get("StudyDate")) for row in rows) if d]
        studies = len({row.study_uid for row in rows})
        found.append(PatientLine(patient, who(identity), studies, max(days, default=None)))
        envelopes += [row.envelope for row in rows]
    visit.note("patient", envelopes)
    return tuple(found)


def patient(visit: Visit, patient_id: str) -> PatientView:
    """One patient's file; its readers for those who may see them."""
    visit.check(Act.SEARCH)
    with visit.house.lock:
        try:
            identity = visit.filing().identity(patient_id)
        except NotFound:
            raise no_key() from None
    studies = visit.searching.studies(Matches(patient=patient_id))
    first = studies[0].first.envelope if studies else ""
    visit.note_identity(patient_id, first)
    items = _timeline(visit, studies)
    return PatientView(
        id=patient_id,
        who=who(identity),
        timeline=tuple(items),
        all_readers=readers.reaches_back(visit.store),
        readers=readers.readers(visit, patient_id) if visit.may(Act.READ_PATIENT_JOURNAL) else None,
        key=any(item.key for item in items) if items else visit.may(Act.READ_CLINICAL),
        may_upload=visit.may(Act.ATTACH),
        circles=tuple(sorted(c.circle for c in visit.store.find(Compartment, patient=patient_id))),
    )


def _timeline(visit: Visit, studies: list[FoundStudy]) -> list[Item]:
    """Newest first, by the day of the study or, without one, of its arrival."""
    sources = brought_by(visit, [one.first.envelope for one in studies])
    items = [_item(visit, one, sources.get(one.first.envelope, "")) for one in studies]
    return sorted(items, key=lambda item: (item.date or item.arrived.date(), item.arrived))[::-1]


def _kind(one: FoundStudy) -> EnvelopeKind:
    """A study is what is most in it: images, else a report, else documents."""
    kinds = {row.kind for row in one.rows}
    order = (EnvelopeKind.IMAGE, EnvelopeKind.REPORT)
    return next((kind for kind in order if kind in kinds), EnvelopeKind.DOCUMENT)


def _item(visit: Visit, one: FoundStudy, source: str) -> Item:
    kind, first, attributes, key = _kind(one), one.first, one.attributes(), has_key(visit, one)
    summary = one.summary if key else None
    ref, title = first.envelope, summary.description if summary else ""
    if kind is EnvelopeKind.DOCUMENT and key:
        held = instances(visit, one)
        if held:
            visit.reading.allow(held, "metadata")
            ref, title = held[0].object, title_of(held[0])
    return Item(
        kind=kind,
        ref=ref,
        date=day(attributes.get("StudyDate")),
        arrived=first.arrived,
        title=title,
        modalities=() if kind is EnvelopeKind.DOCUMENT else modalities(attributes),
        source=source,
        key=key,
        images=summary.images if summary and kind is EnvelopeKind.IMAGE else None,
        thumbnail=summary.picture if summary else None,
    )
