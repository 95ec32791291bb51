"""How a circle comes to be, how its next epoch follows when a member has left, who accepts one."""

from __future__ import annotations

from dataclasses import replace

from serment.app import cards, circles
from serment.app.circles import holders, seed_wrapper
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.wrapping import put_all
from serment.core.access.roles import kind_of_circle
from serment.core.crypto.keys import fingerprint_words, new_seed, public_key
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import names
from serment.core.records.vault import Circle, Member, Snapshot, WrapKind
from serment.errors import N_, AccessDenied, Conflict, NotFound
from serment.ports import Transaction


def begin(house: House, tx: Transaction, ring: Keyring, name: str, first: Member) -> None:
    """A new circle for its first member, signed as made by an administrator; the caller journals.

    Raises:
        AccessDenied: the session does not hold the authority's key, as administrators do.
    """
    authority = ring.key(house.store, WrapKind.CA_KEY, names.AUTHORITY)
    if authority is None:
        raise AccessDenied(
            N_("this session does not hold the authority's key"),
            hint=N_("ask the administrator who founded the vault"),
        )
    circle, _ = _make(house, tx, ring, name, [first], 1)
    cards.appoint(house.vault, tx, circle, authority)


def _make(
    house: House, tx: Transaction, ring: Keyring, name: str, members: list[Member], epoch: int
) -> tuple[Circle, Seed]:
    """Put a new circle, or a new epoch of one, and its wraps: for each member's public key and for
    recovery."""
    ring.belief.check(circles.recovery(tx))
    seed = new_seed()
    circle = Circle(name, kind_of_circle(name), epoch, public_key(seed), house.clock.now())
    tx.add(circle)
    wrapper = seed_wrapper(house.vault, circle, seed)
    put_all(tx, [*map(wrapper.to_member, members), wrapper.to_circle(circles.recovery(tx), ring)])
    for member in members:
        cards.vouch(house.vault, tx, circle, seed, cards.member_claim(member))
    return circle, seed


def renew(house: House, tx: Transaction, ring: Keyring, old: Circle) -> None:
    """A new epoch for those who remain; the old seed is wrapped under the new one, so that what
    was sealed before stays readable to them. What the old seed's snapshot holds goes."""
    vault, old_seed = house.vault, ring.seed(names.circle(old.id), old.epoch)
    members = [
        member
        for member in holders(tx, old)
        if cards.is_vouched(vault, tx, old, old_seed, cards.member_claim(member))
    ]
    circle, seed = _make(house, tx, ring, old.id, members, old.epoch + 1)
    ring.hold(names.circle(old.id), circle.epoch, seed)
    ring.belief = ring.belief.plus(circle)
    cards.vouch(vault, tx, old, old_seed, cards.circle_claim(circle))
    if old.id == circles.SECRETARIAT:
        _vouch_on(house, tx, ring, circle, seed)
    tx.put(seed_wrapper(vault, old, old_seed).to_circle(circle, ring))
    for snapshot in tx.find(Snapshot, circle=old.id):
        tx.delete(snapshot)


def _vouch_on(
    house: House, tx: Transaction, ring: Keyring, secretariat: Circle, seed: Seed
) -> None:
    """What the secretariat accepted before stays accepted."""
    for other in circles.current(tx).values():
        if other.id not in (circles.SECRETARIAT, circles.RECOVERY) and ring.belief.has(other):
            cards.vouch(house.vault, tx, secretariat, seed, cards.circle_claim(other))


def accept(
    house: House,
    acting: Member,
    ring: Keyring,
    name: str,
    compared: tuple[str, ...] | None = None,
) -> Circle:
    """Somebody of the secretariat has compared the words of a circle that was stopped because no
    key of his vouched for it (the DPOs' next epoch, say) and does so now: it receives again.

    Raises:
        AccessDenied: the session does not hold the secretariat.
        NotFound: there is no such circle, or it waits for nobody.
        Conflict: its key is not the one whose words were compared.
        IntegrityError: a circle that the session holds is stopped itself.
    """
    with house.store.change(
        Entry(EventKind.CIRCLE_ACCEPTED, house.clock.now(), acting.id, {"circle": name})
    ) as tx:
        current = circles.current(tx)
        circle, secretariat = current.get(name), current.get(circles.SECRETARIAT)
        if circle is None or not circle.stopped or name in (circles.RECOVERY, circles.SECRETARIAT):
            raise NotFound(
                N_("there is no circle {circle} to accept"),
                hint=N_("the DPO's circle, or a care circle, is accepted when it was stopped"),
                circle=name,
            )
        if secretariat is None or not ring.holds_epoch(
            names.circle(secretariat.id), secretariat.epoch
        ):
            raise AccessDenied(
                N_("no key: only somebody of the secretariat can accept a circle"),
                hint=N_("ask a secretary or a doctor"),
            )
        if compared is not None and compared != words(circle):
            raise Conflict(
                N_("the key of the circle {circle} is not the one whose words were compared"),
                hint=N_("somebody may have changed the vault: call your DPO"),
                circle=name,
            )
        ring.belief.check(secretariat)
        seed = ring.seed(names.circle(secretariat.id), secretariat.epoch)
        cards.vouch(house.vault, tx, secretariat, seed, cards.circle_claim(circle))
        accepted = replace(circle, stopped=False)
        tx.put(accepted)
    return accepted


def words(circle: Circle) -> tuple[str, ...]:
    """What a member of the circle reads aloud and the secretariat compares."""
    return fingerprint_words(circle.public_key)


def renew_stale(house: House, acting: Member, ring: Keyring) -> list[str]:
    """After a removal: the first remaining member's session makes the new epochs."""
    renewed = []
    for circle in circles.current(house.store).values():
        if circle.stale and ring.holds(circle.id) and ring.belief.has(circle):
            details = {"circle": circle.id}
            entry = Entry(EventKind.CIRCLE_MADE, house.clock.now(), acting.id, details)
            with house.store.change(entry) as tx:
                renew(house, tx, ring, circle)
                tx.put(replace(circle, stale=False))
            renewed.append(circle.id)
    return renewed
