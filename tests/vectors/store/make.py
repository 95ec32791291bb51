"""Makes `v1.sqlite3`: a small database of schema version 1, kept for ever.

Run once, by the release that wrote that version: `python tests/vectors/store/make.py FILE`. Salts
are random, so another run gives another file; what is checked is that it opens and what it holds.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from serment.adapters.sqlite import SqliteStore
from serment.core.journal.entries import CheckpointRow, Entry, EventKind
from serment.core.records.vault import (
    Circle,
    CircleKind,
    Compartment,
    Device,
    Envelope,
    EnvelopeKind,
    IdentityHeader,
    Member,
    MemberState,
    Patient,
    Role,
    Setting,
    Snapshot,
    StoredObject,
    Wrap,
    WrapKind,
    WrapMethod,
)

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ROWS = [
    Setting("practice", b"Cabinet fictif"),
    Member(
        "m1",
        "anne",
        (Role.DOCTOR, Role.DPO),
        ("care", "dpo"),
        b"public key",
        MemberState.ACTIVE,
        NOW,
    ),
    Circle("care", CircleKind.CARE, 1, b"public key", NOW),
    Device("d1", "scanner", "CT1", "SERMENT", "127.0.0.1", "care", b"hash", NOW),
    Wrap(WrapKind.PATIENT_IDENTITY, "patient:p1", "recovery", 1, WrapMethod.HPKE, b"sealed"),
    Patient("p1", b"sealed", NOW),
    Compartment("c1", "p1", "care"),
    Envelope(
        *("e1", EnvelopeKind.IMAGE, "care", "d1", "dicom", NOW, b"public key"),
        patient="p1",
        compartment="c1",
    ),
    IdentityHeader("e1", 1, b"sealed"),
    Snapshot("care", 1, 2, b"sealed"),
]


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = SqliteStore(folder / "vault.sqlite3", folder / "keys.copy")
        with store.change(Entry(EventKind.VAULT_FOUNDED, NOW, "local")) as tx:
            for row in ROWS:
                tx.add(row)
        store.add_objects(
            [StoredObject(o, "e1", "0" * 32, 64, 10, bytes(32), b"h") for o in ("o1", "o2")]
        )
        store.record(Entry(EventKind.READ, NOW, "m1", {"envelope": "e1"}))
        store.expire([1], [b"tombstone"], Entry(EventKind.EXPIRED, NOW, "worker"))
        store.add_checkpoint(CheckpointRow(3, "note\n", NOW))
        store.copy_keys()
        store.close()
        target.write_bytes((folder / "vault.sqlite3").read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
