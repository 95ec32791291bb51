"""Reads the usual shapes of a machine's answers: settings, sections, JSON, dates. Total: never raises.

What cannot be understood reads as nothing there. What it means is left to each check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from serment.core.exposure.posture.verdict import Said, Verdict, unknown
from serment.core.exposure.text import clean
from serment.errors import N_

LIMIT: Final = 256 * 1024  # characters read of one answer
NAME_LIMIT: Final = 60  # characters shown of a product's or a disk's name
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_OFFSET = re.compile(r" ([+-][0-9]{2}):?([0-9]{2})$")
_FORMS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d-%H%M%S", "%m/%d/%Y", "%d-%m-%Y", "%d %b %Y %H-%M")


def silent(name: str) -> Verdict:
    """Unknown, because the machine did not answer this question."""
    return unknown(N_("this could not be read here ({name})"), name=name)


def number(text: object) -> int | None:
    """A decimal number alone in a text, or a JSON number; a truth value is none."""
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, int):
        return text if abs(text) < 10**18 else None
    found = _NUMBER.fullmatch(str(text).strip())
    return int(found[0]) if found else None


def settings(text: str, separator: str = "=") -> dict[str, str]:
    """`name = value` lines; comments (#, ;) and quotes dropped, the last of a name wins."""
    found = {}
    for line in text.splitlines():
        name, middle, value = line.partition(separator)
        if middle and not name.lstrip().startswith(("#", ";")):
            found[name.strip()] = value.strip().strip("'\"")
    return found


def sections(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """`[name]` sections of settings, in order; what stands before the first has the name ""."""
    name, lines = "", list[str]()
    for line in text.splitlines():
        found = re.fullmatch(r"\s*\[([^\]]{1,200})\]\s*", line)
        if found:
            yield name, settings("\n".join(lines))
            name, lines = found[1], []
        else:
            lines.append(line)
    yield name, settings("\n".join(lines))


def blocks(text: str) -> list[str]:
    """Parts of a text between empty lines."""
    return [part for part in re.split(r"\n[ \t\r]*\n", text) if part.strip()]


def decoded(text: str) -> Any:
    """The JSON value of a text, or None."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def table(said: Said, name: str) -> dict[str, Any] | None:
    """A JSON object that the machine said under this name; None when it said nothing."""
    if name not in said:
        return None
    value = decoded(said[name])
    return value if isinstance(value, dict) else None


def rows(value: object) -> list[dict[str, Any]]:
    """The objects of a JSON list; one object alone is a list of one."""
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, dict)]


def moment(text: object) -> datetime | None:
    """A date in one of the forms that the systems print, as aware UTC."""
    if not isinstance(text, str) or not 8 <= len(text := text.strip().strip("'\"")) <= 40:
        return None
    found = _standard(text) or _formed(text)
    if found is None:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _standard(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _formed(text: str) -> datetime | None:
    offset = _OFFSET.search(text)
    shift = timedelta()
    if offset:
        sign = -1 if offset[1].startswith("-") else 1
        shift = timedelta(hours=int(offset[1]), minutes=sign * int(offset[2]))
        text = text[: offset.start()]
    for form in _FORMS:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC) - shift
        except (ValueError, OverflowError):
            continue
    return None


def epoch(seconds: object) -> datetime | None:
    """Seconds since 1970, UTC."""
    count = number(seconds)
    if count is None or not 0 < count < 1 << 33:
        return None
    return datetime.fromtimestamp(count, UTC)


def filetime(ticks: object) -> datetime | None:
    """Tenths of microseconds since 1601, UTC (FILETIME of Windows)."""
    count = number(ticks)
    return None if count is None else epoch(count // 10_000_000 - 11_644_473_600)


def days_since(then: datetime, now: datetime) -> int:
    """Whole days; 0 for what lies ahead."""
    return max(0, (now - then).days)


def named(value: object) -> str:
    """A name that a machine gave, safe to show."""
    return clean(str(value), NAME_LIMIT)
