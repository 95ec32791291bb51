"""What members were refused in the pages: counted for each member and minute in the journal."""

from __future__ import annotations

from serment.app.watch.refusals import Refusals
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.web.practice.visit import Visit
from serment.errors import N_, AccessDenied

NO_KEY = N_("no key of this session opens it")


class Refused:
    """One count for each member, written when its minute has ended."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._members: dict[str, Refusals] = {}

    def note(self, visit: Visit, refusal: AccessDenied) -> None:
        """Count a refusal: who, from where, and the message that was shown, without its values."""
        session, house = visit.session, self._desk.house
        reason = NO_KEY if "{" in refusal.message else refusal.message
        with house.lock:
            counts = self._members.setdefault(
                session.member.id, Refusals(house.store, house.clock, session.member.id)
            )
            counts.note(session.peer.host, reason, calling=session.member.login)

    def flush(self, final: bool = False) -> None:
        """Write what is due; the caller holds the house's lock."""
        for counts in self._members.values():
            counts.flush(final)
