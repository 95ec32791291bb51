"""Who comes in: the session cookie, what counts as a person's act, the way to the sign-in page.

Decides nothing about rights: `services.Practice` does, from keys. A request puts off the idle lock
only when a person made it; what a page asks by itself (pulse, live list, thumbnails) does not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Scope

from serment.entrypoints.web.security import COOKIE, SAFE
from serment.entrypoints.web.services import Practice
from serment.entrypoints.web.views import Peer, SessionView
from serment.errors import N_, NotFound

LIVE = "x-serment-live"  # set by our scripts on what they ask by themselves
ACTIVE = "x-serment-active"  # set by our scripts when a person caused the request

Handler = Callable[[Request, SessionView], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def practice(request: Request) -> Practice:
    """The practice behind the pages."""
    found: Practice = request.app.state.practice
    return found


def session_id(request: Request) -> str:
    """The untrusted session id of the cookie; empty when there is none."""
    return request.cookies.get(COOKIE, "")[:128]


def is_active(request: Request) -> bool:
    """Whether a person made this request: an address entered, a link, a form, a marked act."""
    if LIVE in request.headers:
        return False
    if request.method not in SAFE or ACTIVE in request.headers:
        return True
    return request.headers.get("sec-fetch-mode") == "navigate"


async def current(request: Request) -> SessionView | None:
    """The session of this request, if it still stands."""
    untrusted_id = session_id(request)
    if not untrusted_id:
        return None
    return await run_in_threadpool(
        practice(request).session, untrusted_id, is_active(request), peer_of(request.scope)
    )


def signed_in(handler: Handler) -> Endpoint:
    """An endpoint for members only; others are shown the way in."""

    async def endpoint(request: Request) -> Response:
        session = await current(request)
        if session is None:
            return to_sign_in(request)
        request.state.session = session
        return await handler(request, session)

    return endpoint


def to_sign_in(request: Request) -> Response:
    """The sign-in page for a person; a bare status for a script or a picture."""
    if request.method == "GET" and request.headers.get("sec-fetch-mode", "navigate") == "navigate":
        here = request.url.path
        return RedirectResponse(
            "/login" if here == "/" else f"/login?next={quote(here)}", status_code=303
        )
    if request.method == "POST" and "hx-request" not in request.headers and not _is_script(request):
        return RedirectResponse("/login", status_code=303)
    return PlainTextResponse("locked\n", status_code=401, headers={"HX-Redirect": "/login"})


def _is_script(request: Request) -> bool:
    return request.headers.get("sec-fetch-mode", "navigate") != "navigate"


def next_page(untrusted_path: str) -> str:
    """A page of ours to go on to after signing in; anything else becomes the home page. Two
    slashes at the beginning would name another site (RFC 3986 4.2)."""
    ours = re.fullmatch(r"/|(?:/[a-z0-9-]+)+", untrusted_path)
    return untrusted_path if ours else "/"


def ref(request: Request, name: str) -> str:
    """A random id of the address; `NotFound` when it cannot be one."""
    untrusted_id: str = request.path_params[name]
    if not re.fullmatch(r"[0-9a-f]{32}", untrusted_id):
        raise NotFound(N_("there is nothing at this address"), hint=N_("go back to the home page"))
    return untrusted_id


def peer_of(scope: Scope) -> Peer:
    """The two ends of the connection, for the journal."""
    return Peer(
        address=_end(scope.get("client")),
        local=_end(scope.get("server")),
        tls=scope["scheme"] == "https",
    )


def _end(pair: tuple[str, int | None] | None) -> str:
    return "" if pair is None else f"{pair[0]}:{pair[1]}"


def let_in(response: Response, session: str) -> Response:
    """Give the browser its session; it ends with the browser, and never leaves for another site."""
    response.set_cookie(COOKIE, session, path="/", secure=True, httponly=True, samesite="strict")
    return response


def let_out(response: Response) -> Response:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return response
