"""Looks at the machine around the vault: the kit's files, the disk, permissions, the receiver."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from serment.adapters.decoder import probe
from serment.adapters.files.kit import find_shares, usual_places
from serment.adapters.network import local
from serment.adapters.sqlite import keycopy
from serment.adapters.system import SystemClock, free_bytes, loose_permissions
from serment.bootstrap.folder import Folder
from serment.core.records.vault import Setting
from serment.ports import Store

# Of a running system neither changes.
_decoder_lacks, _talker_lacks = cache(probe.lacking), cache(local.lacking)
LOOK_AGAIN_SECONDS = 600.0  # at all the places; at what was found there, each time


class Machine:
    """The `Surroundings` port."""

    def __init__(self, folder: Folder, store: Store) -> None:
        self._folder, self._store = folder, store
        self._shares: dict[Path, int] = {}
        self._looked: float | None = None

    def shares_here(self) -> int:
        now = SystemClock().monotonic()
        if self._looked is None or now - self._looked >= LOOK_AGAIN_SECONDS:
            self._looked = now
            self._shares = find_shares([self._folder.root.parent, *usual_places()])
        there = {number for path, number in self._shares.items() if path.is_file()}
        return len(there | set(self._where_written().values()))

    def _where_written(self) -> dict[Path, int]:
        setting = self._store.get(Setting, "kit-folder")
        return {} if setting is None else find_shares([Path(setting.value.decode())], depth=0)

    def receiving(self) -> bool:
        if not hasattr(socket, "AF_UNIX") or not self._folder.intake_socket.exists():
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            asked.settimeout(1.0)
            try:
                asked.connect(str(self._folder.intake_socket))
            except OSError:
                return False
        return True

    def free_bytes(self) -> int:
        return free_bytes(self._folder.root)

    def vault_bytes(self) -> int:
        return sum(p.stat().st_size for p in self._folder.root.rglob("*") if p.is_file())

    def decoder_lacks(self) -> list[str]:
        return list(_decoder_lacks())

    def talker_lacks(self) -> list[str]:
        return list(_talker_lacks())

    def damaged_files(self) -> list[tuple[str, datetime]]:
        paths = keycopy.damaged_files(self._folder.database)
        return [(p.name, datetime.fromtimestamp(p.stat().st_ctime, UTC)) for p in paths]

    def loose_files(self) -> list[str]:
        root = self._folder.root
        return sorted(
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.exists() and not path.is_socket() and loose_permissions(path)
        )
