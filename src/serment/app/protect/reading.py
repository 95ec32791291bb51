"""Reads objects: a key reaches them or it does not; the journal is written before a byte leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from serment.app.house import House
from serment.app.protect.opening import Practice, Session
from serment.app.watch.reads import Reads
from serment.core.crypto.age import AgeReader, HybridIdentity
from serment.core.crypto.secret import Seed
from serment.core.records.vault import Envelope, StoredObject
from serment.errors import N_, AccessDenied, NotFound
from serment.ports import InstanceRow, Matches, Packs, Place

READ_AHEAD = 1024 * 1024  # bytes of ciphertext fetched at once
WHOLE = 8 * 1024 * 1024  # objects up to this size are read in one go


def no_key(what: str) -> AccessDenied:
    """The same words whether it does not exist for this session or no key reaches it."""
    return AccessDenied(
        N_("no key of yours opens this {what}"),
        hint=N_("only the care circle that received it can open it"),
        what=what,
    )


class ObjectReader:
    """One sealed object as plain bytes at any offset."""

    def __init__(self, packs: Packs, row: StoredObject, seed: Seed) -> None:
        self.row = row
        source = _whole(packs, row) if row.size <= WHOLE else _window(packs, row)
        self._age = AgeReader(source, row.size, [HybridIdentity(seed)])

    @property
    def size(self) -> int:
        return self._age.plain_size

    def read(self, offset: int, length: int) -> bytes:
        return self._age.read(offset, length)

    def all(self) -> bytes:
        return self._age.read(0, self.size)

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        return self._age.stream(start, stop)


def _whole(packs: Packs, row: StoredObject) -> Callable[[int, int], bytes]:
    data = memoryview(packs.read(row.pack, row.offset, row.size))

    def read(offset: int, size: int) -> bytes:
        return bytes(data[offset : offset + size])

    return read


def _window(packs: Packs, row: StoredObject) -> Callable[[int, int], bytes]:
    held: tuple[int, bytes] = (0, b"")

    def read(offset: int, size: int) -> bytes:
        nonlocal held
        start, data = held
        if not start <= offset <= offset + size <= start + len(data):
            length = min(max(size, READ_AHEAD), row.size - offset)
            start, data = held = offset, packs.read(row.pack, row.offset + offset, length)
        return data[offset - start : offset - start + size]

    return read


@dataclass(frozen=True, slots=True)
class Reading:
    """What one session may read, journalled."""

    practice: Practice
    session: Session
    reads: Reads

    @property
    def house(self) -> House:
        return self.practice.house

    def instances(self, matches: Matches) -> list[InstanceRow]:
        """Instances of the care circles whose keys are here; `AccessDenied` without any."""
        if not self.session.care:
            raise no_key("image")
        found: list[InstanceRow] = []
        for circle in self.session.care:
            found += self.practice.tables[circle].table.instances(matches)
        return found

    def instance(self, uid: str) -> InstanceRow:
        """One instance by SOP Instance UID; the first received when several conflict."""
        found = self.instances(Matches(instance_uids=(uid,)))
        if not found:
            raise NotFound(
                N_("there is no such instance"), hint=N_("find it with `serment search`")
            )
        return found[0]

    def object_row(self, object_id: str) -> InstanceRow:
        """One instance by its random object id."""
        if not self.session.care:
            raise no_key("image")
        for circle in self.session.care:
            row = self.practice.tables[circle].table.instance_of(object_id)
            if row is not None:
                return row
        raise no_key("image")

    def open(self, rows: Sequence[InstanceRow], kind: str) -> list[ObjectReader]:
        """Readers for these objects, after the journal names them.

        Raises:
            AccessDenied: no wrap leads from this session to one of the envelopes.
        """
        seeds = {envelope: self._seed(envelope) for envelope in {r.envelope for r in rows}}
        self._journal(rows, kind)
        return [self._reader(row, seeds[row.envelope]) for row in rows]

    def _reader(self, row: InstanceRow, seed: Seed) -> ObjectReader:
        stored = self.house.store.get(StoredObject, row.object)
        if stored is None:
            raise NotFound(
                N_("the object {object} is missing"),
                hint=N_("run `serment doctor`"),
                object=row.object,
            )
        return ObjectReader(self.house.packs, stored, seed)

    def _seed(self, envelope: str) -> Seed:
        seed = self.session.ring.envelope_seed(self.house.store, envelope)
        if seed is None:
            raise no_key("image")
        return seed

    def _journal(self, rows: Sequence[InstanceRow], kind: str) -> None:
        by_envelope: dict[str, list[str]] = {}
        for row in rows:
            by_envelope.setdefault(row.envelope, []).append(row.object)
        for envelope, objects in by_envelope.items():
            patient = self.house.store.get(Envelope, envelope)
            self.reads.allow(
                session=self.session.id,
                member=self.session.member.id,
                envelope=envelope,
                objects=objects,
                patient=patient.patient if patient else None,
                kind=kind,
                peer=self.session.peer.address,
                local=self.session.peer.local,
                tls=self.session.peer.tls,
            )


def check_place(packs: Packs, row: StoredObject) -> bool:
    """Whether an object's ciphertext is still what was sealed (works while locked)."""
    return packs.verify(Place(row.pack, row.offset, row.size, row.sha256))
