"""Settings: the second factor, the recovery kit, what is fixed and why."""

from __future__ import annotations

import segno
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serment.entrypoints import language
from serment.entrypoints.web.doors import practice, signed_in
from serment.entrypoints.web.forms import Form, read_form
from serment.entrypoints.web.rendering import lang_of, show
from serment.entrypoints.web.views import Page, SecondFactor, SessionView
from serment.errors import AccessDenied, Busy, SermentError


@signed_in
async def settings(request: Request, session: SessionView) -> Response:
    return await _settings(request, session, None)


async def _settings(
    request: Request,
    session: SessionView,
    factor: SecondFactor | None,
    wrong: SermentError | None = None,
) -> Response:
    view = await run_in_threadpool(practice(request).settings, session.id)
    lang = lang_of(request)
    return show(
        request,
        "settings.html",
        status=wrong.http_status if wrong else 200,
        problem=language.say(wrong, lang) if wrong else "",
        hint=language.advise(wrong, lang) if wrong else "",
        page=Page.SETTINGS,
        view=view,
        factor=factor,
        qr=qr_code(factor.uri.reveal()) if factor else None,
    )


def qr_code(text: str) -> Markup:
    """A QR code as inline SVG: dark modules on a white ground whatever the theme."""
    code = segno.make(text, error="m")
    return Markup(
        code.svg_inline(border=2, omitsize=True, dark="#000", light="#fff", svgclass="qr")
    )


@signed_in
async def new_second_factor(request: Request, session: SessionView) -> Response:
    """Show a new secret once; it counts only after a code made with it, and who changes his phone
    gives a code of the present one."""
    code = _code(await read_form(request))
    try:
        factor = await run_in_threadpool(practice(request).new_second_factor, session.id, code)
    except (AccessDenied, Busy) as wrong:
        return await _settings(request, session, None, wrong)
    return await _settings(request, session, factor)


@signed_in
async def confirm_second_factor(request: Request, session: SessionView) -> Response:
    """A code that is not right shows the same picture again."""
    code = _code(await read_form(request))
    try:
        await run_in_threadpool(practice(request).confirm_second_factor, session.id, code)
    except AccessDenied as wrong:
        factor = await run_in_threadpool(practice(request).pending_second_factor, session.id)
        return await _settings(request, session, factor, wrong)
    return RedirectResponse("/settings#second-factor", status_code=303)


def _code(form: Form) -> str:
    return form.text("code", 12).replace(" ", "")


@signed_in
async def declare_kit(request: Request, session: SessionView) -> Response:
    await run_in_threadpool(practice(request).declare_kit, session.id)
    return RedirectResponse("/settings#kit", status_code=303)


routes = [
    Route("/settings", settings, methods=["GET"]),
    Route("/settings/second-factor", new_second_factor, methods=["POST"]),
    Route("/settings/second-factor/confirm", confirm_second_factor, methods=["POST"]),
    Route("/settings/kit", declare_kit, methods=["POST"]),
]
