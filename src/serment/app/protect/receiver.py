"""The receiving side of a vault: who may send, where it is sealed to, what a restart mends.

Holds public keys only; see `reception` for the sealing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

from serment.app.protect import devices
from serment.app.protect.reception import SealedReception, choose_circle, close_envelopes
from serment.app.watch.refusals import Refusals
from serment.core.crypto.merkle import Frontier
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Device, Envelope, Setting, StoredObject
from serment.errors import AccessDenied
from serment.ports import Clock, Packs, Receipt, Reception, Source, Store, Streaming

REPLAYED = "packs-replayed"


class SealedReceiver:
    """The `Receiver` port over a store and packs; called from many threads."""

    def __init__(
        self,
        vault: str,
        store: Store,
        packs: Packs,
        clock: Clock,
        lock: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._vault, self._store, self._packs, self._clock = vault, store, packs, clock
        self._refusals = Refusals(store, clock)
        self._lock = lock

    def admit(self, calling: str, called: str, address: str) -> Device:
        try:
            return devices.of_caller(self._store, calling, called, address)
        except AccessDenied as refusal:
            self.refused(calling, called, address, refusal.message)
            raise

    def knows(self, address: str) -> bool:
        return any(device.address == address for device in devices.active(self._store))

    def refused(self, calling: str, called: str, address: str, reason: str) -> None:
        with self._lock():
            self._refusals.note(address, reason, calling=calling, called=called)

    def flush(self, final: bool = False) -> None:
        """Journal the refusals of minutes that have ended; at shutdown all of them."""
        with self._lock():
            self._refusals.flush(final)

    def open(self, source: Source) -> Reception:
        wanted = source.circle
        if wanted is None and source.device is not None:
            device = self._store.get(Device, source.device)
            wanted = device.circle if device else None
        return _Lazy(self, source, wanted)

    def begin(self, source: Source, wanted: str | None) -> SealedReception:
        circle = choose_circle(self._store, wanted)
        return SealedReception(self._vault, self._store, self._packs, self._clock, source, circle)


class _Lazy:
    """A reception that asks who could open what arrives only when the first object is there, so
    that a device can still be tested (C-ECHO) in a practice without a doctor."""

    def __init__(self, receiver: SealedReceiver, source: Source, wanted: str | None) -> None:
        self._receiver, self._source, self._wanted = receiver, source, wanted
        self._inner: SealedReception | None = None

    def _begun(self) -> SealedReception:
        if self._inner is None:
            self._inner = self._receiver.begin(self._source, self._wanted)
        return self._inner

    def store(self, part10: bytes | bytearray | memoryview) -> Receipt:
        return self._begun().store(part10)

    def start(self, head: bytes | bytearray | memoryview) -> Streaming:
        return self._begun().start(head)

    def document(self, pdf: Iterable[bytes], patient: str, title: str) -> Receipt:
        return self._begun().document(pdf, patient, title)

    def sync(self) -> None:
        if self._inner is not None:
            self._inner.sync()

    def close(self, interrupted: bool = False) -> None:
        if self._inner is not None:
            self._inner.close(interrupted)


def mend(store: Store, packs: Packs, clock: Clock) -> list[str]:
    """At start: cut torn packs, index what the last run had not, close what it left open."""
    repairs = packs.recover()
    known = _replayed(store)
    names = [name for name in packs.names() if name not in known]
    missing = replay(store, packs, names)
    if missing:
        repairs.append(f"{missing} objects indexed again from the packs")
    interrupted = [e.id for e in store.find(Envelope, closed=False)]
    if interrupted:
        came = {envelope: _what_came(store, envelope) for envelope in interrupted}
        entry = Entry(EventKind.RECEPTION_INTERRUPTED, clock.now(), "receiver", {"envelopes": came})
        close_envelopes(store, entry, interrupted)
        repairs.append(f"{len(interrupted)} interrupted receptions closed")
    if not repairs and not names:
        return []
    kind = EventKind.REPAIRED if repairs else EventKind.PACKS_INDEXED
    details = {"what": "packs", "repairs": repairs, "count": len(names)}
    with store.change(Entry(kind, clock.now(), "receiver", details)) as tx:
        tx.put(Setting(REPLAYED, "\n".join(sorted(known | set(names))).encode()))
    return repairs


def _replayed(store: Store) -> set[str]:
    """Packs that were indexed whole: each process writes packs of its own, so they are final."""
    setting = store.get(Setting, REPLAYED)
    return set(setting.value.decode().split("\n")) if setting else set()


def replay(store: Store, packs: Packs, names: Sequence[str]) -> int:
    """Insert the object rows of those packs' records that no row refers to; how many."""
    before = store.count(StoredObject)
    batch: list[StoredObject] = []
    for record in (record for name in names for record in packs.records(name)):
        place = record.place
        batch.append(
            StoredObject(
                record.object_id,
                record.envelope_id,
                place.pack,
                place.offset,
                place.size,
                place.sha256,
                record.clinical_header,
            )
        )
        if len(batch) >= 1000:
            store.add_objects(batch)
            batch = []
    store.add_objects(batch)
    return store.count(StoredObject) - before


def _what_came(store: Store, envelope: str) -> dict[str, object]:
    digests = Frontier()
    for row in store.find(StoredObject, envelope=envelope):
        digests.append(row.sha256)
    return {"objects": digests.size, "root": digests.root().hex()}
