"""BSON as far as a database's answers need it: numbers, texts, documents; the rest is passed over.

Bounded in depth and number whatever a stranger sends. Source: bsonspec.org, version 1.1.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, TypeAlias

Value: TypeAlias = "str | int | float | bool | Mapping[str, Value] | None"

_DEPTH: Final = 12
_ELEMENTS: Final = 4000
_FIXED: Final = {
    kind: struct.Struct(form)
    for kind, form in {0x01: "<d", 0x08: "<?", 0x10: "<i", 0x12: "<q"}.items()
}
_SKIPPED: Final = {0x07: 12, 0x09: 8, 0x11: 8, 0x13: 16, 0x06: 0, 0x0A: 0, 0xFF: 0, 0x7F: 0}


def encode(document: Mapping[str, Value]) -> bytes:
    """A document of texts, small integers, truths and documents."""
    body = b"".join(_element(name, value) for name, value in document.items())
    return struct.pack("<i", 5 + len(body)) + body + b"\0"


def decode(untrusted: bytes) -> dict[str, Value]:
    """The document that begins here; lists are documents whose names are numbers.

    Raises:
        ValueError, struct.error: it is none, or beyond bounds.
    """
    return _Reader(untrusted).document(0)[0]


def _element(name: str, value: Value) -> bytes:
    key = name.encode() + b"\0"
    match value:
        case bool():
            return b"\x08" + key + bytes([value])
        case int():
            return b"\x10" + key + struct.pack("<i", value)
        case str():
            text = value.encode() + b"\0"
            return b"\x02" + key + struct.pack("<i", len(text)) + text
        case Mapping():
            return b"\x03" + key + encode(value)
    raise TypeError(type(value))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._elements = 0

    def document(self, at: int, depth: int = 0) -> tuple[dict[str, Value], int]:
        (size,) = struct.unpack_from("<i", self._data, at)
        end = at + size
        if depth > _DEPTH or not 5 <= size <= len(self._data) - at or self._data[end - 1]:
            raise ValueError
        found: dict[str, Value] = {}
        at += 4
        while at < end - 1:
            self._elements += 1
            if self._elements > _ELEMENTS:
                raise ValueError
            kind = self._data[at]
            stop = self._data.index(b"\0", at + 1, end)
            name = self._data[at + 1 : stop].decode("utf-8", "replace")
            found[name], at = self._value(kind, stop + 1, depth)
        return found, end

    def _value(self, kind: int, at: int, depth: int) -> tuple[Value, int]:
        if kind in (0x03, 0x04):
            return self.document(at, depth + 1)
        if form := _FIXED.get(kind):
            return form.unpack_from(self._data, at)[0], at + form.size
        if kind in (0x02, 0x0D, 0x0E):  # text, code, symbol: with a closing zero
            size = self._size(at, 4, least=1)
            raw = self._data[at + 4 : at + 3 + size]
            return raw.decode("utf-8", "replace"), at + 4 + size
        if kind == 0x05:
            return None, at + 5 + self._size(at, 5)
        if kind not in _SKIPPED:
            raise ValueError
        return None, at + _SKIPPED[kind]

    def _size(self, at: int, head: int, least: int = 0) -> int:
        """A length that is written here, of what follows a head of so many bytes."""
        (size,) = struct.unpack_from("<i", self._data, at)
        if not least <= size <= len(self._data) - at - head:
            raise ValueError
        found: int = size
        return found
