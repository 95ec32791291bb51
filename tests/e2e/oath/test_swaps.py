"""Whoever can write the database swaps rows, filings, wraps and public keys: he is found, or gains
nothing; never does somebody read one thing in the place of another.

The thief's own key is tried on the whole vault afterwards, as `thief.attack` tries the secretary's.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.oath.premises import SECRET, Premises, ask
from tests.e2e.oath.thief import CLINICAL_KINDS, Loot, attack, copy_of
from tests.e2e.readable import check_nothing_readable
from tests.e2e.serving import serving
from tests.practices import patient, report, study
from tests.sealing import seal_bytes

from serment.core.crypto.age import HybridRecipient
from serment.core.crypto.keys import new_seed, public_key
from serment.core.dicom.part10 import read_meta
from serment.entrypoints.desk.desk import Desk
from serment.errors import AccessDenied, IntegrityError, SermentError
from serment.ports import Matches

PEOPLE = {
    1: ("LEFÈVRE^Hélène", "19570401", "F"),
    2: ("PETIT^Luc", "19700203", "M"),
    3: ("GARÇON^Zoé", "19810506", "F"),  # comes later
}
TEXT = "Nodule imaginaire du segment fictif"


@dataclass
class Kept:
    """A vault with two patients, of each one study with two objects, filed and opened."""

    premises: Premises
    sent: dict[str, bytes] = field(default_factory=dict)  # SOP Instance UID -> file
    owner: dict[str, str] = field(default_factory=dict)  # SOP Instance UID -> name

    @property
    def database(self) -> Path:
        return self.premises.root / "vault.sqlite3"

    def send(self, number: int, exam: int, circle: str = "care") -> list[str]:
        """Two objects of a new examination of that patient; their UIDs."""
        of = study(patient(number, *PEOPLE[number]), exam)
        objects = {read_meta(d).sop_instance: d for d in (report(of, n, TEXT) for n in (1, 2))}
        self.sent |= objects
        self.owner |= dict.fromkeys(objects, PEOPLE[number][0])
        self.premises.receive(objects.values(), circle)
        return list(objects)

    def open(self, *logins: str) -> None:
        for login in logins:
            with self.premises.desk() as desk:
                ask(desk, "search", login, query="")

    @contextmanager
    def rows(self) -> Iterator[sqlite3.Connection]:
        """The database, without the snapshots: what they hold would only hide a change."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.row_factory = sqlite3.Row
            yield database
            database.execute("DELETE FROM snapshot")


@pytest.fixture(scope="module")
def whole(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    kept = Kept(founded.copy(tmp_path_factory.mktemp("swaps")))
    for number in (1, 2):
        kept.send(number, number)
    kept.open("docteur")
    return kept


@pytest.fixture
def kept(whole: Kept, tmp_path: Path) -> Iterator[Kept]:
    """A copy; whatever is exchanged in it, nothing in it can be read afterwards."""
    kept = Kept(whole.premises.copy(tmp_path), dict(whole.sent), dict(whole.owner))
    yield kept
    check_nothing_readable(kept.premises.root, kept.sent.values())


@dataclass
class Found:
    """What one member reads: files by UID, whose they are shown to be, every refusal."""

    files: dict[str, bytes] = field(default_factory=dict)
    shown: dict[str, set[str]] = field(default_factory=dict)  # name -> study UIDs
    patients: dict[str, set[str]] = field(default_factory=dict)  # record's name -> study UIDs
    refusals: list[SermentError] = field(default_factory=list)


def read(kept: Kept, login: str = "docteur") -> Found:
    found = Found()
    with kept.premises.desk() as desk:
        try:
            _read(desk, login, found)
        except SermentError as refusal:
            found.refusals.append(refusal)
    return found


def _read(desk: Desk, login: str, found: Found) -> None:
    for row in ask(desk, "search", login, query=""):
        found.shown.setdefault(row["PatientName"], set()).add(row["StudyInstanceUID"])
        try:
            record: dict[str, Any] = ask(desk, "show", login, id=row["Patient"])
        except SermentError as refusal:
            found.refusals.append(refusal)
        else:
            found.patients.setdefault(record["PatientName"], set()).update(record["Studies"])
    session = desk.practice.sign_in(login, SECRET, need_code=False)
    reading = desk.reading(session)
    for one in reading.instances(Matches()) if session.care else ():
        try:
            (reader,) = reading.open([one], "report")
            found.files[one.instance_uid] = reader.all()
        except SermentError as refusal:
            found.refusals.append(refusal)


def studies(kept: Kept) -> dict[str, set[str]]:
    """Whose studies are whose, as sent."""
    return {
        name: {study(patient(number, *PEOPLE[number]), number).uid}
        for number, (name, _, _) in PEOPLE.items()
        if number in (1, 2)
    }


def check_nothing_wrong(kept: Kept, found: Found) -> None:
    """Every file is the one of its UID, every study stands under the name it came with, and each
    refusal says the next step."""
    assert {uid: data for uid, data in found.files.items() if kept.sent.get(uid) != data} == {}
    right = studies(kept)
    for shown in (found.shown, found.patients):
        assert all(uids <= right[name] for name, uids in shown.items()), shown
    for refusal in found.refusals:
        assert isinstance(refusal, IntegrityError | AccessDenied), repr(refusal)
        assert refusal.advice


def test_left_alone_it_gives_everything_back(kept: Kept) -> None:
    found = read(kept)
    check_nothing_wrong(kept, found)
    assert found.files == kept.sent
    assert found.shown == found.patients == studies(kept)
    assert found.refusals == []


# Objects

PLACE = ("pack", "offset", "size")
BOUND = {
    "places": PLACE,
    "places and digests": (*PLACE, "sha256"),
    "places, digests and headers": (*PLACE, "sha256", "header"),
    "headers": ("header",),
    "envelopes": ("envelope",),
}


@pytest.mark.parametrize("columns", BOUND.values(), ids=BOUND)
@pytest.mark.parametrize("pair", [(0, 1), (0, 2)], ids=["of one study", "of two patients"])
def test_two_objects_exchanged(kept: Kept, columns: tuple[str, ...], pair: tuple[int, int]) -> None:
    """One object's file, or header, in the place of another's."""
    with kept.rows() as database:
        rows = database.execute("SELECT * FROM stored_object ORDER BY cursor").fetchall()
        one, other = rows[pair[0]], rows[pair[1]]
        values = ", ".join(f"{column} = ?" for column in columns)
        for row, source in ((one, other), (other, one)):
            given = [source[column] for column in columns]
            sql = f"UPDATE stored_object SET {values} WHERE cursor = ?"
            database.execute(sql, (*given, row["cursor"]))
    changes = one["envelope"] != other["envelope"] or columns != ("envelope",)
    found = read(kept)
    check_nothing_wrong(kept, found)
    assert len(found.files) == len(kept.sent) - (2 if changes else 0)


def test_a_file_made_by_a_stranger(kept: Kept) -> None:
    """Anyone with a public key can seal: his file stands in the pack, its digest in the row."""
    with kept.rows() as database:
        row = database.execute(
            "SELECT o.*, e.public_key FROM stored_object o JOIN envelope e ON e.id = o.envelope"
        ).fetchone()
        forged = seal_bytes(
            report(study(patient(1), 1), 1, "Faux"), HybridRecipient(row["public_key"])
        )
        path = kept.premises.root / "packs" / row["pack"][:2] / f"{row['pack']}.pack"
        offset = path.stat().st_size
        with path.open("ab") as file:
            file.write(forged)
        for digest in (row["sha256"], hashlib.sha256(forged).digest()):
            database.execute(
                "UPDATE stored_object SET offset = ?, size = ?, sha256 = ? WHERE cursor = ?",
                (offset, len(forged), digest, row["cursor"]),
            )
            database.commit()
            found = read(kept)
            check_nothing_wrong(kept, found)
            assert len(found.files) == len(kept.sent) - 1


# Filing


@pytest.mark.parametrize("wraps", [False, True], ids=["rows", "rows and wraps"])
def test_two_arrivals_filed_with_each_others_patient(kept: Kept, wraps: bool) -> None:
    """Images of one person must not stand in another's file."""
    with kept.rows() as database:
        one, other = database.execute("SELECT * FROM envelope ORDER BY arrived").fetchall()
        for row, source in ((one, other), (other, one)):
            database.execute(
                "UPDATE envelope SET patient = ?, compartment = ?, summary = ? WHERE id = ?",
                (source["patient"], source["compartment"], source["summary"], row["id"]),
            )
            if wraps:
                for kind, name, column in (
                    ("envelope-identity", "patient", "patient"),
                    ("envelope-seed", "compartment", "compartment"),
                ):
                    database.execute(
                        "UPDATE wrap SET recipient = ? WHERE kind = ? AND subject = ?",
                        (f"{name}:{source[column]}", kind, f"envelope:{row['id']}"),
                    )
    for login in ("docteur", "secretaire"):
        found = read(kept, login)
        check_nothing_wrong(kept, found)
        assert found.shown == {}
    with kept.premises.desk() as desk:
        desk.practice.sign_in("docteur", SECRET, need_code=False)
        assert desk.practice.tables["secretariat"].damaged == 2  # the home page says so


# Wraps

SWAPPED = {
    "patients' identity keys": "kind = 'patient-identity' AND recipient = 'circle:secretariat'",
    "patients' clinical keys": "kind = 'patient-clinical' AND recipient = 'circle:care'",
    "envelopes' seeds": "kind = 'envelope-seed'",
    "envelopes' header keys": "kind = 'envelope-identity'",
    "two circles": "kind = 'circle-seed' AND subject IN ('circle:care@1', 'circle:chirurgie@1') "
    "AND recipient LIKE 'member:%'",
    "two members": "kind = 'circle-seed' AND subject = 'circle:secretariat@1' "
    "AND recipient LIKE 'member:%'",
    "passwords": "kind = 'member-seed'",
}


@pytest.mark.parametrize("where", SWAPPED.values(), ids=SWAPPED)
def test_two_wraps_exchanged(kept: Kept, where: str) -> None:
    with kept.rows() as database:
        sql = f"SELECT rowid, blob FROM wrap WHERE {where} ORDER BY rowid LIMIT 2"
        one, other = database.execute(sql).fetchall()
        for row, source in ((one, other), (other, one)):
            set_blob = "UPDATE wrap SET blob = ? WHERE rowid = ?"
            database.execute(set_blob, (source["blob"], row["rowid"]))
    lost = 0
    for login in ("admin", "docteur", "chirurgien", "secretaire"):
        found = read(kept, login)
        check_nothing_wrong(kept, found)
        lost += bool(found.refusals) or (login == "docteur" and found.files != kept.sent)
    assert lost


def test_wraps_of_another_epoch_exchanged(kept: Kept) -> None:
    """After a removal the circle has two epochs; neither's seed passes for the other's."""
    _leave(kept)
    with kept.rows() as database:
        mine = "(SELECT 'member:' || id FROM member WHERE login = 'docteur')"
        sql = f"SELECT rowid, * FROM wrap WHERE kind = 'circle-seed' AND recipient = {mine}"
        rows = {row["subject"]: row for row in database.execute(sql)}
        one, other = rows["circle:care@1"], rows["circle:care@2"]
        for row, source in ((one, other), (other, one)):
            set_blob = "UPDATE wrap SET blob = ? WHERE rowid = ?"
            database.execute(set_blob, (source["blob"], row["rowid"]))
    found = read(kept)
    check_nothing_wrong(kept, found)
    assert found.refusals


def _leave(kept: Kept) -> None:
    """A second doctor came, and is removed; the doctor's session makes the new epochs."""
    with kept.premises.desk() as desk:
        ask(desk, "member add", "docteur", login="confrere", roles=["doctor"])
    shutil.copy(kept.database, kept.database.with_name("old.sqlite3"))
    with kept.premises.desk() as desk:
        ask(desk, "member remove", "admin", login="confrere")
    kept.open("docteur")


def test_a_removed_member_with_his_old_wraps(kept: Kept) -> None:
    """He puts back his row and every wrap there was, and claims to hold the new epoch too. What is
    of people who came after he left stays closed to him, and no next epoch counts him in. The
    stated limit: of patients whose keys he had, he reads what is filed later as well."""
    _leave(kept)
    old = kept.database.with_name("old.sqlite3")
    known = {uid for uid in kept.sent if kept.owner[uid] in {PEOPLE[n][0] for n in (1, 2)}}
    new = set(kept.send(3, 7))
    later = set(kept.send(1, 3))
    kept.open("docteur")
    with kept.rows() as database:
        database.execute("ATTACH ? AS old", (str(old),))
        (his,) = database.execute("SELECT id FROM old.member WHERE login = 'confrere'").fetchone()
        database.execute("REPLACE INTO member SELECT * FROM old.member WHERE id = ?", (his,))
        database.execute(
            "REPLACE INTO wrap SELECT * FROM old.wrap WHERE recipient IN (?, ?)",
            (f"member:{his}", f"password:{his}"),
        )
        _claim(database, his)
        database.execute("UPDATE circle SET stale = 1 WHERE epoch = 2")
        database.commit()
        database.execute("DETACH old")
    kept.open("docteur")  # makes the next epoch of what claims to need one
    kept.send(3, 8)
    kept.open("docteur")
    with kept.rows() as database:
        database.execute(
            "DELETE FROM wrap WHERE recipient = ? AND subject LIKE '%@2'", (f"member:{his}",)
        )
    found = read(kept, "confrere")
    assert not new & set(found.files)
    assert set(found.files) <= known | later
    assert read(kept).files == kept.sent


def _claim(database: sqlite3.Connection, member: str) -> None:
    """A wrap of the present epoch for him, which only seems to be one."""
    name = f"member:{member}"
    sql = "SELECT blob FROM wrap WHERE subject = ? AND recipient = ?"
    (blob,) = database.execute(sql, ("circle:care@1", name)).fetchone()
    for circle in ("care", "secretariat"):
        database.execute(
            "REPLACE INTO wrap VALUES ('circle-seed', ?, ?, 0, 'hpke', ?)",
            (f"circle:{circle}@2", name, blob),
        )


# Public keys


@dataclass(frozen=True)
class Thief:
    """A key pair of somebody who does not belong here."""

    seed: Any = field(default_factory=new_seed)

    @property
    def public(self) -> bytes:
        return public_key(self.seed)

    def loot(self, kept: Kept) -> Loot:
        """What his key opens in the vault as it is now."""
        return attack({self.seed.reveal()}, [copy_of(kept.premises.root)])


def swap_in_place(name: str) -> str:
    return f"UPDATE circle SET public_key = :key WHERE id = '{name}'"


def insert_epoch(name: str) -> str:
    return (
        "INSERT INTO circle SELECT id, kind, epoch + 1, :key, created, 0, 0 FROM circle "
        f"WHERE id = '{name}'"
    )


EXCHANGES = {
    "the care circle's": (swap_in_place("care"), "care"),
    "the secretariat's": (swap_in_place("secretariat"), "secretariat"),
    "a next epoch of the care circle": (insert_epoch("care"), "care"),
    "a next epoch of the secretariat": (insert_epoch("secretariat"), "secretariat"),
    "the DPO's": (swap_in_place("dpo"), "dpo"),
    "a next epoch of the DPO's": (insert_epoch("dpo"), "dpo"),
}


@pytest.mark.parametrize(("sql", "circle"), EXCHANGES.values(), ids=EXCHANGES)
def test_an_exchanged_public_key_stops_receiving(kept: Kept, sql: str, circle: str) -> None:
    """What arrives until the next opening he can read (threat model); then nothing more comes to
    him, and nothing that was there, or that sessions make, ever opens for him. Without the DPO's
    circle a practice goes on receiving; without the others it stops."""
    kept.open("docteur", "secretaire", "dpo")  # they have seen the keys as they were
    before, thief = set(kept.sent), Thief()
    with kept.rows() as database:
        database.execute(sql, {"key": thief.public})
    kept.send(2, 4)
    his = thief.loot(kept)
    assert his.kinds() & {"object", "identity-header"}  # the attack works until it is noticed
    kept.open("docteur", "secretaire", "dpo")
    if circle == "dpo":
        kept.send(1, 5)
    else:
        with pytest.raises(SermentError, match="changed"):
            kept.send(1, 5)
    kept.open("docteur", "secretaire", "dpo")
    now = thief.loot(kept)
    assert now.opened.keys() <= his.opened.keys()
    assert now.kinds() & {"identity-record", "patient-identity", "patient-clinical"} == set()
    assert _doctor_says(kept, circle)
    found = read(kept)
    assert all(kept.sent[uid] == data for uid, data in found.files.items())
    assert set(found.files) >= before


def insert_circle(name: str, kind: str) -> str:
    return (
        f"INSERT INTO circle SELECT '{name}', '{kind}', 1, :key, created, 0, 0 FROM circle "
        "WHERE id = 'care'"
    )


LIVE = {
    "the recovery key": (swap_in_place("recovery"), "recovery"),
    "a next epoch of recovery": (insert_epoch("recovery"), "recovery"),
    "a next epoch of the DPO's": (insert_epoch("dpo"), "dpo"),
    "a next epoch of the care circle": (insert_epoch("care"), "care"),
    "one more care circle": (insert_circle("soins", "care"), "soins"),
}


def test_a_public_key_exchanged_under_open_eyes(kept: Kept) -> None:
    """While the doctor is signed in: the circle stops within a moment, without anybody signing in
    again, nothing reaches the thief; once the right row stands again, it receives again."""
    kept.open("docteur")
    with serving(kept.premises.vault) as server:
        kept.premises.vault.json("unlock", "--as", "docteur")
        for sql, circle in LIVE.values():
            thief = Thief()
            with kept.rows() as database:
                before = [tuple(row) for row in database.execute("SELECT * FROM circle")]
                database.execute(sql, {"key": thief.public})
            _until(lambda name=circle: name in _stopped(kept))
            assert thief.loot(kept).opened == {}
            with kept.rows() as database:
                database.execute("DELETE FROM circle")
                right = [(*row[:5], int(row[0] == circle), 0) for row in before]
                database.executemany("INSERT INTO circle VALUES (?, ?, ?, ?, ?, ?, ?)", right)
            _until(lambda: not _stopped(kept))
        assert server.process.poll() is None
    kept.send(1, 9)
    assert read(kept).files == kept.sent


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.2)


def _stopped(kept: Kept) -> set[str]:
    with closing(sqlite3.connect(kept.database)) as database:
        rows = database.execute("SELECT id FROM circle WHERE stopped = 1").fetchall()
    return {name for (name,) in rows}


def _doctor_says(kept: Kept, circle: str) -> bool:
    report = kept.premises.vault.json("doctor", code=1)
    said = [f for f in report["findings"] if "public key of the circle" in f["message"]]
    return any(f["values"]["circle"] == circle and f["hint"] for f in said)


def test_a_running_server_says_that_it_stopped(kept: Kept) -> None:
    kept.open("docteur")
    with kept.rows() as database:
        database.execute(swap_in_place("care"), {"key": Thief().public})
    with serving(kept.premises.vault):
        kept.premises.vault.json("unlock", "--as", "docteur")
        status = kept.premises.vault.json("status")
        stopped = {each["name"]: each["stopped"] for each in status["care_circles"]}
        assert stopped == {"care": True, "chirurgie": False}
    assert _doctor_says(kept, "care")


def test_an_invented_member_gets_no_seed(kept: Kept) -> None:
    """A row, a wrap that opens nothing, and a circle that claims to need a new epoch."""
    kept.open("docteur", "secretaire")
    thief = Thief()
    with kept.rows() as database:
        database.execute(
            "INSERT INTO member SELECT :id, 'intrus', roles, circles, :key, state, created, NULL "
            "FROM member WHERE login = 'docteur'",
            {"id": "f" * 32, "key": thief.public},
        )
        for circle in ("care", "secretariat"):
            database.execute(
                "INSERT INTO wrap SELECT kind, subject, :name, epoch, method, blob FROM wrap "
                f"WHERE subject = 'circle:{circle}@1' AND recipient LIKE 'member:%' LIMIT 1",
                {"name": f"member:{'f' * 32}"},
            )
        database.execute("UPDATE circle SET stale = 1 WHERE id IN ('care', 'secretariat')")
    kept.open("docteur", "secretaire")
    kept.send(1, 6)
    kept.open("docteur", "secretaire")
    assert thief.loot(kept).opened == {}
    assert read(kept).files == kept.sent


def test_an_exchanged_member_key_is_refused(kept: Kept) -> None:
    """The doctor's own row: he is told at once, and a renewal does not count the thief in."""
    kept.open("docteur", "secretaire")
    thief = Thief()
    with kept.rows() as database:
        database.execute(
            "UPDATE member SET public_key = ? WHERE login = 'docteur'", (thief.public,)
        )
        database.execute("UPDATE circle SET stale = 1 WHERE id = 'secretariat'")
    (refusal,) = read(kept).refusals
    assert isinstance(refusal, IntegrityError)
    kept.open("secretaire")
    assert thief.loot(kept).opened == {}


def test_an_exchanged_recovery_key_keeps_everybody_out(kept: Kept) -> None:
    kept.open("docteur")
    thief = Thief()
    with kept.rows() as database:
        database.execute(swap_in_place("recovery"), {"key": thief.public})
    found = read(kept)
    assert found.files == {}
    assert {type(refusal) for refusal in found.refusals} == {IntegrityError}
    assert thief.loot(kept).kinds() & CLINICAL_KINDS == set()
