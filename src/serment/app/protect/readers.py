"""Brings the wraps of identities up to who is entitled to them now."""

from __future__ import annotations

from collections.abc import Iterable

from serment.app import circles
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.wrapping import Wrapper, put_all
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import names
from serment.core.records.names import NameKind
from serment.core.records.vault import Wrap, WrapKind
from serment.ports import Store


def share_with_new_readers(house: House, ring: Keyring, actor: str) -> int:
    """After the first DPO came: wrap patients' identity keys, and those of arrivals that wait,
    to the circle that was not there before. How many wraps were made."""
    made = 0
    readers = {
        names.circle(c.id): c for c in circles.identity_readers(circles.current(house.store))
    }
    for kind in (WrapKind.PATIENT_IDENTITY, WrapKind.ENVELOPE_IDENTITY):
        if len({house.store.count(Wrap, kind=kind, recipient=r) for r in readers}) == 1:
            continue  # each has as many as the others
        missing = _missing(house.store, kind, readers.keys())
        keys = ring.keys(house.store, kind, missing, set())
        entry = Entry(EventKind.KEYS_MOVED, house.clock.now(), actor, {"why": "new-reader"})
        with house.store.change(entry) as tx:
            for subject, key in keys.items():
                wrapper = Wrapper(house.vault, kind, subject, key)
                put_all(tx, wrapper.to_circles((readers[r] for r in missing[subject]), ring))
                made += len(missing[subject])
    return made


def _missing(store: Store, kind: WrapKind, readers: Iterable[str]) -> dict[str, set[str]]:
    """Who is missing, by subject; what was filed goes with its patient's key."""
    held: dict[str, set[str]] = {}
    for wrap in store.wrap_names(kind):
        held.setdefault(wrap.subject, set()).add(wrap.recipient)
    wanted = set(readers)
    return {
        subject: wanted - recipients
        for subject, recipients in held.items()
        if not wanted <= recipients and not any(r.startswith(NameKind.PATIENT) for r in recipients)
    }
