"""Leaves, checkpoints, tombstones, retention."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from serment.core.crypto.secret import Seed
from serment.core.crypto.signing import sign_note, verify_key
from serment.core.journal import retention
from serment.core.journal.checkpoints import (
    Checkpoint,
    open_checkpoint,
    origin,
    sign_checkpoint,
)
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.log import (
    SALT_BYTES,
    entry_of,
    glance_at,
    is_what_was_written,
    leaf,
    new_salt,
    parse_entry,
    written_at,
)
from serment.core.journal.retention import expired_before, expires
from serment.core.journal.tombstones import parse_tombstone
from serment.errors import FormatError, IntegrityError, UsageError

SEED = Seed(bytes(range(32)))
KEY = verify_key(SEED)
LOG = origin("0123456789abcdef")
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def test_a_leaf_is_the_hash_of_zero_salt_and_entry() -> None:
    assert leaf(b"salt", b"entry") == hashlib.sha256(b"\x00saltentry").digest()


def test_salts_are_long_and_new() -> None:
    assert len({new_salt() for _ in range(100)}) == 100
    assert len(new_salt()) == SALT_BYTES == 32


def test_the_border_between_salt_and_entry_cannot_be_moved() -> None:
    salt, body = new_salt(), b'{"actor":"a"}'
    whole = LoggedEntry(0, leaf(salt, body), salt, body)
    assert is_what_was_written(whole)
    for at in (0, 16, 31, 33):
        joined = salt + body
        assert not is_what_was_written(LoggedEntry(0, whole.leaf, joined[:at], joined[at:]))


def test_an_entry_reads_back() -> None:
    entry = Entry(EventKind.READ, NOW, "é", {"objects": ["a"], "tls": True, "count": 3})
    assert parse_entry(entry.encode()) == entry
    row = LoggedEntry(0, b"", b"", entry.encode())
    assert entry_of(row) == entry
    assert entry_of(LoggedEntry(0, b"", None, None, b"x")) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        b'{"actor":"a","at":"2026-11-20T08:00:00","details":{},"kind":"read"}',
        b'{"actor":"a","at":"yesterday","details":{},"kind":"read"}',
        b'{"actor":"a","at":"2026-11-20T08:00:00+00:00","details":{},"kind":"of-the-future"}',
        b'{"actor":"a","at":"2026-11-20T08:00:00+00:00","details":7,"kind":"read"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_entry(body: bytes) -> None:
    with pytest.raises(FormatError):
        parse_entry(body)


def test_a_checkpoint_reads_back() -> None:
    checkpoint = Checkpoint(1234, bytes(range(32)))
    note = sign_checkpoint(checkpoint, LOG, SEED)
    root = base64.b64encode(checkpoint.root).decode()
    assert note.startswith(f"serment/0123456789abcdef\n1234\n{root}\n\n\u2014 {LOG} ")
    assert open_checkpoint(note, LOG, KEY) == checkpoint


def test_a_checkpoint_of_another_log_or_key() -> None:
    note = sign_checkpoint(Checkpoint(1, bytes(32)), LOG, SEED)
    with pytest.raises(IntegrityError):
        open_checkpoint(note, LOG, verify_key(Seed(bytes(32))))
    with pytest.raises(IntegrityError):
        open_checkpoint(note, origin("other"), KEY)
    other = sign_note(f"serment/other\n1\n{base64.b64encode(bytes(32)).decode()}\n", LOG, SEED)
    with pytest.raises(IntegrityError):
        open_checkpoint(other, LOG, KEY)


@pytest.mark.parametrize(
    "text",
    [
        "{log}\n",
        "{log}\n1\n",
        "{log}\n01\n{root}\n",
        "{log}\n-1\n{root}\n",
        "{log}\n1\nAAAA\n",
        "{log}\n1\n*\n",
        "{log}\n" + "9" * 30 + "\n{root}\n",
    ],
)
def test_signed_text_that_is_no_checkpoint(text: str) -> None:
    root = base64.b64encode(bytes(32)).decode()
    with pytest.raises(FormatError):
        open_checkpoint(sign_note(text.format(log=LOG, root=root), LOG, SEED), LOG, KEY)


def test_what_is_no_tombstone(log) -> None:
    log.expire(3, 4, 7)
    raw = log.rows[3].tombstone
    parsed = parse_tombstone(raw)
    assert (parsed.first, parsed.last, parsed.count) == (3, 7, 3)
    assert parsed.encode() == raw
    for broken in (
        b"",
        raw[:-1],
        raw + b"x",
        b"\x02" + raw[1:],
        raw[:1] + b"2027-13-01" + raw[11:],
    ):
        with pytest.raises(FormatError):
            parse_tombstone(broken)


def test_calendar_months() -> None:
    assert expired_before(NOW) == datetime(2025, 11, 20, 8, 0, tzinfo=UTC)
    assert expired_before(NOW, 11) == datetime(2025, 12, 20, 8, 0, tzinfo=UTC)
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    assert expired_before(leap) == datetime(2027, 2, 28, tzinfo=UTC)
    assert expired_before(datetime(2026, 8, 31, tzinfo=UTC), 6) == datetime(2026, 2, 28, tzinfo=UTC)
    for months in (0, 5, 37, -1):
        with pytest.raises(UsageError, match=str(months)):
            expired_before(NOW, months)


def test_accesses_expire_and_the_history_of_keys_stays() -> None:
    assert {kind for kind in EventKind if expires(Entry(kind, NOW, "a"))} == retention.ACCESSES
    for kind in EventKind:
        for name in ("wraps_made", "wraps_deleted"):
            telling = Entry(kind, NOW, "a", {name: [["patient-identity", "p", "circle:dpo", 1]]})
            assert not expires(telling)


def test_times_of_other_zones_are_kept_as_instants() -> None:
    paris = NOW.astimezone(timezone(timedelta(hours=1)))
    assert parse_entry(Entry(EventKind.READ, paris, "a").encode()).at == NOW


HOSTILE = ('a","at":"b', "a\\", 'x","kind":"read"}', "né", '"', "")


@pytest.mark.parametrize("actor", HOSTILE)
@pytest.mark.parametrize("value", HOSTILE)
def test_a_glance_sees_what_the_entry_says(actor: str, value: str) -> None:
    entry = Entry(EventKind.SEARCHED, NOW, actor, {"kind": value, value: [value], "zz": 1})
    glance = glance_at(entry.encode())
    assert glance is not None
    assert glance.kind == entry.kind.value.encode()
    assert glance.at == written_at(entry.at)
    assert json.loads(b'"%s"' % glance.actor) == actor


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"at":"x","kind":"read"}', b'{"actor":"a","at":"b","kind":"c"', b"\xff"]
)
def test_what_is_not_laid_out_so_gets_no_glance(body: bytes) -> None:
    assert glance_at(body) is None
