"""Reads objects: a key reaches them or it does not; the journal is written before a byte leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serment.app.house import House
from serment.app.protect.objects import ObjectReader
from serment.app.protect.opening import Practice, Session
from serment.app.watch.reads import Reads
from serment.core.crypto.secret import Seed
from serment.core.records.vault import Envelope, StoredObject
from serment.errors import N_, AccessDenied, NotFound
from serment.ports import InstanceRow, Matches


def no_key(what: str) -> AccessDenied:
    """The same words whether it does not exist for this session or no key reaches it."""
    return AccessDenied(
        N_("no key of yours opens this {what}"),
        hint=N_("only the care circle that received it can open it"),
        what=what,
    )


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
        seeds = self.allow(rows, kind)
        return [self._reader(row, seeds[row.envelope]) for row in rows]

    def allow(self, rows: Sequence[InstanceRow], kind: str) -> dict[str, Seed]:
        """The seeds of these objects' envelopes, after the journal names the objects: for what
        was rendered already, and to name a series at its first image. Errors as `open`."""
        seeds = {envelope: self._seed(envelope) for envelope in {r.envelope for r in rows}}
        self._journal(rows, kind)
        return seeds

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
