"""Where the document lies inside an Encapsulated Document object."""

from __future__ import annotations

import pytest

from serment.core.dicom import documents
from serment.core.dicom.documents import find_document
from serment.core.dicom.fictional import FictionalStudy, Place, pdf_document, ultrasound
from serment.core.dicom.fictional.people import header, part10
from serment.entrypoints.demo.people import patients
from serment.errors import FormatError

STUDY = FictionalStudy(patients()[0], "20260103", "101500", "ACC-1", "TDM", "ROUÉ^Éloi")


def taken(data: bytes) -> bytes:
    found = find_document(lambda offset, size: data[offset : offset + size], len(data))
    document = found.data or data[found.offset : found.offset + found.length]
    assert len(document) == found.length
    return document


def encapsulated(document: bytes, syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    dataset = header(STUDY, Place(1, 1), "1.2.840.10008.5.1.4.1.1.104.1", "DOC")
    dataset.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    return part10(dataset, syntax)


def test_a_small_document_comes_out_whole() -> None:
    pdf = taken(pdf_document(STUDY, Place(1, 1), "Courrier", ["Bonjour."]))
    assert pdf.startswith(b"%PDF-")
    assert pdf.endswith(b"%%EOF\n")


@pytest.mark.parametrize("size", [documents.HEAD * 3, documents.HEAD * 3 + 1])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
def test_a_large_one_is_only_pointed_at(size: int, syntax: str) -> None:
    document = b"%PDF-1.7" + b"x" * (size - 8)
    data = encapsulated(document, syntax)
    found = find_document(lambda offset, length: data[offset : offset + length], len(data))
    assert found.data is None
    assert found.length == size
    assert taken(data) == document


def test_a_deflated_one_comes_out_too() -> None:
    assert taken(encapsulated(b"%PDF-1.7 odd", "1.2.840.10008.1.2.1.99")) == b"%PDF-1.7 odd"


@pytest.mark.parametrize(
    "data",
    [
        ultrasound(STUDY, Place(1, 1)),
        encapsulated(b"%PDF-" + b"x" * documents.HEAD)[:-99],  # ends before the document does
    ],
    ids=["a picture", "cut short"],
)
def test_where_there_is_none(data: bytes) -> None:
    with pytest.raises(FormatError):
        find_document(lambda offset, size: data[offset : offset + size], len(data))
