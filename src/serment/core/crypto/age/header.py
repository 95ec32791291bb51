"""The textual header of an age file: its stanzas and its MAC, as bytes and back.

Knows nothing of recipients: what a stanza means is decided by the key types.

Source: https://c2sp.org/age, section "Header".
"""

from __future__ import annotations

import binascii
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from serment.errors import N_, FormatError, IntegrityError

VERSION_LINE = b"age-encryption.org/v1"
FILE_KEY_BYTES = 16
MAX_HEADER = 64 * 1024  # forty post-quantum recipients; nothing longer is ever read
_FIRST_READ = 2 * 1024  # one post-quantum recipient
_COLUMNS = 64
_END = b"\n---"
_MAC_BYTES = 32
_ARGUMENT = re.compile(rb"[\x21-\x7e]+")

HEADER_NOT_AUTHENTIC = N_("the header of an age file is not authentic")

Read = Callable[[int, int], bytes | memoryview]  # (offset, size) of the file, exactly size


@dataclass(frozen=True, slots=True)
class Stanza:
    """One sealed file key: the type, its arguments, and the body."""

    type: bytes
    arguments: tuple[bytes, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header: `size` in bytes of the file, `signed` what the MAC covers."""

    stanzas: tuple[Stanza, ...]
    signed: bytes
    mac: bytes
    size: int

    def check(self, file_key: bytes) -> None:
        """Raise `IntegrityError` unless the MAC is the file key's over this header."""
        if not hmac.compare_digest(_mac(file_key, self.signed), self.mac):
            raise IntegrityError(
                HEADER_NOT_AUTHENTIC, hint=N_("the file was changed or damaged; restore it")
            )


def malformed(message: str) -> FormatError:
    """The error for any header that breaks the specification (a message id with its hint)."""
    return FormatError(message, hint=N_("the file is damaged, cut or of another kind"))


def encode_base64(raw: bytes) -> bytes:
    """Return canonical base64 without padding."""
    return binascii.b2a_base64(raw, newline=False).rstrip(b"=")


def decode_base64(text: bytes) -> bytes:
    """Return the bytes of canonical, unpadded base64; `FormatError` otherwise."""
    try:
        raw = binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except ValueError as error:
        raise malformed(N_("not an age v1 file: a header line is not base64")) from error
    if encode_base64(raw) != text:
        raise malformed(N_("not an age v1 file: a header line is not canonical base64"))
    return raw


def render(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """Return the whole header, MAC line included."""
    lines = [VERSION_LINE]
    for stanza in stanzas:
        lines.append(b" ".join((b"->", stanza.type, *stanza.arguments)))
        body = encode_base64(stanza.body)
        # One line more than the full ones, so that the last is always short, perhaps empty.
        lines += [body[i : i + _COLUMNS] for i in range(0, len(body) + 1, _COLUMNS)]
    signed = b"\n".join(lines) + _END
    return signed + b" " + encode_base64(_mac(file_key, signed)) + b"\n"


def read_header(read: Read, size: int) -> Header:
    """Parse the header at the start of a file of `size` bytes; at most 64 KiB of it is read.

    Raises:
        FormatError: not an age v1 header.
    """
    head = bytes(read(0, min(size, _FIRST_READ)))
    if not head.startswith(VERSION_LINE + b"\n"):
        raise malformed(N_("not an age v1 file: the first line is another one"))
    if not _is_whole(head) and size > _FIRST_READ:
        head = bytes(read(0, min(size, MAX_HEADER)))
    return parse(head)


def parse(head: bytes) -> Header:
    """Parse the header that `head` starts with; what follows it is ignored."""
    end = head.find(_END)
    stop = head.find(b"\n", end + 1)
    if end < 0 or stop < 0:
        raise malformed(N_("not an age v1 file: the header does not end"))
    lines = head[:end].split(b"\n")
    mac_line = head[end + 1 : stop]
    if lines.pop(0) != VERSION_LINE:
        raise malformed(N_("not an age v1 file: the first line is another one"))
    if not lines:
        raise malformed(N_("not an age v1 file: it has no recipient"))
    mac = decode_base64(mac_line[4:])
    if mac_line[:4] != b"--- " or len(mac) != _MAC_BYTES:
        raise malformed(N_("not an age v1 file: the last header line is another one"))
    return Header(_stanzas(lines), head[: end + len(_END)], mac, stop + 1)


def _is_whole(head: bytes) -> bool:
    end = head.find(_END)
    return end >= 0 and head.find(b"\n", end + 1) >= 0


def _stanzas(lines: list[bytes]) -> tuple[Stanza, ...]:
    stanzas = []
    rest = iter(lines)
    for line in rest:
        mark, *arguments = line.split(b" ")
        if mark != b"->" or not arguments or not all(map(_ARGUMENT.fullmatch, arguments)):
            raise malformed(N_("not an age v1 file: a recipient line is not well formed"))
        body = []
        for body_line in rest:
            body.append(body_line)
            if len(body_line) < _COLUMNS:
                break
        if not body or len(body[-1]) >= _COLUMNS or any(len(b) > _COLUMNS for b in body):
            raise malformed(N_("not an age v1 file: the lines of a recipient do not end"))
        stanzas.append(Stanza(arguments[0], tuple(arguments[1:]), decode_base64(b"".join(body))))
    return tuple(stanzas)


def _mac(file_key: bytes, signed: bytes) -> bytes:
    key = HKDF(SHA256(), 32, None, b"header").derive(file_key)
    return hmac.digest(key, signed, "sha256")
