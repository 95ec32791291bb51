"""Adds up what was found of each patient and envelope: the worst of several answers counts.

A patient and an envelope are one small number each, two bits for every category, so that half a
million of them stay cheap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from serment.core.breach.exposure import CATEGORY, TOLD, Category, Exposure
from serment.core.breach.keys import Arrived

_ORDER = tuple(Category)
_PLACE = {category: 2 * at for at, category in enumerate(_ORDER)}
_BITS = 2 * len(_ORDER)


@dataclass(slots=True)
class Amount:
    """How many of one category and exposure; `envelopes` and `objects` filed or not."""

    patients: int = 0
    envelopes: int = 0
    objects: int = 0


@dataclass(slots=True)
class Numbers:
    """The sums. `patients` and `unfiled` (envelopes) by exposure."""

    patients: Counter[Exposure] = field(default_factory=Counter)
    unfiled: Counter[Exposure] = field(default_factory=Counter)
    categories: dict[Category, dict[Exposure, Amount]] = field(
        default_factory=lambda: {c: {e: Amount() for e in TOLD} for c in Category}
    )


class Tally:
    """Of one or more vectors."""

    def __init__(self) -> None:
        self._patients: dict[int, int] = {}
        self._envelopes: dict[int, int] = {}
        self._read: dict[int, int] = {}  # objects that were read, of an envelope not read whole

    def patient(self, patient: int, category: Category, found: Exposure) -> None:
        """What was found of a patient's data of that category."""
        place, before = _PLACE[category], self._patients.get(patient, 0)
        if found > before >> place & 3:
            self._patients[patient] = before & ~(3 << place) | found << place

    def envelope(
        self, key: int, arrived: Arrived, identity: Exposure, content: Exposure, read: int | None
    ) -> None:
        """What was found of an envelope's headers and objects; `read`: how many of its objects
        were read, None when it is all or none of them."""
        category, before = CATEGORY[arrived.kind], self._envelopes.get(key, 0)
        identity, content = (
            max(identity, Exposure(before & 3)),
            max(content, Exposure(before >> 2 & 3)),
        )
        filed = arrived.patient is not None
        self._envelopes[key] = (
            identity | content << 2 | _PLACE[category] << 4 | filed << 8 | arrived.objects << 9
        )
        if read is not None:
            self._read[key] = max(read, self._read.get(key, 0))
        elif content is Exposure.READ:
            self._read.pop(key, None)
        if arrived.patient is not None:
            self.patient(arrived.patient, Category.IDENTITY, identity)
            self.patient(arrived.patient, category, content)

    def numbers(self) -> Numbers:
        """Everything added up."""
        numbers = Numbers()
        for code, count in Counter(self._patients.values()).items():
            numbers.patients[_worst(code)] += count
            for category in Category:
                found = Exposure(code >> _PLACE[category] & 3)
                if found:
                    numbers.categories[category][found].patients += count
        for key, code in self._envelopes.items():
            self._add(numbers, key, code)
        return numbers

    def _add(self, numbers: Numbers, key: int, code: int) -> None:
        identity, content, objects = Exposure(code & 3), Exposure(code >> 2 & 3), code >> 9
        category = _ORDER[(code >> 4 & 15) // 2]
        if not code >> 8 & 1:
            numbers.unfiled[max(identity, content)] += 1
        numbers.categories[Category.IDENTITY][identity].envelopes += 1
        amount = numbers.categories[category][content]
        amount.envelopes += 1
        read = self._read.get(key)
        if read is None:
            amount.objects += objects
            return
        amount.objects += read
        numbers.categories[category][Exposure.READABLE].objects += max(0, objects - read)

    def ids(self, found: Exposure) -> Iterator[str]:
        """The random ids of the patients of whom that is the worst."""
        return (f"{key:032x}" for key, code in self._patients.items() if _worst(code) is found)


def _worst(code: int) -> Exposure:
    return Exposure(max(code >> place & 3 for place in range(0, _BITS, 2)))
