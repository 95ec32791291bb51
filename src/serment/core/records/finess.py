"""The number of a health establishment in France (FINESS): public, so it is not masked.

Parses and checks the number; what the establishment is stands in the public register.
"""

from __future__ import annotations

import re

from serment.core.records.check_digits import luhn_holds
from serment.errors import N_, FormatError

_SHAPE = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{7}")


def parse_finess(untrusted_text: str) -> str:
    """Return the 9 characters; spaces may stand between them.

    The first two are the department. The key (Luhn) is checked for numeric departments; how the
    letters of Corsica count in it is not published, so there only the shape is checked.

    Raises:
        FormatError: it has another shape or a wrong key.
    """
    number = "".join(untrusted_text[:40].split()).upper()
    if not _SHAPE.fullmatch(number):
        raise FormatError(
            N_("this is not a FINESS number"),
            hint=N_("a FINESS number has 9 characters, the first two name the department"),
        )
    if number.isdecimal() and not luhn_holds(number):
        raise FormatError(
            N_("the key of this FINESS number is wrong"),
            hint=N_("one digit was probably mistyped: compare it with the register"),
        )
    return number
