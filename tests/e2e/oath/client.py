"""A member at a running server: his browser's cookie, his DICOMweb token, one HTTPS request each."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tests.e2e.serving import PASSWORD, Server

BASE = "/dicom-web"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def everything(self) -> bytes:
        """The body, and what the headers say."""
        return b"\n".join([self.body, *(f"{k}: {v}".encode() for k, v in self.headers.items())])


@dataclass
class Client:
    """Sends what a browser sends for a page that a person opened; `token` is for DICOMweb."""

    server: Server
    token: str = ""
    cookie: str = field(default="", repr=False)

    def sign_in(self, login: str) -> Client:
        answer = self.post("/login", {"login": login, "password": PASSWORD, "code": ""})
        while answer.headers.get("location") == "/opening":  # a busy machine
            self.cookie = answer.headers.get("set-cookie", self.cookie).partition(";")[0]
            time.sleep(0.2)
            answer = self.get("/opening")
            answer.headers.setdefault("location", "/opening" if answer.status == 200 else "")
        assert answer.status == 303, answer
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return self

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        return self.send(method, path, b"", headers)

    def post(self, path: str, fields: dict[str, str] | None = None) -> Answer:
        return self.send("POST", path, urlencode(fields or {}).encode(), {"Content-Type": FORM})

    def send(
        self, method: str, path: str, body: bytes | Iterable[bytes], headers: dict[str, str]
    ) -> Answer:
        where = urlsplit(self.server.web)
        context = ssl.create_default_context(cafile=self.server.authority)
        connection = http.client.HTTPSConnection(
            where.hostname or "", where.port, context=context, timeout=60
        )
        own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", **headers}
        if path.startswith(BASE):
            own = {"Accept": "*/*", **headers}
            if self.token:
                own["Authorization"] = f"Bearer {self.token}"
        elif self.cookie:
            own["Cookie"] = self.cookie
        try:
            connection.request(method, path, body, own)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in reversed(response.getheaders())}
            return Answer(response.status, response.read(), named)
        finally:
            connection.close()
