"""A `Receiver` that keeps what comes in memory, unsealed: the twin used by tests and benchmarks.

Never part of a running vault. It keeps the promises of the port: the same errors, nothing left of
an object that was refused, and a log that shows whether an acknowledgement came after its sync.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from serment.core.dicom import part10
from serment.core.dicom.walker import walk
from serment.core.records.vault import Device
from serment.errors import N_, AccessDenied, FormatError, Mismatch, NoSpace, SermentError
from serment.ports import Receipt, Source

Bytes = bytes | bytearray | memoryview

_PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"  # Encapsulated PDF Storage
_ANYBODY = Device(
    "0" * 32, "anybody", "", "", "", "care", b"", datetime(2000, 1, 1, tzinfo=UTC), None
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One object as it came; `data` is empty when the receiver only counts."""

    receipt: Receipt
    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    calling: str
    called: str
    address: str
    reason: str
    local: str = ""
    tls: bool = False


@dataclass(slots=True)
class MemoryReception:
    """One reception and everything that happened to it, in order."""

    receiver: MemoryReceiver
    source: Source
    kept: list[Kept] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)  # "store", "abort", "sync", ...
    closed: bool = False
    interrupted: bool = False

    def start(self) -> MemoryStreaming:
        return MemoryStreaming(self)

    def prepare(self, at_least: int = 1) -> None:
        if at_least > 1:
            self.steps.append(f"prepare {at_least}")

    def settle(self) -> None:
        self.steps.append("settle")

    def document(self, pdf: Iterable[bytes], patient: str, title: str) -> Receipt:
        data = b"".join(pdf)
        if not data.startswith(b"%PDF-"):
            raise FormatError(N_("this is not a PDF document"))
        self.steps.append("document")
        receipt = Receipt(self.receiver.new_id(), _PDF_CLASS, f"2.25.{len(data)}")
        self.receiver.check(receipt, len(data))
        return self._add(receipt, data)

    def sync(self) -> None:
        self.steps.append("sync")

    def close(self, interrupted: bool = False) -> None:
        if self.closed:
            raise RuntimeError("a reception is closed exactly once")
        self.closed, self.interrupted = True, interrupted
        self.steps.append("close")

    def keep(self, data: bytes) -> Receipt:
        """One whole object."""
        receipt = _identify(data)
        self.receiver.check(receipt, len(data))
        self.steps.append("store")
        return self._add(replace(receipt, object_id=self.receiver.new_id()), data)

    def _add(self, receipt: Receipt, data: bytes) -> Receipt:
        kept = data if self.receiver.keeps else b""
        self.kept.append(Kept(receipt, kept, len(data)))
        return receipt


@dataclass(slots=True)
class MemoryStreaming:
    """An object under way."""

    reception: MemoryReception
    data: bytearray = field(default_factory=bytearray)
    ended: bool = False

    def write(self, chunk: Bytes) -> None:
        if self.ended:
            raise RuntimeError("written after its end")
        self.data += chunk
        self.reception.receiver.check(None, len(self.data))

    def finish(self) -> Receipt:
        receipt = self.reception.keep(bytes(self.data))
        self.ended = True
        return receipt

    def abort(self) -> None:
        if not self.ended:
            self.reception.steps.append("abort")
        self.ended = True
        self.data.clear()


class MemoryReceiver:
    """The `Receiver` port in memory."""

    def __init__(
        self,
        devices: Sequence[Device] | None = None,
        *,
        capacity: int | None = None,
        refusal: SermentError | None = None,
        keeps: bool = True,
    ) -> None:
        """
        Args:
            devices: who may call; None = anybody.
            capacity: bytes after which the disk is full.
            refusal: raised for every object.
            keeps: False counts objects and forgets their bytes.
        """
        self.devices, self.refusal, self.keeps = devices, refusal, keeps
        self.receptions: list[MemoryReception] = []
        self.refusals: list[Refused] = []
        self._capacity = capacity
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def admit(
        self, calling: str, called: str, address: str, local: str = "", tls: bool = False
    ) -> Device:
        if self.devices is None:
            return _ANYBODY
        wrong = "calling"
        for device in self.devices:
            if (device.ae_title, device.address) == (calling, address):
                if device.called_ae_title == called:
                    return device
                wrong = "called"
        reason = N_("this device is not known here")
        self.refused(calling, called, address, reason, local, tls)
        raise AccessDenied(reason, wrong=wrong)

    def knows(self, address: str) -> bool:
        return self.devices is None or any(device.address == address for device in self.devices)

    def refused(
        self,
        calling: str,
        called: str,
        address: str,
        reason: str,
        local: str = "",
        tls: bool = False,
    ) -> None:
        with self._lock:
            self.refusals.append(Refused(calling, called, address, reason, local, tls))

    def open(self, source: Source) -> MemoryReception:
        reception = MemoryReception(self, source)
        with self._lock:
            self.receptions.append(reception)
        return reception

    @property
    def kept(self) -> list[Kept]:
        """All objects of all receptions."""
        with self._lock:
            return [kept for reception in self.receptions for kept in reception.kept]

    def new_id(self) -> str:
        return f"{next(self._ids):032x}"

    def check(self, receipt: Receipt | None, size: int) -> None:
        """Raise what this receiver was told to raise for an object of that size."""
        if self.refusal is not None:
            raise self.refusal
        if self._capacity is not None:
            used = sum(kept.size for kept in self.kept)
            if used + size > self._capacity:
                raise NoSpace(N_("the disk that holds the vault is full"))


def _identify(data: Bytes) -> Receipt:
    """The UIDs of an object, checked against each other as the vault does."""
    meta = part10.read_meta(data)
    window = memoryview(data)[meta.dataset_offset :]
    header = walk(window, meta.transfer_syntax, partial=True)
    found = tuple(
        header.elements[tag][1].decode("latin-1").strip(" \0") if tag in header.elements else ""
        for tag in (0x00080016, 0x00080018)
    )
    if found != (meta.sop_class, meta.sop_instance):
        raise Mismatch(N_("the UIDs announced are not those of the data set"))
    return Receipt("", *found)
