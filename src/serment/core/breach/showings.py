"""What entries say was shown: of which envelopes, which objects of what kind, which patients.

Decides nothing about whose entries count. Memory: seventeen bytes for an object that was named, until
all of its envelope were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from serment.core.breach.exposure import CATEGORY, Category
from serment.core.breach.numbering import ID, Ids, raw_id

IDENTITY = "identity"  # `kind` of a READ entry that names a patient, no object
_PLACE = ID + 1
_CODES = {kind.value: place for place, kind in enumerate(CATEGORY, 1)}
_UNSAID = 0  # thumbnails, headers: of an object of whatever kind
_CATEGORIES = dict(enumerate(CATEGORY.values(), 1))


class Showings:
    """Fed with the details of entries."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._objects: dict[int, bytearray | None] = {}  # None: all of them
        self._patients: set[int] = set()

    def listed(self, envelopes: Iterable[bytes]) -> None:
        """A list showed whom these are about."""
        for envelope in envelopes:
            self._objects.setdefault(self._ids.envelopes.of(envelope), bytearray())

    def opened(self, envelope: int | None, details: Mapping[str, Any], size: int) -> None:
        """Objects, or an identity, were opened; `size`: how many objects the envelope has, as far
        as is known then."""
        patient = raw_id(details.get("patient"))
        if patient is not None:
            self._patients.add(self._ids.patients.of(patient))
        if envelope is None:
            return
        shown = self._objects.setdefault(envelope, bytearray())
        if details.get("kind") == IDENTITY or shown is None:
            return
        code = _CODES.get(str(details.get("kind")), _UNSAID)
        for each in raw_ids(details.get("objects")):
            _add(shown, each, code)
        if 0 < size <= len(shown) // _PLACE:
            self._objects[envelope] = None

    def has(self, envelope: int) -> bool:
        """Whether whom it is about was shown, or more."""
        return envelope in self._objects

    def has_patient(self, patient: int) -> bool:
        return patient in self._patients

    def objects(self, envelope: int, contents: Mapping[Category, int]) -> dict[Category, int]:
        """How many of its objects were shown, of those categories that have so many. Where no entry
        says what an object was, each category counts it: a bound."""
        shown = self._objects.get(envelope, bytearray())
        if shown is None:
            return dict(contents)
        if not shown:
            return {}
        codes = Counter(shown[ID::_PLACE])
        if len(contents) == 1:
            ((category, size),) = contents.items()
            return {category: min(codes.total(), size) if size else codes.total()}
        said = {_CATEGORIES[code]: count for code, count in codes.items() if code != _UNSAID}
        unsaid = codes.total() - sum(said.get(category, 0) for category in contents)
        return {
            category: min(size, said.get(category, 0) + unsaid)
            for category, size in contents.items()
        }


def raw_ids(value: object) -> list[bytes]:
    """The ids in a list; nothing of what an entry may hold besides."""
    found = map(raw_id, value if isinstance(value, list) else ())
    return [each for each in found if each is not None]


def _add(shown: bytearray, raw: bytes, code: int) -> None:
    at = shown.find(raw)
    while at > 0 and at % _PLACE:  # across two ids
        at = shown.find(raw, at + 1)
    if at < 0:
        shown += raw + bytes((code,))
    elif shown[at + ID] == _UNSAID:
        shown[at + ID] = code
