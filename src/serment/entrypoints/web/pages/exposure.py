"""What strangers can reach: the picture, the findings with how to close them, a new audit and how far
it is, who answers for what stays open, the weekly audit, and the report to hand to an installer.

No address holds a finding: what is asked about one stands in a form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from html import unescape
from itertools import groupby

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from serment.core.exposure.boxes import AFTERWARDS, BOXES, CLOSED_AT_BOX, READ
from serment.core.exposure.findings import Severity
from serment.core.exposure.picture import TRIED, picture_of, told
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.report import Say, outside_said
from serment.core.exposure.scope import split
from serment.core.exposure.text import clean
from serment.core.exposure.words import CONFIDENCES, OUTSIDES, SEVERITIES, UNITS, counted
from serment.entrypoints import formats, language
from serment.entrypoints.reports.drawing import NARROW, WIDE, draw
from serment.entrypoints.reports.handout import saying
from serment.entrypoints.web.doors import practice, signed_in
from serment.entrypoints.web.forms import Form, read_form
from serment.entrypoints.web.rendering import lang_of, show
from serment.entrypoints.web.views import (
    AcceptOrder,
    AuditOrder,
    Card,
    ExposureView,
    Page,
    SessionView,
    WeeklyOrder,
)
from serment.errors import N_, NotFound, SermentError, UsageError

LINE = 400  # characters of what a machine said of itself
DAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
TONES: Mapping[Severity, tuple[str, str]] = {
    Severity.CRITICAL: ("bad", "alert"),
    Severity.HIGH: ("bad", "alert"),
    Severity.MEDIUM: ("attention", "alert"),
    Severity.LOW: ("unknown", "info"),
    Severity.INFO: ("unknown", "info"),
}
PHASES = {
    "": N_("The addresses are being gathered."),
    "hosts": N_("Looking for machines: {done} of {total} addresses"),
    "ports": N_("Looking for open ports: {done} of {total}"),
    "services": N_("Talking to services: {done} of {total}"),
}
ANSWERS = {"yes": True, "no": False}
RESULTS = {
    "fail": ("bad", "cross", N_("to correct")),
    "unknown": ("unknown", "question", N_("not known")),
    "pass": ("good", "check", N_("good")),
}


@signed_in
async def exposure(request: Request, session: SessionView) -> Response:
    return await _page(request, session)


async def _page(
    request: Request,
    session: SessionView,
    wrong: SermentError | None = None,
    where: str = "",
    typed: Form | None = None,
) -> Response:
    """The screen; after a form that could not be done, with why at that form, as it was filled."""
    view = await run_in_threadpool(practice(request).exposure, session.id)
    lang = lang_of(request)
    return show(
        request,
        "exposure.html",
        status=wrong.http_status if wrong else 200,
        page=Page.EXPOSURE,
        view=view,
        problem=language.say(wrong, lang) if wrong else "",
        hint=language.advise(wrong, lang) if wrong else "",
        where=where,
        typed=typed or Form([]),
        groups=_groups(view.cards),
        boxes=BOXES,
        box_checks=CLOSED_AT_BOX,
        afterwards=AFTERWARDS,
        read=READ,
        days=DAYS,
        files=LABELS.items(),
        say=saying(lang),
        span=partial(_span, lang),
        **_drawn(view, saying(lang)),
        **WORDS,
    )


def _span(lang: str, length: timedelta) -> str:
    """How long something was open: days, or hours of one day."""
    if length < timedelta(days=1):
        return formats.duration(length.total_seconds(), lang)
    return language.say_count("{count} day", "{count} days", length.days, lang)


WORDS: Mapping[str, object] = {
    "checks": CHECKS,
    "counted": counted,
    "confidences": CONFIDENCES,
    "outsides": OUTSIDES,
    "phases": PHASES,
    "severities": SEVERITIES,
    "tones": TONES,
    "units": UNITS,
    "clean": clean,
    "line": LINE,
}


def _drawn(view: ExposureView, say: Say) -> dict[str, object]:
    """The picture for wide and for narrow windows, and the same in sentences."""
    if view.report is None:
        return {"wide": "", "narrow": "", "sentences_of": [], "outside": [], "tried_outside": False}
    picture, count = picture_of(view.report), view.report.addresses
    return {
        "wide": draw(picture, say, width=WIDE, addresses=count),
        "narrow": draw(picture, say, width=NARROW, addresses=count),
        "sentences_of": told(picture, say),
        "outside": outside_said(view.report.scan, say),
        "tried_outside": bool(TRIED & set(view.report.scan.outside_by)),
    }


def _groups(cards: Iterable[Card]) -> list[tuple[Severity, list[Card]]]:
    return [
        (severity, list(each))
        for severity, each in groupby(cards, lambda card: card.known.finding.severity)
    ]


@signed_in
async def progress(request: Request, session: SessionView) -> Response:
    """How far the audit is, for the bar; puts off nothing."""
    running = await run_in_threadpool(practice(request).audit_progress, session.id)
    if running is None:
        return JSONResponse({"done": True, "count": 0, "total": 0, "said": ""})
    html = show(request, "exposure_progress.html", running=running, phases=PHASES).body
    said = unescape(bytes(html).decode().strip())
    return JSONResponse(
        {"done": False, "count": running.done, "total": running.total or None, "said": said}
    )


Act = Callable[[Request, SessionView, Form], Awaitable[None]]


def _form(where: str, act: Act) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that does what a form asks, then shows the screen there; or why it was not done."""

    @signed_in
    async def endpoint(request: Request, session: SessionView) -> Response:
        form = await read_form(request)
        try:
            await act(request, session, form)
        except SermentError as wrong:
            if wrong.http_status in (403, 423) and not session_may(session):
                raise
            return await _page(request, session, wrong, where, form)
        return RedirectResponse(f"/exposure#{where}", status_code=303)

    return endpoint


def session_may(session: SessionView) -> bool:
    """Whether the screen is in this session's menu."""
    return Page.EXPOSURE in session.pages


async def _begin(request: Request, session: SessionView, form: Form) -> None:
    order = AuditOrder(
        targets=tuple(split([form.text("targets", 2000)])),
        authorised_by=form.text("by"),
        large=form.text("large") == "yes",
        dmz=ANSWERS.get(form.text("dmz")),
        manual_rules=ANSWERS.get(form.text("rules")),
    )
    await run_in_threadpool(practice(request).begin_audit, session.id, order)


async def _recheck(request: Request, session: SessionView, form: Form) -> None:
    await run_in_threadpool(practice(request).recheck, session.id, _key(form))


async def _accept(request: Request, session: SessionView, form: Form) -> None:
    order = AcceptOrder(_key(form), form.text("who"), form.text("why", 500), form.day("until"))
    await run_in_threadpool(practice(request).accept_finding, session.id, order)


async def _plan(request: Request, session: SessionView, form: Form) -> None:
    order = WeeklyOrder(
        on=form.text("on") == "yes",
        weekday=_number(form.text("weekday")),
        hour=_number(form.text("hour")),
        targets=tuple(split([form.text("targets", 2000)])),
        authorised_by=form.text("by"),
        large=form.text("large") == "yes",
    )
    await run_in_threadpool(practice(request).plan_audits, session.id, order)


def _key(form: Form) -> tuple[str, str, int]:
    """The finding a form is about; whether there is one, the history says."""
    return form.text("check", 8), form.text("host", 120), _number(form.text("port"))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise UsageError(N_("this is not a number"), hint=N_("load the page again"))
    return int(text)


@signed_in
async def posture(request: Request, session: SessionView) -> Response:
    """How the server's own machine is kept: asked now, kept nowhere."""
    answers = await run_in_threadpool(practice(request).host_posture, session.id)
    order = list(RESULTS)
    ranked = sorted(answers, key=lambda each: order.index(each.verdict.result.value))
    return show(
        request,
        "exposure_host.html",
        page=Page.EXPOSURE,
        answers=ranked,
        results=RESULTS,
        say=saying(lang_of(request)),
    )


LABELS = {
    "pdf": N_("Document (PDF)"),
    "html": N_("Page (HTML)"),
    "json": N_("For programs (JSON)"),
    "sarif": N_("For programs (SARIF)"),
}


@signed_in
async def download(request: Request, session: SessionView) -> Response:
    """The report of how things stand, as a file."""
    kind = request.path_params["kind"]
    if kind not in LABELS:
        raise NotFound(N_("there is nothing at this address"), hint=N_("go back to the home page"))
    made = await run_in_threadpool(
        practice(request).audit_report, session.id, kind, lang_of(request)
    )
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, media_type=made.media, headers=headers)


routes = [
    Route("/exposure", exposure, methods=["GET"]),
    Route("/exposure/progress", progress, methods=["GET"]),
    Route("/exposure/audit", _form("audit", _begin), methods=["POST"]),
    Route("/exposure/recheck", _form("findings", _recheck), methods=["POST"]),
    Route("/exposure/accept", _form("findings", _accept), methods=["POST"]),
    Route("/exposure/weekly", _form("weekly", _plan), methods=["POST"]),
    Route("/exposure/host", posture, methods=["POST"]),
    Route("/exposure/report/{kind}", download, methods=["GET"]),
]
