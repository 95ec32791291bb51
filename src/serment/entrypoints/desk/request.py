"""One request of the command line, as plain values: what is asked, by whom, and who watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serment.core.masked import Masked
from serment.errors import N_, UsageError
from serment.ports import Progress


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the command line. Passwords never enter `options`."""

    command: str
    options: Mapping[str, Any]
    login: str | None = None
    password: Masked[str] | None = None
    new_password: Masked[str] | None = None
    progress: Progress | None = field(default=None, repr=False, compare=False)

    def text(self, name: str) -> str:
        value = self.options.get(name)
        if not isinstance(value, str) or not value:
            raise UsageError(N_("{name} is missing"), name=name)
        return value

    def maybe(self, name: str) -> str | None:
        value = self.options.get(name)
        return value if isinstance(value, str) and value else None


def not_a_moment() -> UsageError:
    """The answer to a time that cannot be read."""
    return UsageError(
        N_("this is not a time"),
        hint=N_("write it as 2026-11-20T08:00, with a zone unless it is this machine's"),
    )
