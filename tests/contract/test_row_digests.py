"""Every store puts the digest of each row it leaves into the journal entry, and computes the same ones
from what it keeps.
"""

from __future__ import annotations

import threading
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from tests.contract.test_store import NOW, ONE_OF_EACH, entry, last_details, wrap

from serment.core.records.rows import SHAPES, digest, to_micros
from serment.core.records.vault import Circle, CircleKind, Member, Setting
from serment.ports import Store


def digests(store: Store) -> dict[str, str]:
    """Every row as the store has it now: table and name -> digest."""
    kinds = {shape.table: kind for kind, shape in SHAPES.items()}
    return {
        f"{table} {name}": found
        for table, kind in kinds.items()
        for name, found in store.row_digests(kind)
    }


def test_an_entry_has_the_digest_of_each_row_it_leaves(store: Store) -> None:
    circle = Circle("care", CircleKind.CARE, 2, b"k", NOW)
    with store.change(entry()) as tx:
        tx.add(circle)
        tx.put(Setting("a/b", b"first"))
        tx.put(Setting("a/b", b"1"))
        tx.add(wrap())
        tx.put(wrap(recipient="recovery", epoch=0))
    now = digests(store)
    assert last_details(store)["rows"] == {
        "circle": {"care/2": digest(circle)},
        "setting": {"a/b": digest(Setting("a/b", b"1"))},
        "wrap": [digest(wrap()), digest(wrap(recipient="recovery", epoch=0))],
    }
    assert now == {
        "circle care/2": digest(circle),
        "setting a/b": digest(Setting("a/b", b"1")),
        "wrap envelope-seed/envelope:e1/circle:care/1": digest(wrap()),
        "wrap envelope-seed/envelope:e1/recovery/0": digest(wrap(recipient="recovery", epoch=0)),
    }
    assert [len(each) for each in now.values()] == [43] * 4  # SHA-256, base64url


def test_an_entry_says_which_rows_it_deleted(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
        tx.put(wrap())
    with store.change(entry()) as tx:
        tx.delete(Setting("a", b""))
        tx.delete(wrap())
        tx.delete(Setting("never", b""))
        tx.put(Setting("short", b"1"))
        tx.delete(Setting("short", b"1"))
    assert last_details(store) == {
        "rows": {"setting": {"a": None}},
        "wraps_deleted": [["envelope-seed", "envelope:e1", "circle:care", 1]],
    }
    with store.change(entry()) as tx:
        tx.add(Setting("a", b"2"))
        tx.delete(Setting("a", b"2"))
    assert last_details(store) == {}


def test_digests_are_of_every_column_and_kind_of_value(store: Store) -> None:
    """The same row in memory and in a database, and what a third party computes from its columns."""
    rows = ONE_OF_EACH
    with store.change(entry()) as tx:
        for row in rows:
            tx.put(row)
    assert sorted(digests(store).values()) == sorted(map(digest, rows))
    member = next(row for row in rows if isinstance(row, Member))
    columns = (
        *(b"t", member.id, b"t", member.login, b"t", '["doctor", "dpo"]', b"t", '["care", "dpo"]'),
        *(b"b", member.public_key, b"t", "active", b"i", str(to_micros(NOW)), b"n", ""),
    )
    raw = [each.encode() if isinstance(each, str) else each for each in columns]
    hashed = b"".join(
        k + len(v).to_bytes(8, "big") + v for k, v in zip(raw[::2], raw[1::2], strict=True)
    )
    assert digest(member) == urlsafe_b64encode(sha256(hashed).digest()).decode().rstrip("=")


def test_what_a_thread_reads_at_once_is_of_one_moment(store: Store) -> None:
    with store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
    before = digests(store)
    with store.at_once():
        assert digests(store) == before
        thread = threading.Thread(target=_put, args=(store, Setting("a", b"2")))
        thread.start()
        thread.join()
        assert (digests(store), len(list(store.journal()))) == (before, 1)
        assert store.get(Setting, "a") == Setting("a", b"1")
        with pytest.raises(RuntimeError):
            store.record(entry())
    assert (digests(store) == before, store.journal_size()) == (False, 2)
    _put(store, Setting("b", b"1"))


def _put(store: Store, row: Any) -> None:
    with store.change(entry()) as tx:
        tx.put(row)
