"""What the steps need from the world, each as small as it can be.

Every mutating method of the store takes the journal entry that explains it, and both are
committed in one transaction. Adapters translate every foreign exception into `serment.errors`.
Every adapter of a port passes the same suite in `tests/contract`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from serment.core.crypto.merkle import Frontier
from serment.core.journal.entries import CheckpointRow, Entry, LoggedEntry
from serment.core.journal.keystate import WrapName
from serment.core.records.vault import Device, Row, Snapshot, StoredObject, WrapKind

R = TypeVar("R", bound=Row)


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Aware UTC, microseconds."""

    def monotonic(self) -> float:
        """Seconds that never go back, for durations and idle times."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value to find rows by: any of several (texts, or enums of texts)."""

    values: Collection[object]


class Transaction(Protocol):
    """Changes that are committed together with one journal entry, or not at all.

    What the thread that makes them reads from the store meanwhile has them already.
    """

    def get(self, row: type[R], /, *key: object) -> R | None: ...

    def find(self, row: type[R], /, **equals: object) -> list[R]: ...

    def put(self, row: Row) -> None:
        """Insert or replace by primary key. A `Wrap` is added to the entry's `wraps_made`."""

    def add(self, row: Row) -> None:
        """Insert; `Conflict` when the primary key exists: this is how one session claims."""

    def delete(self, row: Row) -> None:
        """Delete by primary key (no-op when absent). A `Wrap` goes to `wraps_deleted`."""

    def note(self, **details: Any) -> None:
        """Add details to the entry before it is written."""


class Store(Protocol):
    """Members, wraps, envelopes, objects and the journal: one database.

    Primary keys: Setting.key, Member.id (login unique), Circle (id, epoch), Device.id,
    Wrap (kind, subject, recipient, epoch), Patient.id, Compartment.id ((patient, circle) unique),
    Envelope.id, IdentityHeader (envelope, number), StoredObject.id, Snapshot.circle.
    """

    def get(self, row: type[R], /, *key: object) -> R | None:
        """The row with that primary key, or None."""

    def find(self, row: type[R], /, **equals: object) -> list[R]:
        """All rows whose named columns equal the values, in insertion order. None matches NULL,
        `OneOf` any of its values."""

    def count(self, row: type[R], /, **equals: object) -> int: ...

    def wrap_names(self, kind: WrapKind) -> list[WrapName]:
        """Every wrap of a kind without the key in it, in no order: who can open what."""

    def change(self, entry: Entry) -> AbstractContextManager[Transaction]:
        """One exclusive transaction. On success the entry, completed with the wraps made and
        deleted and the notes, is appended to the journal, and all is synced to disk (full sync)
        before the block ends. On an exception nothing is changed and nothing is journalled."""

    def record(self, entry: Entry) -> None:
        """Append an entry that changes nothing else (a read, a refusal); synced on return."""

    def add_objects(self, objects: Sequence[StoredObject]) -> None:
        """Insert object rows, ignoring those already there. No journal entry and no forced sync:
        they can be rebuilt from the packs, and their reception's entries cover them."""

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Insert or replace a circle's snapshot. No journal entry and no forced sync: it says
        nothing that rows and wraps do not, and can be made again from them."""

    def objects_after(self, cursor: int, limit: int) -> list[tuple[int, StoredObject]]:
        """Object rows in arrival order after a cursor (0 = from the start), with their cursors."""

    def data_version(self) -> int:
        """A number that differs once any process has committed something since the last call."""

    # The journal
    def journal(self, start: int = 0, stop: int | None = None) -> Iterator[LoggedEntry]: ...

    def journal_size(self) -> int: ...

    def journal_tree(self) -> Frontier:
        """The tree over all entries as the store keeps it, not recomputed: what a checkpoint
        signs. Changing it changes nothing in the store."""

    def expire(self, indices: Sequence[int], tombstones: Sequence[bytes], entry: Entry) -> None:
        """Delete body and salt of those entries, keep their leaves, set their tombstones."""

    def checkpoints(self) -> list[CheckpointRow]: ...

    def add_checkpoint(self, checkpoint: CheckpointRow) -> None: ...

    # The file itself
    def check(self) -> list[str]:
        """What the database says of its own integrity: empty when sound."""

    def copy_keys(self) -> None:
        """Refresh the second copy (all but object rows and snapshots), atomically."""

    def forget(self) -> None:
        """Erasure: leave no byte of a wrap deleted before in any file of the store, the second
        copy included; delete every snapshot, since they hold rows of whoever was erased.
        `Unavailable` when a reader stands in the way: try again."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record's age file is: pack name, offset and size in bytes, SHA-256 of it."""

    pack: str
    offset: int
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class PackRecord:
    """One record read back from a pack (replay, doctor): everything but the age file itself."""

    object_id: str
    envelope_id: str
    place: Place
    identity_header: bytes
    clinical_header: bytes


class LargeRecord(Protocol):
    """An object that streams to a pack of its own."""

    def write(self, chunk: bytes | memoryview) -> None: ...

    def digest(self) -> bytes:
        """SHA-256 of what was written so far: the headers are bound to it."""

    def finish(self, identity_header: bytes, clinical_header: bytes) -> Place:
        """Complete the record; durable only after `sync`."""

    def abort(self) -> None:
        """Delete the unfinished pack."""


class Packs(Protocol):
    """Append-only files of sealed objects. `NoSpace` when the disk is full; nothing half kept."""

    def append(
        self,
        object_id: str,
        envelope_id: str,
        age_file: bytes | bytearray | memoryview,
        sha256: bytes,
        identity_header: bytes,
        clinical_header: bytes,
    ) -> Place:
        """Write one record (age file up to 4 MiB); durable only after `sync`."""

    def large(self, object_id: str, envelope_id: str) -> LargeRecord: ...

    def sync(self) -> None:
        """Return once everything appended before the call is on disk; concurrent callers share
        one flush (group commit)."""

    def read(self, pack: str, offset: int, size: int) -> bytes:
        """Exactly `size` bytes; `IntegrityError` when the pack is missing or too short."""

    def records(self, pack: str | None = None) -> Iterator[PackRecord]:
        """Every whole record of one pack or of all, in order (headers and places only)."""

    def recover(self) -> list[str]:
        """At start: cut torn tails, delete unfinished large packs; one line per repair."""

    def check(self, pack: str) -> list[str]:
        """What is wrong with the structure of a pack: empty when it holds whole records only."""

    def verify(self, place: Place) -> bool:
        """Whether the age file still has its SHA-256."""

    def names(self) -> list[str]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StudyRow:
    """What an identity circle knows of one envelope: one study of one patient (plaintext: lives
    in memory only). `attributes` are the DICOM keywords of `core.dicom.headers.IDENTITY`."""

    envelope: str
    circle: str
    patient: str | None
    kind: str
    arrived: datetime
    study_uid: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """What a care circle knows of one object (plaintext: lives in memory only). `attributes` are
    the DICOM keywords of `core.dicom.headers.CLINICAL`."""

    object: str
    envelope: str
    circle: str
    study_uid: str
    series_uid: str
    instance_uid: str
    state: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Matches:
    """A search, already parsed: each None means "any". Text values may hold * and ?."""

    name: str | None = None  # folded: upper case, no accents, ^ as space
    identifier: str | None = None
    birth_date: str | None = None  # YYYYMMDD
    date_from: str | None = None  # YYYYMMDD, inclusive
    date_to: str | None = None
    modality: str | None = None
    accession: str | None = None
    study_uids: tuple[str, ...] | None = None
    series_uids: tuple[str, ...] | None = None
    instance_uids: tuple[str, ...] | None = None
    patient: str | None = None
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class StudySummary:
    """What a care circle knows of a study as a whole. `picture` is the object to show as its
    thumbnail (the middle image of its first series of images), None when it has none."""

    series: int
    instances: int
    conflicts: int
    description: str
    picture: str | None
    images: int = field(default=0, compare=False)  # instances that have pixels

    def plus(self, other: StudySummary) -> StudySummary:
        return StudySummary(
            self.series + other.series,
            self.instances + other.instances,
            self.conflicts + other.conflicts,
            self.description or other.description,
            self.picture or other.picture,
            self.images + other.images,
        )


class SearchTable(Protocol):
    """Plaintext rows of one open circle, in memory only; closing it drops them."""

    def put_studies(self, rows: Iterable[StudyRow]) -> None: ...

    def put_instances(self, rows: Iterable[InstanceRow]) -> None: ...

    def remove(self, envelopes: Iterable[str]) -> None: ...

    def studies(self, matches: Matches) -> list[StudyRow]:
        """Newest study date first; `limit` and `offset` count distinct studies; all the rows
        (envelopes) of a study come together."""

    def instances(self, matches: Matches) -> list[InstanceRow]:
        """Ordered by study, series, instance number; duplicates left out."""

    def count_studies(self, matches: Matches) -> int:
        """How many distinct studies match, whatever the limit."""

    def instance_of(self, object_id: str) -> InstanceRow | None:
        """The instance of that random object id."""

    def study_of(self, envelope: str) -> StudyRow | None:
        """The row of that envelope."""

    def summaries(self, study_uids: Sequence[str]) -> dict[str, StudySummary]:
        """What is known of those studies as a whole; those without instances here are absent."""

    def repeated(self) -> list[list[InstanceRow]]:
        """Instances whose SOP Instance UID came more than once and of which more than one is still
        marked as kept: one list a UID, in the order of arrival."""

    def dump(self) -> tuple[list[StudyRow], list[InstanceRow]]: ...

    def envelopes(self) -> set[str]:
        """The envelopes that anything here came from."""

    def image(self) -> bytes:
        """All of it as bytes, plaintext, to be sealed at once; quick to make and to restore."""

    def restore(self, image: bytes) -> None:
        """Become what an image, authenticated by the caller, holds.

        Raises:
            FormatError: it was made by another kind or version of table; nothing is changed.
        """

    def close(self) -> None: ...


class Decoder(Protocol):
    """Turns the pixels of one frame into a picture, in a child process without any key."""

    def render(
        self,
        part10: bytes,
        frame: int,
        *,
        size: int | None,
        window: tuple[float, float] | None,
        image_type: str,
    ) -> bytes:
        """PNG or JPEG bytes; frame counts from 1; `size` bounds the longer side in pixels.
        `FormatError` for what cannot be decoded within the limits of memory and time."""


class Progress(Protocol):
    """Something that lasts: shown as a bar in the terminal, as an event stream on the web."""

    def total(self, count: int) -> None: ...

    def step(self, count: int = 1) -> None: ...


class Typesetter(Protocol):
    """Writes PDF/A documents from a template name and JSON-able data."""

    def render(self, template: str, data: dict[str, Any]) -> bytes: ...


class Surroundings(Protocol):
    """What is true of the machine around the vault; asked anew each time."""

    def shares_here(self) -> int:
        """How many shares of the recovery kit can still be read where they were written."""

    def receiving(self) -> bool:
        """Whether a receiver runs for this vault."""

    def free_bytes(self) -> int: ...

    def vault_bytes(self) -> int: ...

    def loose_files(self) -> list[str]:
        """Files of the vault that somebody other than its owner may read, relative paths."""


ProgressFactory = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where one reception comes from; what the journal says of it besides what came."""

    kind: str  # "dicom", "stow", "import", "web"
    device: str | None  # device id, when a device sent it
    circle: str | None  # care circle that receives; None = the device's, or the only one
    peer: str  # "address:port" of the sender; empty for the local command line
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
    """One large object under way; bounded memory whatever its size."""

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """The next bytes; the caller may reuse the buffer afterwards. Errors as `Reception.store`;
        after one, only `abort` may follow."""

    def finish(self) -> Receipt:
        """The object is whole; durable only after `Reception.sync`."""

    def abort(self) -> None:
        """Forget it: nothing stays. Harmless after `finish`, or called twice."""


class Reception(Protocol):
    """What one association or one upload request brings; used by one thread at a time.

    A refused object (`FormatError`, `Mismatch`, `AccessDenied`) leaves the reception usable for
    the next one. `NoSpace` leaves nothing half visible.
    """

    def store(self, part10: bytes | bytearray | memoryview) -> Receipt:
        """Seal and write one whole object of at most 4 MiB: preamble, group 2 and data set as they
        came. Not yet durable. The buffer is not kept.

        Raises:
            FormatError: it cannot be understood as DICOM.
            Mismatch: SOP Class or SOP Instance UID of group 2 is not that of the data set, or the
                study is not the one that the source names.
            AccessDenied: nobody could open it (no care circle yet, circle stopped).
            NoSpace, Unavailable: it cannot be written now.
        """

    def start(self, head: bytes | bytearray | memoryview) -> Streaming:
        """Begin an object whose end is not known yet. `head` is its beginning, at most 4 MiB, and
        holds the whole header when the object is that long; `write` brings the rest. A header that
        goes on past the head is a `FormatError`. Errors as `store`."""

    def document(self, pdf: Iterable[bytes], patient: str, title: str) -> Receipt:
        """Seal one PDF and attach it to the patient with that id; chunks as they come. Errors as
        `store`, and `NotFound` when there is no such patient. An exception raised by the iterable
        passes through and leaves nothing."""

    def sync(self) -> None:
        """Return once everything stored so far, and the wraps that open it, are durable. Only then
        may anything be acknowledged. `NoSpace` or `Unavailable` otherwise."""

    def close(self, interrupted: bool = False) -> None:
        """End it: the journal's second entry is written, what opens it is forgotten.
        `interrupted`: the peer, or a fault, cut it short. Called exactly once, never raises for
        objects that were not acknowledged."""


class Receiver(Protocol):
    """The receiving side of the vault: public keys only. Called from many threads."""

    def admit(self, calling: str, called: str, address: str) -> Device:
        """The device that calls under these AE titles (trimmed ASCII) from this IP address.
        `AccessDenied` says in plain words why not, with `wrong="called"` among its values when
        only the called title is wrong; `Unavailable` says what is missing. Both are journalled by
        the implementation, aggregated per caller and minute."""

    def refused(self, calling: str, called: str, address: str, reason: str) -> None:
        """Journal (aggregated) a refusal that the entry point decided itself: malformed request,
        local limit, time out. `reason` is an English msgid without any value of the peer; AE
        titles are empty when not known."""

    def open(self, source: Source) -> Reception:
        """Begin a reception; cheap, writes nothing until the first object."""
