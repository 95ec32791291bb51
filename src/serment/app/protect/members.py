"""Members come, are admitted, and leave.

Who becomes active at once and who waits is decided by keys: a circle that does not exist yet is
made for its first member; an existing one is shared only by somebody who holds its seed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serment.app import cards, circles, epochs, trust
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect.unlocking import (
    change_password,
    find,
    keyring_of,
    password_wrap,
    put_password,
    rescue,
    unlock,
)
from serment.app.wrapping import Wrapper
from serment.core.access.passwords import check_password
from serment.core.access.roles import DEFAULT_CARE, circles_of_all
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import fingerprint_words, new_seed, public_key
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records import names
from serment.core.records.vault import Member, MemberState, Role, Wrap, WrapKind
from serment.errors import N_, AccessDenied, Conflict, UsageError
from serment.ports import Clock, Transaction

RELOAD = N_("look at the members again")
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
__all__ = [
    "DEFAULT_CARE",
    "add",
    "admit",
    "change_password",
    "create",
    "find",
    "keyring_of",
    "remove",
    "rescue",
    "unlock",
    "words",
]


@dataclass(frozen=True, slots=True)
class NewMember:
    row: Member
    seed: Seed


def create(
    vault: str,
    practice: str,
    tx: Transaction,
    clock: Clock,
    login: str,
    password: Masked[str],
    roles: tuple[Role, ...],
    wanted: tuple[str, ...],
) -> NewMember:
    """Put a member and his password wrap; he holds no circle yet."""
    if not LOGIN.fullmatch(login):
        raise UsageError(
            N_("this login cannot be used"),
            hint=N_("use 1 to 40 small letters, digits, dots, hyphens"),
        )
    check_password(password.reveal(), login, practice)
    _check_free(tx, login)
    seed, member_id = new_seed(), new_id()
    state = MemberState.PENDING if wanted else MemberState.ACTIVE
    row = Member(member_id, login, roles, wanted, public_key(seed), state, clock.now())
    tx.add(row)
    put_password(tx, password_wrap(vault, row, seed, password))
    trust.first_pins(vault, tx, row, seed)
    return NewMember(row, seed)


def _check_free(tx: Transaction, login: str) -> None:
    """A login is one person's for ever: the journal and the pages name people by it."""
    for other in tx.find(Member, login=login):
        removed = other.state is MemberState.REMOVED
        message = (
            N_("the login {login} was that of a member who was removed")
            if removed
            else N_("there is already a member with the login {login}")
        )
        raise Conflict(message, hint=N_("choose another login"), login=login)


def add(
    house: House,
    acting: Member,
    ring: Keyring,
    login: str,
    password: Masked[str],
    roles: Sequence[Role],
    care: str = DEFAULT_CARE,
) -> Member:
    """A new member: active when every circle he needs is new or held by the acting member.

    Raises:
        AccessDenied: the acting member is no administrator and does not hold what is asked for.
        UsageError, Conflict: see `create`; a role is needed.
        IntegrityError: the circles are not those that this session believes.
    """
    if not roles:
        raise UsageError(
            N_("a member needs at least one role"),
            hint=N_("add `--role doctor`, `secretary`, `dpo` or `administrator`"),
        )
    wanted = _wanted(roles, care)
    _check_may_add(acting, ring, roles, wanted)
    entry = Entry(EventKind.MEMBER_ADDED, house.clock.now(), acting.id, {"login": login})
    with house.store.change(entry) as tx:
        trust.check_roots(tx, ring.belief)
        new = create(
            house.vault, house.practice, tx, house.clock, login, password, tuple(roles), wanted
        )
        row = _admit(house, tx, ring, new.row)
        if Role.ADMINISTRATOR in roles:
            _share_authority_key(house, tx, ring, row)
        tx.note(member=row.id, roles=[r.value for r in roles], state=row.state.value)
    return row


def _wanted(roles: Sequence[Role], care: str) -> tuple[str, ...]:
    if not LOGIN.fullmatch(care) or not circles.is_care_name(care):
        raise UsageError(
            N_("this cannot be the name of a care circle"),
            hint=N_("use small letters, digits, hyphens, such as `care` or `care-north`"),
        )
    return circles_of_all(roles, [care])


def _check_may_add(
    acting: Member, ring: Keyring, roles: Sequence[Role], wanted: Sequence[str]
) -> None:
    if Role.ADMINISTRATOR in acting.roles:
        return
    if Role.ADMINISTRATOR in roles or not all(ring.holds(c) for c in wanted):
        raise AccessDenied(
            N_("only an administrator, or a member of the circle, may add this member"),
            hint=N_("ask an administrator, or use `--by` a sitting member"),
        )


def _admit(house: House, tx: Transaction, ring: Keyring, member: Member) -> Member:
    """Give every wanted circle that is new or held; active once none is missing."""
    existing, missing = circles.current(tx), False
    for name in member.circles:
        if name not in existing:
            epochs.begin(house, tx, ring, name, member)
            continue
        circle = existing[name]
        if ring.holds(name):
            ring.belief.check(circle)
        subject, recipient = names.circle_seed(name, circle.epoch), names.member(member.id)
        if tx.get(Wrap, WrapKind.CIRCLE_SEED, subject, recipient, 0) is not None:
            continue
        if not ring.holds_epoch(names.circle(name), circle.epoch):
            missing = True
            continue
        seed = ring.seed(names.circle(name), circle.epoch)
        tx.put(circles.seed_wrapper(house.vault, circle, seed).to_member(member))
        cards.vouch(house.vault, tx, circle, seed, cards.member_claim(member))
    state = MemberState.PENDING if missing else MemberState.ACTIVE
    updated = replace(member, state=state)
    tx.put(updated)
    return updated


def _share_authority_key(house: House, tx: Transaction, ring: Keyring, member: Member) -> None:
    key = ring.key(house.store, WrapKind.CA_KEY, names.AUTHORITY)
    if key is not None:
        tx.put(Wrapper(house.vault, WrapKind.CA_KEY, names.AUTHORITY, key).to_member(member))


def admit(
    house: House,
    acting: Member,
    ring: Keyring,
    login: str,
    compared: tuple[str, ...] | None = None,
) -> Member:
    """A sitting member shares the circles he holds with a pending one, whose fingerprint words he
    has compared: `compared`, where he was shown them by this program.

    Raises:
        NotFound: no such member.
        Conflict: he is admitted already, or his key is not the one whose words were compared.
        AccessDenied: none of the circles he waits for is held here.
        IntegrityError: the circles are not those that this session believes.
    """
    pending = find(house.store, login)
    if compared is not None and compared != words(pending):
        raise Conflict(
            N_("the key of {login} is not the one whose words were compared"),
            hint=N_("somebody may have changed the vault: call your DPO"),
            login=login,
        )
    if pending.state is MemberState.ACTIVE:
        raise Conflict(N_("{login} is admitted already"), login=login)
    entry = Entry(EventKind.MEMBER_ADMITTED, house.clock.now(), acting.id, {"member": pending.id})
    if not any(ring.holds(name) for name in pending.circles):
        raise AccessDenied(
            N_("you hold none of the circles {login} waits for"),
            hint=N_("a sitting member of {circles} must admit"),
            login=login,
            circles=", ".join(pending.circles),
        )
    with house.store.change(entry) as tx:
        trust.check_roots(tx, ring.belief)
        if tx.get(Member, pending.id) != pending:
            raise Conflict(N_("{login} was changed meanwhile"), hint=RELOAD, login=login)
        row = _admit(house, tx, ring, pending)
        tx.note(state=row.state.value)
    return row


def remove(house: House, acting: Member, login: str) -> Member:
    """Delete every wrap to a member at once; his circles wait for a new epoch. The caller then ends
    his sessions (`Practice.end_member`)."""
    if Role.ADMINISTRATOR not in acting.roles:
        raise AccessDenied(
            N_("only an administrator may remove a member"), hint=N_("ask an administrator")
        )
    member = find(house.store, login)
    _check_somebody_stays(house, member)
    entry = Entry(EventKind.MEMBER_REMOVED, house.clock.now(), acting.id, {"member": member.id})
    with house.store.change(entry) as tx:
        for wrap in tx.find(Wrap, recipient=names.member(member.id)):
            tx.delete(wrap)
        for wrap in tx.find(Wrap, recipient=names.password(member.id)):
            tx.delete(wrap)
        for circle in circles.current(tx).values():
            if circle.id in member.circles:
                tx.put(replace(circle, stale=True))
        removed = replace(member, state=MemberState.REMOVED, totp=None)
        tx.put(removed)
    return removed


def _check_somebody_stays(house: House, member: Member) -> None:
    active = [m for m in house.store.find(Member, state=MemberState.ACTIVE) if m.id != member.id]
    if Role.ADMINISTRATOR in member.roles and not any(
        Role.ADMINISTRATOR in m.roles for m in active
    ):
        raise Conflict(
            N_("this is the last administrator"), hint=N_("add another administrator first")
        )
    for circle in circles.current(house.store).values():
        if circle.id in member.circles and {m.id for m in circles.holders(house.store, circle)} == {
            member.id
        }:
            raise Conflict(
                N_("this is the last member of the circle {circle}: nobody could read it any more"),
                hint=N_("admit another member to it first"),
                circle=circle.id,
            )


def words(member: Member) -> tuple[str, ...]:
    """What the newcomer reads aloud and the sitting member compares."""
    return fingerprint_words(member.public_key)
