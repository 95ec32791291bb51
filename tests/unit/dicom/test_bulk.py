"""Where the value behind a BulkDataURI lies, in every encoding; and the media types of frames."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from serment.core.dicom import uids
from serment.core.dicom.bulk import find_bulk
from serment.core.dicom.encapsulated import wrap_pdf
from serment.core.dicom.frames import inflated_file, reader_of
from serment.core.dicom.headers import split
from serment.core.dicom.media import frame_media
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.walker import walk
from serment.errors import FormatError, NotFound


def header_size(data: bytes) -> int:
    meta = read_meta(data)
    _identity, clinical = split(walk(data[meta.dataset_offset :], meta.transfer_syntax), meta)
    return int(clinical["header_size"])


def value(data: bytes, path: str) -> tuple[bytes, str]:
    read = reader_of(data)
    place = find_bulk(read, header_size(data), path)
    assert place is not None
    if place.data is not None:
        return place.data, ""
    return read(place.offset, place.length), place.vr


def file_of(name: str) -> bytes:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def written(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dcmwrite(out, dataset)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "turned"),
    [
        ("CT_small.dcm", ""),
        ("MR_small_implicit.dcm", ""),
        ("MR_small_bigendian.dcm", "OW"),
        ("ExplVR_BigEnd.dcm", ""),  # bytes, whatever the order of words
        ("SC_rgb_small_odd.dcm", ""),
    ],
)
def test_native_pixel_data_is_the_whole_value_and_nothing_behind_it(name: str, turned: str) -> None:
    data = file_of(name)
    found, vr = value(data, "7FE00010")
    assert found == dcmread(io.BytesIO(data)).PixelData
    assert vr == turned


def test_float_pixel_data() -> None:
    dataset = dcmread(io.BytesIO(file_of("CT_small.dcm")))
    del dataset.PixelData
    dataset.FloatPixelData = bytes(range(64))
    data = written(dataset)
    assert value(data, "7FE00008") == (dataset.FloatPixelData, "")
    with pytest.raises(NotFound):
        find_bulk(reader_of(data), header_size(data), "7FE00010")


def test_encapsulated_pixel_data_has_no_value() -> None:
    data = file_of("JPEG2000.dcm")
    assert find_bulk(reader_of(data), header_size(data), "7FE00010") is None


def test_a_deflated_object_is_inflated_first() -> None:
    data = file_of("image_dfl.dcm")
    whole, header = inflated_file(reader_of(data), len(data))
    place = find_bulk(reader_of(whole), header.size, "7FE00010")
    assert place is not None
    assert whole[place.offset : place.offset + place.length] == dcmread(io.BytesIO(data)).PixelData


def test_small_values_and_values_that_end_the_header() -> None:
    dataset = dcmread(io.BytesIO(file_of("CT_small.dcm")))
    del dataset.PixelData
    dataset.EncapsulatedDocument = b"%PDF-" + bytes(100_001)
    dataset.add_new(0x00091001, "OB", b"x" * 2000)
    data = written(dataset)
    assert value(data, "00091001")[0] == b"x" * 2000
    # as a stored object of some MB says it: the header ends where the long value begins
    start = data.index(b"%PDF-")
    place = find_bulk(reader_of(data), start, "00420011")
    assert place is not None
    assert data[place.offset : place.offset + place.length] == b"%PDF-" + bytes(100_001)
    for path in ("00420010", "0042001", "x", "00091001/0", "00091001/0/00100010", "7FE00010"):
        with pytest.raises((NotFound, FormatError)):
            find_bulk(reader_of(data), start, path)


@pytest.mark.parametrize(
    ("syntax", "media", "named"),
    [
        (uids.IMPLICIT_LITTLE, ("application/octet-stream",), uids.EXPLICIT_LITTLE),
        (uids.EXPLICIT_BIG, ("application/octet-stream",), uids.EXPLICIT_LITTLE),
        ("1.2.840.10008.1.2.4.70", ("image/jpeg", "application/octet-stream"), None),
        ("1.2.840.10008.1.2.4.81", ("image/jls", "application/octet-stream"), None),
        ("1.2.840.10008.1.2.4.90", ("image/jp2", "application/octet-stream"), None),
        ("1.2.840.10008.1.2.5", ("image/dicom-rle", "application/octet-stream"), None),
        ("1.2.840.10008.1.2.4.999", ("application/octet-stream",), None),
    ],
)
def test_media_types_of_frames(syntax: str, media: tuple[str, ...], named: str | None) -> None:
    assert frame_media(syntax) == (media, named or syntax)


@pytest.mark.parametrize("size", [10, 11])
def test_a_pdf_gets_the_header_it_lacks(size: int) -> None:
    document = b"%PDF-1.7\nx\n"[:size]
    attributes: dict[str, Any] = {
        "SOPInstanceUID": "2.25.1",
        "SeriesInstanceUID": "2.25.2",
        "StudyInstanceUID": "2.25.3",
        "Modality": "DOC",
        "SeriesDescription": "Compte rendu \\ opératoire " + "é" * 200,
        "StudyDate": "20260104",
        "PatientName": "LEFÈVRE^Hélène",
    }
    before, element, after = wrap_pdf(attributes, size)
    data = before + element + document + after
    found = dcmread(io.BytesIO(data))
    assert found.EncapsulatedDocument[:size] == document
    assert found.EncapsulatedDocumentLength == size
    assert found.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert found.PatientName == "LEFÈVRE^Hélène"
    assert found.SOPInstanceUID == found.file_meta.MediaStorageSOPInstanceUID == "2.25.1"
    assert found.SOPClassUID.name == "Encapsulated PDF Storage"
    assert "opératoire" in found.DocumentTitle
    tags = [int(element.tag) for element in found]
    assert tags == sorted(tags)
    place = find_bulk(reader_of(data), header_size(data), "00420011")
    assert place is not None
