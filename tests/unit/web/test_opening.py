"""A sign-in that lasts shows how far it is, and lets in the browser that asked for it, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from demo_people import CODE, PASSWORD
from web_client import Answer, Client

from serment.entrypoints.web import progress
from serment.errors import AccessDenied
from serment.ports import Progress

COOKIE = "__Host-serment-opening"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.02)


class Door:
    """A browser whose sign-in goes on until `end` is set, all in one event loop."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.client, self.end, self.fault = Client(), Event(), fault
        self.client.practice.work = self.work

    def work(self, at: Progress) -> None:
        at.total(40)
        at.step(10)
        assert self.end.wait(10)
        if self.fault is not None:
            raise self.fault

    async def send(self, method: str, path: str, body: bytes = b"", **own: str) -> Answer:
        return await self.client.asend(method, path, body, dict(own))

    async def sign_in(self) -> Answer:
        body = f"login=a.perichon&password={PASSWORD}&code={CODE}&next=/patients".encode()
        return await self.send("POST", "/login", body)

    async def finish(self) -> None:
        self.end.set()
        while not (await self.look())["done"]:
            await asyncio.sleep(0.01)

    async def look(self) -> dict[str, Any]:
        found: Any = (await self.send("GET", "/opening/progress", sec_fetch_mode="cors")).json()
        return found


def run(work: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))


def test_what_lasts_shows_a_bar_and_then_the_page_that_was_wanted() -> None:
    async def walk() -> None:
        door = Door()
        assert (await door.sign_in()).header("location") == "/opening"
        assert set(door.client.cookies) == {COOKIE}
        page = (await door.send("GET", "/opening")).text
        assert 'max="40" value="10"' in page and "10 of 40 entries opened" in page
        assert await door.look() == {
            "done": False,
            "count": 10,
            "total": 40,
            "said": "10 of 40 entries opened",
        }
        await door.finish()
        opened = await door.send("GET", "/opening")
        assert (opened.status, opened.header("location")) == (303, "/patients")
        assert set(door.client.cookies) == {"__Host-serment"}
        assert (await door.send("GET", "/patients")).status == 200

    run(walk)


def test_it_opens_once_and_for_that_browser_only() -> None:
    async def walk() -> None:
        door = Door()
        await door.sign_in()
        kept = dict(door.client.cookies)
        stranger = Client(door.client.practice)
        stranger.app = door.client.app
        for cookie in ({}, {COOKIE: "x" * 43}):
            stranger.cookies = cookie
            for path, status in (("/opening", 303), ("/opening/progress", 401)):
                answer = await stranger.asend("GET", path, b"", {})
                assert (answer.status, answer.all("set-cookie")) == (status, [])
        await door.finish()
        assert (await door.send("GET", "/opening")).header("location") == "/patients"
        stranger.cookies = kept
        again = await stranger.asend("GET", "/opening", b"", {})
        assert (again.header("location"), again.all("set-cookie")) == ("/login", [])

    run(walk)


def test_a_refusal_that_comes_late_shows_the_form_again() -> None:
    async def walk() -> None:
        door = Door(AccessDenied("the login or the password is not right"))
        assert (await door.sign_in()).header("location") == "/opening"
        await door.finish()
        page = await door.send("GET", "/opening")
        assert page.status == 403 and "password is not right" in page.text
        assert not door.client.cookies

    run(walk)


def test_before_the_password_is_known_to_be_right_nobody_is_sent_to_wait() -> None:
    """However long that takes: a refusal is the answer to the form."""

    async def walk() -> None:
        client = Client()

        def slow(at: Progress) -> None:
            time.sleep(0.3)
            raise AccessDenied("the login or the password is not right")

        client.practice.work = slow
        answer = await client.asend("POST", "/login", b"login=a.perichon&password=x", {})
        assert answer.status == 403 and not client.cookies

    run(walk)


def test_what_nobody_comes_for_is_locked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "KEPT_SECONDS", 0.05)

    async def walk() -> None:
        door = Door()
        await door.sign_in()
        door.end.set()
        while not door.client.practice.open:
            await asyncio.sleep(0.01)
        while door.client.practice.open:
            await asyncio.sleep(0.01)
        assert (await door.send("GET", "/opening")).header("location") == "/login"

    run(walk)


def test_the_time_left_is_told_once_it_can_be_known() -> None:
    job = progress.Job(100.0)
    assert job.view(100.0) == progress.View(0, None, None)
    job.total(40)
    job.step(10)
    assert job.view(101.0) == progress.View(10, 40, None)  # too early for a guess
    assert job.view(105.0) == progress.View(10, 40, 15.0)
