"""What a person sees when something did not work: what, why, and the next step.

Each error class of `serment.errors` has its title and picture here; message and hint are the
error's own. An unforeseen fault shows a number and logs that number with the kind of fault and the
place in our code, never its message, which could hold a patient's value.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serment.core.crypto.entropy import new_id
from serment.entrypoints import language
from serment.entrypoints.faults import noted
from serment.entrypoints.web.doors import peer_of, practice, session_id
from serment.entrypoints.web.rendering import is_partial, lang_of, show
from serment.errors import N_, Busy, NotFound, SermentError, UsageError


@dataclass(frozen=True, slots=True)
class Picture:
    icon: str
    title: str


TITLES = {
    400: Picture("question", N_("This could not be understood")),
    403: Picture("key", N_("Your keys do not open this")),
    404: Picture("search", N_("There is nothing here")),
    409: Picture("members", N_("Somebody was faster")),
    423: Picture("lock", N_("The practice is locked")),
    429: Picture("clock", N_("Too many attempts")),
    500: Picture("alert", N_("Something is damaged")),
    503: Picture("power", N_("Not possible right now")),
    507: Picture("device", N_("The disk is full")),
}
FAULT = Picture("alert", N_("Serment is at fault"))
DEFECT = N_("Serment met a fault of its own (number {number})")
DEFECT_HINT = N_("try again; if it comes back, give this number to whoever looks after the server")


async def on_error(request: Request, error: Exception) -> Response:
    """The page, the fragment or the line for one of our errors."""
    assert isinstance(error, SermentError)
    await _recall_session(request)
    return answer(request, error, error.http_status)


async def on_http(request: Request, error: Exception) -> Response:
    """Addresses that do not exist, methods that are not offered."""
    assert isinstance(error, HTTPException)
    await _recall_session(request)
    if error.status_code == 404:
        return answer(
            request,
            NotFound(N_("there is nothing at this address"), hint=N_("go back to the home page")),
            404,
        )
    wrong = UsageError(N_("this address does not take that"), hint=N_("go back to the home page"))
    return answer(request, wrong, error.status_code, error.headers)


async def _recall_session(request: Request) -> None:
    """Put the session where the menu finds it, without counting this as activity."""
    untrusted_id = session_id(request)
    if untrusted_id and getattr(request.state, "session", None) is None:
        request.state.session = await run_in_threadpool(
            practice(request).session, untrusted_id, False, peer_of(request.scope)
        )


def answer(
    request: Request,
    error: SermentError,
    status: int,
    headers: object = None,
) -> Response:
    """An error as a whole page, as a part of one, or as a line for scripts and pictures."""
    lang = lang_of(request)
    picture = FAULT if type(error) is SermentError else TITLES.get(status, TITLES[400])
    message, hint = language.say(error, lang), language.advise(error, lang)
    if wants_page(request):
        template = "problem_part.html" if is_partial(request) else "problem.html"
        response: Response = show(
            request, template, status=status, picture=picture, message=message, hint=hint
        )
    else:
        response = PlainTextResponse(f"{message}\n{hint}\n".rstrip() + "\n", status_code=status)
    if isinstance(error, Busy):
        response.headers["Retry-After"] = "60"
    return response


def wants_page(request: Request) -> bool:
    """Whether the answer is shown to a person as it is."""
    return is_partial(request) or request.headers.get("sec-fetch-mode", "navigate") == "navigate"


class LastResort:
    """The outermost entry point: nothing unforeseen leaves as a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watching(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watching)
        except ClientDisconnect:
            return
        except Exception as fault:  # noqa: BLE001 - the loop of this entry point
            number = new_id()[:8]
            noted(fault, number)
            if scope["type"] == "http" and not started:
                request = Request(scope, receive)
                error = SermentError(DEFECT, hint=DEFECT_HINT, number=number)
                await answer(request, error, 500)(scope, receive, send)
