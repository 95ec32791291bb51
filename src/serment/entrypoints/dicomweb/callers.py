"""Who asks: a member's session by its bearer token, or a device by its own, which only sends.

`serment unlock --as LOGIN --token` prints a session's token; it lives in memory and dies with the
session, is no cookie, and serves other machines only when the session was opened with a code. A
device token is kept as a hash.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from serment.app.protect import devices
from serment.app.protect.opening import Peer, Session
from serment.app.protect.reading import Reading
from serment.app.protect.searching import FoundStudy, Searching
from serment.app.protect.sessions import check_serves
from serment.core.journal.caller import within
from serment.core.records.vault import Device, EnvelopeKind
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.dicomweb.refused import Refused
from serment.entrypoints.kept import Kept
from serment.errors import N_, AccessDenied, SermentError, VaultLocked
from serment.ports import Decoder

T = TypeVar("T")

BASE = "/dicom-web"
DOCUMENT = EnvelopeKind.DOCUMENT


@dataclass(frozen=True, slots=True)
class Caller:
    """A session as this connection uses it, and what it can do here."""

    desk: Desk
    decoder: Decoder
    kept: Kept
    session: Session

    @property
    def reading(self) -> Reading:
        return self.desk.reading(self.session)

    @property
    def searching(self) -> Searching:
        return self.desk.searching(self.session)

    def identified(self, study: FoundStudy) -> dict[str, Any]:
        """A study's attributes. A document that was attached to a patient says nothing of him by
        itself: it gets his identity."""
        found = study.attributes()
        documents = [row for row in study.rows if row.kind == DOCUMENT]
        patient = next((r.patient or r.attributes.get("Patient") for r in documents), None)
        circle = self.session.identity
        if patient is None or circle is None or "PatientName" in found:
            return found
        practice = self.desk.practice
        with practice.house.lock:
            identity = practice.filing(circle).identity(patient)
        known = {
            "PatientName": identity.name,
            "PatientID": next((i.value for i in identity.identifiers), ""),
            "PatientBirthDate": identity.birth_date or "",
            "PatientSex": identity.sex or "",
        }
        return {**known, **found}


def bearer(request: Request) -> str:
    """The token of the Authorization header (RFC 6750 2.1)."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Refused(
            401,
            N_("a bearer token is needed"),
            hint=N_("`serment unlock --as LOGIN --token` prints one"),
        )
    return token.strip()[:256]


async def in_session(request: Request, work: Callable[[Caller], T], active: bool = True) -> T:
    """What `work` returns for the calling member, in a thread of its own. `Refused` (401) when the
    session is over. Only what is `active` puts off the idle lock: a viewer searches and
    refreshes its lists by itself, also when nobody sits in front of it."""
    return await run_in_threadpool(_in_session, request, bearer(request), work, active)


def _in_session(request: Request, token: str, work: Callable[[Caller], T], active: bool) -> T:
    state = request.app.state
    desk: Desk = state.desk
    try:
        session = desk.practice.of_bearer(token)
    except VaultLocked as error:
        raise Refused(401, error.message, hint=error.hint) from error
    # another connection may use the same session at this moment: each has its own two ends
    session = replace(session, peer=peer(request))
    request.state.session = session
    check_serves(session, session.peer)
    if active:
        desk.practice.session(session.token)
    with within(session.id):
        return work(Caller(desk, state.decoder, state.kept, session))


async def device(request: Request) -> Device:
    """The sending device. `Refused` (401) when the token is none of a device.

    Reads its few rows here and now, which writers do not hold up (WAL): a thread would wait for its
    turn while the body comes."""
    desk: Desk = request.app.state.desk
    try:
        return devices.of_token(desk.house.store, bearer(request))
    except AccessDenied as error:
        raise Refused(401, error.message, hint=error.hint) from error


async def note_refusal(request: Request, desk: Desk, refusal: SermentError) -> None:
    """Journal, counted for each caller and minute, what was refused."""
    await run_in_threadpool(_note_refusal, request, desk, refusal)


def _note_refusal(request: Request, desk: Desk, refusal: SermentError) -> None:
    session: Session | None = getattr(request.state, "session", None)
    if session is None:
        desk.refused.note_stranger(desk.house, peer(request), refusal)
    else:
        desk.refused.note(desk.house, session, refusal)


def peer(request: Request) -> Peer:
    """The two ends of the connection, for the journal."""
    client, server = request.client, request.scope.get("server")
    return Peer(
        f"{client.host}:{client.port}" if client else "",
        f"{server[0]}:{server[1]}" if server else "",
        request.url.scheme == "https",
    )


def base_url(request: Request) -> str:
    """The address of this service as the client reached it. Some clients leave the port out of
    the Host header (RFC 9110 7.2 wants it there): it is the one they came to."""
    host, server = request.headers.get("host", ""), request.scope.get("server")
    if not _PORT.search(host) and server and server[1] not in _USUAL:
        host = f"{host}:{server[1]}"
    return f"{request.url.scheme}://{host}{BASE}"


_PORT = re.compile(r":[0-9]+$")
_USUAL = (None, 80, 443)
