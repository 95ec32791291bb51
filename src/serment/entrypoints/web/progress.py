"""Remembers how far each long piece of work of the web is, for the pages that ask or listen.

One board lives in the web process. A job belongs to the session that started it: nobody else can
see its label. Nothing is stored; finished jobs are forgotten after a while. The terminal has its
own bar, in `entrypoints.cli.progress`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

KEPT_SECONDS = 600.0
MOST_JOBS = 200
SETTLING_SECONDS = 2.0  # before that, the time left would be a guess


class JobState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobView:
    """How far a job is: `total` and `seconds_left` are None while unknown."""

    id: str
    label: str
    state: JobState
    count: int
    total: int | None
    seconds: float
    seconds_left: float | None

    @property
    def fraction(self) -> float | None:
        """Between 0 and 1; None while the total is unknown."""
        if self.total is None:
            return None
        return 1.0 if self.total == 0 else min(1.0, self.count / self.total)


class Job:
    """`serment.ports.Progress` of one piece of work; any thread may step it."""

    def __init__(
        self, identifier: str, owner: str, label: str, monotonic: Callable[[], float]
    ) -> None:
        self.id = identifier
        self.owner = owner
        self._label = label
        self._monotonic = monotonic
        self._lock = Lock()
        self._started = monotonic()
        self._ended: float | None = None
        self._state = JobState.RUNNING
        self._total: int | None = None
        self._count = 0

    def total(self, count: int) -> None:
        with self._lock:
            self._total = count

    def step(self, count: int = 1) -> None:
        with self._lock:
            self._count += count

    def end(self, state: JobState) -> None:
        with self._lock:
            self._state, self._ended = state, self._monotonic()

    def ended_before(self, moment: float) -> bool:
        return self._ended is not None and self._ended < moment

    def view(self) -> JobView:
        with self._lock:
            now = self._monotonic() if self._ended is None else self._ended
            seconds = now - self._started
            return JobView(
                id=self.id,
                label=self._label,
                state=self._state,
                count=self._count,
                total=self._total,
                seconds=seconds,
                seconds_left=self._seconds_left(seconds),
            )

    def _seconds_left(self, seconds: float) -> float | None:
        if self._state is not JobState.RUNNING:
            return 0.0
        if self._total is None or self._count == 0 or seconds < SETTLING_SECONDS:
            return None
        return max(0, self._total - self._count) * seconds / self._count


class ProgressBoard:
    """All jobs of the web process, at most `MOST_JOBS`; the oldest finished ones go first."""

    def __init__(self, monotonic: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._monotonic = monotonic
        self._new_id = new_id
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()

    def start(self, owner: str, label: str) -> Job:
        """A new running job of the session `owner`; the caller ends it."""
        job = Job(self._new_id(), owner, label, self._monotonic)
        with self._lock:
            self._tidy()
            self._jobs[job.id] = job
        return job

    @contextmanager
    def job(self, owner: str, label: str) -> Iterator[Job]:
        """A job that is done when the block ends, failed when it raises."""
        job = self.start(owner, label)
        try:
            yield job
        except BaseException:
            job.end(JobState.FAILED)
            raise
        job.end(JobState.DONE)

    def view(self, owner: str, identifier: str) -> JobView | None:
        """One job, or None when there is no such job of this owner."""
        job = self._jobs.get(identifier)
        return job.view() if job is not None and job.owner == owner else None

    def views(self, owner: str) -> list[JobView]:
        """The jobs of one session, oldest first."""
        with self._lock:
            self._tidy()
            return [job.view() for job in self._jobs.values() if job.owner == owner]

    def forget(self, owner: str) -> None:
        """Drop the jobs of a session that locked."""
        with self._lock:
            self._jobs = {key: job for key, job in self._jobs.items() if job.owner != owner}

    def _tidy(self) -> None:
        limit = self._monotonic() - KEPT_SECONDS
        self._jobs = {key: job for key, job in self._jobs.items() if not job.ended_before(limit)}
        while len(self._jobs) >= MOST_JOBS:
            ended = next(
                (key for key, job in self._jobs.items() if job.ended_before(float("inf"))), None
            )
            del self._jobs[ended if ended is not None else next(iter(self._jobs))]
