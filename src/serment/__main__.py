"""`python -m serment` and the `serment` command."""

from __future__ import annotations

import sys

from serment.bootstrap.world import RealWorld


def main() -> None:
    """Run one command, or be one process of a server, and leave with its exit code."""
    words, world = sys.argv[1:], RealWorld()
    if words and words[0].startswith("_"):
        sys.exit(world.child(words[0][1:], words[1:]))
    from serment.entrypoints.cli.app import (
        main as run_command_line,
    )  # no process of a server needs it

    sys.exit(run_command_line(world, words))


if __name__ == "__main__":
    main()
