"""Makes what is sent: CT slices of 526 kB and many small studies, of fictional patients."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from serment.core.dicom.fictional import FictionalPatient, FictionalStudy, Place, ct_slice
from serment.core.dicom.fictional.people import header, part10

SLICES_A_STUDY = 50
_FAMILIES = ("LEFÈVRE", "MARTINEAU", "BÉRANGER", "DUVALLON", "GARÇONNET", "NOËLLEC", "THIBAUDÉ")
_SECOND = ("BLAIN", "CORMIER", "FABRE", "PERRAUD", "VASSEUR")
_GIVEN = ("Hélène", "Jean-Noël", "Zoé", "François", "Inès", "Maëlle", "Benoît", "Aïcha")
_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"  # ultrasound
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True)
class Sample:
    """A file to be sent, and the UIDs it holds."""

    path: Path
    study: str
    series: str
    instance: str


def ct_slices(folder: Path, count: int) -> list[Sample]:
    """`count` slices, in studies of 50."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_ct(folder, number) for number in range(count)]


def _ct(folder: Path, number: int) -> Sample:
    study = _study(number // SLICES_A_STUDY, "CT")
    place = Place(1, number % SLICES_A_STUDY + 1)
    path = folder / f"{number:05d}.dcm"
    if not path.exists():
        path.write_bytes(ct_slice(study, place, SLICES_A_STUDY))
    return Sample(path, study.uid, place.series_uid(study), place.instance_uid(study))


def large_object(path: Path, size: int = 1_000_000_000) -> Sample:
    """One multi-frame ultrasound of about `size` bytes, written piece by piece."""
    study, place = _study(0, "US"), Place(1, 1)
    frame = 1024 * 1024
    dataset = header(study, place, _MULTI_FRAME, "US")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 1024
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.NumberOfFrames = max(1, size // frame)
    length = dataset.NumberOfFrames * frame
    with path.open("wb") as file:
        file.write(part10(dataset) + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, length))
        for number in range(dataset.NumberOfFrames):
            file.write(bytes([number % 256]) * frame)
    return Sample(path, study.uid, place.series_uid(study), place.instance_uid(study))


def small_studies(folder: Path, count: int) -> list[Sample]:
    """`count` studies of one small image (64 x 64) each, of a third as many patients."""
    folder.mkdir(parents=True, exist_ok=True)
    return list(_small(folder, count))


def _small(folder: Path, count: int) -> Iterator[Sample]:
    for number in range(count):
        study, place = _study(number, "OT"), Place(1, 1)
        path = folder / f"{number:05d}.dcm"
        if not path.exists():
            dataset = header(study, place, _SECONDARY_CAPTURE, "OT")
            dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
            dataset.Rows = dataset.Columns = 64
            dataset.BitsAllocated = dataset.BitsStored = 8
            dataset.HighBit, dataset.PixelRepresentation = 7, 0
            dataset.add_new(0x7FE00010, "OB", bytes((7 * number + n) % 256 for n in range(4096)))
            path.write_bytes(part10(dataset))
        yield Sample(path, study.uid, place.series_uid(study), place.instance_uid(study))


def _study(number: int, series: str) -> FictionalStudy:
    who = number // 3
    patient = FictionalPatient(
        name=f"{_FAMILIES[who % 7]}-{_SECOND[who % 5]}^{_GIVEN[who % 8]}^{who:05d}",
        birth_date=f"{1930 + who % 80}{1 + who % 12:02d}{1 + who % 28:02d}",
        sex="MF"[who % 2],
        patient_id=f"BENCH-{who:06d}",
        ins=f"{who:015d}",
        address="1 rue du Banc, 99999 Ville-Fictive",
        phone="06 39 98 00 00",
    )
    date = f"{2015 + number % 10}{1 + number % 12:02d}{1 + number % 28:02d}"
    return FictionalStudy(
        patient, date, "101500", f"B{series}{number:08d}", "Essai de débit", "BANC^Essai", "CHEST"
    )
