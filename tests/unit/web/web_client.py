"""A small ASGI client for the pages: one application, cookies kept, headers as a browser sends."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import urlencode

from demo_people import CODE, PASSWORD
from demo_practice import DemoPractice

from serment.entrypoints.web.app import create_app

HOST = "127.0.0.1:8443"


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name.lower()), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def json(self) -> object:
        return json.loads(self.body)


@dataclass
class Client:
    """Sends what Chromium would; `own` headers replace its, None leaves one out."""

    practice: DemoPractice = field(default_factory=DemoPractice)
    cookies: dict[str, str] = field(default_factory=dict)
    lang: str = "en"

    def __post_init__(self) -> None:
        self.app = create_app(self.practice, ["127.0.0.1", "[::1]"])

    def get(self, path: str, **own: str | None) -> Answer:
        return self.send("GET", path, b"", own)

    def script(self, path: str, **own: str | None) -> Answer:
        """A GET as our scripts and pictures make it."""
        return self.send("GET", path, b"", {"sec_fetch_mode": "cors", **own})

    def post(self, path: str, fields: object = (), **own: str | None) -> Answer:
        form = "application/x-www-form-urlencoded"
        body = urlencode(fields, doseq=True).encode()
        return self.send("POST", path, body, {"content_type": form, **own})

    def sign_in(self, login: str = "a.perichon") -> Answer:
        second = self.practice.people[login].second_factor
        fields = {"login": login, "password": PASSWORD, "code": CODE if second else ""}
        return self.post("/login", fields)

    def send(self, method: str, path: str, body: bytes, own: dict[str, str | None]) -> Answer:
        return asyncio.run(self.asend(method, path, body, own))

    async def asend(
        self, method: str, path: str, body: bytes, own: dict[str, str | None]
    ) -> Answer:
        headers: dict[str, str | None] = {
            "host": HOST,
            "accept-language": self.lang,
            "sec-fetch-site": "same-origin",
            "sec-fetch-mode": "navigate",
            **{name.replace("_", "-"): value for name, value in own.items()},
        }
        if self.cookies:
            jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers.setdefault("cookie", jar)
        sent = [(k.encode(), v.encode()) for k, v in headers.items() if v is not None]
        answer = await self._exchange(method, path, body, sent)
        for line in answer.all("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    async def _exchange(
        self, method: str, path: str, body: bytes, headers: list[tuple[bytes, bytes]]
    ) -> Answer:
        route, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": route,
            "raw_path": route.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": ("192.168.1.31", 50123),
            "server": ("127.0.0.1", 8443),
        }
        pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)] or [b""]
        incoming = iter(
            {"type": "http.request", "body": piece, "more_body": piece is not pieces[-1]}
            for piece in pieces
        )
        outgoing: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            following = next(incoming, None)
            if following is None:  # the browser waits for the answer
                await asyncio.Event().wait()
            return following

        async def send(message: dict[str, object]) -> None:
            outgoing.append(message)

        await self.app(scope, receive, send)
        start = outgoing[0]
        received = [(k.decode().lower(), v.decode()) for k, v in start["headers"]]
        return Answer(
            start["status"], received, b"".join(each.get("body", b"") for each in outgoing[1:])
        )
