"""Where an act comes from is added to what it writes, and to nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Thread

from serment.adapters.memory.store import MemoryStore
from serment.core.journal.caller import on_this_machine, within
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of

HERE = {"peer": "local", "local": "local", "tls": False}


def entry(**details: object) -> Entry:
    return Entry(EventKind.FILED, datetime(2026, 1, 1, tzinfo=UTC), "m", dict(details))


def last(store: MemoryStore) -> dict[str, object]:
    found = entry_of(list(store.journal())[-1])
    assert found is not None
    return found.details


def test_what_is_written_in_a_session_names_it() -> None:
    store = MemoryStore()
    with on_this_machine():
        with within("s"):
            store.record(entry(patient="p"))
            assert last(store) == {"patient": "p", "session": "s"}
            with store.change(entry()):
                pass
            assert last(store)["session"] == "s"
        store.record(entry())
        assert last(store) == HERE
    store.record(entry())
    assert last(store) == {}


def test_what_says_where_it_comes_from_is_left_as_it_is() -> None:
    store = MemoryStore()
    with within("s"):
        store.record(entry(peer="192.0.2.7"))
        assert last(store) == {"peer": "192.0.2.7"}
        store.record(entry(session="t"))
        assert last(store) == {"session": "t"}


def test_another_thread_is_in_no_session() -> None:
    store = MemoryStore()
    with within("s"):
        other = Thread(target=store.record, args=[entry()])
        other.start()
        other.join()
    assert last(store) == {}


def test_after_a_failure_nothing_is_in_that_session() -> None:
    store = MemoryStore()
    try:
        with within("s"):
            raise RuntimeError
    except RuntimeError:
        store.record(entry())
    assert last(store) == {}
