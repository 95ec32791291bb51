"""As much of SSH's encryption as it takes to ask a stranger how one signs in there; nothing more.

Nothing secret is ever said inside, so the server's key is not verified and its signature not read:
this is no SSH client. Source: RFC 4253 sections 6 to 8, RFC 8731 (curve25519), RFC 3526 group 14,
RFC 4344 (CTR), RFC 5647 with OpenSSH's PROTOCOL for AES-GCM.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from serment.errors import N_, FormatError

LARGEST: Final = 35_000  # bytes of one packet, RFC 4253 section 6.1
EXCHANGES: Final = {  # name: its hash
    "curve25519-sha256": "sha256",
    "curve25519-sha256@libssh.org": "sha256",
    "diffie-hellman-group14-sha256": "sha256",
    "diffie-hellman-group14-sha1": "sha1",
}
CIPHERS: Final = {  # name: bytes of its key
    "aes128-gcm@openssh.com": 16,
    "aes256-gcm@openssh.com": 32,
    "aes128-ctr": 16,
    "aes256-ctr": 32,
}
MACS: Final = {"hmac-sha2-256": "sha256", "hmac-sha2-512": "sha512", "hmac-sha1": "sha1"}
_GROUP_14: Final = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A0879"
    "8E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B"
    "0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA4836"
    "1C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804"
    "F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6"
    "955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)


@dataclass(frozen=True, slots=True)
class Suite:
    """What both sides agreed on."""

    exchange: str
    cipher: str
    mac: str = ""  # "" for a cipher that needs none


@dataclass(frozen=True, slots=True)
class Begun:
    """What was said in clear: both versions, both key exchange packets (RFC 4253 section 8)."""

    our_version: bytes
    their_version: bytes
    our_packet: bytes
    their_packet: bytes


class Protection(Protocol):
    """One direction's encryption. A packet is its length, a padding's length, content, padding."""

    head: int  # bytes to be read before the length is known
    block: int  # the padded part is a multiple of it
    apart: int  # bytes at a packet's beginning that are not of that part

    def seal(self, number: int, packet: bytes) -> bytes:
        """A packet as it is sent."""

    def length(self, head: bytes) -> int:
        """Bytes that follow the head of a packet; FormatError when that is impossible."""

    def open(self, number: int, rest: bytes) -> bytes:
        """The packet whose head `length` was given; FormatError when it was changed."""


class Exchange:
    """Our half of one key exchange."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._is_curve = suite.exchange.startswith("curve25519")
        if self._is_curve:
            self._curve = X25519PrivateKey.generate()
            self.public = string(self._curve.public_key().public_bytes_raw())
        else:
            self._secret = secrets.randbits(512) | 1 << 511
            self.public = mpint(pow(2, self._secret, _GROUP_14))

    def finish(self, begun: Begun, host_key: bytes, theirs: bytes) -> tuple[Protection, Protection]:
        """Our direction and theirs.

        Args:
            host_key, theirs: the server's key and its half of the exchange, as they stand in its
                answer, without their lengths.

        Raises:
            FormatError: its half is none.
        """
        shared = mpint(self._shared(theirs))
        their_half = string(theirs) if self._is_curve else mpint(int.from_bytes(theirs, "big"))
        name = EXCHANGES[self._suite.exchange]
        said = (begun.our_version, begun.their_version, begun.our_packet, begun.their_packet)
        whole = b"".join(map(string, (*said, host_key))) + self.public + their_half + shared
        digest = hashlib.new(name, whole).digest()

        def derive(letter: bytes, size: int) -> bytes:
            key = hashlib.new(name, shared + digest + letter + digest).digest()
            while len(key) < size:
                key += hashlib.new(name, shared + digest + key).digest()
            return key[:size]

        return self._one_way(derive, b"ACE"), self._one_way(derive, b"BDF")

    def _one_way(self, derive: _Derive, letters: bytes) -> Protection:
        vector, key, check = (bytes([each]) for each in letters)
        size = CIPHERS[self._suite.cipher]
        if "gcm" in self._suite.cipher:
            return _Gcm(derive(key, size), derive(vector, 12))
        name = MACS[self._suite.mac]
        strength = hashlib.new(name).digest_size
        return _Ctr(derive(key, size), derive(vector, 16), name, derive(check, strength))

    def _shared(self, theirs: bytes) -> int:
        try:
            if self._is_curve:
                raw = self._curve.exchange(X25519PublicKey.from_public_bytes(theirs))
                return int.from_bytes(raw, "big")
        except ValueError:
            raise _nonsense() from None
        half = int.from_bytes(theirs, "big")
        if not 1 < half < _GROUP_14 - 1:
            raise _nonsense()
        return pow(half, self._secret, _GROUP_14)


class _Derive(Protocol):
    def __call__(self, letter: bytes, size: int, /) -> bytes: ...


class Clear:
    """Before the key exchange: nothing is encrypted."""

    head, block, apart = 4, 8, 0

    def seal(self, number: int, packet: bytes) -> bytes:
        return packet

    def length(self, head: bytes) -> int:
        self._head = head
        return _length(head)

    def open(self, number: int, rest: bytes) -> bytes:
        return self._head + rest


class _Gcm:
    """AES-GCM: the length in clear, authenticated; the nonce counts packets (RFC 5647 7.1)."""

    head, block, apart = 4, 16, 4

    def __init__(self, key: bytes, nonce: bytes) -> None:
        self._aead = AESGCM(key)
        self._fixed, self._count = nonce[:4], int.from_bytes(nonce[4:], "big")

    def seal(self, number: int, packet: bytes) -> bytes:
        return packet[:4] + self._aead.encrypt(self._nonce(), packet[4:], packet[:4])

    def length(self, head: bytes) -> int:
        self._head = head
        return _length(head) + 16

    def open(self, number: int, rest: bytes) -> bytes:
        try:
            return self._head + self._aead.decrypt(self._nonce(), rest, self._head)
        except InvalidTag:
            raise _nonsense() from None

    def _nonce(self) -> bytes:
        nonce = self._fixed + (self._count & (1 << 64) - 1).to_bytes(8, "big")
        self._count += 1
        return nonce


class _Ctr:
    """AES in counter mode, then a MAC over number and packet in clear (RFC 4253 section 6.4)."""

    head, block, apart = 16, 16, 0

    def __init__(self, key: bytes, counter: bytes, mac: str, mac_key: bytes) -> None:
        self._stream: CipherContext = Cipher(
            algorithms.AES(key), modes.CTR(counter)
        ).encryptor()  # the same both ways
        self._mac, self._mac_key = mac, mac_key
        self._size = hashlib.new(mac).digest_size

    def seal(self, number: int, packet: bytes) -> bytes:
        return self._stream.update(packet) + self._check(number, packet)

    def length(self, head: bytes) -> int:
        self._head = self._stream.update(head)
        return _length(self._head[:4]) - 12 + self._size

    def open(self, number: int, rest: bytes) -> bytes:
        packet = self._head + self._stream.update(rest[: -self._size])
        if not hmac.compare_digest(self._check(number, packet), rest[-self._size :]):
            raise _nonsense()
        return packet

    def _check(self, number: int, packet: bytes) -> bytes:
        return hmac.digest(self._mac_key, struct.pack(">I", number) + packet, self._mac)


def string(content: bytes) -> bytes:
    """A string with its length (RFC 4251 section 5)."""
    return struct.pack(">I", len(content)) + content


def mpint(value: int) -> bytes:
    """A positive number, as RFC 4251 section 5 writes it."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")


def cookie() -> bytes:
    """The random part of a key exchange packet."""
    return secrets.token_bytes(16)


def _length(head: bytes) -> int:
    (size,) = struct.unpack(">I", head)
    if not 12 <= size <= LARGEST:
        raise _nonsense()
    found: int = size
    return found


def _nonsense() -> FormatError:
    return FormatError(N_("the SSH server's answer is not understood"))
