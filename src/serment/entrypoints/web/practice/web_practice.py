"""One call of a page after the other, each within the session of its cookie.

Decides which calls are an activity (none of these: `session` alone says so) and what is remembered
between calls: rendered pictures while their circle is open, and the last verdict on the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime

from serment.core.exposure.posture.registry import Answer
from serment.core.journal.caller import within
from serment.core.journal.verify import Verdict
from serment.core.masked import Masked
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.kept import Kept
from serment.entrypoints.web.practice import (
    access,
    breach,
    contents,
    filing,
    home,
    journal,
    members,
    patients,
    settings,
    studies,
)
from serment.entrypoints.web.practice.exposure import Exposure
from serment.entrypoints.web.practice.frames import Frames
from serment.entrypoints.web.practice.modalities import Modalities
from serment.entrypoints.web.practice.visit import Visit
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
from serment.errors import AccessDenied, VaultLocked
from serment.ports import Decoder, Progress, Source


class WebPractice:
    """`services.Practice` on one desk; called from many threads.

    Args:
        decoder: renders frames, in a process without any key.
        intake: hands documents to the receiver.
        dicom: "host:port" where devices send, for the page that says so.
        audits: what runs audits of the network, and what a page knows of them.
    """

    def __init__(
        self,
        desk: Desk,
        decoder: Decoder,
        intake: AsyncIntakeClient,
        dicom: str,
        audits: Exposure,
    ) -> None:
        self._desk, self._intake, self._dicom = desk, intake, dicom
        self._audits = audits
        self._pictures = Kept()
        self._frames = Frames(decoder, self._pictures)
        self._modalities = Modalities()
        self._verified: tuple[Verdict, datetime] | None = None
        desk.practice.on_close.append(self._pictures.close)

    @contextmanager
    def _visit(self, session: str) -> Iterator[Visit]:
        """The visit of an open session; a refusal is journalled.

        Raises:
            VaultLocked: the session is over.
        """
        visit = Visit(self._desk, self._desk.practice.session(session, active=False))
        try:
            with within(visit.session.id):
                yield visit
        except AccessDenied as refusal:
            self._desk.refused.note(visit.house, visit.session, refusal)
            raise

    def flush(self, final: bool = False) -> None:
        """Journal the refusals of minutes that have ended; at shutdown (`final`) all of them."""
        self._desk.refused.flush(self._desk.house, final)

    # Coming in and going out

    def welcome(self) -> Welcome:
        return access.welcome(self._desk)

    def authority(self) -> bytes:
        return access.authority(self._desk)

    def sign_in(
        self,
        login: str,
        password: Masked[str],
        code: str,
        peer: Peer,
        progress: Progress | None = None,
    ) -> str:
        return access.sign_in(self._desk, login, password, code, peer, progress).token

    def session(self, session: str, active: bool, peer: Peer) -> SessionView | None:
        found = access.session(self._desk, session, active, peer)
        return None if found is None else access.session_view(Visit(self._desk, found))

    def pulse(self, session: str) -> Pulse:
        with self._visit(session) as visit:
            return access.pulse(visit)

    def lock(self, session: str) -> None:
        try:
            self._desk.practice.lock(self._desk.practice.session(session, active=False))
        except VaultLocked:
            return

    def lock_all(self, session: str) -> None:
        with self._visit(session):
            self._desk.practice.lock_all()

    # Reading

    def home(self, session: str) -> HomeView:
        with self._visit(session) as visit:
            return home.home(visit, self._verified, self._audits.numbers(visit))

    def worklist(self, session: str, query: StudyQuery) -> Worklist:
        with self._visit(session) as visit:
            visit.practice.refresh()
            return studies.worklist(visit, query, self._modalities.of(visit))

    def study(self, session: str, ref: str) -> StudyView:
        with self._visit(session) as visit:
            return studies.study(visit, ref)

    def thumbnail(self, session: str, object_id: str) -> Picture:
        with self._visit(session) as visit:
            return self._frames.thumbnail(visit, object_id)

    def frame(
        self,
        session: str,
        object_id: str,
        frame: int,
        window: tuple[float, float] | None,
        size: int | None,
    ) -> Picture:
        with self._visit(session) as visit:
            return self._frames.frame(visit, object_id, frame, window, size)

    def report(self, session: str, object_id: str) -> Report:
        with self._visit(session) as visit:
            return contents.report(visit, object_id)

    def document(self, session: str, object_id: str) -> Document:
        with self._visit(session) as visit:
            return contents.document(visit, object_id)

    def patients(self, session: str, text: str, page: int) -> PatientList:
        with self._visit(session) as visit:
            return patients.patients(visit, text, page)

    def patient(self, session: str, patient: str) -> PatientView:
        with self._visit(session) as visit:
            visit.practice.refresh()
            return patients.patient(visit, patient)

    # Filing

    def to_file(self, session: str) -> ToFile:
        with self._visit(session) as visit:
            return filing.to_file(visit)

    def file(self, session: str, envelope: str, patient: str | None) -> str:
        with self._visit(session) as visit:
            return filing.file(visit, envelope, patient)

    def unfile(self, session: str, envelope: str) -> None:
        with self._visit(session) as visit:
            filing.unfile(visit, envelope)

    async def upload(
        self, session: str, patient: str, title: str, body: AsyncIterator[bytes]
    ) -> str:
        source = await asyncio.to_thread(self._upload_source, session, patient)
        object_id = await filing.upload(self._intake, source, patient, title, body)
        await asyncio.to_thread(self._desk.practice.refresh)
        return object_id

    def _upload_source(self, session: str, patient: str) -> Source:
        with self._visit(session) as visit:
            return filing.upload_source(visit, patient)

    # Watching

    def journal(self, session: str, query: JournalQuery) -> JournalView:
        with self._visit(session) as visit:
            return journal.journal(visit, query)

    def verify(self, session: str, kept: str) -> VerdictView:
        with self._visit(session) as visit:
            verdict = journal.verify(visit, kept)
            self._verified = verdict, visit.now
        return VerdictView(
            verdict.entries,
            verdict.ok,
            verdict.expired,
            verdict.first_bad,
            verdict.reason,
            bool(kept.strip()),
        )

    def checkpoint(self, session: str) -> str:
        with self._visit(session) as visit:
            return journal.checkpoint(visit)

    # What strangers can reach

    def exposure(self, session: str) -> ExposureView:
        with self._visit(session) as visit:
            return self._audits.view(visit)

    def audit_progress(self, session: str) -> Running | None:
        with self._visit(session) as visit:
            return self._audits.progress(visit)

    def begin_audit(self, session: str, order: AuditOrder) -> None:
        with self._visit(session) as visit:
            self._audits.begin(visit, order)

    def recheck(self, session: str, key: tuple[str, str, int]) -> None:
        with self._visit(session) as visit:
            self._audits.recheck(visit, key)

    def accept_finding(self, session: str, order: AcceptOrder) -> None:
        with self._visit(session) as visit:
            self._audits.accept(visit, order)

    def plan_audits(self, session: str, order: WeeklyOrder) -> None:
        with self._visit(session) as visit:
            self._audits.plan(visit, order)

    def audit_report(self, session: str, kind: str, lang: str) -> AuditFile:
        with self._visit(session) as visit:
            return self._audits.report(visit, kind, lang)

    def host_posture(self, session: str) -> tuple[Answer, ...]:
        with self._visit(session) as visit:
            return self._audits.posture(visit)

    # After a breach

    def breach(self, session: str) -> BreachView:
        with self._visit(session) as visit:
            return breach.breach(visit)

    def radius(self, session: str, query: RadiusQuery) -> RadiusView:
        with self._visit(session) as visit:
            visit.practice.refresh()
            return breach.ask(visit, query)

    # Members, devices, settings

    def members(self, session: str) -> MembersView:
        with self._visit(session) as visit:
            return members.view(visit, self._dicom)

    def add_member(self, session: str, new: NewMember) -> bool:
        with self._visit(session) as visit:
            return members.add(visit, new)

    def admit(self, session: str, member: str, compared: tuple[str, ...]) -> None:
        with self._visit(session) as visit:
            members.admit(visit, member, compared)

    def remove_member(self, session: str, member: str) -> None:
        with self._visit(session) as visit:
            members.remove(visit, member)

    def add_device(self, session: str, new: NewDevice) -> Masked[str]:
        with self._visit(session) as visit:
            return members.add_device(visit, new)

    def remove_device(self, session: str, device: str) -> None:
        with self._visit(session) as visit:
            members.remove_device(visit, device)

    def settings(self, session: str) -> SettingsView:
        with self._visit(session) as visit:
            return settings.view(visit)

    def new_second_factor(self, session: str, code: str) -> SecondFactor:
        with self._visit(session) as visit:
            return settings.new_second_factor(visit, code)

    def pending_second_factor(self, session: str) -> SecondFactor | None:
        with self._visit(session) as visit:
            return settings.pending_second_factor(visit)

    def confirm_second_factor(self, session: str, code: str) -> None:
        with self._visit(session) as visit:
            settings.confirm_second_factor(visit, code)

    def declare_kit(self, session: str) -> None:
        with self._visit(session) as visit:
            settings.declare_kit(visit)
