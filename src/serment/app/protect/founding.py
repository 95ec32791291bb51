"""Founds a practice: its recovery key, its journal's key, its first administrator.

Leaves to the caller: where files go, printing the kit, starting anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from serment.app import cards, circles
from serment.app.protect import members
from serment.app.wrapping import Wrapper, put_all
from serment.core.crypto.certificates import issue, make_authority
from serment.core.crypto.keys import fingerprint_words, new_seed, public_key
from serment.core.crypto.secret import Seed
from serment.core.crypto.signing import new_signing_key, verify_key
from serment.core.crypto.slip39 import split
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records.names import AUTHORITY
from serment.core.records.vault import Circle, CircleKind, Role, Setting, WrapKind
from serment.ports import Clock, Store, Transaction

CERTIFICATE_DAYS = 825


@dataclass(frozen=True, slots=True)
class Founded:
    """What founding makes for the outside: the kit's shares and the server's own files."""

    administrator: str
    shares: tuple[str, str, str]
    recovery_words: tuple[str, ...]
    journal_key: Seed
    authority: bytes  # PEM
    certificate: bytes  # PEM
    certificate_key: bytes  # PEM


def found(
    vault: str,
    practice: str,
    store: Store,
    clock: Clock,
    login: str,
    password: Masked[str],
    names: Sequence[str] = (),
) -> Founded:
    """Everything an empty vault needs, in one journalled transaction.

    Raises:
        UsageError: the password is too weak, or the login not usable.
    """
    now = clock.now()
    recovery_seed, journal_key = new_seed(), new_signing_key()
    authority, authority_key = make_authority(practice, list(names), now)
    certificate, key = issue(
        authority, authority_key, ["localhost", *names], ["127.0.0.1", "::1"], now, CERTIFICATE_DAYS
    )
    with store.change(Entry(EventKind.VAULT_FOUNDED, now, "local", {"login": login})) as tx:
        _settings(tx, practice, verify_key(journal_key), authority)
        tx.add(Setting(cards.APPOINTING, cards.appointing_key(authority_key)))
        tx.add(Setting("names", "\n".join(names).encode()))
        _recovery(tx, recovery_seed, now)
        member = members.create(
            vault, practice, tx, clock, login, password, (Role.ADMINISTRATOR,), ()
        )
        wrapper = Wrapper(vault, WrapKind.CA_KEY, AUTHORITY, authority_key)
        put_all(tx, [wrapper.to_member(member.row), wrapper.to_circle(circles.recovery(tx))])
        tx.note(administrator=member.row.id)
    return Founded(
        member.row.id,
        split(recovery_seed),
        fingerprint_words(public_key(recovery_seed)),
        journal_key,
        authority,
        certificate,
        key,
    )


def _settings(tx: Transaction, practice: str, journal_key: bytes, authority: bytes) -> None:
    tx.add(Setting("practice", practice.encode()))
    tx.add(Setting("journal-public-key", journal_key))
    tx.add(Setting("authority", authority))


def _recovery(tx: Transaction, seed: Seed, now: datetime) -> None:
    tx.add(Circle(circles.RECOVERY, CircleKind.RECOVERY, 1, public_key(seed), now))
