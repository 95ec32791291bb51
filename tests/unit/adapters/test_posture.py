"""Asking a machine is bounded in time and size, and takes programs from the system's folders alone."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace, TracebackType

import psutil
import pytest

from serment.adapters.posture import asking, machine, questions
from serment.adapters.posture.asking import LIMIT_BYTES, ask, find_tool
from serment.adapters.posture.questions import Command, Dates, Environment, Files, Present, Registry
from serment.core.exposure.posture.verdict import System
from serment.errors import Unavailable

LINUX, LONG = System.LINUX, 20.0


def children() -> list[str]:
    return [each.name() for each in psutil.Process().children(recursive=True)]


def test_the_times_leave_room_within_five_seconds() -> None:
    assert machine.ONE_SECONDS < machine.ALL_SECONDS < 5


def test_a_program_of_the_path_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("id", "serment-of-nobody"):
        (tmp_path / name).write_text("#!/bin/sh\necho uid=7\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "uid=" in ask(Command(("id",)), LINUX, LONG)
    assert "uid=7" not in ask(Command(("id",)), LINUX, LONG)
    assert ask(Command(("serment-of-nobody",)), LINUX, LONG) is None


def test_a_program_that_others_may_change_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    monkeypatch.setitem(questions.FOLDERS, LINUX, (str(tmp_path),))
    tool.chmod(0o755)
    assert find_tool("tool", LINUX) == (tool if tool.stat().st_uid == 0 else None)
    tool.chmod(0o777)
    assert find_tool("tool", LINUX) is None


def test_an_answer_without_end_is_cut_and_its_program_ended() -> None:
    assert len(ask(Command(("yes",)), LINUX, LONG)) == LIMIT_BYTES
    assert "yes" not in children()


def test_a_program_that_takes_too_long_is_ended_with_its_children() -> None:
    command = Command(("sh", "-c", "sleep 300 & echo started; sleep 300"))
    assert ask(command, LINUX, 0.5) is None
    assert "sleep" not in children()


def test_a_program_gets_no_input_and_little_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SERMENT_PASSWORD_FILE", "hidden")
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert ask(Command(("cat",)), LINUX, LONG) == ""
    told = ask(Command(("env",)), LINUX, LONG)
    assert "hidden" not in told
    assert "LC_ALL=C\n" in told


def test_files_are_read_from_their_beginning_only(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_bytes(b"a" * 100)
    (tmp_path / "b.conf").write_bytes(b"\xff" + b"b" * 100)
    found = ask(Files((f"{tmp_path}/none", f"{tmp_path}/*.conf"), limit=3), LINUX, LONG)
    assert found == "aaa\n\ufffdbb"
    assert ask(Files((f"{tmp_path}/none",)), LINUX, LONG) == ""
    assert ask(Files((str(tmp_path),)), LINUX, LONG) == ""


def test_a_file_that_is_closed_to_us_is_no_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").touch()
    monkeypatch.setattr(Path, "open", refuse)
    assert ask(Files((f"{tmp_path}/secret",)), LINUX, LONG) is None


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(13, "refused")


def test_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "settings").write_text("mine")
    assert ask(Files(("~/settings",)), LINUX, LONG) == "mine"


def test_dates_presence_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(tmp_path, (1795000000, 1795000000))
    assert ask(Dates((str(tmp_path), "/none")), LINUX, LONG) == f"{tmp_path} 1795000000"
    assert ask(Present({"Here": str(tmp_path), "Gone": "/none"}), LINUX, LONG) == "Here"
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "KDE")
    assert ask(Environment(("XDG_CURRENT_DESKTOP", "NONE")), LINUX, LONG) == "KDE "


class Key:
    """A key of a registry held in memory, of the shape of `winreg`."""

    def __init__(self, values: dict[str, object], below: dict[str, Key] | None = None) -> None:
        self.values, self.below = values, below or {}

    def __enter__(self) -> Key:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Nothing to close."""


def registry(tree: dict[str, Key]) -> SimpleNamespace:
    def open_key(parent: object, name: str, *_: int) -> Key:
        if name == "closed":
            raise PermissionError(13, "refused")
        found = parent.below.get(name) if isinstance(parent, Key) else tree.get(name)
        if found is None:
            raise FileNotFoundError(2, "no such key")
        return found

    def query(key: Key, name: str) -> tuple[object, int]:
        if name not in key.values:
            raise FileNotFoundError(2, "no such value")
        return key.values[name], 1

    return SimpleNamespace(
        HKEY_LOCAL_MACHINE=1,
        HKEY_CURRENT_USER=2,
        KEY_READ=1,
        KEY_WOW64_64KEY=256,
        OpenKey=open_key,
        QueryValueEx=query,
        QueryInfoKey=lambda key: (len(key.below), len(key.values), 0),
        EnumKey=lambda key, index: list(key.below)[index],
    )


def test_values_of_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = Key({}, {"serial 1": Key({}), "serial 2": Key({})})
    tree = {
        "Logon": Key({"Auto": "1", "Binary": b"x", "DefaultPassword": "hidden"}),
        "Usb": Key({}, {"vendor": vendor, "other": Key({}, {"serial 3": Key({})})}),
    }
    monkeypatch.setitem(sys.modules, "winreg", registry(tree))

    def read(key: str, *names: str, count: str = "") -> object:
        answer = ask(Registry("HKLM", key, names, count), System.WINDOWS, LONG)
        return None if answer is None else json.loads(answer)

    assert read("Logon", "Auto", "Binary", "Gone") == {"Auto": "1"}
    assert read("Usb", count="devices") == {"devices": 3}
    assert read("Gone", "Auto") == {}
    assert read("Gone", count="devices") == {"devices": 0}
    assert read("closed", "Auto") is None


def test_without_a_registry_nothing_is_said() -> None:
    if sys.platform != "win32":
        assert ask(Registry("HKLM", "x", ("y",)), System.WINDOWS, LONG) is None


def test_what_cannot_be_asked_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {
        "here": Environment(("NONE",)),
        "gone": Command(("serment-of-nobody",)),
        "slow": Command(("sleep", "300")),
    }
    monkeypatch.setitem(machine.QUESTIONS, LINUX, few)
    monkeypatch.setattr(machine, "ONE_SECONDS", 0.3)
    assert machine.ThisMachine().says() == {"here": ""}


def test_a_question_that_never_returns_does_not_hold_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A home on a server that has gone answers no read at all."""
    stuck = threading.Event()

    def read(files: Files) -> str:
        stuck.wait()
        return "late"

    few = {"here": Environment(("NONE",)), "stuck": Files(("/x",))}
    monkeypatch.setitem(machine.QUESTIONS, LINUX, few)
    monkeypatch.setattr(asking, "read", read)
    monkeypatch.setattr(machine, "ALL_SECONDS", 0.3)
    assert machine.ThisMachine().says() == {"here": ""}
    stuck.set()


def test_a_system_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(Unavailable):
        machine.ThisMachine().system()


def test_windows_scripts_change_nothing() -> None:
    """Only verbs that read; `New-Object` makes the shell's view of the drives."""
    for name, question in questions.WINDOWS.items():
        if isinstance(question, Command) and question.words[0] == "powershell.exe":
            verbs = set(asking_verbs(question.words[-1]))
            assert verbs <= {"Get", "ForEach", "Where", "ConvertTo", "New"}, name
            assert "ConvertTo-Json" in question.words[-1]


def asking_verbs(script: str) -> list[str]:
    import re

    return re.findall(r"(?<![\w$.'-])([A-Z][A-Za-z]+)-[A-Z][A-Za-z]+", script)
