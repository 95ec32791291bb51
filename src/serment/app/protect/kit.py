"""The recovery kit after it was made: declared printed, tried on a date, opened when needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from serment.app import circles
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.core.access.rights import check_may
from serment.core.crypto.keys import public_key
from serment.core.crypto.slip39 import combine
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Member, Setting
from serment.errors import N_, AccessDenied
from serment.ports import Store

PRINTED = "kit-printed"
TRIED = "kit-tried"


@dataclass(frozen=True, slots=True)
class KitState:
    """When somebody declared the kit printed and when it last opened the vault; None = never."""

    printed: datetime | None
    tried: datetime | None


def state(store: Store) -> KitState:
    return KitState(_date(store, PRINTED), _date(store, TRIED))


def _date(store: Store, key: str) -> datetime | None:
    setting = store.get(Setting, key)
    return datetime.fromisoformat(setting.value.decode()) if setting else None


def declare_printed(house: House, member: Member) -> None:
    """An administrator says that the kit is printed and put away: a claim, shown as one."""
    check_may(member.roles, "settings")
    _record(house, EventKind.KIT_DECLARED, member.id, PRINTED)


def _record(house: House, kind: EventKind, actor: str, key: str) -> None:
    now = house.clock.now()
    with house.store.change(Entry(kind, now, actor, {})) as tx:
        tx.put(Setting(key, now.isoformat().encode()))


def open_with(house: House, shares: Sequence[str]) -> Keyring:
    """A keyring of the recovery seed, journalled as a trial of the kit. A circle to which only a
    damaged wrap leads is left out: what recovery reaches itself needs none.

    Raises:
        UsageError, FormatError: shares that are too few, damaged, or not of one kit.
        AccessDenied: a kit of another vault.
    """
    seed = combine(shares)
    circle = circles.recovery(house.store)
    if public_key(seed) != circle.public_key:
        raise AccessDenied(
            N_("this kit is not the one of this vault"),
            hint=N_("compare the recovery key's words on the kit with those of the members page"),
        )
    ring = Keyring(house.vault, circles.RECOVERY, seed, circle.epoch)
    ring.open_circles(house.store, damaged=set())
    _record(house, EventKind.KIT_TRIED, "recovery", TRIED)
    return ring
