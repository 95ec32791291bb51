"""Somebody who writes the database, and what a key of his opens in it."""

from __future__ import annotations

from collections.abc import Iterable

from tests.practices import World

from serment.app.keyring import Keyring
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Row, Wrap, WrapKind


def write(world: World, rows: Iterable[Row], delete: Iterable[Row] = ()) -> None:
    """What somebody with the disk does with a copy of SQLite."""
    entry = Entry(EventKind.REPAIRED, world.house.clock.now(), "thief", {})
    with world.house.store.change(entry) as tx:
        for row in delete:
            tx.delete(row)
        for row in rows:
            tx.put(row)


def opened_by(world: World, recipient: str, seed: Seed, epoch: int) -> int:
    """How many keys of patients and envelopes that seed reaches."""
    ring, store = Keyring(world.house.vault, recipient, seed, epoch), world.house.store
    kinds = set(WrapKind) - {WrapKind.MEMBER_SEED, WrapKind.CIRCLE_SEED, WrapKind.CA_KEY}
    subjects = {kind: {w.subject for w in store.find(Wrap, kind=kind)} for kind in kinds}
    return sum(len(ring.keys(store, kind, of, set())) for kind, of in subjects.items())
