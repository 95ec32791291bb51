"""The home page: what would a thief of this server read now, and what to do today."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serment.entrypoints.web.doors import practice, signed_in
from serment.entrypoints.web.rendering import show
from serment.entrypoints.web.views import Page, SessionView


@signed_in
async def home(request: Request, session: SessionView) -> Response:
    view = await run_in_threadpool(practice(request).home, session.id)
    return show(request, "home.html", page=Page.HOME, view=view)


routes = [Route("/", home, methods=["GET"])]
