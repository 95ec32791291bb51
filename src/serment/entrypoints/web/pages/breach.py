"""After a breach: a form, and whom it reached, with a picture and the evidence. Nothing of it in an
address; times typed without a zone are the server's."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serment.core.breach.exposure import Category
from serment.entrypoints.formats import number
from serment.entrypoints.language import say
from serment.entrypoints.web.charts import Part
from serment.entrypoints.web.doors import practice, signed_in
from serment.entrypoints.web.forms import Form, read_form
from serment.entrypoints.web.rendering import is_partial, lang_of, show
from serment.entrypoints.web.views import Page, RadiusQuery, RadiusView, SessionView, Three
from serment.errors import N_, UsageError

WHAT = {
    "disk": N_("the server or its disk was stolen"),
    "backup": N_("a backup, or a copy of the vault, was taken"),
    "account": N_("somebody used a member's account"),
    "server": N_("somebody controlled the running server"),
    "listener": N_("somebody listened on the network at one of its addresses"),
}
CATEGORIES = {
    Category.IDENTITY: N_("Identity"),
    Category.IMAGES: N_("Images and signals"),
    Category.REPORTS: N_("Reports"),
    Category.DOCUMENTS: N_("Documents"),
}
HEADS = (N_("read"), N_("readable"), N_("unintelligible"))
TONES = ("bad", "warn", "good")


@signed_in
async def breach(request: Request, session: SessionView) -> Response:
    view = await run_in_threadpool(practice(request).breach, session.id)
    return show(request, "breach.html", page=Page.BREACH, view=view, what=WHAT)


@signed_in
async def radius(request: Request, session: SessionView) -> Response:
    query = _query(await read_form(request))
    found = await run_in_threadpool(practice(request).radius, session.id, query)
    template = "radius_part.html" if is_partial(request) else "radius.html"
    lang = lang_of(request)
    return show(
        request,
        template,
        page=Page.BREACH,
        found=found,
        query=query,
        what=WHAT,
        heads=HEADS,
        categories=CATEGORIES,
        rows=_bars(found, lang),
        legend=[(tone, say(head, lang)) for tone, head in zip(TONES, HEADS, strict=True)],
    )


def _bars(found: RadiusView, lang: str) -> list[tuple[str, list[Part]]]:
    """One bar a row: patients, each category, arrivals filed with nobody."""
    rows = [(N_("Patients"), found.patients)]
    rows += [(CATEGORIES[line.category], line.patients) for line in found.categories]
    if any(found.unfiled):
        rows.append((N_("Unfiled"), found.unfiled))
    return [(say(label, lang), _parts(counts, lang)) for label, counts in rows]


def _parts(counts: Three, lang: str) -> list[Part]:
    return [
        Part(say(head, lang), count, number(count, lang), tone)
        for head, count, tone in zip(HEADS, counts, TONES, strict=True)
    ]


def _query(form: Form) -> RadiusQuery:
    what = form.text("what")
    return RadiusQuery(
        what if what in WHAT else "",
        _moment(form.text("from")),
        _moment(form.text("to")),
        tuple(login[:40] for login in form.all("known") if login),
        form.text("account", 40),
        form.text("listener", 80),
    )


def _moment(text: str) -> datetime | None:
    """A `datetime-local` field: the server's own zone."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise UsageError(
            N_("this is not a time"), hint=N_("write it as day, month, year, hour and minute")
        ) from wrong


routes = [
    Route("/breach", breach, methods=["GET"]),
    Route("/breach", radius, methods=["POST"]),
]
