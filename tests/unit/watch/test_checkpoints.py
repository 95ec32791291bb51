"""Signing, checking, exporting and expiring the log of a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from serment.adapters.memory.clock import MemoryClock
from serment.app.watch.checkpoints import TAKEN, Checkpoints, newest, take
from serment.app.watch.expiry import expire, keep_for, months_kept
from serment.app.watch.verification import export_lines, verify_journal, verify_lines
from serment.core.crypto.secret import Seed
from serment.core.crypto.signing import verify_key
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.log import entry_of, leaf
from serment.core.journal.verify import (
    CHANGED,
    CUT,
    NEVER_SIGNED,
    REWRITTEN,
    TREE_CHANGED,
    Verdict,
)
from serment.core.records.vault import Member, MemberState, Role, Setting
from serment.errors import (
    AccessDenied,
    FormatError,
    IntegrityError,
    NotFound,
    Unavailable,
    UsageError,
)

VAULT = "0123456789abcdef"


@pytest.fixture
def signer(store, clock, key) -> Checkpoints:
    return Checkpoints(store, clock, key, VAULT, founding=True)


@pytest.fixture
def write(store, clock):
    def written(count: int = 1, kind: EventKind = EventKind.READ, **details: object) -> None:
        for _ in range(count):
            store.record(Entry(kind, clock.now(), "m", dict(details)))
            clock.advance(1)

    return written


def check(store, key, kept: str | None = None) -> Verdict:
    return verify_journal(store, VAULT, verify_key(key), kept)


def of_another(body: bytes) -> bytes:
    return body.replace(b'"m"', b'"x"')


def rewrite(store, index: int, change: Callable[[bytes], bytes] = of_another) -> None:
    """Another entry with a leaf of its own: what can be done without the key."""
    row = store._log[index]
    body = change(row.body)
    store._log[index] = LoggedEntry(index, leaf(row.salt, body), row.salt, body)


def regrow(store) -> None:
    """The tree's state that goes with the rows."""
    store._frontier.size, store._frontier.peaks = 0, []
    for row in store._log:
        store._frontier.append(row.leaf)


def test_only_changes_are_signed(store, signer, write, key) -> None:
    assert signer.sign_if_changed() is None
    write(3)
    assert signer.sign_if_changed().size == 3
    assert signer.sign_if_changed() is None
    write(2)
    assert signer.sign_if_changed().size == 5
    assert check(store, key) == Verdict(5, True, 0, None, "", 0, 2)
    assert newest(store).size == 5


def test_an_empty_store_has_no_checkpoint(store) -> None:
    assert newest(store) is None


def test_another_process_goes_on_where_the_first_ended(store, clock, key, signer, write) -> None:
    write(5)
    signer.sign_if_changed()
    again = Checkpoints(store, clock, key, VAULT)
    assert again.sign_if_changed() is None
    write(2)
    assert again.sign_if_changed().size == 7
    assert signer.sign_if_changed().size == 7
    assert check(store, key).ok


def forged(**changes: object) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        return json.dumps({**json.loads(body), "actor": "nobody", **changes}).encode()

    return change


FORGERIES = {
    "as it was": forged(),
    "at a future time": forged(at="2200-01-01T00:00:00+00:00"),
    "at no time": forged(at="then"),
    "of an unknown kind": forged(kind="x"),
    "no entry at all": lambda body: b"x",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_what_a_run_finds_unsigned_is_told_whatever_it_says(
    store, clock, key, signer, write, forgery
) -> None:
    """A crash leaves some, and whoever takes a checkpoint away may have rewritten them."""
    write(5)
    signer.sign_if_changed()
    write(3)
    rewrite(store, 5, forgery)
    regrow(store)
    Checkpoints(store, clock, key, VAULT).sign_if_changed()
    told = entry_of(list(store.journal())[-1])
    assert told.kind is EventKind.REPAIRED
    assert told.details == {"what": "unsigned-tail", "first": 5, "last": 7, "count": 3}
    assert check(store, key) == Verdict(9, True, 0, None, "", 0, 2, late=3)


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
@pytest.mark.parametrize("founding", [False, True])
def test_a_log_without_checkpoints_is_never_signed(
    store, clock, key, signer, write, forgery, founding
) -> None:
    """Else whoever takes the checkpoints away has the server sign what he made of the log."""
    write(5)
    signer.sign_if_changed()
    store._checkpoints.clear()
    rewrite(store, 0, forgery)
    regrow(store)
    for _ in range(2):
        again = Checkpoints(store, clock, key, VAULT, founding=founding)
        for _ in range(2):
            with pytest.raises(IntegrityError):
                again.sign_if_changed()
    assert newest(store) is None
    assert check(store, key).reason == NEVER_SIGNED


def test_an_emptied_log_is_never_signed(store, clock, key, write) -> None:
    again = Checkpoints(store, clock, key, VAULT)
    write(1, EventKind.SERVER_STARTED)
    with pytest.raises(IntegrityError):
        again.sign_if_changed()


def test_what_this_very_run_wrote_was_not_found_unsigned(
    store, clock, key, signer, write, written
) -> None:
    write(5)
    signer.sign_if_changed()
    again = Checkpoints(store, clock, key, VAULT)
    write(5)
    again.sign_if_changed()
    assert [entry.kind for entry in written()] == [EventKind.READ] * 10


def test_nothing_is_signed_before_it_is_told(store, clock, key, signer, write, monkeypatch) -> None:
    write(5)
    signer.sign_if_changed()
    write(3)
    again = Checkpoints(store, clock, key, VAULT)
    with monkeypatch.context() as full:
        full.setattr(store, "record", out_of_space)
        with pytest.raises(Unavailable):
            again.sign_if_changed()
    assert newest(store).size == 5
    again.sign_if_changed()
    assert check(store, key).late == 3


def out_of_space(entry: Entry) -> None:
    raise Unavailable("the disk is full")


def test_a_rewritten_log_is_never_signed(store, clock, key, signer, write) -> None:
    write(5)
    signer.sign_if_changed()
    write(2)
    rewrite(store, 1)
    for each in (Checkpoints(store, clock, key, VAULT), Checkpoints(store, clock, key, VAULT)):
        with pytest.raises(IntegrityError) as refused:
            each.sign_if_changed()
        assert "journal verify" in refused.value.advice
    assert len(store.checkpoints()) == 1
    assert check(store, key).reason == REWRITTEN


def test_a_log_rewritten_under_a_running_server_is_never_signed(store, signer, write) -> None:
    write(5)
    signer.sign_if_changed()
    write(2)
    rewrite(store, 6)
    with pytest.raises(IntegrityError):
        signer.sign_if_changed()


def test_a_log_cut_short_is_never_signed(store, clock, key, signer, write) -> None:
    write(5)
    signer.sign_if_changed()
    del store._log[3:]
    regrow(store)
    for each in (signer, Checkpoints(store, clock, key, VAULT)):
        with pytest.raises(IntegrityError):
            each.sign_if_changed()
    assert check(store, key).reason == CUT


def test_a_checkpoint_of_another_key_stops_signing(store, clock, key, signer, write) -> None:
    write(5)
    other = Seed(bytes(32))
    Checkpoints(store, clock, other, VAULT, found=0, founding=True).sign_if_changed()
    with pytest.raises(IntegrityError):
        signer.sign_if_changed()


def test_verification_compares_the_trees_state(store, key, signer, write) -> None:
    write(5)
    signer.sign_if_changed()
    write(1)
    store._frontier.peaks[-1] = bytes(32)
    assert check(store, key).reason == TREE_CHANGED


def test_verification_finds_an_edit(store, key, signer, write) -> None:
    write(5)
    kept = signer.sign_if_changed().note
    store._log[3] = replace(store._log[3], body=store._log[3].body.replace(b'"m"', b'"x"'))
    assert (check(store, key).first_bad, check(store, key, kept).reason) == (3, CHANGED)
    with pytest.raises(FormatError):
        check(store, key, "no checkpoint")


def test_an_export_can_be_checked_without_the_vault(store, clock, key, signer, write) -> None:
    write(3)
    signer.sign_if_changed()
    clock.advance(400 * 86400)
    write(1, EventKind.FILED, filed=[["e", "p"]])
    expire(store, clock, key, VAULT)
    kept = signer.sign_if_changed().note
    lines = list(export_lines(store, VAULT, verify_key(key)))
    assert json.loads(lines[0]) == {
        "serment-journal": 1,
        "origin": f"serment/{VAULT}",
        "public_key": verify_key(key).hex(),
        "entries": 5,
    }
    assert all("\n" not in line for line in lines)
    assert verify_lines(lines, VAULT, verify_key(key), kept) == check(store, key, kept)
    assert check(store, key, kept) == Verdict(5, True, 3, None, "", 0, 2)
    body = json.loads(lines[-1])["body"]
    assert json.loads(body)["kind"] == "expired"
    tampered = [line.replace('\\"e\\"', '\\"f\\"') for line in lines]
    assert tampered != lines
    assert verify_lines(tampered, VAULT, verify_key(key), kept).first_bad == 3
    assert verify_lines(lines[:-1], VAULT, verify_key(key), kept).reason == CUT


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ["[]"],
        ["{}"],
        ['{"serment-journal":2}'],
        ['{"serment-journal":1}', "x"],
        ['{"serment-journal":1}', '{"checkpoint":1}'],
        ['{"serment-journal":1}', '{"checkpoint":"a","size":1,"at":"then"}'],
        ['{"serment-journal":1}', '{"index":"0","leaf":""}'],
        ['{"serment-journal":1}', '{"index":0,"leaf":"xyz"}'],
        ['{"serment-journal":1}', '{"index":0,"leaf":"","salt":7}'],
        ['{"serment-journal":1}', '{"index":0,"leaf":"","body":7}'],
    ],
)
def test_other_lines_are_refused(lines: list[str], key) -> None:
    with pytest.raises(FormatError):
        verify_lines(lines, VAULT, verify_key(key))


def test_accesses_expire_after_twelve_months(store, clock, key, signer, write, written) -> None:
    write(2, EventKind.READ)
    write(1, EventKind.RECEPTION_OPENED)
    write(1, EventKind.SEARCHED)
    signer.sign_if_changed()
    clock.advance(timedelta(days=365).total_seconds())
    write(1, EventKind.READ)
    assert expire(store, clock, key, VAULT) == 3
    kinds = [entry.kind for entry in written()]
    assert kinds == [EventKind.RECEPTION_OPENED, EventKind.READ, EventKind.EXPIRED]
    assert written()[-1].details == {
        "count": 3,
        "first": 0,
        "last": 3,
        "before": "2026-01-05T08:00:05+00:00",
    }
    signer.sign_if_changed()
    assert check(store, key) == Verdict(6, True, 3, None, "", 0, 2)
    assert expire(store, clock, key, VAULT) == 0


def test_nothing_of_an_expired_entry_is_left(store, clock, key, write) -> None:
    write(1, EventKind.READ, objects=["telling-object"])
    clock.advance(400 * 86400)
    expire(store, clock, key, VAULT)
    row = next(iter(store.journal()))
    assert (row.salt, row.body) == (None, None)
    assert b"telling-object" not in row.tombstone + row.leaf


def test_expiry_goes_on_window_by_window(store, clock, key, signer, write, monkeypatch) -> None:
    from serment.app.watch import expiry

    monkeypatch.setattr(expiry, "AT_ONCE", 7)
    write(30, EventKind.READ)
    write(5, EventKind.FILED)
    signer.sign_if_changed()
    clock.advance(400 * 86400)
    write(20, EventKind.READ)
    assert expire(store, clock, key, VAULT) == 30
    signer.sign_if_changed()
    assert check(store, key).expired == 30
    clock.advance(400 * 86400)
    assert expire(store, clock, key, VAULT) == 20
    signer.sign_if_changed()
    assert check(store, key) == Verdict(55 + 5 + 3, True, 50, None, "", 0, 3)


def somebody(*roles: Role) -> Member:
    return Member("m", "dpo", roles, (), b"", MemberState.ACTIVE, MemoryClock().now())


@pytest.mark.parametrize("months", [-1, 0, 1, 5, 37, 1200])
def test_the_retention_is_bounded(store, clock, months) -> None:
    with pytest.raises(UsageError):
        keep_for(store, clock, somebody(Role.DPO), months)
    assert (months_kept(store), store.journal_size()) == (12, 0)


@pytest.mark.parametrize("roles", [(Role.DOCTOR,), (Role.SECRETARY,), ()])
def test_only_those_who_watch_the_journal_choose_its_retention(store, clock, roles) -> None:
    with pytest.raises(AccessDenied):
        keep_for(store, clock, somebody(*roles), 24)
    assert (months_kept(store), store.journal_size()) == (12, 0)


@pytest.mark.parametrize(("months", "expired"), [(6, 3), (12, 2), (24, 1), (36, 0)])
def test_accesses_expire_when_the_practice_chose(
    store, clock, key, write, written, months, expired
) -> None:
    for days in (400, 400, 200):  # 1000, 600 and 200 days ago in the end
        write(1, EventKind.READ)
        clock.advance(days * 86400)
    keep_for(store, clock, somebody(Role.ADMINISTRATOR), months)
    (chosen,) = [entry for entry in written() if entry.kind is EventKind.RETENTION_CHANGED]
    assert (chosen.actor, chosen.details["count"], chosen.details["before"]) == ("m", months, 12)
    assert months_kept(store) == months
    assert expire(store, clock, key, VAULT) == expired


@pytest.mark.parametrize(("value", "months"), [(b"x", 12), (b"1", 6), (b"900", 36)])
def test_a_retention_that_nobody_chose_here_stays_within_its_bounds(store, value, months) -> None:
    with store.change(Entry(EventKind.REPAIRED, MemoryClock().now(), "x")) as tx:
        tx.put(Setting("journal-months", value))
    assert months_kept(store) == months


def test_a_checkpoint_handed_out_is_journalled(store, clock, signer, write, written) -> None:
    with pytest.raises(NotFound):
        take(store, clock, "m")
    write(2)
    signer.sign_if_changed()
    assert take(store, clock, "m") == newest(store)
    assert (written()[-1].kind, written()[-1].actor) == (EventKind.CHECKPOINT_TAKEN, "m")
    assert store.get(Setting, TAKEN).value == clock.now().isoformat().encode()
