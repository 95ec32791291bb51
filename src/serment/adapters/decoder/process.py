"""One decoder child: starts it, watches its time, trusts nothing that it answers."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serment.adapters.confinement import environment
from serment.adapters.decoder.messages import receive, send
from serment.errors import N_, FormatError, NotFound, SermentError, Unavailable, UsageError

CHILD = "serment.adapters.decoder.child"
HINT = N_("fetch the object itself and open it in a viewer")
_REFUSALS: dict[str, type[SermentError]] = {
    kind.__name__: kind for kind in (FormatError, NotFound, UsageError)
}
_MAGIC = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one frame may cost."""

    children: int = 2
    seconds: float = 10.0  # of wall clock, for one frame
    start_seconds: float = 30.0  # for a child to import what it needs
    waiting_seconds: float = 30.0  # for a free child
    memory_bytes: int = 1 << 30  # address space of a child, its programs included
    input_bytes: int = 1 << 28
    output_bytes: int = 1 << 26
    jobs: int = 500  # then a child is replaced


class Child:
    """One process and its pipes, used by one thread at a time."""

    def __init__(self, limits: Limits) -> None:
        """Start it and wait until it is confined. Raises `Unavailable` when it does not start."""
        self._limits = limits
        self._jobs = 0
        self._process = _start(limits)
        assert self._process.stdin and self._process.stdout
        self._input, self._output = self._process.stdin.fileno(), self._process.stdout.fileno()
        try:
            with self._watched(limits.start_seconds):
                hello = receive(self._read, 0)
        except (OSError, ValueError) as error:
            hello = None
            reason = type(error).__name__
        else:
            reason = "EOF"
        if hello is None:
            self.kill()
            raise Unavailable(
                N_("the process that shows pictures does not start ({reason})"),
                hint=N_("run `serment doctor`"),
                reason=reason,
            )
        self.held = [str(name) for name in hello[0].get("held", ())]

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def worn(self) -> bool:
        return self._jobs >= self._limits.jobs

    def ask(self, header: dict[str, Any], part10: bytes) -> bytes:
        """The picture; any refusal, crash, hang or nonsense of the child as a `SermentError`."""
        self._jobs += 1
        try:
            with self._watched(self._limits.seconds):
                send(self._write, header, part10)
                answer = receive(self._read, self._limits.output_bytes)
        except (OSError, ValueError):
            answer = None
        if answer is None:
            self.kill()
            raise _undecodable()
        untrusted, picture = answer
        if "error" in untrusted:
            raise _refusal(untrusted)
        if _kind(picture) != _kind_asked(header["type"]):
            self.kill()
            raise _undecodable()
        return picture

    @contextmanager
    def _watched(self, seconds: float) -> Iterator[None]:
        """Kill the child when the block lasts longer: its pipes then end."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # no kill may come later, into the next request

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _read(self, size: int) -> bytes:
        return os.read(self._output, size)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._input, view) :]


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    arguments = (
        limits.memory_bytes,
        math.ceil(limits.seconds),
        limits.jobs,
        limits.input_bytes,
    )
    return subprocess.Popen(
        [sys.executable, "-s", "-P", "-B", "-m", CHILD, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=environment(),
        cwd=Path(sys.executable).anchor,
        close_fds=True,
    )


def _refusal(untrusted: dict[str, Any]) -> SermentError:
    """The child's own words, if they are short sentences whose every field it fills in."""
    kind = _REFUSALS.get(str(untrusted.get("error")), FormatError)
    message, hint = untrusted.get("message"), untrusted.get("hint")
    values = untrusted.get("values")
    if not (isinstance(message, str) and isinstance(hint, str) and isinstance(values, dict)):
        return _undecodable()
    fields = set(_FIELD.findall(message + hint))
    plain = _FIELD.sub("", message + hint)
    shown = {name: str(values.get(name, "")) for name in fields}
    readable = plain.isprintable() and all(map(str.isprintable, shown.values()))
    short = len(message + hint) <= 400 and all(len(value) <= 80 for value in shown.values())
    if not readable or not short or "{" in plain or "}" in plain or "hint" in fields:
        return _undecodable()
    return kind(message, hint=hint, **shown)


def _undecodable() -> FormatError:
    return FormatError(
        N_("the picture cannot be decoded within the limits of time and memory"), hint=HINT
    )


def _kind(picture: bytes) -> str:
    return next((name for magic, name in _MAGIC.items() if picture.startswith(magic)), "")


def _kind_asked(image_type: str) -> str:
    return "png" if "png" in image_type.lower() else "jpeg"
