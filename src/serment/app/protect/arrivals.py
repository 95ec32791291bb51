"""What an arriving object says of itself, as far as receiving it needs; refuses what cannot be kept.

Never looks past the header. Devices break the standard in ways that harm nobody (a UID whose
numbers begin with zero): what can be kept and found again is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from serment.core.crypto.entropy import new_id
from serment.core.dicom import headers, part10, uids
from serment.core.dicom.walker import Header, walk
from serment.core.records.vault import EnvelopeKind
from serment.errors import N_, FormatError, Mismatch
from serment.ports import Receipt

Bytes = bytes | bytearray | memoryview

HEAD_LIMIT = 4 * 1024 * 1024  # bytes in which a header must end
NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
ONE_ENVELOPE = (  # objects that agree in these belong together
    "StudyInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
)
PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"  # Encapsulated PDF Storage (PS3.4 B.5)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One object: its two headers (plaintext: for memory only), and what kind of thing it is."""

    identity: dict[str, Any]
    clinical: dict[str, Any]
    kind: EnvelopeKind

    @property
    def together(self) -> tuple[str, ...]:
        """Objects of one reception with the same value share an envelope."""
        return tuple(str(self.identity.get(name, "")) for name in ONE_ENVELOPE)

    def receipt(self, object_id: str) -> Receipt:
        sop_class, instance, study, series = (str(self.clinical[name]) for name in NEEDED)
        return Receipt(object_id, sop_class, instance, study, series)


def parse_arrival(data: Bytes, study: str | None, *, partial: bool = False) -> Arrival:
    """Read one DICOM object.

    Args:
        data: the whole file, or its beginning with the whole header.
        study: the only Study Instance UID that may come; None = any.
        partial: the data set may go on after these bytes, even within an element.

    Raises:
        FormatError: it cannot be understood, or not be found again.
        Mismatch: group 2 announces another object, or it belongs to another study.
    """
    meta, header = _walked(data, partial)
    return _arrival(meta, header, study)


def find_arrival(head: Bytes, study: str | None) -> Arrival | None:
    """As `parse_arrival` with the beginning of an object, at least 66 KiB; None when its header
    may go on behind it."""
    meta, header = _walked(head, partial=True)
    return _arrival(meta, header, study) if header.has_pixels else None


def _walked(data: Bytes, partial: bool) -> tuple[part10.Meta, Header]:
    meta = part10.read_meta(data)
    view = memoryview(data)[meta.dataset_offset : HEAD_LIMIT]
    return meta, walk(view, meta.transfer_syntax, partial=partial)


def _arrival(meta: part10.Meta, header: Header, study: str | None) -> Arrival:
    identity, clinical = headers.split(header, meta)
    for name in NEEDED:
        if not uids.is_uid(str(clinical.get(name, ""))):
            raise FormatError(
                N_("the object has no valid {attribute}"),
                hint=N_("ask the maker of the device; Serment keeps only what it can find again"),
                attribute=name,
            )
    if (clinical["SOPClassUID"], clinical["SOPInstanceUID"]) != (meta.sop_class, meta.sop_instance):
        raise Mismatch(N_("the UIDs announced are not those of the data set"))
    if study not in (None, clinical["StudyInstanceUID"]):
        raise Mismatch(N_("the object belongs to another study than the one it is sent to"))
    return Arrival(identity, clinical, EnvelopeKind(uids.kind_of(meta.sop_class)))


def document_arrival(patient: str, title: str, today: str) -> Arrival:
    """What is kept of a PDF handed over for a patient on a day (YYYYMMDD)."""
    study, series, instance = (uids.new_uid(new_id()) for _ in range(3))
    identity = {
        "StudyInstanceUID": study,
        "StudyDate": today,
        "Modality": "DOC",
        "Patient": patient,
    }
    clinical = {
        "SOPClassUID": PDF_CLASS,
        "SOPInstanceUID": instance,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series,
        "Modality": "DOC",
        "SeriesDescription": title,
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
    }
    return Arrival(identity, clinical, EnvelopeKind.DOCUMENT)


def check_pdf(beginning: bytes) -> None:
    """Raise `FormatError` unless a document begins as a PDF does."""
    if not beginning.startswith(b"%PDF-"):
        raise FormatError(
            N_("this is not a PDF document"), hint=N_("only PDF documents can be attached")
        )
