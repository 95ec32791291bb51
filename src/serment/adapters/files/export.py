"""Writes exported files under one folder that must be new or empty; private, one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from serment.adapters.system import create_private, disk_error, make_private_folder
from serment.errors import N_, Conflict


class ExportFolder:
    """Callable with a relative path and its content; a file appears only when it is whole."""

    def __init__(self, root: Path) -> None:
        """
        Raises:
            Conflict: there is something in the folder already.
        """
        self._root = root.resolve()
        if self._root.exists() and any(self._root.iterdir()):
            raise Conflict(
                N_("the folder {folder} is not empty"),
                hint=N_("choose a new folder with -o DIR"),
                folder=str(self._root),
            )
        make_private_folder(self._root)

    def __call__(self, path: str, content: Iterable[bytes]) -> None:
        target = self._root / path
        make_private_folder(target.parent)
        partial = target.with_name(target.name + ".part")
        partial.unlink(missing_ok=True)
        try:
            descriptor = create_private(partial)
            with os.fdopen(descriptor, "wb") as stream:
                for chunk in content:
                    stream.write(chunk)
            partial.replace(target)
        except OSError as error:
            raise disk_error(error) from error
        finally:
            partial.unlink(missing_ok=True)
