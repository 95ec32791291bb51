"""Signing in, locking, the pulse of an open page, and the language switch."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
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
from serment.entrypoints.web.rendering import LANGUAGE_COOKIE, lang_of, show
from serment.entrypoints.web.views import SessionView
from serment.errors import SermentError

A_YEAR_SECONDS = 365 * 24 * 3600


async def sign_in_page(request: Request) -> Response:
    return await _sign_in(request, next_page(request.query_params.get("next", "/")))


async def sign_in(request: Request) -> Response:
    """Open a session; a wrong part shows the form again, empty, with what to do."""
    form = await read_form(request)
    login, password = form.text("login", 80), Masked(form.raw("password"))
    code = form.text("code", 12).replace(" ", "")
    onward = next_page(form.text("next"))
    old = session_id(request)
    try:
        session = await run_in_threadpool(
            practice(request).sign_in, login, password, code, peer_of(request.scope)
        )
    except SermentError as error:
        return await _sign_in(request, onward, error)
    if old:
        await run_in_threadpool(practice(request).lock, old)
    return let_in(RedirectResponse(onward, status_code=303), session)


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
        response.set_cookie(
            LANGUAGE_COOKIE,
            wanted,
            max_age=A_YEAR_SECONDS,
            path="/",
            secure=True,
            httponly=True,
            samesite="strict",
        )
    return response


routes = [
    Route("/login", sign_in_page, methods=["GET"]),
    Route("/login", sign_in, methods=["POST"]),
    Route("/authority.crt", authority, methods=["GET"]),
    Route("/lock", lock, methods=["POST"]),
    Route("/lock-all", lock_all, methods=["POST"]),
    Route("/pulse", pulse, methods=["GET"]),
    Route("/active", active, methods=["POST"]),
    Route("/language", switch_language, methods=["POST"]),
]
