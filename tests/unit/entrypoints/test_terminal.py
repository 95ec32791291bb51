"""Rows in colours and folded on a terminal, one plain line each in a pipe."""

from __future__ import annotations

import io

import pytest

from serment.core.exposure.posture.registry import CHECKS, Answer
from serment.core.exposure.posture.verdict import Result, System, Verdict
from serment.entrypoints.cli import posture
from serment.entrypoints.cli.output import Output
from serment.entrypoints.cli.terminal import Row, show_rows

ROWS = [
    Row("bad", "Critical", "X01", "192.168.1.20:11112", "It lists its patients " * 4, "Close it."),
    Row("soft", "Low", "X31", "192.168.1.40:22", "SSH accepts passwords", ""),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, columns: int = 100) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    show_rows(Output("en", False, out, io.StringIO()), ROWS)
    return out.getvalue().splitlines()


def test_a_pipe_gets_one_plain_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, io.StringIO(), 40)
    assert len(lines) == 2
    assert lines[0].startswith("Critical  X01  192.168.1.20:11112  It lists its patients")
    assert lines[0].endswith(" > Close it.")
    assert lines[1] == "Low       X31  192.168.1.40:22  SSH accepts passwords"
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("columns", [200, 100, 76, 60, 40])
def test_a_terminal_gets_lines_that_fit(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("serment.entrypoints.cli.terminal.STYLES", {})
    lines = shown(monkeypatch, Terminal(), columns)
    plain = [remove_styles(each) for each in lines]
    assert all(len(each) <= columns for each in plain)
    said = " ".join(" ".join(plain).split())
    assert "Critical X01 192.168.1.20:11112" in said
    assert "Close it." in said


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31mCritical" in shown(monkeypatch, Terminal())[0]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in "".join(shown(monkeypatch, Terminal()))


def test_json_shows_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    show_rows(Output("en", True, out, io.StringIO()), ROWS)
    assert out.getvalue() == ""


def test_what_the_machine_says_of_itself_is_one_printable_line() -> None:
    verdict = Verdict(Result.FAIL, "found: {name}", (), {"name": "\x1b[2Jsda\u202e\r\nH02  GOOD"})
    out = Output("en", False, io.StringIO(), io.StringIO())
    shown = posture.row(out, Answer(CHECKS[0], verdict, CHECKS[0].remedies[System.LINUX]))
    assert shown["evidence"] == "found: [2Jsda H02 GOOD"
    posture.show(out, [shown])
    assert "\x1b" not in out.out.getvalue()  # type: ignore[attr-defined]
    terminal = Output("en", False, Terminal(), io.StringIO())
    posture.show(terminal, [shown])
    assert "TO CORRECT" in terminal.out.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[2J" not in terminal.out.getvalue()  # type: ignore[attr-defined]


def remove_styles(line: str) -> str:
    parts = line.split("\x1b[")
    return parts[0] + "".join(each.partition("m")[2] for each in parts[1:])
