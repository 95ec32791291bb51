"""The routes of the DICOMweb service, all under /dicom-web.

Errors are answered here, without a page; query strings, which may name a patient, are never
logged nor repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.dicomweb import qido, stow, wado
from serment.entrypoints.dicomweb.callers import BASE, problem
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.errors import SermentError
from serment.ports import Decoder

Endpoint = Callable[[Request], Awaitable[Response]]
S = "/studies/{study}"
R = S + "/series/{series}"
I = R + "/instances/{instance}"  # noqa: E741 - study, series, instance as in PS3.18

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
    (S + "/rendered", wado.rendered),
    (R + "/rendered", wado.rendered),
    (I + "/rendered", wado.rendered),
    (S + "/thumbnail", wado.rendered),
    (R + "/thumbnail", wado.rendered),
    (I + "/thumbnail", wado.rendered),
    (I + "/frames/{frame}/rendered", wado.rendered),
    (I + "/frames/{frame}/thumbnail", wado.rendered),
    (I + "/frames/{frames}", wado.frames),
    (I + "/bulkdata/{path:path}", wado.bulk),
    (S, wado.objects),
    (R, wado.objects),
    (I, wado.objects),
)
POSTS: tuple[tuple[str, Endpoint], ...] = (("/studies", stow.store), (S, stow.store))


def dicomweb_routes(desk: Desk, decoder: Decoder, intake: AsyncIntakeClient) -> list[BaseRoute]:
    """What the web application mounts beside its pages."""
    routes = [Route(path, _guarded(endpoint), methods=["GET"]) for path, endpoint in GETS]
    routes += [Route(path, _guarded(endpoint), methods=["POST"]) for path, endpoint in POSTS]
    service = Starlette(routes=routes)
    service.state.desk, service.state.decoder, service.state.intake = desk, decoder, intake
    return [Mount(BASE, app=service)]


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SermentError as error:
            return problem(error)

    return guarded
