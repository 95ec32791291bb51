"""Every vector of the age format gives exactly its class: success, no match, or which failure.

Only what Serment does not implement is skipped, name by name, so that a new vector never is.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from serment.core.crypto.age import (
    AgeReader,
    HybridIdentity,
    X25519Identity,
    header,
    reader,
    stream,
)
from serment.core.crypto.age.recipients import Identity
from serment.errors import AccessDenied, FormatError, IntegrityError, SermentError

VECTORS = Path(__file__).parent / "age"
SKIPPED = {
    "ASCII armor is left to other tools": """
        armor_crlf armor_empty armor_empty_last_line armor_empty_line_begin armor_empty_line_end
        armor_eol_between_padding armor_full_last_line armor_garbage_encoded armor_garbage_leading
        armor_garbage_trailing armor_header_crlf armor_headers armor_hybrid
        armor_invalid_character_header armor_invalid_character_payload armor_long_line
        armor_lowercase armor_no_end_line armor_no_eol armor_no_match armor_no_padding
        armor_not_canonical armor_pgp_checksum armor_scrypt armor_short_line
        armor_whitespace_begin armor_whitespace_end armor_whitespace_eol
        armor_whitespace_last_line armor_whitespace_line_start armor_whitespace_outside
        armor_wrong_type armor_x25519""",
    "age passphrases (scrypt) are not used by Serment": """
        scrypt scrypt_and_x25519 scrypt_bad_tag scrypt_double scrypt_extra_argument
        scrypt_long_file_key scrypt_no_match scrypt_not_canonical_body scrypt_not_canonical_salt
        scrypt_salt_long scrypt_salt_missing scrypt_salt_short scrypt_uppercase
        scrypt_work_factor_23 scrypt_work_factor_hex scrypt_work_factor_leading_garbage
        scrypt_work_factor_leading_plus scrypt_work_factor_leading_zero_decimal
        scrypt_work_factor_leading_zero_octal scrypt_work_factor_missing
        scrypt_work_factor_negative scrypt_work_factor_overflow
        scrypt_work_factor_trailing_garbage scrypt_work_factor_wrong scrypt_work_factor_zero""",
}
REASONS = {name: reason for reason, names in SKIPPED.items() for name in names.split()}
KINDS = {
    (AccessDenied, reader.NO_KEY): "no match",
    (IntegrityError, header.HEADER_NOT_AUTHENTIC): "HMAC failure",
    (IntegrityError, stream.CHUNK_NOT_AUTHENTIC): "payload failure",
    (IntegrityError, stream.PAYLOAD_CUT): "payload failure",
}
NAMES = sorted(path.name for path in VECTORS.iterdir())


@dataclass
class Vector:
    expect: str
    payload: str | None
    identities: list[Identity]
    file: bytes


def load(name: str) -> Vector:
    head, _, file = (VECTORS / name).read_bytes().partition(b"\n\n")
    fields = [line.split(": ", 1) for line in head.decode().split("\n")]
    known = dict(fields)
    if known.get("compressed") == "zlib":
        file = zlib.decompress(file)
    lines = [value for key, value in fields if key == "identity"]
    return Vector(known["expect"], known.get("payload"), list(map(identity, lines)), file)


def identity(line: str) -> Identity:
    post_quantum = line.startswith("AGE-SECRET-KEY-PQ-1")
    return HybridIdentity.from_string(line) if post_quantum else X25519Identity.from_string(line)


def classify(error: SermentError) -> str:
    """The class of the format's test vectors that one of our errors stands for."""
    if isinstance(error, FormatError):
        return "header failure"
    return KINDS[type(error), error.message]


def open_by(pieces: Iterator[bytes]) -> tuple[str, bytes]:
    released = b""
    try:
        for piece in pieces:
            released += piece
    except SermentError as error:
        return classify(error), released
    return "success", released


def streamed(vector: Vector) -> Iterator[bytes]:
    file = vector.file
    whole = AgeReader(lambda at, size: file[at : at + size], len(file), vector.identities)
    yield from whole.stream()


def from_the_front(vector: Vector) -> bytes:
    """What a reader that knows no size may release: chunk after chunk up to the first failure."""
    try:
        head = header.parse(vector.file)
        file_key = reader._file_key(head, vector.identities)
        head.check(file_key)
    except SermentError:
        return b""
    nonce, sealed = vector.file[head.size :][:16], memoryview(vector.file)[head.size + 16 :]
    cipher, released = stream.payload_cipher(file_key, nonce), b""
    for index in range(len(sealed) // stream.SEALED_CHUNK + 1):
        piece = sealed[index * stream.SEALED_CHUNK :][: stream.SEALED_CHUNK]
        for chunks in (0, index + 1):  # as a chunk before the last, then as the last
            try:
                plain = stream.open_chunk(cipher, piece, index, chunks)
            except IntegrityError:
                continue
            empty_last = chunks and index and not plain
            short_before = not chunks and len(plain) < stream.CHUNK
            if empty_last or short_before:
                return released
            released += plain
            if chunks:
                return released
            break
        else:
            return released
    return released


@pytest.mark.parametrize("name", NAMES)
def test_vector(name: str) -> None:
    if name in REASONS:
        pytest.skip(f"{name}: {REASONS[name]}")
    vector = load(name)
    result, released = open_by(streamed(vector))
    assert result == vector.expect
    # The end is authenticated first, so of a cut file less is released than may be.
    front = from_the_front(vector)
    if vector.payload is not None:
        assert hashlib.sha256(front).hexdigest() == vector.payload
    assert released == front if result == "success" else front.startswith(released)


def test_all_vectors_are_here() -> None:
    assert len(NAMES) == 143
    assert set(REASONS) <= set(NAMES)
    kinds = {load(name).expect for name in NAMES if name not in REASONS}
    assert kinds == {
        "success",
        "no match",
        "HMAC failure",
        "header failure",
        "payload failure",
    }
