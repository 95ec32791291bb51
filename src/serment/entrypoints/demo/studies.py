"""The fictional studies: their bytes, and every identifier planted in them.

What was examined is `plan`, how an object is built is `core.dicom.fictional`; this module joins
them. It gives the same output every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

from serment.core.dicom.fictional import (
    FictionalStudy,
    Place,
    ct_slice,
    mr_slice,
    pdf_document,
    radiograph,
    rehead,
    text_report,
    uid,
    ultrasound,
)
from serment.entrypoints.demo.people import PHYSICIANS, misspelt, patients
from serment.entrypoints.demo.plan import PLAN, Examination, Make, Series
from serment.entrypoints.demo.reports import letter, sections, sentences

SHORTEST = 8  # characters: a shorter value could be anywhere by chance


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One object to be: where it stands, how its bytes are made, what its free text says."""

    place: Place
    build: Callable[[], bytes]
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedStudy:
    """A study and its objects, in the order in which they are sent."""

    study: FictionalStudy
    objects: tuple[PlannedObject, ...]
    in_volume: bool

    def files(self) -> Iterator[bytes]:
        """The objects as Part 10 files, made one after the other."""
        return (planned.build() for planned in self.objects)


def practice() -> tuple[PlannedStudy, ...]:
    """Every study of the fictional practice."""
    return tuple(_study(number, examination) for number, examination in enumerate(PLAN))


def manifest() -> list[dict[str, str]]:
    """Every planted identifier once, as {"kind", "value", "patient"} (patient = Patient ID).

    Left out: what is shorter than `SHORTEST` or says nothing of one person (sex, times, issuer).
    """
    found = {entry: None for planned in practice() for entry in _planted(planned)}
    return [
        {"kind": kind, "value": value, "patient": patient}
        for kind, value, patient in found
        if len(value) >= SHORTEST
    ]


def _planted(planned: PlannedStudy) -> Iterator[tuple[str, str, str]]:
    """(kind, value, Patient ID) of one study, repetitions included."""
    study, patient = planned.study, planned.study.patient
    values = [
        ("name", patient.name),
        ("family-name", patient.name.partition("^")[0]),
        ("patient-id", patient.patient_id),
        ("ins", patient.ins),
        ("birth-date", patient.birth_date),
        ("address", patient.address),
        ("phone", patient.phone),
        ("physician", study.physician),
        ("accession-number", study.accession),
        ("study-date", study.date),
        ("study-uid", study.uid),
    ]
    if planned.in_volume:
        values.append(("frame-of-reference-uid", uid("frame-of-reference", study.accession)))
    for item in planned.objects:
        values.append(("series-uid", item.place.series_uid(study)))
        values.append(("instance-uid", item.place.instance_uid(study)))
        values.extend(("sentence", sentence) for sentence in item.sentences)
    return ((kind, value, patient.patient_id) for kind, value in values)


def _study(row: int, examination: Examination) -> PlannedStudy:
    patient = patients()[examination.patient]
    study = FictionalStudy(
        patient=misspelt(patient, examination.slip) if examination.slip else patient,
        date=f"202{4 + row % 2}{1 + (5 * row + 2) % 12:02d}{2 + (11 * row) % 27:02d}",
        time=f"{8 + row % 10:02d}{(7 * row) % 60:02d}00",
        accession=f"ACC{84000 + 137 * row:06d}F",
        description=examination.description,
        physician=PHYSICIANS[row % len(PHYSICIANS)],
        body_part=examination.body_part,
    )
    objects = (
        planned
        for number, series in enumerate(examination.series, start=1)
        for planned in _series(study, row, number, series)
    )
    in_volume = any(series.make in (Make.CT, Make.MR) for series in examination.series)
    return PlannedStudy(study, tuple(objects), in_volume)


def _series(
    study: FictionalStudy, row: int, series_number: int, series: Series
) -> Iterator[PlannedObject]:
    count = len(series.names) or (1 if series.make is Make.LOOP else series.count)
    for number in range(1, count + 1):
        yield _object(study, row, series, Place(series_number, number))


def _object(study: FictionalStudy, row: int, series: Series, place: Place) -> PlannedObject:
    match series.make:
        case Make.CT:
            return PlannedObject(place, partial(ct_slice, study, place, series.count))
        case Make.MR:
            return PlannedObject(place, partial(mr_slice, study, place, series.count))
        case Make.US:
            return PlannedObject(place, partial(ultrasound, study, place))
        case Make.LOOP:
            return PlannedObject(place, partial(ultrasound, study, place, series.count, True))
        case Make.DX:
            return PlannedObject(place, partial(radiograph, study, place))
        case Make.FILES:
            return PlannedObject(place, partial(_reheaded, series, study, place))
        case Make.REPORT:
            build = partial(text_report, study, place, sections(study, row))
            return PlannedObject(place, build, tuple(sentences(study, row)))
        case Make.LETTER:
            title, lines = letter(study)
            build = partial(pdf_document, study, place, title, lines)
            return PlannedObject(place, build, (title, *lines))


def _reheaded(series: Series, study: FictionalStudy, place: Place) -> bytes:
    name = series.names[place.number - 1]
    source = files("pydicom").joinpath("data", "test_files", name).read_bytes()
    return rehead(source, study, place)
