"""What the tests of this folder plant in a vault, and how they see whether an answer shows it."""

from __future__ import annotations

from dataclasses import replace

from tests.practices import patient, study

from serment.app.prove.bytesearch import Search
from serment.app.prove.forms import Planted
from serment.core.dicom.fictional import FictionalStudy, Place, ct_slice, text_report

SERIES = "Coupes imaginaires du segment fictif"
TITLE = "Examen imaginaire de la hanche fictive"
REPORT = "Nodule imaginaire de sept millimètres, stable."
SENTENCE = "Cher confrère imaginaire, le nodule fictif est stable."
LETTER = b"%PDF-1.7\n" + SENTENCE.encode("latin-1") + b"\n%%EOF"
IMAGE, TEXT = Place(1, 1, SERIES), Place(2, 1, SERIES)
_PIXELS = slice(-262144, -262080)  # of a CT slice: through the middle of the phantom
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff")


class Exhibits:
    """One examination with an image and a report; a letter goes with it."""

    def __init__(self, number: int = 1) -> None:
        self.exam: FictionalStudy = replace(
            study(patient(number), number), description=TITLE, body_part="HANCHEFICTIVE"
        )
        self.image = ct_slice(self.exam, IMAGE, 2)
        self.report = text_report(self.exam, TEXT, (("findings", (REPORT,)),))
        self.pixels = self.image[_PIXELS]
        self.uids = {
            "instance": IMAGE.instance_uid(self.exam),
            "report's instance": TEXT.instance_uid(self.exam),
            "series": IMAGE.series_uid(self.exam),
            "report's series": TEXT.series_uid(self.exam),
        }
        self.texts = {
            "series description": SERIES,
            "study description": TITLE,
            "body part": "HANCHEFICTIVE",
            "report": REPORT,
            "letter": SENTENCE,
            **self.uids,
        }
        self._search = Search([Planted("text", value) for value in self.texts.values()])

    @property
    def clinical(self) -> set[str]:
        """Names of everything that only a key of the care circle opens."""
        return {*self.texts, "pixels", "picture"}

    def seen(self, *answers: bytes) -> set[str]:
        """Which of them are in these answers, in whatever form."""
        names = list(self.texts)
        outcome = self._search.run((str(n), [each]) for n, each in enumerate(answers))
        found = {names[number] for number in outcome.found}
        found |= {"pixels"} if any(self.pixels in each for each in answers) else set()
        return found | ({"picture"} if any(e.startswith(_PICTURES) for e in answers) else set())
