"""The power goes at any moment of what people do: filing, adding and removing a member, renewing keys,
copying them, erasing. What was answered is there, rows and journal agree, and what was erased is gone.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e.faults import remains
from tests.e2e.faults.acts import ACTS
from tests.e2e.faults.disk import Disk, Image, in_order, room, write
from tests.e2e.faults.trace import OPTIONS, Event, read
from tests.e2e.oath.aftermath import complaints
from tests.e2e.oath.premises import Premises, ask
from tests.e2e.readable import check_nothing_readable
from tests.practices import patient, report, study

from serment.core.crypto.merkle import root

pytestmark = pytest.mark.real("strace")

SEED, TORN = 13, 60
SEARCHED = 3  # one image in so many is searched for what was planted
COPIES = ("copied", "removed", "forgotten")  # acts that end with a new copy of the keys

OF_THE_REMOVED = """SELECT count(*) FROM wrap, member WHERE state = 'removed'
    AND recipient IN ('member:' || id, 'password:' || id)"""


@dataclass(frozen=True)
class Answer:
    """That an act was done, with the journal as it was then."""

    begun: int
    act: str
    leaves: int
    root: str


@dataclass
class Acts:
    premises: Premises
    before: Path
    events: list[Event]
    folder: Path
    sent: list[bytes]
    erased: set[bytes] = field(default_factory=set)  # wraps deleted when it was all forgotten
    found: list[str] = field(default_factory=list)
    images: int = 0

    @property
    def answers(self) -> list[Answer]:
        lines = (e for e in self.events if e.call == "send" and e.data.startswith(b'{"act"'))
        return [Answer(e.begun, **json.loads(e.data)) for e in lines]

    def moments(self) -> Iterator[tuple[int, Disk, list[Answer]]]:
        disk, answers, done = Disk(self.premises.root, self.before), self.answers, list[Answer]()
        for moment, event in in_order(self.events):
            yield moment, disk, done
            disk.step(event)
            while answers and answers[0].begun <= moment:
                done = [*done, answers.pop(0)]
        yield moment, disk, done

    def note_erased(self) -> None:
        """Every wrap that there was after some act, and was no more when the vault forgot."""
        ever: set[bytes] = set()
        count = -1
        for _, disk, done in self.moments():
            if len(done) != count:
                count = len(done)
                self._build(disk.kept())
                now = set(remains.wraps(self.folder / "vault").values())
                ever |= now
                if done and done[-1].act == "forgotten":
                    self.erased = ever - now

    def _build(self, image: Image) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("vault", "kit"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        write(image, self.folder / "vault")

    def check(self, what: str, image: Image, done: list[Answer]) -> None:
        """Start from that image as after a power loss."""
        self._build(image)
        self.images += 1
        if not self.images % SEARCHED:
            check_nothing_readable(self.folder / "vault", self.sent)
        premises = self.premises.in_folder(self.folder)
        self.found += [f"{what}: {fault}" for fault in self._faults(premises, done)]

    def _faults(self, premises: Premises, done: list[Answer]) -> Iterator[str]:
        acts = [answer.act for answer in done]
        if "forgotten" in acts and remains.left_in(self.erased, premises.root):
            yield "bytes of an erased wrap"
        yield from _copy(premises.root / "keys.copy", done)
        yield from (str(each) for each in complaints(premises) if each["grade"] == "bad")
        yield from _journal(premises.root / "vault.sqlite3", done)
        with premises.desk() as desk:
            if not ask(desk, "journal verify")["ok"]:
                yield "the journal does not hold"
            if len(ask(desk, "search", "docteur", query="")) != 2:
                yield "a patient is lost"


def _copy(path: Path, done: list[Answer]) -> Iterator[str]:
    """The copy of the keys has all that there was when its act began, and nobody who was removed."""
    copied = max((n for n, answer in enumerate(done) if answer.act in COPIES), default=0)
    yield from _journal(path, done[:copied])
    with closing(sqlite3.connect(path)) as database:
        (kept,) = database.execute(OF_THE_REMOVED).fetchone()
        (removed,) = database.execute(
            "SELECT count(*) FROM member WHERE state = 'removed'"
        ).fetchone()
    gone = "removed" in [answer.act for answer in done]
    if kept or (gone and not removed):
        yield f"{path.name} has wraps of somebody who was removed"


def _journal(path: Path, done: list[Answer]) -> Iterator[str]:
    """Whether that database is sound, and has the journal as each act left it."""
    with closing(sqlite3.connect(path)) as database:
        if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            yield f"{path.name} is damaged"
            return
        leaves = [leaf for (leaf,) in database.execute("SELECT leaf FROM journal ORDER BY number")]
    for answer in done:
        if root(leaves[: answer.leaves]).hex() != answer.root:
            yield f"{path.name} has lost {answer.act}"


@pytest.fixture(scope="module")
def acts(
    founded: Premises, tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], str]
) -> Iterator[Acts]:
    folder = tmp_path_factory.mktemp("acts")
    premises, sent = founded.copy(folder), list[bytes]()
    for number, name in enumerate(("LEFÈVRE^Hélène", "PETIT^Luc"), start=1):
        exam = study(patient(number, name, f"1957040{number}"), number)
        objects = [report(exam, each) for each in range(2)]
        premises.receive(objects)
        sent += objects
    before = folder / "before"
    shutil.copytree(premises.root, before, ignore=shutil.ignore_patterns("run"))
    trace, script = folder / "trace", Path(__file__).with_name("acts.py")
    command = [tool("strace"), *OPTIONS, "-o", str(trace), sys.executable, str(script)]
    subprocess.run([*command, str(premises.root)], check=True, capture_output=True, timeout=120)
    with room() as images:
        acts = Acts(premises, before, read(trace, premises.root), images, sent)
        acts.note_erased()
        yield acts


def test_the_recording_is_whole(acts: Acts) -> None:
    assert [answer.act for answer in acts.answers] == list(ACTS)
    assert len(acts.erased) > 10
    written = [event.data for event in acts.events]  # without the pages around them
    before = [path.read_bytes() for path in acts.before.rglob("*") if path.is_file()]
    assert remains.left_of(acts.erased, [*written, *before]) == len(acts.erased)
    assert remains.left_in(acts.erased, acts.premises.root) == 0


def test_without_what_was_not_synced(acts: Acts) -> None:
    state: tuple[object, ...] = ()
    image: Image = {}
    then, promised = 0, list[Answer]()
    for moment, disk, done in acts.moments():
        if disk.state() != state:
            if image:
                acts.check(f"without unsynced at {then}", image, promised)
            state, image = disk.state(), disk.dropped()
        then, promised = moment, done
    acts.check(f"without unsynced at {then}", image, promised)
    assert sorted(set(acts.found)) == []
    assert acts.images > 3 * len(ACTS)


def test_with_any_of_it(acts: Acts) -> None:
    luck = random.Random(SEED)
    loose = [moment for moment, disk, _ in acts.moments() if disk.loose]
    chosen = set(luck.sample(loose, min(TORN, len(loose))))
    for moment, disk, done in acts.moments():
        if moment in chosen:
            acts.check(f"seed {SEED}, moment {moment}", disk.torn(luck), done)
    assert acts.found == []
