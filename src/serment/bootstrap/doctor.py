"""`serment doctor`: examines a vault, running or not, and restores the database from its copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from serment.adapters.sqlite import keycopy
from serment.adapters.system import VaultLock
from serment.app.keep.health import examine
from serment.app.protect.receiver import mend
from serment.bootstrap.folder import open_folder
from serment.bootstrap.house import close_house, open_house
from serment.bootstrap.surroundings import Machine
from serment.entrypoints.local.client import is_running
from serment.errors import N_
from serment.ports import ProgressFactory


def examine_vault(
    root: Path, thorough: bool, restore: bool, progress: ProgressFactory
) -> dict[str, Any]:
    """Look at everything; with no server running, mend what a restart would mend.

    Raises:
        Unavailable: restoring while somebody uses the vault.
    """
    folder = open_folder(root)
    running = is_running(folder.local_socket)
    repairs: list[str] = []
    if running and not restore:
        return _examine(root, thorough, progress, repairs, fix=False)
    with VaultLock(folder.root):
        if restore:
            keycopy.restore(folder.database, folder.key_copy)
            repairs.append("the database was restored from keys.copy")
        return _examine(root, thorough, progress, repairs, fix=True)


def _examine(
    root: Path, thorough: bool, progress: ProgressFactory, repairs: list[str], *, fix: bool
) -> dict[str, Any]:
    folder = open_folder(root)
    house = open_house(folder)
    try:
        if fix:
            repairs += mend(house.store, house.packs, house.clock)
        with progress(N_("Examining")) as bar:
            health = examine(house, Machine(folder, house.store), bar, thorough=thorough)
    finally:
        close_house(house)
    findings = [
        {
            "grade": finding.grade.value,
            "message": finding.message,
            "hint": finding.hint,
            "values": finding.values,
        }
        for finding in health.findings
    ]
    return {
        "objects": health.objects,
        "packs": health.packs,
        "repairs": repairs,
        "findings": findings,
        "ok": not findings,
        "running": not fix,
    }
