"""The clock, the decoder, the printer, whoever watches, and what is true of the machine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Aware UTC, microseconds."""

    def monotonic(self) -> float:
        """Seconds that never go back, for durations and idle times."""


class Decoder(Protocol):
    """Turns the pixels of one frame into a picture, in a child process without any key."""

    def render(
        self,
        part10: bytes,
        frame: int,
        *,
        size: int | None,
        window: tuple[float, float] | None,
        image_type: str,
    ) -> bytes:
        """PNG or JPEG bytes; frame counts from 1; `size` bounds the longer side in pixels.
        `FormatError` for what cannot be decoded within the limits of memory and time."""


class Progress(Protocol):
    """Something that lasts: shown as a bar, in the terminal and on the page that waits."""

    def total(self, count: int) -> None: ...

    def step(self, count: int = 1) -> None: ...


ProgressFactory = Callable[[str], AbstractContextManager[Progress]]


class Typesetter(Protocol):
    """Writes PDF/A documents from a template name and JSON-able data."""

    def render(self, template: str, data: dict[str, Any]) -> bytes: ...


class Surroundings(Protocol):
    """What is true of the machine around the vault; asked anew each time."""

    def shares_here(self) -> int:
        """How many shares of the recovery kit can be read on this machine, as far as is known."""

    def receiving(self) -> bool:
        """Whether a receiver runs for this vault."""

    def free_bytes(self) -> int: ...

    def vault_bytes(self) -> int: ...

    def loose_files(self) -> list[str]:
        """Files of the vault that somebody other than its owner may read, relative paths."""

    def damaged_files(self) -> list[tuple[str, datetime]]:
        """Databases that restored ones replaced, and since when they lie there: they hold every key
        that was deleted since."""

    def decoder_lacks(self) -> list[str]:
        """Which confinements this system does not grant the child that decodes, by name."""

    def talker_lacks(self) -> list[str]:
        """Which confinements this system does not grant the child that talks to the network."""
