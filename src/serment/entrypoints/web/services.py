"""Exactly what the pages need from Serment; the pages know nothing else of it.

Every method is a plain call that may take time (the pages run it in a thread), except `upload`.
Every method but `welcome`, `authority` and `sign_in` takes the session id of the cookie and raises
`AccessDenied` when that session, or its keys, do not reach; whatever it shows is journalled before
it returns. Ids are random; nothing here takes a name or an identifier except the two searches and
a new member's login.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from serment.core.exposure.posture.registry import Answer
from serment.core.masked import Masked
from serment.entrypoints.web.views import (
    AcceptOrder,
    AuditFile,
    AuditOrder,
    BreachView,
    Document,
    ExposureView,
    HomeView,
    JournalQuery,
    JournalView,
    MembersView,
    NewDevice,
    NewMember,
    PatientList,
    PatientView,
    Peer,
    Picture,
    Pulse,
    RadiusQuery,
    RadiusView,
    Report,
    Running,
    SecondFactor,
    SessionView,
    SettingsView,
    StudyQuery,
    StudyView,
    ToFile,
    VerdictView,
    WeeklyOrder,
    Welcome,
    Worklist,
)
from serment.ports import Progress


class Practice(Protocol):
    """One practice, as its members meet it in a browser."""

    # Coming in and going out
    def welcome(self) -> Welcome: ...

    def authority(self) -> bytes:
        """The certificate (PEM) of the practice's own authority, which browsers must know; public."""

    def sign_in(
        self,
        login: str,
        password: Masked[str],
        code: str,
        peer: Peer,
        progress: Progress | None = None,
    ) -> str:
        """Open a session and return its id (256 random bits). `code` is the six digits of the
        second factor, "" while the member has none. `AccessDenied` is the same for every wrong
        part; `Busy` after too many attempts. `progress` is told how far it is once all of that
        was right."""

    def session(self, session: str, active: bool, peer: Peer) -> SessionView | None:
        """The session, or None when there is none (any more) that serves this peer. Only `active`
        requests, those a person made, put off its idle lock."""

    def pulse(self, session: str) -> Pulse:
        """Cheap, journals nothing, puts off nothing."""

    def lock(self, session: str) -> None:
        """Drop this session's keys; harmless when it is gone."""

    def lock_all(self, session: str) -> None:
        """Drop every session's keys: the practice is locked."""

    # Reading
    def home(self, session: str) -> HomeView: ...

    def worklist(self, session: str, query: StudyQuery) -> Worklist: ...

    def study(self, session: str, ref: str) -> StudyView: ...

    def thumbnail(self, session: str, object_id: str) -> Picture: ...

    def frame(
        self,
        session: str,
        object_id: str,
        frame: int,
        window: tuple[float, float] | None,
        size: int | None,
    ) -> Picture:
        """One frame (from 1) at a window (centre, width; None = its own), its longer side at most
        `size` pixels (None = as stored)."""

    def report(self, session: str, object_id: str) -> Report: ...

    def document(self, session: str, object_id: str) -> Document: ...

    def patients(self, session: str, text: str, page: int) -> PatientList:
        """Patients whose name or identifier matches; all of them for ""."""

    def patient(self, session: str, patient: str) -> PatientView: ...

    # Filing
    def to_file(self, session: str) -> ToFile: ...

    def file(self, session: str, envelope: str, patient: str | None) -> str:
        """Attach to that patient (None = a new one) and return the patient's id. `Conflict` when
        somebody else was faster."""

    def unfile(self, session: str, envelope: str) -> None: ...

    async def upload(
        self, session: str, patient: str, title: str, body: AsyncIterator[bytes]
    ) -> str:
        """Hand one PDF to the receiver as it comes; returns its object id once durable."""

    # Watching
    def journal(self, session: str, query: JournalQuery) -> JournalView: ...

    def verify(self, session: str, kept: str) -> VerdictView:
        """Check the whole log, against a checkpoint kept elsewhere unless `kept` is ""."""

    def checkpoint(self, session: str) -> str:
        """The latest signed checkpoint, for keeping elsewhere."""

    # What strangers can reach
    def exposure(self, session: str) -> ExposureView: ...

    def audit_progress(self, session: str) -> Running | None:
        """How far the audit under way is; None when none is. Journals nothing."""

    def begin_audit(self, session: str, order: AuditOrder) -> None:
        """Returns once it runs: `Conflict` while another one does, `AccessDenied` where nobody
        answers for it or its size, `UsageError`, `NotFound` for a target that is none."""

    def recheck(self, session: str, key: tuple[str, str, int]) -> None:
        """One finding again (its id, address, port); errors as `begin_audit`."""

    def accept_finding(self, session: str, order: AcceptOrder) -> None: ...

    def plan_audits(self, session: str, order: WeeklyOrder) -> None: ...

    def audit_report(self, session: str, kind: str, lang: str) -> AuditFile:
        """How things stand, to be taken out as "pdf", "html", "json" or "sarif" in that language;
        `NotFound` before the first audit."""

    def host_posture(self, session: str) -> tuple[Answer, ...]:
        """How the server's own machine is kept."""

    # After a breach
    def breach(self, session: str) -> BreachView: ...

    def radius(self, session: str, query: RadiusQuery) -> RadiusView:
        """Whom it reached. `UsageError` for a time at which nothing can have happened, `NotFound`
        for an address that nothing ever crossed."""

    # Members, devices, settings
    def members(self, session: str) -> MembersView: ...

    def add_member(self, session: str, new: NewMember) -> bool:
        """Whether the newcomer is active at once (False = he waits to be admitted)."""

    def admit(self, session: str, member: str, compared: tuple[str, ...]) -> None:
        """`compared`: the words of the newcomer's key as the page showed them."""

    def remove_member(self, session: str, member: str) -> None: ...

    def add_device(self, session: str, new: NewDevice) -> Masked[str]:
        """The device's token; only its hash is kept."""

    def remove_device(self, session: str, device: str) -> None: ...

    def settings(self, session: str) -> SettingsView: ...

    def new_second_factor(self, session: str, code: str) -> SecondFactor:
        """A fresh secret, remembered by the session until it is confirmed. Who has a second factor
        already gives its `code` first: `AccessDenied` without, `Busy` after too many attempts."""

    def pending_second_factor(self, session: str) -> SecondFactor | None:
        """The secret shown last, None once it is confirmed."""

    def confirm_second_factor(self, session: str, code: str) -> None: ...

    def declare_kit(self, session: str) -> None:
        """Record that the kit was printed and put away."""
