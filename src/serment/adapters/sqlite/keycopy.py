"""`keys.copy`: all of the database but what the packs can give back, newest only; and its return.

The copy is a database of its own: written beside, synced, then renamed over the earlier one.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from serment.adapters import system
from serment.adapters.sqlite import earlier
from serment.adapters.sqlite.connections import connect
from serment.adapters.sqlite.failures import damaged
from serment.adapters.sqlite.schema import APPLICATION_ID, REBUILT, REBUILT_SETTING, migrate
from serment.errors import N_, FormatError, NotFound

_SIDES = ("", "-wal", "-shm")
WAIT_SECONDS = 30.0  # for another process that writes the copy


def turn(key_copy: Path) -> AbstractContextManager[None]:
    """One process at a time copies, from its first look at the database to the new name: what was
    deleted before its turn comes back with no copy that somebody began earlier."""
    return system.turn(key_copy.with_suffix(".lock"), WAIT_SECONDS)


def write(key_copy: Path, connection: sqlite3.Connection) -> int:
    """Replace the copy by the state of `connection`'s database now, and by what only the earlier copy
    has right (`earlier`): how many rows that were. It is our `turn`. May raise sqlite3.Error.

    Raises:
        IntegrityError: the earlier copy knows more than the database, or another journal; it stays.
    """
    fresh = _beside(key_copy, ".new")
    try:
        fresh.unlink(missing_ok=True)
        os.close(system.create_private(fresh))
        with _attached(connection, fresh, key_copy) as known:
            kept = _fill(connection, known)
        _settle(fresh, key_copy)
        return kept
    except OSError as error:
        raise system.disk_error(error) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


@contextlib.contextmanager
def _attached(connection: sqlite3.Connection, fresh: Path, key_copy: Path) -> Iterator[bool]:
    """Both beside the database, as `copy` and `earlier`; whether there is an earlier one."""
    connection.execute("ATTACH DATABASE ? AS copy", (str(fresh),))
    try:
        yield earlier.attach(connection, key_copy)
    finally:
        earlier.detach(connection)
        connection.execute("DETACH DATABASE copy")


def _fill(connection: sqlite3.Connection, known: bool) -> int:
    """Copy in one read transaction, so that all tables are of the same moment."""
    connection.execute("PRAGMA copy.journal_mode = OFF").fetchall()
    connection.execute("PRAGMA copy.synchronous = OFF")
    version = connection.execute("PRAGMA main.user_version").fetchone()[0]
    connection.execute(f"PRAGMA copy.user_version = {version}")
    connection.execute(f"PRAGMA copy.application_id = {APPLICATION_ID}")
    connection.execute("BEGIN")
    try:
        for name, sql in connection.execute(_TABLES).fetchall():
            connection.execute(sql.replace("CREATE TABLE ", "CREATE TABLE copy.", 1))
            if name not in REBUILT:
                connection.execute(f"INSERT INTO copy.{name} SELECT * FROM main.{name}")
        connection.execute("DELETE FROM copy.setting WHERE key = ?", (REBUILT_SETTING,))
        kept = _take_over(connection) if known else 0
        for (sql,) in connection.execute(_INDEXES).fetchall():
            connection.execute(sql.replace("CREATE INDEX ", "CREATE INDEX copy.", 1))
        connection.execute("COMMIT")
        return kept
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _take_over(connection: sqlite3.Connection) -> int:
    """Nothing, where the earlier copy turns out to be damaged itself."""
    connection.execute("SAVEPOINT filled")
    try:
        return earlier.take_over(connection)
    except (sqlite3.Error, FormatError) as error:
        if isinstance(error, sqlite3.Error) and not earlier.is_damage(error):
            raise
        connection.execute("ROLLBACK TO filled")
        return 0


_TABLES = (
    "SELECT name, sql FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
)
_INDEXES = "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"


def _settle(fresh: Path, final: Path) -> None:
    descriptor = os.open(fresh, os.O_RDWR)
    try:
        system.sync_file(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(final)
    system.sync_folder(final.parent)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def restore(path: Path, key_copy: Path, tell: Callable[[Path], None]) -> None:
    """Put the copy in the place of a damaged or lost database, which is kept: see `damaged_files`.
    `tell` writes so into the journal of the file it is given before that is the database: whenever
    this is interrupted, no database lies beside what it replaced without saying so.

    Needs the vault's exclusive lock. Afterwards every pack must be replayed: the copy has no rows
    of objects. What was journalled, filed or wrapped since the copy was made is not there.

    Raises:
        NotFound: there is no copy.
        IntegrityError: the copy is damaged too; nothing was changed.
        FormatError: the copy belongs to a newer Serment; nothing was changed.
    """
    if not key_copy.exists():
        raise missing()
    fresh = _beside(path, ".new")
    try:
        _drop(fresh)  # with its log, which would be read as the new one's
        system.copy_private(key_copy, fresh)
        _check(fresh)
        tell(fresh)
        aside = _free_name(path)
        for side in _SIDES:
            old = _beside(path, side)
            if old.exists():
                old.replace(_beside(aside, side))
        system.sync_folder(path.parent)  # its log is gone before another database has its name
        _settle(fresh, path)
    except OSError as error:
        raise system.disk_error(error) from error
    finally:
        with contextlib.suppress(OSError):
            _drop(fresh)


def damaged_files(path: Path) -> list[Path]:
    """What restored databases replaced, oldest name first: `*.damaged`, `*.damaged-2` and so on, each
    with its `-wal` and `-shm`. They hold every wrap that was deleted since."""
    found = path.parent.glob(f"{path.name}.damaged*")
    return sorted(found, key=lambda each: (len(each.name), each.name))


def drop_damaged(path: Path) -> list[Path]:
    """Delete them; which they were."""
    dropped = damaged_files(path)
    try:
        for each in dropped:
            each.unlink(missing_ok=True)
        if dropped:
            system.sync_folder(path.parent)
    except OSError as error:
        raise system.disk_error(error) from error
    return dropped


def _free_name(path: Path) -> Path:
    """None of an earlier one is overwritten: it may have keys that no other file has."""
    taken, number = {each.name for each in damaged_files(path)}, 1
    while (aside := f"{path.name}.damaged" + (f"-{number}" if number > 1 else "")) in taken or any(
        aside + side in taken for side in _SIDES
    ):
        number += 1
    return path.with_name(aside)


def missing() -> NotFound:
    return NotFound(
        N_("there is no copy of the keys in this vault"),
        hint=N_("restore the vault's folder from a backup"),
    )


def _drop(path: Path) -> None:
    for side in (*_SIDES, "-journal"):
        _beside(path, side).unlink(missing_ok=True)


def _check(path: Path) -> None:
    try:
        connection = connect(path, "FULL")
        try:
            found = connection.execute("PRAGMA integrity_check").fetchone()
            migrate(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise damaged() from error
    if found != ("ok",):
        raise damaged()
