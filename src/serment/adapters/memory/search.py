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
from itertools import islice

from serment.adapters.memory.conditions import (
    instance_conditions,
    text,
)
from serment.adapters.memory.pages import count_of, page_of
from serment.adapters.memory.searchrows import (
    INSTANCE,
    KEPT,
    ORDER,
    SCHEMA,
    SHOWN,
    STUDY,
    UPSERT_INSTANCE,
    VERSION,
    drop_studies,
    insert_studies,
    instance_values,
    rank_touched,
    read_instance,
    read_study,
    summarise,
)
from serment.errors import N_, FormatError, VaultLocked
from serment.ports import InstanceRow, Matches, StudyRow, StudySummary

BATCH = 2000  # rows written at a time


class MemorySearchTable:
    """Safe for several threads: each call has the database for itself."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._summaries: dict[tuple[str, ...], StudySummary | None] = {}
        self._within: dict[str, set[tuple[str, ...]]] = {}  # of them, by envelope
        self._repeated: dict[str, None] = {}  # UIDs to look at, in the order they came
        self._database: sqlite3.Connection | None = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA temp_store = MEMORY")
        self._database.execute("PRAGMA secure_delete = ON")  # an image holds nothing removed
        self._database.execute(f"PRAGMA user_version = {VERSION}")
        self._database.executescript(SCHEMA)

    def put_studies(self, rows: Iterable[StudyRow]) -> None:
        waiting = iter(rows)
        with self._changing() as database:
            while batch := {row.envelope: row for row in islice(waiting, BATCH)}:
                drop_studies(database, list(batch))
                insert_studies(database, list(batch.values()))
            rank_touched(database)

    def put_instances(self, rows: Iterable[InstanceRow]) -> None:
        waiting = iter(rows)
        with self._changing() as database:
            while batch := list(islice(waiting, BATCH)):
                self._forget(self._left(database, batch))
                self._forget(row.envelope for row in batch)
                database.executemany(UPSERT_INSTANCE, map(instance_values, batch))
                self._note_repeated(database, [text(row.instance_uid) for row in batch])

    def remove(self, envelopes: Iterable[str]) -> None:
        with self._changing() as database:
            wanted = list(envelopes)
            drop_studies(database, wanted)
            rank_touched(database)
            listed = "WHERE envelope IN (SELECT value FROM json_each(?))"
            database.execute(f"DELETE FROM instance {listed}", (json.dumps(wanted),))
            self._forget(wanted)

    def studies(self, matches: Matches) -> list[StudyRow]:
        """The conditions choose studies; all rows of a chosen study come together, in the order
        of arrival."""
        with self._reading() as database:
            page = page_of(database, matches)
            sql = f"SELECT s.study, {STUDY} FROM study s WHERE s.study IN"
            sql += " (SELECT value FROM json_each(?)) ORDER BY s.row"
            lines = database.execute(sql, (json.dumps(page),)).fetchall()
        place = {study: number for number, study in enumerate(page)}
        found = [(place[study], read_study(tuple(line))) for study, *line in lines]
        return [row for _, row in sorted(found, key=lambda each: (each[0], each[1].arrived))]

    def count_studies(self, matches: Matches) -> int:
        with self._reading() as database:
            return count_of(database, matches)

    def instances(self, matches: Matches) -> list[InstanceRow]:
        term, values = instance_conditions(matches)
        limit = -1 if matches.limit is None else matches.limit
        sql = f"SELECT {INSTANCE} FROM instance s WHERE {term} AND {SHOWN} ORDER BY {ORDER}"
        with self._reading() as database:
            lines = database.execute(f"{sql} LIMIT ? OFFSET ?", (*values, limit, matches.offset))
            return [read_instance(line) for line in lines]

    def instance_of(self, object_id: str) -> InstanceRow | None:
        with self._reading() as database:
            sql = f"SELECT {INSTANCE} FROM instance s WHERE s.object = ?"
            line = database.execute(sql, (object_id,)).fetchone()
        return None if line is None else read_instance(line)

    def study_of(self, envelope: str) -> StudyRow | None:
        with self._reading() as database:
            sql = f"SELECT {STUDY} FROM study s WHERE s.envelope = ?"
            line = database.execute(sql, (envelope,)).fetchone()
        return None if line is None else read_study(line)

    def summaries(self, studies: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], StudySummary]:
        """Worked out when first asked for, kept until an instance of the study comes or goes."""
        found = {}
        with self._reading() as database:
            for study in studies:
                if study not in self._summaries:
                    self._summaries[study] = summarise(database, study)
                    for envelope in study:
                        self._within.setdefault(envelope, set()).add(study)
                summary = self._summaries[study]
                if summary is not None:
                    found[study] = summary
        return found

    def repeated(self) -> list[list[InstanceRow]]:
        """Only the rows still marked as kept are listed."""
        sql = f"SELECT {INSTANCE} FROM instance s WHERE s.instance_uid = ? AND {KEPT}"
        with self._reading() as database:
            self._keep_repeated(database)
            found = [database.execute(sql + " ORDER BY s.row", (u,)) for u in self._repeated]
            return [[read_instance(line) for line in lines] for lines in found]

    def dump(self) -> tuple[list[StudyRow], list[InstanceRow]]:
        with self._reading() as database:
            studies = database.execute(f"SELECT {STUDY} FROM study s ORDER BY s.row")
            instances = database.execute(f"SELECT {INSTANCE} FROM instance s ORDER BY s.row")
            return [read_study(line) for line in studies], [
                read_instance(line) for line in instances
            ]

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
            self._within.clear()
            sql = f"SELECT instance_uid FROM instance s WHERE {KEPT} AND instance_uid <> ''"
            several = " GROUP BY instance_uid HAVING count(*) > 1 ORDER BY min(row)"
            self._repeated = {uid: None for (uid,) in database.execute(sql + several)}

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None
            self._summaries.clear()
            self._within.clear()
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

    def _left(self, database: sqlite3.Connection, rows: list[InstanceRow]) -> list[str]:
        """The envelopes these objects were in until now."""
        if not self._summaries:
            return []
        sql = "SELECT envelope FROM instance WHERE object IN (SELECT value FROM json_each(?))"
        objects = json.dumps([row.object for row in rows])
        return [envelope for (envelope,) in database.execute(sql, (objects,))]

    def _forget(self, envelopes: Iterable[str]) -> None:
        """What was known of the studies of these envelopes as a whole."""
        for envelope in envelopes:
            for study in self._within.pop(envelope, ()):
                self._summaries.pop(study, None)

    def _note_repeated(self, database: sqlite3.Connection, uids: list[str]) -> None:
        sql = f"SELECT instance_uid FROM instance s WHERE {KEPT} AND instance_uid IN"
        several = " (SELECT value FROM json_each(?)) GROUP BY instance_uid HAVING count(*) > 1"
        found = {uid for (uid,) in database.execute(sql + several, (json.dumps(uids),))}
        self._repeated |= {uid: None for uid in uids if uid and uid in found}

    def _keep_repeated(self, database: sqlite3.Connection) -> None:
        sql = f"SELECT count(*) FROM instance s WHERE s.instance_uid = ? AND {KEPT}"
        for uid in list(self._repeated):
            if database.execute(sql, (uid,)).fetchone()[0] < 2:
                del self._repeated[uid]


def _other_image() -> FormatError:
    return FormatError(N_("these search rows were written by another version of Serment"))
