"""What nobody foresaw: its type and place are told, never its message; the work goes on."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from contextlib import redirect_stderr
from types import SimpleNamespace
from typing import Any

import pytest

from serment.bootstrap import web
from serment.bootstrap.logs import gather, logger
from serment.entrypoints.local.server import local_app

SECRET = "LEFEVRE Helene"


class Broken:
    """A practice whose every part fails; it counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def expire(self) -> None:
        self.asked += 1
        raise ValueError(SECRET)


def test_the_look_goes_on_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LOOK_SECONDS", 0)
    broken, said = Broken(), io.StringIO()

    async def looks() -> None:
        with redirect_stderr(said):
            looking = asyncio.create_task(
                web._look(SimpleNamespace(practice=broken), None, None, logger("web"))
            )
            while broken.asked < 3 and not looking.done():
                await asyncio.sleep(0.001)
            looking.cancel()

    asyncio.run(looks())
    assert broken.asked >= 3
    assert "ValueError" in said.getvalue() and SECRET not in said.getvalue()


def test_a_fault_of_a_request_is_answered_without_its_message() -> None:
    said: list[dict[str, Any]] = []
    body = json.dumps({"command": "status", "options": {}}).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/run", "headers": [], "query_string": b""}
    app = local_app(SimpleNamespace(practice=Broken(), house=SimpleNamespace(store=None)))
    asyncio.run(app(scope, receive, send))
    answer = said[1]["body"].decode()
    assert said[0]["status"] == 500
    assert json.loads(answer)["values"]["type"] == "ValueError"
    assert SECRET not in answer


def test_what_libraries_log_says_type_and_place_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    said = io.StringIO()
    with redirect_stderr(said):
        gather(logger("web"))
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("uvicorn.error").exception(
                "Exception in ASGI application: %s", SECRET
            )
    line = json.loads(said.getvalue())
    assert (line["type"], line["what"]) == ("ValueError", "uvicorn.error")
    assert SECRET not in said.getvalue()
