"""Arrivals that wait for a person: compare side by side, file, undo."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serment.entrypoints.web.doors import practice, ref, signed_in
from serment.entrypoints.web.forms import read_form
from serment.entrypoints.web.rendering import show
from serment.entrypoints.web.views import Page, SessionView
from serment.errors import N_, UsageError


@signed_in
async def to_file(request: Request, session: SessionView) -> Response:
    view = await run_in_threadpool(practice(request).to_file, session.id)
    return show(request, "to_file.html", page=Page.TO_FILE, view=view)


@signed_in
async def file(request: Request, session: SessionView) -> Response:
    """`patient` is a patient's id, or "new"."""
    choice = (await read_form(request)).text("patient")
    if choice != "new" and not re.fullmatch(r"[0-9a-f]{32}", choice):
        raise UsageError(N_("nobody was chosen"), hint=N_("choose a patient, or make a new file"))
    patient = None if choice == "new" else choice
    await run_in_threadpool(practice(request).file, session.id, ref(request, "envelope"), patient)
    return RedirectResponse("/to-file", status_code=303)


@signed_in
async def unfile(request: Request, session: SessionView) -> Response:
    await run_in_threadpool(practice(request).unfile, session.id, ref(request, "envelope"))
    return RedirectResponse("/to-file", status_code=303)


routes = [
    Route("/to-file", to_file, methods=["GET"]),
    Route("/to-file/{envelope}", file, methods=["POST"]),
    Route("/to-file/{envelope}/undo", unfile, methods=["POST"]),
]
