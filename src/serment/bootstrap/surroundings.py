"""Looks at the machine around the vault: the kit's files, the disk, permissions, the receiver."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from serment.adapters.system import free_bytes, loose_permissions
from serment.bootstrap.folder import Folder
from serment.core.records.vault import Setting
from serment.ports import Store


class Machine:
    """The `Surroundings` port."""

    def __init__(self, folder: Folder, store: Store) -> None:
        self._folder, self._store = folder, store

    def shares_here(self) -> int:
        setting = self._store.get(Setting, "kit-folder")
        if setting is None:
            return 0
        kit = Path(setting.value.decode())
        count = 0
        for number in (1, 2, 3):
            names = [f"serment-share-{number}-of-3{suffix}" for suffix in (".txt", ".pdf")]
            with contextlib.suppress(OSError):
                count += any((kit / name).is_file() for name in names)
        return count

    def receiving(self) -> bool:
        if not hasattr(socket, "AF_UNIX") or not self._folder.intake_socket.exists():
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(str(self._folder.intake_socket))
            except OSError:
                return False
        return True

    def free_bytes(self) -> int:
        return free_bytes(self._folder.root)

    def vault_bytes(self) -> int:
        return sum(p.stat().st_size for p in self._folder.root.rglob("*") if p.is_file())

    def loose_files(self) -> list[str]:
        root = self._folder.root
        return sorted(
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.exists() and not path.is_socket() and loose_permissions(path)
        )
