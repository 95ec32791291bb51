"""Damage is found or harmless, never wrong data: packs missing, cut or with a flipped bit in every
region of a record, and a flipped bit in every sealed or bound column of the database.

Whoever reads gets the very bytes that were received, or a sentence with the next step; what was
not damaged stays readable.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.oath.aftermath import SILENT, complaints, silent
from tests.e2e.oath.premises import SECRET, Premises, ask
from tests.practices import patient, report, study

from serment.adapters.sqlite.store import SqliteStore
from serment.app.keep.recover import recover
from serment.app.protect.kit import open_with
from serment.bootstrap.doctor import examine_vault
from serment.bootstrap.house import alone
from serment.bootstrap.world import read_share
from serment.core.dicom.part10 import read_meta
from serment.core.records import pack
from serment.entrypoints.desk.desk import Desk
from serment.errors import AccessDenied, IntegrityError, SermentError
from serment.ports import Matches

BITS = random.Random(5)


def flip(data: bytes, at: int) -> bytes:
    """One bit of that byte turned over."""
    return data[:at] + bytes([data[at] ^ 1 << BITS.randrange(8)]) + data[at + 1 :]


@dataclass
class Kept:
    """A vault and what it must give back: two objects of one patient, one of another."""

    premises: Premises
    sent: dict[str, bytes] = field(default_factory=dict)  # SOP Instance UID -> file

    def fill(self) -> None:
        """One association for each patient, filed and opened once."""
        exams = [study(patient(1), 1), study(patient(2, "PETIT^Luc", "19700203", "M"), 2)]
        for exam, count in zip(exams, (2, 1), strict=True):
            objects = [
                report(exam, number, "Un texte imaginaire. " * 40) for number in range(count)
            ]
            self.sent |= {read_meta(data).sop_instance: data for data in objects}
            self.premises.receive(objects)
        with self.premises.desk() as desk:
            ask(desk, "search", "docteur", query="")

    def copy(self, folder: Path) -> Kept:
        return Kept(self.premises.copy(folder), self.sent)


@pytest.fixture(scope="module")
def whole(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Never changed: copy it."""
    kept = Kept(founded.copy(tmp_path_factory.mktemp("whole")))
    kept.fill()
    return kept


@dataclass
class Seen:
    """What one person got: names and files that came back as sent, and every refusal."""

    names: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)  # SOP Instance UIDs
    wrong: list[str] = field(default_factory=list)
    refusals: list[SermentError] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # what `recover` names


NAMES = {"LEFÈVRE^Hélène", "PETIT^Luc"}


def look(kept: Kept, login: str = "docteur") -> Seen:
    """Sign in, list, and read everything that can be read."""
    seen = Seen()
    with kept.premises.desk() as desk:
        try:
            rows = ask(desk, "search", login, query="")
            for row in rows:
                name = row.get("PatientName")
                (seen.names.add if name in NAMES else seen.wrong.append)(name)
            _read(desk, login, kept, seen)
            for row in rows:
                _show(desk, login, row, seen)
        except SermentError as refusal:
            seen.refusals.append(refusal)
    return seen


def _show(desk: Desk, login: str, row: dict[str, Any], seen: Seen) -> None:
    try:
        found = ask(desk, "show", login, id=row["Patient"])
    except SermentError as refusal:
        seen.refusals.append(refusal)
    else:
        if found["PatientName"] != row["PatientName"]:
            seen.wrong.append(found["PatientName"])


def _read(desk: Desk, login: str, kept: Kept, seen: Seen) -> None:
    session = desk.practice.sign_in(login, SECRET, need_code=False)
    if not session.care:
        return
    reading = desk.reading(session)
    for row in reading.instances(Matches()):
        if row.instance_uid not in kept.sent:
            seen.wrong.append(row.instance_uid)
            continue
        try:
            (reader,) = reading.open([row], "report")
            if reader.all() == kept.sent[row.instance_uid]:
                seen.whole.add(row.instance_uid)
            else:
                seen.wrong.append(row.instance_uid)
        except SermentError as refusal:
            seen.refusals.append(refusal)


def from_the_kit(kept: Kept) -> Seen:
    """What two shares recover, without anybody of the practice."""
    seen = Seen()

    def write(path: str, content: Iterable[bytes]) -> None:
        data = b"".join(content)
        if path.endswith("identity.json"):
            name = json.loads(data)["PatientName"]
            (seen.names.add if name in NAMES else seen.wrong.append)(name)
        else:
            uid = read_meta(data).sop_instance
            (seen.whole.add if kept.sent.get(uid) == data else seen.wrong.append)(uid)

    shares = sorted(kept.premises.vault.kit.glob("*.txt"))[1:]
    with alone(kept.premises.root) as (_, house):
        try:
            ring = open_with(house, [read_share(share) for share in shares])
            seen.damaged = recover(house, ring, write, SILENT).damaged
        except SermentError as refusal:
            seen.refusals.append(refusal)
    return seen


def check_refusals(seen: Seen) -> None:
    """No wrong byte; every refusal is one of ours, says something, and the next step."""
    assert seen.wrong == []
    for refusal in seen.refusals:
        assert str(refusal)
        assert refusal.advice, refusal
        assert isinstance(refusal, IntegrityError | AccessDenied), repr(refusal)


def test_whole_it_gives_everything_back(kept: Kept) -> None:
    seen = look(kept)
    assert (seen.names, seen.whole, seen.refusals) == (NAMES, set(kept.sent), [])
    assert complaints(kept.premises) == []
    kit = from_the_kit(kept)
    assert (kit.names, kit.whole, kit.damaged, kit.refusals) == (NAMES, set(kept.sent), [], [])


# Packs


def packs(kept: Kept) -> list[Path]:
    return sorted((kept.premises.root / "packs").rglob("*.pack"))


def regions(data: bytes) -> dict[str, int]:
    """A byte of every region of the first record of a pack (docs/format.md, "Packs")."""

    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    record = pack.parse_record(read, 0, len(data))
    age, end = record.age_offset, record.age_offset + record.age_size
    header = data.index(b"\n---", age)
    clinical = record.end - pack.TRAILER_SIZE - len(record.clinical_header)
    trailer = record.end - pack.TRAILER_SIZE
    return {
        "magic": 3,
        "version": 9,
        "flags": 11,
        "object id": 20,
        "envelope id": 36,
        "total": 55,
        "age size": 63,
        "age version": age + 4,
        "age recipient": age + 40,
        "age key": age + 300,
        "age file key": header - 10,
        "age header's proof": header + 20,
        "nonce": data.index(b"\n", header + 4) + 5,
        "first bytes": data.index(b"\n", header + 4) + 20,
        "last bytes": end - 3,
        "identity header": end + 20,
        "clinical header": clinical + 20,
        "sizes": trailer + 7,
        "digest of the file": trailer + 20,
        "digest of the record": trailer + 60,
        "end": record.end - 2,
        "void": record.end + 3,
        "size of the void": record.end + 55,
    }


def test_a_flipped_bit_anywhere_in_a_record(kept: Kept) -> None:
    """The open practice reads on: each time the damaged object is refused or as sent, and the
    other objects are as sent; `doctor` sees every one of these flips."""
    path = next(p for p in packs(kept) if len(p.read_bytes()) > 6000)
    original = path.read_bytes()
    harmless = set()
    for name, at in regions(original).items():
        path.write_bytes(flip(original, at))
        seen = look(kept)
        check_refusals(seen)
        assert seen.names == NAMES, name
        assert len(seen.whole) >= len(kept.sent) - 1, name
        if len(seen.whole) == len(kept.sent):
            harmless.add(name)
        kit = from_the_kit(kept)
        check_refusals(kit)
        assert (kit.whole, kit.names, kit.refusals) == (seen.whole, NAMES, []), name
        assert len(kit.damaged) == len(kept.sent) - len(kit.whole), name
        assert complaints(kept.premises), name
        path.write_bytes(original)
    # what a reader does not need: the row says where the age file is and holds the header
    assert harmless == {
        *("magic", "version", "flags", "object id", "envelope id", "total", "age size"),
        *("identity header", "clinical header", "sizes"),
        *("digest of the file", "digest of the record", "end", "void", "size of the void"),
    }
    assert look(kept).whole == set(kept.sent)


@pytest.mark.parametrize("how", ["missing", "empty", "half", "other"])
def test_a_lost_pack(kept: Kept, how: str) -> None:
    one, other = packs(kept)[:2]
    if how == "missing":
        one.unlink()
    else:
        data = {"empty": b"", "half": one.read_bytes()[:1500], "other": other.read_bytes()}[how]
        one.write_bytes(data)
    seen = look(kept)
    check_refusals(seen)
    assert seen.names == NAMES
    assert set() < seen.whole < set(kept.sent)
    assert {refusal.exit_code for refusal in seen.refusals} == {6}
    assert complaints(kept.premises)
    assert look(kept, "secretaire").names == NAMES
    kit = from_the_kit(kept)
    check_refusals(kit)
    assert (kit.whole, kit.names, kit.refusals) == (seen.whole, NAMES, [])
    assert len(kit.damaged) == len(kept.sent) - len(kit.whole)


def test_a_lost_pack_with_a_repeated_instance_keeps_nobody_out(kept: Kept) -> None:
    """The same instance came twice, and one of its packs is lost before anybody compared them."""
    uid = next(iter(kept.sent))
    before = set(packs(kept))
    kept.premises.receive([kept.sent[uid]])
    (new,) = set(packs(kept)) - before
    new.unlink()
    seen = look(kept)
    check_refusals(seen)
    assert seen.whole == set(kept.sent)


# Rows

DOCTOR = "recipient = (SELECT 'password:' || id FROM member WHERE login = 'docteur')"
# table, column, condition; whether some, or all, of what one person sees may be gone; what two
# shares of the kit cannot give back: nothing, an object, an envelope, its names, or anything
COLUMNS = [
    ("wrap", "blob", f"kind = 'member-seed' AND {DOCTOR}", "all", ""),
    ("wrap", "blob", "kind = 'circle-seed' AND recipient LIKE 'member:%'", "all", ""),
    ("wrap", "blob", "kind = 'circle-seed' AND recipient = 'recovery'", "none", ""),
    ("wrap", "blob", "kind = 'patient-identity' AND recipient = 'circle:secretariat'", "some", ""),
    ("wrap", "blob", "kind = 'patient-identity' AND recipient = 'recovery'", "none", ""),
    ("wrap", "blob", "kind = 'patient-clinical' AND recipient = 'circle:care'", "some", ""),
    ("wrap", "blob", "kind = 'patient-clinical' AND recipient = 'recovery'", "none", ""),
    ("wrap", "blob", "kind = 'envelope-identity'", "some", "names"),
    ("wrap", "blob", "kind = 'envelope-seed'", "some", "envelope"),
    ("wrap", "blob", "kind = 'ca-key'", "none", ""),
    ("identity_header", "sealed", "1", "some", "names"),
    ("patient", "identity", "1", "some", ""),
    ("envelope", "summary", "1", "none", ""),
    ("envelope", "public_key", "1", "none", ""),
    ("stored_object", "header", "1", "some", "object"),
    ("stored_object", "sha256", "1", "some", "object"),
    ("snapshot", "sealed", "1", "none", ""),
    ("member", "public_key", "login = 'docteur'", "all", ""),
    ("circle", "public_key", "id = 'care'", "none", ""),
    ("circle", "public_key", "id = 'secretariat'", "none", ""),
    ("circle", "public_key", "id = 'recovery'", "all", "all"),
    ("device", "token_hash", "1", "none", ""),
    ("setting", "value", "key = 'journal-public-key'", "none", ""),
]


def rows(database: sqlite3.Connection, table: str, column: str, where: str) -> list[tuple]:
    sql = f"SELECT rowid, {column} FROM {table} WHERE {where} AND {column} IS NOT NULL"
    return database.execute(sql).fetchall()


def change(premises: Premises, table: str, column: str, where: str, index: int = 0) -> None:
    """Flip one bit of that column in one of the rows."""
    with closing(sqlite3.connect(premises.root / "vault.sqlite3")) as database, database:
        rowid, value = rows(database, table, column, where)[index]
        changed = flip(value, BITS.randrange(len(value)))
        database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, rowid))


def without_snapshots(premises: Premises) -> None:
    """Open from the rows themselves."""
    with closing(sqlite3.connect(premises.root / "vault.sqlite3")) as database, database:
        database.execute("DELETE FROM snapshot")


CASES = [
    pytest.param(*case, how == "from snapshots", id=f"{case[0]}.{case[1]} {case[2]} {how}")
    for case in COLUMNS
    for how in ("from snapshots", "from rows")
    if (case[0], how) != ("snapshot", "from rows")  # there is none then
]


@pytest.mark.parametrize(("table", "column", "where", "loss", "kit", "snapshot"), CASES)
def test_a_flipped_bit_in_a_column(
    kept: Kept, table: str, column: str, where: str, loss: str, kit: str, snapshot: bool
) -> None:
    """Whoever needs the column notices; everybody else, and the rest, is not touched by it."""
    if not snapshot:
        without_snapshots(kept.premises)
    change(kept.premises, table, column, where)
    everything = 0
    for login in ("docteur", "secretaire"):
        seen = look(kept, login)
        check_refusals(seen)
        complete = seen.names == NAMES and (login != "docteur" or seen.whole == set(kept.sent))
        everything += complete and not seen.refusals
        if loss == "none":
            assert complete, (login, seen)
        if loss == "some":  # the other patient's is all there, and nobody is kept out
            assert seen.names, (login, seen)
            assert login != "docteur" or seen.whole, seen
    recovered = from_the_kit(kept)
    check_kit(kept, recovered, kit)
    if loss != "none" and not snapshot:
        assert everything < 2
    if loss != "none":  # a snapshot hides it from who reads; then it is the kit that needs it
        assert everything < 2 or recovered.damaged, "nobody noticed"


def check_kit(kept: Kept, seen: Seen, loss: str) -> None:
    """The kit gives back all but what only the damaged row leads to, and names that."""
    check_refusals(seen)
    assert bool(seen.refusals) is (loss == "all"), seen
    assert len(seen.damaged) == (loss in ("object", "envelope", "names")), seen
    lost = {"object": {1}, "envelope": {1, 2}, "all": {3}}.get(loss, {0})
    assert len(kept.sent) - len(seen.whole) in lost, seen
    assert (seen.names == NAMES) is (loss in ("", "object")), seen


def test_what_came_after_the_copy_of_the_keys_is_named_when_it_is_restored(kept: Kept) -> None:
    """The copy is older: the packs have the objects, and nothing opens them."""
    premises = kept.premises
    with closing(
        SqliteStore(premises.root / "vault.sqlite3", premises.root / "keys.copy")
    ) as store:
        store.copy_keys()
    exam = study(patient(3, "MOREAU^Zoé", "19810512"), 3)
    premises.receive([report(exam, number) for number in (1, 2)])
    (premises.root / "vault.sqlite3").write_bytes(b"damaged " * 1000)
    found = examine_vault(premises.root, True, True, silent)
    assert found["objects"] == 5
    named = [f for f in found["findings"] if "envelope" in f["values"]]
    assert [f["message"] for f in named] == [
        "the envelope {envelope} is gone, and its keys with it"
    ]
    seen = look(kept)
    check_refusals(seen)
    assert (seen.names, seen.whole, seen.refusals) == (NAMES, set(kept.sent), [])
    kit = from_the_kit(kept)
    assert (kit.whole, len(kit.damaged)) == (set(kept.sent), 2)
