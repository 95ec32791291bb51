"""The receiving side of a vault: who may send, and where it is sealed to.

Holds public keys only; see `reception` for the sealing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from serment.app.protect import devices
from serment.app.protect.mending import mend
from serment.app.protect.reception import SealedReception
from serment.app.protect.sealing import receiving_circle
from serment.app.watch.refusals import Refusals
from serment.core.records.vault import Device
from serment.errors import AccessDenied
from serment.ports import Clock, Packs, Receipt, Reception, Source, Store, Streaming

__all__ = ["SealedReceiver", "mend"]


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

    def admit(
        self, calling: str, called: str, address: str, local: str = "", tls: bool = False
    ) -> Device:
        try:
            return devices.of_caller(self._store, calling, called, address)
        except AccessDenied as refusal:
            self.refused(calling, called, address, refusal.message, local, tls)
            raise

    def knows(self, address: str) -> bool:
        return any(device.address == address for device in devices.active(self._store))

    def refused(
        self,
        calling: str,
        called: str,
        address: str,
        reason: str,
        local: str = "",
        tls: bool = False,
    ) -> None:
        with self._lock():
            self._refusals.note(
                address, reason, calling=calling, called=called, local=local, tls=tls
            )

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
        circle = receiving_circle(self._store, wanted).id
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

    def start(self) -> Streaming:
        return self._begun().start()

    def prepare(self, at_least: int = 1) -> None:
        if self._inner is not None:
            self._inner.prepare(at_least)

    def settle(self) -> None:
        if self._inner is not None:
            self._inner.settle()

    def document(self, pdf: Iterable[bytes], patient: str, title: str) -> Receipt:
        return self._begun().document(pdf, patient, title)

    def sync(self) -> None:
        if self._inner is not None:
            self._inner.sync()

    def close(self, interrupted: bool = False) -> None:
        if self._inner is not None:
            self._inner.close(interrupted)
