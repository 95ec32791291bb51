"""What an open circle knows, as rows in memory, and how they are searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from serment.core.records.identity import person_of


@dataclass(frozen=True, slots=True)
class StudyRow:
    """What an identity circle knows of one envelope: one study of one patient (plaintext: lives
    in memory only). `attributes` are the DICOM keywords of `core.dicom.headers.IDENTITY`."""

    envelope: str
    circle: str
    patient: str | None
    kind: str
    arrived: datetime
    study_uid: str
    attributes: dict[str, Any]

    @property
    def study(self) -> str:
        """What tells its study from every other: the UID, and whose it is. A study belongs to one
        patient (PS3.3 A.1.2); where a device sends two people under one UID, these are two."""
        return f"{self.study_uid} {person_of(self.patient, self.attributes)}"


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """What a care circle knows of one object (plaintext: lives in memory only). `attributes` are
    the DICOM keywords of `core.dicom.headers.CLINICAL`."""

    object: str
    envelope: str
    circle: str
    study_uid: str
    series_uid: str
    instance_uid: str
    state: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Matches:
    """A search, already parsed: each None means "any". Text values may hold * and ?."""

    name: str | None = None  # folded: upper case, no accents, ^ as space
    identifier: str | None = None
    birth_date: str | None = None  # YYYYMMDD
    date_from: str | None = None  # YYYYMMDD, inclusive
    date_to: str | None = None
    modality: str | None = None
    accession: str | None = None
    study_uids: tuple[str, ...] | None = None
    series_uids: tuple[str, ...] | None = None
    instance_uids: tuple[str, ...] | None = None
    patient: str | None = None
    envelopes: tuple[str, ...] | None = None
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class StudySummary:
    """What a care circle knows of a study as a whole. `picture` is the object to show as its
    thumbnail (the middle image of its first series of images), None when it has none."""

    series: int
    instances: int
    conflicts: int
    description: str
    picture: str | None
    images: int = field(default=0, compare=False)  # instances that have pixels

    def plus(self, other: StudySummary) -> StudySummary:
        return StudySummary(
            self.series + other.series,
            self.instances + other.instances,
            self.conflicts + other.conflicts,
            self.description or other.description,
            self.picture or other.picture,
            self.images + other.images,
        )


class SearchTable(Protocol):
    """Plaintext rows of one open circle, in memory only; closing it drops them."""

    def put_studies(self, rows: Iterable[StudyRow]) -> None: ...

    def put_instances(self, rows: Iterable[InstanceRow]) -> None: ...

    def remove(self, envelopes: Iterable[str]) -> None: ...

    def studies(self, matches: Matches) -> list[StudyRow]:
        """Newest study date first; `limit` and `offset` count distinct studies (`StudyRow.study`);
        all the rows (envelopes) of a study come together."""

    def instances(self, matches: Matches) -> list[InstanceRow]:
        """Ordered by study, series, instance number; duplicates left out."""

    def count_studies(self, matches: Matches) -> int:
        """How many distinct studies match, whatever the limit."""

    def instance_of(self, object_id: str) -> InstanceRow | None:
        """The instance of that random object id."""

    def study_of(self, envelope: str) -> StudyRow | None:
        """The row of that envelope."""

    def summaries(self, studies: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], StudySummary]:
        """What is known of those studies as a whole, each given as its envelopes; those without
        instances here are absent."""

    def repeated(self) -> list[list[InstanceRow]]:
        """Instances whose SOP Instance UID came more than once and of which more than one is still
        marked as kept: one list a UID, in the order of arrival."""

    def dump(self) -> tuple[list[StudyRow], list[InstanceRow]]: ...

    def envelopes(self) -> set[str]:
        """The envelopes that anything here came from."""

    def image(self) -> bytes:
        """All of it as bytes, plaintext, to be sealed at once; quick to make and to restore."""

    def restore(self, image: bytes) -> None:
        """Become what an image, authenticated by the caller, holds.

        Raises:
            FormatError: it was made by another kind or version of table; nothing is changed.
        """

    def close(self) -> None: ...
