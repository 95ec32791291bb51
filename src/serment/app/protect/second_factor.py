"""The second factor of remote sign-in: a TOTP secret (RFC 6238) sealed under the member seed.

It protects sign-in over the network. It does not protect a stolen disk: whoever has the disk and
the password needs no code (threat model). The local command line asks for the password only.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pyotp

from serment.app.house import House
from serment.app.protect.unlocking import wrong
from serment.core.crypto.entropy import random_bytes
from serment.core.crypto.keys import subkey
from serment.core.crypto.secret import Seed
from serment.core.crypto.wraps import open_value, seal_value
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records import contexts
from serment.core.records.vault import Member
from serment.errors import N_, AccessDenied

STEP_SECONDS = 30
LABEL = "totp"


def new_secret() -> Masked[str]:
    """160 random bits in base 32, as authenticator applications expect."""
    return Masked(base64.b32encode(random_bytes(20)).decode())


def address(secret: Masked[str], login: str, practice: str) -> Masked[str]:
    """The `otpauth:` address behind the QR code."""
    totp = pyotp.TOTP(secret.reveal())
    return Masked(totp.provisioning_uri(name=login, issuer_name=f"Serment {practice}"))


def enrol(house: House, member: Member, seed: Seed, secret: Masked[str], code: str) -> Member:
    """Keep the secret once the member has shown a code of it.

    Raises:
        AccessDenied: the code is not the one of now.
    """
    if _counter(house, secret, code) is None:
        raise not_of_now()
    context = contexts.second_factor(house.vault, member.id)
    sealed = seal_value(secret.reveal().encode(), subkey(seed, LABEL), context)
    updated = replace(member, totp=sealed)
    entry = Entry(
        EventKind.SECOND_FACTOR_CHANGED, house.clock.now(), member.id, {"member": member.id}
    )
    with house.store.change(entry) as tx:
        tx.put(updated)
    return updated


def not_of_now() -> AccessDenied:
    """What somebody who is in already hears of a wrong code."""
    return AccessDenied(
        N_("this is not the code of now"),
        hint=N_("type the six digits the application shows; check the clock of the phone"),
    )


def check_code(house: House, member: Member, seed: Seed, code: str) -> int | None:
    """The time step whose code was given, None for a member without second factor.

    Raises:
        AccessDenied: a code is needed and this is not it.
    """
    if member.totp is None:
        return None
    context = contexts.second_factor(house.vault, member.id)
    secret = Masked(open_value(member.totp, subkey(seed, LABEL), context).decode())
    counter = _counter(house, secret, code)
    if counter is None:
        raise wrong()
    return counter


def _counter(house: House, secret: Masked[str], code: str) -> int | None:
    """The step, now or one before or after, whose code this is (RFC 6238 section 5.2)."""
    totp = pyotp.TOTP(secret.reveal(), digest=hashlib.sha1)
    now = int(house.clock.now().timestamp()) // STEP_SECONDS
    for counter in (now, now - 1, now + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(counter), code.strip().replace(" ", "")):
            return counter
    return None
