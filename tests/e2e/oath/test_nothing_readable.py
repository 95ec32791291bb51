"""Nothing readable at rest: every byte of a practice at work, searched for everything planted.

Locked, while a doctor and a secretary work, after they locked, and after the server stopped: the
vault with its write-ahead log, second copy of the keys and snapshots, the server's temporary
files, and what all its processes printed. The same search finds everything in a plain copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from tests.e2e.oath.client import BASE, Client
from tests.e2e.oath.exhibits import SENTENCE
from tests.e2e.oath.premises import AE_TITLE, Premises
from tests.e2e.oath.watch_folder import FolderWatch
from tests.e2e.serving import Server, serving

from serment.adapters.files.walk import walk
from serment.app.prove.bytesearch import Outcome, Search
from serment.app.prove.forms import Planted
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.walker import walk as walk_header
from serment.entrypoints.demo.sending import send_associations, send_stow
from serment.entrypoints.demo.studies import PlannedStudy, manifest, practice

LETTER = b"%PDF-1.7\n" + SENTENCE.encode("latin-1") + b"\n%%EOF"
STATES = ("locked", "open", "after", "stopped")
STOCK = shutil.which("storescu", path="/usr/local/bin:/usr/bin")
UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
SAMPLE = 48  # bytes of pixels that are looked for, of each object


@dataclass
class Searched:
    """What was planted, and what each search found."""

    premises: Premises
    plain: Path
    temporary: Path
    planted: list[Planted]
    search: Search
    samples: list[bytes]
    acknowledged: int = 0
    found: dict[str, Outcome] = field(default_factory=dict)
    pixels: dict[str, int] = field(default_factory=dict)
    files: dict[str, set[str]] = field(default_factory=dict)
    came: list[str] | None = None  # names of files that ever were in the temporary folder
    written: set[str] = field(default_factory=set)  # files outside that a process had open
    snapshots: int = 0
    seen: int = 0  # answers of the open practice in which a planted name stood

    @property
    def places(self) -> tuple[Path, ...]:
        return (self.premises.root, self.temporary)

    def look(self, state: str) -> None:
        """Search everything there is now."""
        sources = [source for place in self.places for source in walk(place)]
        log = self.premises.root.parent / "server.log"
        sources.append(("server.log", iter([log.read_bytes()])))
        self.found[state] = self.search.run(sources)
        everything = [path for place in self.places for path in place.rglob("*") if path.is_file()]
        self.files[state] = {path.name for path in everything}
        whole = b"".join(path.read_bytes() for path in everything)
        self.pixels[state] = sum(sample in whole for sample in self.samples)


def sample_of(data: bytes) -> bytes | None:
    """Some bytes in the middle of the pixels that occur nowhere by chance."""
    meta = read_meta(data)
    header = walk_header(data[meta.dataset_offset :], meta.transfer_syntax)
    start = meta.dataset_offset + header.size
    middle = (start + len(data)) // 2
    found = data[middle : middle + SAMPLE]
    return found if len(data) - start > 1000 and len(set(found)) > 12 else None


def write_plain(folder: Path, studies: tuple[PlannedStudy, ...]) -> list[list[Path]]:
    """The plain copy, study by study."""
    written = []
    for number, study in enumerate(studies):
        (folder / str(number)).mkdir(parents=True)
        paths = [folder / str(number) / f"{each:04}.dcm" for each in range(len(study.objects))]
        for path, data in zip(paths, study.files(), strict=True):
            path.write_bytes(data)
        written.append(paths)
    return written


def uncompressed(path: Path) -> bool:
    """Whether dcmtk sends it without being told how."""
    return read_meta(path.read_bytes()[:4096]).transfer_syntax in UNCOMPRESSED


def send(server: Server, token: str, studies: list[list[Path]]) -> int:
    """A third by dcmtk where it is installed, a third by pynetdicom, a third over STOW-RS."""
    count = 0
    for number, files in enumerate(studies):
        if number % 3 == 0:
            count += send_stow(server.web, server.authority, token, files)
        elif number % 3 == 1 and STOCK and all(map(uncompressed, files)):
            command = [STOCK, "-R", "-aet", AE_TITLE, "-aec", "SERMENT"]
            subprocess.run(
                [*command, "127.0.0.1", server.dicom_port, *map(str, files)],
                check=True,
                capture_output=True,
            )
            count += len(files)
        else:
            count += send_associations(server.dicom, AE_TITLE, files)
    return count


def work(searched: Searched, server: Server, studies: tuple[PlannedStudy, ...]) -> None:
    """A doctor and a secretary search, read, file, attach; some requests are wrong on purpose."""
    vault = searched.premises.vault
    one = studies[0].study
    family = one.patient.name.partition("^")[0]
    tokens = [vault.json("unlock", "--as", who, "--token")["token"] for who in ("docteur", "dpo")]
    doctor = Client(server, tokens[0]).sign_in("docteur")
    secretary = Client(server).sign_in("secretaire")
    study = f"{BASE}/studies/{one.uid}"
    place = studies[0].objects[0].place
    instance = f"{study}/series/{place.series_uid(one)}/instances/{place.instance_uid(one)}"
    named = quote(f"{family}*")
    asked = [
        *(f"{BASE}/studies?PatientName={named}&includefield={each}" for each in ("all", named)),
        f"{BASE}/studies?PatientID={one.patient.patient_id}&limit=x",
        f"{BASE}/studies?PatientBirthDate={named}",
        f"{BASE}/studies/{named}/metadata",
        f"{BASE}/{named}",
        f"{study}/metadata",
        f"{instance}/frames/1",
        f"{instance}/frames/99",
        f"{instance}/rendered",
        f"{instance}/thumbnail",
        study,
        "/studies",
        "/patients",
        "/journal",
        f"/{named}",
        f"/studies?name={named}",
    ]
    answers = [client.get(path).body for client in (doctor, secretary) for path in asked]
    answers += [doctor.get(path, Cookie=f"__Host-serment={named}").body for path in asked[-2:]]
    for client in (doctor, secretary):
        answers.append(client.post("/studies", {"name": family, "date_from": family}).body)
        answers.append(client.post("/studies", {"name": family}).body)
        answers.append(client.post("/patients", {"text": one.patient.patient_id}).body)
    patient = vault.json("search", one.uid, "--as", "docteur")[0]["Patient"]
    headers = {"Content-Type": "application/pdf", "X-Serment-Title": quote(f"Courrier de {family}")}
    upload = doctor.send("POST", f"/patients/{patient}/documents", LETTER, headers)
    assert upload.status == 201, upload
    answers.append(doctor.get(f"/patients/{patient}").body)
    vault.run("search", f"name:{family}", "--as", "secretaire")
    vault.run("search", "-", "--as", "docteur", text=f"name:{family}\n")
    vault.run("search", f"birth:{family}", "--as", "docteur", code=None)
    searched.seen = sum(family.encode() in answer for answer in answers)


def open_elsewhere(server: Server, allowed: tuple[Path, ...]) -> set[str]:
    """Files that the server's processes may write to and that are in none of these folders."""
    if sys.platform != "linux":
        return set()
    top = psutil.Process(server.process.pid)
    found = set()
    for process in (top, *top.children(recursive=True)):
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            where = str(descriptor.readlink())
            flags = Path(f"/proc/{process.pid}/fdinfo/{descriptor.name}").read_text()
            writes = int(flags.split("flags:")[1].split()[0], 8) & os.O_ACCMODE
            inside = any(Path(where).is_relative_to(folder) for folder in allowed)
            if writes and where.startswith("/") and not where.startswith("/dev/") and not inside:
                found.add(where)
    return found


@pytest.fixture(scope="module")
def searched(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    folder = tmp_path_factory.mktemp("readable")
    premises, studies = founded.copy(folder), practice()
    plain, temporary = folder / "plain", folder / "tmp"
    temporary.mkdir()
    premises.vault.environment["TMPDIR"] = str(temporary)
    files = write_plain(plain, studies)
    samples = [s for paths in files for path in paths if (s := sample_of(path.read_bytes()))]
    planted = [Planted(**entry) for entry in manifest()]
    planted.append(Planted("sentence", SENTENCE))
    result = Searched(premises, plain, temporary, planted, Search(planted), samples)
    (plain / "letter.pdf").write_bytes(LETTER)
    watch = FolderWatch(temporary)
    with serving(premises.vault) as server:
        result.acknowledged = send(server, premises.token, files)
        result.look("locked")
        work(result, server, studies)
        result.written = open_elsewhere(server, (premises.root, premises.root.parent))
        result.look("open")
        premises.vault.json("lock")
        result.look("after")
    result.look("stopped")
    with closing(sqlite3.connect(premises.root / "vault.sqlite3")) as database:
        (result.snapshots,) = database.execute("SELECT count(*) FROM snapshot").fetchone()
    result.came = watch.came()
    watch.close()
    yield result


def test_everything_arrived(searched: Searched) -> None:
    assert searched.acknowledged == sum(len(study.objects) for study in practice()) > 90
    assert searched.seen > 8  # names were shown to those who may see them


def test_the_search_finds_everything_in_a_plain_copy(searched: Searched) -> None:
    outcome = searched.search.run(walk(searched.plain))
    assert outcome.searched == len(searched.planted) > 300
    assert len(outcome.found) >= 0.99 * outcome.searched
    whole = b"".join(p.read_bytes() for p in searched.plain.rglob("*.dcm"))
    assert sum(sample in whole for sample in searched.samples) == len(searched.samples) > 60


@pytest.mark.parametrize("state", STATES)
def test_nothing_planted_is_found(searched: Searched, state: str) -> None:
    outcome = searched.found[state]
    found = {searched.planted[n].kind: places for n, places in outcome.found.items()}
    assert found == {}
    assert searched.pixels[state] == 0
    assert outcome.searched == len(searched.planted)
    assert outcome.searched_bytes > 40_000_000
    assert outcome.too_short == ()


def test_every_kind_of_file_was_searched(searched: Searched) -> None:
    always = {"vault.sqlite3", "keys.copy", "serment.toml", "journal.key"}
    for state in STATES:
        assert always <= searched.files[state]
        assert any(name.endswith(".pack") for name in searched.files[state])
    for state in ("locked", "open", "after"):
        assert "vault.sqlite3-wal" in searched.files[state]
    assert searched.snapshots > 0


def test_the_server_makes_no_temporary_file(searched: Searched) -> None:
    assert searched.came in ([], None)
    assert searched.written == set()


def test_one_name_in_a_file_is_found(searched: Searched, tmp_path: Path) -> None:
    """A seeded weakness: one patient's name where a careless line of code would leave it."""
    family = practice()[3].study.patient.name.partition("^")[0]
    (tmp_path / "debug").write_bytes(os.urandom(5000) + family.lower().encode() + os.urandom(5000))
    kinds = {searched.planted[n].kind for n in searched.search.run(walk(tmp_path)).found}
    assert "family-name" in kinds
    watch = FolderWatch(tmp_path)
    (tmp_path / "short-lived").write_text("x")
    (tmp_path / "short-lived").unlink()
    assert watch.came() in (["short-lived"], None)
    watch.close()
