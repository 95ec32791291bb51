"""A refusal for which HTTP has a status of its own, and nothing beyond this service a name."""

from __future__ import annotations

from serment.errors import SermentError


class Refused(Exception):
    """`said` is what is told, as for any other error."""

    def __init__(self, status: int, message: str, *, hint: str = "", **values: object) -> None:
        super().__init__(message)
        self.status = status
        self.said = SermentError(message, hint=hint, **values)
