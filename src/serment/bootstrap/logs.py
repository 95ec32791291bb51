"""Log lines as JSON on standard error, with an allow-list of fields.

A field that is not on the list is dropped: no name, identifier, UID, query or key can be logged
by mistake. The journal, not the log, says who did what.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from serment.entrypoints.faults import unforeseen

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


def logger(process: str) -> Any:
    """A logger of one process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=_Lines,
    )
    return structlog.get_logger().bind(process=process)


def gather(log: Any) -> None:
    """Have what libraries log end here: of a fault its type and place, never its message, which
    may hold a patient's value, nor the lines of a traceback."""
    root = logging.getLogger()
    root.handlers = [_Gathered(log)]


class _Gathered(logging.Handler):
    def __init__(self, log: Any) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fault = record.exc_info[1] if record.exc_info else None
        self._log.error("fault in a library's loop", what=record.name, **_place(fault))


def _place(fault: BaseException | None) -> dict[str, Any]:
    return {} if fault is None else dict(unforeseen(fault).values)


class _Lines:
    """Writes lines while it can: a log on a full disk, or one nobody reads any more, must not end
    the process that has something to say."""

    def __init__(self, *_: Any) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.msg

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def _only_allowed(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key in [key for key in event if key not in ALLOWED]:
        del event[key]
    return event
