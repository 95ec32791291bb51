"""The patients an open session knows, indexed so that an arrival meets only those it may resemble.

Lives in memory only and is used by one thread at a time. Finds; `filing` decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from serment.core.records.filing import resembles
from serment.core.records.identity import Identity, fold_identifier


class PatientBook:
    """Patients by identifier, folded name and birth date: a look-up costs what it finds."""

    def __init__(self) -> None:
        self._patients: dict[str, Identity] = {}
        # Most keys lead to one patient: a set is made only where there are more.
        self._index: dict[str, str | set[str]] = {}
        self.version = 0  # grows whenever a patient comes, changes or goes

    def __len__(self) -> int:
        return len(self._patients)

    def __contains__(self, patient: str) -> bool:
        return patient in self._patients

    def __iter__(self) -> Iterator[str]:
        return iter(self._patients)

    def __repr__(self) -> str:
        return f"PatientBook({len(self)} patients)"

    def get(self, patient: str) -> Identity | None:
        """What is known of a patient, or None."""
        return self._patients.get(patient)

    def put(self, patient: str, identity: Identity) -> None:
        """Add a patient, or replace what is known of one."""
        self.remove(patient)
        self._patients[patient] = identity
        self.version += 1
        for key in _keys(identity):
            held = self._index.setdefault(key, patient)
            if isinstance(held, set):
                held.add(patient)
            elif held != patient:
                self._index[key] = {held, patient}

    add = update = put

    def remove(self, patient: str) -> None:
        """Forget a patient; nothing happens when unknown."""
        identity = self._patients.pop(patient, None)
        if identity is None:
            return
        self.version += 1
        for key in _keys(identity):
            held = self._index[key]
            if isinstance(held, set):
                held.discard(patient)
            if not isinstance(held, set) or not held:
                del self._index[key]

    def candidates(self, arrival: Identity) -> list[tuple[str, Identity]]:
        """Every patient that `filing.resembles` the arrival, in the order of their ids."""
        met = ((patient, self._patients[patient]) for patient in sorted(self._met(arrival)))
        return [(patient, known) for patient, known in met if resembles(arrival, known)]

    def _met(self, arrival: Identity) -> set[str]:
        """The patients that share a key with the arrival."""
        found: set[str] = set()
        for key in _keys(arrival):
            held = self._index.get(key, set())
            found |= held if isinstance(held, set) else {held}
        return found


def _keys(identity: Identity) -> set[str]:
    """Under what an identity is found: a key for each way in which two may resemble."""
    keys = {f"i{fold_identifier(i.value)}" for i in identity.identifiers}
    if identity.folded_name:
        keys.add(f"n{identity.folded_name}")
    if identity.birth_date:
        keys.add(f"b{identity.birth_date}")
    return keys
