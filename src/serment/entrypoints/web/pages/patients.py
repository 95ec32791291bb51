"""Patients: the list, one file with its timeline and its readers, documents in and out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import unquote

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from serment.entrypoints.bodies import in_time
from serment.entrypoints.web.doors import practice, ref, signed_in
from serment.entrypoints.web.forms import read_form
from serment.entrypoints.web.rendering import is_partial, show
from serment.entrypoints.web.views import Page, SessionView
from serment.errors import N_, FormatError, Unavailable, UsageError

PDF = "application/pdf"
TITLE_LIMIT = 120


@signed_in
async def patients(request: Request, session: SessionView) -> Response:
    return await _list(request, session, "", 1)


@signed_in
async def search(request: Request, session: SessionView) -> Response:
    form = await read_form(request)
    return await _list(request, session, form.text("text"), form.page())


async def _list(request: Request, session: SessionView, text: str, number: int) -> Response:
    found = await run_in_threadpool(practice(request).patients, session.id, text, number)
    template = "patients_part.html" if is_partial(request) else "patients.html"
    return show(request, template, page=Page.PATIENTS, view=found, text=text)


@signed_in
async def patient(request: Request, session: SessionView) -> Response:
    found = await run_in_threadpool(practice(request).patient, session.id, ref(request, "patient"))
    return show(request, "patient.html", page=Page.PATIENTS, view=found)


@signed_in
async def upload(request: Request, session: SessionView) -> Response:
    """The body is the PDF itself and streams to the receiver; the title comes in a header."""
    if request.headers.get("content-type", "") != PDF:
        raise FormatError(
            N_("this is not a PDF document"), hint=N_("choose a file that ends in .pdf")
        )
    title = unquote(request.headers.get("x-serment-title", ""))[:TITLE_LIMIT].strip()
    if not title:
        raise UsageError(N_("the document has no title"), hint=N_("write what it is"))
    object_id = await practice(request).upload(
        session.id, ref(request, "patient"), title, _body(request)
    )
    return JSONResponse({"object": object_id}, status_code=201)


async def _body(request: Request) -> AsyncIterator[bytes]:
    """The body's chunks; a browser that goes away raises instead of ending the document.
    `Unavailable` when they come too slowly."""
    try:
        async for chunk in in_time(request.stream()):
            if chunk:
                yield chunk
    except TimeoutError as slow:
        raise Unavailable(
            N_("this document came too slowly"), hint=N_("check the network, then send it again")
        ) from slow


@signed_in
async def document(request: Request, session: SessionView) -> Response:
    """A document, shown by the browser itself and kept nowhere."""
    found = await run_in_threadpool(practice(request).document, session.id, ref(request, "object"))
    headers = {"Content-Disposition": "inline", "Content-Length": str(found.size)}
    return StreamingResponse(
        iterate_in_threadpool(found.chunks), media_type=found.media_type, headers=headers
    )


routes = [
    Route("/patients", patients, methods=["GET"]),
    Route("/patients", search, methods=["POST"]),
    Route("/patients/{patient}", patient, methods=["GET"]),
    Route("/patients/{patient}/documents", upload, methods=["POST"]),
    Route("/documents/{object}", document, methods=["GET"]),
]
