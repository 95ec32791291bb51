"""A DICOMDIR leads to files inside its own folder, and nowhere else."""

from __future__ import annotations

import struct
from pathlib import Path

import pydicom.data
import pytest
from pydicom import dcmread

from serment.core.dicom import dicomdir, uids
from serment.core.dicom.part10 import build_meta
from serment.errors import FormatError

FOLDER = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit"])
def test_the_files_of_a_set(name: str) -> None:
    found = dicomdir.read((FOLDER / name).read_bytes())
    assert found.refused == 0
    records = dcmread(FOLDER / name).DirectoryRecordSequence
    assert len(found.files) == sum("ReferencedFileID" in record for record in records)
    assert all((FOLDER.joinpath(*parts)).is_file() for parts in found.files)


def directory(*file_ids: bytes) -> bytes:
    items = b""
    for file_id in file_ids:
        value = file_id + b" " * (len(file_id) % 2)
        element = struct.pack("<HH2sH", 4, 0x1500, b"CS", len(value)) + value
        items += struct.pack("<HHI", 0xFFFE, 0xE000, len(element)) + element
    head = struct.pack("<HH2sHI", 4, 0x1220, b"SQ", 0, len(items))
    return build_meta(dicomdir.DIRECTORY_CLASS, "1.2", uids.EXPLICIT_LITTLE) + head + items


def test_names_inside_the_folder() -> None:
    found = dicomdir.read(directory(b"IMAGES\\IM000001", b"IMAGES\\IM1.DCM", b"A\\B", b"A\\B", b""))
    assert found.files == (("IMAGES", "IM000001"), ("IMAGES", "IM1.DCM"), ("A", "B"))
    assert found.refused == 0


@pytest.mark.parametrize(
    "file_id",
    [
        *(b"..\\etc\\passwd", b"A\\..\\..\\B", b"/etc/passwd", b"A\\/etc", b"C:\\X", b"A\\\\B"),
        *(b".ssh\\id", b"A/B", b"A\\.", b"\xe9", b"A\x00B", b"A\nB", b"~", b"A" * 65),
        b"\\".join([b"A"] * 17),
    ],
)
def test_names_that_lead_elsewhere_are_refused(file_id: bytes) -> None:
    found = dicomdir.read(directory(file_id, b"GOOD"))
    assert (found.files, found.refused) == ((("GOOD",),), 1)


def test_what_is_no_dicomdir_is_refused() -> None:
    image = FOLDER / "77654033" / "CR1" / "6154"
    for data in (image.read_bytes(), b"", build_meta("1.2", "1.2", uids.EXPLICIT_LITTLE)):
        with pytest.raises(FormatError):
            dicomdir.read(data)
    with pytest.raises(FormatError):
        dicomdir.read((FOLDER / "DICOMDIR-nooffset").read_bytes())
