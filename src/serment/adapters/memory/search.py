"""The `SearchTable` port: one SQLite database in memory for each open circle, gone when it closes.

Never touches the disk (temporary tables are in memory too). How a search stays fast at a million
studies is decided in `pages`, how values are compared in `conditions`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from serment.adapters.memory.conditions import (
    compared,
    instance_conditions,
    text,
)
from serment.adapters.memory.pages import count_of, page_of
from serment.core.dicom.query import fold
from serment.core.records.vault import ObjectState
from serment.errors import N_, FormatError, VaultLocked
from serment.ports import InstanceRow, Matches, StudyRow, StudySummary

VERSION = 1  # of the tables below, as `PRAGMA user_version`: images of another are refused
BATCH = 2000  # rows written at a time
NO_NUMBER = 2**31  # series and instances without a number come last

_SCHEMA = """
CREATE TABLE study (
    row INTEGER PRIMARY KEY, envelope TEXT NOT NULL UNIQUE, circle TEXT NOT NULL, patient TEXT,
    kind TEXT NOT NULL, arrived TEXT NOT NULL, uid TEXT NOT NULL, moment TEXT NOT NULL,
    name TEXT NOT NULL, birth TEXT NOT NULL, accession TEXT NOT NULL, attributes TEXT NOT NULL
);
CREATE INDEX study_uid ON study (uid);
CREATE INDEX study_patient ON study (patient);
CREATE INDEX study_name ON study (name);
CREATE INDEX study_birth ON study (birth);
CREATE INDEX study_accession ON study (accession);
CREATE TABLE study_identifier (value TEXT, row INTEGER, PRIMARY KEY (value, row)) WITHOUT ROWID;
CREATE INDEX study_identifier_row ON study_identifier (row);
CREATE TABLE study_modality (value TEXT, row INTEGER, PRIMARY KEY (value, row)) WITHOUT ROWID;
CREATE INDEX study_modality_row ON study_modality (row);
CREATE TABLE rank (uid TEXT PRIMARY KEY, moment TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX rank_moment ON rank (moment DESC, uid);
CREATE TABLE instance (
    row INTEGER PRIMARY KEY, object TEXT NOT NULL UNIQUE, envelope TEXT NOT NULL,
    circle TEXT NOT NULL, study_uid TEXT NOT NULL, series_uid TEXT NOT NULL,
    instance_uid TEXT NOT NULL, state TEXT NOT NULL, attributes TEXT NOT NULL,
    series_number INTEGER NOT NULL, number INTEGER NOT NULL, modality TEXT NOT NULL,
    image INTEGER NOT NULL, description TEXT NOT NULL
);
CREATE INDEX instance_order
    ON instance (study_uid, series_number, series_uid, number, instance_uid, row);
CREATE INDEX instance_series ON instance (series_uid);
CREATE INDEX instance_uid ON instance (instance_uid, state);
CREATE INDEX instance_envelope ON instance (envelope);
CREATE TEMP TABLE touched (uid TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_STUDY = "s.envelope, s.circle, s.patient, s.kind, s.arrived, s.uid, s.attributes"
_INSTANCE = (
    "s.object, s.envelope, s.circle, s.study_uid, s.series_uid, s.instance_uid, s.state,"
    " s.attributes"
)
_ORDER = "s.study_uid, s.series_number, s.series_uid, s.number, s.instance_uid, s.row"
_SHOWN = f"s.state <> '{ObjectState.DUPLICATE.value}'"
_KEPT = f"s.state = '{ObjectState.KEPT.value}'"


class MemorySearchTable:
    """Safe for several threads: each call has the database for itself."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._summaries: dict[str, StudySummary | None] = {}
        self._repeated: dict[str, None] = {}  # UIDs to look at, in the order they came
        self._database: sqlite3.Connection | None = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA temp_store = MEMORY")
        self._database.execute("PRAGMA secure_delete = ON")  # an image holds nothing removed
        self._database.execute(f"PRAGMA user_version = {VERSION}")
        self._database.executescript(_SCHEMA)

    def put_studies(self, rows: Iterable[StudyRow]) -> None:
        waiting = iter(rows)
        with self._changing() as database:
            while batch := {row.envelope: row for row in islice(waiting, BATCH)}:
                _drop_studies(database, list(batch))
                _insert_studies(database, list(batch.values()))
            _rank_touched(database)

    def put_instances(self, rows: Iterable[InstanceRow]) -> None:
        waiting = iter(rows)
        with self._changing() as database:
            while batch := list(islice(waiting, BATCH)):
                self._forget(database, batch)
                database.executemany(_UPSERT_INSTANCE, map(_instance_values, batch))
                self._note_repeated(database, [text(row.instance_uid) for row in batch])

    def remove(self, envelopes: Iterable[str]) -> None:
        with self._changing() as database:
            wanted = list(envelopes)
            _drop_studies(database, wanted)
            _rank_touched(database)
            listed = "WHERE envelope IN (SELECT value FROM json_each(?))"
            gone = f"DELETE FROM instance {listed} RETURNING study_uid"
            for (uid,) in database.execute(gone, (json.dumps(wanted),)).fetchall():
                self._summaries.pop(uid, None)

    def studies(self, matches: Matches) -> list[StudyRow]:
        """The conditions choose studies; all rows of a chosen study come together, in the order
        of arrival. Only `patient` also leaves out the rows of others."""
        with self._reading() as database:
            uids = page_of(database, matches)
            sql = f"SELECT {_STUDY} FROM study s WHERE s.uid IN (SELECT value FROM json_each(?))"
            values: list[object] = [json.dumps(uids)]
            if matches.patient is not None:
                sql, values = sql + " AND +s.patient = ?", [*values, matches.patient]
            found = [_study(line) for line in database.execute(sql + " ORDER BY s.row", values)]
        place = {uid: number for number, uid in enumerate(uids)}
        return sorted(found, key=lambda row: (place[row.study_uid], row.arrived))

    def count_studies(self, matches: Matches) -> int:
        with self._reading() as database:
            return count_of(database, matches)

    def instances(self, matches: Matches) -> list[InstanceRow]:
        term, values = instance_conditions(matches)
        limit = -1 if matches.limit is None else matches.limit
        sql = f"SELECT {_INSTANCE} FROM instance s WHERE {term} AND {_SHOWN} ORDER BY {_ORDER}"
        with self._reading() as database:
            lines = database.execute(f"{sql} LIMIT ? OFFSET ?", (*values, limit, matches.offset))
            return [_instance(line) for line in lines]

    def instance_of(self, object_id: str) -> InstanceRow | None:
        with self._reading() as database:
            sql = f"SELECT {_INSTANCE} FROM instance s WHERE s.object = ?"
            line = database.execute(sql, (object_id,)).fetchone()
        return None if line is None else _instance(line)

    def study_of(self, envelope: str) -> StudyRow | None:
        with self._reading() as database:
            sql = f"SELECT {_STUDY} FROM study s WHERE s.envelope = ?"
            line = database.execute(sql, (envelope,)).fetchone()
        return None if line is None else _study(line)

    def summaries(self, study_uids: Sequence[str]) -> dict[str, StudySummary]:
        """Worked out when first asked for, kept until an instance of the study comes or goes."""
        found = {}
        with self._reading() as database:
            for uid in study_uids:
                if uid not in self._summaries:
                    self._summaries[uid] = _summary(database, uid)
                summary = self._summaries[uid]
                if summary is not None:
                    found[uid] = summary
        return found

    def repeated(self) -> list[list[InstanceRow]]:
        """Only the rows still marked as kept are listed."""
        sql = f"SELECT {_INSTANCE} FROM instance s WHERE s.instance_uid = ? AND {_KEPT}"
        with self._reading() as database:
            self._keep_repeated(database)
            found = [database.execute(sql + " ORDER BY s.row", (u,)) for u in self._repeated]
            return [[_instance(line) for line in lines] for lines in found]

    def dump(self) -> tuple[list[StudyRow], list[InstanceRow]]:
        with self._reading() as database:
            studies = database.execute(f"SELECT {_STUDY} FROM study s ORDER BY s.row")
            instances = database.execute(f"SELECT {_INSTANCE} FROM instance s ORDER BY s.row")
            return [_study(line) for line in studies], [_instance(line) for line in instances]

    def envelopes(self) -> set[str]:
        with self._reading() as database:
            sql = "SELECT envelope FROM study UNION SELECT envelope FROM instance"
            return {envelope for (envelope,) in database.execute(sql)}

    def image(self) -> bytes:
        with self._reading() as database:
            return database.serialize()

    def restore(self, image: bytes) -> None:
        """Copied page by page: a database that works on an image could not outgrow 1 GiB."""
        other = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(other), self._reading() as database:
            try:
                other.deserialize(image or bytes(1))  # no bytes at all would be a MemoryError
                if other.execute("PRAGMA user_version").fetchone() != (VERSION,):
                    raise _other_image()
                other.backup(database)
            except sqlite3.DatabaseError as error:
                raise _other_image() from error
            self._summaries.clear()
            sql = f"SELECT instance_uid FROM instance s WHERE {_KEPT} AND instance_uid <> ''"
            several = " GROUP BY instance_uid HAVING count(*) > 1 ORDER BY min(row)"
            self._repeated = {uid: None for (uid,) in database.execute(sql + several)}

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None
            self._summaries.clear()
            self._repeated.clear()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._database is None:
                raise VaultLocked(
                    N_("this circle has been closed"), hint=N_("open the practice again")
                )
            yield self._database

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as database:
            database.execute("BEGIN")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                database.execute("ROLLBACK")
                raise

    def _forget(self, database: sqlite3.Connection, rows: list[InstanceRow]) -> None:
        """What was known of the studies these objects belong to, and belonged to until now."""
        if not self._summaries:
            return
        sql = "SELECT study_uid FROM instance WHERE object IN (SELECT value FROM json_each(?))"
        before = database.execute(sql, (json.dumps([row.object for row in rows]),)).fetchall()
        for uid in (*(uid for (uid,) in before), *(row.study_uid for row in rows)):
            self._summaries.pop(uid, None)

    def _note_repeated(self, database: sqlite3.Connection, uids: list[str]) -> None:
        sql = f"SELECT instance_uid FROM instance s WHERE {_KEPT} AND instance_uid IN"
        several = " (SELECT value FROM json_each(?)) GROUP BY instance_uid HAVING count(*) > 1"
        found = {uid for (uid,) in database.execute(sql + several, (json.dumps(uids),))}
        self._repeated |= {uid: None for uid in uids if uid and uid in found}

    def _keep_repeated(self, database: sqlite3.Connection) -> None:
        sql = f"SELECT count(*) FROM instance s WHERE s.instance_uid = ? AND {_KEPT}"
        for uid in list(self._repeated):
            if database.execute(sql, (uid,)).fetchone()[0] < 2:
                del self._repeated[uid]


def _other_image() -> FormatError:
    return FormatError(N_("these search rows were written by another version of Serment"))


def _drop_studies(database: sqlite3.Connection, envelopes: list[str]) -> None:
    listed = "IN (SELECT value FROM json_each(?))"
    sql = f"DELETE FROM study WHERE envelope {listed} RETURNING row, uid"
    gone = database.execute(sql, (json.dumps(envelopes),)).fetchall()
    if gone:
        rows = json.dumps([row for row, _ in gone])
        for table in ("study_identifier", "study_modality"):
            database.execute(f"DELETE FROM {table} WHERE row {listed}", (rows,))
        _touch(database, [uid for _, uid in gone])


def _insert_studies(database: sqlite3.Connection, studies: list[StudyRow]) -> None:
    first = database.execute("SELECT coalesce(max(row), 0) + 1 FROM study").fetchone()[0]
    numbered = list(enumerate(studies, first))
    database.executemany(
        "INSERT INTO study (row, envelope, circle, patient, kind, arrived, uid, moment, name,"
        " birth, accession, attributes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(number, *_study_values(study)) for number, study in numbered],
    )
    for table, single, several in (
        ("study_identifier", "PatientID", "OtherPatientIDs"),
        ("study_modality", "Modality", "ModalitiesInStudy"),
    ):
        database.executemany(
            f"INSERT INTO {table} VALUES (?, ?)",
            [(v, number) for number, s in numbered for v in _listed(s.attributes, single, several)],
        )
    _touch(database, [text(study.study_uid) for study in studies])


def _study_values(row: StudyRow) -> tuple[object, ...]:
    attributes = row.attributes
    return (
        row.envelope,
        row.circle,
        row.patient,
        row.kind,
        row.arrived.isoformat(),
        text(row.study_uid),
        _moment(attributes),
        text(fold(str(attributes.get("PatientName", "")))),
        text(attributes.get("PatientBirthDate", "")),
        compared(attributes.get("AccessionNumber", "")),
        json.dumps(attributes),
    )


def _moment(attributes: dict[str, Any]) -> str:
    """Date and time of the study as digits; empty when it has no date."""
    date = text(attributes.get("StudyDate", ""))
    return date + text(attributes.get("StudyTime", "")) if date else ""


def _touch(database: sqlite3.Connection, uids: list[str]) -> None:
    """These studies have other rows than before: see `_rank_touched`."""
    database.executemany("INSERT OR IGNORE INTO touched VALUES (?)", [(uid,) for uid in uids])


def _listed(attributes: dict[str, Any], single: str, several: str) -> set[str]:
    values = attributes.get(several, [])
    found = [attributes.get(single, ""), *(values if isinstance(values, list) else [values])]
    return {compared(value) for value in found if value}


def _rank_touched(database: sqlite3.Connection) -> None:
    """A study is as new as the newest of its rows."""
    database.execute("DELETE FROM rank WHERE uid IN (SELECT uid FROM touched)")
    database.execute(
        "INSERT INTO rank SELECT uid, max(moment) FROM study"
        " WHERE uid IN (SELECT uid FROM touched) GROUP BY uid"
    )
    database.execute("DELETE FROM touched")


def _study(line: tuple[Any, ...]) -> StudyRow:
    envelope, circle, patient, kind, arrived, uid, attributes = line
    when = datetime.fromisoformat(arrived)
    return StudyRow(envelope, circle, patient, kind, when, uid, json.loads(attributes))


_UPSERT_INSTANCE = """
INSERT INTO instance (object, envelope, circle, study_uid, series_uid, instance_uid, state,
    attributes, series_number, number, modality, image, description)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (object) DO UPDATE SET envelope = excluded.envelope, circle = excluded.circle,
    study_uid = excluded.study_uid, series_uid = excluded.series_uid,
    instance_uid = excluded.instance_uid, state = excluded.state,
    attributes = excluded.attributes, series_number = excluded.series_number,
    number = excluded.number, modality = excluded.modality, image = excluded.image,
    description = excluded.description
"""


def _instance_values(row: InstanceRow) -> tuple[object, ...]:
    attributes = row.attributes
    return (
        row.object,
        row.envelope,
        row.circle,
        text(row.study_uid),
        text(row.series_uid),
        text(row.instance_uid),
        row.state,
        json.dumps(attributes),
        _number(attributes.get("SeriesNumber")),
        _number(attributes.get("InstanceNumber")),
        compared(attributes.get("Modality", "")),
        bool(attributes.get("Rows")),
        text(attributes.get("StudyDescription", "")),
    )


def _number(value: object) -> int:
    """A number as the sender gave it, if it is one that DICOM allows (IS, PS3.5 6.2)."""
    try:
        number = int(str(value))
    except ValueError:
        return NO_NUMBER
    return number if abs(number) < NO_NUMBER else NO_NUMBER


def _instance(line: tuple[Any, ...]) -> InstanceRow:
    object_id, envelope, circle, study, series, instance, state, attributes = line
    known = json.loads(attributes)
    return InstanceRow(object_id, envelope, circle, study, series, instance, state, known)


def _summary(database: sqlite3.Connection, uid: str) -> StudySummary | None:
    series = database.execute(
        "SELECT series_uid, count(*), sum(s.state = ?), sum(image), max(description)"
        f" FROM instance s WHERE study_uid = ? AND {_SHOWN}"
        " GROUP BY series_number, series_uid ORDER BY series_number, series_uid",
        (ObjectState.CONFLICT.value, uid),
    ).fetchall()
    if not series:
        return None
    shown = next(((s[0], s[3]) for s in series if s[3]), None)
    return StudySummary(
        len({s[0] for s in series}),
        sum(s[1] for s in series),
        sum(s[2] for s in series),
        max(s[4] for s in series),
        None if shown is None else _picture(database, uid, *shown),
        sum(s[3] for s in series),
    )


def _picture(database: sqlite3.Connection, study_uid: str, series_uid: str, images: int) -> str:
    found = database.execute(
        f"SELECT object FROM instance s WHERE study_uid = ? AND series_uid = ? AND image"
        f" AND {_SHOWN} ORDER BY {_ORDER} LIMIT 1 OFFSET ?",
        (study_uid, series_uid, images // 2),
    ).fetchone()
    return str(found[0])
