"""docs/cli.md says of `serment scan` what it answers: every key, the values it may have, the lines it prints."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.entrypoints.test_scan_report import Commands
from tests.unit.exposure.sights import BAD

from serment.core.exposure.findings import Confidence, Outside, Severity, Unit

CLI = (Path(__file__).parent.parent.parent / "docs" / "cli.md").read_text(encoding="utf-8")
SECTION = CLI[CLI.index("### Finding what is exposed") :]
BY = ("--authorised-by", "Dr Exemple")
VAULT = ("--vault", "/a/vault")

# The contract for scripts, as it was agreed: keys are added, never renamed or removed.
FINDING = {
    "id": str, "host": str, "port": int, "proto": str, "severity": str, "confidence": str,
    "outside": str, "title": str, "remedy": str, "evidence": str,
}  # fmt: skip


def described(command: str) -> str:
    """What the page says of one command."""
    found = re.search(rf"^`serment {command}(.*?)(?=^`serment |\Z)", SECTION, re.M | re.S)
    assert found
    return found[0]


def keys(value: Any) -> set[str]:
    """Every key of an answer, at any depth."""
    match value:
        case dict():
            return set(value).union(*(keys(each) for each in value.values()))
        case list():
            return set().union(*(keys(each) for each in value))
    return set()


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "SERMENT_VAULT"):
        monkeypatch.delenv(name, raising=False)


def everything() -> Commands:
    return Commands([each for seen, _ in BAD.values() for each in seen.services])


def test_the_answer_of_an_audit_is_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    asked = everything()
    words = ("network", "192.168.1.0/24", *BY, *VAULT, "--json")
    assert asked.run(*words) == 1
    capsys.readouterr()
    assert asked.run(*words) == 1
    answer = json.loads(capsys.readouterr().out)
    assert {"findings", "hosts", "not_checked", "seconds"} <= set(answer)
    for each in answer["findings"]:
        assert {name: type(each[name]) for name in FINDING} == FINDING
        assert each["severity"] in {*Severity}
        assert each["confidence"] in {*Confidence}
        assert each["outside"] in {*Outside}
        if each["readable"] is not None:
            assert list(each["readable"]) == ["count", "capped", "unit"]
            assert type(each["readable"]["count"]) is int
            assert type(each["readable"]["capped"]) is bool
            assert each["readable"]["unit"] in {*Unit}
    assert any(each["readable"] for each in answer["findings"])
    for host in answer["hosts"]:
        for each in host["services"]:
            assert {"port", "protocol", "product", "version"} <= set(each)
    assert all(set(each) == {"check", "host", "reason"} for each in answer["not_checked"])
    assert type(answer["seconds"]) is float


def test_every_key_is_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    asked = everything()
    asked.run("network", "192.168.1.0/24", *BY, *VAULT, "--json")
    text = described("scan network")
    for name in keys(json.loads(capsys.readouterr().out)):
        assert f'"{name}"' in text, name
    asked.run("history", *VAULT, "--json")
    past = text + described("scan history")
    for name in keys(json.loads(capsys.readouterr().out)):
        assert f'"{name}"' in past, name
    for values in (Severity, Confidence, Outside, Unit):
        assert f'"{"|".join(values)}"' in " ".join(text.split()).replace('" "', '"')


def test_the_lines_it_shows_are_those_that_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    Commands(BAD["X01"][0].services).run("network", "192.168.1.20", *BY)
    (shown,) = re.findall(r"^```\n(.*?)^```", described("scan network"), re.M | re.S)
    assert capsys.readouterr().out == shown


def test_every_option_is_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("network", "history", "host", "accept"):
        everything().run(command, "--help")
        told = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
        for option in told:
            assert option in described(f"scan {command}"), (command, option)
