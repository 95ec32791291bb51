"""Whose an arrival is: filed by itself only when everything agrees with exactly one patient.

The rule is the two tables below. What it leaves to others: finding the patients worth comparing
(`book`), sealing and moving keys (`app.protect`), asking the person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from serment.core.records.identity import Identifier, Identity, fold_identifier

MAX_CANDIDATES = 20


class Field(StrEnum):
    """What is compared, in the order people read it."""

    IDENTIFIERS = "identifiers"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    NAME = "name"


class Agreement(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    MISSING = "missing"  # one side does not say


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient the arrival may belong to, and how each field compares."""

    patient: str
    agreement: Mapping[Field, Agreement]

    @property
    def differs(self) -> tuple[Field, ...]:
        """The fields that do not plainly agree."""
        return tuple(f for f in Field if self.agreement[f] is not Agreement.SAME)


@dataclass(frozen=True, slots=True)
class FileWith:
    """Everything agrees with this patient and with no other."""

    patient: str


@dataclass(frozen=True, slots=True)
class NewPatient:
    """The arrival says who it is and resembles nobody."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A person decides. Candidates come closest first; `missing` is what the arrival lacks."""

    candidates: tuple[Candidate, ...]
    missing: tuple[Field, ...]


Decision = FileWith | NewPatient | Ask


def decide(
    arrival: Identity, device: str | None, patients: Iterable[tuple[str, Identity]]
) -> Decision:
    """Say where an arrival goes.

    Args:
        arrival: as read from its header.
        device: id of the sending device, or of the import it came with: what an identifier
            without issuer is compared within. None when nothing says who sent it.
        patients: id and identity of every patient that may resemble (`PatientBook.candidates`).
    """
    sent = arrival.sent_by(device)
    candidates = [Candidate(i, compare(sent, p)) for i, p in patients if resembles(sent, p)]
    agreeing = [c for c in candidates if not c.differs]
    missing = missing_fields(sent)
    if len(agreeing) == 1:
        return FileWith(agreeing[0].patient)
    if not candidates and not missing:
        return NewPatient()
    closest = sorted(candidates, key=lambda c: (len(c.differs), c.patient))
    return Ask(tuple(closest[:MAX_CANDIDATES]), missing)


def compare(arrival: Identity, patient: Identity) -> dict[Field, Agreement]:
    """Field by field; identifiers agree only within one issuer or, failing that, one sender."""
    return {
        Field.IDENTIFIERS: _compare_identifiers(arrival.identifiers, patient.identifiers),
        Field.BIRTH_DATE: _compare(arrival.birth_date, patient.birth_date),
        Field.SEX: _compare(arrival.sex, patient.sex),
        Field.NAME: _compare(arrival.folded_name, patient.folded_name),
    }


def missing_fields(identity: Identity) -> tuple[Field, ...]:
    """What the identity does not state."""
    stated = {
        Field.IDENTIFIERS: identity.identifiers,
        Field.BIRTH_DATE: identity.birth_date,
        Field.SEX: identity.sex,
        Field.NAME: identity.folded_name,
    }
    return tuple(field for field, value in stated.items() if not value)


def resembles(one: Identity, other: Identity) -> bool:
    """Whether two identities could be one person: a shared number, the same folded name, or the
    same birth date with a similar name."""
    if shares_identifier(one, other):
        return True
    first, second = one.folded_name, other.folded_name
    if not first or not second:
        return False
    born = one.birth_date is not None and one.birth_date == other.birth_date
    return first == second or (born and similar_names(first, second))


def shares_identifier(one: Identity, other: Identity) -> bool:
    """The same number, unless two different issuers are named for it."""
    return any(
        fold_identifier(a.value) == fold_identifier(b.value)
        and (a.issuer is None or b.issuer is None or _issuer(a) == _issuer(b))
        for a in one.identifiers
        for b in other.identifiers
    )


def similar_names(first: str, second: str) -> bool:
    """Whether two folded names share a word of three letters or differ by two keystrokes."""
    shared = set(first.split()) & set(second.split())
    if any(len(word) >= 3 for word in shared):
        return True
    return _within_two(first.replace(" ", ""), second.replace(" ", ""))


def _compare(one: str | None, other: str | None) -> Agreement:
    if not one or not other:
        return Agreement.MISSING
    return Agreement.SAME if one == other else Agreement.DIFFERENT


def _compare_identifiers(
    arrived: tuple[Identifier, ...], known: tuple[Identifier, ...]
) -> Agreement:
    if not arrived or not known:
        return Agreement.MISSING
    ours = {_namespaced(i) for i in known} - {None}
    same = any(_namespaced(i) in ours for i in arrived)
    return Agreement.SAME if same else Agreement.DIFFERENT


def _namespaced(identifier: Identifier) -> tuple[str, str, str] | None:
    """What makes a number mean one person; None when neither issuer nor sender is known."""
    value = fold_identifier(identifier.value)
    if identifier.issuer:
        return ("issuer", _issuer(identifier), value)
    return ("device", identifier.device, value) if identifier.device else None


def _issuer(identifier: Identifier) -> str:
    return fold_identifier(identifier.issuer or "")


def _within_two(first: str, second: str) -> bool:
    """Whether at most two letters were added, lost, changed or swapped (optimal alignment)."""
    if abs(len(first) - len(second)) > 2:
        return False
    before: list[int] = []
    above = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        row = [i]
        for j, b in enumerate(second, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > 2:
            return False
        before, above = above, row
    return above[-1] <= 2
