"""The worklist and the viewer. A search is a POST, so that no name stands in an address."""

from __future__ import annotations

import re
from itertools import groupby

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serment.core.records.vault import EnvelopeKind
from serment.entrypoints.web.doors import practice, ref, signed_in
from serment.entrypoints.web.forms import Form, read_form
from serment.entrypoints.web.rendering import is_partial, show
from serment.entrypoints.web.views import Page, Picture, Series, SessionView, StudyQuery
from serment.errors import N_, UsageError

NUMBER = re.compile(r"-?[0-9]{1,7}(\.[0-9]{1,6})?")
MAX_SIZE_PIXELS = 8192
VOLUMES = frozenset({"CT", "MR", "PT", "NM"})  # opened in the middle of the stack


@signed_in
async def worklist(request: Request, session: SessionView) -> Response:
    return await _worklist(request, session, StudyQuery())


@signed_in
async def search(request: Request, session: SessionView) -> Response:
    return await _worklist(request, session, _query(await read_form(request)))


async def _worklist(request: Request, session: SessionView, query: StudyQuery) -> Response:
    found = await run_in_threadpool(practice(request).worklist, session.id, query)
    template = "studies_part.html" if is_partial(request) else "studies.html"
    days = [(day, list(lines)) for day, lines in groupby(found.studies, lambda line: line.date)]
    return show(request, template, page=Page.STUDIES, view=found, days=days, query=query)


def _query(form: Form) -> StudyQuery:
    return StudyQuery(
        name=form.text("name"),
        identifier=form.text("identifier"),
        birth_date=form.day("birth_date"),
        date_from=form.day("date_from"),
        date_to=form.day("date_to"),
        modality=form.text("modality", 16),
        accession=form.text("accession"),
        to_file=form.text("to_file") == "1",
        page=form.page(),
    )


@signed_in
async def viewer(request: Request, session: SessionView) -> Response:
    study = await run_in_threadpool(practice(request).study, session.id, ref(request, "study"))
    series = [_series(each) for each in study.series]
    return show(request, "viewer.html", page=Page.STUDIES, study=study, series=series)


def _series(series: Series) -> dict[str, object]:
    """What the viewer's script needs: random ids, sizes and windows, frame by frame."""
    images = series.images if series.kind is EnvelopeKind.IMAGE else ()
    return {
        "title": series.description or series.body_part,
        "modality": series.modality,
        "kind": "volume" if series.modality in VOLUMES else "pictures",
        "frames": [
            {
                "object": image.object,
                "frame": number,
                "rows": image.rows,
                "columns": image.columns,
                "window": image.window,
            }
            for image in images
            for number in range(1, image.frames + 1)
        ],
    }


@signed_in
async def thumbnail(request: Request, session: SessionView) -> Response:
    object_id = ref(request, "object")
    return _picture(await run_in_threadpool(practice(request).thumbnail, session.id, object_id))


@signed_in
async def frame(request: Request, session: SessionView) -> Response:
    """One frame as a picture: /frames/OBJECT/NUMBER?c=CENTRE&w=WIDTH&s=LONGER_SIDE."""
    object_id = ref(request, "object")
    untrusted_number: str = request.path_params["frame"]
    if not re.fullmatch(r"[1-9][0-9]{0,6}", untrusted_number):
        raise UsageError(N_("frames count from 1"), hint=N_("open the study again"))
    number = int(untrusted_number)
    window, size = _window(request), _size(request)
    return _picture(
        await run_in_threadpool(
            practice(request).frame, session.id, object_id, number, window, size
        )
    )


def _window(request: Request) -> tuple[float, float] | None:
    centre, width = (request.query_params.get(name, "") for name in ("c", "w"))
    if not (NUMBER.fullmatch(centre) and NUMBER.fullmatch(width)):
        return None
    return float(centre), max(1.0, float(width))


def _size(request: Request) -> int | None:
    text = request.query_params.get("s", "")
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        return None
    return min(max(16, int(text)), MAX_SIZE_PIXELS)


def _picture(picture: Picture) -> Response:
    return Response(picture.data, media_type=picture.media_type)


@signed_in
async def report(request: Request, session: SessionView) -> Response:
    found = await run_in_threadpool(practice(request).report, session.id, ref(request, "object"))
    return show(request, "report.html", page=Page.STUDIES, report=found)


routes = [
    Route("/studies", worklist, methods=["GET"]),
    Route("/studies", search, methods=["POST"]),
    Route("/studies/{study}", viewer, methods=["GET"]),
    Route("/thumbnails/{object}", thumbnail, methods=["GET"]),
    Route("/frames/{object}/{frame}", frame, methods=["GET"]),
    Route("/reports/{object}", report, methods=["GET"]),
]
