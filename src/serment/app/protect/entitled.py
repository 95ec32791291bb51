"""Wraps follow those entitled: the present epoch of a circle, and circles that came later.

After a removal the remaining members' circle has a new seed; what was wrapped to the old one is
wrapped to the new one, some hundred keys at a time, until nothing opens by the old one any more.
A DPO who comes after the patients gets their identity keys the same way. What somebody copied
before stays copied (threat model, E).
"""

from __future__ import annotations

from collections.abc import Collection

from serment.app import circles
from serment.app.house import House
from serment.app.protect.tables import CircleTable
from serment.app.wrapping import Wrapper, put_all
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import names
from serment.core.records.vault import Circle, Wrap, WrapKind
from serment.ports import OneOf, Store, Transaction

AT_ONCE = 500  # keys brought up to date in one transaction

Holders = dict[str, Circle]  # who should hold a key now, by recipient


def follow(house: House, table: CircleTable, actor: str) -> int:
    """Bring the next keys that an open circle reaches to those who should hold them; how many
    were looked at, 0 when nothing is left to do."""
    if table.outdated is None:
        table.outdated = _outdated(house.store, table, _holders(house.store, table))
    batch, table.outdated = table.outdated[:AT_ONCE], table.outdated[AT_ONCE:]
    if batch:
        details = {"circle": table.circle, "count": len(batch)}
        entry = Entry(EventKind.KEYS_RENEWED, house.clock.now(), actor, details)
        with house.store.change(entry) as tx:
            holders = _holders(tx, table)
            for kind in table.kinds:
                subjects = [subject for other, subject in batch if other is kind]
                _bring(house, tx, table, holders, kind, subjects)
    return len(batch)


def _holders(store: Store | Transaction, table: CircleTable) -> Holders:
    current = circles.current(store)
    wanted = (
        circles.identity_readers(current)
        if table.circle == circles.SECRETARIAT
        else [current[table.circle], current[circles.RECOVERY]]
    )
    return {names.circle(circle.id): circle for circle in table.ring.entitled(wanted)}


def _outdated(store: Store, table: CircleTable, holders: Holders) -> list[tuple[WrapKind, str]]:
    """The keys that others hold than those who should: kind and subject."""
    own = names.circle(table.circle)
    if own not in holders or _is_up_to_date(store, table, holders):
        return []
    wanted = {(recipient, circle.epoch) for recipient, circle in holders.items()}
    found: list[tuple[WrapKind, str]] = []
    for kind in table.kinds:
        held: dict[str, set[tuple[str, int]]] = {}
        for wrap in store.wrap_names(kind):
            if wrap.recipient in holders:
                held.setdefault(wrap.subject, set()).add((wrap.recipient, wrap.epoch))
        ours = ((subject, by) for subject, by in held.items() if own in dict(by))
        found += [(kind, subject) for subject, by in ours if by != wanted]
    return found


def _is_up_to_date(store: Store, table: CircleTable, holders: Holders) -> bool:
    """Without looking at each key: nobody ever left, and each reader has as many as the others."""
    if any(circle.epoch > 1 for circle in holders.values()):
        return False
    return table.care or all(
        len({store.count(Wrap, kind=kind, recipient=recipient) for recipient in holders}) == 1
        for kind in table.kinds
    )


def _bring(
    house: House,
    tx: Transaction,
    table: CircleTable,
    holders: Holders,
    kind: WrapKind,
    subjects: Collection[str],
) -> None:
    """Wrap those keys to whoever should hold them and does not; delete what is of older epochs."""
    held: dict[str, list[Wrap]] = {}
    for wrap in tx.find(Wrap, kind=kind, subject=OneOf(subjects), recipient=OneOf(list(holders))):
        held.setdefault(wrap.subject, []).append(wrap)
    for subject, key in table.ring.keys(house.store, kind, subjects, set()).items():
        have = {(wrap.recipient, wrap.epoch) for wrap in held[subject]}
        lacking = [c for r, c in holders.items() if (r, c.epoch) not in have]
        wrapper = Wrapper(house.vault, kind, subject, key)
        put_all(tx, wrapper.to_circles(lacking, table.ring))
        for wrap in held[subject]:
            if wrap.epoch != holders[wrap.recipient].epoch:
                tx.delete(wrap)
