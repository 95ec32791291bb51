"""Who asks: a member's session by its bearer token, or a device by its own, which only sends.

`serment unlock --as LOGIN --token` prints a session's token; it lives in memory and dies with the
session. A device token is kept as a hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from serment.app.protect import devices
from serment.app.protect.opening import Peer, Session
from serment.app.protect.reading import Reading
from serment.app.protect.searching import Searching
from serment.core.records.vault import Device
from serment.entrypoints.desk.desk import Desk
from serment.errors import N_, AccessDenied, SermentError, VaultLocked
from serment.ports import Decoder

BASE = "/dicom-web"


class Unauthenticated(SermentError):
    """No token, or one that opens nothing (any more)."""

    exit_code = 3
    http_status = 401


@dataclass(frozen=True, slots=True)
class Caller:
    """A session and what it can do here."""

    desk: Desk
    decoder: Decoder
    session: Session

    @property
    def reading(self) -> Reading:
        return self.desk.reading(self.session)

    @property
    def searching(self) -> Searching:
        return self.desk.searching(self.session)


def bearer(request: Request) -> str:
    """The token of the Authorization header (RFC 6750 2.1)."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            N_("a bearer token is needed"),
            hint=N_("`serment unlock --as LOGIN --token` prints one"),
        )
    return token.strip()[:256]


async def member(request: Request) -> Caller:
    """The calling member. `Unauthenticated` when the session is over."""
    desk: Desk = request.app.state.desk
    token = bearer(request)
    try:
        session = await run_in_threadpool(desk.practice.session, token)
    except VaultLocked as error:
        raise Unauthenticated(error.message, hint=error.hint) from error
    session.peer = peer(request)
    return Caller(desk, request.app.state.decoder, session)


async def device(request: Request) -> Device:
    """The sending device."""
    desk: Desk = request.app.state.desk
    try:
        return await run_in_threadpool(devices.of_token, desk.house.store, bearer(request))
    except AccessDenied as error:
        raise Unauthenticated(error.message, hint=error.hint) from error


def peer(request: Request) -> Peer:
    """The two ends of the connection, for the journal."""
    client, server = request.client, request.scope.get("server")
    return Peer(
        f"{client.host}:{client.port}" if client else "",
        f"{server[0]}:{server[1]}" if server else "",
        request.url.scheme == "https",
    )


def base_url(request: Request) -> str:
    """The address of this service as the client reached it."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}{BASE}"


def problem(error: SermentError) -> Response:
    """An error as PS3.18 8.6 allows: a status and a short JSON report without any value."""
    headers = {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else {}
    body = {"error": str(error), "hint": error.advice}
    return JSONResponse(body, error.http_status, headers=headers)
