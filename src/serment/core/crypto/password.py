"""A member's seed under a password: Argon2id, then AES-256-GCM.

Decides the cost and the bytes of the blob; which passwords are good enough is decided in
`core.access.passwords`, and how many derivations run at once by the caller (each takes 64 MiB).

Source: RFC 9106 section 4 (second recommended option).
"""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from serment.core.crypto import entropy, keys
from serment.core.crypto.context import Context
from serment.core.crypto.secret import SECRET_BYTES, Seed
from serment.core.masked import Masked
from serment.errors import N_, AccessDenied, FormatError

# version, lanes, iterations, memory in KiB, salt, nonce; then ciphertext and tag
_HEAD = struct.Struct(">BBHI16s12s")
_VERSION = 1
_SEALED_BYTES = SECRET_BYTES + 16
BLOB_BYTES = _HEAD.size + _SEALED_BYTES  # 84


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs: memory in KiB, passes over it, lanes.

    The bounds hold for what is read as well: a hostile file cannot ask for 64 GiB.
    """

    memory_kib: int
    iterations: int
    lanes: int

    def __post_init__(self) -> None:
        if not (
            8 * 1024 <= self.memory_kib <= 256 * 1024
            and 1 <= self.iterations <= 16
            and 1 <= self.lanes <= 16
        ):
            raise FormatError(
                N_(
                    "a password cost of {memory} KiB, {iterations} passes, {lanes} lanes is refused"
                ),
                hint=N_("run `serment doctor`: the member's unlocking record was changed"),
                memory=self.memory_kib,
                iterations=self.iterations,
                lanes=self.lanes,
            )


STANDARD = Cost(memory_kib=64 * 1024, iterations=3, lanes=4)


def seal_with_password(
    seed: Seed, password: Masked[str], context: Context, cost: Cost = STANDARD
) -> bytes:
    """Return the seed sealed under the password, with the cost to open it; 84 bytes."""
    salt, nonce = entropy.random_bytes(16), entropy.random_bytes(12)
    head = _HEAD.pack(_VERSION, cost.lanes, cost.iterations, cost.memory_kib, salt, nonce)
    cipher = AESGCM(_stretch(password, salt, cost))
    return head + cipher.encrypt(nonce, seed.reveal(), context.encode() + head)


def cost_of(blob: bytes) -> Cost:
    """What a guess at a sealed seed costs; `FormatError` as `open_with_password`."""
    if len(blob) != BLOB_BYTES or blob[0] != _VERSION:
        raise FormatError(
            N_("an unlocking record of {found} bytes is not of a known version"), found=len(blob)
        )
    _, lanes, iterations, memory_kib, _, _ = _HEAD.unpack(blob[: _HEAD.size])
    return Cost(memory_kib, iterations, lanes)


def open_with_password(blob: bytes, password: Masked[str], context: Context) -> Seed:
    """Return the seed.

    Raises:
        AccessDenied: the password is wrong, or the blob belongs elsewhere: they look alike.
        FormatError: not such a blob, or of a cost outside the bounds.
    """
    cost = cost_of(blob)
    head, sealed = blob[: _HEAD.size], blob[_HEAD.size :]
    _, _, _, _, salt, nonce = _HEAD.unpack(head)
    cipher = AESGCM(_stretch(password, salt, cost))
    try:
        return Seed(cipher.decrypt(nonce, sealed, context.encode() + head))
    except InvalidTag as error:
        raise AccessDenied(
            N_("the password is wrong"),
            hint=N_("type it again; accents, capitals and spaces count"),
        ) from error


def _stretch(password: Masked[str], salt: bytes, cost: Cost) -> bytes:
    # NFC: an accent typed as one or as two code points is the same password (RFC 8265 4.2.2).
    text = unicodedata.normalize("NFC", password.reveal()).encode("utf-8", "surrogatepass")
    stretched = Argon2id(
        salt=salt,
        length=SECRET_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive(text)
    return keys.derive(stretched, "password")
