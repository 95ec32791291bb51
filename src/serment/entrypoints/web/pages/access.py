"""Signing in, waiting for it, locking, the pulse of an open page, and the language switch."""

from __future__ import annotations

from html import unescape
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from serment.core.masked import Masked
from serment.entrypoints import language
from serment.entrypoints.web.doors import (
    let_in,
    let_out,
    next_page,
    peer_of,
    practice,
    session_id,
    signed_in,
)
from serment.entrypoints.web.forms import read_form
from serment.entrypoints.web.progress import Opening, Openings
from serment.entrypoints.web.rendering import LANGUAGE_COOKIE, lang_of, show
from serment.entrypoints.web.views import SessionView
from serment.errors import SermentError
from serment.ports import Progress

A_YEAR_SECONDS = 365 * 24 * 3600
OPENING_COOKIE = "__Host-serment-opening"
_KEPT: Any = {"secure": True, "httponly": True, "samesite": "strict"}


async def sign_in_page(request: Request) -> Response:
    return await _sign_in(request, next_page(request.query_params.get("next", "/")))


async def sign_in(request: Request) -> Response:
    """Open a session; a wrong part shows the form again, empty, with what to do. What lasts goes
    on to a page that waits."""
    form = await read_form(request)
    login, password = form.text("login", 80), Masked(form.raw("password"))
    code, peer = form.text("code", 12).replace(" ", ""), peer_of(request.scope)

    def work(progress: Progress) -> str:
        return practice(request).sign_in(login, password, code, peer, progress)

    opening = await _openings(request).begin(work, next_page(form.text("next")))
    if opening.done:
        return await _let_in(request, opening)
    lock = practice(request).lock
    _openings(request).keep(opening, lambda session: run_in_threadpool(lock, session))
    response = RedirectResponse("/opening", status_code=303)
    response.set_cookie(OPENING_COOKIE, opening.id.reveal(), path="/", **_KEPT)
    return response


async def _let_in(request: Request, opening: Opening) -> Response:
    """The session in place of the one before; or the form again."""
    try:
        session = await opening.session()
    except SermentError as error:
        return await _sign_in(request, opening.onward, error)
    if old := session_id(request):
        await run_in_threadpool(practice(request).lock, old)
    return let_in(RedirectResponse(opening.onward, status_code=303), session)


async def opening_page(request: Request) -> Response:
    """How far the opening is that this browser asked for; once it is done, the way in."""
    opening = _openings(request).find(_opening_id(request))
    if opening is None:
        return RedirectResponse("/login", status_code=303)
    if opening.done:
        _openings(request).take(opening.id.reveal())
        response = await _let_in(request, opening)
        response.delete_cookie(OPENING_COOKIE, path="/", **_KEPT)
        return response
    welcome = await run_in_threadpool(practice(request).welcome)
    return show(request, "opening.html", welcome=welcome, at=opening.view())


async def opening_progress(request: Request) -> Response:
    """The same for the bar: counts, and the sentence under it."""
    opening = _openings(request).find(_opening_id(request))
    if opening is None:
        return PlainTextResponse("locked\n", status_code=401)
    at = opening.view()
    said = bytes(show(request, "opening_part.html", at=at).body).decode().strip()
    return JSONResponse(
        {"done": opening.done, "count": at.count, "total": at.total, "said": unescape(said)}
    )


def _openings(request: Request) -> Openings:
    found: Openings = request.app.state.openings
    return found


def _opening_id(request: Request) -> str:
    return request.cookies.get(OPENING_COOKIE, "")[:128]


async def _sign_in(request: Request, onward: str, error: SermentError | None = None) -> Response:
    welcome = await run_in_threadpool(practice(request).welcome)
    lang = lang_of(request)
    return show(
        request,
        "login.html",
        status=error.http_status if error else 200,
        welcome=welcome,
        onward=onward,
        locked="locked" in request.query_params,
        problem=language.say(error, lang) if error else "",
        hint=language.advise(error, lang) if error else "",
    )


async def authority(request: Request) -> Response:
    """The practice's own authority, to be installed in browsers: public, like the server's name."""
    certificate = await run_in_threadpool(practice(request).authority)
    return Response(
        certificate,
        media_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": 'attachment; filename="serment-authority.crt"'},
    )


async def lock(request: Request) -> Response:
    """Drop the keys, whoever asks and however late."""
    await run_in_threadpool(practice(request).lock, session_id(request))
    return let_out(RedirectResponse("/login?locked=1", status_code=303))


@signed_in
async def lock_all(request: Request, session: SessionView) -> Response:
    await run_in_threadpool(practice(request).lock_all, session.id)
    return let_out(RedirectResponse("/login?locked=1", status_code=303))


@signed_in
async def pulse(request: Request, session: SessionView) -> Response:
    """What an open page asks every few seconds; never counts as activity."""
    beat = await run_in_threadpool(practice(request).pulse, session.id)
    return JSONResponse(
        {
            "version": beat.version,
            "to_file": beat.to_file,
            "receiving": beat.receiving,
            "left": beat.left_seconds,
        }
    )


@signed_in
async def active(request: Request, session: SessionView) -> Response:
    """A person moved: being a POST, this puts off the idle lock."""
    return Response(status_code=204)


async def switch_language(request: Request) -> Response:
    """Remember the language in a cookie and go back to the page."""
    form = await read_form(request)
    wanted = form.text("language")
    response = RedirectResponse(next_page(form.text("next")), status_code=303)
    if wanted in language.LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, wanted, A_YEAR_SECONDS, path="/", **_KEPT)
    return response


routes = [
    Route("/login", sign_in_page, methods=["GET"]),
    Route("/login", sign_in, methods=["POST"]),
    Route("/opening", opening_page, methods=["GET"]),
    Route("/opening/progress", opening_progress, methods=["GET"]),
    Route("/authority.crt", authority, methods=["GET"]),
    Route("/lock", lock, methods=["POST"]),
    Route("/lock-all", lock_all, methods=["POST"]),
    Route("/pulse", pulse, methods=["GET"]),
    Route("/active", active, methods=["POST"]),
    Route("/language", switch_language, methods=["POST"]),
]
