"""`python -m bench.opening`: how long a practice with many studies takes to open.

A vault is filled with rows as filing leaves them (fictional patients, no pixels), then a doctor
signs in twice: from scratch, and from the snapshot that closing left. Seconds of the wall clock
and of this process's processor time, which a busy machine does not change much.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from serment.adapters.memory.search import MemorySearchTable
from serment.adapters.packs.local import LocalPacks
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock
from serment.app import circles
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect import members
from serment.app.protect.believing import look
from serment.app.protect.founding import found
from serment.app.protect.opening import Practice
from serment.app.protect.sealing import CLINICAL
from serment.app.wrapping import Wrapper
from serment.core.crypto.entropy import new_id, random_bytes
from serment.core.crypto.keys import new_key, new_seed, subkey
from serment.core.crypto.wraps import HPKE_WRAP_BYTES, seal_value
from serment.core.dicom import headers
from serment.core.dicom.uids import new_uid
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records import contexts
from serment.core.records.identity import Identifier, Identity
from serment.core.records.vault import (
    Compartment,
    Envelope,
    EnvelopeKind,
    IdentityHeader,
    Patient,
    Role,
    Snapshot,
    StoredObject,
    Wrap,
    WrapKind,
    WrapMethod,
)
from serment.ports import Transaction

PASSWORD = Masked("Tilleul-Phare-47-Grenade")
SURNAMES = [
    "MARTIN",
    "BERNARD",
    "LEFÈVRE",
    "MOREAU",
    "GARÇON",
    "PETIT",
    "ROUX",
    "FAURE",
    "GIRARD",
    "BONNET",
]
GIVEN = ["Hélène", "Jean", "Zoé", "Luc", "Anaïs", "Théo", "Ève", "Noël", "Inès", "Paul"]
AT_ONCE = 1000  # studies of one transaction


class Filler:
    """Writes studies that were received, filed and moved, with the keys a doctor's session holds."""

    def __init__(self, house: House, ring: Keyring, instances: int) -> None:
        self.house, self.ring, self.instances = house, ring, instances
        self.now = house.clock.now() - timedelta(days=1)

    def fill(self, studies: int) -> None:
        patients = self._patients(max(1, studies // 2))
        each = iter((patients[n % len(patients)], n) for n in range(studies))
        while batch := list(islice(each, AT_ONCE)):
            objects: list[StoredObject] = []
            with self.house.store.change(self._entry(EventKind.FILED)) as tx:
                for (patient, identity, keys, compartment), number in batch:
                    objects += self._study(tx, patient, identity, keys, compartment, number)
            self.house.store.add_objects(objects)

    def _entry(self, kind: EventKind) -> Entry:
        return Entry(kind, self.now, "bench", {"how": "automatic"})

    def _patients(self, count: int) -> list[tuple[Any, ...]]:
        made: list[tuple[Any, ...]] = []
        numbers = iter(range(count))
        while batch := list(islice(numbers, AT_ONCE)):
            with self.house.store.change(self._entry(EventKind.FILED)) as tx:
                made += [self._patient(tx, number) for number in batch]
        return made

    def _patient(self, tx: Transaction, number: int) -> tuple[Any, ...]:
        patient, key, clinical = new_id(), new_key(), new_key()
        name = f"{SURNAMES[number % 10]}{number // 100}^{GIVEN[number // 10 % 10]}"
        born = f"19{number % 80 + 20:02}{number % 12 + 1:02}{number % 28 + 1:02}"
        number_of = Identifier(f"FICTIF{number:06}", None, "dicom")
        identity = Identity(name, born, "FM"[number % 2], (number_of,))
        vault = self.house.vault
        sealed = seal_value(identity.encode(), key, contexts.identity_record(vault, patient))
        tx.add(Patient(patient, sealed, self.now))
        subject = f"patient:{patient}"
        self._wrap(tx, WrapKind.PATIENT_IDENTITY, subject, key, circles.SECRETARIAT, "dpo")
        compartment = new_id()
        tx.add(Compartment(compartment, patient, "care"))
        subject = f"compartment:{compartment}"
        self._wrap(tx, WrapKind.PATIENT_CLINICAL, subject, clinical, "care")
        return patient, identity, (key, clinical), compartment

    def _wrap(self, tx: Transaction, kind: WrapKind, subject: str, key: Any, *names: str) -> None:
        """To circles held here for real, to recovery as bytes of the right length."""
        current = circles.current(tx)
        for name in names:
            circle = current[name]
            if self.ring.holds(name):
                tx.put(Wrapper(self.house.vault, kind, subject, key).to_circle(circle, self.ring))
            else:
                blob = random_bytes(HPKE_WRAP_BYTES)
                tx.put(Wrap(kind, subject, f"circle:{name}", 1, WrapMethod.HPKE, blob))
        tx.put(Wrap(kind, subject, "recovery", 1, WrapMethod.HPKE, random_bytes(HPKE_WRAP_BYTES)))

    def _study(
        self,
        tx: Transaction,
        patient: str,
        identity: Identity,
        keys: tuple[Any, Any],
        compartment: str,
        number: int,
    ) -> Iterator[StoredObject]:
        vault, envelope = self.house.vault, new_id()
        seed, header_key, study = new_seed(), new_key(), new_uid(new_id())
        subject = f"envelope:{envelope}"
        row = Envelope(
            envelope,
            EnvelopeKind.IMAGE,
            "care",
            None,
            "dicom",
            self.now + timedelta(seconds=number / 100),
            random_bytes(1216),
            patient,
            compartment,
            closed=True,
            summary=random_bytes(200),
        )
        tx.add(row)
        wraps = (
            (WrapKind.ENVELOPE_IDENTITY, header_key, f"patient:{patient}", keys[0]),
            (WrapKind.ENVELOPE_SEED, seed, f"compartment:{compartment}", keys[1]),
        )
        for kind, secret, parent, key in wraps:
            tx.put(Wrapper(vault, kind, subject, secret).to_parent(parent, key))
        plain = headers.encode(_administrative(identity, study, number))
        sealed = seal_value(plain, header_key, contexts.identity_header(vault, envelope, 0))
        tx.add(IdentityHeader(envelope, 0, sealed))
        return self._objects(envelope, subkey(seed, CLINICAL), study, number)

    def _objects(self, envelope: str, key: Any, study: str, number: int) -> Iterator[StoredObject]:
        series = new_uid(new_id())
        for instance in range(1, self.instances + 1):
            object_id = new_id()
            digest = hashlib.sha256(object_id.encode()).digest()
            plain = headers.encode(_clinical(study, series, instance))
            context = contexts.clinical_header(self.house.vault, object_id, envelope, digest)
            sealed = seal_value(plain, key, context)
            yield StoredObject(object_id, envelope, "00/pack", number, 526_000, digest, sealed)


def _administrative(identity: Identity, study: str, number: int) -> dict[str, Any]:
    return {
        "PatientName": identity.name,
        "PatientID": identity.identifiers[0].value,
        "PatientBirthDate": identity.birth_date,
        "PatientSex": identity.sex,
        "AccessionNumber": f"ACC{number:08}",
        "StudyInstanceUID": study,
        "StudyDate": f"20{number % 7 + 19}{number % 12 + 1:02}{number % 28 + 1:02}",
        "StudyTime": f"{number % 24:02}{number % 60:02}00",
        "StudyID": str(number),
        "Modality": ("CT", "MR", "US", "DX")[number % 4],
        "ReferringPhysicianName": "DUPONT^Jean",
        "InstitutionName": "Cabinet fictif",
    }


def _clinical(study: str, series: str, instance: int) -> dict[str, Any]:
    return {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "SOPInstanceUID": new_uid(new_id()),
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series,
        "Modality": "CT",
        "SeriesNumber": 2,
        "InstanceNumber": instance,
        "StudyDescription": "Scanner thoracique imaginaire",
        "SeriesDescription": "Parenchyme 1.25",
        "ProtocolName": "THORAX",
        "BodyPartExamined": "CHEST",
        "SeriesDate": "20260104",
        "SeriesTime": "101500",
        "Rows": 512,
        "Columns": 512,
        "SamplesPerPixel": 1,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "PixelRepresentation": 0,
        "PhotometricInterpretation": "MONOCHROME2",
        "WindowCenter": "40",
        "WindowWidth": "400",
        "RescaleSlope": "1",
        "RescaleIntercept": "-1024",
        "AvailableTransferSyntaxUID": "1.2.840.10008.1.2.1",
        "header_size": 1700,
        "size": 526_000,
    }


def _house(folder: Path, vault: str) -> House:
    return House(
        vault,
        "Cabinet fictif",
        SqliteStore(folder / "vault.sqlite3", folder / "keys.copy"),
        LocalPacks(folder / "packs"),
        SystemClock(),
        MemorySearchTable,
        threading.RLock(),
        threading.BoundedSemaphore(2),
    )


def _found(house: House) -> None:
    found(house.vault, house.practice, house.store, house.clock, "admin", PASSWORD)
    practice = Practice(house)
    session = practice.sign_in("admin", PASSWORD, need_code=False)
    for login, role in (("docteur", Role.DOCTOR), ("dpo", Role.DPO)):
        members.add(house, session.member, session.ring, login, PASSWORD, [role])
    practice.lock(session)


def _ring(house: House) -> Keyring:
    """The doctor's keys, which vouch for the circles that keys are given to."""
    member, seed = members.unlock(house, "docteur", PASSWORD)
    ring = members.keyring_of(house, member, seed)
    with house.lock:
        look(house, member, seed, ring)
    return ring


def _timed(house: House) -> dict[str, float]:
    """Sign in, answer one search, lock; seconds of each."""
    practice = Practice(house)
    wall, cpu = time.monotonic(), time.process_time()
    session = practice.sign_in("docteur", PASSWORD, need_code=False)
    opened, busy = time.monotonic() - wall, time.process_time() - cpu
    rows = practice.tables[circles.SECRETARIAT].table.dump()[0]
    wall = time.monotonic()
    practice.lock(session)
    locked = time.monotonic() - wall
    return {
        "open_s": round(opened, 2),
        "open_cpu_s": round(busy, 2),
        "lock_s": round(locked, 2),
        "studies": len(rows),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.opening", description=__doc__)
    parser.add_argument("--studies", type=int, default=50_000)
    parser.add_argument("--instances", type=int, default=2, help="of each study")
    parser.add_argument("--keep", help="a folder for the vault, used again when it is there")
    options = parser.parse_args()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="serment-opening-"))
    try:
        name = folder / "name"
        fresh = not name.exists()
        if fresh:
            folder.mkdir(parents=True, exist_ok=True)
            name.write_text(new_id())
        house = _house(folder, name.read_text())
        if fresh:
            _found(house)
            Filler(house, _ring(house), options.instances).fill(options.studies)
        for _ in range(3):
            snapshots = house.store.count(Snapshot)
            what = "from the snapshot" if snapshots else "from scratch"
            print(json.dumps({"what": what, **_timed(house)}), flush=True)
        house.packs.close()
        house.store.close()
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
