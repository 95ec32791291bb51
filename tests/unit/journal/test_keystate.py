"""Which wraps existed when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.keystate import (
    Change,
    WrapName,
    change_of,
    history,
    wraps_at,
    wraps_during,
    wraps_text,
    wraps_told,
)
from serment.errors import FormatError

T = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
A = WrapName("patient-identity", "patient:p", "circle:secretariat", 1)
B = WrapName("patient-identity", "patient:p", "circle:dpo", 1)
C = WrapName("patient-identity", "patient:p", "circle:secretariat", 2)


def entry(minute: int, made: list[WrapName], deleted: list[WrapName]) -> Entry:
    details = {"wraps_made": [list(w) for w in made], "wraps_deleted": [list(w) for w in deleted]}
    return Entry(EventKind.KEYS_MOVED, T + minute * MINUTE, "member", details)


LOG = [
    entry(0, [A, B], []),
    Entry(EventKind.READ, T, "member", {}),
    entry(10, [C], [A]),
    entry(20, [], [B, C]),
]


@pytest.mark.parametrize(
    ("minute", "expected"),
    [(-1, set()), (0, {A, B}), (9, {A, B}), (10, {B, C}), (19, {B, C}), (20, set()), (99, set())],
)
def test_at(minute: int, expected: set[WrapName]) -> None:
    assert wraps_at(LOG, T + minute * MINUTE) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (-2, -1, set()),
        (-1, 0, {A, B}),
        (5, 9, {A, B}),
        (5, 10, {A, B, C}),
        (10, 30, {B, C}),
        (20, 30, set()),
        (-1, 30, {A, B, C}),
    ],
)
def test_during(start: int, end: int, expected: set[WrapName]) -> None:
    assert wraps_during(LOG, T + start * MINUTE, T + end * MINUTE) == expected


def test_history_names_the_entries_that_tell_of_keys() -> None:
    assert [(c.at, set(c.made), set(c.deleted)) for c in history(LOG)] == [
        (T, {A, B}, set()),
        (T + 10 * MINUTE, {C}, {A}),
        (T + 20 * MINUTE, set(), {B, C}),
    ]


@pytest.mark.parametrize("raw", [7, [7], [["a", "b", "c"]], [["a", "b", "c", "1"]], ["abcd"]])
def test_other_forms_are_refused(raw: object) -> None:
    with pytest.raises(FormatError):
        list(history([Entry(EventKind.FILED, T, "m", {"wraps_made": raw})]))


HOSTILE = '"wraps_made":[["x","y","z",1]]},"kind":"read"}'


@pytest.mark.parametrize("details", [{}, {"name": HOSTILE}, {HOSTILE: 1}, {"zone": [HOSTILE]}])
def test_the_bytes_tell_the_same_as_the_entry(details: dict[str, object]) -> None:
    for one in LOG:
        if one.kind is EventKind.KEYS_MOVED:
            full = one.with_details(**details)
            text = wraps_text(full.encode())
            assert text is not None
            assert Change(full.at, *wraps_told(text)) == change_of(full)


@pytest.mark.parametrize("details", [{}, {"name": HOSTILE}, {HOSTILE: 1}, {"zone": [HOSTILE]}])
def test_an_entry_that_only_quotes_tells_of_none(details: dict[str, object]) -> None:
    body = Entry(EventKind.READ, T, HOSTILE, details).encode()
    assert wraps_text(body) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"wraps_made":[',
        b'{"wraps_made":[1]},"kind":"x"}',
        b'{"wraps_made":{}},"kind":"x"}',
        b'{"a":{"wraps_made":"[]},"kind":"x"}',
    ],
)
def test_bytes_that_tell_nothing_readable(body: bytes) -> None:
    text = wraps_text(body)
    assert text is not None
    with pytest.raises(FormatError):
        wraps_told(text)
