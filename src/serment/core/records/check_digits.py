"""The two ways French health numbers are checked: Luhn's key and the complement to 97."""

from __future__ import annotations


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the key of the others (ISO/IEC 7812-1, annex B).

    >>> luhn_holds("732829320"), luhn_holds("732829321")
    (True, False)
    """
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def key_97(number: int) -> int:
    """The two-digit key of a NIR: 97 less the remainder by 97 (1 to 97)."""
    return 97 - number % 97
