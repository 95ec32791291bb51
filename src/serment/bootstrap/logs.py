"""Log lines as JSON on standard error, with an allow-list of fields.

A field that is not on the list is dropped: no name, identifier, UID, query or key can be logged
by mistake. The journal, not the log, says who did what.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from typing import Any

from serment.adapters.system import SystemClock
from serment.entrypoints.faults import FAULTS, unforeseen

ALLOWED = frozenset(
    {
        "event",
        "level",
        "at",
        "process",
        "what",
        "type",
        "where",
        "reason",
        "number",  # of a fault, as it was shown
        "peer",
        "status",
        "route",
        "count",
        "address",
        "circle",
    }
)


class Log:
    """Writes lines while it can: a log on a full disk, or one nobody reads any more, must not end
    the process that has something to say."""

    def __init__(self, process: str) -> None:
        self._process, self._clock = process, SystemClock()

    def info(self, event: str, **fields: object) -> None:
        self._write("info", event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        line = {
            "process": self._process,
            **{key: value for key, value in fields.items() if key in ALLOWED},
            "event": event,
            "level": level,
            "at": self._clock.now().isoformat(),
        }
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(json.dumps(line, default=str) + "\n")
            sys.stderr.flush()


def logger(process: str) -> Log:
    """The log of one process."""
    return Log(process)


def gather(log: Log) -> None:
    """Have what libraries, and our own pages, log end here: of a fault its type and place, never
    its message, which may hold a patient's value, nor the lines of a traceback."""
    root = logging.getLogger()
    root.handlers = [_Gathered(log)]


class _Gathered(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == FAULTS:
            self._log.error("fault", **getattr(record, "fields", {}))
            return
        fault = record.exc_info[1] if record.exc_info else None
        self._log.error("fault in a library's loop", what=record.name, **_place(fault))


def _place(fault: BaseException | None) -> dict[str, Any]:
    return {} if fault is None else dict(unforeseen(fault).values)
