"""Who an arrival, or a patient, is said to be, in the form that filing compares.

Parses the administrative header once: values that machines write when they know nothing are
treated as not stated. Does not decide whether two identities are the same person (`filing`).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from serment.core.masked import MASK
from serment.errors import N_, FormatError

SEXES = frozenset("MFO")  # DICOM PS3.3 C.7.1.1, Patient's Sex
MAX_TEXT = 256
MAX_IDENTIFIERS = 32

# What devices write when the operator typed nothing; compared after folding, without spaces.
NOBODY = frozenset({"ANONYME", "ANONYMOUS", "INCONNU", "INCONNUE", "UNKNOWN", "NONE", "NULL", "NN"})
NOT_A_NAME = NOBODY | {"ANONYMISE", "ANONYMIZED", "NONAME", "SANSNOM", "NOM", "NAME"}
NOT_AN_IDENTIFIER = NOBODY | {"NA", "NAN", "NOID", "SANSID", "ID", "PATIENTID"}
NOT_A_BIRTH_DATE = frozenset({"19000101", "18000101", "18581117"})

# Letters that decomposition leaves whole.
_LETTERS = str.maketrans(
    {"Æ": "AE", "Œ": "OE", "Ø": "O", "Đ": "D", "Ð": "D", "Ł": "L", "Þ": "TH", "ẞ": "SS", "İ": "I"}
)
_PUNCTUATION = re.compile(r"[\s^=.,;:'’`´_\-–—]+")


class Identifier(NamedTuple):
    """A number and what makes it mean one person: its issuer or, failing that, its sender."""

    value: str
    issuer: str | None = None
    device: str | None = None  # only where there is no issuer

    def __repr__(self) -> str:
        return f"Identifier({MASK})"


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A person as named by one source; every part may be missing.

    `name` is as received (DICOM PN, first group used), `birth_date` YYYYMMDD, `sex` M, F or O.
    """

    name: str = ""
    birth_date: str | None = None
    sex: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    folded_name: str = field(init=False, compare=False)  # empty when no name is stated

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded_name", fold_name(self.name))

    def __repr__(self) -> str:
        return f"Identity({MASK})"

    @property
    def is_complete(self) -> bool:
        """Whether identifier, birth date, sex and name are all stated."""
        return bool(self.identifiers and self.birth_date and self.sex and self.folded_name)

    def sent_by(self, device: str | None) -> Identity:
        """The same with the sender beside identifiers that name no issuer."""
        marked = tuple(
            i if i.issuer or i.device else i._replace(device=device) for i in self.identifiers
        )
        return replace(self, identifiers=marked)

    def learning(self, other: Identity) -> Identity:
        """The same person with the identifiers of another source added; for a patient's record
        once an arrival was filed with it."""
        known = dict.fromkeys(self.identifiers + other.identifiers)
        return replace(self, identifiers=tuple(known)[:MAX_IDENTIFIERS])

    def without(self, identifiers: Collection[Identifier]) -> Identity:
        """The same without those identifiers."""
        kept = tuple(i for i in self.identifiers if i not in identifiers)
        return replace(self, identifiers=kept)

    def encode(self) -> bytes:
        """Compact JSON, to be sealed."""
        body = {
            "name": self.name,
            "birth_date": self.birth_date,
            "sex": self.sex,
            "identifiers": [list(identifier) for identifier in self.identifiers],
        }
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def decode(cls, raw: bytes) -> Identity:
        """Read what `encode` wrote; `FormatError` for anything else."""
        try:
            body = json.loads(raw)
            identifiers = tuple(Identifier(*parts) for parts in body["identifiers"])
            return cls(body["name"], body["birth_date"], body["sex"], identifiers)
        except (ValueError, TypeError, KeyError) as error:
            raise FormatError(
                N_("an identity record cannot be read"), hint=N_("run `serment doctor`")
            ) from error


def read_identity(untrusted_header: Mapping[str, Any]) -> Identity:
    """The identity stated by an administrative header (keywords of `core.dicom.headers`).

    PatientID goes with IssuerOfPatientID. An entry of OtherPatientIDs is a text or a pair of
    value and issuer. What cannot be what it claims (a date that never was) counts as not stated.
    """
    issuer = _text(untrusted_header.get("IssuerOfPatientID")) or None
    found = [Identifier(_text(untrusted_header.get("PatientID")), issuer)]
    found += _others(untrusted_header.get("OtherPatientIDs") or ())
    stated = dict.fromkeys(i for i in found if _is_identifier(i.value))
    name = _text(untrusted_header.get("PatientName"))
    sex = _text(untrusted_header.get("PatientSex")).upper()
    return Identity(
        name if fold_name(name) else "",
        _birth_date(_text(untrusted_header.get("PatientBirthDate"))),
        sex if sex in SEXES else None,
        tuple(stated)[:MAX_IDENTIFIERS],
    )


def person_of(patient: str | None, untrusted_header: Mapping[str, Any]) -> str:
    """Who something is shown under: the patient it is filed with or, while it waits, everything its
    header states of a person. Two values are two people, as far as anybody knows yet."""
    if patient is not None:
        return patient
    stated = read_identity(untrusted_header)
    said = (stated.folded_name, stated.birth_date, stated.sex, stated.identifiers)
    return json.dumps(said, ensure_ascii=False)


def fold_name(name: str) -> str:
    """Family and given names in capitals, without accents nor punctuation, single spaces.

    Only the first group with letters counts (PS3.5 6.2.1.1: alphabetic, ideographic, phonetic)
    and of it family, given and middle names, not prefix and suffix.

    >>> fold_name("Lefèvre-d'Arc^Anne  Marie^^Mme")
    'LEFEVRE D ARC ANNE MARIE'
    """
    groups = (_fold("^".join(group.split("^")[:3])) for group in name[:MAX_TEXT].split("="))
    folded = next((group for group in groups if group), "")
    return folded if _says_something(folded.replace(" ", ""), NOT_A_NAME) else ""


def fold_identifier(value: str) -> str:
    """Capitals without spaces; leading zeros stay, they may mean something."""
    return "".join(value.upper().split())


def _fold(text: str) -> str:
    if text.isascii() and text.isprintable():
        return _PUNCTUATION.sub(" ", text.upper()).strip()
    # Twice: what decomposes may only then have a capital, and a capital may decompose.
    capitals = unicodedata.normalize("NFKD", text).upper().translate(_LETTERS)
    decomposed = unicodedata.normalize("NFKD", capitals)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c) and c.isprintable())
    return _PUNCTUATION.sub(" ", plain).strip()


def _text(value: object) -> str:
    """A header value as bounded text without control characters."""
    if not isinstance(value, str):
        return ""
    return "".join(c if c.isprintable() else " " for c in value[:MAX_TEXT]).strip()


def _others(values: Iterable[object]) -> list[Identifier]:
    found = []
    for value in (values,) if isinstance(values, str) else values:
        pair = value if isinstance(value, list | tuple) and len(value) == 2 else (value, None)
        found.append(Identifier(_text(pair[0]), _text(pair[1]) or None))
    return found


def _is_identifier(value: str) -> bool:
    letters = re.sub(r"\W|_", "", fold_identifier(value))
    return _says_something(letters.strip("0"), NOT_AN_IDENTIFIER)


def _says_something(text: str, nothing: frozenset[str]) -> bool:
    """Whether a value is more than a word for "unknown" or a row of X."""
    return bool(text.strip("X")) and text not in nothing


def _birth_date(text: str) -> str | None:
    if not re.fullmatch(r"[0-9]{8}", text) or text in NOT_A_BIRTH_DATE:
        return None
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
    return text
