"""The receiving side of the vault, as entry points use it: who may send, what came, what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from serment.core.records.vault import Device


@dataclass(frozen=True, slots=True)
class Source:
    """Where one reception comes from; what the journal says of it besides what came."""

    kind: str  # "dicom", "stow", "import", "web"
    device: str | None  # device id, when a device sent it
    circle: str | None  # care circle that receives; None = the device's, or the only one
    peer: str  # "address:port" of the sender; "local" for the command line
    local: str  # "address:port" that was reached
    tls: bool = False
    member: str | None = None  # member id, when a person handed it over
    study: str | None = None  # Study Instance UID that everything must belong to; None = any


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one object: its random id and, for DICOM, the UIDs of its data set."""

    object_id: str
    sop_class: str
    sop_instance: str
    study: str = ""
    series: str = ""


class Streaming(Protocol):
    """One object under way, in bounded memory whatever its size; sealed while it comes."""

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """The next bytes; the caller may reuse the buffer afterwards. Errors as `finish`; after
        one, only `abort` may follow."""

    def finish(self) -> Receipt:
        """The object is whole: preamble, group 2 and data set as they came. Not yet durable.

        Raises:
            FormatError: it cannot be understood as DICOM, or its header is longer than 4 MiB.
            Mismatch: SOP Class or SOP Instance UID of group 2 is not that of the data set, or the
                study is not the one that the source names.
            AccessDenied: nobody could open it (circle stopped).
            NoSpace, Unavailable: it cannot be written now.
        """

    def abort(self) -> None:
        """Forget it: nothing stays. Harmless after `finish`, or called twice."""


class Reception(Protocol):
    """What one association brings, or one connection that uploads; used by one thread at a time.

    A refused object (`FormatError`, `Mismatch`, `AccessDenied`) leaves the reception usable for
    the next one. `NoSpace` leaves nothing half visible.
    """

    def start(self) -> Streaming:
        """Begin an object; the one before it is finished or aborted. `AccessDenied`: nobody could
        open it (no care circle yet)."""

    def prepare(self, at_least: int = 1) -> None:
        """Nothing is waited for: make ready what so many next objects will need, as far as that
        makes sense. Never raises."""

    def settle(self) -> None:
        """What is durable is listed: the peer may look for it now. Never raises for objects that
        were not acknowledged."""

    def document(self, pdf: Iterable[bytes], patient: str, title: str) -> Receipt:
        """Seal one PDF and attach it to the patient with that id; chunks as they come. Errors as
        `Streaming.finish`, and `NotFound` when there is no such patient. An exception raised by
        the iterable passes through and leaves nothing."""

    def sync(self) -> None:
        """Return once everything stored so far, and the wraps that open it, are durable. Only then
        may anything be acknowledged. `NoSpace` or `Unavailable` otherwise."""

    def close(self, interrupted: bool = False) -> None:
        """End it: the journal's second entry is written, what opens it is forgotten.
        `interrupted`: the peer, or a fault, cut it short. Called exactly once, never raises for
        objects that were not acknowledged."""


class Receiver(Protocol):
    """The receiving side of the vault: public keys only. Called from many threads."""

    def admit(
        self, calling: str, called: str, address: str, local: str = "", tls: bool = False
    ) -> Device:
        """The device that calls under these AE titles (trimmed ASCII) from this IP address, at the
        address `local` of ours, encrypted or not.
        `AccessDenied` says in plain words why not, with `wrong="called"` among its values when
        only the called title is wrong; `Unavailable` says what is missing. Both are journalled by
        the implementation, aggregated per caller and minute."""

    def knows(self, address: str) -> bool:
        """Whether any device calls from this IP address; cheap, writes nothing."""

    def refused(
        self,
        calling: str,
        called: str,
        address: str,
        reason: str,
        local: str = "",
        tls: bool = False,
    ) -> None:
        """Journal (aggregated) a refusal that the entry point decided itself: malformed request,
        local limit, time out. `reason` is an English msgid without any value of the peer; AE
        titles are empty when not known."""

    def open(self, source: Source) -> Reception:
        """Begin a reception; cheap, writes nothing until the first object."""
