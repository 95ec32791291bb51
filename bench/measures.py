"""How each case is measured: the same client, the same files, a fresh store for each subject."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bare import append_and_sync, flush_ms
from bench.clients import Web, processor_seconds, storescu, stow_body
from bench.figures import BARE, SERMENT, Case, Figures, Goal
from bench.peers import NODELAY, Missing, Peer
from bench.samples import Sample

ENOUGH_OF_BARE = 0.8
Start = Callable[[Path, Mapping[str, str]], AbstractContextManager[Peer]]

STOCK = Case("C-STORE stock, 1 association", "instances/s")
ONE = Case("C-STORE nodelay, 1 association", "instances/s")
FOUR = Case("C-STORE nodelay, 4 associations", "instances/s")
STOW_10 = Case("STOW-RS with TLS, 10 a request", "instances/s")
STOW_50 = Case("STOW-RS with TLS, 50 a request", "instances/s")
PLAIN_10 = Case("STOW-RS without TLS, 10 a request", "instances/s")
PLAIN_50 = Case("STOW-RS without TLS, 50 a request", "instances/s")
PROCESSOR = Case("processor a slice, C-STORE nodelay 1", "ms", more_is_better=False)
STOW_PROCESSOR = Case("processor a slice, STOW-RS with TLS, 10", "ms", more_is_better=False)
CLIENT = Case("processor a slice, the client of STOW-RS 10", "ms", more_is_better=False)
MEMORY = Case("peak memory, C-STORE nodelay 4", "MB", more_is_better=False)
LARGE = Case("peak memory, one multi-frame of 1 GB", "MB", more_is_better=False)
LARGE_RATE = Case("C-STORE of one multi-frame of 1 GB", "MB/s")
STUDY = Case("WADO-RS study of 50", "MB/s")
FRAME = Case("WADO-RS frame", "ms", more_is_better=False)
RENDERED = Case("WADO-RS rendered", "ms", more_is_better=False)
METADATA = Case("WADO-RS metadata of 50", "ms", more_is_better=False)
QIDO_UID = Case("QIDO-RS by UID", "ms", more_is_better=False)
QIDO_PAGE = Case("QIDO-RS page of 25", "ms", more_is_better=False)
QIDO_NAME = Case("QIDO-RS name prefix", "ms", more_is_better=False)
OPENING = Case("opening, from the snapshot", "s", more_is_better=False)
FIRST_OPENING = Case("opening, from scratch", "s", more_is_better=False)


def _one_association(case: Case, peer: str, value: float) -> Goal:
    """Where the disk decides, what it can do at all is the yardstick."""
    return Goal(case.name, peer, value, ENOUGH_OF_BARE, slow_only=True)


GOALS = (
    _one_association(STOCK, "Orthanc", 8),
    _one_association(ONE, "Orthanc", 2),
    Goal(ONE.name, "storescp", 0.6, ENOUGH_OF_BARE),
    _one_association(ONE, "pynetdicom", 2.5),
    Goal(FOUR.name, "Orthanc", 2),
    Goal(FOUR.name, "storescp", 0.5, ENOUGH_OF_BARE),
    Goal(STOW_10.name, "Orthanc", 3),
    Goal(STOW_50.name, "Orthanc", 3),
    Goal(PLAIN_10.name, "Orthanc", 3),
    Goal(PLAIN_50.name, "Orthanc", 3),
    Goal(PROCESSOR.name, "", 1.5),
    Goal(STOW_PROCESSOR.name, "", 1.5),
    Goal(MEMORY.name, "", 150),
    Goal(LARGE.name, "", 150),
    Goal(STUDY.name, "Orthanc", 1),
    Goal(FRAME.name, "", 8),
    Goal(METADATA.name, "", 10),
    Goal(QIDO_UID.name, "", 4),
    Goal(QIDO_PAGE.name, "", 9),
    Goal(QIDO_NAME.name, "", 15),
    Goal(OPENING.name, "", 5),
)


@dataclass(frozen=True)
class Subject:
    """Who is measured, and how a fresh one is started in a folder."""

    name: str
    start: Start
    web: bool = True
    plain: Start | None = None  # without TLS, where `start` has it


@dataclass
class Bench:
    """What all measurements share."""

    folder: Path
    subjects: list[Subject]
    figures: Figures
    first: Sample  # sent before anything is timed: starting up is not measured
    say: Callable[[str], None]
    turn: int = 0

    def order(self) -> list[Subject]:
        """Everybody in turn, and who came last comes first the next time: A B, B A, A B."""
        return self.subjects[:: -1 if self.turn % 2 else 1]

    def flush(self, case: Case) -> None:
        """How long the disk takes for one flush now: it changes by the minute on shared disks."""
        self.figures.flushes[case.name].append(flush_ms(self.folder, 25))

    def store(
        self, case: Case, samples: list[Sample], associations: int, switch: Mapping[str, str]
    ) -> None:
        """C-STORE these files to each subject in turn; CPU and memory come with the rate."""
        self.flush(case)
        for subject in self.order():
            with self.attempt(case.name, subject.name), self._fresh(subject, switch) as peer:
                storescu(peer, [self.first], 1, switch)
                before = peer.cpu_seconds()
                seconds = storescu(peer, samples, associations, switch)
                cpu = peer.cpu_seconds() - before
                self._add(case, subject.name, len(samples) / seconds)
                if case is ONE:
                    self._add(PROCESSOR, subject.name, 1000 * cpu / len(samples))
                if case is FOUR:
                    self._add(MEMORY, subject.name, peer.peak_bytes() / 1e6)
        with self._folder() as folder:
            seconds = append_and_sync(folder, samples, associations)
        self._add(case, BARE, len(samples) / seconds)

    def stow(self, case: Case, samples: list[Sample], together: int, tls: bool = True) -> None:
        """STOW-RS these files, so many in each request, over one connection. Who has no TLS is
        measured without in any case."""
        groups = [samples[at : at + together] for at in range(0, len(samples), together)]
        bodies = [stow_body([sample.path for sample in group]) for group in groups]
        self.flush(case)
        for subject in self.order():
            if not subject.web:
                continue
            with self.attempt(case.name, subject.name), self._fresh(subject, {}, tls) as peer:
                web = Web(peer)
                web.stow(stow_body([self.first.path]))
                before, own = peer.cpu_seconds(), processor_seconds()
                begin = time.perf_counter()
                for body in bodies:
                    web.stow(body)
                seconds = time.perf_counter() - begin
                cpu, own = peer.cpu_seconds() - before, processor_seconds() - own
                web.close()
                self._add(case, subject.name, len(samples) / seconds)
                if case is STOW_10:
                    self._add(STOW_PROCESSOR, subject.name, 1000 * cpu / len(samples))
                    self._add(CLIENT, subject.name, 1000 * own / len(samples))

    def large(self, sample: Sample) -> None:
        """One object of a gigabyte: how much of it is ever in memory."""
        self.flush(LARGE)
        for subject in self.order():
            with self.attempt(LARGE.name, subject.name), self._fresh(subject, NODELAY) as peer:
                storescu(peer, [self.first], 1, NODELAY)
                seconds = storescu(peer, [sample], 1, NODELAY)
                self._add(LARGE_RATE, subject.name, sample.path.stat().st_size / 1e6 / seconds)
                self._add(LARGE, subject.name, peer.peak_bytes() / 1e6)

    def opening(self, studies: int) -> None:
        """How long a practice with so many studies takes to open, by `bench.opening`."""
        command = [sys.executable, "-m", "bench.opening", "--studies", str(studies)]
        with self.attempt(OPENING.name, SERMENT):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr[-600:])
            for line in done.stdout.splitlines():
                found = json.loads(line)
                case = OPENING if found["what"] == "from the snapshot" else FIRST_OPENING
                self._add(case, SERMENT, found["open_s"])

    def read(self, peers: Mapping[str, Peer], slices: list[Sample], rounds: int) -> None:
        """Reads of one study of 50, and searches among all; peers in turn, warm."""
        requests = _requests(slices)
        for turn, (case, path, accept) in enumerate(requests * rounds):
            for name, peer in list(peers.items())[:: -1 if turn // len(requests) % 2 else 1]:
                with self.attempt(case.name, name):
                    web = Web(peer)
                    seconds, size = web.median_seconds(path, accept)
                    web.close()
                    self._add(case, name, size / 1e6 / seconds if case is STUDY else 1e3 * seconds)
        for case, path, accept in requests[-3:]:  # searches: the same question, the same answer
            counts = {}
            for name, peer in peers.items():
                with self.attempt(case.name, name):
                    counts[name] = len(json.loads(Web(peer).get(path, accept)))
            if len(set(counts.values())) > 1:
                self.say(f"{case.name}: different numbers of answers: {counts}")

    @contextmanager
    def _fresh(
        self, subject: Subject, switch: Mapping[str, str], tls: bool = True
    ) -> Iterator[Peer]:
        """A new empty one, in a folder of its own."""
        start = subject.start if tls else subject.plain or subject.start
        with self._folder() as folder, start(folder, switch) as peer:
            yield peer

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A folder of its own, gone afterwards; what it left unwritten burdens nobody else."""
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.sync()

    @contextmanager
    def attempt(self, what: str, name: str) -> Iterator[None]:
        """What fails is noted, and the run goes on with the next."""
        try:
            yield
        except (Missing, RuntimeError, OSError, http.client.HTTPException) as failure:
            reason = " ".join(f"{type(failure).__name__}: {failure}".split())[-400:]
            self.figures.absent[f"{what}, {name}"] = reason
            self.say(f"not measured: {what}, {name}: {reason}")

    def _add(self, case: Case, subject: str, value: float) -> None:
        self.figures.add(case, subject, value)
        self.say(f"{case.name}: {subject} {value:.1f} {case.unit}")


def _requests(slices: list[Sample]) -> list[tuple[Case, str, str]]:
    first = slices[0]
    study = f"/studies/{first.study}"
    series = f"{study}/series/{first.series}"
    instance = f"{series}/instances/{first.instance}"
    json_type = "application/dicom+json"
    return [
        (STUDY, study, 'multipart/related; type="application/dicom"'),
        (FRAME, f"{instance}/frames/1", 'multipart/related; type="application/octet-stream"'),
        (RENDERED, f"{instance}/rendered", "image/jpeg"),
        (METADATA, f"{series}/metadata", json_type),
        (QIDO_UID, f"/studies?StudyInstanceUID={first.study}", json_type),
        (QIDO_PAGE, "/studies?limit=25&offset=100", json_type),
        (QIDO_NAME, _name_search(), json_type),
    ]


def _name_search() -> str:
    """One study in 35. Orthanc understands neither an encoded ^ nor an encoded *."""
    return "/studies?PatientName=MARTINEAU-C*"


def wait_until_found(peer: Peer, sample: Sample, seconds: float = 600) -> None:
    """Return once a search finds this study: arrivals are filed after opening."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        web = Web(peer)
        try:
            path = f"/studies?StudyInstanceUID={sample.study}"
            if json.loads(web.get(path, "application/dicom+json") or b"[]"):
                return
        except (RuntimeError, ValueError):  # not found is 204 or an empty list, by server
            pass
        finally:
            web.close()
        time.sleep(0.5)
    raise RuntimeError("what was sent is not found")
