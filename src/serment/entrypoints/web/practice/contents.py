"""What a study holds to be read: reports as lines, documents as they stream."""

from __future__ import annotations

from collections.abc import Iterator

from serment.app.protect.objects import ObjectReader
from serment.app.protect.reading import no_key
from serment.core.access.rights import Act
from serment.core.dicom.documents import find_document
from serment.core.dicom.sr import read_report
from serment.core.records.vault import EnvelopeKind
from serment.entrypoints.web.practice.identities import identity_of, who
from serment.entrypoints.web.practice.series import object_kind
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Document, Report, ReportLine, Who
from serment.errors import N_, FormatError
from serment.ports import InstanceRow

MAX_REPORT_BYTES = 32 << 20
PDF = "application/pdf"


def report(visit: Visit, object_id: str) -> Report:
    """A structured report as lines."""
    row = visit.reading.object_row(object_id)
    if object_kind(row) is not EnvelopeKind.REPORT:
        raise no_key()
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
        raise no_key()
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
