"""What somebody holds, and everything that can be tried with it against a whole vault.

`watching` records every secret that `core.crypto` draws, derives or opens while it lasts, without
changing what happens. `attack` then tries each of them, and every key derived from them, as AES
key, as X-Wing seed and as age identity, against every wrap, every sealed value and every object,
and again with what that opens, until nothing more opens.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serment.adapters.packs.local import LocalPacks
from serment.adapters.sqlite.store import SqliteStore
from serment.bootstrap.folder import open_folder
from serment.core.crypto import bech32, entropy, keys, password, secret, wraps, xwing
from serment.core.crypto.age import HybridIdentity, open_bytes
from serment.core.crypto.context import Context
from serment.core.crypto.secret import Key, Seed
from serment.core.records import contexts
from serment.core.records.vault import (
    Envelope,
    IdentityHeader,
    Member,
    Patient,
    Snapshot,
    StoredObject,
    Wrap,
    WrapKind,
)
from serment.errors import SermentError
from serment.ports import Packs, Store

SIZE = 32  # bytes of every seed and key
LABELS = (
    "wrap",
    "clinical-header",
    "totp",
    "snapshot",
    "card",
    "pins",
    "appointment",
    "peer ask",
    "peer answer",
    "peer prove",
)  # of `subkey`, in all of the program
PURPOSES = ("x-wing", "password", "code")  # of `derive`


@dataclass
class Held:
    """Secrets, and the plain values that were opened on the way."""

    secrets: set[bytes] = field(default_factory=set)
    read: list[bytes] = field(default_factory=list)

    def take(self, value: object) -> None:
        plain = value.reveal() if isinstance(value, Seed | Key) else value
        if isinstance(plain, bytes):
            self.secrets.update([plain] if len(plain) == SIZE else [])
            self.read.append(plain)


def _sources() -> list[Callable[..., Any]]:
    """Every function of `core.crypto` from which a secret, or an opened value, comes."""
    return [
        secret._checked,  # whatever becomes a Seed or a Key
        entropy.random_bytes,
        keys.derive,
        keys.subkey,
        keys.xwing_secret,
        wraps.unwrap_with_seed,
        wraps.unwrap_under_key,
        wraps.open_value,
        password.open_with_password,
        HybridIdentity.unwrap,
    ]


@contextmanager
def watching() -> Iterator[Held]:
    """Record what this process's sessions hold meanwhile."""
    held = Held()
    replaced: list[tuple[Any, str, Any]] = []
    for original in _sources():
        recording = _recording(original, held)
        for owner in [*_modules(), HybridIdentity]:
            for name, value in list(vars(owner).items()):
                if value is original:
                    replaced.append((owner, name, value))
                    setattr(owner, name, recording)
    try:
        yield held
    finally:
        for owner, name, value in replaced:
            setattr(owner, name, value)


def _modules() -> list[Any]:
    return [module for name, module in list(sys.modules.items()) if name.startswith("serment")]


def _recording(original: Callable[..., Any], held: Held) -> Callable[..., Any]:
    def recording(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        held.take(result)
        return result

    return recording


# The vault as a thief has it


@dataclass(frozen=True)
class Sealed:
    """One sealed value: what it is, whose, and the context it is bound to (none of it secret)."""

    kind: str
    subject: str
    blob: bytes
    context: Context | None  # None: an age file


@dataclass(frozen=True)
class Copy:
    """Everything sealed in a vault at one moment."""

    sealed: tuple[Sealed, ...]
    stray: frozenset[bytes]  # every other value of 32 bytes: they are tried as keys too


def copy_of(root: Path) -> Copy:
    """Take every row, and every record of every pack, of the vault in that folder."""
    folder = open_folder(root)
    store, packs = SqliteStore(folder.database, folder.key_copy), LocalPacks(folder.packs)
    try:
        sealed = (*_rows(folder.vault, store), *_records(folder.vault, packs))
        return Copy(sealed, frozenset(_stray(root, store)))
    finally:
        packs.close()
        store.close()


def _rows(vault: str, store: Store) -> Iterator[Sealed]:
    for wrap in store.find(Wrap):
        context = contexts.wrap(vault, wrap.kind, wrap.subject, wrap.recipient, wrap.epoch)
        yield Sealed(wrap.kind.value, wrap.subject, wrap.blob, context)
    for header in store.find(IdentityHeader):
        context = contexts.identity_header(vault, header.envelope, header.number)
        yield Sealed("identity-header", header.envelope, header.sealed, context)
    for patient in store.find(Patient):
        context = contexts.identity_record(vault, patient.id)
        yield Sealed("identity-record", patient.id, patient.identity, context)
    for envelope in store.find(Envelope):
        if envelope.summary is not None:
            context = contexts.summary(vault, envelope.id)
            yield Sealed("summary", envelope.id, envelope.summary, context)
    for row in store.find(StoredObject):
        context = contexts.clinical_header(vault, row.id, row.envelope, row.sha256)
        yield Sealed("clinical-header", row.id, row.header, context)
    for snapshot in store.find(Snapshot):
        context = contexts.snapshot(vault, snapshot.circle, snapshot.epoch)
        yield Sealed("snapshot", snapshot.circle, snapshot.sealed, context)
    for member in store.find(Member):
        if member.totp is not None:
            yield Sealed("totp", member.id, member.totp, contexts.second_factor(vault, member.id))


def _records(vault: str, packs: Packs) -> Iterator[Sealed]:
    for record in packs.records():
        place = record.place
        age_file = packs.read(place.pack, place.offset, place.size)
        yield Sealed("object", record.object_id, age_file, None)
        context = contexts.clinical_header(
            vault, record.object_id, record.envelope_id, place.sha256
        )
        yield Sealed("clinical-header", record.object_id, record.clinical_header, context)
        for number in range(4):
            context = contexts.identity_header(vault, record.envelope_id, number)
            yield Sealed("identity-header", record.envelope_id, record.identity_header, context)


def _stray(root: Path, store: Store) -> Iterator[bytes]:
    """Whatever else in the vault has the size of a key: the journal's key, salts, digests."""
    for path in root.rglob("*"):
        if path.is_file() and path.stat().st_size == SIZE:
            yield path.read_bytes()
    for entry in store.journal():
        yield from (value for value in (entry.leaf, entry.salt) if value and len(value) == SIZE)
    for row in store.find(StoredObject):
        yield row.sha256


# Trying


@dataclass
class Loot:
    """What came open: plain values by kind and subject."""

    opened: dict[tuple[str, str], set[bytes]] = field(default_factory=dict)

    def kinds(self) -> set[str]:
        return {kind for kind, _ in self.opened}

    def subjects(self, kind: str) -> set[str]:
        return {subject for each, subject in self.opened if each == kind}

    def plain(self, *wanted: str) -> bytes:
        """All plain bytes, or those of some kinds, one after the other."""
        found = (v for (kind, _), v in self.opened.items() if not wanted or kind in wanted)
        return b"\n".join(each for values in found for each in sorted(values))


def attack(held: Iterable[bytes], copies: Iterable[Copy], stray: Iterable[bytes] = ()) -> Loot:
    """Everything these secrets open in those copies of the vault, and what that opens in turn.

    `stray` are tried as they are, secrets also as what every derivation of the program makes of
    them.
    """
    loot = Loot()
    todo = {sealed for each in copies for sealed in each.sealed}
    tried = set[bytes]()
    fresh = {one for each in held for one in _derived(each)} | set(stray)
    while fresh:
        tried |= fresh
        opened = {sealed: plain for sealed in todo if (plain := _open(sealed, fresh)) is not None}
        todo -= opened.keys()
        for sealed, plain in opened.items():
            loot.opened.setdefault((sealed.kind, sealed.subject), set()).add(plain)
        secrets = {plain for plain in opened.values() if len(plain) == SIZE}
        fresh = {one for each in secrets for one in _derived(each)} - tried
    return loot


def _derived(held: bytes) -> Iterator[bytes]:
    yield held
    seed = Seed(held)
    yield from (keys.subkey(seed, label).reveal() for label in LABELS)
    yield from (keys.derive(held, purpose) for purpose in PURPOSES)


_identities: dict[bytes, list[Any]] = {}


def _open(sealed: Sealed, candidates: Iterable[bytes]) -> bytes | None:
    for candidate in candidates:
        plain = _try(sealed, candidate)
        if plain is not None:
            return plain
    return None


def _try(sealed: Sealed, candidate: bytes) -> bytes | None:
    """As AES key, then as X-Wing seed and as the bytes of an age identity."""
    if sealed.context is not None:
        with suppress(SermentError):
            return wraps.open_value(sealed.blob, Key(candidate), sealed.context)
        if len(sealed.blob) != wraps.HPKE_WRAP_BYTES:
            return None
    for identity in _pairs(candidate):
        if sealed.context is None:
            with suppress(SermentError):
                return open_bytes(sealed.blob, identity)
        else:
            plain = xwing.open_sealed(sealed.blob, identity._key, sealed.context.encode())
            if plain is not None:
                return plain
    return None


def _pairs(candidate: bytes) -> list[HybridIdentity]:
    if candidate not in _identities:
        line = bech32.encode(keys.AGE_IDENTITY_HRP, candidate).upper()
        _identities[candidate] = [
            HybridIdentity(Seed(candidate)),
            HybridIdentity.from_string(line),
        ]
    return _identities[candidate]


# What must not come open for somebody without a care circle's key
CLINICAL_KINDS = frozenset(
    {"object", "clinical-header", WrapKind.ENVELOPE_SEED.value, WrapKind.PATIENT_CLINICAL.value}
)
