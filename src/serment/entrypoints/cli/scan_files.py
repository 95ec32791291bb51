"""The files that `serment scan network` is given: read, or tried, before anything is sent to anybody.

What is written to those for an answer is `scan_report` and `scan_kept`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from serment.core.exposure.coverage import Key
from serment.core.exposure.history import baseline_keys
from serment.core.exposure.imported import MOST_BYTES, parse_outside
from serment.core.exposure.outside import Sight
from serment.core.exposure.scope import split
from serment.entrypoints.cli.files import check_writable
from serment.errors import N_, FormatError, NotFound, Unavailable, UsageError

TARGETS_LIMIT = 1024 * 1024  # bytes
BASELINE_LIMIT = 64 * 1024 * 1024  # bytes
_PATHS = (".", "/", "~", "\\")  # what no address and no name begins with
_LISTS = (".txt", ".csv")  # what no name ends with
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_targets(given: Iterable[str]) -> tuple[str, ...]:
    """The addresses, ranges and names of a command line; a file's in its place.

    Raises:
        Unavailable: a file cannot be read, or is no text.
        UsageError: it names nothing, or too much.
        NotFound: it is a path to nothing.
    """
    return tuple(each for text in given for each in _targets_of(text))


def read_outside(path: Path) -> tuple[Sight, ...]:
    """What somebody tried from outside.

    Raises:
        Unavailable, FormatError: the file cannot be read, or is no such scan.
    """
    message = N_("the scan from outside, {path}, cannot be read")
    return parse_outside(_read(path, MOST_BYTES + 1, message, N_("check the path of --outside")))


def read_baseline(path: Path) -> frozenset[Key]:
    """The findings of an earlier answer.

    Raises:
        Unavailable, FormatError: the file cannot be read, or is no such answer.
    """
    message = N_("the baseline {path} cannot be read")
    hint = N_("name the file of an earlier `serment scan network --json`")
    raw = _read(path, BASELINE_LIMIT, message, hint)
    try:
        return baseline_keys(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise FormatError(
            N_("the baseline {path} is no JSON"),
            hint=N_("make one: serment scan network --json > baseline.json"),
            path=str(path),
        ) from error


def _read(path: Path, limit: int, message: str, hint: str) -> bytes:
    """Its first bytes; `Unavailable`, with these words, where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(limit)
    except OSError as error:
        raise Unavailable(message, hint=hint, path=str(path)) from error


def check_apart(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Raise before the audit what would keep its files from being written, or would overwrite what was read.

    Raises:
        UsageError: one file is named twice.
        Unavailable: a file cannot be written where it is named.
    """
    written = tuple(written)
    seen: set[Path] = set()
    for path in (*read, *written):
        place = _place(path)
        if place in seen:
            raise UsageError(
                N_("the file {path} is named twice"),
                hint=N_("give each file a name of its own"),
                path=str(path),
            )
        seen.add(place)
    for path in written:
        check_writable(path)


def _place(path: Path) -> Path:
    try:
        return path.resolve()
    except OSError:  # it will be told where it is written
        return path.absolute()


def _targets_of(text: str) -> list[str]:
    try:
        is_file = bool(text) and Path(text).is_file()
    except (OSError, ValueError):  # no path at all
        is_file = False
    if is_file:
        return _of_file(Path(text))
    if text.startswith(_PATHS) or text.lower().endswith(_LISTS):
        raise NotFound(
            N_("there is no file {path}"),
            hint=N_("check the path; addresses are written 192.168.1.20 or 192.168.1.0/24"),
            path=text[:200],
        )
    return split([text])


def _of_file(path: Path) -> list[str]:
    """One target a line, as editors and shells write text: UTF-8, or UTF-16 that says so."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(TARGETS_LIMIT + 1)
        text = raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig")
    except (OSError, ValueError) as error:
        raise Unavailable(
            N_("the file of targets {path} cannot be read"),
            hint=N_("one address, range or name a line, as UTF-8 text"),
            path=str(path),
        ) from error
    found = split([text])
    if not found or len(raw) > TARGETS_LIMIT:
        raise UsageError(
            N_("the file {path} names no address, or far too many"),
            hint=N_("one address, range or name a line, as UTF-8 text"),
            path=str(path),
        )
    return found
