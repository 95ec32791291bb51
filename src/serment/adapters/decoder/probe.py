"""Finds out which confinements this system grants a decoder child, by trying them in one."""

from __future__ import annotations

import subprocess
import sys

from serment.adapters.confinement import environment

WANTED = ("memory", "processor", "no file size", "no new file", "system calls")
SECONDS = 30.0
_TRY = (
    "import os\n"
    "from serment.adapters.confinement import confine, isolate\n"
    "os.write(1, ','.join([*isolate(), *confine(1 << 30, 60)]).encode())\n"
    "os._exit(0)"
)


def lacking() -> list[str]:
    """What a child is not denied here, by the name of the confinement; all when it cannot start."""
    try:
        done = subprocess.run(
            [sys.executable, "-s", "-P", "-B", "-c", _TRY],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return list(WANTED)
    held = done.stdout.decode("ascii", "replace").split(",")
    return [name for name in WANTED if name not in held]
