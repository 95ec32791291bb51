"""The doctor's guide shows what Serment really writes: its terminal lines, and the words of the report."""

from __future__ import annotations

import io
import re
import shlex
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from tests.unit.entrypoints.test_scan_report import Commands, Text
from tests.unit.exposure.sights import BAD, HOST, OPEN_FIND, service

from serment.core.exposure.seen import Gateway, Mapping, Service
from serment.entrypoints.formats import APOSTROPHE, NARROW, NO_BREAK
from serment.entrypoints.reports.handout import LABELS, saying

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "guide-exposition.md").read_text("utf-8")
FRENCH = "locale/fr/LC_MESSAGES/serment.po"
BLOCKS = re.findall(r"^```\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)


def practice() -> list[Service]:
    """A box that forwards a port to an open archive, an FTP server with health files, a printer."""
    (shared,) = BAD["X13"][0].services
    led = Gateway((Mapping(104, HOST, 11112, "TCP"),))
    return [
        service("igd", 5000, led, host="192.168.1.1"),
        service("dicom", 11112, OPEN_FIND),
        replace(shared, place=replace(shared.place, host="192.168.1.30")),
        service("printer", 9100, host="192.168.1.40"),
    ]


def plain(text: str) -> str:
    """As it is typed: spaces that break, straight apostrophes."""
    for special, typed in ((NARROW, " "), (NO_BREAK, " "), (APOSTROPHE, "'")):
        text = text.replace(special, typed)
    return text


@pytest.fixture
def written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[str, str]:
    """What the guide's command writes on the terminal, and into the page."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.chdir(tmp_path)
    command = shlex.split(next(block for block in BLOCKS if "scan network" in block))
    assert command[:2] == ["serment", "scan"]
    assert Commands(practice()).run(*command[2:], "--lang", "fr") == 1
    return capsys.readouterr().out, (tmp_path / "rapport.html").read_text("utf-8")


def test_every_line_it_shows_is_one_that_is_written(written: tuple[str, str]) -> None:
    lines = [plain(each) for each in written[0].splitlines()]
    shown = next(block for block in BLOCKS if block.startswith("Critique"))
    assert [plain(each) for each in shown.splitlines()] == lines


def quoted(text: str) -> list[str]:
    return re.findall(r"« ([^»]+?) »", re.sub(r"\s+", " ", plain(text)))


def section(title: str) -> str:
    return GUIDE.split(f"\n## {title}")[1].split("\n## ")[0]


def test_the_report_has_the_parts_and_sentences_it_names(written: tuple[str, str]) -> None:
    said = plain(Text(written[1]).said)
    named = quoted(section("Le rapport"))
    assert len(named) > 12
    for each in named:
        assert each.casefold() in said.casefold(), each
    for name in ("brief", "picture", "first", "findings", "unchecked", "doctor", "installer"):
        assert plain(saying("fr")(LABELS[name], {})) in named, name


def test_what_else_it_quotes_is_said_somewhere() -> None:
    """Buttons and titles of the screens: messages of the catalogue."""
    catalogue = read_po(io.StringIO(files("serment").joinpath(FRENCH).read_text("utf-8")), "fr")
    messages = " ".join(plain(str(each.string)) for each in catalogue)
    elsewhere = GUIDE.replace(section("Le rapport"), "")
    for each in quoted(elsewhere):
        assert each in messages or each == "50+", each
