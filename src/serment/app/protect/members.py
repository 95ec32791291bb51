"""Members come, are admitted, leave, and get a new password.

Who becomes active at once and who waits is decided by keys: a circle that does not exist yet is
made for its first member; an existing one is shared only by somebody who holds its seed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serment.app import circles, epochs, trust
from serment.app.house import House
from serment.app.keyring import Keyring, check_member
from serment.app.wrapping import Wrapper
from serment.core.access.passwords import check_password
from serment.core.access.roles import circles_of
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import fingerprint_words, new_seed, public_key
from serment.core.crypto.password import open_with_password, seal_with_password
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records import contexts, names
from serment.core.records.vault import Member, MemberState, Role, Wrap, WrapKind, WrapMethod
from serment.errors import N_, AccessDenied, Conflict, NotFound, UsageError
from serment.ports import Clock, Store, Transaction

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
DEFAULT_CARE = "care"
WRONG = N_("the login or the password is not right")
WRONG_HINT = N_("check both; after three failures the account waits a minute")


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
    if tx.find(Member, login=login):
        raise Conflict(
            N_("there is already a member with the login {login}"),
            hint=N_("choose another login"),
            login=login,
        )
    seed, member_id = new_seed(), new_id()
    state = MemberState.PENDING if wanted else MemberState.ACTIVE
    row = Member(member_id, login, roles, wanted, public_key(seed), state, clock.now())
    tx.add(row)
    tx.put(_password_wrap(vault, row, seed, password))
    trust.first_pins(vault, tx, row, seed)
    return NewMember(row, seed)


def _password_wrap(vault: str, member: Member, seed: Seed, password: Masked[str]) -> Wrap:
    subject, recipient = names.member(member.id), names.password(member.id)
    context = contexts.wrap(vault, WrapKind.MEMBER_SEED, subject, recipient, 0)
    blob = seal_with_password(seed, password, context)
    return Wrap(WrapKind.MEMBER_SEED, subject, recipient, 0, WrapMethod.PASSWORD, blob)


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


def unlock(house: House, login: str, password: Masked[str]) -> tuple[Member, Seed]:
    """The member and his seed. `AccessDenied`, the same for an unknown login and a wrong
    password, after the same derivation."""
    known = [m for m in house.store.find(Member, login=login) if m.state is not MemberState.REMOVED]
    if not known:
        with house.deriving:  # the same work as for a known login
            seal_with_password(new_seed(), password, contexts.second_factor(house.vault, "nobody"))
        raise AccessDenied(WRONG, hint=WRONG_HINT)
    member = known[0]
    subject, recipient = names.member(member.id), names.password(member.id)
    wrap = house.store.get(Wrap, WrapKind.MEMBER_SEED, subject, recipient, 0)
    if wrap is None:
        raise AccessDenied(WRONG, hint=WRONG_HINT)
    context = contexts.wrap(house.vault, WrapKind.MEMBER_SEED, subject, recipient, 0)
    try:
        with house.deriving:
            seed = open_with_password(wrap.blob, password, context)
    except AccessDenied as wrong:
        raise AccessDenied(WRONG, hint=WRONG_HINT) from wrong
    check_member(seed, member.public_key)
    return member, seed


def keyring_of(house: House, member: Member, seed: Seed) -> Keyring:
    """All that a member's seed opens now."""
    ring = Keyring(house.vault, names.member(member.id), seed)
    ring.open_circles(house.store)
    return ring


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
        new = create(
            house.vault, house.practice, tx, house.clock, login, password, tuple(roles), wanted
        )
        row = _admit(house, tx, ring, new.row)
        if Role.ADMINISTRATOR in roles:
            _share_authority_key(house, tx, ring, row)
        tx.note(member=row.id, roles=[r.value for r in roles], state=row.state.value)
    return row


def _wanted(roles: Sequence[Role], care: str) -> tuple[str, ...]:
    if not LOGIN.fullmatch(care) or care in {circles.RECOVERY, circles.SECRETARIAT, circles.DPO}:
        raise UsageError(
            N_("this cannot be the name of a care circle"),
            hint=N_("use small letters, digits, hyphens, such as `care` or `care-north`"),
        )
    names: list[str] = []
    for role in roles:
        names += [c for c in circles_of(role, care) if c not in names]
    return tuple(names)


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
            epochs.make(house.vault, tx, house.clock, name, [member])
            continue
        circle = existing[name]
        subject, recipient = names.circle_seed(name, circle.epoch), names.member(member.id)
        if tx.get(Wrap, WrapKind.CIRCLE_SEED, subject, recipient, 0) is not None:
            continue
        if not ring.holds_epoch(names.circle(name), circle.epoch):
            missing = True
            continue
        seed = ring.seed(names.circle(name), circle.epoch)
        tx.put(circles.seed_wrapper(house.vault, circle, seed).to_member(member))
        trust.vouch(house.vault, tx, circle, seed, trust.member_claim(member))
    state = MemberState.PENDING if missing else MemberState.ACTIVE
    updated = replace(member, state=state)
    tx.put(updated)
    return updated


def _share_authority_key(house: House, tx: Transaction, ring: Keyring, member: Member) -> None:
    key = ring.key(house.store, WrapKind.CA_KEY, names.AUTHORITY)
    if key is not None:
        tx.put(Wrapper(house.vault, WrapKind.CA_KEY, names.AUTHORITY, key).to_member(member))


def admit(house: House, acting: Member, ring: Keyring, login: str) -> Member:
    """A sitting member shares the circles he holds with a pending one, whose fingerprint words he
    has compared."""
    pending = find(house.store, login)
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
        row = _admit(house, tx, ring, pending)
        tx.note(state=row.state.value)
    return row


def remove(house: House, acting: Member, login: str) -> Member:
    """Delete every wrap to a member at once; his circles wait for a new epoch."""
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
    house.store.copy_keys()  # what was deleted must not come back with it
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


def renew_stale(house: House, acting: Member, ring: Keyring) -> list[str]:
    """After a removal: the first remaining member's session makes the new epochs."""
    renewed = []
    for circle in circles.current(house.store).values():
        if circle.stale and not circle.stopped and ring.holds(circle.id):
            entry = Entry(
                EventKind.CIRCLE_MADE, house.clock.now(), acting.id, {"circle": circle.id}
            )
            with house.store.change(entry) as tx:
                if not circles.current(tx)[circle.id].stale:
                    continue
                epochs.renew(house.vault, tx, house.clock, circle, ring)
                tx.put(replace(circle, stale=False))
            renewed.append(circle.id)
    return renewed


def rescue(house: House, recovery: Keyring, login: str, password: Masked[str]) -> Member:
    """A new seed and password for somebody who lost his: what his circles are comes from recovery.

    The keyring holds the recovery seed (two shares of the kit)."""
    member = find(house.store, login)
    check_password(password.reveal(), login, house.practice)
    seed = new_seed()
    fresh = replace(member, public_key=public_key(seed), totp=None)
    entry = Entry(EventKind.MEMBER_RESCUED, house.clock.now(), "recovery", {"member": member.id})
    with house.store.change(entry) as tx:
        held = tx.find(Wrap, recipient=names.member(member.id))
        tx.put(fresh)
        tx.put(_password_wrap(house.vault, fresh, seed, password))
        trust.first_pins(house.vault, tx, fresh, seed)
        for wrap in held:
            _rewrap(house, tx, recovery, wrap, fresh)
        _vouch_again(house, tx, recovery, fresh)
    house.store.copy_keys()
    return fresh


def _vouch_again(house: House, tx: Transaction, recovery: Keyring, member: Member) -> None:
    """His circles' cards name his new public key."""
    for circle in circles.current(tx).values():
        subject = names.circle_seed(circle.id, circle.epoch)
        if tx.get(Wrap, WrapKind.CIRCLE_SEED, subject, names.member(member.id), 0) is not None:
            seed = recovery.seed(names.circle(circle.id), circle.epoch)
            trust.vouch(house.vault, tx, circle, seed, trust.member_claim(member))


def _rewrap(house: House, tx: Transaction, recovery: Keyring, wrap: Wrap, member: Member) -> None:
    tx.delete(wrap)
    key = recovery.key(house.store, wrap.kind, wrap.subject)
    if key is not None:
        tx.put(Wrapper(house.vault, wrap.kind, wrap.subject, key).to_member(member))


def words(member: Member) -> tuple[str, ...]:
    """What the newcomer reads aloud and the sitting member compares."""
    return fingerprint_words(member.public_key)


def change_password(house: House, member: Member, seed: Seed, new: Masked[str]) -> None:
    """A member's own seed under his new password; the old one opens it no longer, from the second
    copy neither.

    Raises:
        UsageError: the new password is too weak.
    """
    check_password(new.reveal(), member.login, house.practice)
    with house.deriving:
        wrap = _password_wrap(house.vault, member, seed, new)
    entry = Entry(EventKind.MEMBER_PASSWORD, house.clock.now(), member.id, {"member": member.id})
    with house.store.change(entry) as tx:
        tx.put(wrap)
    house.store.copy_keys()
