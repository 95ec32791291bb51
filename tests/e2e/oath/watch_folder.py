"""Notices every file that appears in a folder, however short its life (Linux inotify(7))."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

IN_CREATE, IN_MOVED_TO = 0x100, 0x80
_HEAD = struct.Struct("iIII")


class FolderWatch:
    """The names that came since it was made; `None` where the system cannot tell."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = -1
        if sys.platform != "linux":
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK)
        libc.inotify_add_watch(self._descriptor, os.fsencode(folder), IN_CREATE | IN_MOVED_TO)

    def came(self) -> list[str] | None:
        """Names created in the folder since the last question."""
        if self._descriptor < 0:
            return None
        names = []
        while True:
            try:
                data = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                return names
            while data:
                *_, length = _HEAD.unpack_from(data)
                names.append(data[_HEAD.size : _HEAD.size + length].rstrip(b"\0").decode())
                data = data[_HEAD.size + length :]

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
