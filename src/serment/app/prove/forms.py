"""In which byte forms an identifier could lie on a disk, and whether some bytes are one of them.

Decides the forms only; `windows` finds where they may be, `bytesearch` reads the sources.

Letters of either case, with or without their accents, and the separators of names count as the
same: `FOLD` maps each byte to a representative, so that one pattern stands for all of them, and
`Form.confirms` then looks at the bytes themselves.
"""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product

SHORTEST = 8  # bytes: shorter values occur by chance, so finding them would prove nothing
NAME_KINDS = frozenset({"name", "physician"})
_SEPARATORS = "^ _,;"
_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class Planted:
    """A value that must not be found: what it is, the value itself, whose it is."""

    kind: str
    value: str = field(repr=False)
    patient: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which an identifier may be written. `raw` are the bytes as expected.

    With an `encoding`, other letter cases, lost accents and other separators are accepted;
    without one, the bytes must be the same, but for ASCII case when `any_case`.
    """

    identifier: int
    name: str
    raw: bytes = field(repr=False)
    text: str = field(default="", repr=False)
    encoding: str = ""
    any_case: bool = False

    @property
    def folded(self) -> bytes:
        return self.raw.translate(FOLD)

    def name_of(self, found: bytes) -> str:
        """What to call it: bytes without accents are the same in Latin-1 and in UTF-8."""
        return "utf-8" if self.encoding == "latin-1" and found.isascii() else self.name

    def confirms(self, untrusted: bytes) -> bool:
        """Whether these bytes, equal once folded, really are this form."""
        if not self.encoding:
            return untrusted == self.raw or (
                self.any_case and untrusted.upper() == self.raw.upper()
            )
        try:
            found = untrusted.decode(self.encoding)
        except UnicodeDecodeError:
            return False
        return len(found) == len(self.text) and all(map(_same_letter, found, self.text))


def unaccented(text: str) -> str:
    """The text without accents: é is e, œ is oe."""
    spelt = text.replace("Œ", "OE").replace("œ", "oe").replace("Æ", "AE").replace("æ", "ae")
    decomposed = unicodedata.normalize("NFD", spelt)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _same_letter(found: str, wanted: str) -> bool:
    if found in _SEPARATORS and wanted in _SEPARATORS:
        return True
    return found.upper() in (wanted.upper(), unaccented(wanted).upper())


def _fold_table() -> bytes:
    """Each byte's representative: ASCII upper case; Latin-1 letters without case and accent;
    name separators as space; 0xA0-0xBF as 0x80-0x9F, which joins the cases of UTF-8 letters."""
    table = bytearray(range(256))
    for code in range(256):
        letter = chr(code)
        if letter in _SEPARATORS:
            table[code] = 0x20
        elif 0xA0 <= code <= 0xBF:
            table[code] = code - 0x20
        elif letter.isalpha():
            plain = unaccented(letter).upper()
            table[code] = ord(plain) if len(plain) == 1 and plain.isascii() else code & 0xDF
    return bytes(table)


FOLD = _fold_table()


def forms_of(identifier: int, planted: Planted) -> list[Form]:
    """Every form of one planted value, each once; none when the value is too short."""
    if len(planted.value) < SHORTEST:
        return []
    spellings = _spellings(planted)
    found: dict[bytes, Form] = {}
    for form in (*_texts(identifier, spellings), *_wrapped(identifier, spellings)):
        if len(form.raw) >= SHORTEST:  # the first of those that fold alike accepts the most
            found.setdefault(form.folded if form.encoding else form.raw, form)
    return list(found.values())


def _spellings(planted: Planted) -> list[str]:
    """The orders and separators in which a person, a machine or a form writes the value."""
    value = planted.value
    if _DATE.fullmatch(value):
        year, month, day = value[:4], value[4:6], value[6:]
        return [value, f"{year}-{month}-{day}", f"{day}/{month}/{year}"]
    if planted.kind in NAME_KINDS and "^" in value:
        family, given = value.split("^")[:2]
        arranged = [
            value.rstrip("^"),
            f"{family}^{given}",
            f"{given}^{family}",
            f"{family}, {given}",
        ]
        return [each for each in dict.fromkeys(arranged) if given or each == value.rstrip("^")]
    if " " in value and sum(letter.isdigit() for letter in value) >= SHORTEST:
        return list(dict.fromkeys([value, value.replace(" ", "")]))
    return [value]


def _texts(identifier: int, spellings: Iterable[str]) -> Iterator[Form]:
    for spelling in spellings:
        for encoding in ("latin-1", "utf-16-le", "utf-16-be"):
            for text in _cases(spelling):
                yield from _encoded(identifier, encoding, text)
        for accents in _accents(spelling):
            for text in _cases(accents):
                yield from _encoded(identifier, "utf-8", text)
        if unaccented(spelling) != spelling:  # letters that Latin-1 lacks, or that become two
            for encoding in ("latin-1", "utf-16-le", "utf-16-be"):
                yield from _encoded(identifier, encoding, unaccented(spelling))


def _encoded(identifier: int, encoding: str, text: str) -> Iterator[Form]:
    raw = _encode(text, encoding)
    if raw is not None:
        yield Form(identifier, encoding, raw, text, encoding)


def _encode(text: str, encoding: str) -> bytes | None:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return None


def _cases(text: str) -> Iterator[str]:
    """As written, and in both cases: beyond Latin-1 `FOLD` does not join them."""
    yield text
    for other in (text.upper(), text.lower()):
        if len(other) == len(text):
            yield other


def _accents(text: str) -> Iterator[str]:
    """With and without accents, word by word of a short text, and decomposed (NFD)."""
    words = re.split(r"([\^ ,]+)", text)
    accented = sum(unaccented(word) != word for word in words)
    if accented <= 4:
        choices = [dict.fromkeys((word, unaccented(word))) for word in words]
        yield from map("".join, product(*choices))
    else:
        yield from (text, unaccented(text))
    yield unicodedata.normalize("NFD", text)


def _wrapped(identifier: int, spellings: Iterable[str]) -> Iterator[Form]:
    """Inside other notations: base64 at three offsets, URL, JSON escapes, hexadecimal."""
    for spelling in spellings:
        plain = unaccented(spelling)
        for text in dict.fromkeys(
            (spelling, spelling.replace("^", " "), *_cases(spelling), *_cases(plain))
        ):
            for encoding in ("utf-8", "latin-1", "utf-16-le"):
                raw = _encode(text, encoding)
                if raw is not None:
                    yield from _base64(identifier, raw)
            yield from _escaped(identifier, text)


def _base64(identifier: int, raw: bytes) -> Iterator[Form]:
    """The characters that stay the same whatever stands before and after (RFC 4648)."""
    for offset in range(3):
        first = (8 * offset + 5) // 6
        last = 8 * (offset + len(raw)) // 6
        core = b64encode(bytes(offset) + raw)[first:last]
        yield Form(identifier, "base64", core)
        if b"+" in core or b"/" in core:
            yield Form(identifier, "base64", core.replace(b"+", b"-").replace(b"/", b"_"))


def _escaped(identifier: int, text: str) -> Iterator[Form]:
    utf_8 = text.encode()
    for name, written in (
        ("percent", _percent(utf_8)),
        ("percent", _percent(utf_8).replace("%20", "+")),
        ("json", json.dumps(text)[1:-1]),
    ):
        if written != text:
            yield Form(identifier, name, written.encode(), any_case=True)
    yield Form(identifier, "hexadecimal", utf_8.hex().encode(), any_case=True)


def _percent(utf_8: bytes) -> str:
    """As in an address (RFC 3986 section 2.1)."""
    return "".join(
        chr(octet)
        if octet < 128 and (chr(octet).isalnum() or chr(octet) in "-._~")
        else f"%{octet:02X}"
        for octet in utf_8
    )
