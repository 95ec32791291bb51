"""Gives the command line the helpers outside: over TCP, with the pairings of a vault or of this user."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from serment.adapters.peer.book import Book
from serment.adapters.peer.calling import FarPeers
from serment.adapters.peer.listening import Helper
from serment.adapters.system import SystemClock, no_core_dumps
from serment.bootstrap.folder import open_folder
from serment.bootstrap.stopping import when_told_to_stop
from serment.ports.peer import Helping, Peers

FILE_NAME = "peers.json"


def peers(vault: Path | None) -> Peers:
    """See `World.peers`."""
    return FarPeers(Book(pairings_file(vault)), SystemClock())


def helping(vault: Path | None, told: Callable[[str, str], None]) -> Helping:
    """See `World.helping`. From now on this process leaves no core dump, and Ctrl-C ends the helper."""
    no_core_dumps()
    helper = Helper(Book(pairings_file(vault)), SystemClock(), told)
    when_told_to_stop(helper.stop)
    return helper


def pairings_file(vault: Path | None) -> Path:
    """With a vault beside the server's own keys; without one in the user's folder for settings, or
    where `SERMENT_PEERS` says."""
    if vault is not None:
        return open_folder(vault).server / FILE_NAME
    if named := os.environ.get("SERMENT_PEERS"):
        return Path(named)
    if sys.platform == "win32":
        settings = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return settings / "serment" / FILE_NAME
