"""The number of a health professional in France (RPPS): public, so it is not masked.

Parses and checks the number; whether that professional may practise is for the public directory.
"""

from __future__ import annotations

import re

from serment.core.records.check_digits import luhn_holds
from serment.errors import N_, FormatError


def parse_rpps(untrusted_text: str) -> str:
    """Return the 11 digits; spaces may stand between them, and the "8" that marks an RPPS number
    in the national identification (PS_IdNat) may stand in front.

    Raises:
        FormatError: it has another length or a wrong key (Luhn).
    """
    digits = "".join(untrusted_text[:40].split())
    if len(digits) == 12 and digits.startswith("8"):
        digits = digits[1:]
    if not re.fullmatch(r"[0-9]{11}", digits):
        raise FormatError(N_("this is not an RPPS number"), hint=N_("an RPPS number has 11 digits"))
    if not luhn_holds(digits):
        raise FormatError(
            N_("the key of this RPPS number is wrong"),
            hint=N_("one digit was probably mistyped: compare it with the card"),
        )
    return digits
