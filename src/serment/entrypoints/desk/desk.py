"""The desk: one open practice and a table of requests that can be made of it.

Decides who acts (the login given, else the administrator) and that a one-command session is
closed again; what each request does is in the files beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serment.app.house import House
from serment.app.protect.opening import Peer, Practice, Session
from serment.app.protect.reading import Reading
from serment.app.protect.searching import Searching
from serment.app.watch.reads import Reads
from serment.app.watch.searches import Searches
from serment.core.crypto.secret import Key
from serment.core.journal.caller import within
from serment.core.records.vault import Member, MemberState, Role
from serment.entrypoints.desk.refused import Refused
from serment.entrypoints.desk.request import Request
from serment.errors import N_, AccessDenied, UsageError
from serment.ports import Surroundings

HERE = Peer()  # the command line of this machine
Answer = Any  # a JSON value, or an iterator of bytes for what streams


@dataclass(frozen=True, slots=True)
class Desk:
    """What requests work on."""

    practice: Practice
    reads: Reads
    searches: Searches
    surroundings: Surroundings
    held_key: Callable[[], Key]  # the server's own: opens what holds no patient data
    refused: Refused = field(default_factory=Refused)

    @property
    def house(self) -> House:
        return self.practice.house

    @contextmanager
    def session(self, request: Request) -> Iterator[Session]:
        """A session of the acting member for this request only; a refusal is journalled."""
        opened = self.open(request)
        try:
            with within(opened.id):
                yield opened
        except AccessDenied as refusal:
            self.refused.note(self.house, opened, refusal)
            raise
        finally:
            self.practice.lock(opened, "command done")

    def open(self, request: Request) -> Session:
        """A session of the acting member that stays. The local way asks no second factor; a code
        that is given counts, and lets the session serve other machines too."""
        if request.password is None:
            raise UsageError(
                N_("a password is needed"),
                hint=N_("type it when asked, or name a file: SERMENT_PASSWORD_FILE"),
            )
        login = request.login or self.administrator()
        code = request.maybe("code") or ""
        with self.refused.throttled(self.house, HERE):
            return self.practice.sign_in(
                login, request.password, code, HERE, need_code=False, progress=request.progress
            )

    def administrator(self) -> str:
        """The login that acts when none is named."""
        for member in self.house.store.find(Member, state=MemberState.ACTIVE):
            if Role.ADMINISTRATOR in member.roles:
                return member.login
        raise UsageError(N_("name the acting member"), hint=N_("--by LOGIN or --as LOGIN"))

    def reading(self, session: Session) -> Reading:
        return Reading(self.practice, session, self.reads)

    def searching(self, session: Session) -> Searching:
        return Searching(self.practice, session, self.searches)


Handler = Callable[[Desk, Request], Answer]
