"""Turns the bytes of a text value into a string, whatever character set was declared, or none.

It never fails: what cannot be decoded shows a replacement character, and control characters are
dropped, so that a value cannot command the terminal or the page it is shown on. Code extensions
(ISO 2022) are pydicom's work.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_ESCAPE: Final = 0x1B
_DEFAULT: Final = "iso8859"
_RESETS: Final = {ord(c) for c in "\r\n\t\f\\"}  # what ends a code extension (PS3.5 6.1.2.5.3)
_RESETS_PN: Final = _RESETS | {ord(c) for c in "^="}
_FREE_TEXT: Final = frozenset({"LT", "ST", "UT"})  # VRs that may hold line breaks
_KEPT_CONTROLS: Final = "\r\n\t\f"

_ISO_2022: Final = {
    6: "iso8859",
    13: "shift_jis",
    58: "iso_ir_58",
    87: "iso2022_jp",
    100: "latin_1",
    101: "iso8859_2",
    109: "iso8859_3",
    110: "iso8859_4",
    149: "euc_kr",
    159: "iso2022_jp_2",
    **{number: f"iso_ir_{number}" for number in (126, 127, 138, 144, 148, 166)},
}
_EXTENDED_ONLY: Final = {58, 87, 149, 159}
ENCODINGS: Final = {
    "": _DEFAULT,
    **{f"ISO_IR {n}": name for n, name in _ISO_2022.items() if n not in _EXTENDED_ONLY},
    **{f"ISO 2022 IR {n}": name for n, name in _ISO_2022.items()},
    "ISO_IR 192": "UTF8",
    "GB18030": "GB18030",
    "GBK": "GBK",
    "ISO 2022 GBK": "GBK",
    "ISO 2022 58": "GB2312",  # as correction CP-1234 writes them
}
"""Python's name of each Specific Character Set (DICOM PS3.3 C.12.1.1.2)."""


@lru_cache(maxsize=256)
def encodings_of(charset: tuple[str, ...]) -> tuple[str, ...]:
    """Return the Python encodings of a Specific Character Set; empty when none was declared.

    Unknown terms count as Latin-1, the default repertoire's superset (DICOM PS3.3 C.12.1.1.2).
    """
    if not any(charset):
        return () if len(charset) < 2 else (_DEFAULT,)
    return tuple(ENCODINGS.get(_term(term), _DEFAULT) for term in charset)


def _term(term: str) -> str:
    """Return the term as the standard spells it: devices write ISO-IR 100, ISO_IR100, iso ir 192."""
    plain = term.upper().replace("-", " ").replace("_", " ").strip()
    digits = plain.removeprefix("ISO IR").strip()
    if plain.startswith("ISO IR") and digits.isdigit():
        return f"ISO_IR {digits}"
    if plain.startswith("ISO 2022"):
        return "ISO 2022" + (" " + plain.removeprefix("ISO 2022").strip()).rstrip()
    return term.strip()


def decode(value: bytes, encodings: Sequence[str], vr: str = "LO") -> str:
    """Return the text of a value, without padding and control characters.

    Args: `encodings` as `encodings_of` returns them. Multiple values stay joined by backslashes.
    """
    if value.isascii() and _ESCAPE not in value:
        text = value.decode("ascii")
    elif not encodings:
        text = _undeclared(value)
    elif len(encodings) == 1 and _ESCAPE not in value:
        text = value.decode(encodings[0], errors="replace")
    else:
        text = _extended(value, encodings, vr)
    text = text.rstrip("\0 ") if vr in _FREE_TEXT else text.strip("\0 ")
    return text if text.isprintable() else printable(text, vr in _FREE_TEXT)


def _undeclared(value: bytes) -> str:
    """Devices that declare nothing send UTF-8 or Latin-1; hardly any Latin-1 text is valid UTF-8."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _extended(value: bytes, encodings: Sequence[str], vr: str) -> str:
    from pydicom.charset import decode_bytes  # rare, and half a second to load (see `registry`)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return decode_bytes(value, encodings, _RESETS_PN if vr == "PN" else _RESETS)
        except (UnicodeError, LookupError, ValueError):
            return value.decode("latin-1")


def printable(text: str, lines: bool = False) -> str:
    """Return the text without control characters and lone surrogates; line breaks if asked for."""
    kept = _KEPT_CONTROLS if lines else ""
    return "".join(c for c in text if c in kept or not _is_control(c))


def _is_control(char: str) -> bool:
    code = ord(char)
    return code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000
