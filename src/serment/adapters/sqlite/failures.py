"""SQLite's errors in our words; a bug of ours (wrong SQL, wrong binding) stays what it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from serment.errors import (
    N_,
    Conflict,
    IntegrityError,
    NoSpace,
    SermentError,
    Unavailable,
)

# Primary result codes (sqlite.org/rescode.html); the low byte of an extended code is the primary.
_BUSY, _LOCKED, _CORRUPT, _FULL, _NOTADB, _CONSTRAINT = 5, 6, 11, 13, 26, 19
_WORLD = {3: "permission", 8: "read only", 10: "disk", 14: "cannot be opened", 15: "protocol"}
_IOERR_SHMSIZE = 10 | (19 << 8)  # the shared memory file could not grow: no space for it


def translate(error: sqlite3.Error) -> SermentError | None:
    """The error of ours that says the same; None when it can only be a bug."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of the module, not of SQLite: a text that is none, or a bug
        return damaged() if "decode to UTF-8" in str(error) else None
    primary = code & 0xFF
    if primary == _FULL or code == _IOERR_SHMSIZE:
        return NoSpace(
            N_("the disk that holds the vault is full"),
            hint=N_("free some space; what was acknowledged is safe, receiving resumes by itself"),
        )
    if primary in (_CORRUPT, _NOTADB):
        return damaged()
    if primary in (_BUSY, _LOCKED):
        return Unavailable(
            N_("the vault's database was in use for too long"),
            hint=N_("try again; if it lasts, see which Serment processes are running"),
        )
    if primary == _CONSTRAINT:
        return Conflict(
            N_("such a row exists already, or the row it refers to does not"),
            hint=N_("look at what is there and try again"),
        )
    if primary in _WORLD:
        return Unavailable(
            N_("the vault's database cannot be used: {reason}"),
            hint=N_(
                "check the disk and the permissions of the vault's folder, then `serment doctor`"
            ),
            reason=_WORLD[primary],
        )
    return None


def damaged() -> IntegrityError:
    """The database is not what was written."""
    return IntegrityError(
        N_("the vault's database is damaged"),
        hint=N_(
            "stop Serment and run `serment doctor --restore-keys`: it puts the copy of the keys in its place"
        ),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Whatever SQLite says inside the block, said in our words."""
    try:
        yield
    except sqlite3.Error as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error
