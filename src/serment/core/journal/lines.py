"""The log as JSON Lines, so that anybody can check it with a few lines of his own.

First a header (`serment-journal`: 1, `origin`, `public_key`, `entries`), then a line for each
checkpoint (`checkpoint`: the signed note, `size`, `at`), then a line for each entry: `index`,
`leaf`, `salt` (hexadecimal) and `body`, the exact text that was hashed; or, once it has expired,
`tombstone` instead of salt and body.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from serment.core.journal.entries import CheckpointRow, LoggedEntry
from serment.errors import N_, FormatError

VERSION = 1


def header_line(origin: str, public_key: bytes, entries: int) -> str:
    """The first line."""
    return _line(
        {
            "serment-journal": VERSION,
            "origin": origin,
            "public_key": public_key.hex(),
            "entries": entries,
        }
    )


def render_checkpoint(row: CheckpointRow) -> str:
    """One checkpoint."""
    return _line({"checkpoint": _text(row.note), "size": row.size, "at": row.at.isoformat()})


def render_row(row: LoggedEntry) -> str:
    """One entry."""
    line: dict[str, Any] = {"index": row.index, "leaf": _hex(row.leaf)}
    if row.salt is not None:
        line["salt"] = _hex(row.salt)
    if row.body is not None:
        line["body"] = _text(row.body)
    if row.tombstone is not None:
        line["tombstone"] = _hex(row.tombstone)
    return _line(line)


def parse_lines(
    untrusted_lines: Iterable[str],
) -> tuple[list[CheckpointRow], Iterator[LoggedEntry]]:
    """The checkpoints, and the rows as they are read on.

    Raises:
        FormatError: a line is not what it should be (for rows, while they are read).
    """
    lines = map(_parse, untrusted_lines)
    header = next(lines, {})
    if header.get("serment-journal") != VERSION:
        raise _unreadable()
    checkpoints: list[CheckpointRow] = []
    for line in lines:
        if "checkpoint" not in line:
            return checkpoints, map(_row, chain([line], lines))
        checkpoints.append(_checkpoint(line))
    return checkpoints, iter(())


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _hex(value: object) -> str:
    """Of bytes; of anything else that SQL put there, of its text: a damaged log exports too."""
    return value.hex() if isinstance(value, bytes) else str(value).encode().hex()


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _parse(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    if not isinstance(value, dict):
        raise _unreadable()
    return value


def _checkpoint(line: dict[str, Any]) -> CheckpointRow:
    match line:
        case {"checkpoint": str(note), "size": int(size), "at": str(at)}:
            try:
                return CheckpointRow(size, note, datetime.fromisoformat(at))
            except ValueError as error:
                raise _unreadable() from error
    raise _unreadable()


def _row(line: dict[str, Any]) -> LoggedEntry:
    body = line.get("body")
    match line:
        case {"index": int(index), "leaf": str(leaf)} if body is None or isinstance(body, str):
            text = None if body is None else body.encode("utf-8", "replace")
            return LoggedEntry(
                index,
                _bytes(leaf),
                _maybe_bytes(line, "salt"),
                text,
                _maybe_bytes(line, "tombstone"),
            )
    raise _unreadable()


def _maybe_bytes(line: dict[str, Any], key: str) -> bytes | None:
    return None if line.get(key) is None else _bytes(line[key])


def _bytes(value: object) -> bytes:
    try:
        return bytes.fromhex(value if isinstance(value, str) else "?")
    except ValueError as error:
        raise _unreadable() from error


def _unreadable() -> FormatError:
    return FormatError(
        N_("these lines are not an exported journal"),
        hint=N_("take the whole file that `serment journal export` wrote"),
    )
