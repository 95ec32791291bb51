"""`python -m serment` and the `serment` command."""

from __future__ import annotations

import sys

from serment.bootstrap.world import RealWorld
from serment.entrypoints.cli.app import main as run_command_line


def main() -> None:
    """Run one command and leave with its exit code."""
    sys.exit(run_command_line(RealWorld()))


if __name__ == "__main__":
    main()
