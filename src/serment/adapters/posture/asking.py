"""Asks one question of this machine, within a time and a size, and with the user's rights only.

A program is found in the system's own folders, never by PATH; it gets no input, no shell, a short
environment, and is ended with its children when the time is over.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from serment.adapters.posture import registry
from serment.adapters.posture.questions import (
    FOLDERS,
    Command,
    Dates,
    Environment,
    Files,
    Present,
    Question,
    Registry,
)
from serment.core.exposure.posture.verdict import System

LIMIT_BYTES: Final = 256 * 1024  # of one answer
MOST_FILES: Final = 40
_KEPT: Final = (
    *("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"),
    *("PROGRAMDATA", "PROGRAMFILES", "COMPUTERNAME", "USERNAME", "USERDOMAIN", "PSMODULEPATH"),
)


def ask(question: Question, system: System, seconds: float) -> str | None:
    """The answer; None when it could not be asked."""
    match question:
        case Command():
            return run(question, system, seconds)
        case Files():
            return read(question)
        case Dates():
            return dates(question)
        case Present():
            return "\n".join(name for name, path in question.paths.items() if is_there(path))
        case Environment():
            return " ".join(os.environ.get(name, "") for name in question.names)
        case Registry():
            return registry.read(question)


def find_tool(name: str, system: System) -> Path | None:
    """The program in the system's own folders; on Unix only one that root alone can change."""
    root = Path(os.environ.get("SYSTEMROOT", "C:\\Windows")) / "System32"
    for folder in FOLDERS[system]:
        path = (root if system is System.WINDOWS else Path("/")) / folder / name
        with contextlib.suppress(OSError):
            found = path.stat()
            safe = system is System.WINDOWS or (found.st_uid == 0 and not found.st_mode & 0o022)
            if path.is_file() and safe:
                return path
    return None


def run(command: Command, system: System, seconds: float) -> str | None:
    """Standard output and error of the program, cut at `LIMIT_BYTES` and at `seconds`."""
    tool = find_tool(command.words[0], system)
    if tool is None:
        return None
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NO_WINDOW}
    try:
        process = subprocess.Popen(
            [str(tool), *command.words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**kept, "LC_ALL": "C", "LANG": "C"},
            cwd=tool.anchor,
            **options,
        )
    except OSError:
        return None
    return _answer(process, seconds)


def _answer(process: subprocess.Popen[bytes], seconds: float) -> str | None:
    late = threading.Event()

    def stop() -> None:
        late.set()
        end(process)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        with process:
            assert process.stdout is not None
            output = process.stdout.read(LIMIT_BYTES)
            end(process)
    finally:
        timer.cancel()
    return None if late.is_set() else output.decode("utf-8", "replace")


def end(process: subprocess.Popen[bytes]) -> None:
    """End the program and what it started."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def read(files: Files) -> str | None:
    """The beginnings of the files, one after the other; None when one is there but closed to us."""
    texts = []
    for path in matching(files.patterns):
        try:
            with path.open("rb") as stream:
                texts.append(stream.read(files.limit).decode("utf-8", "replace"))
        except PermissionError:
            return None
        except OSError:
            continue
    return "\n".join(texts)[:LIMIT_BYTES]


def matching(patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: a user without home
            full = str(Path(pattern).expanduser())
            yield from sorted(Path("/").glob(full.lstrip("/")))[:MOST_FILES]


def is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:
        return False


def dates(question: Dates) -> str:
    lines = []
    for path in question.paths:
        with contextlib.suppress(OSError):
            lines.append(f"{path} {int(Path(path).stat().st_mtime)}")
    return "\n".join(lines)
