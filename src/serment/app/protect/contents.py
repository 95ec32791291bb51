"""What a search table holds: studies for an identity circle, instances for a care circle.

Puts rows in and takes out those whose keys are gone; told what to look at by `tables`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from serment.app.batches import AT_ONCE, batches
from serment.app.protect.rows import Opener
from serment.app.steps import Steps
from serment.core.crypto.secret import Key
from serment.core.journal.touched import Touched
from serment.core.records.vault import Envelope, StoredObject, WrapKind
from serment.ports import OneOf, SearchTable


class Contents(Protocol):
    """Every method returns how many rows it looked at."""

    kinds: tuple[WrapKind, WrapKind]  # of an envelope's key here, and of its patient's above it
    cursor: int  # of the objects put so far

    def everything(self, steps: Steps) -> int:
        """The first time, without a snapshot."""

    def arrived(self, steps: Steps) -> int:
        """What came since without any entry of the journal."""

    def again(self, touched: Touched, rekeyed: Collection[str]) -> int:
        """What was touched. `rekeyed`: envelopes that others can open than before."""

    def total(self) -> int:
        """About how many rows there are."""


class Studies:
    """One row an envelope."""

    kinds = (WrapKind.ENVELOPE_IDENTITY, WrapKind.PATIENT_IDENTITY)

    def __init__(self, opener: Opener, table: SearchTable) -> None:
        self._opener, self._store, self._table = opener, opener.store, table
        self.cursor = 0

    def everything(self, steps: Steps) -> int:
        envelopes = self._store.find(Envelope)
        steps.expect(len(envelopes))
        for batch in batches(envelopes):
            self._table.put_studies(self._opener.studies(batch))
            steps.done(len(batch))
        return len(envelopes)

    def arrived(self, steps: Steps) -> int:
        return 0

    def again(self, touched: Touched, rekeyed: Collection[str]) -> int:
        envelopes = touched.envelopes.union(rekeyed)
        for ids in batches(envelopes):
            rows = self._opener.studies(self._store.find(Envelope, id=OneOf(ids)))
            self._table.remove(set(ids) - {row.envelope for row in rows})
            self._table.put_studies(rows)
        return len(envelopes)

    def total(self) -> int:
        return self._store.count(Envelope)


class Instances:
    """One row an object."""

    kinds = (WrapKind.ENVELOPE_SEED, WrapKind.PATIENT_CLINICAL)

    def __init__(self, circle: str, opener: Opener, table: SearchTable) -> None:
        self._circle, self._opener, self._store = circle, opener, opener.store
        self._table = table
        self._keys: dict[str, Key | None] = {}  # of the envelopes met so far; None = not ours
        self.cursor = 0

    def everything(self, steps: Steps) -> int:
        steps.expect(self.total())
        return 0  # `arrived` does it all

    def arrived(self, steps: Steps) -> int:
        count = 0
        while page := self._store.objects_after(self.cursor, AT_ONCE):
            count += self._put([row for _, row in page])
            self.cursor = page[-1][0]
            steps.done(len(page))
        return count

    def again(self, touched: Touched, rekeyed: Collection[str]) -> int:
        before = {envelope for envelope in rekeyed if self._keys.pop(envelope, None)}
        self._learn(rekeyed)
        self._table.remove(e for e in rekeyed if self._keys[e] is None)
        count = len(rekeyed)
        for ids in batches(e for e in rekeyed if self._keys[e] and e not in before):
            count += self._put(self._store.find(StoredObject, envelope=OneOf(ids)))
        for ids in batches(touched.objects):
            count += self._put(self._store.find(StoredObject, id=OneOf(ids)))
        return count

    def total(self) -> int:
        return self._store.count(StoredObject)

    def _put(self, objects: list[StoredObject]) -> int:
        self._learn({row.envelope for row in objects})
        self._table.put_instances(self._opener.instances(self._circle, objects, self._keys))
        return len(objects)

    def _learn(self, envelopes: Iterable[str]) -> None:
        """Open the clinical header keys not met yet."""
        for ids in batches(e for e in envelopes if e not in self._keys):
            self._keys |= dict.fromkeys(ids) | self._opener.clinical_keys(ids)
