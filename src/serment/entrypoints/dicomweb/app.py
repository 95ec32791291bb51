"""The routes of the DICOMweb service, all under /dicom-web.

Errors are answered here, without a page; query strings, which may name a patient, are never
logged nor repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.dicomweb import frames, pictures, qido, stow, wado
from serment.entrypoints.dicomweb.answers import encode, problem
from serment.entrypoints.dicomweb.callers import BASE, note_refusal
from serment.entrypoints.dicomweb.refused import Refused
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.kept import Kept
from serment.errors import N_, SermentError
from serment.ports import Decoder

Endpoint = Callable[[Request], Awaitable[Response]]
S = "/studies/{study}"
R = S + "/series/{series}"
I = R + "/instances/{instance}"  # noqa: E741 - study, series, instance as in PS3.18
REFUSALS = {
    404: N_("there is no such resource in this service"),
    405: N_("this resource does not take that method"),
}

GETS: tuple[tuple[str, Endpoint], ...] = (
    ("/studies", qido.studies),
    ("/series", qido.series),
    ("/instances", qido.instances),
    (S + "/series", qido.series),
    (S + "/instances", qido.instances),
    (R + "/instances", qido.instances),
    (S + "/metadata", wado.metadata_of),
    (R + "/metadata", wado.metadata_of),
    (I + "/metadata", wado.metadata_of),
    (S + "/rendered", pictures.rendered),
    (R + "/rendered", pictures.rendered),
    (I + "/rendered", pictures.rendered),
    (S + "/thumbnail", pictures.thumbnail),
    (R + "/thumbnail", pictures.thumbnail),
    (I + "/thumbnail", pictures.thumbnail),
    (I + "/frames/{frames}/rendered", pictures.rendered),
    (I + "/frames/{frames}/thumbnail", pictures.thumbnail),
    (I + "/frames/{frames}", frames.frames),
    (I + "/bulkdata/{path:path}", frames.bulk),
    (S, wado.objects),
    (R, wado.objects),
    (I, wado.objects),
)
POSTS: tuple[tuple[str, Endpoint], ...] = (("/studies", stow.store), (S, stow.store))


def dicomweb_routes(desk: Desk, decoder: Decoder, intake: AsyncIntakeClient) -> list[BaseRoute]:
    """What the web application mounts beside its pages."""
    posts = dict(POSTS)
    routes = [_route(path, get, posts.get(path)) for path, get in GETS]
    service = Starlette(routes=routes, exception_handlers={HTTPException: _refusal})
    state = service.state
    state.desk, state.decoder, state.intake, state.kept = desk, decoder, intake, Kept()
    desk.practice.on_close.append(state.kept.close)
    return [Mount(BASE, app=service)]


def _route(path: str, get: Endpoint, post: Endpoint | None) -> Route:
    """One route for both methods, so that 405 names them all."""

    async def guarded(request: Request) -> Response:
        try:
            if post is not None and request.method == "POST":
                return await post(request)
            return await get(request)
        except Refused as refused:
            return await _problem(request, refused.said, refused.status)
        except SermentError as error:
            return await _problem(request, error, error.http_status)

    return Route(path, guarded, methods=["GET"] if post is None else ["GET", "POST"])


async def _problem(request: Request, error: SermentError, status: int) -> Response:
    if status in (401, 403):
        await note_refusal(request, request.app.state.desk, error)
    return problem(error, status)


async def _refusal(_request: Request, error: Exception) -> Response:
    """An address or a method there is not: a line, not a page."""
    assert isinstance(error, HTTPException)
    body = encode({"error": REFUSALS.get(error.status_code, error.detail), "hint": ""})
    return Response(body, error.status_code, headers=error.headers, media_type="application/json")
