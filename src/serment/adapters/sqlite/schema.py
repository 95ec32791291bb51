"""The tables of `vault.sqlite3`, as numbered steps from an empty file to the present version.

A step, once released, is never edited: a new version adds one. `PRAGMA user_version` is the number
of steps a file has been through.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from serment.errors import N_, FormatError

APPLICATION_ID = 0x53524D54  # "SRMT": what `file` and SQLite show of whose database it is

_FIRST = """
CREATE TABLE setting (
    key TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
);
CREATE TABLE member (
    id TEXT PRIMARY KEY NOT NULL,
    login TEXT NOT NULL UNIQUE,
    roles TEXT NOT NULL,
    circles TEXT NOT NULL,
    public_key BLOB NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    totp BLOB
);
CREATE TABLE circle (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    created INTEGER NOT NULL,
    stopped INTEGER NOT NULL,
    stale INTEGER NOT NULL,
    PRIMARY KEY (id, epoch)
);
CREATE TABLE device (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    ae_title TEXT NOT NULL,
    called_ae_title TEXT NOT NULL,
    address TEXT NOT NULL,
    circle TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    created INTEGER NOT NULL,
    removed INTEGER
);
CREATE TABLE wrap (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    recipient TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    method TEXT NOT NULL,
    blob BLOB NOT NULL,
    PRIMARY KEY (kind, subject, recipient, epoch)
);
CREATE INDEX wrap_subject ON wrap (subject);
CREATE INDEX wrap_recipient ON wrap (recipient, kind);
CREATE TABLE patient (
    id TEXT PRIMARY KEY NOT NULL,
    identity BLOB NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE compartment (
    id TEXT PRIMARY KEY NOT NULL,
    patient TEXT NOT NULL REFERENCES patient (id) DEFERRABLE INITIALLY DEFERRED,
    circle TEXT NOT NULL,
    UNIQUE (patient, circle)
);
CREATE TABLE envelope (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    circle TEXT NOT NULL,
    device TEXT,
    source TEXT NOT NULL,
    arrived INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    patient TEXT REFERENCES patient (id) DEFERRABLE INITIALLY DEFERRED,
    compartment TEXT REFERENCES compartment (id) DEFERRABLE INITIALLY DEFERRED,
    decided_by TEXT,
    closed INTEGER NOT NULL,
    summary BLOB
);
CREATE INDEX envelope_patient ON envelope (patient);
CREATE INDEX envelope_compartment ON envelope (compartment);
CREATE INDEX envelope_circle ON envelope (circle);
CREATE INDEX envelope_under_way ON envelope (closed) WHERE closed = 0;
CREATE TABLE identity_header (
    envelope TEXT NOT NULL REFERENCES envelope (id) DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (envelope, number)
);
CREATE TABLE stored_object (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    envelope TEXT NOT NULL,
    pack TEXT NOT NULL,
    offset INTEGER NOT NULL,
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    header BLOB NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX stored_object_envelope ON stored_object (envelope);
CREATE TABLE snapshot (
    circle TEXT PRIMARY KEY NOT NULL,
    epoch INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    sealed BLOB NOT NULL
);
CREATE TABLE journal (
    number INTEGER PRIMARY KEY NOT NULL,
    leaf BLOB NOT NULL,
    salt BLOB,
    body BLOB,
    tombstone BLOB
);
CREATE TABLE journal_tree (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    frontier BLOB NOT NULL
);
CREATE TABLE checkpoint (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    size INTEGER NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE TABLE residue (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    wraps INTEGER NOT NULL
);
INSERT INTO residue (only, wraps) VALUES (1, 0);
INSERT INTO journal_tree (only, frontier) VALUES (1, zeroblob(8));
"""

STEPS: tuple[str, ...] = (_FIRST,)

# What `keys.copy` leaves out: it can be rebuilt from the packs and from what sessions open. The
# setting says which packs have all their rows here, which is not so after a return of the copy.
REBUILT = ("stored_object", "snapshot")
REBUILT_SETTING = "packs-replayed"


def migrate(connection: sqlite3.Connection, steps: Sequence[str] = STEPS) -> None:
    """Bring a file to the present version, each step in a transaction of its own.

    Raises:
        FormatError: it belongs to another program, or to a newer Serment.
    """
    while (version := check_version(connection, len(steps))) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been faster while we waited for the lock.
            if _pragma(connection, "user_version") == version:
                for statement in steps[version].split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def check_version(connection: sqlite3.Connection, known: int = len(STEPS)) -> int:
    """Return how many steps the file has been through; raise as `migrate` does."""
    version = _pragma(connection, "user_version")
    owner = _pragma(connection, "application_id")
    if owner != APPLICATION_ID and (owner or version):
        raise FormatError(
            N_("this database was not written by Serment"),
            hint=N_("check the folder given with --vault"),
        )
    if version > known:
        raise FormatError(
            N_("the vault's database has version {found}; this program knows {known}"),
            hint=N_("install the newer Serment"),
            found=version,
            known=known,
        )
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
