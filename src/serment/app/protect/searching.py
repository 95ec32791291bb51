"""Finds studies, series and instances in the open tables; the journal names what was returned.

Identity circles (secretariat, DPO) answer at study level only. Series and instances come from the
care circles whose keys the session holds; a match on the patient is first resolved to studies
through the identity table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from serment.app.protect.opening import Practice, Session
from serment.app.protect.reading import no_key
from serment.app.watch.searches import Searches
from serment.errors import N_, AccessDenied
from serment.ports import InstanceRow, Matches, SearchTable, StudyRow, StudySummary

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
    """One study: the envelopes it arrived in, and what a care key adds (None without)."""

    uid: str
    rows: tuple[StudyRow, ...]
    summary: StudySummary | None

    @property
    def ref(self) -> str:
        """The random id that addresses the study in our pages."""
        return min(self.rows, key=lambda row: (row.arrived, row.envelope)).envelope

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
            grouped.setdefault(row.study_uid, []).append(row)
        summaries = self._summaries(grouped)
        found = [
            FoundStudy(uid, tuple(group), summaries.get(uid)) for uid, group in grouped.items()
        ]
        self._journal("study", [row.envelope for row in rows])
        return found

    def any(self, matches: Matches, level: str) -> bool:
        """Whether anything at all matches; not journalled, because nothing is shown."""
        if level == "study":
            return bool(self._identity().studies(matches))
        if level == "instance":
            return bool(self._instances(matches))
        rows = self._instances(replace(matches, limit=None, offset=0))
        return len({row.series_uid for row in rows}) > matches.offset

    def count(self, matches: Matches) -> int:
        return self._identity().count_studies(replace(matches, limit=None, offset=0))

    def series(self, matches: Matches) -> list[dict[str, Any]]:
        """Series that match, with their number of instances."""
        grouped: dict[str, list[InstanceRow]] = {}
        rows = self._instances(replace(matches, limit=None, offset=0))
        for row in rows:
            grouped.setdefault(row.series_uid, []).append(row)
        page = list(grouped.values())[matches.offset :][: matches.limit]
        self._journal("series", {row.envelope for group in page for row in group})
        return [series_attributes(group) for group in page]

    def instances(self, matches: Matches) -> list[dict[str, Any]]:
        """Instances that match."""
        rows = self._instances(matches)
        self._journal("instance", {row.envelope for row in rows})
        return [instance_attributes(row) for row in rows]

    def _instances(self, matches: Matches) -> list[InstanceRow]:
        if not self.session.care:
            raise no_key()
        self.practice.refresh()
        narrowed = self._by_study(matches)
        end = None if matches.limit is None else matches.offset + matches.limit
        every = replace(narrowed, limit=end, offset=0)  # no circle knows what the others leave
        found: list[InstanceRow] = []
        for circle in self.session.care:
            found += self.practice.table(circle).instances(every)
        return found[matches.offset : end]

    def _by_study(self, matches: Matches) -> Matches:
        """Replace what only identities know by the studies it leads to."""
        patient_wide = replace(matches, modality=None)
        if all(getattr(patient_wide, name) is None for name in BY_PATIENT):
            return matches
        identity = replace(patient_wide, series_uids=None, instance_uids=None, limit=None, offset=0)
        studies = {row.study_uid for row in self._identity().studies(identity)}
        below = Matches(
            modality=matches.modality,
            series_uids=matches.series_uids,
            instance_uids=matches.instance_uids,
            limit=matches.limit,
            offset=matches.offset,
        )
        return replace(below, study_uids=tuple(studies))

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

    def _summaries(self, uids: Iterable[str]) -> dict[str, StudySummary]:
        wanted = list(uids)
        merged: dict[str, StudySummary] = {}
        for circle in self.session.care:
            for uid, summary in self.practice.table(circle).summaries(wanted).items():
                merged[uid] = merged[uid].plus(summary) if uid in merged else summary
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
    return series


def instance_attributes(row: InstanceRow) -> dict[str, Any]:
    """The clinical index record as DICOM keywords."""
    kept = {key: value for key, value in row.attributes.items() if key[:1].isupper()}
    kept["Object"] = row.object  # random: two conflicting instances have one UID
    if row.state == "conflict":
        kept["Conflict"] = True
    return kept
