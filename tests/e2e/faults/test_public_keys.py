"""Each public key in the database, exchanged for a stranger's in turn: what is received for that circle
stops at the next opening, it is journalled and shown, and nothing more becomes readable to him.

Which keys there are is asked of the database; a new one without its test fails here.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.faults.test_every_column import columns
from tests.e2e.oath.aftermath import complaints
from tests.e2e.oath.client import Client
from tests.e2e.oath.premises import Premises, ask
from tests.e2e.oath.sender import SUCCESS, Association, Sender
from tests.e2e.oath.test_swaps import Kept, Thief, read
from tests.e2e.readable import check_nothing_readable
from tests.e2e.serving import serving

from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.errors import SermentError

# (circle, epoch): what is sent to, after that key was exchanged; "" where it goes on being received
CIRCLES = {
    ("care", 2): "care",
    ("secretariat", 2): "care",
    ("chirurgie", 1): "chirurgie",
    ("recovery", 1): "care",
    ("dpo", 1): "",
    ("care", 1): "care",  # the present epoch follows from it
    ("secretariat", 1): "care",
}
SETTINGS = {"journal-public-key", "appointing-public-key"}
PATIENCE_SECONDS = 20
LOGINS = ("docteur", "chirurgien", "secretaire", "dpo")


@pytest.fixture(scope="module")
def whole(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Everybody has seen the keys as they are; a doctor left, so that there are second epochs."""
    kept = Kept(founded.copy(tmp_path_factory.mktemp("keys")))
    kept.send(1, 1)
    kept.open("docteur")
    with kept.premises.desk() as desk:
        ask(desk, "member add", "docteur", login="confrere", roles=["doctor"])
    with kept.premises.desk() as desk:
        ask(desk, "member remove", "admin", login="confrere")
    kept.open(*LOGINS)
    return kept


@pytest.fixture
def kept(whole: Kept, tmp_path: Path) -> Iterator[Kept]:
    """A copy; whatever is exchanged in it, nothing in it can be read afterwards."""
    kept = Kept(whole.premises.copy(tmp_path), dict(whole.sent), dict(whole.owner))
    yield kept
    check_nothing_readable(kept.premises.root, kept.sent.values())


def exchange(kept: Kept, table: str, column: str, where: str, *values: object) -> Thief:
    thief = Thief()
    with kept.rows() as database:
        (old,) = database.execute(f"SELECT {column} FROM {table} WHERE {where}", values).fetchone()
        sql = f"UPDATE {table} SET {column} = ? WHERE {where}"
        database.execute(sql, (thief.public[: len(old)], *values))
    return thief


def open_all(kept: Kept) -> list[SermentError]:
    """Everybody signs in, one after the other; who is refused, and why."""
    refusals = []
    for login in LOGINS:
        try:
            kept.open(login)
        except SermentError as refusal:
            refusals.append(refusal)
    return refusals


def stopped(kept: Kept) -> set[str]:
    """Circles that the journal says were stopped."""
    with kept.premises.desk() as desk:
        entries = [e for row in desk.house.store.journal() if (e := entry_of(row)) is not None]
    return {e.details["circle"] for e in entries if e.kind is EventKind.CIRCLE_STOPPED}


def named(kept: Kept) -> Iterator[str]:
    for finding in complaints(kept.premises):
        yield from map(str, finding["values"].values())


def test_every_public_key_has_its_test(kept: Kept) -> None:
    keys = {(table, column) for table, column in columns() if "key" in column and column != "key"}
    assert keys == {("member", "public_key"), ("circle", "public_key"), ("envelope", "public_key")}
    with closing(sqlite3.connect(kept.database)) as database:
        circles = database.execute("SELECT id, epoch FROM circle").fetchall()
        names = {name for (name,) in database.execute("SELECT key FROM setting")}
    assert set(circles) == CIRCLES.keys()
    assert {name for name in names if name.endswith("-public-key")} == SETTINGS
    assert list(named(kept)) == []


@pytest.mark.parametrize(("circle", "epoch"), CIRCLES)
def test_a_circle(kept: Kept, circle: str, epoch: int) -> None:
    before, to = dict(kept.sent), CIRCLES[circle, epoch]
    thief = exchange(kept, "circle", "public_key", "id = ? AND epoch = ?", circle, epoch)
    assert f"{circle}/{epoch}" in named(kept)  # the row is not what the journal tells of
    refusals = open_all(kept)
    assert all(refusal.advice for refusal in refusals)
    then = thief.loot(kept).opened
    if to:
        assert stopped(kept) == {circle}
        assert circle in named(kept)  # and that receiving is stopped
        with pytest.raises(SermentError, match="changed"):
            kept.send(2, 4, to)
    else:
        kept.send(2, 4)
    open_all(kept)
    assert thief.loot(kept).opened == then == {}
    if circle != "recovery":  # with another recovery key nobody opens anything
        found = read(kept)
        assert {uid: found.files[uid] for uid in before} == before


@pytest.mark.parametrize(("circle", "epoch"), [("care", 2), ("secretariat", 2), ("recovery", 1)])
def test_an_association_under_way(kept: Kept, circle: str, epoch: int) -> None:
    """It began when the stranger's key stood there, and has an envelope that opens for him: soon
    after somebody opened, nothing more is acknowledged into it."""
    exchange(kept, "circle", "public_key", "id = ? AND epoch = ?", circle, epoch)
    with serving(kept.premises.vault) as server:
        sender = Sender(lambda: int(server.dicom_port), 300)
        with Association(int(server.dicom_port)) as peer:
            assert sender.one(peer) == SUCCESS
            kept.premises.vault.run("unlock", "--as", "docteur", code=None)
            end = time.monotonic() + PATIENCE_SECONDS
            while sender.one(peer) == SUCCESS:
                assert time.monotonic() < end
            acknowledged = len(sender.acknowledged)
            for _ in range(3):
                assert sender.one(peer) != SUCCESS
            peer.release()
    assert stopped(kept) == {circle}
    with closing(sqlite3.connect(kept.database)) as database:
        (rows,) = database.execute("SELECT count(*) FROM stored_object").fetchone()
    assert rows == len(kept.sent) + acknowledged


def test_it_is_on_the_home_page_and_in_the_status(kept: Kept) -> None:
    exchange(kept, "circle", "public_key", "id = ? AND epoch = ?", "care", 2)
    with serving(kept.premises.vault) as server:
        doctor = Client(server).sign_in("docteur")
        assert "1 cercle a cessé de recevoir" in doctor.get("/").body.decode()
        status = kept.premises.vault.json("status")["care_circles"]
        assert {each["name"]: each["stopped"] for each in status} == {
            "care": True,
            "chirurgie": False,
        }


@pytest.mark.parametrize("login", ["admin", *LOGINS])
def test_a_member(kept: Kept, login: str) -> None:
    """He is refused himself; the others go on, and the stranger gets nothing."""
    thief = exchange(kept, "member", "public_key", "login = ?", login)
    refusals = open_all(kept)
    assert len(refusals) == (login != "admin")
    with closing(sqlite3.connect(kept.database)) as database:
        (his,) = database.execute("SELECT id FROM member WHERE login = ?", (login,)).fetchone()
    assert his in named(kept)
    kept.send(2, 4)
    open_all(kept)
    assert thief.loot(kept).opened == {}


def test_an_envelope(kept: Kept) -> None:
    """What it had received was sealed to the right one, and opens."""
    with closing(sqlite3.connect(kept.database)) as database:
        (envelope,) = database.execute("SELECT id FROM envelope").fetchone()
    thief = exchange(kept, "envelope", "public_key", "id = ?", envelope)
    assert envelope in named(kept)
    assert open_all(kept) == []
    assert thief.loot(kept).opened == {}
    found = read(kept)
    assert all(kept.sent[uid] == data for uid, data in found.files.items())


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_setting(kept: Kept, name: str) -> None:
    """The journal's key, and the one that verifies appointments."""
    exchange(kept, "setting", "value", "key = ?", name)
    assert name in named(kept)
    refusals = open_all(kept)
    if name == "appointing-public-key":
        assert len(refusals) == len(LOGINS)
        assert all("not those this member knows" in str(refusal) for refusal in refusals)
        with pytest.raises(SermentError):
            kept.send(2, 4)
    else:
        with kept.premises.desk() as desk:
            assert ask(desk, "journal verify")["ok"] is False
