"""Reports of fictional patients as DICOM objects: Basic Text SR and an encapsulated PDF."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.uid import BasicTextSRStorage, EncapsulatedPDFStorage

from serment.core.dicom.fictional.people import FictionalStudy, Place, code, header, part10

_TITLE = ("18748-4", "LN", "Compte rendu d'imagerie")
_SECTIONS = {
    "indication": ("121109", "DCM", "Indications"),
    "findings": ("121070", "DCM", "Résultats"),
    "conclusion": ("121076", "DCM", "Conclusion"),
}


def text_report(
    study: FictionalStudy, place: Place, sections: Sequence[tuple[str, Sequence[str]]]
) -> bytes:
    """A Basic Text SR (DICOM PS3.3 A.35.1): sections named as in `_SECTIONS`, each some sentences."""
    dataset = header(study, place, BasicTextSRStorage, "SR")
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = []
    dataset.ValueType = "CONTAINER"
    dataset.ContinuityOfContent = "SEPARATE"
    dataset.ConceptNameCodeSequence = [code(*_TITLE)]
    dataset.ContentSequence = [_section(name, sentences) for name, sentences in sections]
    return part10(dataset)


def _section(name: str, sentences: Sequence[str]) -> Dataset:
    container = Dataset()
    container.RelationshipType = "CONTAINS"
    container.ValueType = "CONTAINER"
    container.ConceptNameCodeSequence = [code(*_SECTIONS[name])]
    container.ContinuityOfContent = "SEPARATE"
    container.ContentSequence = [_text(sentence) for sentence in sentences]
    return container


def _text(sentence: str) -> Dataset:
    item = Dataset()
    item.RelationshipType = "CONTAINS"
    item.ValueType = "TEXT"
    item.ConceptNameCodeSequence = [code("121071", "DCM", "Constatation")]
    item.TextValue = sentence
    return item


def pdf_document(study: FictionalStudy, place: Place, title: str, lines: Sequence[str]) -> bytes:
    """An Encapsulated PDF (DICOM PS3.3 A.45.1) with one page of text, its stream deflated."""
    dataset = header(study, place, EncapsulatedPDFStorage, "DOC")
    dataset.ConversionType = "WSD"
    dataset.BurnedInAnnotation = "YES"
    dataset.AcquisitionDateTime = study.date + study.time
    dataset.DocumentTitle = title
    dataset.ConceptNameCodeSequence = [code(*_TITLE)]
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document = one_page_pdf([title, *lines])
    dataset.EncapsulatedDocumentLength = len(document)
    dataset.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return part10(dataset)


def one_page_pdf(lines: Sequence[str]) -> bytes:
    """A PDF of one A4 page (ISO 32000-1), WinAnsi text, one line under the other."""
    shown = "\n".join(f"({_escape(line)}) Tj T*" for line in lines)
    drawing = zlib.compress(f"BT /F1 11 Tf 15 TL 60 780 Td\n{shown}\nET".encode("cp1252"))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % table


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
