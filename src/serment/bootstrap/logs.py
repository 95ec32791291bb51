"""Log lines as JSON on standard error, with an allow-list of fields.

A field that is not on the list is dropped: no name, identifier, UID, query or key can be logged
by mistake. The journal, not the log, says who did what.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

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
