"""Runs audits of the network for the server: one at a time, in a thread, begun by somebody or weekly.

What is asked and what it means is `app.find`; a process without any key talks to the network
(`ports.network`). Decides only that there are never two, what is told meanwhile, and that an audit
which fails says so. A weekly one that the end of the server cuts off is caught up when it is back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime

from serment.app.find.history import made_of, record
from serment.app.find.network import Prepared, Wish, audit, check_allowed, prepare
from serment.app.find.weekly import ACTOR, ended_badly, ended_well, is_kept, schedule
from serment.app.house import House
from serment.core.crypto.secret import Key
from serment.core.exposure.products import Flaw
from serment.core.exposure.schedule import is_due
from serment.core.exposure.sighting import sighting
from serment.errors import N_, Conflict, SermentError, Unavailable
from serment.ports import Transaction
from serment.ports.network import Network, Progress

LOOK_SECONDS = 20.0  # between two looks at the schedule
JOIN_SECONDS = 10.0  # for an audit to end with the server


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The audit that runs. `phase`, `done`, `total`: as in `ports.network.Progress`."""

    began: datetime
    weekly: bool
    phase: str = ""
    done: int = 0
    total: int = 0


class Auditor:
    """Called from many threads."""

    def __init__(
        self,
        house: House,
        held_key: Callable[[], Key],
        network: Network,
        flaws: Callable[[], tuple[Flaw, ...]] = tuple,
    ) -> None:
        self._house, self._held_key = house, held_key
        self._network, self._flaws = network, flaws
        self._lock = threading.Lock()
        self._under_way: UnderWay | None = None
        self._thread: threading.Thread | None = None
        self._failed: SermentError | None = None
        self._stopping = False
        self._looked = 0.0

    def under_way(self) -> UnderWay | None:
        """The audit that runs now."""
        return self._under_way

    def failed(self) -> SermentError | None:
        """Why the last one that somebody began could not be finished; None when it was."""
        return self._failed

    def begin(self, wish: Wish, actor: str) -> None:
        """Begin one that somebody asked for; returns once it runs.

        Raises:
            Conflict: another one runs.
            SermentError: as `app.find.network.prepare` and `check_allowed`; nothing was sent.
        """
        self._claim(weekly=False)
        self._begun(wish, actor, weekly=False)

    def tick(self) -> None:
        """Begin the weekly one when it is due; looks every 20 seconds at most."""
        clock = self._house.clock
        if self._under_way is not None or clock.monotonic() < self._looked + LOOK_SECONDS:
            return
        self._looked = clock.monotonic()
        if not is_kept(self._house.store):
            return
        made = schedule(self._house, self._held_key())
        if not is_due(made, clock.now()):
            return
        plan = made.plan
        wish = Wish(targets=plan.targets, authorised_by=plan.authorised_by, large=plan.large)
        try:
            self._claim(weekly=True)
            self._begun(wish, ACTOR, weekly=True)
        except Conflict:
            return  # somebody was faster; it is still due
        except SermentError as error:
            ended_badly(self._house, self._held_key(), ACTOR, error, weekly=True)

    def close(self) -> None:
        """End with the server."""
        self._stopping = True
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)

    def wait(self) -> None:
        """Until no audit runs."""
        if self._thread is not None:
            self._thread.join()

    def _claim(self, *, weekly: bool) -> None:
        with self._lock:
            if self._under_way is not None:
                raise Conflict(
                    N_("an audit of the network is under way"),
                    hint=N_("wait until it has ended: the page shows how far it is"),
                )
            self._under_way = UnderWay(self._house.clock.now(), weekly)

    def _begun(self, wish: Wish, actor: str, *, weekly: bool) -> None:
        try:
            prepared = prepare(self._network, wish)
            check_allowed(prepared)
        except BaseException:
            self._under_way = None
            raise
        self._thread = threading.Thread(
            target=copy_context().run,  # what it writes was done in the session that began it
            args=(self._run, prepared, actor, weekly),
            name="audit",
            daemon=True,
        )
        self._thread.start()

    def _run(self, prepared: Prepared, actor: str, weekly: bool) -> None:
        error: SermentError | None = None
        try:
            self._audit(prepared, actor, weekly)
        except SermentError as refused:
            error = refused
        except Exception as fault:  # noqa: BLE001 - the end of a thread: told, not swallowed
            error = Unavailable(
                N_("the audit ended at a fault of Serment ({fault})"),
                hint=N_("try it again; `serment doctor` may say more"),
                fault=type(fault).__name__,
            )
        try:
            if error is not None and not (weekly and self._stopping):
                ended_badly(self._house, self._held_key(), actor, error, weekly=weekly)
        finally:
            if not weekly:
                self._failed = error
            self._under_way = None

    def _audit(self, prepared: Prepared, actor: str, weekly: bool) -> None:
        began, key = self._house.clock.now(), self._held_key()
        report = audit(self._network, self._house.clock, prepared, self._flaws(), self._step)

        def also(tx: Transaction) -> None:
            if weekly:
                ended_well(self._house, key, began, tx)

        seen = sighting(report.scan, report.not_checked, report.proved, report.seconds)
        made = made_of(prepared, report)
        record(self._house, key, actor, report.findings, made, seen, also)

    def _step(self, at: Progress) -> None:
        if self._stopping:
            raise Unavailable(
                N_("the server stopped before the audit ended"), hint=N_("begin it again")
            )
        if self._under_way is not None:
            self._under_way = replace(self._under_way, phase=at.phase, done=at.done, total=at.total)
