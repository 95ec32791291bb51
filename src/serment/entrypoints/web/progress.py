"""Sign-ins that last: how far each is, for the page that waits, and who may have what it opens.

Opening a large practice fills its lists, files what came and moves keys. The browser that asked
holds a random id, good for that one opening and once; whoever has it is told counts, and is let in
at the end as if he had waited for the answer. What nobody comes for is locked again. The terminal
has its own bar, in `entrypoints.cli.progress`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from threading import Lock

from starlette.concurrency import run_in_threadpool

from serment.core.crypto.entropy import new_token
from serment.core.masked import Masked
from serment.ports import Progress

PATIENCE_SECONDS = 1.0  # before that, nobody needs a bar
LOOK_SECONDS = 0.1
KEPT_SECONDS = 60.0  # how long an opened practice waits for its browser
MOST = 200  # kept at a time; further ones answer when they are done, without a bar
SETTLING_SECONDS = 2.0  # before that, the time left would be a guess

SignIn = Callable[[Progress], str]  # returns the session's id


@dataclass(frozen=True, slots=True)
class View:
    """How far a piece of work is: `total` and `seconds_left` are None while unknown."""

    count: int
    total: int | None
    seconds_left: float | None


class Job:
    """`serment.ports.Progress` of one piece of work; any thread may step it."""

    def __init__(self, since: float) -> None:
        self._since, self._lock = since, Lock()
        self._total: int | None = None
        self._count = 0

    def total(self, count: int) -> None:
        with self._lock:
            self._total = count

    def step(self, count: int = 1) -> None:
        with self._lock:
            self._count += count

    @property
    def began(self) -> bool:
        """Whether it has told how much there is to do."""
        return self._total is not None

    def view(self, now: float) -> View:
        """At `now`, of the same clock as when it began."""
        with self._lock:
            return View(self._count, self._total, self._seconds_left(now - self._since))

    def _seconds_left(self, seconds: float) -> float | None:
        if self._total is None or self._count == 0 or seconds < SETTLING_SECONDS:
            return None
        return max(0, self._total - self._count) * seconds / self._count


@dataclass(frozen=True, slots=True)
class Opening:
    """One sign-in under way; `session` waits for its end, or raises what refused it."""

    id: Masked[str]
    onward: str  # the page to go on to
    job: Job
    task: asyncio.Task[str] = field(repr=False)

    @property
    def done(self) -> bool:
        return self.task.done()

    def view(self) -> View:
        return self.job.view(asyncio.get_running_loop().time())

    async def session(self) -> str:
        return await asyncio.shield(self.task)


class Openings:
    """Those of the web process, on its event loop."""

    def __init__(self) -> None:
        self._kept: dict[str, Opening] = {}
        self._minders: set[asyncio.Task[None]] = set()

    async def begin(self, work: SignIn, onward: str) -> Opening:
        """Sign in, in a thread; returns when that is done, or after a moment once it was seen that
        all that was given is right: a refusal is always the answer to the form itself."""
        job = Job(asyncio.get_running_loop().time())
        task = asyncio.create_task(run_in_threadpool(work, job))
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        while not task.done() and (not job.began or len(self._kept) >= MOST):
            await asyncio.wait({task}, timeout=LOOK_SECONDS)
        return Opening(Masked(new_token()), onward, job, task)

    def keep(self, opening: Opening, lock: Callable[[str], Awaitable[object]]) -> None:
        """Let its browser come back for it; `lock` closes the session that nobody came for."""
        self._kept[opening.id.reveal()] = opening
        minder = asyncio.create_task(self._mind(opening, lock))
        self._minders.add(minder)
        minder.add_done_callback(self._minders.discard)

    async def _mind(self, opening: Opening, lock: Callable[[str], Awaitable[object]]) -> None:
        await asyncio.wait({opening.task})
        await asyncio.sleep(KEPT_SECONDS)
        if self.take(opening.id.reveal()) and not opening.task.exception():
            await lock(opening.task.result())

    def find(self, untrusted_id: str) -> Opening | None:
        return self._kept.get(untrusted_id)

    def take(self, untrusted_id: str) -> Opening | None:
        """The same, for the last time."""
        return self._kept.pop(untrusted_id, None)
