"""Whatever is done to them, the store in memory and the one on disk hold and journal the same."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from serment.adapters.memory.store import MemoryStore
from serment.adapters.sqlite import SqliteStore
from serment.core.crypto.merkle import root
from serment.core.journal.entries import CheckpointRow, Entry, EventKind
from serment.core.journal.log import is_what_was_written
from serment.core.records.rows import SHAPES
from serment.core.records.vault import (
    Circle,
    CircleKind,
    Compartment,
    Envelope,
    EnvelopeKind,
    IdentityHeader,
    Member,
    MemberState,
    ObjectState,
    Patient,
    Role,
    Setting,
    StoredObject,
    Wrap,
    WrapKind,
    WrapMethod,
)
from serment.ports import Store

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
FEW = st.sampled_from(["a", "b", "c"])
BLOB = st.binary(max_size=3)
MAYBE = st.one_of(st.none(), FEW)

OBJECTS = st.builds(
    StoredObject, FEW, FEW, FEW, st.just(64), st.integers(0, 3), BLOB, BLOB,
    st.sampled_from(ObjectState),
)  # fmt: skip
WRAPS = st.builds(
    Wrap, st.just(WrapKind.MEMBER_SEED), st.sampled_from("ab"), st.just("a"), st.just(0),
    st.sampled_from(WrapMethod), BLOB,
)  # fmt: skip
ROWS: st.SearchStrategy[Any] = st.one_of(
    st.builds(Setting, FEW, BLOB),
    st.builds(
        Member, FEW, FEW, st.lists(st.sampled_from(Role), max_size=2).map(tuple),
        st.lists(FEW, max_size=2).map(tuple), BLOB, st.sampled_from(MemberState),
        st.datetimes(timezones=st.just(UTC)), st.one_of(st.none(), BLOB),
    ),
    st.builds(
        Circle, FEW, st.sampled_from(CircleKind), st.integers(1, 2), BLOB, st.just(NOW),
        st.booleans(), st.booleans(),
    ),
    WRAPS,
    st.builds(Patient, FEW, BLOB, st.just(NOW)),
    st.builds(Compartment, FEW, FEW, FEW),
    st.builds(
        Envelope, FEW, st.sampled_from(EnvelopeKind), FEW, MAYBE, FEW, st.just(NOW), BLOB,
        MAYBE, MAYBE, MAYBE, st.booleans(), st.one_of(st.none(), BLOB),
    ),
    st.builds(IdentityHeader, FEW, st.integers(0, 1), BLOB),
    OBJECTS,
)  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(["put", "add", "delete"]), ROWS), max_size=6)


class Stores(RuleBasedStateMachine):
    """The same calls on both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.memory = MemoryStore()
        self.disk = SqliteStore(self.folder / "vault.sqlite3", self.folder / "keys.copy")

    def both(self, work: Callable[[Store], Any]) -> Any:
        outcomes = [outcome(work, self.memory), outcome(work, self.disk)]
        assert outcomes[0] == outcomes[1]
        return outcomes[0]

    @rule(steps=STEPS, number=st.integers(0, 9))
    def change_anything(self, steps: list[tuple[str, Any]], number: int) -> None:
        self.change(steps, number)

    def change(self, steps: list[tuple[str, Any]], number: int) -> None:
        def work(store: Store) -> list[Any]:
            with store.change(Entry(EventKind.FILED, NOW, "m")) as tx:
                tx.note(number=number)
                for step, row in steps:
                    getattr(tx, step)(row)
                return [tx.find(kind) for kind in SHAPES]

        self.both(work)

    @rule(steps=st.lists(st.tuples(st.sampled_from(["put", "delete"]), WRAPS), max_size=5))
    def change_wraps(self, steps: list[tuple[str, Any]]) -> None:
        self.change(steps, 0)

    @rule()
    def record(self) -> None:
        self.both(lambda store: store.record(Entry(EventKind.READ, NOW, "m")))

    @rule(objects=st.lists(OBJECTS, max_size=3))
    def add_objects(self, objects: list[StoredObject]) -> None:
        self.both(lambda store: store.add_objects(objects))

    @rule(size=st.integers(0, 3))
    def add_checkpoint(self, size: int) -> None:
        self.both(lambda store: store.add_checkpoint(CheckpointRow(size, "note", NOW)))

    @rule(indices=st.lists(st.integers(0, 5), max_size=3))
    def expire(self, indices: list[int]) -> None:
        stones = [bytes([index]) for index in indices]
        gone = Entry(EventKind.EXPIRED, NOW, "worker")
        self.both(lambda store: store.expire(indices, stones, gone))

    @rule(where=st.dictionaries(st.sampled_from(["kind", "subject", "recipient"]), FEW))
    def find_wraps(self, where: dict[str, str]) -> None:
        where = {**where, "kind": WrapKind.MEMBER_SEED} if "kind" in where else where
        self.both(lambda store: (store.find(Wrap, **where), store.count(Wrap, **where)))

    @rule(patient=MAYBE, closed=st.booleans())
    def find_envelopes(self, patient: str | None, closed: bool) -> None:
        self.both(lambda store: store.find(Envelope, patient=patient, closed=closed))

    @rule()
    def copy_keys(self) -> None:
        self.both(lambda store: store.copy_keys())

    @invariant()
    def hold_the_same(self) -> None:
        self.both(lambda store: [store.find(kind) for kind in SHAPES])
        self.both(lambda store: [row for _, row in store.objects_after(0, 100)])
        self.both(lambda store: store.checkpoints())

    @invariant()
    def journal_the_same(self) -> None:
        self.both(lambda store: [(one.index, one.body, one.tombstone) for one in store.journal()])
        for store in (self.memory, self.disk):
            logged = list(store.journal())
            assert store.journal_size() == len(logged)
            assert store.journal_tree().root() == root(one.leaf for one in logged)
            assert all(one.tombstone is not None or is_what_was_written(one) for one in logged)

    @invariant()
    def journal_every_wrap(self) -> None:
        """The wraps there are follow from the journal alone, where nothing of it has expired."""
        wraps: set[tuple[object, ...]] = set()
        for one in self.memory.journal():
            if one.body is None:
                return
            details = json.loads(one.body)["details"]
            wraps -= {tuple(wrap) for wrap in details.get("wraps_deleted", [])}
            wraps |= {tuple(wrap) for wrap in details.get("wraps_made", [])}
        held = {(w.kind.value, w.subject, w.recipient, w.epoch) for w in self.disk.find(Wrap)}
        assert wraps == held

    def teardown(self) -> None:
        assert self.disk.check() == []
        self.disk.close()
        shutil.rmtree(self.folder)


def outcome(work: Callable[[Store], Any], store: Store) -> Any:
    """What the call returns, or the type of error it raises."""
    try:
        return work(store)
    except Exception as error:  # noqa: BLE001 - both must fail in the same way
        return type(error)


TestStores = Stores.TestCase
TestStores.settings = settings(
    settings.get_profile("steady"), max_examples=40, stateful_step_count=20
)
