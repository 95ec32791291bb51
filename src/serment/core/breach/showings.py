"""What entries say was shown: of which envelopes, how many of their objects, which patients.

Decides nothing about whose entries count. Memory: an object that was named is a number, until all of
its envelope were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

IDENTITY = "identity"  # `kind` of a READ entry that names a patient, no object


class Showings:
    """Fed with the details of entries."""

    def __init__(self) -> None:
        self._objects: dict[int, set[int] | None] = {}  # None: all of them
        self._patients: set[int] = set()

    def listed(self, envelopes: Iterable[int]) -> None:
        """A list showed whom these are about."""
        for envelope in envelopes:
            self._objects.setdefault(envelope, set())

    def opened(self, details: Mapping[str, Any], size: int) -> None:
        """Objects, or an identity, were opened; `size`: how many objects the envelope has, as far
        as is known then."""
        patient, envelope = id_of(details.get("patient")), id_of(details.get("envelope"))
        if patient is not None:
            self._patients.add(patient)
        if envelope is None:
            return
        shown = self._objects.setdefault(envelope, set())
        if details.get("kind") == IDENTITY or shown is None:
            return
        shown.update(ids_of(details.get("objects")))
        if 0 < size <= len(shown):
            self._objects[envelope] = None

    def has(self, envelope: int) -> bool:
        """Whether whom it is about was shown, or more."""
        return envelope in self._objects

    def has_patient(self, patient: int) -> bool:
        return patient in self._patients

    def objects(self, envelope: int, size: int) -> int:
        """How many of its objects were shown; `size` as of `opened`, known in the end."""
        shown = self._objects.get(envelope, set())
        return size if shown is None else min(len(shown), size) if size else len(shown)


def id_of(value: object) -> int | None:
    """A random id as a number; None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        return int(value, 16)
    except ValueError:
        return None


def ids_of(value: object) -> list[int]:
    """The ids in a list; nothing of what an entry may hold besides."""
    found = map(id_of, value if isinstance(value, list) else ())
    return [each for each in found if each is not None]
