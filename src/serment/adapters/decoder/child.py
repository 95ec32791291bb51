"""The decoder child: reads a frame's bytes from its input, writes a picture, holds no key.

Started by `pool` with the limits as arguments. It says first which confinements hold, then
answers requests until its input ends. The parent watches the time of each; a child whose parent
was killed ends by an alarm of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from serment.adapters.confinement import confine, isolate
from serment.adapters.decoder.messages import receive, send
from serment.errors import SermentError


def main(memory_bytes: int, seconds: int, jobs: int, input_limit: int) -> None:
    """Serve until the input ends. `seconds` of each job, of at most `jobs` in all."""
    held = isolate()
    from serment.adapters.decoder.rendering import render, warm_up  # after the network is gone

    warm_up()
    held += confine(memory_bytes, seconds * jobs)
    send(_write, {"held": held})
    while True:
        message = receive(_read, input_limit)
        if message is None:
            return
        _alarm(seconds + 1)
        header, part10 = message
        try:
            picture = render(part10, header)
        except SermentError as error:
            send(_write, _refusal(error))
        except MemoryError:
            send(_write, {"error": "FormatError"})
        else:
            send(_write, {}, picture)
        _alarm(0)


def _alarm(seconds: int) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _refusal(error: SermentError) -> dict[str, Any]:
    return {
        "error": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "values": {name: str(value) for name, value in error.values.items()},
    }


def _read(size: int) -> bytes:
    return os.read(0, size)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
