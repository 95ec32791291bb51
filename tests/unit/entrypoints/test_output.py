"""What commands write: one JSON value for programs, sentences for people, codes for scripts."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serment.core.masked import Masked
from serment.core.records.vault import Role
from serment.entrypoints.cli.output import INTERRUPTED, Output, dumps, run
from serment.entrypoints.cli.progress import Silent, TerminalProgress, terminal_progress
from serment.errors import AccessDenied, NoSpace, SermentError

DENIED = AccessDenied("no key of {login}", hint="ask {login}", login="marie")


def output(lang: str = "en", *, as_json: bool = False) -> Output:
    return Output(lang=lang, as_json=as_json, out=io.StringIO(), err=io.StringIO())


def test_people_read_sentences_and_programs_one_value() -> None:
    for_people, for_programs = output(), output(as_json=True)
    for each in (for_people, for_programs):
        each.line("{count} filed", count=3)
        each.table(["error", "hint"], [["a", 1], ["long cell", None]])
        each.value({"filed": 3})
    assert for_people.out.getvalue() == "3 filed\nerror      hint\na          1\nlong cell\n"
    assert json.loads(for_programs.out.getvalue()) == {"filed": 3}


def test_an_error_says_what_failed_and_the_next_step_on_standard_error() -> None:
    english, french = output(), output("fr")
    assert english.error(DENIED) == 4
    assert english.err.getvalue() == "serment: error: no key of marie\nserment: hint: ask marie\n"
    assert english.out.getvalue() == ""
    french.error(DENIED)
    assert french.err.getvalue().startswith("serment: erreur\u00a0: ")


def test_an_error_is_a_json_value_for_programs() -> None:
    programs = output(as_json=True)
    assert programs.error(DENIED) == AccessDenied.exit_code
    assert json.loads(programs.out.getvalue()) == {
        "error": {"kind": "access-denied", "message": "no key of marie", "hint": "ask marie"}
    }
    assert programs.err.getvalue() == ""


def test_every_way_a_command_ends() -> None:
    def fails(error: BaseException) -> int:
        def command() -> None:
            raise error

        return run(output(), command)

    assert run(output(), lambda: None) == 0
    assert run(output(), lambda: 1) == 1
    assert fails(NoSpace("full")) == 12
    assert fails(SermentError("x")) == 3
    assert fails(KeyboardInterrupt()) == INTERRUPTED
    assert fails(ValueError("LEFEVRE^ZOE")) == 3


def test_a_defect_shows_its_place_and_never_what_it_held() -> None:
    spoken = output()
    run(spoken, lambda: spoken.line("{LEFEVRE}"))
    said = spoken.err.getvalue()
    assert "KeyError in language.py:" in said
    assert "LEFEVRE" not in said


def test_values_have_a_json_form_and_masked_ones_none() -> None:
    @dataclass
    class Found:
        role: Role
        at: datetime
        where: Path
        key: bytes

    found = Found(Role.DPO, datetime(2026, 11, 1, tzinfo=UTC), Path("a/b"), b"\x01\xff")
    assert json.loads(dumps([found, {"é": {2, 1}}])) == [
        {"role": "dpo", "at": "2026-11-01T00:00:00+00:00", "where": "a/b", "key": "01ff"},
        {"é": [1, 2]},
    ]
    with pytest.raises(TypeError):
        dumps({"name": Masked("LEFEVRE")})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_appears_only_for_what_lasts() -> None:
    now = [0.0]
    terminal = Terminal()
    progress = TerminalProgress("Importing", terminal, lambda: now[0])
    progress.total(10)
    progress.step()
    assert terminal.getvalue() == ""
    now[0] = 1.5
    progress.step(4)
    progress.close()
    assert "Importing" in terminal.getvalue()
    assert "5/10" in terminal.getvalue()


@pytest.mark.parametrize("columns", [36, 50, 100])
def test_the_count_and_the_time_left_fit_every_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    now = [0.0]
    terminal = Terminal()
    progress = TerminalProgress("Looking for open ports everywhere", terminal, lambda: now[0])
    progress.total(196_593)
    for now[0] in (2.0, 4.0, 6.0):
        progress.step(40_000)
    progress.close()
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    lines = re.split(r"[\r\n]+", said)
    assert any(re.search(r"Looking.* 120000/196593 \d:\d\d:\d\d", line) for line in lines)
    assert all(len(line) <= columns for line in lines)


def test_a_pipe_gets_no_bar() -> None:
    pipe = io.StringIO()
    with terminal_progress("x", err=pipe, monotonic=lambda: 9.0, lang="fr") as progress:
        assert isinstance(progress, Silent)
        progress.total(2)
        progress.step()
    assert pipe.getvalue() == ""
