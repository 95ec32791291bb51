"""One child process of the server: started with a pipe it watches, ready when it says so.

A child ends by itself when its standard input closes, so nothing outlives the supervisor, even
one that was killed. What the child does is its own file.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from serment.errors import N_, SermentError, Unavailable

STOP_SECONDS = 20.0
LAST_SECONDS = 10.0  # for the children of one that fell to follow it
# glibc: keep freed buffers of a few MiB instead of returning their pages to the system each time,
# which costs more than sealing what they hold
MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": "268435456",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_ARENA_MAX": "1",  # one pool for all threads: many callers do not make many pools
}
# The process of the pages frees what patients' data stood in all day long: glibc writes over freed
# buffers of more than a KiB. One of 64 KiB takes microseconds.
WIPED = {**MEMORY, "MALLOC_PERTURB_": "85"}


class Child:
    """`python -m serment _NAME ARGUMENTS...`, whose first line of output is a JSON object."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        keep_open: Sequence[int] = (),
        memory: Mapping[str, str] = MEMORY,
    ) -> None:
        self.name, self.arguments = name, list(arguments)  # of the next start
        self._memory = memory
        self._keep_open = tuple(keep_open)
        self._process: subprocess.Popen[bytes] | None = None
        self._reading: threading.Thread | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> dict[str, Any]:
        """Start it and wait until it is ready; the one before it is gone, with its own children.

        Raises:
            SermentError: what the child itself said on its last line.
            Unavailable: the one before it does not end.
        """
        self._wait_for_the_last()
        command = [sys.executable, "-m", "serment", f"_{self.name}", *self.arguments]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=self._keep_open if sys.platform != "win32" else (),
            start_new_session=sys.platform != "win32",
            env={**os.environ, **self._memory},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.ready = self._understood(line)
        self._reading = threading.Thread(target=self._process.stdout.read, daemon=True)
        self._reading.start()
        return self.ready

    def _wait_for_the_last(self) -> None:
        """Its output ends when the last process that has it does."""
        if self._reading is not None:
            self._reading.join(LAST_SECONDS)
            if self._reading.is_alive():
                raise Unavailable(
                    N_("the {name} process does not end"),
                    hint=N_("it is tried again; look at what keeps the disk busy"),
                    name=self.name,
                )

    def _understood(self, line: bytes) -> dict[str, Any]:
        try:
            said = json.loads(line)
        except ValueError:
            said = {}
        if not isinstance(said, dict) or not said:
            self.stop()
            raise SermentError(
                N_("the {name} process did not start"),
                hint=N_("its last words are above; `serment doctor` may say more"),
                name=self.name,
            )
        if "failed" in said:
            self.stop()
            raise Unavailable(said["failed"], hint=said.get("hint", ""), **said.get("values", {}))
        return said

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Close its input, wait for it to finish what it is doing, then insist."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def watch_parent(closed: threading.Event) -> None:
    """In a child: set the event once whoever started it closes the pipe, or dies."""

    def watch() -> None:
        sys.stdin.buffer.read()
        closed.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def report_failure(error: SermentError) -> int:
    """What a child prints as its first line when it cannot start."""
    said = {
        "failed": error.message,
        "hint": error.hint,
        "values": {key: str(value) for key, value in error.values.items()},
    }
    print(json.dumps(said), flush=True)  # noqa: T201 - the parent reads this line
    return error.exit_code
