"""Patients as people read them: DICOM names, days and hours turned into what a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from serment.core.records.identity import Identity, read_identity
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Identifier, Who
from serment.errors import NotFound
from serment.ports import StudyRow


def who(identity: Identity) -> Who:
    """An identity as the pages show it."""
    return Who(
        full_name(identity.name),
        day(identity.birth_date),
        identity.sex or "",
        tuple(Identifier(i.value, i.issuer or "") for i in identity.identifiers),
    )


def full_name(name: str) -> str:
    """FAMILY Given, from a DICOM name (PS3.5 6.2.1.1); given names all in capitals are eased.

    >>> full_name("LEFEVRE^ANNE-MARIE^^Mme")
    'LEFEVRE Anne-Marie'
    """
    group = next((g for g in name.split("=") if g.strip(" ^")), "")
    family, *others = (part.strip() for part in group.split("^"))
    given = " ".join(part for part in others[:2] if part)
    return f"{family.upper()} {given.title() if given.isupper() else given}".strip()


def day(text: object) -> date | None:
    """A DICOM day (PS3.5 6.2, DA); None when it is none."""
    digits = text if isinstance(text, str) else ""
    if len(digits) != 8 or not (digits.isascii() and digits.isdecimal()):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def hour(text: object) -> time | None:
    """Hour and minute of a DICOM time (PS3.5 6.2, TM); None when it is none."""
    digits = text[:4] if isinstance(text, str) else ""
    if len(digits) != 4 or not (digits.isascii() and digits.isdecimal()):
        return None
    hours, minutes = int(digits[:2]), int(digits[2:])
    return time(hours, minutes) if hours < 24 and minutes < 60 else None


def modalities(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    found = attributes.get("ModalitiesInStudy") or []
    return tuple(str(modality) for modality in found)


def identity_of(visit: Visit, row: StudyRow) -> Identity:
    """Whose an envelope is: the patient's own record once filed, else what it says itself."""
    if row.patient is not None:
        with visit.house.lock:
            try:
                return visit.filing().identity(row.patient)
            except NotFound:
                pass  # no key of this session's circle opens the patient's record
    return read_identity(row.attributes)


def named(visit: Visit, patient: str) -> str | None:
    """A patient's name, None when this session's keys do not name him."""
    if visit.session.identity is None:
        return None
    with visit.house.lock:
        try:
            return full_name(visit.filing().identity(patient).name) or None
        except NotFound:
            return None
