"""Writes a file that somebody asked for: for its owner only (0600), whole or not at all.

It appears under its name when it is complete; one that is there is left alone unless it may go.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from serment.errors import N_, Conflict, Unavailable

OTHER = N_("choose another with -o FILE")
FORCE = N_("choose another name, or say --force")
_BINARY = getattr(os, "O_BINARY", 0)


def check_free(target: Path, hint: str) -> None:
    """Raise `Conflict` when something has that name; asked before long work begins."""
    if os.path.lexists(target):
        raise Conflict(N_("the file {path} exists"), hint=hint, path=str(target))


def check_writable(target: Path) -> None:
    """Raise before long work begins what `put` would raise after it; leaves nothing behind.

    Raises:
        Unavailable: there is no such folder, it cannot be written in, or the name is a folder's.
    """
    folder = target.parent
    try:
        if not folder.is_dir():
            raise Unavailable(
                N_("there is no folder {path}"),
                hint=N_("make the folder first, or name another file"),
                path=str(folder),
            )
        if target.is_dir():
            raise Unavailable(
                N_("{path} is a folder"), hint=N_("name a file in it"), path=str(target)
            )
        os.close(_made(_partial(target)))
        _partial(target).unlink()
    except OSError as error:
        raise _unwritable(target) from error


def put(target: Path, chunks: Iterable[bytes], hint: str, *, replace: bool = False) -> int:
    """Write what streams in; return its size in bytes. `hint`: what to do when the file exists.

    Raises:
        Conflict: the file exists, and `replace` is not said.
        Unavailable: it cannot be written.
    """
    partial = _partial(target)
    size = 0
    try:
        with os.fdopen(_made(partial), "wb") as stream:
            for chunk in chunks:
                size += stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        _name(partial, target, hint, replace)
    except OSError as error:
        raise _unwritable(target) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return size


def _partial(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _made(partial: Path) -> int:
    """A new file to write to; what a fall left of an earlier one goes."""
    partial.unlink(missing_ok=True)
    return os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)


def _unwritable(target: Path) -> Unavailable:
    return Unavailable(
        N_("the file {path} cannot be written"),
        hint=N_("check the folder and the free space"),
        path=str(target),
    )


def _name(partial: Path, target: Path, hint: str, replace: bool) -> None:
    if not replace:
        check_free(target, hint)
        try:
            os.link(partial, target)  # never over a file made meanwhile
        except FileExistsError:
            check_free(target, hint)
            raise
        except OSError:  # a disk without links
            pass
        else:
            return
    partial.replace(target)
