"""Reads what a page's form sends: bounded before it is parsed, typed before it is used."""

from __future__ import annotations

import asyncio
from datetime import date
from urllib.parse import parse_qsl

from starlette.requests import Request

from serment.errors import N_, FormatError, Unavailable, UsageError

LIMIT_BYTES = 64 * 1024
LIMIT_FIELDS = 100
LIMIT_SECONDS = 20.0  # for the whole of it: a form is short


class Form:
    """The fields of one form, in order; missing ones read as empty."""

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def text(self, name: str, limit: int = 200) -> str:
        """The last value of a field, without surrounding blanks, at most `limit` characters."""
        return self.raw(name)[:limit].strip()

    def raw(self, name: str) -> str:
        """The last value exactly as typed (passwords)."""
        return next((value for key, value in reversed(self._fields) if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._fields if key == name]

    def day(self, name: str) -> date | None:
        """A date field (ISO 8601, as browsers send it); `UsageError` when it is not one."""
        text = self.text(name)
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError as wrong:
            raise UsageError(
                N_("this is not a date"), hint=N_("write it as day, month and year")
            ) from wrong

    def page(self) -> int:
        text = self.text("page")
        return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


async def read_form(request: Request) -> Form:
    """The form of a request (application/x-www-form-urlencoded).

    Raises:
        FormatError: more than 64 KiB, more than 100 fields, or not such a form.
        Unavailable: it did not come within 20 seconds.
    """
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            body = await _body(request)
    except TimeoutError as slow:
        raise Unavailable(
            N_("this form came too slowly"), hint=N_("check the network, then send it again")
        ) from slow
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=LIMIT_FIELDS)
    except ValueError as wrong:
        raise FormatError(
            N_("this form cannot be read"), hint=N_("load the page again and send it once more")
        ) from wrong
    return Form(fields)


async def _body(request: Request) -> bytearray:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT_BYTES:
            raise FormatError(N_("this form is too long"), hint=N_("shorten it and send it again"))
    return body
