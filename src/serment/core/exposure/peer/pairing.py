"""How a practice and a helper outside come to share keys: a code shown on one side, typed on the other.

The code has 80 bits and lives ten minutes, so nobody tries them all in that time: it keys both
messages directly (AES-256-GCM), and a wrong one opens nothing. Inside travel the signature keys of
both and a fresh secret sealed to a fresh X-Wing key: who learns the code later learns nothing.
Decides what both say and keep; how often a code may be tried is counted by who listens.

Practice to helper, under the code: X-Wing key (1216), Ed25519 key (32).
Helper to practice, under the code and bound to the first: id (16), Ed25519 key (32), sealed secret.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from serment.core.crypto import entropy, keys, signing, wraps, xwing
from serment.core.crypto.context import Context
from serment.core.crypto.secret import Key, Seed
from serment.errors import N_, AccessDenied, IntegrityError, SermentError, UsageError

CODE_LIFE: Final = timedelta(minutes=10)
CODE_TRIES: Final = 5
ID_BYTES: Final = 16
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_CODE_BYTES: Final = 10
_DIGITS: Final = 16
_GROUP: Final = 4
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Bond:
    """What one side keeps of a pairing."""

    id: bytes  # 16 bytes, the same on both sides
    secret: Key  # shared by both
    own: Seed  # signs for this side
    other: bytes  # verifies the other side, 32 bytes


@dataclass(frozen=True, slots=True)
class Wooing:
    """What the practice remembers between its message and the answer."""

    code: Key
    box: Seed  # opens the answer
    own: Seed
    digest: str


def new_code() -> str:
    """A fresh code, as it is shown: four groups of four.

    >>> len(new_code())
    19
    """
    number = int.from_bytes(entropy.random_bytes(_CODE_BYTES), "big")
    digits = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_DIGITS)))
    return "-".join(digits[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP))


def code_key(typed: str) -> Key:
    """The key that a code stands for; case, spaces and dashes do not matter.

    Raises:
        UsageError: it is no code.
    """
    digits = "".join(c for c in typed.upper() if c not in "- \t\r\n").translate(_READ_AS)
    if len(digits) != _DIGITS or any(each not in _ALPHABET for each in digits):
        raise UsageError(
            N_("this is no pairing code"),
            hint=N_("type the four groups of four that the helper shows"),
        )
    return Key(keys.derive(digits.encode("ascii"), "peer", "code"))


def propose(typed: str) -> tuple[Wooing, bytes]:
    """The practice's message, and what it must remember for the answer.

    Raises:
        UsageError: it is no code.
    """
    code, box, own = code_key(typed), keys.new_seed(), signing.new_signing_key()
    said = keys.public_key(box) + signing.verify_key(own)
    sealed = wraps.seal_value(said, code, _proposal())
    return Wooing(code, box, own, _digest(sealed)), sealed


def accept(untrusted: bytes, code: Key) -> tuple[Bond, bytes]:
    """The helper's side: what it keeps, and the answer.

    Raises:
        AccessDenied: the message was not made with this code.
    """
    said = _opened(untrusted, code, _proposal())
    box, other = said[: xwing.PUBLIC_BYTES], said[xwing.PUBLIC_BYTES :]
    bond = Bond(entropy.random_bytes(ID_BYTES), keys.new_key(), signing.new_signing_key(), other)
    try:
        sealed = wraps.wrap_to_public(bond.secret, box, _secret(bond.id))
    except SermentError as error:
        raise wrong_code() from error
    answer = bond.id + signing.verify_key(bond.own) + sealed
    return bond, wraps.seal_value(answer, code, _answer(_digest(untrusted)))


def conclude(wooing: Wooing, untrusted: bytes) -> Bond:
    """The practice's side of the answer.

    Raises:
        AccessDenied: the answer was not made with this code, for this message.
    """
    said = _opened(untrusted, wooing.code, _answer(wooing.digest))
    bond, other = said[:ID_BYTES], said[ID_BYTES:][:_KEY_BYTES]
    try:
        opened = wraps.unwrap_with_seed(said[ID_BYTES + _KEY_BYTES :], wooing.box, _secret(bond))
    except IntegrityError as error:
        raise wrong_code() from error
    return Bond(bond, Key(opened), wooing.own, other)


def wrong_code() -> AccessDenied:
    """What a code that does not fit is answered with, whatever was wrong with it."""
    return AccessDenied(
        N_("the pairing code was refused"),
        hint=N_(
            "have a new one shown: `serment scan peer serve --pair NAME`; a code lives 10 minutes"
        ),
    )


def _opened(untrusted: bytes, code: Key, context: Context) -> bytes:
    try:
        said = wraps.open_value(untrusted, code, context)
    except IntegrityError as error:
        raise wrong_code() from error
    return said


def _digest(sealed: bytes) -> str:
    return hashlib.sha256(sealed).hexdigest()


def _proposal() -> Context:
    return Context("", "peer-pair", "", "helper")


def _answer(digest: str) -> Context:
    return Context("", "peer-paired", digest, "practice")


def _secret(bond: bytes) -> Context:
    return Context("", "peer-secret", bond.hex(), "practice")
