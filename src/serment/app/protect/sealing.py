"""Makes envelopes and seals the headers of what they hold, with public keys only.

The seed that opens an envelope is forgotten as soon as it is wrapped; its public key and the two
header keys stay as long as the reception lasts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serment.app import circles
from serment.app.wrapping import Wrapper, put_all
from serment.core.crypto.age import AgeWriter, HybridRecipient
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_key, new_seed, public_key, subkey
from serment.core.crypto.secret import Key
from serment.core.crypto.wraps import seal_value
from serment.core.dicom import headers
from serment.core.records import contexts, names
from serment.core.records.brought import Brought
from serment.core.records.vault import Circle, Envelope, EnvelopeKind, IdentityHeader, WrapKind
from serment.errors import N_, AccessDenied
from serment.ports import Source, Store, Transaction

WRITERS_AT_ONCE = 8  # while objects come
WRITERS_AHEAD = 16  # at most, while nothing comes
CLINICAL = "clinical-header"  # label of the subkey of an envelope seed

Readers = frozenset[tuple[str, int, bytes]]  # circle, epoch and public key of each


@dataclass(slots=True)
class SealingEnvelope:
    """An envelope under way: what can still be added to it, nothing that opens its objects."""

    vault: str
    id: str
    recipient: HybridRecipient
    clinical_key: Key
    identity_key: Key
    identities: dict[bytes, bytes] = field(default_factory=dict)  # administrative headers, sealed
    digests: Brought = field(default_factory=Brought)  # of the objects that came
    kinds: Counter[EnvelopeKind] = field(default_factory=Counter)  # how many of them are what
    ready: list[AgeWriter] = field(default_factory=list)  # for the next objects
    made: int = 0  # writers so far
    readers: Readers = frozenset()  # whose public keys what opens it went to

    def prepare(self, at_least: int = 1) -> None:
        """Have so many writers ready, at most `WRITERS_AHEAD`. They are made several at a time, as more
        objects come: encapsulating a key takes three times as long once the bytes of an object went
        through the processor's cache, and only the first of several pays that."""
        missing = min(at_least, WRITERS_AHEAD) - len(self.ready)
        if missing > 0:
            count = max(missing, min(self.made, WRITERS_AT_ONCE) - len(self.ready))
            self.ready += [AgeWriter([self.recipient]) for _ in range(count)]
            self.made += count

    def writer(self) -> AgeWriter:
        """A fresh one that seals to this envelope."""
        self.prepare()
        return self.ready.pop()

    def brought(self, digest: bytes, kind: EnvelopeKind) -> None:
        """One more object is on disk: the SHA-256 of its age file, and what it is."""
        self.digests.append(digest)
        self.kinds[kind] += 1

    @property
    def what_came(self) -> dict[str, Any]:
        """As the entry says it that ends the reception."""
        kinds = {kind.value: count for kind, count in self.kinds.items()}
        return {"kinds": kinds, "objects": self.digests.size, "root": self.digests.root().hex()}

    def add_identity(self, plain: bytes) -> IdentityHeader:
        """Seal a distinct administrative header; the row is for the caller to put."""
        number = len(self.identities)
        context = contexts.identity_header(self.vault, self.id, number)
        self.identities[plain] = sealed = seal_value(plain, self.identity_key, context)
        return IdentityHeader(self.id, number, sealed)

    def seal_clinical(self, object_id: str, digest: bytes, clinical: dict[str, Any]) -> bytes:
        """The object's index record, bound to its id, its envelope and its file's digest."""
        context = contexts.clinical_header(self.vault, object_id, self.id, digest)
        return seal_value(headers.encode(clinical), self.clinical_key, context)


def open_envelope(
    vault: str,
    tx: Transaction,
    source: Source,
    circle: str,
    kind: EnvelopeKind,
    identity: dict[str, Any],
    now: datetime,
) -> SealingEnvelope:
    """Put a new envelope, the wraps that open it, and its first administrative header.

    Whom the keys go to is read in the same transaction: a member may have left since the
    association began, and what is sealed to the epoch he knew would be open to him.

    Raises:
        AccessDenied: the circle may not receive any more.
    """
    seed, identity_key = new_seed(), new_key()
    row = Envelope(new_id(), kind, circle, source.device, source.kind, now, public_key(seed))
    envelope = SealingEnvelope(
        vault, row.id, HybridRecipient(row.public_key), subkey(seed, CLINICAL), identity_key
    )
    subject, (content, named) = names.envelope(row.id), _to_whom(tx, circle)
    tx.add(row)
    put_all(tx, Wrapper(vault, WrapKind.ENVELOPE_SEED, subject, seed).to_circles(content))
    wrapper = Wrapper(vault, WrapKind.ENVELOPE_IDENTITY, subject, identity_key)
    put_all(tx, wrapper.to_circles(named))
    tx.add(envelope.add_identity(headers.encode(identity)))
    envelope.readers = _keys(content, named)
    return envelope


def readers_now(store: Store, circle: str) -> Readers:
    """Whose keys an envelope made now would be given to: one that was given to others receives
    nothing more.

    Raises:
        AccessDenied: the circle may not receive any more.
    """
    return _keys(*_to_whom(store, circle))


def _to_whom(store: Store | Transaction, circle: str) -> tuple[list[Circle], list[Circle]]:
    """The circles that get the seed, and those that get the key of names and birth dates."""
    receiving, current = receiving_circle(store, circle), circles.current(store)
    named = [each for each in circles.identity_readers(current) if not each.stopped]
    return [receiving, current[circles.RECOVERY]], named


def _keys(*groups: list[Circle]) -> Readers:
    return frozenset((c.id, c.epoch, c.public_key) for group in groups for c in group)


def receiving_circle(store: Store | Transaction, wanted: str | None) -> Circle:
    """The care circle that receives: the one named, `care`, or the only one there is.

    Raises:
        AccessDenied: nobody could open what arrives, or nobody should (stopped circle).
    """
    current = circles.current(store)
    care = {name: circle for name, circle in current.items() if circles.is_care(circle)}
    if not care:
        raise AccessDenied(
            N_("no doctor yet: nobody could open what arrives"),
            hint=N_("add the first doctor: `serment member add LOGIN --role doctor`"),
        )
    name = wanted or ("care" if "care" in care or len(care) > 1 else next(iter(care)))
    if name not in care:
        raise AccessDenied(
            N_("there is no care circle {circle}"),
            hint=N_("care circles: {known}"),
            circle=name,
            known=", ".join(sorted(care)),
        )
    needed = (name, circles.SECRETARIAT, circles.RECOVERY)
    if any(current[each].stopped for each in needed if each in current):
        raise AccessDenied(
            N_("receiving for the circle {circle} is stopped: its public key was changed"),
            hint=N_("run `serment journal verify`, call your DPO: `serment doctor` says which key"),
            circle=name,
        )
    return care[name]
