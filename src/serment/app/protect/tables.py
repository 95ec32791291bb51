"""The search table of one open circle: filled from a snapshot and what came since, then kept up.

An identity circle (secretariat, DPO) knows studies and patients, a care circle series and
instances. What changed is read from the journal (`core.journal.touched`); rows whose keys do not
reach here any more go, wherever they came from. Nothing is written to disk but the snapshot.
"""

from __future__ import annotations

from collections.abc import Callable

from serment.app.batches import batches
from serment.app.circles import is_care_name
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect import snapshots
from serment.app.protect.contents import Contents, Instances, Studies
from serment.app.protect.patients import Patients
from serment.app.protect.rows import Opener
from serment.app.steps import Steps
from serment.core.journal.touched import Touched, touched_by
from serment.core.records import names
from serment.core.records.names import NameKind
from serment.core.records.vault import Envelope, Snapshot, WrapKind
from serment.errors import FormatError, IntegrityError
from serment.ports import OneOf, Store

ONE_IN = 50  # rows: when so many changed since the snapshot, the next opening is worth another


class CircleTable:
    """What is known of one open circle, in memory, and how far it goes."""

    def __init__(self, house: House, ring: Keyring, circle: str) -> None:
        """`ring` holds that circle's seeds and nothing else; it is closed with the table."""
        self.circle, self.ring, self.table = circle, ring, house.tables()
        self.care = is_care_name(circle)
        self.patients = Patients(house, ring)
        self.version = 0  # counts the changes of the table: what shows it asks whether to ask again
        self.touched: set[str] | None = None  # envelopes, for `moving`; None = all of them
        self.outdated: list[tuple[WrapKind, str]] | None = None  # for `entitled`; None = not known
        self.on_rekeyed: Callable[[Touched], None] = lambda touched: None
        self.looked_at = house.clock.now()  # when it was last asked whether it is worth saving
        self._store = house.store
        self._opener = Opener(house.store, ring)
        self._contents: Contents = (
            Instances(circle, self._opener, self.table)
            if self.care
            else Studies(self._opener, self.table)
        )
        self._entries = 0  # of the journal, seen so far
        self._unsaved = 0  # rows that changed since the snapshot

    @property
    def kinds(self) -> tuple[WrapKind, WrapKind]:
        """Of what the circle reaches: an envelope's key, and its patient's above it."""
        return self._contents.kinds

    @property
    def damaged(self) -> int:
        """How many headers failed authentication: shown on the home page."""
        return len(self._opener.damaged)

    def fill(self, steps: Steps | None = None) -> bool:
        """Add what is new since the last time; whether there was anything."""
        steps = steps or Steps()
        if not self._entries:
            self._load()
        size = self._store.journal_size()
        if self._entries:
            changed = self._follow(touched_by(self._store.journal(self._entries, size)))
        else:
            changed = self._contents.everything(steps)
        changed += self._contents.arrived(steps)
        self._entries = size
        self._unsaved += changed
        self.version += bool(changed)
        return bool(changed)

    def _follow(self, touched: Touched) -> int:
        if not touched:
            return 0
        self.ring.forget(touched.keys)
        if touched.keys:
            self.on_rekeyed(touched)
        if touched.named(NameKind.CIRCLE):
            self.outdated = None  # a new epoch, or a new circle
        if self.touched is not None:
            self.touched |= touched.envelopes
        self.patients.look_again(touched.patients | touched.named(NameKind.PATIENT))
        return self._contents.again(touched, _envelopes_of(self._store, touched))

    # The snapshot

    def _load(self) -> None:
        """Take the rows of the snapshot, if it is sound, as far as keys still reach them."""
        kept = self._store.get(Snapshot, self.circle)
        if kept is None:
            return
        try:
            contents = snapshots.open_sealed(self.ring, kept)
            if contents.entries > self._store.journal_size():
                return  # of a database that is no more
            self.table.restore(contents.image)
        except (IntegrityError, FormatError):
            return
        reached = self._reached()
        self.table.remove(e for e in self.table.envelopes() if names.envelope(e) not in reached)
        self._opener.damaged.update(contents.damaged)
        self._entries, self._contents.cursor = contents.entries, contents.cursor

    def _reached(self) -> set[str]:
        """The names of the envelopes to which some wrap leads from here."""
        kind, above = self.kinds
        parents = {
            wrap.subject
            for wrap in self._store.wrap_names(above)
            if self.ring.holds_epoch(wrap.recipient, wrap.epoch)
        }
        return {
            wrap.subject
            for wrap in self._store.wrap_names(kind)
            if wrap.recipient in parents or self.ring.holds_epoch(wrap.recipient, wrap.epoch)
        }

    def is_worth_saving(self, least: int = 1) -> bool:
        """Whether enough changed since the last snapshot that another would save time."""
        return self._unsaved >= least and self._unsaved * ONE_IN >= self._contents.total()

    def snapshot(self) -> Snapshot | None:
        """The rows as they are now, sealed; may run while the table is being filled: how far they
        go is noted first, so that at worst something is looked at twice."""
        entries, cursor, unsaved = self._entries, self._contents.cursor, self._unsaved
        damaged = tuple(sorted(self._opener.damaged))
        contents = snapshots.Contents(entries, cursor, damaged, self.table.image())
        sealed = snapshots.seal(self.ring, self.circle, contents)
        self._unsaved -= unsaved
        return sealed

    def close(self) -> None:
        self.table.close()
        self.ring.close()


def _envelopes_of(store: Store, touched: Touched) -> set[str]:
    """The envelopes that others can open than before, by their own key or their patient's."""
    found = touched.named(NameKind.ENVELOPE)
    for ids in batches(touched.named(NameKind.PATIENT)):
        found.update(e.id for e in store.find(Envelope, patient=OneOf(ids)))
    for ids in batches(touched.named(NameKind.COMPARTMENT)):
        found.update(e.id for e in store.find(Envelope, compartment=OneOf(ids)))
    return found
