"""Fuzz target: an age file opens to what it was made of, or is refused for the right reason.

The first byte says what the rest is: a file as it stands, or a header whose MAC is put right and
chunks that are sealed with the right key, so that what comes after a check is reached, too. Beside
the reader stands the plain construction: one expression for the header, RFC 5869 from HMAC, one
chunk after the other.

Source: https://c2sp.org/age. Keys are those of its test vectors.
"""

from __future__ import annotations

import base64
import hmac
import re
import zlib
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from serment.core.crypto import bech32
from serment.core.crypto.age import AgeReader, HybridIdentity, X25519Identity
from serment.errors import AccessDenied, FormatError, IntegrityError

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "age"
FILE_KEY = b"YELLOW SUBMARINE"
LINE = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"
HYBRID_LINE = "AGE-SECRET-KEY-PQ-1HZLGZUPT4ETPKDEV8HSGFDCYZ4E522W0A7PU2LHT8EH9W6YLNC3SW78XKG"
CLASSIC, HYBRID = X25519Identity.from_string(LINE), HybridIdentity.from_string(HYBRID_LINE)
SECRET = X25519PrivateKey.from_private_bytes(bech32.decode("age-secret-key-", LINE))

RIGHT_MAC, SEALED, POST_QUANTUM, LONG = 1, 2, 4, 8  # bits of the first byte
CHUNK, TAG, MAX_HEADER = 65536, 16, 65536
NONCE = b"sixteen bytes ok"
ARGUMENT, TEXT = rb"[!-~]+", rb"[A-Za-z0-9+/]"
STANZA = rb"-> (%s(?: %s)*)\n((?:%s{64}\n)*%s{0,63}\n)" % (ARGUMENT, ARGUMENT, TEXT, TEXT)
HEADER = re.compile(rb"(age-encryption\.org/v1\n(?:%s)+---) (?P<mac>%s{43})\n" % (STANZA, TEXT))
KINDS = {FormatError: "header", AccessDenied: "no match", IntegrityError: "not authentic"}


class Wrong(Exception):
    """What the plain construction says against a file."""


def seeds() -> list[bytes]:
    """The format's vectors that are short, and headers without MAC before chunks to be sealed."""
    found = [bytes([LONG]) + b"age-encryption.org/v1\n-> X25519 " + b"a" * 3000]
    for path in sorted(VECTORS.iterdir()):
        head, _, file = path.read_bytes().partition(b"\n\n")
        if b"compressed: zlib" in head:
            file = zlib.decompress(file)
        if not path.name.startswith(("armor", "scrypt")) and len(file) < 8000:
            found.append(bytes([POST_QUANTUM if path.name.startswith("hybrid") else 0]) + file)
            if path.name in ("x25519", "hybrid", "x25519_multiple_recipients"):
                start = file[: file.index(b"\n---")]
                flag = RIGHT_MAC | SEALED | (POST_QUANTUM if path.name == "hybrid" else 0)
                for chunks in (
                    b"\x0a\7",
                    b"\0\0\x0a\7",
                    b"\0\0\x08\0",
                    b"\0\0\0\0\x0b\0",
                    b"\0\0\x09\0",
                    b"\x08\0\x09\0",
                    b"\x09\0",
                ):
                    found.append(bytes([flag]) + start + b"\n---" + chunks)
    return found


def fuzz_one(data: bytes) -> None:
    """Right bytes or the right refusal; parts as the whole; no read outside the file."""
    if not data:
        return
    file = made(data[0], data[1:]) + bytes(2 * MAX_HEADER if data[0] & LONG else 0)
    identities = [HYBRID, CLASSIC] if data[0] & POST_QUANTUM else [CLASSIC]

    def read(at: int, size: int) -> bytes:
        assert 0 <= at <= at + size <= len(file)
        assert size <= MAX_HEADER + TAG or size % (CHUNK + TAG) == 0
        return file[at : at + size]

    released, result = b"", "opened"
    try:
        reader = AgeReader(read, len(file), identities)
        for piece in reader.stream():
            released += piece
    except (FormatError, AccessDenied, IntegrityError) as error:
        result = KINDS[type(error)]
    else:
        parts_as_whole(reader, released, data)
        again = AgeReader.again(read, reader.opened)
        assert again.read(0, len(released)) == released
    if not data[0] & POST_QUANTUM:
        compare(file, result, released)


def parts_as_whole(reader: AgeReader, whole: bytes, data: bytes) -> None:
    assert reader.plain_size == len(whole)
    start = zlib.crc32(data) % (len(whole) + 2)
    for length in (1, CHUNK, len(whole) + 1):
        assert reader.read(start, length) == whole[start : start + length]
        assert b"".join(reader.stream(start, start + length)) == whole[start : start + length]


def compare(file: bytes, result: str, released: bytes) -> None:
    front: list[bytes] = []
    try:
        plain(file, front)
    except Wrong as wrong:
        if str(wrong) == "header too long":
            return
        assert result == str(wrong), (result, str(wrong))
        assert b"".join(front).startswith(released)
    else:
        assert result == "opened"
        assert released == b"".join(front)


def plain(file: bytes, out: list[bytes]) -> None:
    """The plain construction: what may be released goes to `out`, `Wrong` says what stops it."""
    found = HEADER.match(file)
    if found is None:
        raise Wrong("header")
    if found.end() > MAX_HEADER:
        raise Wrong("header too long")
    stanzas = [(s[1].split(b" "), unpadded(s[2])) for s in re.finditer(STANZA, found[1])]
    mac, file_key = unpadded(found["mac"]), file_key_of(stanzas)
    if not hmac.compare_digest(
        mac, hmac.digest(derived(file_key, b"", b"header"), found[1], "sha256")
    ):
        raise Wrong("not authentic")
    nonce, sealed = file[found.end() :][:16], file[found.end() + 16 :]
    if len(nonce) < 16:
        raise Wrong("header")
    cipher = ChaCha20Poly1305(derived(file_key, nonce, b"payload"))
    for index in range(max(1, -(-len(sealed) // (CHUNK + TAG)))):
        chunk = sealed[index * (CHUNK + TAG) :][: CHUNK + TAG]
        last = (index + 1) * (CHUNK + TAG) >= len(sealed)
        try:
            text = cipher.decrypt(index.to_bytes(11, "big") + bytes([last]), chunk, None)
        except InvalidTag:
            raise Wrong("not authentic") from None
        if index and not text:
            raise Wrong("not authentic")
        out.append(text)


def file_key_of(stanzas: list[tuple[list[bytes], bytes]]) -> bytes:
    ours = [(words[1:], body) for words, body in stanzas if words[0] == b"X25519"]
    shares = [(unpadded(words[0]) if len(words) == 1 else b"", body) for words, body in ours]
    if any(len(share) != 32 or len(body) != 32 for share, body in shares):
        raise Wrong("header")
    for share, body in shares:
        try:
            secret = SECRET.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:  # a point of low order
            raise Wrong("header") from None
        salt = share + SECRET.public_key().public_bytes_raw()
        key = derived(secret, salt, b"age-encryption.org/v1/X25519")
        try:
            return ChaCha20Poly1305(key).decrypt(bytes(12), body, None)
        except InvalidTag:
            continue
    raise Wrong("no match")


def unpadded(text: bytes) -> bytes:
    """Canonical base64 over lines, without padding."""
    joined = text.replace(b"\n", b"")
    try:
        raw = base64.b64decode(joined + b"=" * (-len(joined) % 4), validate=True)
    except ValueError:
        raise Wrong("header") from None
    if base64.b64encode(raw).rstrip(b"=") != joined:
        raise Wrong("header")
    return raw


def derived(key: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256, 32 bytes (RFC 5869)."""
    return hmac.digest(hmac.digest(salt or bytes(32), key, "sha256"), info + b"\1", "sha256")


def made(flags: int, data: bytes) -> bytes:
    """The file that an input stands for."""
    start, _, rest = data.partition(b"\n---")
    if flags & RIGHT_MAC:
        signed = start + b"\n---"
        mac = hmac.digest(derived(FILE_KEY, b"", b"header"), signed, "sha256")
        head = signed + b" " + base64.b64encode(mac).rstrip(b"=") + b"\n"
    elif flags & SEALED:
        line, _, rest = rest.partition(b"\n")
        head = start + b"\n---" + line + b"\n"
    else:
        return data
    return head + (NONCE + payload(rest[:12]) if flags & SEALED else rest)


def payload(orders: bytes) -> bytes:
    """Two bytes a chunk: how long, whether the last, which damage, for which place."""
    chunks = []
    for place, (how, size) in enumerate(zip(orders[::2], orders[1::2], strict=False)):
        length = (CHUNK, 0, size, CHUNK - size)[how & 3]
        index = (place, place + 1, max(place - 1, 0), size)[how >> 6]
        chunk = sealed_chunk(length, index, bool(how & 8))
        damage = how >> 4 & 3
        if damage == 1:
            chunk = chunk[:-1] + bytes([chunk[-1] ^ 1])
        elif damage:
            chunk = chunk[:-1] if damage == 2 else chunk + b"\0"
        chunks.append(chunk)
    return b"".join(chunks)


@lru_cache(maxsize=256)
def sealed_chunk(length: int, index: int, last: bool) -> bytes:
    cipher = ChaCha20Poly1305(derived(FILE_KEY, NONCE, b"payload"))
    return cipher.encrypt(index.to_bytes(11, "big") + bytes([last]), bytes([index]) * length, None)
