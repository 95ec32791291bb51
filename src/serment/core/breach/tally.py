"""Adds up what was found of each patient and envelope: the worst of several answers counts.

Of a patient one small number is kept, two bits for every category; of an envelope nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from serment.core.breach.arrivals import Arrivals
from serment.core.breach.exposure import TOLD, Category, Exposure
from serment.core.breach.judgement import Judge, Judged
from serment.core.breach.numbering import Ids

_PLACE = {category: 2 * at for at, category in enumerate(Category)}
_BITS = 2 * len(Category)  # eight: one byte


@dataclass(slots=True)
class Amount:
    """How many of one category and exposure; `envelopes` and `objects` filed or not."""

    patients: int = 0
    envelopes: int = 0
    objects: int = 0


@dataclass(slots=True)
class Sums:
    """`patients` and `unfiled` (envelopes) by exposure."""

    patients: Counter[Exposure] = field(default_factory=Counter)
    unfiled: Counter[Exposure] = field(default_factory=Counter)
    categories: dict[Category, dict[Exposure, Amount]] = field(
        default_factory=lambda: {c: {e: Amount() for e in TOLD} for c in Category}
    )


class Tally:
    """Of one or more vectors. `unsorted`: envelopes whose objects' kinds are not all known."""

    def __init__(self, judges: Sequence[Judge], arrivals: Arrivals, ids: Ids) -> None:
        self._judges, self._arrivals, self._ids = judges, arrivals, ids
        self._patients = bytearray(len(ids.patients))
        self.sums, self.unsorted = Sums(), 0
        for judge in judges:
            for patient in range(len(ids.patients)):
                self._note(patient, Category.IDENTITY, judge.patient(patient))
        for envelope in range(len(ids.envelopes)):
            self._add(envelope)
        self._add_patients()

    def ids(self, found: Exposure) -> Iterator[str]:
        """The random ids of the patients of whom that is the worst."""
        for number, raw in self._ids.patients.ids():
            code = self._patients[number]
            if code and _worst(code) is found:
                yield raw.hex()

    def _add(self, envelope: int) -> None:
        asked = (judge.envelope(envelope) for judge in self._judges)
        answers = [answer for answer in asked if answer is not None]
        if not answers:
            return
        judged = answers[0] if len(answers) == 1 else _worst_of(answers)
        self.unsorted += not self._arrivals.is_sorted(envelope)
        patient, categories = self._arrivals.patient(envelope), self.sums.categories
        categories[Category.IDENTITY][judged.identity].envelopes += 1
        if patient is None:
            self.sums.unfiled[judged.identity] += 1
        else:
            self._note(patient, Category.IDENTITY, judged.identity)
        for category, objects in self._arrivals.contents(envelope).items():
            found = judged.contents[category]
            amounts = categories[category]
            amounts[found].envelopes += 1
            read = min(judged.read[category], objects) if found is Exposure.READ else objects
            amounts[found].objects += read
            amounts[Exposure.READABLE].objects += objects - read
            if patient is not None:
                self._note(patient, category, found)

    def _note(self, patient: int, category: Category, found: Exposure) -> None:
        place, before = _PLACE[category], self._patients[patient]
        if found > before >> place & 3:
            self._patients[patient] = before & ~(3 << place) | found << place

    def _add_patients(self) -> None:
        for code, count in Counter(self._patients).items():
            if not code:
                continue
            self.sums.patients[_worst(code)] += count
            for category, amounts in self.sums.categories.items():
                found = Exposure(code >> _PLACE[category] & 3)
                if found:
                    amounts[found].patients += count


def _worst(code: int) -> Exposure:
    return Exposure(max(code >> place & 3 for place in range(0, _BITS, 2)))


def _worst_of(answers: Sequence[Judged]) -> Judged:
    """Of each part the worst; all of them know the same categories."""
    categories = answers[0].contents
    return Judged(
        max(one.identity for one in answers),
        {each: max(one.contents[each] for one in answers) for each in categories},
        {each: max(one.read.get(each, 0) for one in answers) for each in categories},
    )
