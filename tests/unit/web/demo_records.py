"""The fictional studies of the demonstration as the pages see them; pixels are built when asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from hashlib import md5

from serment.core.dicom.headers import split
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.pixels import render_frame
from serment.core.dicom.walker import walk
from serment.core.records.vault import EnvelopeKind
from serment.entrypoints.demo.plan import PLAN, Make
from serment.entrypoints.demo.studies import PlannedObject, PlannedStudy, practice
from serment.entrypoints.web.views import Identifier, Image, Picture, Who

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
DEVICES = {
    "CT": "Scanner Nord",
    "MR": "IRM 1,5 T",
    "US": "Échographe salle 2",
    "DX": "Table de radio",
}


def ref(*words: object) -> str:
    """A stable id that looks random."""
    return md5("/".join(map(str, words)).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class DemoObject:
    id: str
    planned: PlannedObject
    make: Make
    series: int

    @property
    def kind(self) -> EnvelopeKind:
        kinds = {Make.REPORT: EnvelopeKind.REPORT, Make.LETTER: EnvelopeKind.DOCUMENT}
        return kinds.get(self.make, EnvelopeKind.IMAGE)


@dataclass(frozen=True)
class DemoStudy:
    """One study: `number` makes its ids; the slipped one waits to be filed."""

    number: int
    planned: PlannedStudy
    objects: tuple[DemoObject, ...]

    @property
    def ref(self) -> str:
        return ref("study", self.number)

    @property
    def patient(self) -> str:
        return ref("patient", PLAN[self.number].patient)

    @property
    def slipped(self) -> bool:
        """Two arrivals agree with nobody: a mistyped birth date, a namesake."""
        return bool(PLAN[self.number].slip) or self.number == 16

    @property
    def circle(self) -> str:
        return "echo" if self.modality == "US" else "care"

    @property
    def modality(self) -> str:
        named = {Make.CT: "CT", Make.MR: "MR", Make.US: "US", Make.LOOP: "US", Make.DX: "DX"}
        first = self.objects[0]
        if first.make in named:
            return named[first.make]
        description = self.planned.study.description
        return next(
            (
                code
                for word, code in (("IRM", "MR"), ("cho", "US"), ("Scinti", "NM"))
                if word in description
            ),
            "XC",
        )

    @property
    def date(self) -> date:
        """The last days, several studies a day."""
        return (NOW - timedelta(days=self.number // 4)).date()

    @property
    def time(self) -> time:
        text = self.planned.study.time
        return time(int(text[:2]), int(text[2:4]))

    @property
    def arrived(self) -> datetime:
        return datetime.combine(self.date, self.time, UTC) + timedelta(minutes=6)

    @property
    def device(self) -> str:
        return DEVICES.get(self.modality, "Poste d'accueil")

    @property
    def who(self) -> Who:
        return who(self.planned.study.patient)

    @property
    def images(self) -> list[DemoObject]:
        return [each for each in self.objects if each.kind is EnvelopeKind.IMAGE]


def who(patient: object) -> Who:
    family, _, given = patient.name.partition("^")
    born = patient.birth_date
    return Who(
        f"{family} {given}",
        date(int(born[:4]), int(born[4:6]), int(born[6:])),
        patient.sex,
        (Identifier(patient.patient_id, "Cabinet"), Identifier(patient.ins, "INS")),
    )


@cache
def studies() -> tuple[DemoStudy, ...]:
    return tuple(
        DemoStudy(
            number,
            planned,
            tuple(
                DemoObject(
                    ref("object", number, index),
                    each,
                    PLAN[number].series[each.place.series - 1].make,
                    each.place.series,
                )
                for index, each in enumerate(planned.objects)
            ),
        )
        for number, planned in enumerate(practice())
    )


@cache
def objects() -> dict[str, DemoObject]:
    return {each.id: each for study in studies() for each in study.objects}


@cache
def built(object_id: str) -> bytes:
    return objects()[object_id].planned.build()


@cache
def clinical(object_id: str) -> dict[str, object]:
    data = built(object_id)
    meta = read_meta(data)
    return split(walk(memoryview(data)[meta.dataset_offset :], meta.transfer_syntax), meta)[1]


@cache
def image(object_id: str) -> Image:
    found = clinical(object_id)
    window = None
    if found["SamplesPerPixel"] == 1 and found["PhotometricInterpretation"] != "PALETTE COLOR":
        whole = 2 ** int(found["BitsStored"])
        centre, width = found.get("WindowCenter", whole / 2), found.get("WindowWidth", whole)
        window = (float(str(centre).split("\\")[0]), float(str(width).split("\\")[0]))
    frames = int(found.get("NumberOfFrames") or 1)
    return Image(object_id, frames, int(found["Rows"]), int(found["Columns"]), window)


@cache
def picture(
    object_id: str, frame: int, window: tuple[float, float] | None, size: int | None
) -> Picture:
    return Picture(render_frame(built(object_id), frame, size, window, "png"), "image/png")
