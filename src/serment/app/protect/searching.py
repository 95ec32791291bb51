"""Finds studies, series and instances in the open tables; the journal names what was returned.

Identity circles (secretariat, DPO) answer at study level only. Series and instances come from the
care circles whose keys the session holds; a match on the patient is first resolved to envelopes
through the identity table. What came for two people under one UID is two studies, two series: a UID
alone never puts them together (`StudyRow.study`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from serment.app.batches import batches
from serment.app.protect.opening import Practice, Session
from serment.app.protect.reading import no_key
from serment.app.watch.searches import Searches
from serment.core.records.vault import Envelope
from serment.errors import N_, AccessDenied
from serment.ports import InstanceRow, Matches, OneOf, SearchTable, StudyRow, StudySummary

LEVELS = ("study", "series", "instance")
SERIES_KEYS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "SeriesNumber",
    "SeriesDescription",
    "ProtocolName",
    "BodyPartExamined",
    "SeriesDate",
    "SeriesTime",
)
BY_PATIENT = (
    "name",
    "identifier",
    "birth_date",
    "date_from",
    "date_to",
    "accession",
    "patient",
    "modality",
)


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """One study of one person: the envelopes it arrived in, and what a care key adds (None
    without)."""

    uid: str
    rows: tuple[StudyRow, ...]
    summary: StudySummary | None

    @property
    def first(self) -> StudyRow:
        """What arrived first; its envelope's random id addresses the study in our pages."""
        return min(self.rows, key=lambda row: (row.arrived, row.envelope))

    @property
    def envelopes(self) -> tuple[str, ...]:
        return tuple(row.envelope for row in self.rows)

    def attributes(self) -> dict[str, Any]:
        """DICOM keywords (PS3.6) and what is known of the study's content."""
        merged: dict[str, Any] = {}
        modalities: list[str] = []
        for row in self.rows:
            merged = {**row.attributes, **merged}
            modalities += row.attributes.get("ModalitiesInStudy", [])
        merged.pop("Patient", None)
        merged["ModalitiesInStudy"] = sorted(set(modalities))
        merged.pop("Modality", None)
        if self.summary is not None:
            merged["NumberOfStudyRelatedSeries"] = self.summary.series
            merged["NumberOfStudyRelatedInstances"] = self.summary.instances
            if self.summary.description:
                merged["StudyDescription"] = self.summary.description
        return merged


@dataclass(frozen=True, slots=True)
class Searching:
    """The searches of one session."""

    practice: Practice
    session: Session
    searches: Searches

    def studies(self, matches: Matches) -> list[FoundStudy]:
        """Studies that match, newest first, limited and offset by study."""
        self.practice.refresh()
        rows = self._identity().studies(matches)
        grouped: dict[str, list[StudyRow]] = {}
        for row in rows:
            grouped.setdefault(row.study, []).append(row)
        found = [FoundStudy(group[0].study_uid, tuple(group), None) for group in grouped.values()]
        summaries = self._summaries(found)
        self._journal("study", [row.envelope for row in rows])
        return [replace(study, summary=summaries.get(study.envelopes)) for study in found]

    def study(self, envelope: str) -> FoundStudy | None:
        """The study which that envelope belongs to, None when there is none."""
        return next(iter(self.studies(Matches(envelopes=(envelope,)))), None)

    def any(self, matches: Matches, level: str) -> bool:
        """Whether anything at all matches; not journalled, because nothing is shown."""
        if level == "study":
            return bool(self._identity().studies(matches))
        if level == "instance":
            return bool(self._instances(matches))
        rows = self._instances(replace(matches, limit=None, offset=0))
        return len(self._in_series(rows)) > matches.offset

    def count(self, matches: Matches) -> int:
        return self._identity().count_studies(replace(matches, limit=None, offset=0))

    def series(self, matches: Matches) -> list[dict[str, Any]]:
        """Series that match, with their number of instances."""
        rows = self._instances(replace(matches, limit=None, offset=0))
        page = self._in_series(rows)[matches.offset :][: matches.limit]
        self._journal("series", {row.envelope for group in page for row in group})
        return [series_attributes(group) for group in page]

    def instances(self, matches: Matches) -> list[dict[str, Any]]:
        """Instances that match."""
        rows = self._instances(matches)
        self._journal("instance", {row.envelope for row in rows})
        return [instance_attributes(row) for row in rows]

    def people(self, envelopes: Iterable[str]) -> dict[str, str]:
        """What tells whose each envelope is, to keep apart what came under one UID."""
        found = {each: each for each in envelopes}
        for ids in batches(found):
            for row in self.practice.house.store.find(Envelope, id=OneOf(ids)):
                found[row.id] = row.patient or self._stated(row.id)
        return found

    def _stated(self, envelope: str) -> str:
        """What waits is of whom it says, as far as this session may know that."""
        circle = self.session.identity
        row = None if circle is None else self.practice.table(circle).study_of(envelope)
        return envelope if row is None else row.study

    def _in_series(self, rows: list[InstanceRow]) -> list[list[InstanceRow]]:
        """Together what is of one series of one person, in the order of the first of each."""
        brought: dict[str, set[str]] = {}
        for row in rows:
            brought.setdefault(row.series_uid, set()).add(row.envelope)
        several = {
            each for envelopes in brought.values() if len(envelopes) > 1 for each in envelopes
        }
        people = self.people(several) if several else {}
        grouped: dict[tuple[str, str], list[InstanceRow]] = {}
        for row in rows:
            whose = people.get(row.envelope, "")
            grouped.setdefault((row.series_uid, whose), []).append(row)
        return list(grouped.values())

    def _instances(self, matches: Matches) -> list[InstanceRow]:
        if not self.session.care:
            raise no_key()
        self.practice.refresh()
        narrowed = self._by_envelope(matches)
        end = None if matches.limit is None else matches.offset + matches.limit
        every = replace(narrowed, limit=end, offset=0)  # no circle knows what the others leave
        found: list[InstanceRow] = []
        for circle in self.session.care:
            found += self.practice.table(circle).instances(every)
        return found[matches.offset : end]

    def _by_envelope(self, matches: Matches) -> Matches:
        """Replace what only identities know by the envelopes it leads to."""
        patient_wide = replace(matches, modality=None)
        if all(getattr(patient_wide, name) is None for name in BY_PATIENT):
            return matches
        identity = replace(patient_wide, series_uids=None, instance_uids=None, limit=None, offset=0)
        return Matches(
            modality=matches.modality,
            series_uids=matches.series_uids,
            instance_uids=matches.instance_uids,
            envelopes=tuple(row.envelope for row in self._identity().studies(identity)),
            limit=matches.limit,
            offset=matches.offset,
        )

    def _identity(self) -> SearchTable:
        circle = self.session.identity
        if circle is None:
            raise AccessDenied(
                N_("no key of yours opens the names of patients"),
                hint=N_(
                    "a newcomer waits to be admitted by a sitting member; an administrator alone "
                    "has no key to patients"
                ),
            )
        return self.practice.table(circle)

    def _summaries(self, studies: Iterable[FoundStudy]) -> dict[tuple[str, ...], StudySummary]:
        wanted = [study.envelopes for study in studies]
        merged: dict[tuple[str, ...], StudySummary] = {}
        for circle in self.session.care:
            for study, summary in self.practice.table(circle).summaries(wanted).items():
                merged[study] = merged[study].plus(summary) if study in merged else summary
        return merged

    def _journal(self, level: str, envelopes: Iterable[str]) -> None:
        self.searches.note(
            session=self.session.id,
            member=self.session.member.id,
            level=level,
            envelopes=sorted(set(envelopes)),
            peer=self.session.peer.address,
            local=self.session.peer.local,
            tls=self.session.peer.tls,
        )


def series_attributes(rows: list[InstanceRow]) -> dict[str, Any]:
    first = rows[0].attributes
    series = {key: first[key] for key in SERIES_KEYS if key in first}
    series["NumberOfSeriesRelatedInstances"] = len(rows)
    series["Envelopes"] = sorted({row.envelope for row in rows})
    return series


def instance_attributes(row: InstanceRow) -> dict[str, Any]:
    """The clinical index record as DICOM keywords."""
    kept = {key: value for key, value in row.attributes.items() if key[:1].isupper()}
    kept["Object"] = row.object  # random: two conflicting instances have one UID
    kept["Envelopes"] = [row.envelope]
    if row.state == "conflict":
        kept["Conflict"] = True
    return kept
