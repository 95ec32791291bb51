"""Plugs the pages together: one ASGI application for one practice.

The server that runs it keeps no access log: addresses hold random ids, but who reads what belongs
in the journal only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from serment.entrypoints.web import problems
from serment.entrypoints.web.assets import Assets
from serment.entrypoints.web.pages import (
    access,
    breach,
    exposure,
    filing,
    home,
    journal,
    members,
    patients,
    settings,
    studies,
)
from serment.entrypoints.web.progress import Openings
from serment.entrypoints.web.rendering import Renderer
from serment.entrypoints.web.security import Guard
from serment.entrypoints.web.services import Practice
from serment.errors import SermentError

SCREENS = (
    access,
    home,
    studies,
    patients,
    filing,
    exposure,
    journal,
    breach,
    members,
    settings,
)


def create_app(
    practice: Practice, hosts: Iterable[str], more: Sequence[BaseRoute] = ()
) -> Starlette:
    """The web application.

    Args:
        practice: what the pages show and do.
        hosts: names and addresses this server answers under, without port; an IPv6 address in
            brackets. Any other Host header is refused (DNS rebinding).
        more: routes of other entry points under the same guard (DICOMweb).
    """
    assets = Assets()
    routes = [route for screen in SCREENS for route in screen.routes]
    app = Starlette(
        routes=[*routes, *assets.routes(), *more],
        middleware=[Middleware(Guard, hosts=hosts), Middleware(problems.LastResort)],
        exception_handlers={
            SermentError: problems.on_error,
            HTTPException: problems.on_http,
        },
    )
    app.state.practice = practice
    app.state.renderer = Renderer(assets)
    app.state.openings = Openings()
    return app
