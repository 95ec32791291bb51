"""Reads objects: a key reaches them or it does not; the journal is written before a byte leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serment.app.batches import batches
from serment.app.house import House
from serment.app.protect.objects import ObjectReader
from serment.app.protect.opening import Practice, Session
from serment.app.protect.remembered import OpenEnvelope
from serment.app.watch.reads import Reads
from serment.core.crypto.age import HybridIdentity
from serment.core.records.vault import Envelope, StoredObject
from serment.errors import N_, AccessDenied, Conflict, NotFound
from serment.ports import InstanceRow, Matches, OneOf

NO_KEY = N_("no key of yours opens this")


def no_key() -> AccessDenied:
    """The same words whether it does not exist for this session or no key reaches it."""
    return AccessDenied(NO_KEY, hint=N_("only the care circle that received it can open it"))


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
            raise no_key()
        found: list[InstanceRow] = []
        for circle in self.session.care:
            found += self.practice.table(circle).instances(matches)
        return found

    def instance(self, uid: str) -> InstanceRow:
        """One instance by SOP Instance UID; the first received when several of a patient conflict.

        Raises:
            NotFound: there is none. Conflict: two patients have one, or may have.
        """
        found = self.instances(Matches(instance_uids=(uid,)))
        if not found:
            raise NotFound(
                N_("there is no such instance"), hint=N_("find it with `serment search`")
            )
        if len({self._envelope(row.envelope).patient or row.envelope for row in found}) > 1:
            raise Conflict(
                N_("objects of several patients came with this UID"),
                hint=N_(
                    "say which by its Object id: `serment search instance:UID --level instance` "
                    "lists them"
                ),
            )
        return found[0]

    def object_row(self, object_id: str) -> InstanceRow:
        """One instance by its random object id."""
        if not self.session.care:
            raise no_key()
        for circle in self.session.care:
            row = self.practice.table(circle).instance_of(object_id)
            if row is not None:
                return row
        raise no_key()

    def open(self, rows: Sequence[InstanceRow], kind: str) -> list[ObjectReader]:
        """Readers for these objects, after the journal names them. Each object is opened at the
        first look at its bytes.

        Raises:
            AccessDenied: no wrap leads from this session to one of the envelopes.
            NotFound: the row of one of the objects is missing.
        """
        envelopes = self.allow(rows, kind)
        stored = self._stored(rows)
        return [self._reader(stored[row.object], envelopes[row.envelope]) for row in rows]

    def allow(self, rows: Sequence[InstanceRow], kind: str) -> dict[str, OpenEnvelope]:
        """The open envelopes of these objects, after the journal names the objects: for what was
        rendered already, and to name a series at its first image. Errors as `open`."""
        self.practice.refresh()  # a right that was taken back counts from the next read on
        wanted: dict[str, list[str]] = {}
        for row in rows:
            wanted.setdefault(row.envelope, []).append(row.object)
        envelopes = {envelope: self._envelope(envelope) for envelope in wanted}
        study_of = {row.envelope: self._study(row, envelopes[row.envelope]) for row in rows}
        for envelope, objects in wanted.items():
            patient = envelopes[envelope].patient
            self._journal(envelope, study_of[envelope], patient, objects, kind)
        return envelopes

    def allow_series(self, row: InstanceRow, kind: str) -> None:
        """The same for one object of which the others of its series will be wanted next, as a
        viewer does: the journal names them all at once, so that it stays short and they come
        quickly. Errors as `open`."""
        study = self._study(row, self._envelope(row.envelope))
        named = self.reads.names(self.session.id, study, row.object, kind)
        series = () if named else self.instances(Matches(series_uids=(row.series_uid,)))
        self.allow([row, *(one for one in series if one.envelope == row.envelope)], kind)

    def open_one_of_series(self, row: InstanceRow, kind: str) -> ObjectReader:
        """A reader for such an object. Errors as `open`."""
        self.allow_series(row, kind)
        (reader,) = self.open([row], kind)
        return reader

    def _reader(self, stored: StoredObject, envelope: OpenEnvelope) -> ObjectReader:
        return ObjectReader(
            self.house, stored, envelope.seed, self.session.remembered, envelope.identity
        )

    def _stored(self, rows: Sequence[InstanceRow]) -> dict[str, StoredObject]:
        """The rows of the objects: those remembered, the others from the store."""
        known = ((row.object, self.session.remembered.object(row.object)) for row in rows)
        found = {object_id: opened[0] for object_id, opened in known if opened is not None}
        for ids in batches(row.object for row in rows if row.object not in found):
            found |= {o.id: o for o in self.house.store.find(StoredObject, id=OneOf(ids))}
        for row in rows:
            if row.object not in found:
                raise NotFound(
                    N_("the object {object} is missing"),
                    hint=N_("run `serment doctor`"),
                    object=row.object,
                )
        return found

    def _envelope(self, envelope: str) -> OpenEnvelope:
        remembered = self.session.remembered
        found = remembered.envelope(envelope)
        if found is None:
            turn = remembered.turn
            seed = self.session.ring.envelope_seed(self.house.store, envelope)
            if seed is None:
                raise no_key()
            row = self.house.store.get(Envelope, envelope)
            found = OpenEnvelope(seed, HybridIdentity(seed), row.patient if row else None)
            remembered.keep_envelope(envelope, found, turn)
        return found

    def _study(self, row: InstanceRow, opened: OpenEnvelope) -> str:
        return self.reads.study_of(self.session.id, row.study_uid, row.envelope, opened.patient)

    def _journal(
        self, envelope: str, study: str, patient: str | None, objects: list[str], kind: str
    ) -> None:
        self.reads.allow(
            session=self.session.id,
            member=self.session.member.id,
            envelope=envelope,
            study=study,
            objects=objects,
            patient=patient,
            kind=kind,
            peer=self.session.peer.address,
            local=self.session.peer.local,
            tls=self.session.peer.tls,
        )
