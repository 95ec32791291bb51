"""The tables of one open circle in memory, and how their rows are written and read.

Decides which columns are searched and how attributes become them; transactions and locks are
`search`'s.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any

from serment.adapters.memory.conditions import compared, text
from serment.core.dicom.query import fold
from serment.core.records.vault import ObjectState
from serment.ports import InstanceRow, StudyRow, StudySummary

VERSION = 2  # of the tables below, as `PRAGMA user_version`: images of another are refused
NO_NUMBER = 2**31  # series and instances without a number come last

SCHEMA = """
CREATE TABLE study (
    row INTEGER PRIMARY KEY, envelope TEXT NOT NULL UNIQUE, circle TEXT NOT NULL, patient TEXT,
    kind TEXT NOT NULL, arrived TEXT NOT NULL, uid TEXT NOT NULL, study TEXT NOT NULL,
    moment TEXT NOT NULL, name TEXT NOT NULL, birth TEXT NOT NULL, accession TEXT NOT NULL, attributes TEXT NOT NULL
);
CREATE INDEX study_uid ON study (uid);
CREATE INDEX study_study ON study (study);
CREATE INDEX study_patient ON study (patient);
CREATE INDEX study_name ON study (name);
CREATE INDEX study_birth ON study (birth);
CREATE INDEX study_accession ON study (accession);
CREATE TABLE study_identifier (value TEXT, row INTEGER, PRIMARY KEY (value, row)) WITHOUT ROWID;
CREATE INDEX study_identifier_row ON study_identifier (row);
CREATE TABLE study_modality (value TEXT, row INTEGER, PRIMARY KEY (value, row)) WITHOUT ROWID;
CREATE INDEX study_modality_row ON study_modality (row);
CREATE TABLE rank (study TEXT PRIMARY KEY, moment TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX rank_moment ON rank (moment DESC, study);
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
CREATE TEMP TABLE touched (study TEXT PRIMARY KEY) WITHOUT ROWID;
"""
STUDY = "s.envelope, s.circle, s.patient, s.kind, s.arrived, s.uid, s.attributes"
INSTANCE = (
    "s.object, s.envelope, s.circle, s.study_uid, s.series_uid, s.instance_uid, s.state,"
    " s.attributes"
)
ORDER = "s.study_uid, s.series_number, s.series_uid, s.number, s.instance_uid, s.row"
SHOWN = f"s.state <> '{ObjectState.DUPLICATE.value}'"
WITHIN = "s.envelope IN (SELECT value FROM json_each(?))"
KEPT = f"s.state = '{ObjectState.KEPT.value}'"


def drop_studies(database: sqlite3.Connection, envelopes: list[str]) -> None:
    """Delete the rows of those envelopes with all that is searched by."""
    listed = "IN (SELECT value FROM json_each(?))"
    sql = f"DELETE FROM study WHERE envelope {listed} RETURNING row, study"
    gone = database.execute(sql, (json.dumps(envelopes),)).fetchall()
    if gone:
        rows = json.dumps([row for row, _ in gone])
        for table in ("study_identifier", "study_modality"):
            database.execute(f"DELETE FROM {table} WHERE row {listed}", (rows,))
        _touch(database, [study for _, study in gone])


def insert_studies(database: sqlite3.Connection, studies: list[StudyRow]) -> None:
    """Add the rows of envelopes that have none yet."""
    first = database.execute("SELECT coalesce(max(row), 0) + 1 FROM study").fetchone()[0]
    numbered = list(enumerate(studies, first))
    database.executemany(
        "INSERT INTO study (row, envelope, circle, patient, kind, arrived, uid, study, moment,"
        " name, birth, accession, attributes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    _touch(database, [text(study.study) for study in studies])


def _study_values(row: StudyRow) -> tuple[object, ...]:
    attributes = row.attributes
    return (
        row.envelope,
        row.circle,
        row.patient,
        row.kind,
        row.arrived.isoformat(),
        text(row.study_uid),
        text(row.study),
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


def _touch(database: sqlite3.Connection, studies: list[str]) -> None:
    """These studies have other rows than before: see `rank_touched`."""
    database.executemany(
        "INSERT OR IGNORE INTO touched VALUES (?)", [(study,) for study in studies]
    )


def _listed(attributes: dict[str, Any], single: str, several: str) -> set[str]:
    values = attributes.get(several, [])
    found = [attributes.get(single, ""), *(values if isinstance(values, list) else [values])]
    return {compared(value) for value in found if value}


def rank_touched(database: sqlite3.Connection) -> None:
    """A study is as new as the newest of its rows."""
    database.execute("DELETE FROM rank WHERE study IN (SELECT study FROM touched)")
    database.execute(
        "INSERT INTO rank SELECT study, max(moment) FROM study"
        " WHERE study IN (SELECT study FROM touched) GROUP BY study"
    )
    database.execute("DELETE FROM touched")


def read_study(line: tuple[Any, ...]) -> StudyRow:
    """The row of a line with the columns of `STUDY`."""
    envelope, circle, patient, kind, arrived, uid, attributes = line
    when = datetime.fromisoformat(arrived)
    return StudyRow(envelope, circle, patient, kind, when, uid, json.loads(attributes))


UPSERT_INSTANCE = """
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


def instance_values(row: InstanceRow) -> tuple[object, ...]:
    """What `UPSERT_INSTANCE` binds."""
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


def read_instance(line: tuple[Any, ...]) -> InstanceRow:
    """The row of a line with the columns of `INSTANCE`."""
    object_id, envelope, circle, study, series, instance, state, attributes = line
    known = json.loads(attributes)
    return InstanceRow(object_id, envelope, circle, study, series, instance, state, known)


def summarise(database: sqlite3.Connection, envelopes: tuple[str, ...]) -> StudySummary | None:
    """What is known of the study in those envelopes as a whole; None when nothing of it is here."""
    listed = json.dumps(envelopes)
    series = database.execute(
        "SELECT series_uid, count(*), sum(s.state = ?), sum(image), max(description)"
        f" FROM instance s WHERE {WITHIN} AND {SHOWN}"
        " GROUP BY series_number, series_uid ORDER BY series_number, series_uid",
        (ObjectState.CONFLICT.value, listed),
    ).fetchall()
    if not series:
        return None
    shown = next(((s[0], s[3]) for s in series if s[3]), None)
    return StudySummary(
        len({s[0] for s in series}),
        sum(s[1] for s in series),
        sum(s[2] for s in series),
        max(s[4] for s in series),
        None if shown is None else _picture(database, listed, *shown),
        sum(s[3] for s in series),
    )


def _picture(database: sqlite3.Connection, envelopes: str, series_uid: str, images: int) -> str:
    found = database.execute(
        f"SELECT object FROM instance s WHERE {WITHIN} AND +series_uid = ? AND image"
        f" AND {SHOWN} ORDER BY {ORDER} LIMIT 1 OFFSET ?",
        (envelopes, series_uid, images // 2),
    ).fetchone()
    return str(found[0])
