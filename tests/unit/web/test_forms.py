"""A form is read within its bounds of time and length, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from serment.entrypoints.web import forms
from serment.errors import FormatError, Unavailable


def request(*chunks: bytes, pause: float = 0.0) -> Request:
    """A form whose chunks come with a pause before each, and never end."""
    coming = iter(chunks)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": next(coming), "more_body": True}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_a_form_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "LIMIT_SECONDS", 0.1)
    slow = request(*[b"a"] * 1000, pause=0.01)
    with pytest.raises(Unavailable, match="came too slowly"):
        asyncio.run(asyncio.wait_for(forms.read_form(slow), 5))


def test_a_form_that_is_too_long_is_given_up() -> None:
    with pytest.raises(FormatError, match="too long"):
        asyncio.run(forms.read_form(request(b"a" * forms.LIMIT_BYTES, b"b")))
