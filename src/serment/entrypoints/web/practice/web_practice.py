"""One call of a page after the other, each within the session of its cookie.

Decides which calls are an activity (none of these: `session` alone says so) and what is remembered
between calls: rendered pictures while their circle is open, and the last verdict on the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from serment.core.journal.verify import Verdict
from serment.core.masked import Masked
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.web.practice import (
    access,
    filing,
    home,
    journal,
    members,
    patients,
    settings,
    studies,
)
from serment.entrypoints.web.practice.frames import Frames
from serment.entrypoints.web.practice.modalities import Modalities
from serment.entrypoints.web.practice.pictures import Pictures
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import (
    Document,
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
    Report,
    SecondFactor,
    SessionView,
    SettingsView,
    StudyQuery,
    StudyView,
    ToFile,
    VerdictView,
    Welcome,
    Worklist,
)
from serment.errors import VaultLocked
from serment.ports import Decoder, Source


class WebPractice:
    """`services.Practice` on one desk; called from many threads.

    Args:
        decoder: renders frames, in a process without any key.
        intake: hands documents to the receiver.
        dicom: "host:port" where devices send, for the page that says so.
    """

    def __init__(self, desk: Desk, decoder: Decoder, intake: AsyncIntakeClient, dicom: str) -> None:
        self._desk, self._intake, self._dicom = desk, intake, dicom
        self._pictures = Pictures()
        self._frames = Frames(decoder, self._pictures)
        self._modalities = Modalities()
        self._verified: tuple[Verdict, datetime] | None = None
        desk.practice.on_close.append(self._pictures.close)

    def _visit(self, session: str) -> Visit:
        """The visit of an open session; `VaultLocked` when it is over."""
        return Visit(self._desk, self._desk.practice.session(session, active=False))

    # Coming in and going out

    def welcome(self) -> Welcome:
        return access.welcome(self._desk)

    def sign_in(self, login: str, password: Masked[str], code: str, peer: Peer) -> str:
        return access.sign_in(self._desk, login, password, code, peer).token

    def session(self, session: str, active: bool) -> SessionView | None:
        try:
            found = self._desk.practice.session(session, active=active)
        except VaultLocked:
            return None
        return access.session_view(Visit(self._desk, found))

    def pulse(self, session: str) -> Pulse:
        return access.pulse(self._visit(session))

    def lock(self, session: str) -> None:
        try:
            self._desk.practice.lock(self._visit(session).session)
        except VaultLocked:
            return

    def lock_all(self, session: str) -> None:
        self._visit(session)
        self._desk.practice.lock_all()

    # Reading

    def home(self, session: str) -> HomeView:
        return home.home(self._visit(session), self._verified)

    def worklist(self, session: str, query: StudyQuery) -> Worklist:
        visit = self._visit(session)
        visit.practice.refresh()
        return studies.worklist(visit, query, self._modalities.of(visit))

    def study(self, session: str, ref: str) -> StudyView:
        return studies.study(self._visit(session), ref)

    def thumbnail(self, session: str, object_id: str) -> Picture:
        return self._frames.thumbnail(self._visit(session), object_id)

    def frame(
        self,
        session: str,
        object_id: str,
        frame: int,
        window: tuple[float, float] | None,
        size: int | None,
    ) -> Picture:
        return self._frames.frame(self._visit(session), object_id, frame, window, size)

    def report(self, session: str, object_id: str) -> Report:
        return studies.report(self._visit(session), object_id)

    def document(self, session: str, object_id: str) -> Document:
        return studies.document(self._visit(session), object_id)

    def patients(self, session: str, text: str, page: int) -> PatientList:
        return patients.patients(self._visit(session), text, page)

    def patient(self, session: str, patient: str) -> PatientView:
        visit = self._visit(session)
        visit.practice.refresh()
        return patients.patient(visit, patient)

    # Filing

    def to_file(self, session: str) -> ToFile:
        return filing.to_file(self._visit(session))

    def file(self, session: str, envelope: str, patient: str | None) -> str:
        return filing.file(self._visit(session), envelope, patient)

    def unfile(self, session: str, envelope: str) -> None:
        filing.unfile(self._visit(session), envelope)

    async def upload(
        self, session: str, patient: str, title: str, body: AsyncIterator[bytes]
    ) -> str:
        source = await asyncio.to_thread(self._upload_source, session, patient)
        object_id = await filing.upload(self._intake, source, patient, title, body)
        await asyncio.to_thread(self._desk.practice.refresh)
        return object_id

    def _upload_source(self, session: str, patient: str) -> Source:
        return filing.upload_source(self._visit(session), patient)

    # Watching

    def journal(self, session: str, query: JournalQuery) -> JournalView:
        return journal.journal(self._visit(session), query)

    def verify(self, session: str, kept: str) -> VerdictView:
        visit = self._visit(session)
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
        return journal.checkpoint(self._visit(session))

    # Members, devices, settings

    def members(self, session: str) -> MembersView:
        return members.view(self._visit(session), self._dicom)

    def add_member(self, session: str, new: NewMember) -> bool:
        return members.add(self._visit(session), new)

    def admit(self, session: str, member: str) -> None:
        members.admit(self._visit(session), member)

    def remove_member(self, session: str, member: str) -> None:
        members.remove(self._visit(session), member)

    def add_device(self, session: str, new: NewDevice) -> Masked[str]:
        return members.add_device(self._visit(session), new)

    def remove_device(self, session: str, device: str) -> None:
        members.remove_device(self._visit(session), device)

    def settings(self, session: str) -> SettingsView:
        return settings.view(self._visit(session))

    def new_second_factor(self, session: str) -> SecondFactor:
        return settings.new_second_factor(self._visit(session))

    def confirm_second_factor(self, session: str, code: str) -> None:
        settings.confirm_second_factor(self._visit(session), code)

    def declare_kit(self, session: str) -> None:
        settings.declare_kit(self._visit(session))
