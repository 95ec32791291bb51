"""Reads chosen values of Windows' registry as JSON; nothing is read that was not asked by name."""

from __future__ import annotations

import contextlib
import importlib
import json
from typing import Any

from serment.adapters.posture.questions import Registry


def read(question: Registry) -> str | None:
    """A JSON object, {} without the key; None where there is no registry or it is refused."""
    try:
        windows: Any = importlib.import_module("winreg")
    except ImportError:
        return None
    hive = {"HKLM": windows.HKEY_LOCAL_MACHINE, "HKCU": windows.HKEY_CURRENT_USER}[question.hive]
    access = windows.KEY_READ | windows.KEY_WOW64_64KEY
    try:
        with windows.OpenKey(hive, question.key, 0, access) as key:
            return json.dumps(values(windows, key, question))
    except FileNotFoundError:
        return json.dumps({question.count: 0} if question.count else {})
    except OSError:
        return None


def values(windows: Any, key: Any, question: Registry) -> dict[str, int | str]:
    """Numbers and texts; binary values are left out."""
    found: dict[str, int | str] = {}
    for name in question.names:
        with contextlib.suppress(FileNotFoundError):
            value = windows.QueryValueEx(key, name)[0]
            if isinstance(value, int | str):
                found[name] = value
    if question.count:
        found[question.count] = sum(below(windows, key))
    return found


def below(windows: Any, key: Any) -> list[int]:
    """How many keys lie under each key below this one."""
    counts = []
    for index in range(windows.QueryInfoKey(key)[0]):
        with windows.OpenKey(key, windows.EnumKey(key, index)) as child:
            counts.append(windows.QueryInfoKey(child)[0])
    return counts
