"""Writes a person's name the one way it is searched by: LEFEVRE finds LEFÈVRE.

It decides equality for searching and filing only; the name shown stays as it was sent.
"""

from __future__ import annotations

from typing import Final
from unicodedata import category, normalize

_LETTERS: Final = str.maketrans(
    {"Œ": "OE", "Æ": "AE", "ẞ": "SS", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "Ħ": "H"}
    | {"ı": "I", "Ŋ": "N", "Ŧ": "T", "Ɨ": "I", "ƒ": "F"}
)
_SPACES: Final = str.maketrans(dict.fromkeys("^'’‘ʼ`´-‐‒–—−_\t\r\n\0", " "))


def fold(name: str) -> str:
    """Return the name in capitals without accents, its parts separated by single spaces.

    Of a DICOM name (PS3.5 section 6.2, PN) only the first component group that holds something
    counts; carets, apostrophes and hyphens become spaces. Wildcards stay. Folding twice changes
    nothing.

    >>> fold("Lefèvre^Anne-Cœur")
    'LEFEVRE ANNE COEUR'
    """
    plain = name.upper() if name.isascii() else _without_accents(name)
    if "=" in plain:
        plain = next((group for group in plain.split("=") if group.strip(" ^")), "")
    return " ".join(plain.translate(_SPACES).split())


def _without_accents(name: str) -> str:
    """Capital letters, decomposed, without marks. Twice: some capitals decompose only once made."""
    for _ in range(2):
        letters = normalize("NFKD", name).upper().translate(_LETTERS)
        name = "".join(c for c in normalize("NFKD", letters) if category(c) not in ("Mn", "Cf"))
    return name
