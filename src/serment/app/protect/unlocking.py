"""What a password opens: a member's own seed, and from it his circles. A new password, too.

Throttling, second factors and sessions are decided elsewhere (`signing_in`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from serment.app import cards, circles, trust
from serment.app.copying import renew as renew_copy
from serment.app.house import House
from serment.app.keyring import Keyring, check_member
from serment.app.wrapping import Wrapper
from serment.core.access.passwords import RULE_NAME, check_password
from serment.core.access.strength import Strength
from serment.core.crypto.keys import new_seed, public_key
from serment.core.crypto.password import cost_of, open_with_password, seal_with_password
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records import contexts, names
from serment.core.records.vault import Member, MemberState, Wrap, WrapKind, WrapMethod
from serment.errors import N_, AccessDenied, NoSpace, NotFound, Unavailable
from serment.ports import Store, Transaction

WRONG = N_("the login or the password is not right")


def wrong() -> AccessDenied:
    """The one answer to a login, password or code that is not right."""
    return AccessDenied(
        WRONG, hint=N_("check both; after three failures the account waits a minute")
    )


def find(store: Store | Transaction, login: str) -> Member:
    """The member with that login who has not been removed."""
    for member in store.find(Member, login=login):
        if member.state is not MemberState.REMOVED:
            return member
    raise NotFound(
        N_("there is no member with the login {login}"),
        hint=N_("`serment member list` shows the members"),
        login=login,
    )


def password_wrap(vault: str, member: Member, seed: Seed, password: Masked[str]) -> Wrap:
    """A member's seed under his password: slow on purpose."""
    subject, recipient = names.member(member.id), names.password(member.id)
    context = contexts.wrap(vault, WrapKind.MEMBER_SEED, subject, recipient, 0)
    blob = seal_with_password(seed, password, context)
    return Wrap(WrapKind.MEMBER_SEED, subject, recipient, 0, WrapMethod.PASSWORD, blob)


def put_password(tx: Transaction, wrap: Wrap) -> None:
    """Put a password wrap; the entry says under which rule and cost it was made, for the day it is
    asked what a thief of it could do."""
    tx.put(wrap)
    tx.note(password=Strength(RULE_NAME, cost_of(wrap.blob)).details())


def unlock(house: House, login: str, password: Masked[str]) -> tuple[Member, Seed]:
    """The member and his seed. `AccessDenied`, the same for an unknown login and a wrong
    password, after the same derivation."""
    known = [m for m in house.store.find(Member, login=login) if m.state is not MemberState.REMOVED]
    if not known:
        with house.deriving:  # the same work as for a known login
            seal_with_password(new_seed(), password, contexts.second_factor(house.vault, "nobody"))
        raise wrong()
    member = known[0]
    subject, recipient = names.member(member.id), names.password(member.id)
    wrap = house.store.get(Wrap, WrapKind.MEMBER_SEED, subject, recipient, 0)
    if wrap is None:
        raise wrong()
    context = contexts.wrap(house.vault, WrapKind.MEMBER_SEED, subject, recipient, 0)
    try:
        with house.deriving:
            seed = open_with_password(wrap.blob, password, context)
    except AccessDenied as error:
        raise wrong() from error
    check_member(seed, member.public_key)
    return member, seed


def keyring_of(house: House, member: Member, seed: Seed) -> Keyring:
    """All that a member's seed opens now."""
    ring = Keyring(house.vault, names.member(member.id), seed)
    ring.open_circles(house.store)
    return ring


def change_password(house: House, member: Member, seed: Seed, new: Masked[str]) -> None:
    """A member's own seed under his new password; the old one opens it no longer. The caller then
    ends his other sessions (`Practice.end_member`).

    Raises:
        UsageError: the new password is too weak.
    """
    check_password(new.reveal(), member.login, house.practice)
    with house.deriving:
        wrap = password_wrap(house.vault, member, seed, new)
    entry = Entry(EventKind.MEMBER_PASSWORD, house.clock.now(), member.id, {"member": member.id})
    with house.store.change(entry) as tx:
        put_password(tx, wrap)


def rescue(house: House, recovery: Keyring, login: str, password: Masked[str]) -> Member:
    """A new seed and password for somebody who lost his: what his circles are comes from recovery.

    The keyring holds the recovery seed (two shares of the kit). Of a circle whose seed it does not
    reach, because of damage, the member is pending again: somebody who holds it admits him."""
    member = find(house.store, login)
    check_password(password.reveal(), login, house.practice)
    seed = new_seed()
    fresh = replace(member, public_key=public_key(seed), totp=None)
    entry = Entry(EventKind.MEMBER_RESCUED, house.clock.now(), "recovery", {"member": member.id})
    with house.store.change(entry) as tx:
        held = tx.find(Wrap, recipient=names.member(member.id))
        tx.put(fresh)
        trust.check_kit(tx, recovery.key(house.store, WrapKind.CA_KEY, names.AUTHORITY))
        put_password(tx, password_wrap(house.vault, fresh, seed, password))
        trust.first_pins(house.vault, tx, fresh, seed)
        for wrap in held:
            _rewrap(house, tx, recovery, wrap, fresh)
        if not _vouch_again(house, tx, recovery, fresh):
            fresh = replace(fresh, state=MemberState.PENDING)
            tx.put(fresh)
    with suppress(NoSpace, Unavailable):  # the server's worker writes it when it starts
        renew_copy(house.store, house.clock.now())
    return fresh


def _vouch_again(house: House, tx: Transaction, recovery: Keyring, member: Member) -> bool:
    """His circles' cards name his new public key; whether he holds all those he should."""
    complete = True
    for circle in circles.current(tx).values():
        subject = names.circle_seed(circle.id, circle.epoch)
        if tx.get(Wrap, WrapKind.CIRCLE_SEED, subject, names.member(member.id), 0) is not None:
            seed = recovery.seed(names.circle(circle.id), circle.epoch)
            cards.vouch(house.vault, tx, circle, seed, cards.member_claim(member))
        elif circle.id in member.circles:
            complete = False
    return complete


def _rewrap(house: House, tx: Transaction, recovery: Keyring, wrap: Wrap, member: Member) -> None:
    tx.delete(wrap)
    found = recovery.keys(house.store, wrap.kind, [wrap.subject], set())
    for key in found.values():
        tx.put(Wrapper(house.vault, wrap.kind, wrap.subject, key).to_member(member))
