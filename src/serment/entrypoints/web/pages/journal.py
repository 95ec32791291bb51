"""The journal: what happened, in plain sentences; its proof; a checkpoint to keep elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serment.core.journal.entries import EventKind
from serment.entrypoints.web import sentences
from serment.entrypoints.web.charts import Part
from serment.entrypoints.web.doors import practice, signed_in
from serment.entrypoints.web.forms import Form, read_form
from serment.entrypoints.web.rendering import is_partial, show
from serment.entrypoints.web.views import JournalLine, JournalQuery, Page, SessionView


@signed_in
async def journal(request: Request, session: SessionView) -> Response:
    return await _journal(request, session, JournalQuery(), "")


@signed_in
async def search(request: Request, session: SessionView) -> Response:
    form = await read_form(request)
    group = form.text("group")
    return await _journal(request, session, _query(form, group), group)


async def _journal(
    request: Request, session: SessionView, query: JournalQuery, group: str
) -> Response:
    view = await run_in_threadpool(practice(request).journal, session.id, query)
    template = "journal_part.html" if is_partial(request) else "journal.html"
    hours = [Part(f"{hour} h", count, str(count)) for hour, count in enumerate(view.hours)]
    return show(
        request,
        template,
        page=Page.JOURNAL,
        view=view,
        runs=_runs(view.lines),
        hours=hours,
        query=query,
        group=group,
    )


def _runs(lines: Iterable[JournalLine]) -> list[list[JournalLine]]:
    """The lines in order; the thumbnails that one list showed one person stand together."""
    return [list(run) for _, run in groupby(lines, _run)]


def _run(line: JournalLine) -> tuple[object, ...]:
    if line.kind is EventKind.READ and line.values.get("what") == "thumbnail":
        return line.kind, line.actor
    return (line.index,)


def _query(form: Form, group: str) -> JournalQuery:
    return JournalQuery(
        day=form.day("day"),
        member=_id(form.text("member")),
        patient=_id(form.text("patient")),
        kinds=sentences.GROUPS[group][1] if group in sentences.GROUPS else (),
        page=form.page(),
    )


def _id(untrusted_id: str) -> str:
    return untrusted_id if re.fullmatch(r"[0-9a-f]{32}", untrusted_id) else ""


@signed_in
async def verify(request: Request, session: SessionView) -> Response:
    kept = (await read_form(request)).text("kept", 4000)
    verdict = await run_in_threadpool(practice(request).verify, session.id, kept)
    template = "verdict_part.html" if is_partial(request) else "verdict.html"
    return show(request, template, page=Page.JOURNAL, verdict=verdict)


@signed_in
async def checkpoint(request: Request, session: SessionView) -> Response:
    note = await run_in_threadpool(practice(request).checkpoint, session.id)
    return Response(
        note,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="serment-checkpoint.txt"'},
    )


routes = [
    Route("/journal", journal, methods=["GET"]),
    Route("/journal", search, methods=["POST"]),
    Route("/journal/verify", verify, methods=["POST"]),
    Route("/journal/checkpoint", checkpoint, methods=["GET"]),
]
