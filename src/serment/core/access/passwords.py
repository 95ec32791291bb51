"""Whether a password is strong enough for a vault that may be stolen and attacked without limits.

CNIL's 80 bits in the three forms it gives as examples, and nothing that those who guess try first:
not the login, not the practice's name, not known words with digits and signs around them. Deriving
keys from it is for `core.crypto.password`; waiting after failures for `throttle`.

Source: CNIL délibération n° 2022-100 of 21 July 2022 (80 bits where the password stands alone). 12
of 99 characters are 79.55 bits, which CNIL counts as 80; so the forms are the rule, not a sum.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from serment.errors import N_, UsageError

MAX_CHARACTERS = 256
RULE_NAME = "cnil-2022-100/80-bits"  # as the journal has it; another rule gets another name

# (classes of characters, characters) of which one pair must be reached.
FORMS = ((4, 12), (3, 14))
PASSPHRASE_WORDS = 7
PASSPHRASE_LETTERS = 24

# What a piece is worth to somebody who tries the likely first, in bits.
WORD_BITS = 12.0  # one of some thousands of words
RUN_BITS = 8.0  # aaaa, 1234, azert: where it starts, which way, how long
YEAR_BITS = 6.0
DIGIT_BITS = 3.3
OTHER_BITS = 6.0
ENOUGH_BITS = 45.0

RULE = N_(
    "use 12 characters with small and capital letters, digits and signs, or 14 with three of "
    "these, or a phrase of 7 words"
)
TOO_WEAK = N_("the password is shorter or simpler than 80 bits")
TOO_LONG = N_("the password is longer than 256 characters")
NOT_TEXT = N_("the password holds a character that no keyboard gives")
HAS_LOGIN = N_("the password contains the login")
HAS_PRACTICE = N_("the password contains the name of the practice")
EASY = N_("the password is made of words, years or rows of keys that are tried first")
EASY_HINT = N_("let chance choose: a phrase of 7 unrelated words, or a password manager")

# Words of a practice's name that name no practice.
_COMMON = frozenset(
    {"cabinet", "center", "centre", "clinic", "clinique", "docteur", "doctor", "group", "groupe"}
    | {"health", "imagerie", "imaging", "laboratoire", "laboratory", "maison", "medical"}
    | {"medicale", "practice", "radiologie", "radiology", "sante"}
)
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "&é\"'(-è_çà)=",
    "!@#$%^&*()_+",
)
_LEET = str.maketrans("0134578@$€!|+", "oieastbaseilt")
_LEET_L = str.maketrans("1", "l")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_CLASSES: tuple[Callable[[str], bool], ...] = (
    str.islower,
    str.isupper,
    str.isdecimal,
    lambda c: not c.isalnum(),
)


def check_password(password: str, login: str, practice: str) -> None:
    """Raise `UsageError` with the first reason why the password is refused, and what would do."""
    for reason in weaknesses(password, login, practice):
        raise UsageError(reason, hint=EASY_HINT if reason == EASY else RULE)


def weaknesses(password: str, login: str, practice: str) -> tuple[str, ...]:
    """Every reason (message ids) why a password is refused; empty when it is strong enough."""
    if len(password) > MAX_CHARACTERS:
        return (TOO_LONG,)
    text = unicodedata.normalize("NFC", password)
    forms = _spellings(text)
    found = {
        NOT_TEXT: any(not c.isprintable() for c in text),
        TOO_WEAK: not (has_form(text) or is_passphrase(text)),
        HAS_LOGIN: any(_has_login(spelling, login) for spelling in forms),
        HAS_PRACTICE: any(_has_practice(spelling, practice) for spelling in forms),
        EASY: min(guess_bits(spelling) for spelling in forms) < ENOUGH_BITS,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def has_form(text: str) -> bool:
    """Whether it has 12 characters of four classes or 14 of three."""
    classes = sum(any(belongs(c) for c in text) for belongs in _CLASSES)
    return any(classes >= some and len(text) >= length for some, length in FORMS)


def is_passphrase(text: str) -> bool:
    """Whether it is seven different words, long enough together not to be seven initials."""
    words = [w for w in re.split(r"[\W_]+", text) if sum(c.isalpha() for c in w) >= 2]
    letters = sum(c.isalpha() for word in words for c in word)
    different = len({word.casefold() for word in words})
    return different >= PASSPHRASE_WORDS and letters >= PASSPHRASE_LETTERS


def guess_bits(folded: str) -> float:
    """The least a folded text is worth when cut into words, years, rows and characters."""
    best = [0.0]
    for end in range(1, len(folded) + 1):
        cuts = (best[end - size] + bits for size, bits in _pieces(folded, end))
        best.append(min(cuts))
    return best[-1]


def _pieces(folded: str, end: int) -> list[tuple[int, float]]:
    """(length, bits) of every piece that ends there."""
    last = folded[end - 1]
    found = [(1, DIGIT_BITS if last.isdecimal() else OTHER_BITS)]
    for size in range(3, min(end, _longest()) + 1):
        piece = folded[end - size : end]
        if piece in blocked_words():
            found.append((size, WORD_BITS))
        if len(set(piece)) == 1 or any(piece in row or piece[::-1] in row for row in _ROWS):
            found.append((size, RUN_BITS))
    if _YEAR.fullmatch(folded[max(end - 4, 0) : end]):
        found.append((4, YEAR_BITS))
    return found


@cache
def blocked_words() -> frozenset[str]:
    """The packaged list, read once: part of the program, like a table, so no caller can leave it
    out."""
    text = files(__package__).joinpath("blocked_words.txt").read_text(encoding="ascii")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split() if len(word) >= 3)


@cache
def _longest() -> int:
    return max(map(len, blocked_words()))


def _spellings(text: str) -> tuple[str, ...]:
    """The text without case and accents, as it is and with letter-like digits read as letters."""
    plain = _fold(text)
    return (plain, plain.translate(_LEET), plain.translate(_LEET_L).translate(_LEET))


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _has_login(spelling: str, login: str) -> bool:
    folded = _fold(login)
    return len(folded) >= 3 and folded in spelling


def _has_practice(spelling: str, practice: str) -> bool:
    words = re.findall(r"[^\W_]+", _fold(practice))
    telling = [word for word in words if len(word) >= 4 and word not in _COMMON]
    compact = re.sub(r"[\W_]+", "", spelling)
    whole = "".join(words)
    return any(word in compact for word in telling) or (len(whole) >= 4 and whole in compact)
