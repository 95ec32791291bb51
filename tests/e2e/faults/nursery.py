"""Makes receivers quickly: everything is imported once, each receiver is a fork of its own.

`python nursery.py`: for each line "ROOT HOST PORT" on standard input it starts a receiver and
answers {"pid", "dicom", "seconds"} once that is ready; {"pid"} alone when it ended before. The last
one and its helpers are gone when
the next line is answered. Run by `test_killed_at_random`, nothing else starts it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from serment.bootstrap import receiver


def become(root: str, host: str, port: str, alive: int, ready: int) -> None:
    """In the child: be a receiver with these pipes for standard input and output."""
    os.dup2(alive, 0)
    os.dup2(ready, 1)
    os.closerange(3, 256)
    sys.stdin = os.fdopen(0, "r")
    sys.stdout = os.fdopen(1, "w")
    receiver.run(Path(root), (host, int(port)))


def start(words: list[str]) -> tuple[dict[str, Any], TextIO]:
    """What is said of it, and its output, which ends with the last process of its crew."""
    began = time.monotonic()
    (alive, _), (answer, ready) = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        try:
            become(*words, alive, ready)
        finally:
            os._exit(1)
    os.close(alive)
    os.close(ready)
    print(json.dumps({"pid": pid}), flush=True)  # it may be killed before it is ready
    output = os.fdopen(answer)
    line = output.readline()
    said = json.loads(line) if line else {}
    return {"pid": pid, **said, "seconds": time.monotonic() - began}, output


if __name__ == "__main__":
    for line in sys.stdin:
        said, output = start(line.split())
        print(json.dumps(said), flush=True)
        os.waitpid(said["pid"], 0)
        with output:
            output.read()
        print(json.dumps({"gone": said["pid"]}), flush=True)
