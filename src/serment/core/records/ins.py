"""The French national health identity (INS): a matricule, who assigned it, and five strict traits.

Checks that the parts can belong together. Only the INSi service and a proof of identity make an
identity "qualified"; Serment never claims that by itself.

Source: référentiel Identifiant national de santé (ANS); OIDs as published in HL7 FR Core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from serment.core.masked import MASK
from serment.core.records.identity import fold_name
from serment.core.records.nir import Nir, NirKind, parse_nir
from serment.errors import N_, FormatError


class InsAuthority(StrEnum):
    """Who assigned the matricule: the OID that travels with it."""

    NIR = "1.2.250.1.213.1.4.8"
    NIA = "1.2.250.1.213.1.4.9"
    TEST = "1.2.250.1.213.1.4.10"
    DEMONSTRATION = "1.2.250.1.213.1.4.11"


# Which kinds of number each authority assigns.
KINDS: Mapping[InsAuthority, frozenset[NirKind]] = {
    InsAuthority.NIR: frozenset({NirKind.REGISTERED}),
    InsAuthority.NIA: frozenset({NirKind.WAITING}),
    InsAuthority.TEST: frozenset(NirKind),
    InsAuthority.DEMONSTRATION: frozenset(NirKind),
}


class Trait(StrEnum):
    """The five strict traits."""

    BIRTH_NAME = "birth_name"
    FIRST_GIVEN_NAME = "first_given_name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    BIRTH_PLACE = "birth_place"


@dataclass(frozen=True, slots=True, repr=False)
class Ins:
    """A matricule and its authority."""

    matricule: Nir
    authority: InsAuthority

    def __repr__(self) -> str:
        return f"Ins({MASK}, {self.authority.name})"

    @property
    def is_real(self) -> bool:
        """Whether it may name a living person: neither a test nor a demonstration."""
        return self.authority in (InsAuthority.NIR, InsAuthority.NIA)


@dataclass(frozen=True, slots=True, repr=False)
class StrictTraits:
    """What the civil status says. `birth_date` YYYYMMDD, `birth_place` five characters."""

    birth_name: str
    first_given_name: str
    birth_date: str
    sex: str
    birth_place: str

    def __repr__(self) -> str:
        return f"StrictTraits({MASK})"


def parse_ins(untrusted_matricule: str, untrusted_oid: str) -> Ins:
    """Read a matricule with the OID of its authority ("urn:oid:" in front is understood).

    Raises:
        FormatError: not a NIR, an unknown authority, or a number that authority does not assign.
    """
    oid = untrusted_oid[:64].strip().removeprefix("urn:oid:")
    if oid not in set(InsAuthority):
        raise FormatError(
            N_("this OID is not one of the authorities of the national health identity"),
            hint=N_("1.2.250.1.213.1.4.8 for a NIR, 1.2.250.1.213.1.4.9 for a NIA"),
        )
    authority = InsAuthority(oid)
    matricule = parse_nir(untrusted_matricule)
    if matricule.kind not in KINDS[authority]:
        raise FormatError(
            N_("this authority does not assign such a number"),
            hint=N_("a NIR starts with 1 or 2, a NIA with 3, 4, 7 or 8"),
        )
    return Ins(matricule, authority)


def differing_traits(ins: Ins, traits: StrictTraits) -> tuple[Trait, ...]:
    """The traits that the number contradicts or that are not stated; empty when all fit.

    The number tells sex, year, month and place of birth. A waiting number may have been given
    with an incomplete civil status, and a change of sex in the civil status changes it: a
    difference is a reason to look, not a proof of error.
    """
    number = ins.matricule
    checks = {
        Trait.BIRTH_NAME: bool(fold_name(traits.birth_name)),
        Trait.FIRST_GIVEN_NAME: bool(fold_name(traits.first_given_name)),
        Trait.BIRTH_DATE: traits.birth_date[2:4] == number.year
        and number.month in (None, traits.birth_date[4:6]),
        Trait.SEX: traits.sex == number.sex,
        Trait.BIRTH_PLACE: traits.birth_place.upper() == number.place,
    }
    return tuple(trait for trait, fits in checks.items() if not fits)
