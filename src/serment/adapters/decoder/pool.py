"""Renders frames in child processes: `ports.Decoder` for hostile input.

Decides how many children there are, how long one may work and when it is replaced. A child that
crashes, hangs or answers nonsense is killed, and its request refused with `FormatError`; the next
request gets a new one. Nothing is written to disk.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from serment.adapters.decoder.process import HINT, Child, Limits
from serment.errors import N_, Busy, FormatError, Unavailable

T = TypeVar("T")


class DecoderPool:
    """Thread-safe; `close` it, or use it in a `with` block."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._slots: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(self._limits.children):
            self._slots.put(None)
        self._closed = False

    def render(
        self,
        part10: bytes,
        frame: int,
        *,
        size: int | None,
        window: tuple[float, float] | None,
        image_type: str,
    ) -> bytes:
        """See `ports.Decoder`. `Busy` when no child is free for long."""
        if len(part10) > self._limits.input_bytes:
            raise FormatError(
                N_("the object is too large to be shown: {found} bytes, at most {limit}"),
                hint=HINT,
                found=len(part10),
                limit=self._limits.input_bytes,
            )
        header = {"frame": frame, "size": size, "window": window, "type": image_type}
        return self._with_child(lambda child: child.ask(header, part10))

    def confinements(self) -> list[str]:
        """What the system lets a child be denied, by name (`confinement`); starts one if needed."""
        return self._with_child(lambda child: list(child.held))

    def close(self) -> None:
        """End all children; requests under way are refused."""
        self._closed = True
        for _ in range(self._limits.children):
            try:
                child = self._slots.get(timeout=self._limits.seconds + 1)
            except queue.Empty:
                return
            if child:
                child.kill()

    def __enter__(self) -> DecoderPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _with_child(self, use: Callable[[Child], T]) -> T:
        """Borrow a child, starting one where there is none; give back only a healthy one."""
        if self._closed:
            raise Unavailable(N_("pictures are no longer shown: Serment is stopping"))
        try:
            child = self._slots.get(timeout=self._limits.waiting_seconds)
        except queue.Empty:
            raise Busy(
                N_("too many pictures are asked for at once"), hint=N_("try again in a moment")
            ) from None
        try:
            if child and not child.alive:
                child.kill()
                child = None
            child = child or Child(self._limits)
            return use(child)
        finally:
            if child and (self._closed or not child.alive or child.worn):
                child.kill()
                child = None
            self._slots.put(child)
