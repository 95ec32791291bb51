"""Ed25519 signatures, and signed notes: how a checkpoint of the journal is written.

What a checkpoint says and when one is made is decided in `core.journal` and `app.watch`.

Source: RFC 8032; C2SP signed-note (signature type 0x01, Ed25519).
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from serment.core.crypto import entropy, keys
from serment.core.crypto.canonical import canonical_base64
from serment.core.crypto.secret import Seed
from serment.errors import N_, FormatError, IntegrityError, UsageError

SIGNATURE_BYTES = 64
_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_MARK = "\u2014 "  # em dash and space
MAX_NOTE = 1_000_000
_MAX_SIGNATURES = 100


def new_signing_key() -> Seed:
    """Draw an Ed25519 private key (32 bytes); it signs and does nothing else."""
    return keys.new_seed()


def verify_key(seed: Seed) -> bytes:
    """Return the 32-byte public key that verifies what the seed signs."""
    return Ed25519PrivateKey.from_private_bytes(seed.reveal()).public_key().public_bytes_raw()


def sign(seed: Seed, message: bytes) -> bytes:
    """Return the 64-byte signature of a message."""
    return Ed25519PrivateKey.from_private_bytes(seed.reveal()).sign(message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is that key's over exactly this message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def sign_note(text: str, name: str, seed: Seed) -> str:
    """Return the text, an empty line and one signature line.

    Args:
        text: ends with a newline and has no other control character.
        name: the key's name: not empty, without spaces and plus signs.

    Raises:
        UsageError: the text or the name cannot be written as a note.
    """
    _check_name(name)
    if not _is_text(text):
        raise UsageError(N_("a note ends with a newline and has no control characters"))
    public = verify_key(seed)
    raw = _key_id(name, public) + sign(seed, text.encode())
    return f"{text}\n{_MARK}{name} {base64.b64encode(raw).decode()}\n"


def open_note(note: str, name: str, public: bytes) -> str:
    """Return the text of a note signed by that key; other keys' signatures are ignored.

    Raises:
        FormatError: it is not a signed note.
        IntegrityError: that key has not signed it, or not this text.
    """
    text, lines = _parse(note)
    wanted = _key_id(name, public)
    for line_name, raw in lines:
        ours = line_name == name and entropy.same(raw[:_KEY_ID_BYTES], wanted)
        if ours and verify(public, text.encode(), raw[_KEY_ID_BYTES:]):
            return text
        if ours:
            break
    raise IntegrityError(
        N_("the note is not signed by {name}"),
        hint=N_("it was changed, or comes from another practice"),
        name=name,
    )


def _parse(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, separator, tail = note.rpartition("\n\n")
    text += "\n"
    lines = tail.split("\n")
    if len(note) > MAX_NOTE or not separator or not _is_text(text) or lines.pop() or not lines:
        raise _not_a_note()
    if len(lines) > _MAX_SIGNATURES:
        raise _not_a_note()
    return text, [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    name, separator, encoded = line.removeprefix(_MARK).partition(" ")
    try:
        raw = canonical_base64(encoded.encode("ascii"))
    except ValueError as error:
        raise _not_a_note() from error
    if not line.startswith(_MARK) or not name or not separator or len(raw) <= _KEY_ID_BYTES:
        raise _not_a_note()
    return name, raw


def _is_text(text: str) -> bool:
    printable = all(character >= " " or character == "\n" for character in text)
    return text.endswith("\n") and printable and text.encode("utf-8", "replace").decode() == text


def _check_name(name: str) -> None:
    spaced = any(character.isspace() for character in name)
    if not name or "+" in name or spaced or not _is_text(name + "\n"):
        raise UsageError(N_("the name of a signing key has no spaces and no plus sign"))


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]


def _not_a_note() -> FormatError:
    return FormatError(N_("this is not a signed note"), hint=N_("keep the whole file, unchanged"))
