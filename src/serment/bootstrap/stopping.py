"""How programs that serve until somebody ends them hear of it."""

from __future__ import annotations

import signal
from collections.abc import Callable


def when_told_to_stop(act: Callable[[], object]) -> None:
    """From now on Ctrl-C, or SIGTERM, does this and interrupts nothing; also where the shell that
    started this in the background had it ignore Ctrl-C."""
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), lambda *_: act())
