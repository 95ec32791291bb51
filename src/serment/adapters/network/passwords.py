"""How databases want a password to be sent: answers to their challenges, for documented accounts.

Source: PostgreSQL's "SASL Authentication" and "Message Formats" (md5), RFC 5802 and RFC 7677
(SCRAM-SHA-256), MySQL's "Native Authentication" and "Caching_sha2_password".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from serment.core.crypto.entropy import new_token

MOST_ROUNDS: Final = 100_000  # of a stranger's key derivation; PostgreSQL's own number is 4,096


def md5_answer(user: str, password: str, salt: bytes) -> bytes:
    """PostgreSQL's md5, as text."""
    inner = hashlib.md5(f"{password}{user}".encode(), usedforsecurity=False).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode()


def native_answer(password: str, salt: bytes) -> bytes:
    """mysql_native_password; `salt` is 20 bytes."""
    return _mixed("sha1", password, salt, salt_first=True)


def caching_answer(password: str, salt: bytes) -> bytes:
    """caching_sha2_password, its fast way: works for who has signed in since the server began."""
    return _mixed("sha256", password, salt, salt_first=False)


class Scram:
    """One signing in by SCRAM-SHA-256, without channel binding. PostgreSQL knows the user already."""

    def __init__(self, password: str, user: str = "", nonce: str = "") -> None:
        self._password = password.encode()
        self._nonce = nonce or new_token()
        self._bare = f"n={user},r={self._nonce}"
        self.first = f"n,,{self._bare}".encode("ascii")

    def final(self, untrusted: bytes) -> bytes:
        """The answer to the server's first message.

        Raises:
            ValueError, LookupError: that message is none, or asks for too much work.
        """
        said = untrusted.decode("ascii")
        fields = dict(each.split("=", 1) for each in said.split(","))
        rounds = int(fields["i"])
        if not 0 < rounds <= MOST_ROUNDS or not fields["r"].startswith(self._nonce):
            raise ValueError
        salt = base64.b64decode(fields["s"], validate=True)
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, rounds)
        key = hmac.digest(salted, b"Client Key", "sha256")
        without = f"c=biws,r={fields['r']}"
        whole = ",".join((self._bare, said, without)).encode("ascii")
        signature = hmac.digest(hashlib.sha256(key).digest(), whole, "sha256")
        return without.encode("ascii") + b",p=" + base64.b64encode(_xor(key, signature))


def _mixed(name: str, password: str, salt: bytes, salt_first: bool) -> bytes:
    one = hashlib.new(name, password.encode()).digest()
    two = hashlib.new(name, one).digest()
    return _xor(one, hashlib.new(name, salt + two if salt_first else two + salt).digest())


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
