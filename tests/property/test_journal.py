"""Any single change of a random log is found, and the key state is the one a simulation has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.core.crypto.merkle import Frontier
from serment.core.crypto.secret import Seed
from serment.core.crypto.signing import verify_key
from serment.core.journal.checkpoints import Checkpoint, sign_checkpoint
from serment.core.journal.entries import CheckpointRow, Entry, EventKind, LoggedEntry
from serment.core.journal.keystate import WrapName, wraps_at, wraps_during
from serment.core.journal.log import leaf, new_salt
from serment.core.journal.tombstones import make_tombstone
from serment.core.journal.verify import CUT, MISSING, MOVED, REWRITTEN, Verdict, verify

SEED = Seed(bytes(range(32)))
KEY = verify_key(SEED)
ORIGIN = "serment/0123456789abcdef"
START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

Rows = list[LoggedEntry]
Log = tuple[Rows, list[CheckpointRow]]


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Up to 40 entries, checkpoints at random sizes and at the end, some entries expired."""
    rows: Rows = []
    for number in range(draw(st.integers(1, 40))):
        body = Entry(EventKind.READ, START + timedelta(seconds=number), draw(st.text())).encode()
        salt = new_salt()
        rows.append(LoggedEntry(number, leaf(salt, body), salt, body))
    sizes = {*draw(st.lists(st.integers(1, len(rows)), max_size=4)), len(rows)}
    checkpoints = [CheckpointRow(size, note(rows[:size]), START) for size in sizes]
    for chosen in draw(st.lists(st.sets(st.integers(0, len(rows) - 1)), max_size=3)):
        living = [rows[i] for i in sorted(chosen) if rows[i].body is not None]
        if living:
            tombstone = make_tombstone(living, ORIGIN, date(2027, 11, 20), SEED)
            for row in living:
                rows[row.index] = replace(row, salt=None, body=None, tombstone=tombstone)
    return rows, checkpoints


def note(rows: Rows) -> str:
    frontier = Frontier()
    for row in rows:
        frontier.append(row.leaf)
    return sign_checkpoint(Checkpoint(frontier.size, frontier.root()), ORIGIN, SEED)


def check(log: Log, kept: str | None = None) -> Verdict:
    rows, checkpoints = log
    return verify(rows, checkpoints, KEY, ORIGIN, kept)


def renumbered(rows: Rows) -> Rows:
    return [replace(row, index=number) for number, row in enumerate(rows)]


def flipped(draw: st.DrawFn, raw: bytes) -> bytes:
    position = draw(st.integers(0, len(raw) - 1))
    return raw[:position] + bytes([raw[position] ^ draw(st.integers(1, 255))]) + raw[position + 1 :]


@st.composite
def edits(draw: st.DrawFn, rows: Rows) -> Rows:
    """One bit or more changed in one column of one row."""
    row = draw(st.sampled_from(rows))
    columns = [c for c in ("leaf", "salt", "body", "tombstone") if getattr(row, c) is not None]
    column = draw(st.sampled_from(columns))
    changed = replace(row, **{column: flipped(draw, getattr(row, column))})
    return [changed if r is row else r for r in rows]


@st.composite
def forgeries(draw: st.DrawFn, rows: Rows) -> Rows:
    """Another entry with a leaf of its own, which is all one can do without the key."""
    row = draw(st.sampled_from(rows))
    body, salt = Entry(EventKind.READ, START, draw(st.text())).encode(), new_salt()
    forged = LoggedEntry(row.index, leaf(salt, body), salt, body)
    return [forged if r is row else r for r in rows]


@st.composite
def removals(draw: st.DrawFn, rows: Rows) -> Rows:
    gone = draw(st.integers(0, len(rows) - 1))
    left = rows[:gone] + rows[gone + 1 :]
    return renumbered(left) if draw(st.booleans()) else left


@st.composite
def truncations(draw: st.DrawFn, rows: Rows) -> Rows:
    return rows[: draw(st.integers(0, len(rows) - 1))]


@st.composite
def moves(draw: st.DrawFn, rows: Rows) -> Rows:
    moved = draw(st.permutations(rows))
    return renumbered(moved) if draw(st.booleans()) else list(moved)


@st.composite
def insertions(draw: st.DrawFn, rows: Rows) -> Rows:
    extra, place = draw(st.sampled_from(rows)), draw(st.integers(0, len(rows) - 1))
    return renumbered([*rows[:place], extra, *rows[place:]])


@st.composite
def deletions(draw: st.DrawFn, rows: Rows) -> Rows:
    """Content deleted, with no tombstone or with that of some other entry."""
    row = draw(st.sampled_from(rows))
    tombstones = [r.tombstone for r in rows if r.tombstone is not None]
    tombstone = draw(st.sampled_from([None, b"", *tombstones]))
    bare = replace(row, salt=None, body=None, tombstone=tombstone)
    return [bare if r is row else r for r in rows]


@given(logs())
def test_a_log_left_alone_is_whole(log: Log) -> None:
    verdict = check(log)
    expired = sum(row.body is None for row in log[0])
    assert verdict == Verdict(len(log[0]), True, expired, None, "", 0, len(log[1]))


@pytest.mark.parametrize(
    "change", [edits, forgeries, removals, truncations, moves, insertions, deletions]
)
@given(data=st.data())
def test_any_single_change_is_found(change, data: st.DataObject) -> None:
    rows, checkpoints = data.draw(logs())
    changed = data.draw(change(rows))
    if changed[: len(rows)] == rows:
        return  # nothing that is signed was touched: equal rows changed places, or one more came
    verdict = check((changed, checkpoints))
    assert not verdict.ok
    assert verdict.reason
    assert verdict.first_bad is not None
    pairs = enumerate(zip(rows, changed, strict=False))
    touched = next((n for n, (a, b) in pairs if a != b), len(changed))
    if verdict.reason == CUT:
        assert verdict.first_bad == len(changed)
    elif verdict.reason in (MISSING, MOVED, REWRITTEN):
        assert verdict.first_bad <= touched


@given(logs(), st.data())
def test_a_kept_checkpoint_holds_against_whoever_signs_anew(log: Log, data: st.DataObject) -> None:
    rows, checkpoints = log
    kept = data.draw(st.sampled_from(checkpoints))
    change = data.draw(st.sampled_from([forgeries, removals, truncations]))
    before = rows[: kept.size]
    changed = renumbered(data.draw(change(before)) + rows[kept.size :])
    signed_anew = [CheckpointRow(len(changed), note(changed), START)] if changed else []
    leaves = [row.leaf for row in changed[: kept.size]]
    if leaves != [row.leaf for row in before]:
        assert not check((changed, signed_anew), kept.note).ok


@given(logs(), st.data())
def test_growth_keeps_old_checkpoints_true(log: Log, data: st.DataObject) -> None:
    rows, checkpoints = log
    for number in range(len(rows), len(rows) + data.draw(st.integers(0, 5))):
        body, salt = Entry(EventKind.READ, START, "later").encode(), new_salt()
        rows = [*rows, LoggedEntry(number, leaf(salt, body), salt, body)]
    verdict = check((rows, checkpoints), data.draw(st.sampled_from(checkpoints)).note)
    assert verdict.ok
    assert verdict.unsigned == len(rows) - len(log[0])


names = st.builds(
    WrapName,
    st.sampled_from(["patient-identity", "circle-seed"]),
    st.sampled_from(["patient:1", "patient:2", "circle:care@1"]),
    st.sampled_from(["recovery", "circle:dpo", "member:1"]),
    st.integers(0, 2),
)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, list[WrapName], list[WrapName]]]:
    """Minutes that never go back, each with wraps made and others deleted."""
    minutes = sorted(draw(st.lists(st.integers(0, 20), max_size=15)))
    steps = []
    for minute in minutes:
        touched = draw(st.lists(names, unique=True, max_size=6))
        cut = draw(st.integers(0, len(touched)))
        steps.append((minute, touched[:cut], touched[cut:]))
    return steps


def entries_of(steps: list[tuple[int, list[WrapName], list[WrapName]]]) -> list[Entry]:
    return [
        Entry(
            EventKind.KEYS_MOVED,
            START + timedelta(minutes=minute),
            "m",
            {"wraps_made": [list(w) for w in made], "wraps_deleted": [list(w) for w in deleted]},
        )
        for minute, made, deleted in steps
    ]


@given(histories(), st.integers(-1, 21), st.integers(0, 10))
def test_key_state_equals_a_simulated_one(steps, start: int, length: int) -> None:
    end = start + length
    held: set[WrapName] = set()
    seen: set[WrapName] = set()
    at_start: set[WrapName] = set()
    for minute, made, deleted in steps:
        if minute > end:
            break
        if minute > start:
            seen |= held
        held = (held | set(made)) - set(deleted)
        if minute <= start:
            at_start = set(held)
        else:
            seen |= set(made)
    log = entries_of(steps)
    first, last = START + timedelta(minutes=start), START + timedelta(minutes=end)
    assert wraps_at(log, first) == at_start
    assert wraps_at(log, last) == held
    assert wraps_during(log, first, last) == at_start | seen
