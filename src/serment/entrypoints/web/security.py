"""What every answer carries and which requests are refused before a page sees them.

Decides from headers alone (ASGI middleware, nothing is read or kept): the Host must be one of
ours (a rebound foreign name is not), and a request that another site made a browser send is
refused unless it only navigates here (Fetch Metadata, W3C; `Origin`, RFC 6454 where a browser
sends no metadata). The strict Content-Security-Policy leaves no inline script, no inline style, no
evaluation and no foreign origin. Who is signed in is decided in `doors`.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serment.errors import N_

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": (
        "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), "
        "gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
    ),
    "X-Robots-Tag": "noindex, nofollow",
    "Server": "Serment",
}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE = "__Host-serment"

WRONG_HOST = N_("this server does not answer under that name")
FOREIGN = N_("this request was made by another site, not by a page of Serment")


class Guard:
    """Refuses what is foreign and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message))
            await send(message)

        headers = Headers(scope=scope)
        if host_name(headers.get("host", "")) not in self.hosts:
            await refuse(guarded, 421, WRONG_HOST)
        elif is_foreign(scope["method"], scope["scheme"], headers):
            await refuse(guarded, 403, FOREIGN)
        else:
            await self.app(scope, receive, guarded)


def _add_headers(headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    headers.setdefault("Cache-Control", "no-store")


def host_name(host: str) -> str:
    """The Host header without its port, lower case; brackets of an IPv6 address stay."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def is_foreign(method: str, scheme: str, headers: Headers) -> bool:
    """Whether another origin made the browser send this.

    Where the browser says so (Sec-Fetch-Site), that decides: our own pages send `Origin: null`
    because they send no referrer. A request with an Authorization header and without our cookie
    carries nothing that a browser adds by itself, so nobody can forge it.
    """
    site = headers.get("sec-fetch-site")
    if method in SAFE:
        navigates = headers.get("sec-fetch-mode") == "navigate"
        return site not in (None, "same-origin", "none") and not navigates
    if site is not None:
        return site != "same-origin"
    if "authorization" in headers and COOKIE not in headers.get("cookie", ""):
        return False
    return headers.get("origin") != f"{scheme}://{headers.get('host', '')}"


async def refuse(send: Send, status: int, text: str) -> None:
    """Answer with one plain English line (there is no page, no session, no language yet)."""
    body = text.encode() + b"\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
