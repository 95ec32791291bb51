"""A real browser at a real server: what the screens' tests share.

`Server` runs an ASGI application over TLS on loopback, as in production but with a certificate of
the moment. `Browser` drives the system's Chromium, keeps to this machine, and collects what must
not happen: console errors (every Content-Security-Policy violation is one), requests to a foreign
host, axe-core findings.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Error, Page, sync_playwright

from serment.core.crypto.certificates import issue, make_authority

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Server:
    """`app` at https://127.0.0.1:PORT until closed."""

    def __init__(self, app: Any, folder: Path) -> None:
        certificate, key = _certificate(folder)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            ssl_certfile=str(certificate),
            ssl_keyfile=str(key),
            access_log=False,
            log_config=None,
            lifespan="off",
            server_header=False,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)
        self.socket.close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    now = datetime.now(UTC)
    authority, secret = make_authority("Test", [], now)
    certificate, key = issue(authority, secret, ["localhost"], ["127.0.0.1"], now, 2)
    paths = folder / "web.pem", folder / "web.key"
    for path, data in zip(paths, (certificate, key), strict=True):
        path.write_bytes(data)
    return paths


class Visit:
    """One browser window: a page, and what went wrong while it was used."""

    def __init__(self, context: BrowserContext, url: str, axe: str) -> None:
        self.context = context
        self.url = url
        self.axe_source = axe
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _asked(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and not request.url.startswith(
            self.url
        ):
            self.foreign.append(request.url)

    def go(self, path: str) -> None:
        self.page.goto(self.url + path, wait_until="load")

    def sign_in(self, login: str, password: str, code: str = "", *, waits: bool = False) -> None:
        """Until the page after it, unless the one that `waits` is looked for (a busy machine may
        show it at any time)."""
        self.go("/login")
        self.page.fill("#login", login)
        self.page.fill("#password", password)
        self.page.fill("#code", code)
        with self.page.expect_navigation(wait_until="load"):
            self.page.click(".gate-form button")
        if not waits:
            self.until("location.pathname !== '/opening' && document.readyState === 'complete'")

    def until(self, condition: str) -> None:
        """Wait for a JavaScript expression to hold; asked from outside, as the pages forbid
        evaluation to playwright's own waiting too. While a page is on its way, nothing holds."""
        asked = f"(() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }})()"
        for _ in range(300):
            with suppress(Error):
                if self.page.evaluate(asked):
                    return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"never came true: {condition}")

    def axe(self) -> list[str]:
        """Findings of axe-core on the page as it is: rule, places, why."""
        session = self.context.new_cdp_session(self.page)
        tree = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = session.send("Page.createIsolatedWorld", {"frameId": tree, "worldName": "axe"})
        run = json.dumps(
            {"runOnly": {"type": "tag", "values": AXE_TAGS}, "resultTypes": ["violations"]}
        )
        where = {"contextId": world["executionContextId"]}
        session.send("Runtime.evaluate", {"expression": self.axe_source, **where})
        asked = {"awaitPromise": True, "returnByValue": True, **where}
        answer = session.send(
            "Runtime.evaluate", {"expression": f"axe.run(document, {run})", **asked}
        )
        session.detach()
        found = answer["result"]["value"]["violations"]
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found
            for node in each["nodes"]
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        width: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width


class Browser:
    """The system's Chromium; windows differ by language, colour scheme and size."""

    def __init__(self, chromium: Chromium, axe: str) -> None:
        self.chromium = chromium
        self.axe = axe

    @contextmanager
    def visit(
        self,
        url: str,
        *,
        lang: str = "fr",
        dark: bool = False,
        width: int = 1280,
        height: int = 860,
        touch: bool = False,
    ) -> Iterator[Visit]:
        context = self.chromium.new_context(
            ignore_https_errors=True,
            locale="fr-FR" if lang == "fr" else "en-GB",
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": height},
            has_touch=touch,
            timezone_id="Europe/Paris",
        )
        context.set_default_timeout(30_000)
        try:
            yield Visit(context, url, self.axe)
        finally:
            context.close()


@contextmanager
def browser(executable: str, axe: Path) -> Iterator[Browser]:
    """Start Chromium; `axe` is axe-core's axe.min.js."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS, headless=True)
        try:
            yield Browser(chromium, axe.read_text(encoding="utf-8"))
        finally:
            chromium.close()
