"""The number of the French register of natural persons (NIR), also called the social security number.

Parses and checks one number. Says nothing about whose it is, nor whether it was ever given out.

Source: décret n° 82-103 of 22 January 1982, art. 4 (sex, year, month, place of birth, order).
"""

from __future__ import annotations

import re
from enum import StrEnum

from serment.core.masked import Masked
from serment.core.records.check_digits import key_97
from serment.errors import N_, FormatError

_SHAPE = re.compile(
    r"(?P<sex>[123478])(?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<place>[0-9]{5}|2[AB][0-9]{3})"
    r"(?P<order>[0-9]{3})(?P<key>[0-9]{2})?"
)
_SEPARATORS = str.maketrans("", "", " .-\u00a0\u202f\t")
# Month of an unknown or foreign date of birth: any of these beside 01 to 12.
_OTHER_MONTHS = (range(20, 43), range(50, 100))


class NirKind(StrEnum):
    """Whether the number is definitive."""

    REGISTERED = "registered"  # first digit 1 or 2
    WAITING = "waiting"  # NIA: 3, 4, 7 or 8, until the civil status is certified


class Nir(Masked[str]):
    """A checked number: 13 characters, without its key."""

    __slots__ = ()

    @property
    def kind(self) -> NirKind:
        """Registered, or waiting."""
        return NirKind.REGISTERED if self.reveal()[0] in "12" else NirKind.WAITING

    @property
    def sex(self) -> str:
        """M for odd first digits, F for even ones."""
        return "M" if int(self.reveal()[0]) % 2 else "F"

    @property
    def year(self) -> str:
        """The last two digits of the year of birth."""
        return self.reveal()[1:3]

    @property
    def month(self) -> str | None:
        """The month of birth, 01 to 12; None when the civil status does not say."""
        month = self.reveal()[3:5]
        return month if 1 <= int(month) <= 12 else None

    @property
    def place(self) -> str:
        """The five characters of the place of birth (INSEE code of the commune or country)."""
        return self.reveal()[5:10]

    @property
    def key(self) -> str:
        """The two digits that check it."""
        return _key(self.reveal())


def parse_nir(untrusted_text: str) -> Nir:
    """Read 13 or 15 characters; spaces, dots and hyphens may stand between them.

    Raises:
        FormatError: it has another shape, an impossible month or a wrong key.
    """
    compact = untrusted_text[:40].translate(_SEPARATORS).upper()
    shape = _SHAPE.fullmatch(compact)
    if shape is None or not _is_month(int(shape["month"])):
        raise FormatError(
            N_("this is not a NIR"),
            hint=N_(
                "a NIR has 13 characters and a key of 2 digits: sex, year, month, place, order"
            ),
        )
    if shape["key"] is not None and shape["key"] != _key(compact[:13]):
        raise FormatError(
            N_("the key of this NIR is not the one its digits give"),
            hint=N_("one character was probably mistyped: compare it with the card"),
        )
    return Nir(compact[:13])


def is_nir(untrusted_text: str) -> bool:
    """Whether the text is a NIR with its key."""
    try:
        nir = parse_nir(untrusted_text)
    except FormatError:
        return False
    return len(untrusted_text.translate(_SEPARATORS)) == len(nir.reveal()) + 2


def _is_month(month: int) -> bool:
    return 1 <= month <= 12 or any(month in other for other in _OTHER_MONTHS)


def _key(thirteen: str) -> str:
    """Corsica counts as 19 (2A) and 18 (2B) in the sum."""
    department = thirteen[5:7].replace("2A", "19").replace("2B", "18")
    return f"{key_97(int(thirteen[:5] + department + thirteen[7:])):02}"
