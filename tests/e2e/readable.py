"""The byte search after a fault: nothing of what was sent can be read anywhere in a vault's folder.

What to look for is read off the objects themselves: names, identifiers, UIDs, dates and texts of their
headers, and a piece of their pixels. The same search must find all of it in the plain objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from serment.adapters.files.walk import walk
from serment.app.prove.bytesearch import Search, Source
from serment.app.prove.forms import SHORTEST, Planted

STANDARD = "1.2.840.10008."  # UIDs of DICOM itself tell nothing of anybody
TELLING = {
    "PN": "name",
    "UI": "uid",
    "DA": "date",
    "DT": "date",
    "LO": "text",
    "SH": "text",
    "ST": "text",
    "LT": "text",
    "UT": "text",
    "UC": "text",
}
OF_THE_PRACTICE = {"InstitutionName"}  # a vault says whose it is
SAMPLE = 64  # bytes of pixels or of a document; fewer than 13 different ones occur by chance


class Traces:
    """What some DICOM objects, files or bare data sets, would leave in a place that kept them.

    Raises:
        AssertionError: the search does not find all of it in the objects themselves.
    """

    def __init__(self, objects: Iterable[bytes]) -> None:
        plain = list(objects)
        found = {each: None for data in plain for each in _planted(_read(data))}
        self._planted = [Planted(kind, value) for kind, value in found if len(value) >= SHORTEST]
        self._samples = {sample for data in plain if (sample := _sample(_read(data)))}
        self._search = Search(self._planted, places=1)
        sources = [(str(number), [data]) for number, data in enumerate(plain)]
        assert self._found(sources) == {planted.value for planted in self._planted}, "not all"
        assert all(any(sample in data for data in plain) for sample in self._samples)
        assert self._planted

    def found_in(self, *places: Path) -> set[str]:
        """Which of them stand anywhere in these folders or files, in whatever form."""
        files = [path for place in places for path in (place, *place.rglob("*")) if path.is_file()]
        sources = [source for place in places if place.is_dir() for source in walk(place)]
        sources += [(path.name, [path.read_bytes()]) for path in places if path.is_file()]
        pixels = {f"pixels in {f.name}" for f in files if any(s in _all(f) for s in self._samples)}
        return self._found(sources) | pixels

    def _found(self, sources: Iterable[Source]) -> set[str]:
        return {self._planted[number].value for number in self._search.run(sources).found}


def check_nothing_readable(root: Path, objects: Iterable[bytes]) -> None:
    """No file of that vault, nor what its server printed, shows anything of these objects."""
    log = root.parent / "server.log"
    assert traces(tuple(objects)).found_in(root, *([log] if log.exists() else [])) == set()


@lru_cache(maxsize=8)
def traces(objects: tuple[bytes, ...]) -> Traces:
    return Traces(objects)


def _all(path: Path) -> bytes:
    return path.read_bytes()


def _read(data: bytes) -> Dataset:
    return dcmread(BytesIO(data), force=True)


def _planted(data_set: Dataset) -> Iterator[tuple[str, str]]:
    for element in data_set.iterall():
        if element.keyword in OF_THE_PRACTICE:
            continue
        for value in element.value if element.VM > 1 else [element.value]:
            kind, text = TELLING.get(element.VR, ""), str(value or "")
            if kind and not text.startswith(STANDARD):
                yield kind, text
            if kind == "name":
                yield "family-name", text.partition("^")[0]


def _sample(data_set: Dataset) -> bytes | None:
    pixels = bytes(data_set.get("PixelData") or data_set.get("EncapsulatedDocument") or b"")
    middle = pixels[len(pixels) // 2 :][:SAMPLE]
    return middle if len(set(middle)) > 12 else None
