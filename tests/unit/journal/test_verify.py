"""What checking a log finds, case by case. Any single change at random: tests/property."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serment.core.crypto.merkle import Frontier
from serment.core.crypto.secret import Seed
from serment.core.journal import verify as module
from serment.core.journal.checkpoints import Checkpoint, sign_checkpoint
from serment.core.journal.entries import CheckpointRow, EventKind, LoggedEntry
from serment.core.journal.log import leaf
from serment.core.journal.verify import (
    CHANGED,
    CHECKPOINT_CHANGED,
    CUT,
    DELETED,
    FALSE_TOMBSTONE,
    KEPT_DIFFERS,
    KEPT_OTHER_KEY,
    MISSING,
    MOVED,
    NEVER_SIGNED,
    REWRITTEN,
    TREE_CHANGED,
    UNSIGNED_LONG,
    Verdict,
)
from serment.errors import FormatError


def rewrite(log, index: int) -> None:
    """Change an entry as somebody would who knows how leaves are made, without the key."""
    row = log.rows[index]
    body = row.body.replace(b"member", b"nobody")
    log.rows[index] = LoggedEntry(index, leaf(row.salt, body), row.salt, body)


def renumber(log) -> None:
    log.rows = [replace(row, index=i) for i, row in enumerate(log.rows)]


def test_a_whole_log(log) -> None:
    assert log.verdict(tree=log.tree()) == Verdict(30, True, 0, None, "", 10, 2)


def test_an_empty_log(new_log) -> None:
    assert new_log().verdict(tree=Frontier()) == Verdict(0, True, 0, None, "")


@pytest.mark.parametrize("index", [0, 9, 10, 19, 29])
def test_an_edited_entry_is_named(log, index: int) -> None:
    row = log.rows[index]
    log.rows[index] = replace(row, body=row.body.replace(b"member", b"nobody"))
    assert log.found() == (index, CHANGED)


@pytest.mark.parametrize(("index", "start"), [(0, 0), (9, 0), (10, 10), (19, 10)])
def test_an_entry_edited_with_its_leaf_is_bracketed(log, index: int, start: int) -> None:
    rewrite(log, index)
    assert log.found() == (start, REWRITTEN)


def test_a_missing_entry(log) -> None:
    del log.rows[13]
    assert log.found() == (13, MISSING)


def test_a_missing_entry_hidden_by_renumbering(log) -> None:
    del log.rows[13]
    renumber(log)
    assert log.found() == (10, REWRITTEN)


def test_an_inserted_entry(log) -> None:
    log.rows.insert(13, replace(log.rows[25], index=13))
    assert log.found() == (14, MOVED)
    renumber(log)
    assert log.found() == (10, REWRITTEN)


def test_swapped_entries(log) -> None:
    log.rows[3], log.rows[4] = log.rows[4], log.rows[3]
    assert log.found() == (3, MISSING)
    renumber(log)
    assert log.found() == (0, REWRITTEN)


def test_the_earliest_finding_is_told(log) -> None:
    row = log.rows[17]
    log.rows[17] = replace(row, salt=bytes(32))
    log.rows[5] = replace(log.rows[5], salt=b"")
    assert log.found() == (5, CHANGED)


@pytest.mark.parametrize("left", [0, 1, 10, 15, 19])
def test_a_log_cut_short(log, left: int) -> None:
    del log.rows[left:]
    assert log.found() == (left, CUT)


def test_a_tail_cut_that_no_checkpoint_counts(log) -> None:
    tree = log.tree()
    del log.rows[25:]
    assert log.verdict(tree=tree).reason == CUT
    assert log.verdict(tree=tree).first_bad == 25


def test_the_state_of_the_tree_is_checked(log) -> None:
    tree = log.tree()
    tree.peaks[0] = bytes(32)
    verdict = log.verdict(tree=tree)
    assert (verdict.first_bad, verdict.reason) == (20, TREE_CHANGED)


def test_deleted_content(log) -> None:
    log.rows[12] = replace(log.rows[12], salt=None, body=None)
    assert log.found() == (12, DELETED)
    log.rows[11] = replace(log.rows[11], body=None)
    assert log.found() == (11, CHANGED)


def test_expired_entries_are_counted_and_whole(log) -> None:
    log.expire(2, 3, 5, 8, 13)
    log.expire(4, 6, 14)  # interleaved with the first batch
    assert log.verdict(tree=log.tree()) == Verdict(30, True, 8, None, "", 10, 2)


def test_a_tombstone_covers_only_its_own(log) -> None:
    log.expire(2, 3, 5)
    tombstone = log.rows[2].tombstone
    for index in (1, 4, 9):
        others = list(log.rows)
        log.rows[index] = replace(log.rows[index], salt=None, body=None, tombstone=tombstone)
        first, reason = log.found()
        assert reason == FALSE_TOMBSTONE
        assert first in (index, 2)
        log.rows = others


@pytest.mark.parametrize("byte", [0, 5, 12, 20, 30, 40, 98])
def test_a_changed_tombstone(log, byte: int) -> None:
    log.expire(2, 3, 5)
    raw = bytearray(log.rows[3].tombstone)
    raw[byte] ^= 1
    log.rows[3] = replace(log.rows[3], tombstone=bytes(raw))
    first, reason = log.found()
    assert (first in (2, 3), reason) == (True, FALSE_TOMBSTONE)


def test_a_tombstone_of_another_key(log) -> None:
    ours, log.seed = log.seed, Seed(bytes(32))
    log.expire(2, 3)
    log.seed = ours
    assert log.found() == (2, FALSE_TOMBSTONE)


def test_a_tombstone_that_is_none(log) -> None:
    log.rows[4] = replace(log.rows[4], salt=None, body=None, tombstone=b"gone")
    assert log.found() == (4, FALSE_TOMBSTONE)


def test_many_open_batches_stay_bounded(log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OPEN_BATCHES", 3)
    for index in range(8):
        log.expire(index, 19 - index)
    first, reason = log.found()
    assert (first, reason) == (3, FALSE_TOMBSTONE)


def test_a_changed_checkpoint(log) -> None:
    row = log.checkpoints[1]
    log.checkpoints[1] = replace(row, note=row.note.replace("\n20\n", "\n21\n"))
    assert log.found() == (10, CHECKPOINT_CHANGED)
    log.checkpoints[1] = replace(row, size=15)
    assert log.found() == (10, CHECKPOINT_CHANGED)
    log.checkpoints[1] = replace(row, note="")
    assert log.found() == (10, CHECKPOINT_CHANGED)
    log.checkpoints[1] = replace(row, size=99)
    assert log.found() == (10, CHECKPOINT_CHANGED)


def test_a_checkpoint_of_another_key(log) -> None:
    note = sign_checkpoint(Checkpoint(30, log.tree().root()), log.origin, Seed(bytes(32)))
    log.checkpoints.append(CheckpointRow(30, note, log.checkpoints[0].at))
    assert log.found() == (20, CHECKPOINT_CHANGED)


def test_no_checkpoint_at_all(log) -> None:
    log.checkpoints.clear()
    assert log.found() == (0, NEVER_SIGNED)


def test_a_long_unsigned_tail_is_told(new_log) -> None:
    log = new_log()
    log.write(10)
    log.sign()
    log.write(15 * 60 + 1)
    assert log.verdict().ok
    assert log.verdict().unsigned == 901
    log.write(1)
    assert log.found() == (10, UNSIGNED_LONG)


def test_the_order_of_checkpoints_does_not_matter(log) -> None:
    log.checkpoints += log.checkpoints[:1]
    log.checkpoints.reverse()
    assert log.verdict().ok


def test_what_a_kept_checkpoint_adds(log) -> None:
    kept = log.sign()
    assert log.verdict(kept).ok
    rewrite(log, 3)
    log.checkpoints.clear()
    log.sign()  # by somebody who has the key
    assert log.verdict().ok
    assert log.found(kept) == (0, KEPT_DIFFERS)


def test_a_log_cut_back_with_its_checkpoints(log) -> None:
    kept = log.checkpoints[1].note
    del log.rows[10:]
    del log.checkpoints[1:]
    assert log.verdict().ok, "nothing inside the vault can tell"
    assert log.found(kept) == (10, CUT)


def test_a_kept_checkpoint_of_another_key(log) -> None:
    other = sign_checkpoint(Checkpoint(20, bytes(32)), log.origin, Seed(bytes(32)))
    assert log.found(other) == (0, KEPT_OTHER_KEY)
    elsewhere = sign_checkpoint(Checkpoint(20, bytes(32)), "serment/other", log.seed)
    assert log.found(elsewhere) == (0, KEPT_OTHER_KEY)


def test_a_kept_text_that_is_no_checkpoint(log) -> None:
    with pytest.raises(FormatError):
        log.verdict("kept safe")


def test_what_is_not_signed_can_still_be_rewritten(log) -> None:
    """The honest limit: until the next checkpoint, within the minute."""
    log.write(1, EventKind.SERVER_STARTED)
    rewrite(log, 25)
    assert log.verdict() == Verdict(31, True, 0, None, "", 11, 2)
