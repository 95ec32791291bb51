"""One person at one browser window, and what must never happen while he walks through the screens.

At the end of every walk: nothing on the console, no request to another machine, no identifier in
any address asked for, no referrer, and on every answer the headers that keep a page to itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from playwright.sync_api import Page
from tests.e2e.browser import Browser, Visit
from tests.e2e.screens.premises import PASSWORD, Premises

from serment.app.prove.bytesearch import Search

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
ALWAYS = {
    "content-security-policy": CSP,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}
NO_HSTS = "strict-transport-security"  # docs/decisions/0007-no-hsts.md


@dataclass
class Walk:
    """A window, the person in it, and everything it asked the server for."""

    visit: Visit
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)  # statuses the test brings about itself

    @property
    def page(self) -> Page:
        return self.visit.page

    def watch(self) -> None:
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def _request(self, request: Any) -> None:
        self.asked.append(request.url)
        # Of a page that reloads itself and is redirected a referrer is told here that is not sent
        if request.headers.get("referer", "") not in ("", f"{self.visit.url}/opening"):
            self.wrong.append(f"referrer: {request.url}")

    def _response(self, response: Any) -> None:
        if not response.url.startswith("https:"):
            return
        headers, path = response.headers, response.url.removeprefix(self.visit.url)
        cached = "immutable" if path.startswith("/static/") else "no-store"
        self.wrong += [
            f"{name} of {path}" for name, value in ALWAYS.items() if headers.get(name) != value
        ]
        if cached not in headers.get("cache-control", "") or NO_HSTS in headers:
            self.wrong.append(f"caching or HSTS of {path}")

    def go(self, path: str, status: int = 200) -> None:
        """Open an address as a person types it."""
        if status != 200:
            self.expected.add(status)
        answer = self.page.goto(self.visit.url + path, wait_until="load")
        assert answer is not None and answer.status == status, f"{path}: {answer}"

    def sign_in(self, login: str, password: str = PASSWORD, code: str = "") -> None:
        self.visit.sign_in(login, password, code)

    def text(self, selector: str = "main") -> str:
        """What a person reads there, with plain spaces."""
        return " ".join(self.page.inner_text(selector).split())

    def until(self, condition: str) -> None:
        self.visit.until(condition)

    def has(self, words: str, selector: str = "main") -> None:
        """Wait until a person reads these words there."""
        self.page.locator(selector, has_text=words).first.wait_for()

    def open(self, summary: str) -> None:
        """Unfold what is folded behind these words."""
        self.page.locator("summary", has_text=summary).first.click()

    def fetch(self, path: str) -> dict[str, Any]:
        """What a script of the page itself gets at an address: status, type, text (as Latin-1)."""
        got: dict[str, Any] = self.page.evaluate(
            """async (path) => {
              const answer = await fetch(path);
              const bytes = new Uint8Array(await answer.arrayBuffer());
              const text = Array.from(bytes.slice(0, 9999), (one) => String.fromCharCode(one));
              const type = answer.headers.get("content-type");
              return {status: answer.status, type, text: text.join("")};
            }""",
            path,
        )
        if got["status"] >= 400:
            self.expected.add(got["status"])
        return got

    def check(self, where: str, *, axe: bool = True) -> None:
        """Accessible, and no wider than the window."""
        assert self.page.locator("h1").count() == 1, where
        assert self.visit.overflow() <= 0, where
        assert not axe or self.visit.axe() == [], where

    def finish(self, search: Search) -> None:
        """What must hold of the whole walk."""
        unforeseen = [
            error
            for error in self.visit.errors
            if not any(f"status of {status}" in error for status in self.expected)
        ]
        assert unforeseen == [], unforeseen
        assert self.visit.foreign == [], self.visit.foreign
        assert self.wrong == [], self.wrong[:5]
        assert self.asked, "nothing was listened to"
        assert not names_somebody(self.asked, search), "an identifier stands in an address"


def names_somebody(addresses: list[str], search: Search) -> bool:
    """Whether a planted identifier stands in one of them, as it is or percent-encoded."""
    lines = [*addresses, *map(unquote_plus, addresses)]
    return bool(search.run([("addresses", ["\n".join(lines).encode()])]).found)


@dataclass
class Door:
    """Lets people in: each window is closed, and its walk looked at, when it ends."""

    browser: Browser
    premises: Premises
    search: Search

    @contextmanager
    def __call__(
        self, login: str = "", *, lang: str = "fr", url: str = "", **size: int
    ) -> Iterator[Walk]:
        with self.browser.visit(url or self.premises.url, lang=lang, **size) as visit:
            walk = Walk(visit)
            walk.watch()
            if login:
                walk.sign_in(login)
                assert walk.page.locator("nav.menu").count() == 1, walk.text("body")
            yield walk
            walk.finish(self.search)
